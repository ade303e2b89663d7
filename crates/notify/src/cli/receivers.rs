//! Who is told: the flags of receivers. Their secrets have none.

use std::path::PathBuf;

use clap::{Args, ValueEnum};
use gha::text;
use lettre::message::Mailbox;

use crate::channel::slack::Mention;
use crate::channel::teams::Envelope;
use crate::routes::Source;

/// Who is told.
#[derive(Clone, Debug, Args)]
pub struct Receivers {
    /// File with the Slack incoming webhook; `-` is standard input.
    #[arg(long, value_name = "FILE")]
    pub slack_webhook_file: Option<PathBuf>,
    /// File with the bot token of a Slack app; `-` is standard input.
    #[arg(long, value_name = "FILE")]
    pub slack_token_file: Option<PathBuf>,
    /// Channel that `slack-token` posts in, by its id or as `#name`.
    #[arg(long, value_name = "CHANNEL")]
    pub slack_channel: Option<String>,
    /// File with the Slack incoming webhook of a channel for information; `-` is standard input.
    #[arg(long, value_name = "FILE")]
    pub slack_info_webhook_file: Option<PathBuf>,
    /// Channel for information that `slack-token` posts in, where routes tell it apart.
    #[arg(long, value_name = "CHANNEL")]
    pub slack_info_channel: Option<String>,
    /// Who is mentioned in Slack when it failed: the id of a member (`U…`) or of a group (`S…`), `here` or `channel`.
    #[arg(long, value_name = "ID")]
    pub slack_mention: Vec<Mention>,
    /// Where Slack's API is; `https://slack-gov.com` for GovSlack.
    #[arg(long, value_name = "URL", default_value = crate::channel::slack_bot::SLACK)]
    pub slack_url: String,
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
    /// File with the mail server's address; `-` is standard input.
    #[arg(long, value_name = "FILE")]
    pub smtp_url_file: Option<PathBuf>,
    /// Who gets mail, as `ops@example.com` or `Ops <ops@example.com>`.
    #[arg(long, value_name = "ADDRESS", value_parser = person)]
    pub email_to: Vec<Mailbox>,
    /// Whom mail is from.
    #[arg(long, value_name = "ADDRESS", value_parser = person)]
    pub email_from: Option<Mailbox>,
    /// Host that an address of Slack, Teams or Discord may have beside the service's own, such as that of a relay.
    #[arg(long, value_name = "HOST")]
    pub allow_host: Vec<String>,
    /// File with the address to post JSON to; `-` is standard input.
    #[arg(long, value_name = "FILE")]
    pub webhook_url_file: Option<PathBuf>,
    /// File with the key that signs the event; `-` is standard input.
    #[arg(long, value_name = "FILE")]
    pub webhook_secret_file: Option<PathBuf>,
    /// File with the token for GitHub; `-` is standard input.
    #[arg(long, value_name = "FILE")]
    pub github_token_file: Option<PathBuf>,
    /// What GitHub shows: `status` of the commit, `comment` on the pull request, `deployment`, `release-notes`.
    #[arg(
        long,
        value_enum,
        value_name = "WHAT",
        default_values = ["status", "comment"],
        hide_possible_values = true
    )]
    pub github: Vec<OnGitHub>,
    /// Pull request that is commented on; without it the one that the run is about.
    #[arg(long, value_name = "NUMBER")]
    pub github_pull_request: Option<u64>,
    /// Which message goes to whom: `severity` for the preset, or a file of routes; without it everybody hears everything.
    #[arg(long, value_name = "FILE|severity")]
    pub routes: Option<Source>,
    /// Allow addresses without TLS. Loopback addresses are always allowed.
    #[arg(long)]
    pub allow_http: bool,
}

/// Somebody who writes or gets mail.
fn person(written: &str) -> Result<Mailbox, String> {
    let wrong = |_| format!("`{}` is no address of mail", text::cut(&text::line(written), 60));
    written.parse().map_err(wrong)
}

/// What GitHub shows.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum OnGitHub {
    /// The status of the commit.
    Status,
    /// A comment on the pull request.
    Comment,
    /// The deployment.
    Deployment,
    /// A section of the release's notes.
    ReleaseNotes,
}
