//! The message, whatever it is sent to: made from the job's status, the ledger and the event. Pure.

use std::time::Duration;

use jiff::Timestamp;

use gha::context::Context;
use gha::ledger::{self, Entry};
use gha::outcome::Link;
use gha::{duration, text};

use crate::cli::JobStatus;
use crate::phase::{Phase, headline, phase};
use crate::severity::{self, Severity};

/// The longest first line, in characters; a Slack header takes 150.
const HEADLINE: usize = 150;
/// The longest reason, in characters.
const REASON: usize = 600;

/// What is known.
#[derive(Clone, Debug)]
pub struct Known<'a> {
    /// The job's status, if it was given.
    pub status: Option<JobStatus>,
    /// The results of all tools of the run, oldest first.
    pub entries: Vec<Entry>,
    /// The event.
    pub context: &'a Context,
    /// Now.
    pub now: Timestamp,
    /// What the user calls the service.
    pub service: Option<&'a str>,
    /// What the user calls the environment.
    pub environment: Option<&'a str>,
    /// What the user calls the version.
    pub release: Option<&'a str>,
    /// What the user adds.
    pub text: Option<&'a str>,
    /// How bad the user says it is.
    pub severity: Option<Severity>,
}

/// A message. All texts may be foreign: a channel escapes them for itself.
#[derive(Clone, Debug, PartialEq)]
pub struct Message {
    /// How it ended.
    pub phase: Phase,
    /// How bad that is.
    pub severity: Severity,
    /// What is deployed where, the same for each deploy of it: `acme/shop/production`.
    pub about: String,
    /// The first line, with the sign.
    pub headline: String,
    /// What failed and why, one line each.
    pub reasons: Vec<String>,
    /// What the user adds.
    pub text: Option<String>,
    /// Names and values, in the order in which a reader wants them.
    pub fields: Vec<(&'static str, String)>,
    /// Where to look next.
    pub links: Vec<Link>,
    /// Commands that undo what was done.
    pub undo: Vec<String>,
}

/// Makes the message; `None` where nothing at all is known.
#[must_use]
pub fn compose(known: &Known<'_>) -> Option<Message> {
    let entries: Vec<Entry> = ledger::verdicts(known.entries.clone())
        .into_iter()
        .filter(|entry| entry.tool != "notify")
        .collect();
    let phase = phase(known.status, &entries)?;
    let bad: Vec<&Entry> = entries.iter().filter(|entry| !entry.status.is_good()).collect();
    let environment = known.environment.or_else(|| {
        entries
            .iter()
            .rev()
            .find_map(|entry| entry.environment.as_deref())
    });
    let version = version(known, &entries);
    let took = entries
        .iter()
        .map(|entry| entry.started_at)
        .min()
        .and_then(|start| since(start, known.now));
    let name = known
        .service
        .map_or_else(|| repository_name(known.context), str::to_owned);
    let what = [name, version.clone().unwrap_or_default()]
        .join(" ")
        .trim()
        .to_owned();
    let headline = headline(phase, &what, environment, took, bad.len());
    Some(Message {
        phase,
        severity: known.severity.unwrap_or_else(|| severity::of(phase, &entries)),
        about: about(known, environment),
        headline: text::cut(&text::visible(&headline), HEADLINE),
        reasons: reasons(phase, &bad),
        text: known.text.map(str::to_owned),
        fields: fields(known, version, environment, took),
        links: links(known.context, &entries),
        undo: bad.iter().filter_map(|entry| entry.undo.clone()).collect(),
    })
}

/// What is deployed where: the repository, what the user calls the service, and the environment.
fn about(known: &Known<'_>, environment: Option<&str>) -> String {
    let parts = [
        known.context.repository.as_str(),
        known.service.unwrap_or_default(),
        environment.unwrap_or_default(),
    ];
    let parts: Vec<String> = parts
        .into_iter()
        .filter(|part| !part.is_empty())
        .map(|part| text::cut(&text::visible(part), 80))
        .collect();
    match parts.is_empty() {
        true => "deploy".to_owned(),
        false => parts.join("/"),
    }
}

/// What failed and why. A failed job without a failed entry failed in a step that is none of these tools.
fn reasons(phase: Phase, bad: &[&Entry]) -> Vec<String> {
    let mut reasons: Vec<String> = bad
        .iter()
        .map(|entry| {
            format!(
                "{} {}: {}",
                entry.tool,
                entry.status.word(),
                text::cut(&text::visible(&entry.headline), REASON)
            )
        })
        .collect();
    if reasons.is_empty() && phase == Phase::Failed {
        reasons.push("a step that writes no ledger failed; the run's log has the reason".to_owned());
    }
    reasons
}

/// What was deployed: the user's word, a version that a tool found, or the commit.
fn version(known: &Known<'_>, entries: &[Entry]) -> Option<String> {
    let fact = |entry: &Entry| {
        entry
            .facts
            .get("version")
            .and_then(|value| value.as_str())
            .map(str::to_owned)
    };
    let of_tool = || entries.iter().rev().find_map(fact).map(|version| short(&version));
    let version = known.release.map(str::to_owned).or_else(of_tool);
    version
        .or_else(|| Some(known.context.short_sha()))
        .filter(|version| !version.trim().is_empty())
}

/// A whole commit as people quote it; anything else as it is.
fn short(version: &str) -> String {
    let commit = version.len() == 40 && version.bytes().all(|byte| byte.is_ascii_hexdigit());
    if commit {
        version[..7].to_owned()
    } else {
        version.to_owned()
    }
}

/// Names and values.
fn fields(
    known: &Known<'_>,
    version: Option<String>,
    environment: Option<&str>,
    took: Option<Duration>,
) -> Vec<(&'static str, String)> {
    let context = known.context;
    let commit = context.commit();
    let subject = commit
        .as_ref()
        .map(|commit| commit.message.lines().next().unwrap_or_default().to_owned());
    let short_ref = context
        .git_ref
        .strip_prefix("refs/heads/")
        .or_else(|| context.git_ref.strip_prefix("refs/tags/"));
    let fields = [
        ("Version", version),
        ("Environment", environment.map(str::to_owned)),
        ("Duration", took.map(duration::display)),
        ("Ref", Some(short_ref.unwrap_or(&context.git_ref).to_owned())),
        (
            "Commit",
            Some([context.short_sha(), subject.unwrap_or_default()].join(" ")),
        ),
        ("Author", commit.map(|commit| commit.author)),
        ("Started by", Some(context.actor.clone())),
    ];
    let shown = |value: String| text::cut(text::visible(&value).trim(), 200);
    let known = fields
        .into_iter()
        .filter_map(|(name, value)| value.map(|value| (name, shown(value))));
    known.filter(|(_, value)| !value.is_empty()).collect()
}

/// Where to look next: the run, the commit, and what the tools name.
fn links(context: &Context, entries: &[Entry]) -> Vec<Link> {
    let link = |text: &str, url: Option<String>| {
        url.map(|url| Link {
            text: text.to_owned(),
            url,
        })
    };
    let own = [
        link("Run", context.run_url()),
        link("Commit", context.commit_url()),
    ];
    let theirs = entries
        .iter()
        .flat_map(|entry| entry.links.clone())
        .filter(|link| is_web(&link.url));
    let mut links: Vec<Link> = own.into_iter().flatten().chain(theirs).collect();
    links.truncate(8);
    links
}

/// Whether an address can be linked: a ledger line is foreign text too.
fn is_web(url: &str) -> bool {
    reqwest::Url::parse(url).is_ok_and(|url| matches!(url.scheme(), "http" | "https"))
}

/// `shop` of `acme/shop`; empty where there is no repository.
fn repository_name(context: &Context) -> String {
    let name = context.repository.rsplit('/').next().unwrap_or_default();
    name.to_owned()
}

/// The time since `start`; none where the clocks of two machines disagree.
fn since(start: Timestamp, now: Timestamp) -> Option<Duration> {
    Duration::try_from(now.duration_since(start)).ok()
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use gha::env::Env;
    use proptest::prelude::{any, proptest};
    use serde_json::json;

    pub(crate) fn entry(tool: &str, status: &str, headline: &str) -> Entry {
        serde_json::from_value(json!({
            "schema": ledger::SCHEMA, "tool": tool, "version": "1", "status": status, "exit": 0,
            "started_at": "2026-11-22T04:45:00Z", "duration_ms": 1000, "headline": headline,
            "facts": {"version": "1.2.3"}, "trace_id": "ab".repeat(16), "target": "t", "undo": "health-gate undo",
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
            status,
            entries,
            context: &context,
            now: "2026-11-22T04:48:12Z".parse().unwrap(),
            service: None,
            environment: Some("production"),
            release: None,
            text: None,
            severity: None,
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
                "❌ shop 1.2.3 not deployed to production: failed after 3m12s",
            ),
            (
                None,
                bad(),
                "❌ shop 1.2.3 not deployed to production: failed after 3m12s",
            ),
            (
                None,
                vec![entry("e", "rolled-back", "x")],
                "↩️ shop 1.2.3 rolled back on production after 3m12s",
            ),
            (
                Some(JobStatus::Cancelled),
                good(),
                "⚪ shop 1.2.3 not deployed to production: cancelled after 3m12s",
            ),
            (
                None,
                vec![entry("e", "cancelled", "x")],
                "⚪ shop 1.2.3 not deployed to production: cancelled after 3m12s",
            ),
        ] {
            assert_eq!(message(status, entries).unwrap().headline, line);
        }
        assert_eq!(message(None, vec![]), None);
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
        let elsewhere = message(Some(JobStatus::Failure), vec![entry("image-tag", "done", "x")]).unwrap();
        assert!(elsewhere.reasons[0].contains("the run's log has the reason"));
    }

    #[test]
    fn fields_and_links_come_from_the_event() {
        let message = message(Some(JobStatus::Success), vec![]).unwrap();
        assert!(
            message
                .fields
                .contains(&("Commit", "0123456 fix: \"quotes\" <!channel>".to_owned()))
        );
        assert!(message.fields.contains(&("Author", "ada".to_owned())));
        assert_eq!(
            message.links[0].url,
            "https://github.com/acme/shop/actions/runs/7/attempts/1"
        );
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
