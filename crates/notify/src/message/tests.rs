//! What messages say, by what is known.

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
    let payload =
        br#"{"head_commit":{"message":"fix: \"quotes\" <!channel>\n\nlong","author":{"username":"ada"}}}"#;
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
