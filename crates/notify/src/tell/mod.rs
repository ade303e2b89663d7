//! The commands `send`, `start` and `finish`: one message, to all receivers side by side.

use std::time::Duration;

use futures_util::future::join_all;
use gha::edge::environment;
use gha::outcome::Outcome;
use gha::{Failure, Runner, Status};
use jiff::{RoundMode, Timestamp, TimestampRound, Unit};

use crate::api::{self, Delivery, Limits, Telling};
use crate::cli::{Event, JobStatus, Receivers, Required, Sending, Times, Went, said};

use crate::error::Error;
use crate::message::{Known, Message, compose};
use crate::phase::Phase;
use crate::receivers::{Receivers as Configured, Taken, Way};
use crate::state::{Posted, SCHEMA, State};
use crate::subject::Subject;
use crate::{receivers, results};

mod told;

pub(crate) use told::{Told, conclude, line};

/// How long the last words of a run that was cancelled may take.
const LAST_WORDS: Duration = Duration::from_millis(1_200);

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
    let message = |before: Option<&State>| {
        compose(&Known {
            begins: command.went.is_none(),
            status: command.went.and_then(|went| went.status),
            entries: entries.clone(),
            context: runner.context(),
            now: environment::now(),
            began: before.map(|before| before.began),
            about: before.map(|before| &before.about),
            cause: None,
            event: command.event,
        })
    };
    let first = message(None).ok_or(Error::NothingKnown)?;
    let said = Subject {
        environment: said(command.event.environment.as_ref()).cloned(),
        ..first.about.clone()
    };
    let before = match (given, command.state) {
        (Some(given), _) => is_about(&said, &given, runner).then_some(given),
        (None, Some(_)) => State::of_ledger(&ledger, &first.about, &said),
        (None, None) => None,
    };
    // What the beginning said of when and of what counts.
    let message = before
        .as_ref()
        .and_then(|before| message(Some(before)))
        .unwrap_or(first);
    let receivers = receivers::configured(command.receivers, &message, runner).await?;
    required(sending, &receivers, runner)?;
    if before.is_none() && is_skipped(command, &message) {
        let nothing = "the job was skipped and no beginning was told, so there is nothing to tell";
        runner.info(nothing);
        return Ok(Outcome {
            dry_run: sending.dry_run,
            ..Outcome::new(Status::Unchanged, nothing)
        });
    }
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

/// Whether nothing happened: the job did not run, and no tool before it failed.
fn is_skipped(command: &Command<'_>, message: &Message) -> bool {
    let status = command.went.and_then(|went| went.status);
    status == Some(JobStatus::Skipped) && message.reasons.is_empty()
}

/// Whether what was given is of this deploy: outputs of a matrix overwrite each other, and another deploy's message is not ours to change.
fn is_about(said: &Subject, given: &State, runner: &Runner) -> bool {
    let is = given.about.agrees(said);
    if !is {
        runner.warn(&format!(
            "what `state` holds is about {}, and this is about {said}: its messages stay, and new ones are sent; where a matrix ran \
             `start`, its jobs overwrite each other's output",
            given.about
        ));
    }
    is
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

/// Checks that who must be told is configured, before anybody is told.
///
/// # Errors
/// When a name is of nobody.
pub(crate) fn required(sending: &Sending, receivers: &Configured, runner: &Runner) -> Result<(), Error> {
    if receivers::withheld(runner.context()).is_some() {
        return Ok(());
    }
    let absent = sending.require.iter().find_map(|required| match required {
        Required::One(name) if !receivers.has(name) => Some(name),
        _ => None,
    });
    match absent {
        Some(name) => Err(Error::NotConfigured {
            required: name.clone(),
            configured: configured(receivers),
        }),
        None => Ok(()),
    }
}

/// Those that are configured, as the end of a sentence.
fn configured(receivers: &Configured) -> String {
    let names = receivers
        .all
        .iter()
        .map(|receiver| format!("`{}`", receiver.name));
    let names: Vec<String> = names.collect();
    match names.len() {
        0 => String::new(),
        1 => format!("; {} is", names[0]),
        _ => format!("; {} are", names.join(", ")),
    }
}

/// A beginning may be nobody's business, an end that reaches nobody is a mistake in the routes.
fn warn_of_no_route(message: &Message, receivers: &Configured, runner: &Runner) {
    if receivers.leave_out(message) && message.phase != Phase::Started {
        let (severity, phase) = (message.severity.word(), message.phase.word());
        let absent = receivers.absent(message);
        let absent = match absent.is_empty() {
            true => String::new(),
            false => format!(
                "; a route names `{}`, which is not configured",
                absent.join("`, `")
            ),
        };
        runner.warn(&format!(
            "no route leads to anybody for this message, which is {phase} and {severity}{absent}"
        ));
    }
}

/// Prints what would be sent.
pub(crate) fn dry_run(
    message: &Message,
    before: Option<&State>,
    receivers: &Configured,
    runner: &Runner,
) -> Outcome {
    warn_of_no_route(message, receivers, runner);
    let taken = receivers.taken(message, before);
    for receiver in &receivers.all {
        if !taken.iter().any(|(one, _)| one.name == receiver.name) {
            runner.info(&format!("dry run: {} would get nothing", receiver.name));
        }
    }
    for (receiver, before) in taken {
        for body in receiver.shown(message, before) {
            runner.info(&format!("dry run: {} would get", receiver.name));
            runner.block(&body, 200);
        }
    }
    if !receivers.are_there() {
        runner.info(&format!(
            "dry run: no receiver is configured; the message is `{}`",
            message.headline
        ));
    }
    let told = Told {
        message,
        anybody: receivers.are_there(),
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

/// A moment without what no person reads; not later, or what follows at once would have begun before it.
fn to_the_second(moment: Timestamp) -> Timestamp {
    let down = TimestampRound::new()
        .smallest(Unit::Second)
        .mode(RoundMode::Floor);
    moment.round(down).unwrap_or(moment)
}

/// Sends to all receivers side by side. In a run that is cancelled already there is time for a few words.
///
/// # Errors
/// When there is no client, or the run is cancelled meanwhile.
pub(crate) async fn send<'a>(
    sending: &Sending,
    message: &'a Message,
    before: Option<&State>,
    receivers: &Configured,
    runner: &Runner,
) -> Result<Told<'a>, Failure> {
    warn_of_no_route(message, receivers, runner);
    let told: Vec<Taken<'_>> = receivers.taken(message, before);
    let with = |deliveries: Vec<Delivery>| Told {
        message,
        anybody: receivers.are_there(),
        state: kept(message, before, &deliveries, runner),
        deliveries,
    };
    if told.is_empty() {
        return Ok(with(Vec::new()));
    }
    let is_late = runner.cancel().signal().is_some();
    let limits = limits(sending.times, is_late);
    let client = client(message, &told, limits, runner)?;
    let client = &client;
    let all = told.iter().map(|(receiver, before)| async move {
        let name = receiver.name.as_str();
        match &receiver.way {
            Way::Http(channel) => {
                let telling = Telling {
                    name,
                    channel: channel.as_ref(),
                    message,
                    before: *before,
                };
                api::deliver(client, telling, limits, runner).await
            }
            Way::Mail(email) => api::mail((name, email), message, limits, runner).await,
        }
    });
    if is_late {
        return Ok(with(join_all(all).await));
    }
    match runner.cancel().guard(join_all(all)).await {
        Ok(deliveries) => Ok(with(deliveries)),
        Err(cancelled) => {
            let unknown = |(receiver, before): &Taken<'_>| Delivery {
                receiver: receiver.name.clone(),
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

/// How long it may take; in a run that is cancelled already there is time for a few words.
fn limits(times: Times, is_late: bool) -> Limits {
    let most = if is_late { LAST_WORDS } else { Duration::MAX };
    Limits {
        budget: times.timeout.min(most),
        one_try: times.try_timeout.min(most),
    }
}

/// The client for all of them.
fn client(
    message: &Message,
    told: &[Taken<'_>],
    limits: Limits,
    runner: &Runner,
) -> Result<reqwest::Client, Error> {
    let calls = told.iter().filter_map(|(receiver, before)| match &receiver.way {
        Way::Http(channel) => channel.turn(message, *before, &[]),
        Way::Mail(_) => None,
    });
    let urls: Vec<_> = calls.map(|call| call.url).collect();
    api::client(&urls, limits, runner.env())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_beginning_is_never_in_the_future() {
        for (moment, second) in [
            ("2026-11-23T20:02:53.999Z", "2026-11-23T20:02:53Z"),
            ("2026-11-23T20:02:53Z", "2026-11-23T20:02:53Z"),
        ] {
            assert_eq!(to_the_second(moment.parse().unwrap()).to_string(), second);
        }
    }
}
