//! What the program offers beside its flags: outputs, secrets and samples.

use gha::interface::{Interface, OutputSpec, SecretSpec};

/// The incoming webhook of a Slack channel.
pub const SLACK: SecretSpec = SecretSpec {
    name: "slack-webhook",
    env: "SLACK_WEBHOOK_URL",
    description: "Slack incoming webhook to post to. A secret: pass it from `secrets`.",
    default: None,
    short: false,
};

/// The token of a Slack app.
pub const SLACK_TOKEN: SecretSpec = SecretSpec {
    name: "slack-token",
    env: "SLACK_TOKEN",
    description: "Bot token of a Slack app. A secret: pass it from `secrets`.",
    default: None,
    short: false,
};

/// A workflow of Microsoft Teams.
pub const TEAMS: SecretSpec = SecretSpec {
    name: "teams-webhook",
    env: "TEAMS_WEBHOOK_URL",
    description: "Address of a Microsoft Teams workflow that posts what it receives. A secret: pass it from `secrets`.",
    default: None,
    short: false,
};

/// A webhook of a Slack channel that is told what is only good to know.
pub const SLACK_INFO: SecretSpec = SecretSpec {
    name: "slack-info-webhook",
    env: "SLACK_INFO_WEBHOOK_URL",
    description: "Slack incoming webhook of a channel for information, which `routes` tells apart. A secret: pass it from `secrets`.",
    default: None,
    short: false,
};

/// What writes to a repository of GitHub. It has a variable of its own: many a machine has a `GITHUB_TOKEN` for other ends.
pub const GITHUB: SecretSpec = SecretSpec {
    name: "github-token",
    env: "NOTIFY_GITHUB_TOKEN",
    description: "Token for GitHub to show how it went, in a workflow `github.token`; see the page for its permissions.",
    default: None,
    short: false,
};

/// A webhook of a Discord channel.
pub const DISCORD: SecretSpec = SecretSpec {
    name: "discord-webhook",
    env: "DISCORD_WEBHOOK_URL",
    description: "Discord webhook to post to. A secret: pass it from `secrets`.",
    default: None,
    short: false,
};

/// The integration key of a PagerDuty service.
pub const PAGERDUTY: SecretSpec = SecretSpec {
    name: "pagerduty-key",
    env: "PAGERDUTY_ROUTING_KEY",
    description: "Integration key of a PagerDuty service, of the Events API v2. A secret: pass it from `secrets`.",
    default: None,
    short: false,
};

/// A server that takes mail.
pub const SMTP: SecretSpec = SecretSpec {
    name: "smtp-url",
    env: "SMTP_URL",
    description: "Mail server, as `smtps://user:password@host`, or `smtp://…` for STARTTLS. A secret: pass it from `secrets`.",
    default: None,
    short: false,
};

/// Any receiver of JSON.
pub const WEBHOOK: SecretSpec = SecretSpec {
    name: "webhook-url",
    env: "NOTIFY_WEBHOOK_URL",
    description: "Address to post the event to as JSON. A secret: pass it from `secrets`.",
    default: None,
    short: false,
};

/// The key by which that receiver knows us.
pub const WEBHOOK_SECRET: SecretSpec = SecretSpec {
    name: "webhook-secret",
    env: "NOTIFY_WEBHOOK_SECRET",
    description: "Key that signs the event, as `whsec_…`. A secret: pass it from `secrets`.",
    default: None,
    short: false,
};

/// The secrets each of which configures a receiver.
pub const RECEIVERS: [SecretSpec; 8] = [
    SLACK,
    SLACK_TOKEN,
    TEAMS,
    DISCORD,
    PAGERDUTY,
    SMTP,
    WEBHOOK,
    GITHUB,
];

/// What the tool offers beside its flags.
pub const INTERFACE: Interface = Interface {
    name: "notify",
    version: gha::version!(),
    default_command: Some("send"),
    outputs: &[
        OutputSpec {
            name: "delivered",
            description: "`true`, `partial`, `false`, or `none` when no receiver is configured. A dry run writes no output.",
        },
        OutputSpec {
            name: "phase",
            description: "What was told: `started`, `succeeded`, `failed`, `rolled-back` or `cancelled`.",
        },
        OutputSpec {
            name: "headline",
            description: "The message's first line.",
        },
        OutputSpec {
            name: "results",
            description: "JSON array with one object per receiver: channel, delivered, how, tries, reason.",
        },
        OutputSpec {
            name: "state",
            description: "What a later `finish` needs to bring the same messages up to date, as JSON; it holds no secret.",
        },
    ],
    secrets: &[
        SLACK,
        SLACK_INFO,
        SLACK_TOKEN,
        TEAMS,
        DISCORD,
        PAGERDUTY,
        SMTP,
        WEBHOOK,
        WEBHOOK_SECRET,
        GITHUB,
    ],
    samples: &[
        ("status", "failure"),
        ("service", "shop-api"),
        ("environment", "production"),
        ("release", "1.2.3"),
        ("title", "Nightly export"),
        ("text", "see the runbook"),
        ("results", "results/"),
        ("state", r#"{"schema":"deploy-actions/notify-state@1"}"#),
        ("to", "slack"),
        ("slack-webhook-file", "/run/secrets/slack"),
        ("slack-token-file", "/run/secrets/slack-token"),
        ("slack-channel", "C0123456789"),
        ("slack-mention", "S0123456789"),
        ("slack-url", "https://slack.com"),
        ("slack-info-webhook-file", "/run/secrets/slack-info"),
        ("slack-info-channel", "C0123456789"),
        ("github-token-file", "/run/secrets/github"),
        ("github", "status"),
        ("github-pull-request", "12"),
        ("routes", "severity"),
        ("teams-webhook-file", "/run/secrets/teams"),
        ("teams-envelope", "card"),
        ("discord-webhook-file", "/run/secrets/discord"),
        ("pagerduty-key-file", "/run/secrets/pagerduty"),
        ("pagerduty-url", "https://events.eu.pagerduty.com"),
        ("smtp-url-file", "/run/secrets/smtp"),
        ("email-to", "ops@example.com"),
        ("email-from", "deploys@example.com"),
        ("allow-host", "hooks.example.com"),
        ("severity", "critical"),
        ("webhook-url-file", "/run/secrets/webhook"),
        ("webhook-secret-file", "/run/secrets/webhook-key"),
        ("summary", "false"),
        ("require", "pagerduty"),
        ("timeout", "60s"),
        ("try-timeout", "10s"),
        ("output", "json"),
        ("log-format", "json"),
    ],
    environment: gha::interface::NETWORK,
    whole: &["results", "state"],
    exports: &[],
};
