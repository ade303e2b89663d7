//! Why a call failed, in plain words, and whether asking again can help. Pure.

use std::error::Error;
use std::time::Duration;

use gha::text;
use serde_json::Value;

/// How much of a server's own words is quoted, in characters: admission webhooks say what to mend at length.
const QUOTED: usize = 1200;

/// How much is quoted of what is no answer of the API.
const EXCERPT: usize = 120;

/// A call that failed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{text}")]
pub struct Refused {
    /// A lower-case fragment that names the call. Holds foreign text, made inert.
    pub text: String,
    /// Whether it may pass, and whose fault it is.
    pub trouble: Trouble,
    /// The status of the answer, where there was one.
    pub status: Option<u16>,
    /// The API's word for it, such as `Conflict`; empty where there is none.
    pub reason: String,
    /// The server's own words, inert.
    pub message: String,
    /// Whether the call may have been done all the same: no answer came, or one that says nothing about it.
    pub unknown: bool,
    /// How long the server wants to be left alone.
    pub retry_after: Option<Duration>,
}

/// Kinds of failures.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Trouble {
    /// It may pass: no answer, a fault of the server, throttling.
    Passing,
    /// The request or the object is wrong.
    Question,
    /// Credentials are missing, have ended or do not suffice.
    Access,
}

impl Refused {
    /// No answer came. `call` names it as a person would: `patch service web`.
    #[must_use]
    pub fn unanswered(call: &str, why: &str) -> Self {
        Self {
            text: format!("failed to {call}: {why}"),
            trouble: Trouble::Passing,
            status: None,
            reason: String::new(),
            message: why.to_owned(),
            unknown: true,
            retry_after: None,
        }
    }

    /// An answer that is no success. Its body is a `Status` of the API, or somebody else's page.
    #[must_use]
    pub fn answered(call: &str, status: u16, retry_after: Option<Duration>, body: &[u8]) -> Self {
        let said: Value = serde_json::from_slice(body).unwrap_or_default();
        let is_status = said["kind"] == "Status";
        let word = |key: &str| said[key].as_str().unwrap_or_default().to_owned();
        let reason = if is_status {
            text::line(&word("reason"))
        } else {
            String::new()
        };
        let message = if is_status {
            text::cut(&text::line(&word("message")), QUOTED)
        } else {
            format!(
                "the answer {status} is not one of Kubernetes: {}",
                text::line(&text::excerpt(body, EXCERPT))
            )
        };
        // A proxy between here and the API server says nothing of what became of the request.
        let passing = matches!(status, 408 | 425 | 429 | 500..) || (!is_status && status < 400);
        let trouble = match status {
            401 | 403 if is_status || status == 401 => trouble_of_denial(&message),
            _ if passing => Trouble::Passing,
            403 => Trouble::Access,
            _ => Trouble::Question,
        };
        let told = if message.is_empty() {
            format!("{status}")
        } else {
            message.clone()
        };
        Self {
            text: format!("failed to {call}: {told}"),
            trouble,
            status: Some(status),
            reason,
            message,
            unknown: status >= 500 || status == 408,
            retry_after,
        }
    }

    /// The request could not be made at all: nothing was sent.
    #[must_use]
    pub fn unsent(call: &str, why: &str, trouble: Trouble) -> Self {
        Self {
            trouble,
            unknown: false,
            ..Self::unanswered(call, why)
        }
    }

    /// Whether it may pass.
    #[must_use]
    pub fn may_pass(&self) -> bool {
        self.trouble == Trouble::Passing
    }

    /// Whether it is about credentials or permissions.
    #[must_use]
    pub fn is_access(&self) -> bool {
        self.trouble == Trouble::Access
    }

    /// Whether the thing is not there.
    #[must_use]
    pub fn is_missing(&self) -> bool {
        self.status == Some(404)
    }

    /// Whether something of the name is there already.
    #[must_use]
    pub fn is_there_already(&self) -> bool {
        self.status == Some(409) && self.reason == "AlreadyExists"
    }

    /// Whether somebody else was there first: an older resource version, a field that another manager has, or a `test` of a JSON
    /// patch that did not hold. The last answers 422, as a patch does that fits nothing: the answer does not say which.
    #[must_use]
    pub fn is_condition(&self) -> bool {
        matches!(self.status, Some(409)) && !self.is_there_already()
            || (self.status == Some(422) && self.message.contains("rejected our request"))
            || (self.status == Some(422) && self.message.contains("testing value"))
    }

    /// Whether an admission webhook, a quota or a policy said no.
    #[must_use]
    pub fn is_admission(&self) -> bool {
        self.message.contains("admission webhook")
            || self.message.contains("exceeded quota")
            || self.message.contains("violates PodSecurity")
            || self.message.contains("ValidatingAdmissionPolicy")
    }
}

/// A webhook and a quota deny with the status of a missing permission; credentials have nothing to do with it.
fn trouble_of_denial(message: &str) -> Trouble {
    let is_policy = [
        "admission webhook",
        "exceeded quota",
        "violates PodSecurity",
        "ValidatingAdmissionPolicy",
    ]
    .iter()
    .any(|word| message.contains(word));
    let is_terminating = message.contains("is being terminated");
    if is_policy || is_terminating {
        Trouble::Question
    } else {
        Trouble::Access
    }
}

/// The innermost words of a chain of errors, which say most.
#[must_use]
pub fn innermost(error: &(dyn Error + 'static)) -> String {
    let mut last: &(dyn Error + 'static) = error;
    while let Some(source) = last.source() {
        last = source;
    }
    text::cut(&text::line(&last.to_string()), EXCERPT * 2)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn status(reason: &str, message: &str) -> Vec<u8> {
        serde_json::to_vec(&serde_json::json!({"kind": "Status", "reason": reason, "message": message}))
            .unwrap()
    }

    #[test]
    fn answers_are_sorted_by_what_can_help() {
        let forbidden = status(
            "Forbidden",
            "services \"web\" is forbidden: User \"x\" cannot patch",
        );
        let webhook = status(
            "Forbidden",
            "admission webhook \"p.example\" denied the request: no",
        );
        let cases: [(u16, &[u8], Trouble, bool); 8] = [
            (403, &forbidden, Trouble::Access, false),
            (403, &webhook, Trouble::Question, false),
            (401, b"Unauthorized", Trouble::Access, false),
            (
                404,
                &status("NotFound", "services \"web\" not found"),
                Trouble::Question,
                false,
            ),
            (429, b"", Trouble::Passing, false),
            (500, b"<html>", Trouble::Passing, true),
            (503, b"", Trouble::Passing, true),
            (422, &status("Invalid", "is invalid"), Trouble::Question, false),
        ];
        for (code, body, trouble, unknown) in cases {
            let refused = Refused::answered("patch service web", code, None, body);
            assert_eq!((refused.trouble, refused.unknown), (trouble, unknown), "{code}");
        }
    }

    #[test]
    fn a_page_of_a_proxy_is_told_as_that() {
        let refused = Refused::answered("get service web", 502, None, b"<html>\n::error::x</html>");
        assert!(refused.text.contains("not one of Kubernetes"), "{}", refused.text);
        assert!(!refused.text.contains('\n'));
    }

    #[test]
    fn a_condition_that_does_not_hold_is_known() {
        let test = status(
            "Invalid",
            "the server rejected our request due to an error in our request",
        );
        assert!(Refused::answered("patch service web", 422, None, &test).is_condition());
        assert!(Refused::answered("x", 409, None, &status("Conflict", "modified")).is_condition());
        let exists = Refused::answered("x", 409, None, &status("AlreadyExists", "exists"));
        assert!(!exists.is_condition() && exists.is_there_already());
    }
}
