//! The flags of `health-gate`; in an action each is an input of the same name.

use std::time::Duration;

use clap::{Args, Parser, Subcommand};

use gate::expect::{Header, JsonField};
use gate::status_set::StatusSet;
use gate::version::VersionAt;
use gha::flags::Common;
use gha::interface::{Interface, OutputSpec};

/// What the tool offers beside its flags.
pub const INTERFACE: Interface = Interface {
    name: "health-gate",
    version: gha::version!(),
    default_command: Some("wait"),
    outputs: &[
        OutputSpec {
            name: "verdict",
            description: "`pass`, `fail`, or `inconclusive` when the run was cancelled. A dry run writes no output.",
        },
        OutputSpec {
            name: "reason",
            description: "One line: what was seen last, or what held.",
        },
        OutputSpec {
            name: "attempts",
            description: "How many tries were made.",
        },
        OutputSpec {
            name: "duration-ms",
            description: "How long it took, in milliseconds.",
        },
    ],
    secrets: &[],
    samples: &[
        ("url", "https://example.com/health"),
        ("tcp", "db.internal:5432"),
        ("expect-status", "2xx"),
        ("expect-body", "ready"),
        ("expect-json", "/status=ok"),
        ("expect-header", "content-type: application/json"),
        ("expect-version", "1.2.3"),
        ("version-at", "/version"),
        ("interval", "5s"),
        ("try-timeout", "5s"),
        ("timeout", "5m"),
        ("success-threshold", "3"),
        ("environment", "production"),
        ("output", "json"),
        ("log-format", "json"),
    ],
    environment: gha::interface::NETWORK,
    whole: &[],
    exports: &[],
};

/// Waits until what was deployed is ready, and says why when it is not.
#[derive(Debug, Parser)]
#[command(
    name = "health-gate",
    disable_help_subcommand = true,
    before_help = "Examples:
  health-gate wait --url https://example.com/health
  health-gate wait --url https://example.com/health --expect-version 1.2.3 --success-threshold 3
  health-gate wait --url http://localhost:8080/ready --expect-json /status=ok --timeout 2m
  health-gate wait --tcp db.internal:5432 --timeout 1m",
    help_template = "{about-with-newline}\n{before-help}{usage-heading} {usage}\n\n{all-args}{after-help}"
)]
pub struct Cli {
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
    /// Flags of all tools.
    #[command(flatten)]
    pub common: Common,
}

/// The commands.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Tries until the target is ready, or the time is over.
    #[command(
        before_help = "Examples:
  health-gate wait --url https://example.com/health
  health-gate wait --url https://example.com/health --expect-version 1.2.3 --success-threshold 3
  health-gate wait --url http://localhost:8080/ready --expect-json /status=ok --timeout 2m
  health-gate wait --tcp db.internal:5432 --timeout 1m",
        help_template = "{about-with-newline}\n{before-help}{usage-heading} {usage}\n\n{all-args}{after-help}"
    )]
    Wait(Box<Wait>),
}

/// The flags of `wait`.
#[derive(Clone, Debug, Args)]
pub struct Wait {
    /// Address to look at. Redirects are not followed: a login page that answers 200 would pass.
    #[arg(long, value_name = "URL")]
    pub url: Option<String>,
    /// Host and port that must accept a connection, instead of an address.
    #[arg(long, value_name = "HOST:PORT", conflicts_with = "url")]
    pub tcp: Option<String>,
    /// Status codes that are good: codes, classes and ranges with commas.
    #[arg(long, value_name = "CODES", default_value = "2xx")]
    pub expect_status: StatusSet,
    /// Text that the body must contain.
    #[arg(long, value_name = "TEXT")]
    pub expect_body: Vec<String>,
    /// JSON pointer into the body and the value there, as `/status=ok`.
    #[arg(long, value_name = "POINTER=VALUE")]
    pub expect_json: Vec<JsonField>,
    /// Header that must be there, and after a colon a text that its value must contain.
    #[arg(long, value_name = "NAME[: TEXT]")]
    pub expect_header: Vec<Header>,
    /// Version or commit that must serve. Another one is tried again until the time is over. A leading `v` and a
    /// commit cut short to seven or more characters make no difference.
    #[arg(long, value_name = "VERSION")]
    pub expect_version: Option<String>,
    /// Fail, with exit code 2, when `--expect-version` is not given: an input that is empty, because an earlier step gave
    /// no version, would otherwise let any version pass.
    #[arg(long)]
    pub require_version: bool,
    /// Where the answer names its version: a JSON pointer, `header:NAME`, `body`, or `usual`. Usual are the header
    /// `x-version`, the JSON fields version and release, build where there is none of these, the commit in commit, sha,
    /// revision, git_sha, gitCommit or commit_sha, or a body that is nothing but a version.
    #[arg(long, value_name = "PLACE", default_value = "usual")]
    pub version_at: VersionAt,
    /// Time from the start of one try to the start of the next, at least 100ms.
    #[arg(long, value_name = "DURATION", default_value = "5s", value_parser = gha::duration::parse)]
    pub interval: Duration,
    /// Longest time for one try.
    #[arg(long, value_name = "DURATION", default_value = "5s", value_parser = gha::duration::parse)]
    pub try_timeout: Duration,
    /// Longest time for the whole command.
    #[arg(long, value_name = "DURATION", default_value = "5m", value_parser = gha::duration::parse)]
    pub timeout: Duration,
    /// How many good tries in a row are ready. 3 is wise behind a load balancer.
    #[arg(long, value_name = "COUNT", default_value_t = 1, value_parser = clap::value_parser!(u32).range(1..=1000))]
    pub success_threshold: u32,
    /// Name of the deployment environment, for the ledger and messages.
    #[arg(long, value_name = "NAME")]
    pub environment: Option<String>,
    /// Say what would be looked at, and look at nothing.
    #[arg(long)]
    pub dry_run: bool,
}
