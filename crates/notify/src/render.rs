//! The command `render`: what a service would be sent, to the last byte, without its secrets and without asking anybody.

use clap::ValueEnum;
use reqwest::Url;
use serde_json::{Value, json};

use gha::edge::environment;
use gha::outcome::Outcome;
use gha::{Failure, Runner, Status};

use crate::channel::discord::Discord;
use crate::channel::github::{self, Comment, CommitStatus, Deployment, ReleaseNotes, Repository, Run};
use crate::channel::pagerduty::{self, PagerDuty};
use crate::channel::slack::Slack;
use crate::channel::slack_bot::{self, SlackBot};
use crate::channel::teams::Teams;
use crate::channel::webhook::Webhook;
use crate::channel::{Channel, email, summary};
use crate::cli::Render;
use crate::error::Error;
use crate::message::{Known, Message, compose};
use crate::results;

/// A service whose message is shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum To {
    /// Slack by a webhook.
    Slack,
    /// Slack by a token.
    SlackToken,
    /// Microsoft Teams.
    Teams,
    /// Discord.
    Discord,
    /// PagerDuty.
    Pagerduty,
    /// Mail: the subject and the text.
    Email,
    /// The webhook for JSON.
    Webhook,
    /// The job summary.
    Summary,
    /// The status of the commit.
    GithubStatus,
    /// The comment on the pull request.
    GithubComment,
    /// The deployment, where there is none yet.
    GithubDeployment,
    /// The section of the release's notes.
    GithubReleaseNotes,
}

/// Runs it.
///
/// # Errors
/// When nothing is known that could be told.
pub(crate) fn run(flags: &Render, runner: &Runner) -> Result<Outcome, Failure> {
    let mut entries = results::given(&flags.went.results, runner);
    entries.extend(runner.ledger());
    let message = compose(&Known {
        begins: false,
        status: flags.went.status,
        entries,
        context: runner.context(),
        now: environment::now(),
        began: None,
        about: None,
        cause: None,
        event: &flags.event,
    });
    let message = message.ok_or(Error::NothingKnown)?;
    let shown = shown(flags, &message, runner)?;
    runner.writer().product(&shown);
    let headline = format!("shown: {}", message.headline);
    Ok(Outcome {
        dry_run: true,
        ..Outcome::new(Status::Unchanged, headline)
            .fact("phase", message.phase.word())
            .fact("headline", message.headline.as_str())
    })
}

/// What is sent: the body of one request, or an array of several.
fn shown(flags: &Render, message: &Message, runner: &Runner) -> Result<String, Failure> {
    match flags.to {
        To::Summary => return Ok(summary::render(message, &[]).fit(0).trim_start().to_owned()),
        To::Email => {
            return Ok(format!(
                "Subject: {}\n\n{}",
                email::subject(message),
                email::plain(message)
            ));
        }
        _ => {}
    }
    let Some(channel) = channel(flags, message, runner)? else {
        return Ok(String::new());
    };
    let calls = channel.calls(message, None);
    let mut bodies: Vec<Value> = calls.iter().map(|call| channel.shown(call)).collect();
    let body = match bodies.len() {
        1 => bodies.remove(0),
        _ => json!(bodies),
    };
    Ok(serde_json::to_string_pretty(&body).unwrap_or_default())
}

/// The service with stand-ins for its secrets; nothing for the summary.
fn channel(flags: &Render, message: &Message, runner: &Runner) -> Result<Option<Box<dyn Channel>>, Failure> {
    let at = |address: &str| {
        let bug = |error| Failure::new(gha::Exit::Bug, format!("`{address}` is no address: {error}"));
        Url::parse(address).map_err(bug)
    };
    let context = runner.context();
    let repository = Repository {
        api: at("https://api.github.com/")?,
        name: context.repository.clone(),
        token: String::new().into(),
    };
    let (sha, run) = (github::commit(context).to_owned(), Run::of(context));
    let channel: Box<dyn Channel> = match flags.to {
        To::Summary | To::Email => return Ok(None),
        To::GithubStatus => Box::new(CommitStatus { repository, sha, run }),
        To::GithubComment => Box::new(Comment {
            repository,
            number: 0,
            run,
        }),
        To::GithubDeployment => Box::new(Deployment {
            repository,
            sha,
            environment: message.environment.clone().unwrap_or_default(),
            about: message.about.to_string(),
            run,
        }),
        To::GithubReleaseNotes => Box::new(ReleaseNotes {
            repository,
            tag: String::new(),
            about: message.about.to_string(),
            run,
        }),
        To::Slack => Box::new(Slack {
            url: at("https://hooks.slack.com/")?,
            mentions: Vec::new(),
        }),
        To::SlackToken => Box::new(SlackBot {
            url: at(slack_bot::SLACK)?,
            token: String::new().into(),
            channel: "$SLACK_CHANNEL".to_owned(),
            mentions: Vec::new(),
        }),
        To::Teams => Box::new(Teams {
            url: at("https://logic.azure.com/")?,
            envelope: flags.teams_envelope,
        }),
        To::Discord => Box::new(Discord {
            url: at("https://discord.com/")?,
        }),
        To::Pagerduty => Box::new(PagerDuty {
            url: at(pagerduty::EVENTS)?,
            key: String::new().into(),
        }),
        To::Webhook => Box::new(Webhook {
            url: at("https://example.com/")?,
            id: format!("msg_{}", uuid::Uuid::from_bytes(environment::random()).simple()),
            timestamp: environment::now().as_second(),
            trace_id: runner.trace().to_string(),
            repository: runner.context().repository.clone(),
            keys: Vec::new(),
        }),
    };
    Ok(Some(channel))
}
