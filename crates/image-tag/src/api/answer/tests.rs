//! The policy as tables, and for any answer.

use super::*;
use proptest::prelude::{any, proptest};
use reqwest::header::{HeaderName, HeaderValue};
use serde_json::json;

const NOW: i64 = 1_700_000_000;

fn course(tries: u32, left: u64) -> Course<'static> {
    Course {
        tries,
        redirects: 0,
        versioned: true,
        left: Duration::from_secs(left),
        backoff: Duration::from_millis(300),
        now: Timestamp::from_second(NOW).unwrap(),
        token: "sesame-sesame",
    }
}

fn answer(status: u16, headers: &[(&str, &str)], body: &str) -> Tried {
    let name = |name: &str| name.parse::<HeaderName>().unwrap();
    let headers = headers
        .iter()
        .map(|(key, value)| (name(key), HeaderValue::from_str(value).unwrap()));
    Tried::Answer(Answer {
        status,
        headers: headers.collect(),
        body: body.as_bytes().to_vec(),
    })
}

fn waits(next: Next) -> Option<u64> {
    match next {
        Next::Again(wait) => u64::try_from(wait.as_millis()).ok(),
        _ => None,
    }
}

#[test]
fn what_is_tried_again_and_when() {
    let reset = |seconds: i64| (NOW + seconds).to_string();
    let date = "Tue, 14 Nov 2023 22:13:23 GMT"; // NOW and three seconds
    for (status, headers, wait) in [
        (500, vec![], Some(300)),
        (503, vec![("retry-after", "2")], Some(2000)),
        (503, vec![("retry-after", "15")], None),
        (599, vec![], Some(300)),
        (429, vec![], Some(300)),
        (429, vec![("retry-after", "0")], Some(300)),
        (429, vec![("retry-after", "3")], Some(3000)),
        (429, vec![("retry-after", date)], Some(3000)),
        (
            429,
            vec![("retry-after", "Tuesday, 14-Nov-23 22:13:23 GMT")],
            Some(3000),
        ),
        (429, vec![("retry-after", "Tue Nov 14 22:13:23 2023")], Some(3000)),
        (
            429,
            vec![("retry-after", "Tue, 14 Nov 2023 22:00:00 GMT")],
            Some(300),
        ),
        (429, vec![("retry-after", "soon")], Some(300)),
        (429, vec![("retry-after", "99999999999999999999999")], None),
        (
            429,
            vec![("x-ratelimit-remaining", "0"), ("x-ratelimit-reset", &reset(4))],
            Some(4000),
        ),
        (
            429,
            vec![("x-ratelimit-remaining", "0"), ("x-ratelimit-reset", &reset(900))],
            None,
        ),
        (
            429,
            vec![("x-ratelimit-remaining", "7"), ("x-ratelimit-reset", &reset(900))],
            Some(300),
        ),
        (403, vec![("retry-after", "1")], None),
        (401, vec![], None),
        (404, vec![], None),
        (409, vec![], None),
        (422, vec![], None),
        (418, vec![], None),
    ] {
        assert_eq!(
            waits(next(&answer(status, &headers, ""), &course(1, 14))),
            wait,
            "{status} {headers:?}"
        );
    }
    let failed = Tried::Failed("connection reset".to_owned());
    assert_eq!(waits(next(&failed, &course(2, 14))), Some(300));
    assert_eq!(waits(next(&failed, &course(3, 14))), None);
    assert_eq!(waits(next(&failed, &course(1, 0))), None);
    assert_eq!(
        next(&Tried::TooLarge(9), &course(1, 14)),
        Next::GiveUp(Why::TooLarge(9))
    );
}

#[test]
fn what_is_followed_and_what_is_asked_otherwise() {
    for status in [301, 302, 307, 308] {
        assert_eq!(next(&answer(status, &[], ""), &course(1, 14)), Next::Follow);
        let last = Course {
            redirects: 3,
            ..course(1, 14)
        };
        assert!(matches!(
            next(&answer(status, &[], ""), &last),
            Next::GiveUp(Why::Redirect(_))
        ));
    }
    for status in [400, 410] {
        assert_eq!(next(&answer(status, &[], ""), &course(1, 14)), Next::Unversioned);
        let plain = Course {
            versioned: false,
            ..course(1, 14)
        };
        assert!(matches!(
            next(&answer(status, &[], ""), &plain),
            Next::GiveUp(Why::Refused { .. })
        ));
    }
    assert_eq!(next(&answer(200, &[], ""), &course(1, 14)), Next::Read);
    for status in [204, 206, 300, 303, 304] {
        assert!(
            matches!(next(&answer(status, &[], ""), &course(1, 14)), Next::GiveUp(_)),
            "{status}"
        );
    }
}

#[test]
fn a_limit_is_told_from_a_missing_permission() {
    let reset = (NOW + 60).to_string();
    let spent = [
        ("x-ratelimit-remaining", "0"),
        ("x-ratelimit-reset", reset.as_str()),
    ];
    let missing = [
        ("x-accepted-github-permissions", "contents=read"),
        ("x-ratelimit-remaining", "4999"),
    ];
    for (headers, message, limited) in [
        (&spent[..], "API rate limit exceeded", true),
        (&[("retry-after", "60")], "slow down", true),
        (&[], "You have exceeded a secondary rate limit", true),
        (&missing, "Resource not accessible by integration", false),
    ] {
        let body = json!({"message": message}).to_string();
        match next(&answer(403, headers, &body), &course(1, 14)) {
            Next::GiveUp(Why::Limited { until, .. }) => {
                assert!(limited, "{message}");
                let minute = Timestamp::from_second(NOW + 60).unwrap();
                assert_eq!(until, (!headers.is_empty()).then_some(minute));
            }
            Next::GiveUp(Why::Refused { permissions, .. }) => {
                assert!(!limited, "{message}");
                assert_eq!(permissions.as_deref(), Some("contents=read"));
            }
            other => panic!("{other:?}"),
        }
    }
}

#[test]
fn a_message_is_one_short_line_without_the_token() {
    let said = |headers: &[(&str, &str)], body: &str| match next(&answer(404, headers, body), &course(1, 14))
    {
        Next::GiveUp(Why::Refused { message, .. }) => message,
        other => panic!("{other:?}"),
    };
    assert_eq!(said(&[], r#"{"message":"a\nb"}"#), "a\\nb");
    assert_eq!(said(&[], r#"{"message":"for sesame\u002dsesame"}"#), "for ***");
    let half = json!({"message": format!("{}sesame-sesame", "x".repeat(195))}).to_string();
    assert_eq!(said(&[], &half), format!("{}***", "x".repeat(195)));
    assert_eq!(
        said(&[], &json!({"message": "x".repeat(300)}).to_string())
            .chars()
            .count(),
        MESSAGE
    );
    assert_eq!(
        said(&[("content-type", "text/plain")], " no such host\n"),
        "no such host"
    );
    for body in ["<html>", "[]", r#"{"message":7}"#, "\u{feff}", ""] {
        assert_eq!(said(&[], body), "", "{body}");
    }
}

#[test]
fn a_date_is_the_committer_s() {
    let at = |date: Value| {
        commit_date(
            &json!({"commit": {"author": {"date": "2001-01-01T00:00:00Z"}, "committer": {"date": date}}}),
        )
    };
    assert_eq!(at(json!("2023-11-14T22:13:20Z")).unwrap().as_second(), NOW);
    assert_eq!(at(json!("2023-11-15T00:13:20+02:00")).unwrap().as_second(), NOW);
    for date in [json!(null), json!("yesterday"), json!(7), json!("")] {
        assert!(matches!(at(date), Err(Why::Unreadable(_))));
    }
    assert!(commit_date(&json!({"sha": "x", "commit": {"committer": null}})).is_err());
    assert!(commit_date(&json!([])).is_err());
}

proptest! {
    #[test]
    fn never_waits_past_the_end(status in 100u16..600, after in any::<Option<u32>>(), tries in 1u32..9, left in 0u64..100) {
        let after = after.map(|seconds| seconds.to_string());
        let headers: Vec<_> = after.iter().map(|after| ("retry-after", after.as_str())).collect();
        let course = course(tries, left);
        if let Next::Again(wait) = next(&answer(status, &headers, ""), &course) {
            assert!(wait < course.left && tries < TRIES && wait >= course.backoff);
        }
    }

    #[test]
    fn no_answer_panics_or_shows_the_token(status in 100u16..600, header in "[ -~]{0,40}", reset in "[ -~]{0,40}", body in any::<String>()) {
        let headers = [("retry-after", header.as_str()), ("x-ratelimit-remaining", "0"), ("x-ratelimit-reset", &reset)];
        for headers in [&headers[..], &headers[1..]] {
            let body = json!({"message": format!("{body}sesame-sesame{body}")}).to_string();
            if let Next::GiveUp(why) = next(&answer(status, headers, &body), &course(3, 14)) {
                assert!(!why.to_string().contains("sesame-sesame"), "{why}");
                assert!(!why.to_string().contains('\n'));
            }
        }
    }
}
