//! The flags of `ecs-deploy`; in an action each is an input of the same name.

use std::time::Duration;

use clap::{Args, Parser, Subcommand, ValueEnum};

use gha::flags::Common;
use gha::interface::HELP_TEMPLATE;

mod gates;
mod interface;
mod strategy;
mod traffic;
mod verify;

pub use gates::Gates;
pub use interface::INTERFACE;
pub use strategy::{Strategy, StrategyName};
pub use traffic::{Promote, Recover, Shift, Traffic};
pub use verify::Verify;

/// Examples of all commands.
const EXAMPLES: &str = "Examples:
  ecs-deploy deploy --cluster production --service api --image registry.example.com/api:1.2.3
  ecs-deploy deploy --cluster production --service api --task-definition task.json --migrate 'api=bin/migrate'
  ecs-deploy plan --cluster production --service api --image registry.example.com/api:1.2.3
  ecs-deploy verify --cluster production --service api --image registry.example.com/api:1.2.3
  ecs-deploy rollback --cluster production --service api
  ecs-deploy status --cluster production --service api";

/// Deploys to Amazon ECS, says what happens, and brings the earlier version back when it must.
#[derive(Debug, Parser)]
#[command(
    name = "ecs-deploy",
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
    /// Deploys a new version to a service, and goes back to the earlier one when it fails.
    #[command(
        before_help = "Examples:
  ecs-deploy deploy --cluster production --service api --image registry.example.com/api:1.2.3
  ecs-deploy deploy --cluster production --service api --image 'api=registry.example.com/api@sha256:…' \\
    --env LOG_LEVEL=info --migrate 'api=bin/migrate'
  ecs-deploy deploy --cluster production --image registry.example.com/api:1.2.3 \\
    --steps '10% 5m, 50% 5m, 100%' --blue-service api-blue --green-service api-green \\
    --traffic-rule listener-rule/app/shop/50dc6c495c0c9188/0467ef3c8400ae65/9683b2d02a6cabee",
        help_template = HELP_TEMPLATE,
        mut_arg("service", |service| service.required(false).required_unless_present("traffic_rule").conflicts_with("traffic_rule"))
    )]
    Deploy(Box<Deploy>),
    /// Goes on with a deploy that stopped at the weight that `--until` named.
    #[command(
        before_help = "Examples:
  ecs-deploy promote --cluster production --blue-service api-blue --green-service api-green \\
    --steps '10% 5m, 50% 5m, 100%' \\
    --traffic-rule listener-rule/app/shop/50dc6c495c0c9188/0467ef3c8400ae65/9683b2d02a6cabee",
        help_template = HELP_TEMPLATE,
        mut_arg("service", |service| service.required(false).required_unless_present("traffic_rule").conflicts_with("traffic_rule"))
    )]
    Promote(Promote),
    /// Finishes or undoes what a run left that was cancelled, killed or lost; for a step with `if: cancelled() || failure()`.
    #[command(
        before_help = "Examples:
  ecs-deploy recover --cluster production --service api
  ecs-deploy recover --cluster production --blue-service api-blue --green-service api-green \\
    --traffic-rule listener-rule/app/shop/50dc6c495c0c9188/0467ef3c8400ae65/9683b2d02a6cabee",
        help_template = HELP_TEMPLATE,
        mut_arg("service", |service| service.required(false).required_unless_present("traffic_rule").conflicts_with("traffic_rule"))
    )]
    Recover(Recover),
    /// Shows what `deploy` would change, and changes nothing.
    #[command(
        before_help = "Examples:
  ecs-deploy plan --cluster production --service api --image registry.example.com/api:1.2.3",
        help_template = HELP_TEMPLATE,
        mut_arg("service", |service| service.required(false).required_unless_present("traffic_rule").conflicts_with("traffic_rule"))
    )]
    Plan(Box<Plan>),
    /// Says whether a deploy with these flags could work: what it needs is asked for, and nothing is changed.
    #[command(
        before_help = verify::EXAMPLES,
        help_template = HELP_TEMPLATE,
        mut_arg("service", |service| service.required(false).required_unless_present("traffic_rule").conflicts_with("traffic_rule"))
    )]
    Verify(Box<Verify>),
    /// Goes back to the revision before, or to the one that is named.
    #[command(
        before_help = "Examples:
  ecs-deploy rollback --cluster production --service api
  ecs-deploy rollback --cluster production --service api --to 1.2.2
  ecs-deploy rollback --cluster production --service api --to api:41",
        help_template = HELP_TEMPLATE,
        mut_arg("service", |service| service.required(false).required_unless_present("traffic_rule").conflicts_with("traffic_rule"))
    )]
    Rollback(Rollback),
    /// Shows what serves, what is being deployed, and why tasks stopped.
    #[command(
        before_help = "Examples:
  ecs-deploy status --cluster production --service api",
        help_template = HELP_TEMPLATE,
        mut_arg("service", |service| service.required(false).required_unless_present("traffic_rule").conflicts_with("traffic_rule"))
    )]
    Status(Status),
    /// Runs a one-off task beside a service, and ends as it ends.
    #[command(
        before_help = "Examples:
  ecs-deploy run-task --cluster production --service api --run 'api=bin/migrate'",
        help_template = HELP_TEMPLATE
    )]
    RunTask(Box<RunTask>),
}

/// Where a service is.
#[derive(Clone, Debug, Args)]
pub struct Place {
    /// Cluster of the service: its name or ARN.
    #[arg(
        long,
        value_name = "NAME",
        default_value = "default",
        help_heading = "Service"
    )]
    pub cluster: String,
    /// Service: its name. With `--traffic-rule` there are two, which `--blue-service` and `--green-service` name.
    #[arg(long, value_name = "NAME", required = true, help_heading = "Service")]
    pub service: Option<String>,
    /// Region of the service [default: the environment's or the profile's].
    #[arg(long, value_name = "REGION", help_heading = "AWS")]
    pub region: Option<String>,
    /// Role to take for the run: by the workflow's OIDC token where the job may have one, else by the credentials at hand.
    #[arg(long, value_name = "ARN", value_parser = aws::flags::role_arn, help_heading = "AWS")]
    pub role_arn: Option<String>,
    /// Address of the AWS services, for a stand-in of them.
    #[arg(long, value_name = "URL", value_parser = aws::flags::endpoint_url, help_heading = "AWS")]
    pub endpoint_url: Option<String>,
    /// Name of the deployment environment, for the ledger and messages.
    #[arg(long, value_name = "NAME", help_heading = "Result")]
    pub environment: Option<String>,
}

/// What the new version is.
#[derive(Clone, Debug, Args)]
pub struct Version {
    /// Task definition to start from: a file (JSON or YAML), a family, `family:revision` or an ARN [default: the
    /// service's own].
    #[arg(long, value_name = "WHAT", help_heading = "Version")]
    pub task_definition: Option<String>,
    /// Image, as `container=reference`; without `container=` for the only container.
    #[arg(long, value_name = "IMAGE", help_heading = "Version")]
    pub image: Vec<String>,
    /// Variable of a container, as `NAME=value` or `container:NAME=value`.
    #[arg(long, value_name = "VARIABLE", help_heading = "Version")]
    pub env: Vec<String>,
    /// Secret of a container, as `NAME=ARN` or `container:NAME=parameter`; the value itself has no place here.
    #[arg(long, value_name = "SECRET", help_heading = "Version")]
    pub secret: Vec<String>,
    /// CPU units of the task, or of a container as `container=units`.
    #[arg(long, value_name = "CPU", help_heading = "Version")]
    pub cpu: Vec<String>,
    /// Memory of the task in MiB, or of a container as `container=MiB`.
    #[arg(long, value_name = "MEMORY", help_heading = "Version")]
    pub memory: Vec<String>,
    /// Command of a container, as `container=words` or `container=["a", "JSON list"]`. No shell reads it.
    #[arg(long, value_name = "COMMAND", help_heading = "Version")]
    pub container_command: Vec<String>,
}

/// What is changed of the service beside its version. What is not given stays as it is.
#[derive(Clone, Debug, Default, Args)]
pub struct Settings {
    /// Number of tasks.
    #[arg(long, value_name = "COUNT", help_heading = "Service")]
    pub desired_count: Option<u32>,
    /// Replace the tasks although nothing changed.
    #[arg(long, help_heading = "Service")]
    pub force_new_deployment: bool,
    /// Capacity provider of new tasks, as `NAME=weight` or `NAME=weight,base`.
    #[arg(long, value_name = "PROVIDER", help_heading = "Service")]
    pub capacity_provider: Vec<String>,
    /// Where tags of new tasks come from.
    #[arg(long, value_name = "FROM", help_heading = "Service")]
    pub propagate_tags: Option<PropagateTags>,
    /// Have ECS tag the tasks with cluster and service.
    #[arg(long, value_name = "BOOLEAN", num_args = 0..=1, default_missing_value = "true", help_heading = "Service")]
    pub enable_ecs_managed_tags: Option<bool>,
}

/// Where tags of new tasks come from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
#[value(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum PropagateTags {
    /// The service.
    Service,
    /// The task definition.
    TaskDefinition,
    /// Nowhere.
    None,
}

/// How long things may take.
#[derive(Clone, Debug, Args)]
pub struct Times {
    /// How long the new version must stay as it is after its deployment completed.
    #[arg(long, value_name = "DURATION", default_value = "30s", value_parser = gha::duration::parse, help_heading = "Time")]
    pub stable_for: Duration,
    /// Time from one look at the service to the next.
    #[arg(long, value_name = "DURATION", default_value = "5s", value_parser = some_time, help_heading = "Time")]
    pub poll: Duration,
    /// How long tasks may find no room.
    #[arg(long, value_name = "DURATION", default_value = "5m", value_parser = gha::duration::parse, help_heading = "Time")]
    pub placement_timeout: Duration,
    /// How long AWS may be out of reach before the run gives up.
    #[arg(long, value_name = "DURATION", default_value = "5m", value_parser = gha::duration::parse, help_heading = "Time")]
    pub api_grace: Duration,
    /// Longest time for the deployment; the bake times of a strategy come on top [default: 30m, and with `--steps` their time
    /// beside it].
    #[arg(long, value_name = "DURATION", value_parser = some_time, help_heading = "Time")]
    pub timeout: Option<Duration>,
}

/// A duration that is one: without any time nothing could succeed, and looks without a pause would never end.
fn some_time(text: &str) -> Result<Duration, String> {
    match gha::duration::parse(text) {
        Ok(time) if time.is_zero() => Err("must be longer than 0s".to_owned()),
        Ok(time) => Ok(time),
        Err(error) => Err(error.to_string()),
    }
}

impl Times {
    /// The longest time that is not the steps'.
    #[must_use]
    pub fn timeout(&self) -> Duration {
        self.timeout.unwrap_or(TIMEOUT)
    }
}

/// The longest time for a deployment, where none is given.
pub const TIMEOUT: Duration = Duration::from_secs(30 * 60);

/// The flags of `deploy`.
#[derive(Clone, Debug, Args)]
pub struct Deploy {
    /// Where.
    #[command(flatten)]
    pub place: Place,
    /// What.
    #[command(flatten)]
    pub version: Version,
    /// The service's settings.
    #[command(flatten)]
    pub settings: Settings,
    /// How traffic is shifted.
    #[command(flatten)]
    pub strategy: Strategy,
    /// One-off task of the new version that must succeed before the service changes, as `container=words` or
    /// `container=["a", "JSON list"]`.
    #[arg(long, value_name = "COMMAND", help_heading = "Migration")]
    pub migrate: Option<String>,
    /// Longest time for it.
    #[arg(long, value_name = "DURATION", default_value = "15m", value_parser = some_time, help_heading = "Migration")]
    pub migrate_timeout: Duration,
    /// What judges the new version.
    #[command(flatten)]
    pub gates: Gates,
    /// The two services of a weighted deploy.
    #[command(flatten)]
    pub traffic: Traffic,
    /// Its steps.
    #[command(flatten)]
    pub shift: Shift,
    /// How long.
    #[command(flatten)]
    pub times: Times,
    /// Deploy over another deployment that is under way.
    #[arg(long, help_heading = "Service")]
    pub replace: bool,
    /// What becomes of one that can't go on.
    #[command(flatten)]
    pub ends: Ends,
}

/// What becomes of a deploy that can't go on.
#[derive(Clone, Copy, Debug, Args)]
pub struct Ends {
    /// What a failure does: `rollback` brings the earlier version back, `leave` changes nothing more.
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

/// What becomes of a deployment that can't go on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Undo {
    /// The earlier version comes back.
    Rollback,
    /// Nothing is changed any more.
    Leave,
}

/// The flags of `plan`.
#[derive(Clone, Debug, Args)]
pub struct Plan {
    /// Where.
    #[command(flatten)]
    pub place: Place,
    /// What.
    #[command(flatten)]
    pub version: Version,
    /// The service's settings.
    #[command(flatten)]
    pub settings: Settings,
    /// How traffic is shifted.
    #[command(flatten)]
    pub strategy: Strategy,
    /// The two services of a weighted deploy.
    #[command(flatten)]
    pub traffic: Traffic,
    /// Its steps.
    #[command(flatten)]
    pub shift: Shift,
}

/// The flags of `rollback`.
#[derive(Clone, Debug, Args)]
pub struct Rollback {
    /// Where.
    #[command(flatten)]
    pub place: Place,
    /// Where to: `family:revision`, a revision's number, or a version, which is the newest successfully deployed revision
    /// whose image tag or `version` tag is that [default: the revision that served before].
    #[arg(
        long,
        value_name = "VERSION",
        conflicts_with = "traffic_rule",
        help_heading = "Version"
    )]
    pub to: Option<String>,
    /// The two services of a weighted deploy.
    #[command(flatten)]
    pub traffic: Traffic,
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
    /// The two services of a weighted deploy.
    #[command(flatten)]
    pub traffic: Traffic,
}

/// The flags of `run-task`.
#[derive(Clone, Debug, Args)]
pub struct RunTask {
    /// Where.
    #[command(flatten)]
    pub place: Place,
    /// What.
    #[command(flatten)]
    pub version: Version,
    /// Command of a container in place of its own, as `container=words` or `container=["a", "JSON list"]`. No shell reads
    /// it.
    #[arg(long, value_name = "COMMAND", help_heading = "Task")]
    pub run: Option<String>,
    /// Time from one look at the task to the next.
    #[arg(long, value_name = "DURATION", default_value = "5s", value_parser = some_time, help_heading = "Time")]
    pub poll: Duration,
    /// How long AWS may be out of reach before the run gives up.
    #[arg(long, value_name = "DURATION", default_value = "5m", value_parser = gha::duration::parse, help_heading = "Time")]
    pub api_grace: Duration,
    /// Longest time for the task.
    #[arg(long, value_name = "DURATION", default_value = "15m", value_parser = some_time, help_heading = "Time")]
    pub timeout: Duration,
}
