//! The flags of `notify`; in an action each is an input of the same name.

use clap::{Args, Parser, Subcommand};

use gha::flags::Common;
use gha::interface::HELP_TEMPLATE;

mod event;
mod interface;
mod receivers;
mod sending;

pub(crate) use event::said;
pub use event::{Event, JobStatus, Went};
pub use interface::{
    DISCORD, GITHUB, INTERFACE, PAGERDUTY, RECEIVERS, SLACK, SLACK_INFO, SLACK_TOKEN, SMTP, TEAMS, WEBHOOK,
    WEBHOOK_SECRET,
};
pub use receivers::{OnGitHub, Receivers};
pub use sending::{Required, Sending, Times};

use crate::render::To;

/// Tells people how the deploy went: what, where and in how long, or what failed and why.
#[derive(Debug, Parser)]
#[command(
    name = "notify",
    disable_help_subcommand = true,
    before_help = "Examples:
  SLACK_WEBHOOK_URL=… notify --status success --service shop-api --environment production
  SLACK_TOKEN=… notify start --slack-channel C0123456789 --environment production
  SLACK_WEBHOOK_URL=… PAGERDUTY_ROUTING_KEY=… notify --status failure --routes severity
  DEPLOY_LEDGER=ledger.jsonl notify --webhook-url-file - --output json < webhook-url
  notify render --to teams --status failure",
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
    /// Tells how it went; what runs when no command is named.
    #[command(
        before_help = "Examples:
  SLACK_WEBHOOK_URL=… notify send --status success --service shop-api --environment production
  notify send --status failure --slack-webhook-file /run/secrets/slack --require
  notify send --status cancelled --dry-run",
        help_template = HELP_TEMPLATE
    )]
    Send(Box<Send>),
    /// Tells that a deploy has begun.
    #[command(
        before_help = "Examples:
  SLACK_TOKEN=… notify start --slack-channel C0123456789 --service shop-api --environment production",
        help_template = HELP_TEMPLATE
    )]
    Start(Box<Start>),
    /// Tells how it went, where `start` told that it began: messages that can be are brought up to date.
    #[command(
        before_help = "Examples:
  SLACK_TOKEN=… notify finish --slack-channel C0123456789 --status success",
        help_template = HELP_TEMPLATE
    )]
    Finish(Box<Finish>),
    /// Tells that a command begins, runs it, and tells how it went; ends as the command did.
    #[command(
        before_help = "Examples:
  SLACK_TOKEN=… notify wrap --slack-channel C0123456789 --title 'Nightly export' -- bin/export --all",
        help_template = HELP_TEMPLATE
    )]
    Wrap(Box<Wrap>),
    /// Asks each service whether the credentials work, as far as it can be asked; sends nothing.
    #[command(
        before_help = "Examples:
  SLACK_TOKEN=… SMTP_URL=… notify check --slack-channel C0123456789 --email-to ops@example.com --email-from ci@example.com
  notify check --routes routes.yml",
        help_template = HELP_TEMPLATE
    )]
    Check(Box<Check>),
    /// Shows exactly what a service would be sent; needs no secret, and sends nothing.
    #[command(
        before_help = "Examples:
  notify render --to slack --status success --service shop-api
  notify render --to teams --status failure --results results/",
        help_template = HELP_TEMPLATE
    )]
    Render(Box<Render>),
}

/// Flags of `send`.
#[derive(Debug, Args)]
pub struct Send {
    /// What is told.
    #[command(flatten)]
    pub event: Event,
    /// How it went.
    #[command(flatten)]
    pub went: Went,
    /// Who is told.
    #[command(flatten)]
    pub receivers: Receivers,
    /// How.
    #[command(flatten)]
    pub sending: Sending,
}

/// Flags of `start`.
#[derive(Debug, Args)]
pub struct Start {
    /// What is told.
    #[command(flatten)]
    pub event: Event,
    /// Who is told.
    #[command(flatten)]
    pub receivers: Receivers,
    /// How.
    #[command(flatten)]
    pub sending: Sending,
}

/// Flags of `finish`.
#[derive(Debug, Args)]
pub struct Finish {
    /// What is told.
    #[command(flatten)]
    pub event: Event,
    /// How it went.
    #[command(flatten)]
    pub went: Went,
    /// Output `state` of `start`, where that ran in another job; without it that of the ledger.
    #[arg(long, value_name = "JSON")]
    pub state: Option<String>,
    /// Who is told.
    #[command(flatten)]
    pub receivers: Receivers,
    /// How.
    #[command(flatten)]
    pub sending: Sending,
}

/// Flags of `wrap`.
#[derive(Debug, Args)]
pub struct Wrap {
    /// What is told.
    #[command(flatten)]
    pub event: Event,
    /// Who is told.
    #[command(flatten)]
    pub receivers: Receivers,
    /// How.
    #[command(flatten)]
    pub sending: Sending,
    /// Command to run, with its arguments, after `--`; it is run as it is, without a shell.
    #[arg(last = true, value_name = "COMMAND")]
    pub command: Vec<String>,
}

/// Flags of `check`.
#[derive(Debug, Args)]
pub struct Check {
    /// What would be told.
    #[command(flatten)]
    pub event: Event,
    /// Who would be told.
    #[command(flatten)]
    pub receivers: Receivers,
    /// The times.
    #[command(flatten)]
    pub times: Times,
}

/// Flags of `render`.
#[derive(Debug, Args)]
pub struct Render {
    /// Service whose message is shown: `slack`, `slack-token`, `teams`, `discord`, `pagerduty`, `email`, `webhook`, `summary`,
    /// `github-status`, `github-comment`, `github-deployment` or `github-release-notes`.
    #[arg(
        long,
        value_enum,
        value_name = "SERVICE",
        default_value = "summary",
        hide_possible_values = true
    )]
    pub to: To,
    /// What is told.
    #[command(flatten)]
    pub event: Event,
    /// How it went.
    #[command(flatten)]
    pub went: Went,
    /// What the Teams workflow expects: `message`, as the template for webhooks does, or the `card` alone.
    #[arg(
        long,
        value_enum,
        value_name = "FORM",
        default_value = "message",
        hide_possible_values = true
    )]
    pub teams_envelope: crate::channel::teams::Envelope,
}
