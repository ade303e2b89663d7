//! What was told, and its end: what arrived where. What did not is a warning, or a failure where it is required; never silence.

use serde_json::{Value, json};

use gha::outcome::Outcome;
use gha::{Failure, Runner, Status, text};

use crate::api::Delivery;
use crate::channel;
use crate::cli::{Required, Sending};
use crate::error::Error;
use crate::message::Message;
use crate::phase::Phase;
use crate::receivers;
use crate::state::State;

/// What was told, to whom, and what is kept of it.
pub(crate) struct Told<'a> {
    pub(crate) message: &'a Message,
    pub(crate) deliveries: Vec<Delivery>,
    pub(crate) state: State,
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
    pub(super) fn publish(&self, sending: &Sending, runner: &Runner) {
        runner.output("phase", self.message.phase.word());
        runner.output("headline", &self.message.headline);
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
    pub(crate) fn outcome(&self, status: Status) -> Outcome {
        Outcome::new(status, format!("told: {}", self.message.headline))
            .fact("phase", self.message.phase.word())
            .fact("severity", self.message.severity.word())
            .fact("headline", self.message.headline.as_str())
            .fact("delivered", self.word())
            .fact("results", self.results())
            .fact("state", self.state.json())
    }
}

/// The end of a command that told.
///
/// # Errors
/// When a required message did not arrive.
pub(crate) fn conclude(sending: &Sending, told: &Told<'_>, runner: &Runner) -> Result<Outcome, Failure> {
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
pub(crate) fn line(delivery: &Delivery) -> String {
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
