//! The message, whatever it is sent to: made from the job's status, the ledger and the event. Pure.

use jiff::Timestamp;

use gha::context::Context;
use gha::ledger::{self, Entry};
use gha::outcome::Link;
use gha::text;

use crate::cli::{Event, JobStatus, said};
use crate::phase::{Line, Phase, headline, phase};
use crate::severity::{self, Severity};
use crate::stands::{Stands, is_asked_way_back, stands, went_well};
use crate::subject::Subject;
use crate::times::{self, Times};

mod fields;
#[cfg(test)]
pub(crate) mod tests;

use fields::{fields, links, version};

/// The longest first line, in characters; a Slack header takes 150.
const HEADLINE: usize = 150;
/// The longest reason, in characters.
const REASON: usize = 600;

/// What is known.
#[derive(Clone, Debug)]
pub struct Known<'a> {
    /// The deploy has only begun.
    pub begins: bool,
    /// The job's status, if it was given.
    pub status: Option<JobStatus>,
    /// The results of all tools of the run, oldest first.
    pub entries: Vec<Entry>,
    /// The event.
    pub context: &'a Context,
    /// Now.
    pub now: Timestamp,
    /// When it began, where an earlier message told that.
    pub began: Option<Timestamp>,
    /// What it is about, where an earlier message told that.
    pub about: Option<&'a Subject>,
    /// Why it went wrong, where no tool says it.
    pub cause: Option<&'a str>,
    /// What the user says.
    pub event: &'a Event,
}

/// A message. All texts may be foreign: a channel escapes them for itself.
#[derive(Clone, Debug, PartialEq)]
pub struct Message {
    /// How it ended.
    pub phase: Phase,
    /// How bad that is.
    pub severity: Severity,
    /// What it is about, as the first message of this deploy had it: what was written then is found by that.
    pub about: Subject,
    /// What the user calls what is deployed.
    pub service: Option<String>,
    /// The environment.
    pub environment: Option<String>,
    /// The first line, with the sign.
    pub headline: String,
    /// What failed and why, one line each.
    pub reasons: Vec<String>,
    /// What went well, one line each.
    pub done: Vec<String>,
    /// What the user adds.
    pub text: Option<String>,
    /// Names and values, in the order in which a reader wants them.
    pub fields: Vec<(&'static str, String)>,
    /// Where to look next.
    pub links: Vec<Link>,
    /// Commands that undo what was done, what was done last first.
    pub undo: Vec<String>,
}

/// How many commands that undo are told in a chat, and how long one is there, in characters: half a command is none.
const UNDO: usize = 3;
const COMMAND: usize = 350;

impl Message {
    /// What it is about, as is known now: a tool may have named the environment since.
    #[must_use]
    pub fn known(&self) -> Subject {
        Subject {
            service: self.service.clone(),
            environment: self.environment.clone(),
            ..self.about.clone()
        }
    }

    /// What stands below the first line: why, what went well, and what the user adds.
    pub fn paragraphs(&self) -> impl Iterator<Item = String> {
        let done = (!self.done.is_empty()).then(|| self.done.join("\n"));
        let reasons = self.reasons.iter().take(5).cloned();
        reasons.chain(done).chain(self.text.clone())
    }

    /// How to undo it, for a chat: some lines.
    pub fn undoing(&self) -> impl Iterator<Item = String> {
        let fitting = self.undo.iter().filter(|undo| undo.chars().count() <= COMMAND);
        let told: Vec<String> = fitting
            .take(UNDO)
            .map(|undo| format!("to undo: {undo}"))
            .collect();
        let more = self.undo.len() - told.len();
        let rest = (more > 0).then(|| format!("to undo: {more} more, in the summary of the run"));
        told.into_iter().chain(rest)
    }
}

/// Makes the message; `None` where nothing at all is known.
#[must_use]
pub fn compose(known: &Known<'_>) -> Option<Message> {
    let entries: Vec<Entry> = ledger::verdicts(known.entries.clone())
        .into_iter()
        .filter(|entry| entry.tool != "notify")
        .collect();
    let phase = match known.begins {
        true => Phase::Started,
        false => phase(known.status, &entries)?,
    };
    let (good, bad): (Vec<&Entry>, Vec<&Entry>) = entries.iter().partition(|entry| went_well(entry));
    let event = known.event;
    let of_ledger = || {
        entries
            .iter()
            .rev()
            .find_map(|entry| entry.environment.as_deref())
    };
    // What the user said, also at the beginning, counts more than what a tool calls it.
    let begun = known.about.and_then(|about| about.environment.as_deref());
    let environment = said(event.environment.as_ref())
        .map(String::as_str)
        .or(begun)
        .or_else(of_ledger);
    let service = said(event.service.as_ref()).or_else(|| known.about?.service.as_ref());
    let version = version(known, &entries);
    let first = entries.iter().map(|entry| entry.started_at);
    let began = first.chain(known.began).min();
    let took = began
        .and_then(|start| times::between(start, known.now))
        .filter(|_| phase != Phase::Started);
    let name = service.cloned().unwrap_or_else(|| repository_name(known.context));
    let what = [name, version.clone().unwrap_or_default()]
        .join(" ")
        .trim()
        .to_owned();
    let stands = stands(&entries);
    let made = || {
        let cause = cause(&bad).or_else(|| known.cause.map(text::visible));
        let line = Line {
            what: &what,
            environment,
            took,
            cause: cause.as_deref(),
            warned: !bad.is_empty(),
            is_way_back: bad.is_empty() && stands != Stands::New && entries.iter().any(is_asked_way_back),
            stands,
        };
        headline(phase, &line)
    };
    let titled = |title: &String| format!("{} {title}", phase.sign());
    let title = said(event.title.as_ref());
    let headline = title.map_or_else(made, titled);
    let known_times = Times {
        took,
        ..times::of(phase, &entries, known.context)
    };
    Some(Message {
        phase,
        severity: event.severity.unwrap_or_else(|| severity::of(phase, &entries)),
        about: known.about.cloned().unwrap_or_else(|| Subject {
            repository: known.context.repository.clone(),
            service: service.cloned(),
            environment: environment.map(str::to_owned),
        }),
        service: service.cloned(),
        environment: environment.map(str::to_owned),
        headline: text::cut(&text::visible(&headline), HEADLINE),
        reasons: reasons(phase, &bad, known.cause),
        done: good.iter().map(|entry| told(entry)).collect(),
        text: said(event.text.as_ref()).cloned(),
        fields: fields(known, version, environment, &entries, &known_times),
        links: links(known.context, &entries),
        // What a tool did stands, although one behind it failed.
        undo: entries
            .iter()
            .rev()
            .filter_map(|entry| entry.undo.clone())
            .collect(),
    })
}

/// Why it went wrong: what the first tool that failed said. Those behind it undo, or could not begin.
fn cause(bad: &[&Entry]) -> Option<String> {
    let first = bad.first()?;
    Some(text::visible(&first.headline)).filter(|cause| !cause.trim().is_empty())
}

/// What failed and why. A failed job without a failed entry failed in a step that is none of these tools.
fn reasons(phase: Phase, bad: &[&Entry], cause: Option<&str>) -> Vec<String> {
    let mut reasons: Vec<String> = bad.iter().map(|entry| told(entry)).collect();
    if reasons.is_empty() && phase.is_bad() {
        let unknown = "a step that writes no ledger failed; the run's log has the reason";
        reasons.push(cause.map_or_else(|| unknown.to_owned(), text::visible));
    }
    reasons
}

/// What a tool said at its end, as a line.
fn told(entry: &Entry) -> String {
    let headline = text::cut(&text::visible(&entry.headline), REASON);
    format!(
        "{} {}: {headline}",
        text::visible(&entry.tool),
        entry.status.word()
    )
}

/// `shop` of `acme/shop`; empty where there is no repository.
fn repository_name(context: &Context) -> String {
    let name = context.repository.rsplit('/').next().unwrap_or_default();
    name.to_owned()
}
