//! The message, whatever it is sent to: made from the job's status, the ledger and the event. Pure.

use jiff::Timestamp;

use gha::context::Context;
use gha::ledger::{self, Entry};
use gha::outcome::Link;
use gha::text;

use crate::cli::{Event, JobStatus};
use crate::phase::{Line, Phase, headline, phase};
use crate::severity::{self, Severity};
use crate::stands::{Stands, is_asked_way_back, stands, went_well};
use crate::subject::Subject;
use crate::times::{self, Times};

mod fields;

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
    let environment = event.environment.as_deref().or(begun).or_else(of_ledger);
    let service = event.service.as_ref().or_else(|| known.about?.service.as_ref());
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
    let title = event.title.as_ref().filter(|title| !title.trim().is_empty());
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
        text: event.text.clone(),
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
    if reasons.is_empty() && phase == Phase::Failed {
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

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use gha::env::Env;
    use proptest::prelude::{any, proptest};
    use serde_json::json;

    pub(crate) fn entry(tool: &str, status: &str, headline: &str) -> Entry {
        let undo = (tool != "image-tag").then_some("health-gate undo");
        serde_json::from_value(json!({
            "schema": ledger::SCHEMA, "tool": tool, "version": "1", "status": status, "exit": 0,
            "started_at": "2026-11-22T04:45:00Z", "duration_ms": 1000, "headline": headline,
            "facts": {"version": "1.2.3"}, "trace_id": "ab".repeat(16), "target": "t", "undo": undo,
        }))
        .unwrap()
    }

    pub(crate) fn context() -> Context {
        let env: Env = [
            ("GITHUB_REPOSITORY", "acme/shop"),
            ("GITHUB_SHA", "0123456789abcdef"),
            ("GITHUB_RUN_ID", "7"),
            ("GITHUB_REF", "refs/heads/main"),
            ("GITHUB_ACTOR", "ada"),
        ]
        .into_iter()
        .collect();
        let payload = br#"{"head_commit":{"message":"fix: \"quotes\" <!channel>\n\nlong","author":{"username":"ada"}}}"#;
        Context::of(&env, Some(Ok(payload.to_vec())))
    }

    pub(crate) fn message(status: Option<JobStatus>, entries: Vec<Entry>) -> Option<Message> {
        let context = context();
        compose(&Known {
            begins: false,
            status,
            entries,
            context: &context,
            now: "2026-11-22T04:48:12Z".parse().unwrap(),
            began: None,
            about: None,
            cause: None,
            event: &Event {
                environment: Some("production".to_owned()),
                ..Event::default()
            },
        })
    }

    #[test]
    fn the_first_line_says_what_where_and_how_long() {
        let good = || {
            vec![
                entry("image-tag", "done", "x"),
                entry("health-gate", "unchanged", "y"),
            ]
        };
        let bad = || {
            vec![
                entry("image-tag", "done", "x"),
                entry("health-gate", "failed", "http://x is not ready"),
            ]
        };
        for (status, entries, line) in [
            (
                Some(JobStatus::Success),
                good(),
                "✅ shop 1.2.3 deployed to production in 3m12s",
            ),
            (None, good(), "✅ shop 1.2.3 deployed to production in 3m12s"),
            (
                Some(JobStatus::Success),
                vec![],
                "✅ shop 0123456 deployed to production",
            ),
            (
                Some(JobStatus::Success),
                bad(),
                "✅ shop 1.2.3 deployed to production in 3m12s, with warnings",
            ),
            (
                Some(JobStatus::Failure),
                bad(),
                "❌ deploy of shop 1.2.3 to production failed: http://x is not ready",
            ),
            (
                None,
                bad(),
                "❌ deploy of shop 1.2.3 to production failed: http://x is not ready",
            ),
            (
                Some(JobStatus::Failure),
                good(),
                "❌ deploy of shop 1.2.3 to production failed after 3m12s",
            ),
            (
                None,
                vec![entry("e", "failed", "the cause"), entry("f", "rolled-back", "x")],
                "↩️ shop 1.2.3 rolled back on production: the cause",
            ),
            (
                Some(JobStatus::Cancelled),
                good(),
                "⚪ deploy of shop 1.2.3 to production cancelled after 3m12s",
            ),
            (
                None,
                vec![entry("e", "cancelled", "x")],
                "⚪ deploy of shop 1.2.3 to production cancelled after 3m12s",
            ),
        ] {
            assert_eq!(message(status, entries).unwrap().headline, line);
        }
        assert_eq!(message(None, vec![]), None);
    }

    #[test]
    fn the_first_line_claims_what_the_tools_know() {
        let deploy = |status: &str, exit, undo: Option<&str>| Entry {
            exit,
            undo: undo.map(str::to_owned),
            ..entry("ecs-deploy", status, "what ECS said")
        };
        let (done, failed) = (deploy("done", 0, Some("undo")), deploy("failed", 3, None));
        let gate = || entry("health-gate", "failed", "x answered 503");
        let (up, back) = (
            deploy("rolled-back", 3, None),
            deploy("rolled-back", 0, Some("undo")),
        );
        let needs = deploy("needs-human", 5, None);
        let [success, failure, cancelled, skipped] = [
            JobStatus::Success,
            JobStatus::Failure,
            JobStatus::Cancelled,
            JobStatus::Skipped,
        ]
        .map(Some);
        for (status, entries, line) in [
            (
                failure,
                vec![failed.clone()],
                "❌ shop 1.2.3 not deployed to production: what ECS said",
            ),
            (
                failure,
                vec![done.clone(), gate()],
                "❌ deploy of shop 1.2.3 to production failed, not rolled back: x answered 503",
            ),
            (
                failure,
                vec![done.clone()],
                "❌ deploy of shop 1.2.3 to production failed after 3m12s, not rolled back",
            ),
            (
                failure,
                vec![gate(), up.clone()],
                "↩️ shop 1.2.3 rolled back on production: x answered 503",
            ),
            (
                failure,
                vec![gate(), back.clone()],
                "↩️ shop 1.2.3 rolled back on production: x answered 503",
            ),
            (
                failure,
                vec![
                    Entry {
                        target: Some("site".to_owned()),
                        ..done.clone()
                    },
                    up.clone(),
                ],
                "↩️ shop 1.2.3 rolled back on production in part: what ECS said",
            ),
            (
                cancelled,
                vec![deploy("rolled-back", 143, None)],
                "⚪ shop 1.2.3 not deployed to production: cancelled after 3m12s",
            ),
            (
                cancelled,
                vec![done.clone()],
                "⚪ deploy of shop 1.2.3 to production cancelled after 3m12s, not rolled back",
            ),
            // `continue-on-error` makes a job successful in which the deploy was not.
            (
                success,
                vec![up.clone()],
                "↩️ shop 1.2.3 rolled back on production: what ECS said",
            ),
            (
                success,
                vec![failed.clone()],
                "❌ shop 1.2.3 not deployed to production: what ECS said",
            ),
            (
                success,
                vec![needs],
                "❌ deploy of shop 1.2.3 to production failed: what ECS said",
            ),
            (
                success,
                vec![done.clone(), gate()],
                "✅ shop 1.2.3 deployed to production in 3m12s, with warnings",
            ),
            // A way back that somebody asked for.
            (
                success,
                vec![back.clone()],
                "✅ shop 1.2.3 rolled back on production in 3m12s",
            ),
            (
                None,
                vec![back.clone()],
                "✅ shop 1.2.3 rolled back on production in 3m12s",
            ),
            (
                skipped,
                vec![failed],
                "❌ shop 1.2.3 not deployed to production: what ECS said",
            ),
        ] {
            assert_eq!(message(status, entries).unwrap().headline, line);
        }
        let good = message(success, vec![back]).unwrap();
        assert_eq!(
            (good.phase, good.severity, good.reasons.len()),
            (Phase::Succeeded, Severity::Low, 0)
        );
        assert_eq!(good.done, ["ecs-deploy rolled-back: what ECS said"]);
        assert_eq!(message(success, vec![up]).unwrap().severity, Severity::Medium);
    }

    #[test]
    fn a_failure_says_what_failed_and_why() {
        let failed = message(
            Some(JobStatus::Failure),
            vec![entry("health-gate", "failed", "x is not ready: 503")],
        )
        .unwrap();
        assert_eq!(failed.reasons, ["health-gate failed: x is not ready: 503"]);
        assert_eq!(failed.undo, ["health-gate undo"]);
        let undo = |tool: &str, status: &str, undo: Option<&str>| Entry {
            undo: undo.map(str::to_owned),
            ..entry(tool, status, "x")
        };
        let deployed = undo("ecs-deploy", "done", Some("ecs-deploy rollback"));
        let published = undo("s3-cdn-publish", "done", Some("s3-cdn-publish rollback"));
        let behind = undo("health-gate", "failed", None);
        let stands = message(
            Some(JobStatus::Failure),
            vec![deployed.clone(), published, behind],
        )
        .unwrap();
        assert_eq!(stands.undo, ["s3-cdn-publish rollback", "ecs-deploy rollback"]);
        // A later run of the tool has taken it back.
        let back = message(None, vec![deployed, undo("ecs-deploy", "rolled-back", None)]).unwrap();
        assert!(back.undo.is_empty());
        let elsewhere = message(Some(JobStatus::Failure), vec![entry("image-tag", "done", "x")]).unwrap();
        assert!(elsewhere.reasons[0].contains("the run's log has the reason"));
    }

    #[test]
    fn a_title_takes_the_place_of_the_first_line_and_keeps_the_sign() {
        let context = context();
        let known = |begins| {
            compose(&Known {
                begins,
                status: Some(JobStatus::Failure),
                entries: vec![],
                context: &context,
                now: "2026-11-22T04:48:12Z".parse().unwrap(),
                began: None,
                about: None,
                cause: None,
                event: &Event {
                    title: Some("Nightly export".to_owned()).filter(|_| !begins),
                    ..Event::default()
                },
            })
            .unwrap()
        };
        assert_eq!(known(false).headline, "❌ Nightly export");
        assert_eq!(known(true).headline, "⏳ shop 0123456 is being deployed");
        assert_eq!(known(true).phase, Phase::Started);
    }

    #[test]
    fn a_re_run_replaces_an_earlier_verdict() {
        let again = vec![
            entry("health-gate", "failed", "x"),
            entry("health-gate", "done", "y"),
            entry("notify", "failed", "z"),
        ];
        assert_eq!(message(None, again).unwrap().phase, Phase::Succeeded);
    }

    proptest! {
        #[test]
        fn a_headline_is_one_short_line(tool in any::<String>(), headline in any::<String>()) {
            let message = message(Some(JobStatus::Failure), vec![entry(&tool, "failed", &headline)]).unwrap();
            assert!(message.headline.chars().count() <= HEADLINE && !message.headline.contains('\n'));
            assert!(message.reasons.iter().all(|reason| reason.len() < 20_000));
        }
    }
}
