//! What a run that did not pass fails with: the exit code, and what to do next.

use gate::run::Seen;
use gate::trouble::{About, Trouble, TroubleKind};
use gate::until_ready::End;
use gate::verdict::Verdict;
use gha::{Exit, text};

use crate::asked::Asked;
use crate::report::Report;
use crate::report::record::Record;

pub(super) fn exit(asked: &Asked, verdict: Verdict, trouble: Option<&Trouble>) -> Exit {
    match verdict {
        Verdict::Pass => Exit::Done,
        Verdict::Fail => Exit::Failed,
        Verdict::Inconclusive if asked.fails_inconclusive() => Exit::Failed,
        Verdict::Inconclusive => Exit::Inconclusive,
        Verdict::Error => trouble.map_or(Exit::Inconclusive, exit_of),
    }
}

/// The exit code of what could not be measured.
#[must_use]
pub fn exit_of(trouble: &Trouble) -> Exit {
    match trouble.kind {
        TroubleKind::Passing => Exit::Inconclusive,
        TroubleKind::Question => Exit::Usage,
        TroubleKind::Access => Exit::Access,
    }
}

/// What to do about it.
#[must_use]
pub fn advice_of(trouble: &Trouble) -> &'static str {
    match trouble.kind {
        TroubleKind::Passing => "look whether it can be reached from here; nothing is known of the target",
        TroubleKind::Question => match trouble.about {
            About::Query => {
                "correct the query, or where its number stands; `health-gate validate -f FILE --ask` shows what each source answers"
            }
            About::Address => "correct the source's address: what answers there is not what was asked for",
            About::Program => "name a program in PATH, or a path from the working folder",
            About::Expression => "correct the expression: it must end within a second, whatever it is put to",
            About::Target => "correct how it is described: the reason says what does not fit",
        },
        TroubleKind::Access => "check the credentials and what they may read",
    }
}

/// What to do next.
pub(super) fn help(
    report: &Report,
    record: &Record,
    seen: &Seen,
    trouble: Option<&Trouble>,
) -> Option<String> {
    if report.verdict == Verdict::Error {
        return trouble.map(|trouble| advice_of(trouble).to_owned());
    }
    if let Some(ending) = seen.waited.as_ref().filter(|ending| ending.end != End::Ready) {
        return Some(record.advice(ending).to_owned());
    }
    if report.verdict == Verdict::Inconclusive {
        return Some(
            "nothing is proven either way: this is inconclusive, and no failure of the target".to_owned(),
        );
    }
    let seen: Vec<String> = record
        .probes()
        .iter()
        .filter_map(|probe| {
            Some(format!(
                "{} said last: {}",
                probe.address,
                probe.last_fault.as_ref()?
            ))
        })
        .collect();
    (!seen.is_empty()).then(|| text::cut(&seen.join("; "), 600))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_to_correct_is_what_is_wrong() {
        for (about, named, not) in [
            (About::Query, "query", "program"),
            (About::Address, "address", "program"),
            (About::Program, "program in PATH", "source"),
            (About::Expression, "expression", "FILE"),
            (About::Target, "described", "FILE"),
        ] {
            let advice = advice_of(&Trouble::question("no").about(about));
            assert!(advice.contains(named) && !advice.contains(not), "{advice}");
        }
        assert!(advice_of(&Trouble::access("no").about(About::Program)).contains("credentials"));
    }
}
