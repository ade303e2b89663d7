//! What a run that did not pass fails with: the exit code, and what to do next.

use gate::run::Seen;
use gate::trouble::{Trouble, TroubleKind};
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
        TroubleKind::Question => {
            "correct what is asked: a program is one in PATH or a path from the working folder, and what a metric source answers is shown by `health-gate validate -f FILE --ask`"
        }
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
