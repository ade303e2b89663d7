//! The command `check`: whether the credentials work, as far as that can be known without sending anything.

use futures_util::future::join_all;
use gha::edge::environment;
use gha::outcome::Outcome;
use gha::{Failure, Runner, Status, text};
use serde_json::{Value, json};

use crate::api::{self, Limits};
use crate::cli::Check;
use crate::error::Error;
use crate::message::{Known, compose};
use crate::receivers::{self, Receiver, Way};
use crate::tell;

/// What is known of a receiver.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Found {
    /// It knows us; as whom, where it says that.
    Works(Option<String>),
    /// It can't be asked without sending a message.
    NotAsked,
    /// It does not, for this reason.
    Fails(String),
}

impl Found {
    fn word(&self) -> &'static str {
        match self {
            Self::Works(_) => "works",
            Self::NotAsked => "not-asked",
            Self::Fails(_) => "failed",
        }
    }

    /// It as the end of a line.
    fn said(&self) -> String {
        match self {
            Self::Works(None) => "works".to_owned(),
            Self::Works(Some(who)) => format!("works, {who}"),
            Self::NotAsked => {
                "what is set for it looks right; whether it works is only known when a message is sent"
                    .to_owned()
            }
            Self::Fails(reason) => reason.clone(),
        }
    }
}

/// Runs it.
///
/// # Errors
/// When the flags are wrong, or credentials do not work.
pub(crate) async fn run(flags: &Check, runner: &Runner) -> Result<Outcome, Failure> {
    tell::has_time(flags.times)?;
    let message = compose(&Known {
        begins: true,
        status: None,
        entries: Vec::new(),
        context: runner.context(),
        now: environment::now(),
        began: None,
        about: None,
        cause: None,
        event: &flags.event,
    });
    let message = message.ok_or(Error::NothingKnown)?;
    let receivers = receivers::configured(&flags.receivers, &message, runner).await?;
    if receivers.all.is_empty() {
        if let Some(who) = receivers::withheld(runner.context()) {
            runner.info(&format!("{who} has no secrets, so there is nothing to check"));
            return Ok(Outcome::new(Status::Unchanged, "nothing to check"));
        }
        return Err(Error::NoneToCheck(receivers::names(runner)).into());
    }
    let limits = Limits {
        budget: flags.times.timeout,
        one_try: flags.times.try_timeout,
    };
    let asked = receivers.all.iter().map(|receiver| ask(receiver, limits, runner));
    let found: Result<Vec<Found>, Error> = runner
        .cancel()
        .guard(join_all(asked))
        .await?
        .into_iter()
        .collect();
    let found = found?;
    let all = || {
        receivers
            .all
            .iter()
            .map(|receiver| receiver.name.as_str())
            .zip(&found)
    };
    let results: Value = all()
        .map(|(name, found)| json!({"channel": name, "how": found.word(), "reason": found.said()}))
        .collect();
    runner.output("results", &results.to_string());
    for (name, found) in all() {
        runner.info(&format!("{name}: {}", found.said()));
    }
    let failed: Vec<String> = all()
        .filter(|(_, found)| matches!(found, Found::Fails(_)))
        .map(|(name, found)| format!("{name}: {}", found.said()))
        .collect();
    let count = |word: &str| found.iter().filter(|found| found.word() == word).count();
    let headline = format!("{} work, {} can't be asked", count("works"), count("not-asked"));
    let outcome = Outcome::new(Status::Unchanged, headline).fact("results", results);
    match failed.is_empty() {
        true => Ok(outcome),
        false => Err(Failure::from(Error::Refused(failed.join("; "))).knowing(outcome)),
    }
}

async fn ask(receiver: &Receiver, limits: Limits, runner: &Runner) -> Result<Found, Error> {
    let channel = match &receiver.way {
        Way::Http(channel) => channel.as_ref(),
        Way::Mail(email) => {
            let login = api::log_in(&email.server, limits.one_try.min(limits.budget)).await;
            let credentials = email.server.credentials.as_ref();
            let who = credentials.map(|_| "with the name and the password".to_owned());
            return Ok(match login {
                Ok(()) => Found::Works(who),
                Err(reason) => Found::Fails(runner.hide(&reason)),
            });
        }
    };
    let Some(call) = channel.asks() else {
        return Ok(Found::NotAsked);
    };
    let client = api::client(std::slice::from_ref(&call.url), limits, runner.env())?;
    let asked = api::ask(&client, (&receiver.name, channel), &call, limits, runner).await;
    let known_as = |body| {
        channel
            .is_known_as(body)
            .map(|who| text::line(&text::cut(&who, 100)))
    };
    Ok(match asked {
        Ok(heard) => Found::Works(known_as(&heard.body)),
        Err(reason) => Found::Fails(reason),
    })
}
