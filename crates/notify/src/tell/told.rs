//! What was told, and its end: what arrived where. What did not is a warning, or a failure where it is required; never silence.

use serde_json::{Value, json};

use gha::outcome::Outcome;
use gha::{Failure, Runner, Status};

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
    /// Whether anybody is configured at all.
    pub(crate) anybody: bool,
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
        let one = |delivery: &Delivery| json!({"channel": delivery.receiver, "delivered": delivery.delivered, "how": delivery.how, "tries": delivery.tries, "reason": delivery.reason});
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
    if told.deliveries.is_empty() {
        let is_lost = told.anybody && all && told.message.phase.is_bad();
        if is_lost && receivers::withheld(runner.context()).is_none() {
            let nobody = "no route leads to anybody".to_owned();
            return Err(Failure::from(Error::Undelivered(nobody)).knowing(known));
        }
        return match told.anybody || told.message.phase == Phase::Started {
            true => Ok(known),
            false => nobody(sending, known, runner),
        };
    }
    // A token of such a run may read and no more, which nobody can help.
    let withheld = receivers::withheld(runner.context());
    let (excused, missed): (Vec<&Delivery>, Vec<&Delivery>) = missed
        .into_iter()
        .partition(|delivery| withheld.is_some() && delivery.receiver.starts_with("github-"));
    for (delivery, who) in excused.iter().zip(withheld.iter().cycle()) {
        runner.info(&format!(
            "{}: {who} has a token that may only read",
            delivery.receiver
        ));
    }
    let lines = |missed: &[&Delivery]| -> String {
        let lines: Vec<String> = missed.iter().map(|delivery| line(delivery)).collect();
        lines.join("; ")
    };
    let (needed, others): (Vec<&Delivery>, Vec<&Delivery>) = missed
        .iter()
        .partition(|delivery| all || named(&delivery.receiver));
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
    if sending
        .require
        .iter()
        .any(|required| !matches!(required, Required::Nobody))
    {
        return Err(Failure::from(Error::NoReceiver(receivers::names(runner))).knowing(known));
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

/// A delivery as a line.
pub(crate) fn line(delivery: &Delivery) -> String {
    let tries = if delivery.tries > 1 && delivery.how != "updated" {
        format!(" after {} tries", delivery.tries)
    } else {
        String::new()
    };
    let receiver = &delivery.receiver;
    match delivery.how {
        "updated" => format!("{receiver}: brought up to date"),
        "sent" => format!("{receiver}: delivered{tries}"),
        "left-out" => format!("{receiver}: left out, because {}", delivery.reason),
        _ => format!("{receiver}: {}", delivery.reason),
    }
}
