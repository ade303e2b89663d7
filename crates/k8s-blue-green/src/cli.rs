//! The flags of `k8s-blue-green`; in an action each is an input of the same name.

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum};

use gha::flags::Common;
use gha::interface::HELP_TEMPLATE;
use gha::steps::Weight;

mod canary;
mod given;
mod interface;
mod place;
mod switch;
mod times;
mod version;

pub use canary::{Canary, Until};
pub use given::Given;
pub use interface::{INTERFACE, KUBECONFIG};
pub use place::{Place, Target};
pub use switch::{Retire, Switch, SwitchBy};
pub use times::{Ends, Times, Undo};
pub use version::{Gates, Migration, Version};

/// Examples of all commands.
const EXAMPLES: &str = "Examples:
  k8s-blue-green deploy --service web --image registry.example.com/web:1.2.3 --gate gate.yml
  k8s-blue-green deploy --strategy rolling --manifests k8s/ --image registry.example.com/web:1.2.3
  k8s-blue-green rollback --service web
  k8s-blue-green diagnose --service web --bundle support.tar.gz";

/// Switches a Kubernetes Service to a new version, watches it, and goes back when it must; nothing is installed in the cluster.
#[derive(Debug, Parser)]
#[command(
    name = "k8s-blue-green",
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
    /// Brings a new version up beside the old one, judges it, moves the traffic, and goes back when it fails.
    #[command(
        before_help = "Examples:
  k8s-blue-green deploy --service web --image registry.example.com/web:1.2.3 --gate gate.yml
  k8s-blue-green deploy --service web --manifests k8s/ --migrate 'web=bin/migrate'
  k8s-blue-green deploy --service web --image registry.example.com/web:1.2.3 --strategy canary --route httproute/web
  k8s-blue-green deploy --strategy rolling --workload deployment/web --image registry.example.com/web:1.2.3",
        help_template = HELP_TEMPLATE
    )]
    Deploy(Box<Deploy>),
    /// Shows what a deploy would do, asks the server about every object without storing one, and checks the permissions.
    #[command(
        before_help = "Examples:
  k8s-blue-green plan --service web --image registry.example.com/web:1.2.3
  k8s-blue-green plan --service web --manifests k8s/ --migrate 'web=bin/migrate'",
        help_template = HELP_TEMPLATE
    )]
    Plan(Box<Deploy>),
    /// Goes on with a deploy that stopped where `--until` said.
    #[command(
        before_help = "Examples:
  k8s-blue-green promote --service web --gate gate.yml",
        help_template = HELP_TEMPLATE
    )]
    Promote(Box<Promote>),
    /// Moves the traffic back to the version before.
    #[command(
        before_help = "Examples:
  k8s-blue-green rollback --service web
  k8s-blue-green rollback --workload deployment/web",
        help_template = HELP_TEMPLATE
    )]
    Rollback(Rollback),
    /// Finishes or undoes what a run left that was cancelled, killed or lost; for a step with `if: cancelled() || failure()`.
    #[command(
        before_help = "Examples:
  k8s-blue-green recover --service web",
        help_template = HELP_TEMPLATE
    )]
    Recover(Recover),
    /// Shows what serves, what is under way, and how the way back is.
    #[command(
        before_help = "Examples:
  k8s-blue-green status --service web",
        help_template = HELP_TEMPLATE
    )]
    Status(Status),
    /// Shows why pods do not become ready: their states, events and last lines.
    #[command(
        before_help = "Examples:
  k8s-blue-green diagnose --service web
  k8s-blue-green diagnose --workload deployment/web --bundle support.tar.gz",
        help_template = HELP_TEMPLATE
    )]
    Diagnose(Diagnose),
    /// Retires old versions whose time is over.
    #[command(
        before_help = "Examples:
  k8s-blue-green gc --service web
  k8s-blue-green gc --namespace shop",
        help_template = HELP_TEMPLATE
    )]
    Gc(Gc),
}

impl Command {
    /// Where it is to be done.
    #[must_use]
    pub fn place(&self) -> &Place {
        match self {
            Self::Deploy(flags) | Self::Plan(flags) => &flags.place,
            Self::Promote(flags) => &flags.place,
            Self::Rollback(flags) => &flags.place,
            Self::Recover(flags) => &flags.place,
            Self::Status(flags) => &flags.place,
            Self::Diagnose(flags) => &flags.place,
            Self::Gc(flags) => &flags.place,
        }
    }
}

/// How a new version takes over.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub enum Strategy {
    /// A second colour, and one switch.
    #[default]
    BlueGreen,
    /// The same, with a part of the traffic first, step by step.
    Canary,
    /// Pod by pod, in the workload itself.
    Rolling,
}

/// The flags of `deploy`.
#[derive(Clone, Debug, Args)]
pub struct Deploy {
    /// Which of them were given.
    #[command(flatten)]
    pub given: Given,
    /// Where.
    #[command(flatten)]
    pub place: Place,
    /// To what.
    #[command(flatten)]
    pub target: Target,
    /// How the new version takes over: `blue-green`, `canary` or `rolling`.
    #[arg(
        long,
        value_name = "STRATEGY",
        default_value = "blue-green",
        hide_possible_values = true,
        help_heading = "Target"
    )]
    pub strategy: Strategy,
    /// What.
    #[command(flatten)]
    pub version: Version,
    /// What is done first.
    #[command(flatten)]
    pub migration: Migration,
    /// What judges it.
    #[command(flatten)]
    pub gates: Gates,
    /// How a Service is switched.
    #[command(flatten)]
    pub switch: Switch,
    /// How a canary gets its traffic.
    #[command(flatten)]
    pub canary: Canary,
    /// Where the run ends and leaves all as it is, to be promoted by another: `preview`, before any traffic, or the weight of a
    /// canary's step.
    #[arg(long, value_name = "WHERE", help_heading = "Target")]
    pub until: Option<Until>,
    /// How long.
    #[command(flatten)]
    pub times: Times,
    /// What becomes of one that can't go on.
    #[command(flatten)]
    pub ends: Ends,
}

/// The flags of `promote`.
#[derive(Clone, Debug, Args)]
pub struct Promote {
    /// Which of them were given.
    #[command(flatten)]
    pub given: Given,
    /// Where.
    #[command(flatten)]
    pub place: Place,
    /// To what.
    #[command(flatten)]
    pub target: Target,
    /// What judges it.
    #[command(flatten)]
    pub gates: Gates,
    /// How a Service is switched.
    #[command(flatten)]
    pub switch: Switch,
    /// Where the run ends again: the weight of a canary's step.
    #[arg(long, value_name = "WEIGHT", help_heading = "Target")]
    pub until: Option<Weight>,
    /// How long.
    #[command(flatten)]
    pub times: Times,
    /// What becomes of one that can't go on.
    #[command(flatten)]
    pub ends: Ends,
}

/// The flags of `rollback`.
#[derive(Clone, Debug, Args)]
pub struct Rollback {
    /// Which of them were given.
    #[command(flatten)]
    pub given: Given,
    /// Where.
    #[command(flatten)]
    pub place: Place,
    /// Of what.
    #[command(flatten)]
    pub target: Target,
    /// Job that must succeed before the traffic moves back: `container=words`, run in the image of the version that is left.
    #[arg(long, value_name = "COMMAND", help_heading = "Migration")]
    pub migrate_down: Option<String>,
    /// How long.
    #[command(flatten)]
    pub times: Times,
}

/// The flags of `recover`.
#[derive(Clone, Debug, Args)]
pub struct Recover {
    /// Which of them were given.
    #[command(flatten)]
    pub given: Given,
    /// Where.
    #[command(flatten)]
    pub place: Place,
    /// Of what.
    #[command(flatten)]
    pub target: Target,
    /// How long.
    #[command(flatten)]
    pub times: Times,
}

/// The flags of `status`.
#[derive(Clone, Debug, Args)]
pub struct Status {
    /// Where.
    #[command(flatten)]
    pub place: Place,
    /// Of what.
    #[command(flatten)]
    pub target: Target,
}

/// The flags of `diagnose`.
#[derive(Clone, Debug, Args)]
pub struct Diagnose {
    /// Where.
    #[command(flatten)]
    pub place: Place,
    /// Of what.
    #[command(flatten)]
    pub target: Target,
    /// File for an archive of everything that was looked at, as `.tar.gz`; Secrets and variables are not in it.
    #[arg(long, value_name = "FILE", help_heading = "Result")]
    pub bundle: Option<PathBuf>,
}

/// The flags of `gc`.
#[derive(Clone, Debug, Args)]
pub struct Gc {
    /// Where.
    #[command(flatten)]
    pub place: Place,
    /// Service whose old versions are retired [default: all of the namespace that this program deployed].
    #[arg(long, value_name = "NAME", help_heading = "Target")]
    pub service: Vec<String>,
    /// Only say what would go.
    #[arg(long, help_heading = "Result")]
    pub dry_run: bool,
}
