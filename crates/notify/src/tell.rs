//! The commands `send`, `start` and `finish`: one message, to all receivers side by side.

use std::time::Duration;

use futures_util::future::join_all;
use jiff::Timestamp;
use serde_json::{Value, json};

use gha::edge::{environment, http};
use gha::outcome::Outcome;
use gha::{Failure, Runner, Status, text};

use crate::api::{self, Delivery, Telling};
use crate::channel::{self, Channel};
use crate::cli::{Event, INTERFACE, Receivers, Required, Sending, Went};
use crate::error::Error;
use crate::message::{Known, Message, compose};
use crate::phase::Phase;
use crate::state::{SCHEMA, State};
use crate::{receivers, results};

/// The longest that opening a connection may take.
const CONNECT: Duration = Duration::from_secs(5);

/// Somebody who is told.
type Receiver = Box<dyn Channel>;

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
    let times = sending.times;
    for (name, value) in [("timeout", times.timeout), ("try-timeout", times.try_timeout)] {
        if value.is_zero() {
            return Err(Error::Zero(name).into());
        }
    }
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
    runner.output("phase", message.phase.word());
    runner.output("headline", &message.headline);
    let told = send(sending, &message, before.as_ref(), receivers, runner).await?;
    conclude(sending, &told, runner)
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

/// What was told, to whom, and what is kept of it.
struct Told<'a> {
    message: &'a Message,
    deliveries: Vec<Delivery>,
    state: State,
}

impl Told<'_> {
    /// Whether all, some or none of it arrived.
    fn word(&self) -> &'static str {
        let arrived = self
            .deliveries
            .iter()
            .filter(|delivery| delivery.delivered)
            .count();
        match (arrived, self.deliveries.len()) {
            (_, 0) => "none",
            (arrived, all) if arrived == all => "true",
            (0, _) => "false",
            _ => "partial",
        }
    }

    /// Writes the outputs, and the summary where it is wanted.
    fn publish(&self, sending: &Sending, runner: &Runner) {
        runner.output("delivered", self.word());
        runner.output("results", &self.results().to_string());
        runner.output("state", &self.state.json().to_string());
        if sending.summary {
            let lines: Vec<String> = self.deliveries.iter().map(line).collect();
            runner.summary(&channel::summary::render(self.message, &lines));
        }
    }

    /// The deliveries as JSON.
    fn results(&self) -> Value {
        let one = |delivery: &Delivery| json!({"channel": delivery.channel, "delivered": delivery.delivered, "how": delivery.how, "tries": delivery.tries, "reason": delivery.reason});
        self.deliveries.iter().map(one).collect()
    }

    /// The outcome of this run.
    fn outcome(&self, status: Status) -> Outcome {
        Outcome::new(status, format!("told: {}", self.message.headline))
            .fact("phase", self.message.phase.word())
            .fact("severity", self.message.severity.word())
            .fact("headline", self.message.headline.as_str())
            .fact("delivered", self.word())
            .fact("results", self.results())
            .fact("state", self.state.json())
    }
}

/// Prints what would be sent.
fn dry_run(message: &Message, before: Option<&State>, receivers: &[Receiver], runner: &Runner) -> Outcome {
    for channel in receivers {
        let before = before.and_then(|before| before.of(channel.name(), channel.place()));
        let calls = channel.calls(message, before);
        if calls.is_empty() {
            runner.info(&format!("dry run: {} would get nothing", channel.name()));
        }
        for call in calls {
            runner.info(&format!("dry run: {} would get", channel.name()));
            let payload = serde_json::to_string_pretty(&channel.shown(&call)).unwrap_or_default();
            runner.block(&payload, 200);
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
    let is_replaced = |old: &&crate::state::Posted| {
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

/// Sends to all receivers side by side.
async fn send<'a>(
    sending: &Sending,
    message: &'a Message,
    before: Option<&State>,
    receivers: Vec<Receiver>,
    runner: &Runner,
) -> Result<Told<'a>, Failure> {
    let of = |channel: &'_ Receiver| before.and_then(|before| before.of(channel.name(), channel.place()));
    let told: Vec<Telling<'_>> = receivers
        .iter()
        .map(|channel| Telling {
            channel: channel.as_ref(),
            message,
            before: of(channel),
        })
        .filter(|telling| telling.channel.turn(message, telling.before, &[]).is_some())
        .collect();
    let with = |deliveries: Vec<Delivery>| Told {
        message,
        state: kept(message, before, &deliveries, runner),
        deliveries,
    };
    if told.is_empty() {
        return Ok(with(Vec::new()));
    }
    let firsts = told.iter().flat_map(|one| one.channel.calls(message, one.before));
    let urls: Vec<_> = firsts.map(|call| call.url).collect();
    let tls = http::speaks_tls(&urls, runner.env());
    let times = sending.times;
    // Well below a try's time: only a connect that failed is known not to have arrived.
    let connect = (times.try_timeout / 2).min(CONNECT);
    let client = http::client(&INTERFACE, tls, connect).map_err(Error::from)?;
    let limits = (times.timeout, times.try_timeout);
    let all = told
        .iter()
        .map(|telling| api::deliver(&client, *telling, limits, runner));
    match runner.cancel().guard(join_all(all)).await {
        Ok(deliveries) => Ok(with(deliveries)),
        Err(cancelled) => {
            let unknown = |telling: &Telling<'_>| Delivery {
                channel: telling.channel.name(),
                delivered: false,
                how: "failed",
                tries: 0,
                reason: "cancelled while it was being sent; it may have arrived".to_owned(),
                posted: telling.before.cloned(),
            };
            let told = with(told.iter().map(unknown).collect());
            told.publish(sending, runner);
            Err(Failure::from(cancelled).knowing(told.outcome(Status::Cancelled)))
        }
    }
}

/// The end: what arrived where. What did not is a warning, or a failure where it is required; never silence.
fn conclude(sending: &Sending, told: &Told<'_>, runner: &Runner) -> Result<Outcome, Failure> {
    told.publish(sending, runner);
    runner.info(&told.message.headline);
    let (arrived, missed): (Vec<&Delivery>, Vec<&Delivery>) =
        told.deliveries.iter().partition(|delivery| delivery.delivered);
    arrived.iter().for_each(|delivery| runner.info(&line(delivery)));
    let known = told.outcome(Status::Done);
    let all = sending.require.contains(&Required::All);
    let named = |name: &str| sending.require.contains(&Required::One(name.to_owned()));
    if told.deliveries.is_empty() && told.message.phase != Phase::Started {
        return nobody(sending, known, runner);
    }
    let absent = sending.require.iter().find_map(|required| match required {
        Required::One(name) if !told.deliveries.iter().any(|one| one.channel == name) => Some(name),
        _ => None,
    });
    if let Some(required) = absent {
        return Err(Failure::from(not_configured(required, &told.deliveries)).knowing(known));
    }
    let lines = |missed: &[&Delivery]| -> String {
        let lines: Vec<String> = missed.iter().map(|delivery| line(delivery)).collect();
        lines.join("; ")
    };
    let (needed, others): (Vec<&Delivery>, Vec<&Delivery>) =
        missed.iter().partition(|delivery| all || named(delivery.channel));
    if !others.is_empty() {
        runner.warn(&format!("the message was not delivered: {}", lines(&others)));
    }
    if !needed.is_empty() {
        return Err(Failure::from(Error::Undelivered(lines(&needed))).knowing(known));
    }
    Ok(match others.is_empty() {
        true => known,
        false => Outcome {
            status: Status::Failed,
            ..known
        },
    })
}

/// The end where no receiver was told.
fn nobody(sending: &Sending, known: Outcome, runner: &Runner) -> Result<Outcome, Failure> {
    if let Some(who) = receivers::withheld(runner.context()) {
        runner.info(&format!("{who} has no secrets, so nobody is told"));
        return Ok(known);
    }
    let is_required = |required: &&Required| !matches!(required, Required::Nobody);
    match sending.require.iter().find(is_required) {
        Some(Required::One(name)) => return Err(Failure::from(not_configured(name, &[])).knowing(known)),
        Some(_) => {
            return Err(Failure::from(Error::NoReceiver(receivers::names(runner))).knowing(known));
        }
        None => {}
    }
    let place = if sending.summary && runner.env().get("GITHUB_STEP_SUMMARY").is_some() {
        "only the job summary has the message"
    } else {
        "nobody was told"
    };
    runner.warn(&format!(
        "no receiver is configured, {place}; set {}",
        receivers::names(runner)
    ));
    Ok(known)
}

fn not_configured(required: &str, deliveries: &[Delivery]) -> Error {
    let names: Vec<String> = deliveries
        .iter()
        .map(|delivery| format!("`{}`", delivery.channel))
        .collect();
    Error::NotConfigured {
        required: text::cut(&text::line(required), 40),
        configured: match names.is_empty() {
            true => String::new(),
            false => format!(
                "; {} {}",
                names.join(", "),
                if names.len() > 1 { "are" } else { "is" }
            ),
        },
    }
}

/// A delivery as a line.
fn line(delivery: &Delivery) -> String {
    let tries = if delivery.tries > 1 && delivery.how != "updated" {
        format!(" after {} tries", delivery.tries)
    } else {
        String::new()
    };
    match delivery.how {
        "updated" => format!("{}: brought up to date", delivery.channel),
        "sent" => format!("{}: delivered{tries}", delivery.channel),
        _ => format!("{}: {}", delivery.channel, delivery.reason),
    }
}
