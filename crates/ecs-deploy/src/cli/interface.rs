//! What `ecs-deploy` offers beside its flags: outputs, variables, and samples for its documentation and tests.

use gha::interface::{Interface, OutputSpec};

/// What the tool offers beside its flags.
pub const INTERFACE: Interface = Interface {
    name: "ecs-deploy",
    version: gha::version!(),
    default_command: Some("deploy"),
    outputs: &[
        OutputSpec {
            name: "status",
            description: "`deployed`, `unchanged`, `rolled-back`, `failed` or `superseded`.",
        },
        OutputSpec {
            name: "task-definition",
            description: "The revision that was deployed, as `family:revision`.",
        },
        OutputSpec {
            name: "task-definition-arn",
            description: "Its ARN, which holds the account's number.",
        },
        OutputSpec {
            name: "previous-task-definition",
            description: "The revision that served before and that a rollback brings back, as `family:revision`.",
        },
        OutputSpec {
            name: "deployment-id",
            description: "The id of the deployment that this run created.",
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
    secrets: &[],
    samples: &[
        ("cluster", "production"),
        ("service", "api"),
        ("region", "eu-west-1"),
        ("role-arn", "arn:aws:iam::123456789012:role/deploy"),
        ("endpoint-url", "http://127.0.0.1:4566"),
        ("task-definition", "task.json"),
        ("image", "api=registry.example.com/api:1.2.3"),
        ("env", "LOG_LEVEL=info"),
        ("secret", "DB_PASSWORD=/production/db-password"),
        ("cpu", "512"),
        ("memory", "1024"),
        ("container-command", "api=bin/server --port 80"),
        ("migrate", "api=bin/migrate"),
        ("migrate-timeout", "15m"),
        ("desired-count", "3"),
        ("capacity-provider", "FARGATE_SPOT=1"),
        ("propagate-tags", "SERVICE"),
        ("strategy", "canary"),
        ("bake-time", "5m"),
        ("canary-percent", "5%"),
        ("canary-bake-time", "10m"),
        ("step-percent", "10%"),
        ("step-bake-time", "6m"),
        ("gate", "gate.yml"),
        ("gate-var", "color=green"),
        ("stable-for", "30s"),
        ("poll", "5s"),
        ("placement-timeout", "5m"),
        ("api-grace", "5m"),
        ("timeout", "30m"),
        ("on-failure", "leave"),
        ("on-cancel", "leave"),
        ("to", "1.2.2"),
        ("run", "api=bin/migrate"),
        (
            "traffic-rule",
            "listener-rule/app/shop/50dc6c495c0c9188/0467ef3c8400ae65/9683b2d02a6cabee",
        ),
        ("blue-service", "api-blue"),
        ("green-service", "api-green"),
        ("steps", "10% 5m, 50% 5m, 100%"),
        ("until", "10%"),
        ("keep", "10m"),
        ("warm-up", "5m"),
        ("environment", "production"),
        ("output", "json"),
        ("log-format", "json"),
    ],
    environment: &[
        (
            "AWS_ACCESS_KEY_ID, AWS_PROFILE and their kin",
            "credentials and region, found as the AWS CLI finds them",
        ),
        (
            "AWS_ENDPOINT_URL, AWS_ENDPOINT_URL_ECS and their kin",
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
