//! The receivers that flags and their secrets configure.

use gha::Failure;

use super::making::Making;
use super::{Receiver, Way, token};
use crate::channel::github::{
    self, Comment, CommitStatus, Deployment, ReleaseNotes, Repository, Run, comment, deployment,
    release_notes, status,
};
use crate::channel::{email, slack, slack_bot};
use crate::cli::{
    DISCORD, GITHUB, OnGitHub, PAGERDUTY, Receivers as Flags, SLACK, SLACK_INFO, SLACK_TOKEN, SMTP, TEAMS,
    WEBHOOK, WEBHOOK_SECRET,
};
use crate::error::Error;
use crate::message::Message;

/// Those that are told by HTTP.
pub(super) async fn over_http(flags: &Flags, making: &Making<'_>) -> Result<Vec<Receiver>, Failure> {
    let mut all = slack(flags, making).await?;
    if let Some(secret) = making.secret(&TEAMS, flags.teams_webhook_file.as_deref()).await? {
        let teams = making.teams(TEAMS.name, &secret, flags.teams_envelope)?;
        all.push(Receiver::http("teams", teams));
    }
    let discord = making.secret(&DISCORD, flags.discord_webhook_file.as_deref());
    if let Some(secret) = discord.await? {
        all.push(Receiver::http("discord", making.discord(DISCORD.name, &secret)?));
    }
    let pagerduty = making.secret(&PAGERDUTY, flags.pagerduty_key_file.as_deref());
    if let Some(key) = pagerduty.await? {
        let pagerduty = making.pagerduty(PAGERDUTY.name, key, None)?;
        all.push(Receiver::http("pagerduty", pagerduty));
    }
    let keys = making.secret(&WEBHOOK_SECRET, flags.webhook_secret_file.as_deref());
    let keys = keys.await?;
    match making.secret(&WEBHOOK, flags.webhook_url_file.as_deref()).await? {
        Some(secret) => {
            let webhook = making.webhook(WEBHOOK.name, &secret, keys.as_ref())?;
            all.push(Receiver::http("webhook", webhook));
        }
        None if keys.is_some() => return Err(Error::NoWebhook.into()),
        None => {}
    }
    Ok(all)
}

/// The channels of Slack: the one that is told of trouble, and the one for information, by webhooks and by a token.
async fn slack(flags: &Flags, making: &Making<'_>) -> Result<Vec<Receiver>, Failure> {
    let mentions = || flags.slack_mention.clone();
    let mut all = Vec::new();
    let webhook = making.secret(&SLACK, flags.slack_webhook_file.as_deref()).await?;
    if let Some(secret) = webhook {
        all.push(Receiver::http(
            slack::NAME,
            making.slack(SLACK.name, &secret, mentions())?,
        ));
    }
    let info = making.secret(&SLACK_INFO, flags.slack_info_webhook_file.as_deref());
    if let Some(secret) = info.await? {
        let info = making.slack(SLACK_INFO.name, &secret, Vec::new())?;
        all.push(Receiver::http(slack::INFO, info));
    }
    let token = making.secret(&SLACK_TOKEN, flags.slack_token_file.as_deref());
    let Some(token) = token.await? else {
        return Ok(all);
    };
    if let Some(channel) = &flags.slack_info_channel {
        let info = making.slack_bot(SLACK_TOKEN.name, token.clone(), None, channel, Vec::new())?;
        all.push(Receiver::http(slack_bot::INFO, info));
    }
    match &flags.slack_channel {
        Some(channel) => {
            let bot = making.slack_bot(SLACK_TOKEN.name, token, None, channel, mentions())?;
            all.push(Receiver::http(slack_bot::NAME, bot));
        }
        None if flags.slack_info_channel.is_none() => return Err(Error::NoChannel.into()),
        None => {}
    }
    Ok(all)
}

/// Who gets mail.
pub(super) async fn by_mail(flags: &Flags, making: &Making<'_>) -> Result<Option<Receiver>, Failure> {
    let Some(server) = making.secret(&SMTP, flags.smtp_url_file.as_deref()).await? else {
        return Ok(None);
    };
    let to = flags.email_to.clone();
    if to.is_empty() {
        return Err(Error::NoMail("email-to").into());
    }
    let from = flags.email_from.clone().ok_or(Error::NoMail("email-from"))?;
    Ok(Some(Receiver {
        name: email::NAME.to_owned(),
        way: Way::Mail(Box::new(making.email(SMTP.name, &server, from, to)?)),
    }))
}

/// What GitHub shows. What there is no place for in this run is said.
pub(super) async fn on_github(
    flags: &Flags,
    message: &Message,
    making: &Making<'_>,
) -> Result<Vec<Receiver>, Failure> {
    let runner = making.runner;
    let Some(token) = making.secret(&GITHUB, flags.github_token_file.as_deref()).await? else {
        return Ok(Vec::new());
    };
    let token = token::checked(GITHUB.name, token, token::GITHUB)?;
    let context = runner.context();
    if context.repository.is_empty() || context.sha.is_empty() {
        return Err(Error::NoRepository.into());
    }
    let repository = Repository {
        api: making.anywhere("GITHUB_API_URL", &context.github.api)?,
        name: context.repository.clone(),
        token,
    };
    let run = Run::of(context);
    let mut all = Vec::new();
    let mut kinds: Vec<OnGitHub> = Vec::new();
    for kind in &flags.github {
        if !kinds.contains(kind) {
            kinds.push(*kind);
        }
    }
    for kind in kinds {
        let repository = repository.clone();
        let sha = github::commit(context).to_owned();
        let receiver = match kind {
            OnGitHub::Status => Ok(Receiver::http(
                status::NAME,
                CommitStatus { repository, sha, run },
            )),
            OnGitHub::Comment => flags
                .github_pull_request
                .or_else(|| github::pull_request(context))
                .map(|number| {
                    Receiver::http(
                        comment::NAME,
                        Comment {
                            repository,
                            number,
                            run,
                        },
                    )
                })
                .ok_or((comment::NAME, "this run is of no pull request")),
            OnGitHub::Deployment => message
                .environment
                .clone()
                .map(|environment| {
                    let deployment = Deployment {
                        repository,
                        sha,
                        environment,
                        about: message.about.to_string(),
                        run,
                    };
                    Receiver::http(deployment::NAME, deployment)
                })
                .ok_or((
                    deployment::NAME,
                    "no environment is known; name it with `--environment`",
                )),
            OnGitHub::ReleaseNotes => github::tag(context)
                .map(|tag| {
                    let about = message.about.to_string();
                    let notes = ReleaseNotes {
                        repository,
                        tag,
                        about,
                        run,
                    };
                    Receiver::http(release_notes::NAME, notes)
                })
                .ok_or((release_notes::NAME, "this run is of no tag")),
        };
        let is_of_commit = matches!(kind, OnGitHub::Status | OnGitHub::Deployment);
        match receiver {
            Ok(receiver) if is_of_commit && !github::has_commit(context) => {
                let why = "a comment does not say which commit is deployed";
                runner.info(&format!("{}: left out, because {why}", receiver.name));
            }
            Ok(receiver) => all.push(receiver),
            Err((name, why)) => runner.info(&format!("{name}: left out, because {why}")),
        }
    }
    Ok(all)
}
