//! The commands `send`, `start` and `finish`: one message, to all receivers side by side.

use std::time::Duration;

use futures_util::future::join_all;
use gha::edge::{environment, http};
use gha::outcome::Outcome;
use gha::{Failure, Runner, Status};
use jiff::Timestamp;

use crate::api::{self, Delivery, Telling};
use crate::cli::{Event, INTERFACE, Receivers, Sending, Times, Went};
use crate::error::Error;
use crate::message::{Known, Message, compose};
use crate::receivers::Receiver;
use crate::state::{Posted, SCHEMA, State};
use crate::{receivers, results};

mod told;

pub(crate) use told::{Told, conclude, line};

/// How long the last words of a run that was cancelled may take.
const LAST_WORDS: Duration = Duration::from_millis(1_200);

/// The longest that opening a connection may take.
const CONNECT: Duration = Duration::from_secs(5);

/// A command that tells.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Command<'a> {
    /// What the user says.
    pub(crate) event: &'a Event,
    /// How it went; nothing where it has only begun.
    pub(crate) went: Option<&'a Went>,
    /// What was told before; nothing where nobody asks for that.
    pub(crate) state: Option<Option<&'a str>>,
    /// Who is told.
    pub(crate) receivers: &'a Receivers,
    /// How.
    pub(crate) sending: &'a Sending,
}

/// Runs it.
///
/// # Errors
/// When the flags are wrong, or a required message does not arrive.
pub(crate) async fn run(command: &Command<'_>, runner: &Runner) -> Result<Outcome, Failure> {
    let sending = command.sending;
    has_time(sending.times)?;
    let given = match command.state {
        Some(Some(written)) if !written.trim().is_empty() => Some(State::read(written).map_err(Error::from)?),
        _ => None,
    };
    let ledger = runner.ledger();
    let mut entries = results::given(command.went.map_or(&[][..], |went| &went.results), runner);
    entries.extend(ledger.iter().cloned());
    let message = |began| {
        compose(&Known {
            begins: command.went.is_none(),
            status: command.went.and_then(|went| went.status),
            entries: entries.clone(),
            context: runner.context(),
            now: environment::now(),
            began,
            cause: None,
            event: command.event,
        })
    };
    let first = message(None);
    let about = first
        .as_ref()
        .map(|first| first.about.clone())
        .unwrap_or_default();
    let receivers = receivers::configured(command.receivers, &about, runner).await?;
    let first = first.ok_or(Error::NothingKnown)?;
    let before = match (given, command.state) {
        (None, Some(_)) => State::of_ledger(&ledger, &about),
        (given, _) => given,
    };
    // What it says about when the deploy began counts from there.
    let message = before
        .as_ref()
        .and_then(|before| message(Some(before.began)))
        .unwrap_or(first);
    let before = before.filter(|before| follows(before, runner));
    if sending.dry_run {
        return Ok(dry_run(&message, before.as_ref(), &receivers, runner));
    }
    let told = send(sending, &message, before.as_ref(), &receivers, runner).await?;
    conclude(sending, &told, runner)
}

/// Checks that there is time at all.
///
/// # Errors
/// When there is none.
pub(crate) fn has_time(times: Times) -> Result<(), Error> {
    for (name, value) in [("timeout", times.timeout), ("try-timeout", times.try_timeout)] {
        if value.is_zero() {
            return Err(Error::Zero(name));
        }
    }
    Ok(())
}

/// Whether this run may take the place of what was told.
fn follows(before: &State, runner: &Runner) -> bool {
    let context = runner.context();
    let attempt = context.run_attempt.parse().unwrap_or(1);
    let may = before.may_be_followed(&context.run_id, attempt);
    if !may {
        runner.warn(&format!(
            "attempt {} of this run told more since: its messages stay, and new ones are sent",
            before.attempt
        ));
    }
    may
}

/// Prints what would be sent.
pub(crate) fn dry_run(
    message: &Message,
    before: Option<&State>,
    receivers: &[Receiver],
    runner: &Runner,
) -> Outcome {
    for receiver in receivers {
        let bodies = receiver.shown(message, receiver.before(before));
        if bodies.is_empty() {
            runner.info(&format!("dry run: {} would get nothing", receiver.name()));
        }
        for body in bodies {
            runner.info(&format!("dry run: {} would get", receiver.name()));
            runner.block(&body, 200);
        }
    }
    if receivers.is_empty() {
        runner.info(&format!(
            "dry run: no receiver is configured; the message is `{}`",
            message.headline
        ));
    }
    let told = Told {
        message,
        deliveries: Vec::new(),
        state: kept(message, before, &[], runner),
    };
    Outcome {
        headline: format!("dry run: {}", message.headline),
        dry_run: true,
        ..told.outcome(Status::Unchanged)
    }
}

/// What a later command needs: the messages of before that are still there, and those of now.
fn kept(message: &Message, before: Option<&State>, deliveries: &[Delivery], runner: &Runner) -> State {
    let context = runner.context();
    let now: Vec<_> = deliveries
        .iter()
        .filter_map(|delivery| delivery.posted.clone())
        .collect();
    let is_replaced = |old: &&Posted| {
        now.iter()
            .any(|new| (&new.channel, &new.to) == (&old.channel, &old.to))
    };
    let old = before.into_iter().flat_map(|before| &before.posted);
    State {
        schema: SCHEMA.to_owned(),
        about: message.about.clone(),
        phase: message.phase,
        run: context.run_id.clone(),
        attempt: context.run_attempt.parse().unwrap_or(1),
        began: before.map_or_else(|| to_the_second(runner.started_at()), |before| before.began),
        posted: old.filter(|old| !is_replaced(old)).chain(&now).cloned().collect(),
    }
}

/// A moment without what no person reads.
fn to_the_second(moment: Timestamp) -> Timestamp {
    moment.round(jiff::Unit::Second).unwrap_or(moment)
}

/// Sends to all receivers side by side. In a run that is cancelled already there is time for a few words.
///
/// # Errors
/// When there is no client, or the run is cancelled meanwhile.
pub(crate) async fn send<'a>(
    sending: &Sending,
    message: &'a Message,
    before: Option<&State>,
    receivers: &[Receiver],
    runner: &Runner,
) -> Result<Told<'a>, Failure> {
    let told: Vec<(&Receiver, Option<&Posted>)> = receivers
        .iter()
        .map(|receiver| (receiver, receiver.before(before)))
        .filter(|(receiver, before)| receiver.hears(message, *before))
        .collect();
    let with = |deliveries: Vec<Delivery>| Told {
        message,
        state: kept(message, before, &deliveries, runner),
        deliveries,
    };
    if told.is_empty() {
        return Ok(with(Vec::new()));
    }
    let calls = told.iter().flat_map(|(receiver, before)| match receiver {
        Receiver::Http(channel) => channel.calls(message, *before),
        Receiver::Mail(_) => Vec::new(),
    });
    let urls: Vec<_> = calls.map(|call| call.url).collect();
    let tls = http::speaks_tls(&urls, runner.env());
    let is_late = runner.cancel().signal().is_some();
    let times = match is_late {
        true => Times {
            timeout: sending.times.timeout.min(LAST_WORDS),
            try_timeout: sending.times.try_timeout.min(LAST_WORDS),
        },
        false => sending.times,
    };
    // Well below a try's time: only a connect that failed is known not to have arrived.
    let connect = (times.try_timeout / 2).min(CONNECT);
    let client = http::client(&INTERFACE, tls, connect).map_err(Error::from)?;
    let limits = (times.timeout, times.try_timeout);
    let client = &client;
    let all = told.iter().map(|(receiver, before)| async move {
        match receiver {
            Receiver::Http(channel) => {
                let telling = Telling {
                    channel: channel.as_ref(),
                    message,
                    before: *before,
                };
                api::deliver(client, telling, limits, runner).await
            }
            Receiver::Mail(email) => api::mail(email, message, limits, runner).await,
        }
    });
    if is_late {
        return Ok(with(join_all(all).await));
    }
    match runner.cancel().guard(join_all(all)).await {
        Ok(deliveries) => Ok(with(deliveries)),
        Err(cancelled) => {
            let unknown = |(receiver, before): &(&Receiver, Option<&Posted>)| Delivery {
                channel: receiver.name(),
                delivered: false,
                how: "failed",
                tries: 0,
                reason: "cancelled while it was being sent; it may have arrived".to_owned(),
                posted: before.cloned(),
            };
            let told = with(told.iter().map(unknown).collect());
            told.publish(sending, runner);
            Err(Failure::from(cancelled).knowing(told.outcome(Status::Cancelled)))
        }
    }
}
