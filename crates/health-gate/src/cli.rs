//! The flags of `health-gate`; in an action each is an input of the same name.

use std::path::PathBuf;
use std::time::Duration;

use clap::{Args, Parser, Subcommand};

use gha::flags::Common;
use gha::interface::{HELP_TEMPLATE, Interface, OutputSpec};

pub mod target;

use target::Target;

/// What the tool offers beside its flags.
pub const INTERFACE: Interface = Interface {
    name: "health-gate",
    version: gha::version!(),
    default_command: Some("wait"),
    outputs: &[
        OutputSpec {
            name: "verdict",
            description: "`pass`, `fail`, `inconclusive` when too little is known or the run was cancelled, or `error` when it could not be measured. A dry run writes no output.",
        },
        OutputSpec {
            name: "reason",
            description: "One line: what failed with its value and limit, what was seen last, or what held.",
        },
        OutputSpec {
            name: "failed-rules",
            description: "Names of the rules and comparisons that failed, as a JSON list.",
        },
        OutputSpec {
            name: "report",
            description: "Path of the report as JSON.",
        },
        OutputSpec {
            name: "error-rate",
            description: "Share of bad samples, from 0 to 1; of `watch` and `run`.",
        },
        OutputSpec {
            name: "p95-ms",
            description: "95th percentile of the latency of good answers in milliseconds; of `watch` and `run`.",
        },
        OutputSpec {
            name: "samples",
            description: "How many samples were taken; of `watch` and `run`.",
        },
        OutputSpec {
            name: "attempts",
            description: "How many tries were made while waiting.",
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
        ("tls", "example.com:443"),
        ("dns", "example.com"),
        ("grpc", "api.internal:50051"),
        ("postgres", "db.internal:5432"),
        ("redis", "cache.internal:6379"),
        ("compose", "shop"),
        ("exec", "./check.sh"),
        ("exec-arg", "--quick"),
        ("expect-status", "2xx"),
        ("expect-body", "ready"),
        ("expect-json", ".status == \"ok\""),
        ("expect-header", "content-type: application/json"),
        ("expect-version", "1.2.3"),
        ("version-at", "/version"),
        ("max-latency", "2s"),
        ("min-days", "14"),
        ("method", "HEAD"),
        ("header", "x-probe: gate"),
        ("header-env", "authorization=API_AUTHORIZATION"),
        ("follow", "2"),
        ("ip", "4"),
        ("resolve", "example.com:443:10.0.0.1"),
        ("send", "PING\\r\\n"),
        ("grpc-service", "shop.Orders"),
        ("password-env", "REDIS_PASSWORD"),
        ("record", "AAAA"),
        ("resolver", "1.1.1.1"),
        ("expect-record", "10.0.0.1"),
        ("service", "api"),
        ("give-up-on", "401,403"),
        ("interval", "5s"),
        ("try-timeout", "5s"),
        ("timeout", "5m"),
        ("success-threshold", "3"),
        ("duration", "15m"),
        ("warmup", "30s"),
        ("rate", "2/s"),
        ("require", "error_rate < 1%"),
        ("abort", "count(5xx) >= 10"),
        ("preset", "steady"),
        ("min-samples", "30"),
        ("file", "gate.yml"),
        ("var", "sha=0123abc"),
        ("report", "report.json"),
        ("junit", "junit.xml"),
        ("on-inconclusive", "fail"),
        ("environment", "production"),
        ("output", "json"),
        ("log-format", "json"),
    ],
    environment: gha::interface::NETWORK,
    whole: &[],
    exports: &[],
};

/// Examples of all commands.
const EXAMPLES: &str = "Examples:
  health-gate wait --url https://example.com/health
  health-gate wait --url https://example.com/health --expect-version 1.2.3 --success-threshold 3
  health-gate wait --postgres db.internal:5432 --timeout 1m
  health-gate watch --url https://example.com/health --duration 10m --preset steady
  health-gate run -f gate.yml
  health-gate validate -f gate.yml --ask";

/// Tells whether what was deployed is ready and stays well, and why when not.
#[derive(Debug, Parser)]
#[command(
    name = "health-gate",
    disable_help_subcommand = true,
    before_help = EXAMPLES,
    help_template = HELP_TEMPLATE
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
  health-gate wait --url http://localhost:8080/ready --expect-json '.status == \"ok\"' --timeout 2m
  health-gate wait --postgres db.internal:5432 --timeout 1m",
        help_template = HELP_TEMPLATE
    )]
    Wait(Box<Wait>),
    /// Watches the target for a time under rules, and fails as soon as one is broken.
    #[command(
        before_help = "Examples:
  health-gate watch --url https://example.com/health --duration 10m --preset steady
  health-gate watch --url https://example.com/health --duration 15m --rate 2/s \\
    --require 'error_rate < 1%' --require 'p95 < 300ms' --abort 'count(5xx) >= 10'",
        help_template = HELP_TEMPLATE
    )]
    Watch(Box<Watch>),
    /// Waits and watches as a gate file says: several targets, metric sources, a canary against its baseline.
    #[command(
        before_help = "Examples:
  health-gate run -f gate.yml
  health-gate run -f gate.yml --var sha=0123abc --junit junit.xml",
        help_template = HELP_TEMPLATE
    )]
    Run(Run),
    /// Looks once at the target, or at every target of a gate file.
    #[command(
        before_help = "Examples:
  health-gate check --tls example.com:443 --min-days 14
  health-gate check -f gate.yml",
        help_template = HELP_TEMPLATE
    )]
    Check(Box<Check>),
    /// Reads a gate file and says what is wrong with it, or what it would do.
    #[command(
        before_help = "Examples:
  health-gate validate -f gate.yml
  health-gate validate -f gate.yml --ask",
        help_template = HELP_TEMPLATE
    )]
    Validate(Validate),
    /// Prints the JSON Schema of gate files, for editors.
    #[command(
        before_help = "Examples:
  health-gate schema > gate.schema.json",
        help_template = HELP_TEMPLATE
    )]
    Schema,
}

/// The flags of `wait`.
#[derive(Clone, Debug, Args)]
pub struct Wait {
    /// The target.
    #[command(flatten)]
    pub target: Target,
    /// Status codes after which waiting is of no use, as `401,403` [default: none].
    #[arg(long, value_name = "CODES", help_heading = "Time")]
    pub give_up_on: Option<gate::status_set::StatusSet>,
    /// Time from the start of one try to the start of the next, at least 100ms.
    #[arg(long, value_name = "DURATION", default_value = "5s", value_parser = gha::duration::parse, help_heading = "Time")]
    pub interval: Duration,
    /// Longest time for one try.
    #[arg(long, value_name = "DURATION", default_value = "5s", value_parser = gha::duration::parse, help_heading = "Time")]
    pub try_timeout: Duration,
    /// Longest time for the whole command.
    #[arg(long, value_name = "DURATION", default_value = "5m", value_parser = gha::duration::parse, help_heading = "Time")]
    pub timeout: Duration,
    /// How many good tries in a row are ready. 3 is wise behind a load balancer.
    #[arg(long, value_name = "COUNT", default_value_t = 1, value_parser = clap::value_parser!(u32).range(1..=1000), help_heading = "Time")]
    pub success_threshold: u32,
    /// What becomes of the result.
    #[command(flatten)]
    pub result: Results,
}

/// The flags of `watch`.
#[derive(Clone, Debug, Args)]
pub struct Watch {
    /// The target.
    #[command(flatten)]
    pub target: Target,
    /// Condition that must hold at the end, over the whole time: `error_rate < 1%`, `p95 < 300ms`, `count(bad) == 0`.
    #[arg(long, value_name = "CONDITION", help_heading = "Rules")]
    pub require: Vec<String>,
    /// Condition that ends it as failed at once, over the last minute: `error_rate > 2%`, `p95 > 500ms`,
    /// `count(5xx) >= 10`, `failing for 2m`.
    #[arg(long, value_name = "CONDITION", help_heading = "Rules")]
    pub abort: Vec<String>,
    /// Ready-made rules: `steady`, `severity` or `slo-default`; `canary` needs a gate file, which counts the crashes
    /// [default: steady where there is no other rule].
    #[arg(long, value_name = "NAME", help_heading = "Rules")]
    pub preset: Vec<String>,
    /// Fewest samples by which a percentile, or a share that is required, is judged [default: as many as 95 % certainty
    /// takes].
    #[arg(long, value_name = "COUNT", value_parser = clap::value_parser!(u32).range(1..), help_heading = "Rules")]
    pub min_samples: Option<u32>,
    /// How long to watch.
    #[arg(long, value_name = "DURATION", default_value = "5m", value_parser = gha::duration::parse, help_heading = "Time")]
    pub duration: Duration,
    /// Time at the beginning whose samples are kept and not judged.
    #[arg(long, value_name = "DURATION", default_value = "0s", value_parser = gha::duration::parse, help_heading = "Time")]
    pub warmup: Duration,
    /// How often to look: `2/s`, `30/m`.
    #[arg(long, value_name = "RATE", default_value = "1/s", help_heading = "Time")]
    pub rate: String,
    /// Time from one judgement of the rules to the next [default: 5s, or the duration where that is shorter].
    #[arg(long, value_name = "DURATION", value_parser = gha::duration::parse, help_heading = "Time")]
    pub interval: Option<Duration>,
    /// Longest time for one look.
    #[arg(long, value_name = "DURATION", default_value = "5s", value_parser = gha::duration::parse, help_heading = "Time")]
    pub try_timeout: Duration,
    /// Longest time for the whole command [default: the duration and 30 minutes].
    #[arg(long, value_name = "DURATION", value_parser = gha::duration::parse, help_heading = "Time")]
    pub timeout: Option<Duration>,
    /// What becomes of the result.
    #[command(flatten)]
    pub result: Results,
}

/// The flags of `run`.
#[derive(Clone, Debug, Args)]
pub struct Run {
    /// The gate file.
    #[command(flatten)]
    pub file: File,
    /// Longest time for the whole command [default: the file's, else its waits and watches and 30 minutes].
    #[arg(long, value_name = "DURATION", value_parser = gha::duration::parse, help_heading = "Time")]
    pub timeout: Option<Duration>,
    /// What becomes of the result.
    #[command(flatten)]
    pub result: Results,
}

/// The flags of `check`.
#[derive(Clone, Debug, Args)]
pub struct Check {
    /// The target.
    #[command(flatten)]
    pub target: Target,
    /// Gate file whose targets are looked at, instead of one target.
    #[arg(long, short, value_name = "FILE", group = "target", help_heading = "Target")]
    pub file: Option<PathBuf>,
    /// Variable of the gate file, over what the file says.
    #[arg(long, value_name = "NAME=VALUE", help_heading = "Target")]
    pub var: Vec<String>,
    /// Longest time for the look [default: the file's, else 5s].
    #[arg(long, value_name = "DURATION", value_parser = gha::duration::parse, help_heading = "Time")]
    pub try_timeout: Option<Duration>,
    /// What becomes of the result.
    #[command(flatten)]
    pub result: Results,
}

/// The flags of `validate`.
#[derive(Clone, Debug, Args)]
pub struct Validate {
    /// The gate file.
    #[command(flatten)]
    pub file: File,
    /// Ask every source once, and show what it answers.
    #[arg(long)]
    pub ask: bool,
}

/// A gate file.
#[derive(Clone, Debug, Args)]
pub struct File {
    /// The gate file; `-` reads standard input.
    #[arg(long, short, value_name = "FILE")]
    pub file: Option<PathBuf>,
    /// Variable of the gate file, over what the file says.
    #[arg(long, value_name = "NAME=VALUE")]
    pub var: Vec<String>,
}

/// What becomes of the result.
#[derive(Clone, Debug, Default, Args)]
pub struct Results {
    /// File for the report as JSON [default: in a runner one in its temporary folder, else none].
    #[arg(long, value_name = "FILE", help_heading = "Result")]
    pub report: Option<PathBuf>,
    /// File for the result as JUnit XML.
    #[arg(long, value_name = "FILE", help_heading = "Result")]
    pub junit: Option<PathBuf>,
    /// What an inconclusive verdict does: `report` ends with 4, `fail` with 3 [default: the file's, else report].
    #[arg(long, value_name = "WHAT", help_heading = "Result")]
    pub on_inconclusive: Option<OnInconclusive>,
    /// Name of the deployment environment, for the ledger and messages.
    #[arg(long, value_name = "NAME", help_heading = "Result")]
    pub environment: Option<String>,
    /// Say what would be looked at, and look at nothing.
    #[arg(long, help_heading = "Result")]
    pub dry_run: bool,
}

/// What an inconclusive verdict does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub enum OnInconclusive {
    /// It has its own exit code.
    Report,
    /// It is a failure.
    Fail,
}
