//! When to send again, and when to give up: the policy of a delivery. Pure.
//!
//! A message whose fate is unknown is sent again only where the receiver knows it by its id; anywhere else a reader
//! would see it twice.

use std::time::Duration;

use gha::text;
use jiff::Timestamp;
use reqwest::Url;

/// How much of an answer is told, in characters.
const BODY: usize = 200;

/// How many times a message is sent at most.
const TRIES: u32 = 5;

/// A wait beyond which its length says nothing.
const DAY: Duration = Duration::from_secs(24 * 60 * 60);

/// What came of one try.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Answer {
    /// An answer.
    Status {
        /// Its status code.
        code: u16,
        /// How long to wait, if the receiver says so.
        retry_after: Option<Duration>,
        /// Its body, without secrets. Foreign text.
        body: String,
    },
    /// The request surely did not arrive.
    NotSent(String),
    /// It may have arrived.
    Unknown(String),
}

impl Answer {
    /// The same, with the wait that its body names where no header did.
    #[must_use]
    pub fn or_wait(self, of_body: impl FnOnce(&str) -> Option<Duration>) -> Self {
        match self {
            Self::Status {
                code,
                retry_after: None,
                body,
            } => Self::Status {
                code,
                retry_after: of_body(&body),
                body,
            },
            other => other,
        }
    }
}

/// What to do next.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Next {
    /// Nothing: it arrived.
    Delivered,
    /// Send it again after this time.
    Again(Duration),
    /// Give up, for this reason.
    GiveUp(String),
}

/// What to do after the `tries`-th try. `accepted` says whether the channel takes a successful answer as an arrival,
/// `repeatable` whether the receiver knows a repeated message, `left` how much time there is, and `jitter`, from 0
/// to 1, spreads the waits of many jobs.
#[must_use]
pub fn next(
    answer: &Answer,
    accepted: bool,
    repeatable: bool,
    tries: u32,
    left: Duration,
    jitter: f64,
) -> Next {
    let backoff = Duration::from_secs(1 << tries.min(4)).mul_f64(jitter.clamp(0.05, 1.0));
    let again = |reason: String, wait: Duration| {
        if tries >= TRIES {
            Next::GiveUp(format!("{reason}, {tries} times"))
        } else if wait >= left {
            let left = gha::duration::display(left);
            let wait = match wait > DAY {
                true => "more than a day".to_owned(),
                false => gha::duration::display(wait),
            };
            Next::GiveUp(format!(
                "{reason}; the next try would be in {wait}, and there are {left} left"
            ))
        } else {
            Next::Again(wait)
        }
    };
    match answer {
        Answer::NotSent(reason) => again(reason.clone(), backoff),
        Answer::Unknown(reason) if repeatable => again(reason.clone(), backoff),
        Answer::Unknown(reason) => {
            Next::GiveUp(format!("{reason}; it may have arrived, so it is not sent again"))
        }
        Answer::Status { code: 200..=299, .. } if accepted => Next::Delivered,
        Answer::Status {
            code,
            retry_after,
            body,
        } => {
            let body = text::visible(&text::cut(body.trim(), BODY));
            let shown = if body.is_empty() {
                String::new()
            } else {
                format!(" `{body}`")
            };
            let reason = format!("the receiver answered {code}{shown}");
            match code {
                429 | 503 => again(reason, retry_after.unwrap_or(backoff)),
                // A refusal for a while: https://docs.github.com/en/rest/using-the-rest-api/rate-limits-for-the-rest-api#exceeding-the-rate-limit
                403 if retry_after.is_some() => again(reason, retry_after.unwrap_or(backoff)),
                408 | 425 | 500..=599 if repeatable => again(reason, retry_after.unwrap_or(backoff)),
                // It would take the secret elsewhere.
                300..=399 => Next::GiveUp(format!("{reason}; a redirect is not followed")),
                _ => Next::GiveUp(reason),
            }
        }
    }
}

/// Reads `Retry-After`: seconds, or the moment from which to try again, in one of its three forms
/// (<https://www.rfc-editor.org/rfc/rfc9110#section-10.2.3>, <https://www.rfc-editor.org/rfc/rfc9110#section-5.6.7>).
#[must_use]
pub fn retry_after(header: Option<&str>, now: Timestamp) -> Option<Duration> {
    let header = header?.trim();
    if let Ok(seconds) = header.parse::<f64>() {
        return wait(seconds);
    }
    let moment = Timestamp::try_from(httpdate::parse_http_date(header).ok()?).ok()?;
    // One that is over by now is no time at all.
    Some(Duration::try_from(moment.duration_since(now)).unwrap_or_default())
}

/// Reads GitHub's own headers: how many requests are left, and the second from which there are more
/// (<https://docs.github.com/en/rest/using-the-rest-api/rate-limits-for-the-rest-api#checking-the-status-of-your-rate-limit>).
#[must_use]
pub fn resets_after((remaining, reset): (Option<&str>, Option<&str>), now: Timestamp) -> Option<Duration> {
    if remaining?.trim() != "0" {
        return None;
    }
    let moment = Timestamp::from_second(reset?.trim().parse().ok()?).ok()?;
    Some(Duration::try_from(moment.duration_since(now)).unwrap_or_default())
}

/// Reads from `Link` where the answer goes on (<https://www.rfc-editor.org/rfc/rfc8288>).
#[must_use]
pub fn next_page(link: Option<&str>) -> Option<Url> {
    link?.split(',').find_map(|link| {
        let (address, parameters) = link.trim().strip_prefix('<')?.split_once('>')?;
        let mut parameters = parameters.split(';').map(str::trim);
        let is_next = parameters.any(|one| matches!(one, "rel=\"next\"" | "rel=next"));
        is_next.then(|| Url::parse(address).ok()).flatten()
    })
}

/// So many seconds; none where that is no time.
#[must_use]
pub fn wait(seconds: f64) -> Option<Duration> {
    // More than fits is for ever: it must not become a short wait.
    (seconds >= 0.0).then(|| Duration::try_from_secs_f64(seconds).unwrap_or(Duration::MAX))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::{any, proptest};

    fn status(code: u16, wait: Option<u64>) -> Answer {
        Answer::Status {
            code,
            retry_after: wait.map(Duration::from_secs),
            body: "no_service".to_owned(),
        }
    }

    #[test]
    fn each_answer_has_its_consequence() {
        let minute = Duration::from_secs(60);
        let again = |seconds| Next::Again(Duration::from_secs(seconds));
        let refused = || Next::GiveUp("the receiver answered 404 `no_service`".to_owned());
        for (answer, accepted, repeatable, tries, expected) in [
            (status(200, None), true, false, 1, Next::Delivered),
            (status(204, None), true, false, 1, Next::Delivered),
            (status(200, None), false, false, 1, Next::GiveUp("the receiver answered 200 `no_service`".to_owned())),
            (status(404, None), true, false, 1, refused()),
            (
                status(302, None),
                true,
                true,
                1,
                Next::GiveUp("the receiver answered 302 `no_service`; a redirect is not followed".to_owned()),
            ),
            (status(429, Some(30)), true, false, 1, again(30)),
            (status(503, None), true, false, 1, again(2)),
            (status(503, None), true, false, 3, again(8)),
            (status(500, None), true, false, 1, Next::GiveUp("the receiver answered 500 `no_service`".to_owned())),
            (status(500, None), true, true, 2, again(4)),
            (Answer::NotSent("refused".to_owned()), true, false, 1, again(2)),
            (Answer::NotSent("refused".to_owned()), true, false, 5, Next::GiveUp("refused, 5 times".to_owned())),
            (Answer::Unknown("slow".to_owned()), true, true, 1, again(2)),
            (
                Answer::Unknown("slow".to_owned()),
                true,
                false,
                1,
                Next::GiveUp("slow; it may have arrived, so it is not sent again".to_owned()),
            ),
            (
                status(429, Some(90)),
                true,
                false,
                1,
                Next::GiveUp(
                    "the receiver answered 429 `no_service`; the next try would be in 1m30s, and there are 1m left".to_owned(),
                ),
            ),
        ] {
            assert_eq!(next(&answer, accepted, repeatable, tries, minute, 1.0), expected, "{answer:?}");
        }
    }

    #[test]
    fn reads_the_header() {
        let now: Timestamp = "2026-11-23T10:00:00Z".parse().unwrap();
        for (header, wait) in [
            (Some("30"), Some(30_000)),
            (Some(" 1.5 "), Some(1_500)),
            (Some("-1"), None),
            (Some("NaN"), None),
            (Some("1e300"), Some(u64::MAX)),
            (Some("Fri, 31 Dec 1999 23:59:59 GMT"), Some(0)),
            (Some("Mon, 23 Nov 2026 10:00:30 GMT"), Some(30_000)),
            (Some("Monday, 23-Nov-26 10:00:30 GMT"), Some(30_000)),
            (Some("Mon Nov 23 10:00:30 2026"), Some(30_000)),
            (Some("tomorrow"), None),
            (None, None),
        ] {
            assert_eq!(
                retry_after(header, now),
                wait.map(|wait| if wait == u64::MAX {
                    Duration::MAX
                } else {
                    Duration::from_millis(wait)
                }),
                "{header:?}"
            );
        }
    }

    #[test]
    fn a_refusal_for_a_while_is_waited_for() {
        let minute = Duration::from_secs(60);
        let forbidden = |wait| next(&status(403, wait), true, true, 1, minute, 1.0);
        assert_eq!(forbidden(Some(9)), Next::Again(Duration::from_secs(9)));
        assert!(matches!(forbidden(None), Next::GiveUp(_)));
        let now: Timestamp = "2026-11-23T10:00:00Z".parse().unwrap();
        let reset = (now.as_second() + 40).to_string();
        for (remaining, reset, wait) in [
            (Some("0"), Some(reset.as_str()), Some(40)),
            (Some("0"), Some("1"), Some(0)),
            (Some("1"), Some(&reset), None),
            (Some("0"), None, None),
            (Some("0"), Some("soon"), None),
            (None, Some(&reset), None),
        ] {
            assert_eq!(
                resets_after((remaining, reset), now),
                wait.map(Duration::from_secs)
            );
        }
    }

    #[test]
    fn the_next_page_is_named() {
        let both = r#"<https://x/?page=1>; rel="prev", <https://x/?page=3>; rel="next", <https://x/?page=9>; rel="last""#;
        for (link, page) in [
            (Some(both), Some("https://x/?page=3")),
            (Some("<https://x/?a=1,2>; rel=last"), None),
            (Some("<nowhere>; rel=\"next\""), None),
            (Some("rel=\"next\""), None),
            (None, None),
        ] {
            assert_eq!(
                next_page(link),
                page.map(|page| Url::parse(page).unwrap()),
                "{link:?}"
            );
        }
    }

    proptest! {
        #[test]
        fn never_waits_past_the_end(code in any::<u16>(), wait in proptest::option::of(0u64..1000), tries in 1u32..9, left in 0u64..100, jitter in 0.0f64..1.0) {
            let left = Duration::from_secs(left);
            if let Next::Again(wait) = next(&status(code, wait), true, true, tries, left, jitter) {
                assert!(wait < left && tries < TRIES);
            }
        }

        #[test]
        fn no_header_panics(header in any::<String>()) {
            let _ = retry_after(Some(&header), Timestamp::UNIX_EPOCH);
        }
    }
}
