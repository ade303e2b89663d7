//! Answers that are none of S3's: of a web server, a console or a login page at the address that was named. Pure.

use gha::{accounts, text};

/// How much of an answer is shown, in characters.
const SHOWN: usize = 120;

/// An answer as the SDK gave it up.
#[derive(Clone, Copy, Debug)]
pub(super) struct Said<'a> {
    /// Its status.
    pub(super) status: u16,
    /// The code that the SDK found in it. S3 has one in each body that is no result, also with status 200
    /// (<https://docs.aws.amazon.com/AmazonS3/latest/API/ErrorResponses.html>).
    pub(super) code: Option<&'a str>,
    /// Its body; empty for an answer to `HEAD`.
    pub(super) body: &'a [u8],
}

/// What answered in place of S3, inert and cut; none where it may be S3. A gateway before a store answers with 5xx of its own,
/// which pass.
pub(super) fn foreign(said: &Said<'_>) -> Option<String> {
    let is_bare = said.body.trim_ascii().is_empty();
    let is_foreign = said.code.is_none()
        && match said.status {
            // A result that can't be read.
            200..=299 => true,
            300..=499 => !is_bare,
            _ => false,
        };
    is_foreign.then(|| {
        if is_bare {
            return format!("{} without a body", said.status);
        }
        // What is left out is more than what could grow by being made inert.
        let begin = text::excerpt(said.body.trim_ascii(), SHOWN * 4);
        let inert = text::visible(&accounts::without(&begin)).replace('`', "'");
        format!("{} `{}`", said.status, text::cut(inert.trim(), SHOWN))
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::{any, prop, proptest};

    fn said(status: u16, code: Option<&str>, body: &str) -> Option<String> {
        let body = body.as_bytes();
        foreign(&Said { status, code, body })
    }

    #[test]
    fn what_is_not_of_s3_is_told_apart() {
        for (status, code, body, answer) in [
            (200, None, "<html>hello</html>", Some("200 `<html>hello</html>`")),
            (200, None, "", Some("200 without a body")),
            (200, None, " \n", Some("200 without a body")),
            (200, None, "{}", Some("200 `{}`")),
            (404, None, "<h1>404</h1>\n", Some("404 `<h1>404</h1>`")),
            (302, None, "moved", Some("302 `moved`")),
            (403, None, "log in", Some("403 `log in`")),
            // Of S3, or of what stands before it.
            (200, Some("InternalError"), "<Error/>", None),
            (404, Some("NoSuchBucket"), "<Error/>", None),
            (404, None, "", None),
            (403, None, "", None),
            (301, None, "", None),
            (502, None, "<h1>Bad Gateway</h1>", None),
        ] {
            assert_eq!(said(status, code, body).as_deref(), answer, "{status} {body}");
        }
    }

    #[test]
    fn it_can_do_nothing_and_is_cut() {
        let shown = said(
            200,
            None,
            "`\n::error::x\u{1b}[31m##[x] arn:aws:iam::123456789012:role/x \u{202e}",
        )
        .unwrap();
        assert!(
            !shown.contains(['\n', '\u{1b}', '\u{202e}']) && !shown.contains("123456789012"),
            "{shown}"
        );
        let long = said(200, None, &"é".repeat(100_000)).unwrap();
        assert!(long.chars().count() < SHOWN + 10, "{long}");
    }

    proptest! {
        #[test]
        fn no_body_panics(status in any::<u16>(), body in prop::collection::vec(any::<u8>(), 0..2000)) {
            let _ = foreign(&Said { status, code: None, body: &body });
        }
    }
}
