//! The flags of `k8s-blue-green`; in an action each is an input of the same name.

use std::path::PathBuf;
use std::time::Duration;

use clap::{Args, Parser, Subcommand, ValueEnum};

use gha::flags::Common;
use gha::interface::HELP_TEMPLATE;
use gha::steps::Weight;

mod canary;
mod given;
mod interface;
mod switch;

pub use canary::{Canary, Until};
pub use given::Given;
pub use interface::{INTERFACE, KUBECONFIG};
pub use switch::{Retire, Switch, SwitchBy};

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

/// The cluster.
#[derive(Clone, Debug, Default, Args)]
pub struct Place {
    /// Namespace [default: the context's, else `default`].
    #[arg(long, value_name = "NAME", help_heading = "Cluster")]
    pub namespace: Option<String>,
    /// Context of the kubeconfig [default: its current one].
    #[arg(long, value_name = "NAME", help_heading = "Cluster")]
    pub context: Option<String>,
    /// File with a kubeconfig; `-` is standard input [default: `KUBECONFIG`, else `~/.kube/config`, else the pod's own account].
    #[arg(long, value_name = "FILE", help_heading = "Cluster")]
    pub kubeconfig_file: Option<PathBuf>,
    /// EKS cluster, reached by the AWS credentials at hand, without a kubeconfig.
    #[arg(long, value_name = "NAME", conflicts_with_all = ["context", "kubeconfig_file"], help_heading = "Cluster")]
    pub eks_cluster: Option<String>,
    /// Region of the EKS cluster [default: the environment's or the profile's].
    #[arg(
        long,
        value_name = "REGION",
        requires = "eks_cluster",
        help_heading = "Cluster"
    )]
    pub region: Option<String>,
    /// Role to take for the EKS cluster: by the workflow's OIDC token where the job may have one, else by the credentials at hand.
    #[arg(
        long,
        value_name = "ARN",
        value_parser = aws::flags::role_arn,
        requires = "eks_cluster",
        help_heading = "Cluster"
    )]
    pub role_arn: Option<String>,
    /// Name of the deployment environment, for the ledger and messages.
    #[arg(long, value_name = "NAME", help_heading = "Result")]
    pub environment: Option<String>,
}

/// What is deployed to.
#[derive(Clone, Debug, Default, Args)]
pub struct Target {
    /// Service whose traffic moves. Several are switched in the order given, all or none.
    #[arg(long, value_name = "NAME", help_heading = "Target")]
    pub service: Vec<String>,
    /// Workload of a rolling deploy, as `deployment/web`, `statefulset/db` or `daemonset/agent` [default: what the Service leads to].
    #[arg(long, value_name = "KIND/NAME", help_heading = "Target")]
    pub workload: Vec<String>,
}

/// What the new version is.
#[derive(Clone, Debug, Default, Args)]
pub struct Version {
    /// Image, as `container=reference`; without `container=` for the only container, or for all of the same repository.
    #[arg(long, value_name = "IMAGE", help_heading = "Version")]
    pub image: Vec<String>,
    /// Manifests: a file, a folder, a glob, `-` for standard input, `kustomize:FOLDER` (by `kubectl kustomize`), or
    /// `helm:RELEASE CHART ARGUMENTS…` (by `helm template`).
    #[arg(long, value_name = "WHAT", help_heading = "Version")]
    pub manifests: Vec<String>,
    /// Number of pods of the new version [default: as many as the old one has].
    #[arg(long, value_name = "COUNT", value_parser = some_pods, help_heading = "Version")]
    pub replicas: Option<u32>,
}

/// What is done before the new version comes up.
#[derive(Clone, Debug, Default, Args)]
pub struct Migration {
    /// Job that must succeed first: `container=words` or `container=["a", "JSON list"]` for the new version's own container with
    /// another command, or `job/NAME` for a Job of the manifests.
    #[arg(long, value_name = "COMMAND", help_heading = "Migration")]
    pub migrate: Option<String>,
    /// Longest time for it.
    #[arg(long, value_name = "DURATION", default_value = "15m", value_parser = some_time, help_heading = "Migration")]
    pub migrate_timeout: Duration,
    /// Run a migration again that failed.
    #[arg(long, help_heading = "Migration")]
    pub retry_migration: bool,
}

/// What judges the new version.
#[derive(Clone, Debug, Default, Args)]
pub struct Gates {
    /// Gate that must say yes, else the old version comes back: a gate file of `health-gate`, or `PRESET URL [DURATION]`. What it
    /// waits for is asked before there is traffic; what it watches is watched while traffic moves.
    #[arg(long, value_name = "GATE", help_heading = "Gate")]
    pub gate: Vec<String>,
    /// Variable of the gate files, over what they say. `version`, `image`, `service`, `namespace`, `color` and `preview_url` are
    /// there without it.
    #[arg(long, value_name = "NAME=VALUE", help_heading = "Gate")]
    pub gate_var: Vec<String>,
    /// Command that must succeed before there is traffic; the new version is at `PREVIEW_URL`. No shell reads it.
    #[arg(long, value_name = "COMMAND", help_heading = "Gate")]
    pub smoke: Option<String>,
    /// Longest time for it.
    #[arg(long, value_name = "DURATION", default_value = "5m", value_parser = some_time, help_heading = "Gate")]
    pub smoke_timeout: Duration,
    /// Port of the Service that the preview leads to, by name or number [default: the first].
    #[arg(long, value_name = "PORT", help_heading = "Gate")]
    pub preview_port: Option<String>,
}

/// How long things may take.
#[derive(Clone, Debug, Args)]
pub struct Times {
    /// Longest time until all pods of the new version are ready; gates, steps, soak and drain come on top.
    #[arg(long, value_name = "DURATION", default_value = "10m", value_parser = some_time, help_heading = "Time")]
    pub timeout: Duration,
    /// How long pods may find no node: an autoscaler may be adding one.
    #[arg(long, value_name = "DURATION", default_value = "5m", value_parser = gha::duration::parse, help_heading = "Time")]
    pub unschedulable_grace: Duration,
    /// How long the API server may be out of reach before the run gives up.
    #[arg(long, value_name = "DURATION", default_value = "5m", value_parser = gha::duration::parse, help_heading = "Time")]
    pub api_grace: Duration,
    /// How long to wait for another deploy to end.
    #[arg(long, value_name = "DURATION", default_value = "0s", value_parser = gha::duration::parse, help_heading = "Time")]
    pub lock_timeout: Duration,
}

/// What becomes of a deploy that can't go on.
#[derive(Clone, Copy, Debug, Args)]
pub struct Ends {
    /// What a failure does: `rollback` brings the old version back, `leave` changes nothing more.
    #[arg(
        long,
        value_name = "WHAT",
        default_value = "rollback",
        hide_possible_values = true,
        help_heading = "Failure"
    )]
    pub on_failure: Undo,
    /// What a cancel does: `rollback` or `leave`.
    #[arg(
        long,
        value_name = "WHAT",
        default_value = "rollback",
        hide_possible_values = true,
        help_heading = "Failure"
    )]
    pub on_cancel: Undo,
}

/// What becomes of a deploy that can't go on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Undo {
    /// The old version comes back.
    Rollback,
    /// Nothing is changed any more.
    Leave,
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

/// A duration that is one: without any time nothing could succeed.
fn some_time(text: &str) -> Result<Duration, String> {
    match gha::duration::parse(text) {
        Ok(time) if time.is_zero() => Err("must be longer than 0s".to_owned()),
        Ok(time) => Ok(time),
        Err(error) => Err(error.to_string()),
    }
}

/// A number of pods that something can serve with.
fn some_pods(text: &str) -> Result<u32, String> {
    match text.parse() {
        Ok(0) => Err("must be at least 1: without pods nothing serves".to_owned()),
        Ok(count) => Ok(count),
        Err(_) => Err(format!("`{}` is no number of pods", gha::text::line(text))),
    }
}
