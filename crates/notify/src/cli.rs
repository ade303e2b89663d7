//! The flags of `notify`; in an action each is an input of the same name.

use std::path::PathBuf;
use std::time::Duration;

use clap::{ArgAction, Parser, ValueEnum};

use crate::channel::teams::Envelope;
use crate::severity::Severity;
use gha::flags::Common;
use gha::interface::{HELP_TEMPLATE, Interface, OutputSpec, SecretSpec};

/// The incoming webhook of a Slack channel.
pub const SLACK: SecretSpec = SecretSpec {
    name: "slack-webhook",
    env: "SLACK_WEBHOOK_URL",
    description: "Slack incoming webhook to post to. A secret: pass it from `secrets`.",
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

/// Any receiver of JSON.
pub const WEBHOOK: SecretSpec = SecretSpec {
    name: "webhook-url",
    env: "NOTIFY_WEBHOOK_URL",
    description: "Address to post the event to as JSON. A secret: pass it from `secrets`.",
    default: None,
    short: false,
};

/// What the tool offers beside its flags.
pub const INTERFACE: Interface = Interface {
    name: "notify",
    version: gha::version!(),
    default_command: None,
    outputs: &[
        OutputSpec {
            name: "delivered",
            description: "`true`, `partial`, `false`, or `none` when no receiver is configured. A dry run writes no output.",
        },
        OutputSpec {
            name: "phase",
            description: "What was told: `succeeded`, `failed`, `rolled-back` or `cancelled`.",
        },
        OutputSpec {
            name: "headline",
            description: "The message's first line.",
        },
        OutputSpec {
            name: "results",
            description: "JSON array with one object per receiver: channel, delivered, tries, reason.",
        },
    ],
    secrets: &[SLACK, TEAMS, DISCORD, PAGERDUTY, WEBHOOK],
    samples: &[
        ("status", "failure"),
        ("service", "shop-api"),
        ("environment", "production"),
        ("release", "1.2.3"),
        ("text", "see the runbook"),
        (
            "results",
            r#"{"schema":"deploy-actions/result@1","tool":"health-gate"}"#,
        ),
        ("slack-webhook-file", "/run/secrets/slack"),
        ("teams-webhook-file", "/run/secrets/teams"),
        ("teams-envelope", "card"),
        ("discord-webhook-file", "/run/secrets/discord"),
        ("pagerduty-key-file", "/run/secrets/pagerduty"),
        ("pagerduty-url", "https://events.eu.pagerduty.com"),
        ("allow-host", "hooks.example.com"),
        ("severity", "critical"),
        ("webhook-url-file", "/run/secrets/webhook"),
        ("summary", "false"),
        ("timeout", "60s"),
        ("try-timeout", "10s"),
        ("output", "json"),
        ("log-format", "json"),
    ],
    environment: gha::interface::NETWORK,
    whole: &[],
    exports: &[],
};

/// Tells people how the deploy went: what, where and in how long, or what failed and why.
#[derive(Debug, Parser)]
#[command(
    name = "notify",
    before_help = "Examples:
  SLACK_WEBHOOK_URL=… notify --status success --service shop-api --environment production
  notify --status failure --slack-webhook-file /run/secrets/slack --require
  DEPLOY_LEDGER=ledger.jsonl notify --webhook-url-file - --output json < webhook-url
  notify --status cancelled --dry-run",
    help_template = HELP_TEMPLATE
)]
pub struct Cli {
    /// How the job went: `success`, `failure` or `cancelled`, in a workflow the expression `job.status`. Without it the
    /// ledger decides.
    #[arg(long, value_enum, value_name = "STATUS", hide_possible_values = true)]
    pub status: Option<JobStatus>,
    /// Name of what was deployed, for the first line; without it the repository's name.
    #[arg(long, value_name = "NAME")]
    pub service: Option<String>,
    /// Name of the deployment environment; without it the ledger's.
    #[arg(long, value_name = "NAME")]
    pub environment: Option<String>,
    /// Version that was deployed; without it the ledger's, else the commit.
    #[arg(long, value_name = "VERSION")]
    pub release: Option<String>,
    /// Text to add to the message.
    #[arg(long, value_name = "TEXT")]
    pub text: Option<String>,
    /// How bad it is: `low`, `medium`, `high` or `critical`; without it the ledger decides.
    #[arg(long, value_enum, value_name = "SEVERITY", hide_possible_values = true)]
    pub severity: Option<Severity>,
    /// Outputs `result` of tools that ran in other jobs; those of this job are in the ledger.
    #[arg(long, value_name = "JSON")]
    pub results: Vec<String>,
    /// File with the Slack incoming webhook; `-` is standard input.
    #[arg(long, value_name = "FILE")]
    pub slack_webhook_file: Option<PathBuf>,
    /// File with the address of the Teams workflow; `-` is standard input.
    #[arg(long, value_name = "FILE")]
    pub teams_webhook_file: Option<PathBuf>,
    /// What the Teams workflow expects: `message`, as the template for webhooks does, or the `card` alone.
    #[arg(
        long,
        value_enum,
        value_name = "FORM",
        default_value = "message",
        hide_possible_values = true
    )]
    pub teams_envelope: Envelope,
    /// File with the Discord webhook; `-` is standard input.
    #[arg(long, value_name = "FILE")]
    pub discord_webhook_file: Option<PathBuf>,
    /// File with the PagerDuty integration key; `-` is standard input.
    #[arg(long, value_name = "FILE")]
    pub pagerduty_key_file: Option<PathBuf>,
    /// Where PagerDuty's events go; `https://events.eu.pagerduty.com` for an account in the EU.
    #[arg(long, value_name = "URL", default_value = crate::channel::pagerduty::EVENTS)]
    pub pagerduty_url: String,
    /// Host that a webhook of Slack, Teams or Discord may have beside the service's own, such as that of a relay.
    #[arg(long, value_name = "HOST")]
    pub allow_host: Vec<String>,
    /// File with the address to post JSON to; `-` is standard input.
    #[arg(long, value_name = "FILE")]
    pub webhook_url_file: Option<PathBuf>,
    /// Write the message to the job summary too.
    #[arg(long, value_name = "BOOL", default_value_t = true, action = ArgAction::Set, num_args = 0..=1, default_missing_value = "true", hide_possible_values = true)]
    pub summary: bool,
    /// Fail, with exit code 3, when a message was not delivered; and with 2 when no receiver is configured.
    #[arg(long)]
    pub require: bool,
    /// Allow addresses without TLS. Loopback addresses are always allowed.
    #[arg(long)]
    pub allow_http: bool,
    /// Longest time for the whole command.
    #[arg(long, value_name = "DURATION", default_value = "60s", value_parser = gha::duration::parse)]
    pub timeout: Duration,
    /// Longest time for one try.
    #[arg(long, value_name = "DURATION", default_value = "10s", value_parser = gha::duration::parse)]
    pub try_timeout: Duration,
    /// Print what would be sent, and send nothing.
    #[arg(long)]
    pub dry_run: bool,
    /// Flags of all tools.
    #[command(flatten)]
    pub common: Common,
}

/// A job's status, in the runner's words
/// (<https://docs.github.com/en/actions/reference/workflows-and-actions/contexts#job-context>).
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum JobStatus {
    /// Every step went well.
    Success,
    /// A step failed.
    Failure,
    /// The run was cancelled.
    Cancelled,
}
