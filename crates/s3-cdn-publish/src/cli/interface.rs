//! What `s3-cdn-publish` offers beside its flags: outputs, and samples for its documentation and tests.

use gha::interface::{Interface, OutputSpec};

/// What the tool offers beside its flags.
pub const INTERFACE: Interface = Interface {
    name: "s3-cdn-publish",
    version: gha::version!(),
    default_command: Some("publish"),
    outputs: &[
        OutputSpec {
            name: "status",
            description: "`published`, `unchanged`, `rolled-back`, `recovered`, `pruned` or `failed`.",
        },
        OutputSpec {
            name: "release-id",
            description: "The release that is the current one now.",
        },
        OutputSpec {
            name: "changed",
            description: "Whether visitors see anything new: `true` or `false`.",
        },
        OutputSpec {
            name: "uploaded",
            description: "How many files were sent.",
        },
        OutputSpec {
            name: "deleted",
            description: "How many files of earlier releases were deleted.",
        },
        OutputSpec {
            name: "bytes",
            description: "How many bytes were sent.",
        },
        OutputSpec {
            name: "invalidation-id",
            description: "The invalidation that CloudFront was asked for.",
        },
        OutputSpec {
            name: "site-url",
            description: "The address of the site: that of the input, or the distribution's.",
        },
        OutputSpec {
            name: "duration-ms",
            description: "How long it took, in milliseconds.",
        },
    ],
    secrets: &[],
    samples: &[
        ("source", "dist"),
        ("bucket", "www-example-com"),
        ("prefix", "app"),
        ("distribution-id", "E2EXAMPLE"),
        ("region", "eu-west-1"),
        ("role-arn", "arn:aws:iam::123456789012:role/publish"),
        ("endpoint-url", "http://127.0.0.1:9000"),
        ("site-url", "https://www.example.com"),
        ("environment", "production"),
        ("rules", "rules.yml"),
        ("rule", "downloads/** = public, max-age=3600"),
        ("index-document", "index.html"),
        ("wait-timeout", "10m"),
        ("max-paths", "100"),
        ("url-path", "/docs/"),
        ("cache-tag", "html"),
        ("keep-releases", "3"),
        ("grace", "168h"),
        ("max-delete", "50%"),
        ("concurrency", "64"),
        ("timeout", "30m"),
        ("to", "20260102T030405Z-1a2b3c4"),
        ("output", "json"),
        ("log-format", "json"),
    ],
    environment: &[
        (
            "AWS_ACCESS_KEY_ID, AWS_PROFILE and their kin",
            "credentials and region, found as the AWS CLI finds them",
        ),
        (
            "AWS_ENDPOINT_URL, AWS_ENDPOINT_URL_S3 and their kin",
            "where the services are instead",
        ),
        (
            "HTTPS_PROXY, NO_PROXY",
            "proxy for every request, and the hosts reached without it",
        ),
        (
            "SSL_CERT_FILE",
            "certificate authorities in PEM [default: the system's, else built in]",
        ),
    ],
    whole: &[],
    exports: &[],
};
