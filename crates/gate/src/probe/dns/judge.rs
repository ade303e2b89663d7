//! What the answers of resolvers say: every one must hold what is wanted, and all must say the same. Pure.

use std::collections::BTreeSet;

use hickory_resolver::net::{DnsError, NetError};
use hickory_resolver::proto::op::ResponseCode;

use gha::text;

use crate::expect::quoted;
use crate::finding::{FaultKind, Finding};
use crate::probe::dns::record::Kind;

/// How many values, and how many resolvers, a reason lists.
const LISTED: usize = 5;

/// What the records must be. Without any rule there must be one at least.
#[derive(Clone, Debug, Default)]
pub(super) struct Wanted {
    /// These and no others.
    pub(super) equals: Option<BTreeSet<String>>,
    /// These among others.
    pub(super) contains: BTreeSet<String>,
    /// As many as this.
    pub(super) at_least: usize,
}

/// What one resolver said.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Said {
    /// Records, at least one. Foreign text.
    Values(BTreeSet<String>),
    /// The name has no records of the kind, or the resolver has no answer: as a fragment.
    Nothing(String),
}

/// What a resolver's failure means, as a fragment.
pub(super) fn failed(error: &NetError, kind: Kind) -> String {
    let code = match error {
        NetError::Dns(DnsError::NoRecordsFound(none)) => none.response_code,
        NetError::Dns(DnsError::ResponseCode(code)) => *code,
        NetError::Timeout => return "did not answer in time".to_owned(),
        NetError::Truncated => return "answered more than fits, and not over TCP".to_owned(),
        error => {
            let reason = text::cut(&text::visible(&error.to_string()), 100);
            return format!("gave no answer ({reason})");
        }
    };
    match code {
        ResponseCode::NoError => none(kind),
        ResponseCode::NXDomain => "knows no such name (NXDOMAIN)".to_owned(),
        ResponseCode::ServFail => "could not find out (SERVFAIL)".to_owned(),
        ResponseCode::Refused => "refused to answer (REFUSED)".to_owned(),
        code => format!("answered an error ({code})"),
    }
}

/// The name is there, and has no records of the kind.
pub(super) fn none(kind: Kind) -> String {
    format!("knows no {kind} records of the name")
}

impl Wanted {
    /// Judges what all resolvers said.
    pub(super) fn judge(&self, kind: Kind, answers: &[(String, Said)]) -> Finding {
        let fault = answers
            .iter()
            .find_map(|(_, said)| self.fault(kind, said))
            .or_else(|| {
                let differ = answers.windows(2).any(|pair| pair[0].1 != pair[1].1);
                differ.then(|| "the resolvers do not agree".to_owned())
            });
        let Some(fault) = fault else {
            return Finding::Good;
        };
        let mut said: Vec<String> = answers
            .iter()
            .take(LISTED)
            .map(|(resolver, said)| format!("{resolver} {}", told(said)))
            .collect();
        if answers.len() > LISTED {
            said.push(format!("{} more", answers.len() - LISTED));
        }
        let said = said.join("; ");
        let reason = if fault.is_empty() {
            said
        } else {
            format!("{fault}: {said}")
        };
        Finding::bad(FaultKind::Name, reason)
    }

    /// What is wrong with one answer; an empty text where the answer says it by itself.
    fn fault(&self, kind: Kind, said: &Said) -> Option<String> {
        let Said::Values(values) = said else {
            return Some(String::new());
        };
        if let Some(wanted) = self.equals.as_ref().filter(|wanted| *wanted != values) {
            return Some(format!("expected {}", list(wanted)));
        }
        if let Some(missing) = self.contains.iter().find(|wanted| !values.contains(*wanted)) {
            return Some(format!("expected {} among others", quoted(missing)));
        }
        (values.len() < self.at_least).then(|| format!("expected {} {kind} records or more", self.at_least))
    }
}

fn told(said: &Said) -> String {
    match said {
        Said::Values(values) => format!("answered {}", list(values)),
        Said::Nothing(why) => why.clone(),
    }
}

/// Some values of a set.
pub(super) fn list(values: &BTreeSet<String>) -> String {
    let mut shown: Vec<String> = values.iter().take(LISTED).map(|value| quoted(value)).collect();
    if values.len() > LISTED {
        shown.push(format!("{} more", values.len() - LISTED));
    }
    shown.join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn set(values: &[&str]) -> BTreeSet<String> {
        values.iter().map(|value| (*value).to_owned()).collect()
    }

    fn judged(wanted: &Wanted, answers: &[&[&str]]) -> String {
        let answers: Vec<_> = answers
            .iter()
            .enumerate()
            .map(|(index, values)| {
                let said = match values {
                    [] => Said::Nothing("knows no such name (NXDOMAIN)".to_owned()),
                    values => Said::Values(set(values)),
                };
                (format!("10.0.0.{index}"), said)
            })
            .collect();
        wanted.judge(Kind::A, &answers).text().to_owned()
    }

    #[test]
    fn every_resolver_must_hold_what_is_wanted_and_all_the_same() {
        let any = Wanted::default();
        let equals = Wanted {
            equals: Some(set(&["a", "b"])),
            ..Wanted::default()
        };
        let contains = Wanted {
            contains: set(&["a", "c"]),
            ..Wanted::default()
        };
        let three = Wanted {
            at_least: 3,
            ..Wanted::default()
        };
        for (wanted, answers, reason) in [
            (&any, &[&["a"][..]][..], "good"),
            (&any, &[&["a", "b"], &["b", "a"]], "good"),
            (&any, &[&[]], "10.0.0.0 knows no such name (NXDOMAIN)"),
            (
                &any,
                &[&["a"], &[]],
                "10.0.0.0 answered `a`; 10.0.0.1 knows no such name (NXDOMAIN)",
            ),
            (
                &any,
                &[&["a"], &["b"]],
                "the resolvers do not agree: 10.0.0.0 answered `a`; 10.0.0.1 answered `b`",
            ),
            (&equals, &[&["b", "a"]], "good"),
            (
                &equals,
                &[&["a", "b"], &["a"]],
                "expected `a`, `b`: 10.0.0.0 answered `a`, `b`; 10.0.0.1 answered `a`",
            ),
            (&contains, &[&["a", "b", "c"]], "good"),
            (
                &contains,
                &[&["a", "b"]],
                "expected `c` among others: 10.0.0.0 answered `a`, `b`",
            ),
            (&three, &[&["a", "b", "c"]], "good"),
            (
                &three,
                &[&["a", "b"]],
                "expected 3 A records or more: 10.0.0.0 answered `a`, `b`",
            ),
            (
                &three,
                &[&["1", "2", "3", "4", "5", "6", "7"], &[]],
                "10.0.0.0 answered `1`, `2`, `3`, `4`, `5`, 2 more; 10.0.0.1 knows no such name (NXDOMAIN)",
            ),
        ] {
            assert_eq!(judged(wanted, answers), reason);
        }
    }

    #[test]
    fn a_reason_stays_short_whatever_comes() {
        let long: Vec<String> = (0..500)
            .map(|n| format!("{n}\u{1b}{}", "x".repeat(60_000)))
            .collect();
        let long: Vec<&str> = long.iter().map(String::as_str).collect();
        let reason = judged(
            &Wanted {
                at_least: 1000,
                ..Wanted::default()
            },
            &[&long[..]; 16],
        );
        assert!(
            reason.len() < 5000 && !reason.contains('\u{1b}'),
            "{}",
            reason.len()
        );
    }
}
