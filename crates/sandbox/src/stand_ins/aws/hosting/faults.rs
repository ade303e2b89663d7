//! What goes wrong with a call, who acts beside it, and which calls a selector means.

use std::time::Duration;

use super::log::{self, HostingEntry};
use super::stock::Stock;
use crate::stand_ins::aws::call::Refusal;
use crate::stand_ins::aws::faults::{Fault, Turn};

/// A call as selectors see it.
#[derive(Clone, Copy, Debug)]
pub(super) struct Seen<'a> {
    pub(super) service: &'a str,
    pub(super) operation: &'a str,
    pub(super) key: &'a str,
    pub(super) keys: &'a [String],
}

/// What somebody else does when a call comes.
pub(super) struct Hook {
    pub(super) selector: String,
    pub(super) nth: usize,
    pub(super) moment: Moment,
    pub(super) act: Box<dyn FnOnce(&mut Stock) + Send>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Moment {
    Before,
    After,
}

/// A fault that was asked for.
#[derive(Clone, Debug)]
pub(super) struct Rule {
    pub(super) selector: String,
    pub(super) turn: Turn,
    pub(super) fault: Fault,
}

impl<'a> From<&'a HostingEntry> for Seen<'a> {
    fn from(entry: &'a HostingEntry) -> Self {
        Self {
            service: entry.service,
            operation: entry.operation,
            key: &entry.key,
            keys: &entry.keys,
        }
    }
}

impl Rule {
    /// Whether it strikes the call that is the nth that its selector fits.
    pub(super) fn strikes(&self, nth: usize, now: Duration) -> bool {
        self.turn.is(nth, now)
    }

    /// The pattern of keys, where the selector has one.
    pub(super) fn pattern(&self) -> Option<&str> {
        self.selector.split_once(' ').map(|(_, pattern)| pattern)
    }
}

/// Whether a selector means this call: `PutObject`, `s3:*`, `s3:writes`, `*`, and with a pattern of keys behind a space.
pub(super) fn fits(selector: &str, call: Seen<'_>) -> bool {
    let (operation, pattern) = match selector.split_once(' ') {
        Some((operation, pattern)) => (operation, Some(pattern)),
        None => (selector, None),
    };
    let (service, operation) = match operation.split_once(':') {
        Some((service, operation)) => (Some(service), operation),
        None => (None, operation),
    };
    service.is_none_or(|service| service == call.service)
        && match operation {
            "*" => true,
            "writes" => log::writes(call.operation),
            operation => operation == call.operation,
        }
        && pattern.is_none_or(|pattern| {
            matches(pattern, call.key) || call.keys.iter().any(|key| matches(pattern, key))
        })
}

/// Whether a text is as a pattern has it, in which `*` is any text.
pub(super) fn matches(pattern: &str, text: &str) -> bool {
    let mut pieces = pattern.split('*');
    let first = pieces.next().unwrap_or_default();
    let Some(mut rest) = text.strip_prefix(first) else {
        return false;
    };
    let mut pieces = pieces.peekable();
    if pieces.peek().is_none() {
        return rest.is_empty();
    }
    while let Some(piece) = pieces.next() {
        if pieces.peek().is_none() {
            return rest.ends_with(piece);
        }
        match rest.find(piece) {
            Some(at) => rest = &rest[at + piece.len()..],
            None => return false,
        }
    }
    true
}

/// The refusal that a fault is, in the words of S3 and CloudFront.
pub(super) fn refusal(fault: &Fault, service: &str) -> Option<Refusal> {
    let refusal = match fault {
        Fault::Internal => Refusal::new(
            "InternalError",
            "We encountered an internal error. Please try again.",
        )
        .status(500),
        Fault::Unavailable => {
            Refusal::new("ServiceUnavailable", "Service is unable to handle request.").status(503)
        }
        Fault::Throttled if service == "s3" => slow_down(),
        Fault::Throttled => Refusal::new("Throttling", "Rate exceeded"),
        Fault::Expired if service == "s3" => Refusal::new("ExpiredToken", "The provided token has expired."),
        Fault::Expired => Refusal::new(
            "ExpiredToken",
            "The security token included in the request is expired",
        )
        .status(403),
        Fault::Denied => Refusal::new("AccessDenied", "Access Denied").status(403),
        Fault::Refused(refusal) => refusal.clone(),
        Fault::Reset | Fault::Hang | Fault::Lost | Fault::Slow(_) | Fault::Cut(_) => return None,
    };
    Some(refusal)
}

pub(super) fn slow_down() -> Refusal {
    Refusal::new("SlowDown", "Please reduce your request rate.").status(503)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn selectors_mean_operations_and_keys() {
        let keys = ["old/a.js".to_owned(), "b".to_owned()];
        let call = |operation, key, keys| Seen {
            service: "s3",
            operation,
            key,
            keys,
        };
        let put = call("PutObject", "assets/x/app.js", &[]);
        let delete = call("DeleteObjects", "", &keys);
        for (selector, of_put, of_delete) in [
            ("PutObject", true, false),
            ("*", true, true),
            ("s3:*", true, true),
            ("cloudfront:*", false, false),
            ("s3:writes", true, true),
            ("PutObject assets/*", true, false),
            ("PutObject assets/*.js", true, false),
            ("PutObject *x/a*.js", true, false),
            ("PutObject assets/*.css", false, false),
            ("PutObject assets/", false, false),
            ("* old/*", false, true),
            ("* b", false, true),
        ] {
            let means = [fits(selector, put), fits(selector, delete)];
            assert_eq!(means, [of_put, of_delete], "{selector}");
        }
        assert!(!fits("s3:writes", call("HeadObject", "", &[])));
    }
}
