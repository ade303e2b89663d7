//! What `k8s-blue-green` offers beside its flags: outputs, secrets, variables, and samples for its documentation and tests.

use gha::interface::{Interface, OutputSpec, SecretSpec};

/// The way to a cluster, as one text.
pub const KUBECONFIG: SecretSpec = SecretSpec {
    name: "kubeconfig",
    env: "KUBE_CONFIG",
    description: "A kubeconfig itself, as YAML or in Base64. A secret: pass it from `secrets`.",
    default: None,
    short: false,
};

/// What the tool offers beside its flags.
pub const INTERFACE: Interface = Interface {
    name: "k8s-blue-green",
    version: gha::version!(),
    default_command: Some("deploy"),
    outputs: &[
        OutputSpec {
            name: "status",
            description: "`deployed`, `unchanged`, `prepared`, `rolled-back`, `failed` or `superseded`.",
        },
        OutputSpec {
            name: "live-color",
            description: "The colour that has the traffic, such as `green`.",
        },
        OutputSpec {
            name: "previous-color",
            description: "The colour that had it before, and that a rollback gives it to.",
        },
        OutputSpec {
            name: "service",
            description: "The Service, or the Services, one a line.",
        },
        OutputSpec {
            name: "namespace",
            description: "The namespace.",
        },
        OutputSpec {
            name: "revision",
            description: "The workload that serves, and its revision, as `web-green@3`.",
        },
        OutputSpec {
            name: "preview-url",
            description: "Where the new version is before it has traffic, inside the cluster.",
        },
        OutputSpec {
            name: "live-weight",
            description: "Share of the traffic that the new version has, in percent.",
        },
        OutputSpec {
            name: "duration-ms",
            description: "How long it took, in milliseconds.",
        },
    ],
    secrets: &[KUBECONFIG],
    samples: &[
        ("namespace", "shop"),
        ("context", "production"),
        ("kubeconfig-file", "kubeconfig.yml"),
        ("eks-cluster", "production"),
        ("region", "eu-west-1"),
        ("role-arn", "arn:aws:iam::123456789012:role/deploy"),
        ("environment", "production"),
        ("service", "web"),
        ("workload", "deployment/web"),
        ("strategy", "rolling"),
        ("route", "httproute/web"),
        ("steps", "10% 5m, 100%"),
        ("header", "canary: true"),
        ("image", "web=registry.example.com/web:1.2.3"),
        ("manifests", "k8s/"),
        ("replicas", "3"),
        ("migrate", "web=bin/migrate"),
        ("migrate-timeout", "15m"),
        ("migrate-down", "web=bin/migrate down"),
        ("gate", "gate.yml"),
        ("gate-var", "tier=web"),
        ("smoke", "npm run smoke"),
        ("smoke-timeout", "5m"),
        ("preview-port", "http"),
        ("switch", "overlap"),
        ("overlap", "30s"),
        ("soak", "5m"),
        ("drain", "5m"),
        ("retire", "delete"),
        ("color-label", "color"),
        ("until", "preview"),
        ("timeout", "10m"),
        ("unschedulable-grace", "5m"),
        ("api-grace", "5m"),
        ("lock-timeout", "10m"),
        ("on-failure", "leave"),
        ("on-cancel", "leave"),
        ("bundle", "support.tar.gz"),
        ("output", "json"),
        ("log-format", "json"),
    ],
    environment: &[
        (
            "KUBECONFIG",
            "files with the way to the cluster, as `kubectl` takes them",
        ),
        (
            "AWS_ACCESS_KEY_ID, AWS_PROFILE and their kin",
            "credentials for `--eks-cluster`, found as the AWS CLI finds them",
        ),
        (
            "HTTPS_PROXY, NO_PROXY",
            "proxy for every request, and the hosts reached without it; a kubeconfig's own `proxy-url` comes first",
        ),
        (
            "SSL_CERT_FILE",
            "certificate authorities in PEM, for a server whose kubeconfig names none [default: the system's, else built in]",
        ),
    ],
    whole: &[],
    exports: &[],
};
