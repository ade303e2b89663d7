//! Clauses: a condition put to its subject, with what it takes to believe it. The defaults keep a healthy service from
//! being stopped by chance, and a sick one from passing by a lack of samples.

use std::time::Duration;

use gha::duration;

use crate::condition::{Condition, Measure, SubjectKind, Test};
use crate::rule::Clause;
use crate::spec::fault::{Faults, Place};
use crate::spec::file::leaf::Leaf;
use crate::spec::file::read::{Given, TextOr};
use crate::spec::file::rules as file;

/// How far back an `abort` looks.
const WINDOW: Duration = Duration::from_secs(60);

/// How many windows in a row an `abort` on a share or a percentile takes.
const CONSECUTIVE: u32 = 2;

/// How many bad ones an `abort` on a share takes.
const MIN_BAD: u32 = 5;

/// How sure an `abort` on a share is, where nothing else steadies it.
pub(crate) const CERTAIN: f64 = 0.999;

/// The chance with which too few samples may mislead.
const CHANCE: f64 = 0.05;

/// What a clause is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Role {
    Require,
    Abort,
}

/// A clause as it was wished for.
#[derive(Clone, Debug)]
pub(crate) struct Wish {
    /// Where each setting stands.
    pub(crate) given: Given,
    pub(crate) when: Condition,
    pub(crate) window: Option<Option<Duration>>,
    pub(crate) hold: Option<Duration>,
    pub(crate) consecutive: Option<u32>,
    pub(crate) min_bad: Option<u32>,
    pub(crate) min_samples: Option<u32>,
    pub(crate) certain: Option<Option<f64>>,
}

impl Wish {
    /// A condition and nothing else.
    pub(crate) fn plain(at: Place, when: Condition) -> Self {
        Self {
            given: Given::at(at),
            when,
            window: None,
            hold: None,
            consecutive: None,
            min_bad: None,
            min_samples: None,
            certain: None,
        }
    }

    /// A clause of a file; `None` where its condition is missing or was told to be wrong.
    pub(crate) fn read(raw: &TextOr<Leaf<Condition>, file::Clause>, faults: &mut Faults) -> Option<Self> {
        let raw = match raw {
            TextOr::Text(when) => return Some(Self::plain(when.at, when.value.clone())),
            TextOr::Map(raw) => raw,
        };
        raw.given.need("when", "a clause", faults);
        Some(Self {
            given: raw.given.clone(),
            when: raw.when.clone()?.value,
            window: raw.window.as_ref().map(|window| window.value.0),
            hold: raw.r#for.as_ref().map(|hold| hold.value),
            consecutive: raw.consecutive.as_ref().map(|count| count.value),
            min_bad: raw.min_bad.as_ref().map(|count| count.value),
            min_samples: raw.min_samples.as_ref().map(|count| count.value),
            certain: raw.certain.as_ref().map(|certain| certain.value.0),
        })
    }

    /// The clause with everything known. `min_samples` is the rule's.
    pub(crate) fn clause(
        &self,
        role: Role,
        subject: SubjectKind,
        min_samples: Option<u32>,
        faults: &mut Faults,
    ) -> Option<Clause> {
        let test = faults.keep(self.given.place("when"), self.when.on(subject))?;
        self.settings_fit(role, &test, faults);
        let window = match (self.window, role, &test.measure) {
            (_, _, Measure::Failing) | (None, Role::Require, _) => None,
            (None, Role::Abort, _) => Some(WINDOW),
            (Some(window), _, _) => window,
        };
        let noisy = matches!(test.measure, Measure::ErrorRate | Measure::Percentile(_));
        let share = test.measure == Measure::ErrorRate;
        let abort = role == Role::Abort;
        // What holds for a time needs no second look.
        let consecutive = if abort && noisy && self.hold.is_none() {
            CONSECUTIVE
        } else {
            1
        };
        let steadied = self.consecutive.is_some() || self.hold.is_some();
        let counted = noisy || matches!(test.measure, Measure::CountBad | Measure::CountStatus(_));
        let min_samples = self.min_samples.or(min_samples.filter(|_| counted));
        Some(Clause {
            window,
            hold: self.hold.unwrap_or_default(),
            consecutive: self.consecutive.unwrap_or(consecutive),
            min_bad: self.min_bad.unwrap_or(if abort && share { MIN_BAD } else { 0 }),
            min_samples: min_samples.unwrap_or_else(|| usual_samples(role, &test)),
            certain: self
                .certain
                .unwrap_or((abort && share && !steadied).then_some(CERTAIN)),
            test,
        })
    }

    /// Settings that mean nothing for what is measured are errors: who writes them expects an effect.
    fn settings_fit(&self, role: Role, test: &Test, faults: &mut Faults) {
        let (what, refused): (&str, &[&str]) = match test.measure {
            Measure::Failing => (
                "`failing`, which takes `for` alone",
                &["window", "consecutive", "min_bad", "min_samples", "certain"],
            ),
            Measure::Number => ("a number", &["min_bad", "min_samples", "certain"]),
            Measure::Percentile(_) => ("a percentile", &["min_bad", "certain"]),
            Measure::CountBad | Measure::CountStatus(_) => ("a count", &["min_bad", "certain"]),
            Measure::ErrorRate => ("", &[]),
        };
        for key in refused.iter().filter(|key| self.given.has(key)) {
            faults.add(self.given.place(key), format!("`{key}` means nothing for {what}"));
        }
        if test.measure == Measure::Failing {
            let hold = self.hold.unwrap_or_default();
            if role == Role::Require {
                faults.add(
                    self.given.place("when"),
                    "`failing` can end an observation by `abort`, not be required",
                );
            } else if hold.is_zero() {
                faults.add(
                    self.given.place("for"),
                    "`failing` needs a time: `{when: failing, for: 2m}`, or as a flag `failing for 2m`",
                );
            }
        }
        if role == Role::Require && self.hold.is_some() {
            faults.add(
                self.given.place("for"),
                "`for` steadies an `abort`; a `require` is judged at the end",
            );
        }
        if self.consecutive == Some(0) {
            faults.add(
                self.given.place("consecutive"),
                "`consecutive` must be at least 1",
            );
        }
        if self.window == Some(Some(Duration::ZERO)) {
            faults.add(self.given.place("window"), "`window` must be more than zero");
        }
        if test.measure == Measure::ErrorRate && test.op.is_upper_limit() != (role == Role::Require) {
            faults.add(self.given.place("when"), wrong_way(role, &test.written));
        }
        let never = test.op == crate::condition::Op::Less && test.threshold <= 0.0;
        if never && matches!(test.measure, Measure::ErrorRate | Measure::Percentile(_)) {
            faults.add(
                self.given.place("when"),
                format!("`{}` can never hold", test.written),
            );
        }
    }
}

/// What is wrong with a limit that a service without any error is beyond. The statistics of a share fear errors too, so a
/// share of good ones can't be judged either.
fn wrong_way(role: Role, written: &str) -> String {
    let (means, write) = match role {
        Role::Require => ("requires errors", "< 1%"),
        Role::Abort => ("ends it where there are few errors", "> 2%"),
    };
    format!("`{written}` {means}, and a share is one of bad ones; write for example `{write}`")
}

/// How many samples a conclusion takes at least: so many that a bad service would look good by chance less than once in
/// twenty times (the rule of three, <https://doi.org/10.1001/jama.1983.03330370053031>, and the same for a percentile).
fn usual_samples(role: Role, test: &Test) -> u32 {
    match (&test.measure, role) {
        (Measure::Percentile(percent), _) => least(percent / 100.0),
        (Measure::ErrorRate, Role::Require) if test.op.is_upper_limit() => least(1.0 - test.threshold),
        _ => 0,
    }
}

/// The least `n` with `good`ⁿ < 5 %.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "a whole number from 1 to the largest"
)]
fn least(good: f64) -> u32 {
    if good >= 1.0 {
        // No number of samples can show that nothing ever goes wrong; one is at least something.
        return 1;
    }
    let count = (CHANCE.ln() / good.ln()).floor() + 1.0;
    count.clamp(1.0, f64::from(u32::MAX)) as u32
}

/// How many windows back to back the time that is judged has room for; the first may be in part before it. What has no
/// window is judged as often as one likes.
pub(crate) fn most_in_a_row(clause: &Clause, judged: Duration) -> u32 {
    let Some(window) = clause.window.filter(|window| !window.is_zero()) else {
        return u32::MAX;
    };
    let most = judged.as_nanos().div_ceil(window.as_nanos()).max(1);
    u32::try_from(most).unwrap_or(u32::MAX)
}

/// Tells what can never come true within the time that is judged. `looks` is the time between two samples, where they
/// are the gate's own.
pub(crate) fn in_time(
    what: &str,
    clause: &Clause,
    given: &Given,
    judged: Duration,
    looks: Option<Duration>,
    faults: &mut Faults,
) {
    let show = duration::exact;
    if let Some(window) = clause.window.filter(|window| *window > judged) {
        let reason = format!(
            "{what}: its window of {} is longer than the {} that are judged",
            show(window),
            show(judged)
        );
        faults.add(given.place("window"), reason);
        return;
    }
    if clause.hold >= judged && !clause.hold.is_zero() {
        let reason = format!(
            "{what}: `for` is {}, which can't come true within the {} that are judged",
            show(clause.hold),
            show(judged)
        );
        faults.add(given.place("for"), reason);
        return;
    }
    let Some(looks) = looks else { return };
    let window = clause.window.unwrap_or(judged);
    let samples = window.as_nanos() / looks.as_nanos().max(1);
    let needed = clause.min_samples.max(clause.min_bad);
    if u128::from(needed) > samples {
        let key = if clause.min_bad > clause.min_samples {
            "min_bad"
        } else {
            "min_samples"
        };
        let raise = if clause.window.is_some() {
            "`window`"
        } else {
            "`duration`"
        };
        // Rounded up, so that the advice is enough.
        let rate = (looks.as_secs_f64() * f64::from(needed) / window.as_secs_f64() * 10.0).ceil() / 10.0;
        let reason = format!(
            "{what} needs {needed} samples, and the probe makes {samples} in {}; raise its `rate` at least {rate:.1} times, raise {raise}, or lower `{key}`",
            show(window)
        );
        faults.add(given.place(key), reason);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use SubjectKind::{Histogram, Number, Probe, Ratio};

    fn clause(written: &str, role: Role, subject: SubjectKind, change: fn(&mut Wish)) -> Clause {
        let mut faults = Faults::none("f");
        let mut wish = Wish::plain(Place::START, written.parse().unwrap());
        change(&mut wish);
        let clause = wish.clause(role, subject, None, &mut faults);
        faults.or(clause).unwrap()
    }

    #[test]
    fn the_least_number_of_samples_is_the_one_of_the_tables() {
        for (good, n) in [
            (0.95, 59),
            (0.99, 299),
            (0.98, 149),
            (0.995, 598),
            (1.0, 1),
            (0.0, 1),
        ] {
            assert_eq!(least(good), n, "{good}");
        }
    }

    #[test]
    fn defaults_depend_on_what_is_measured() {
        let minute = Some(Duration::from_secs(60));
        let row = |clause: &Clause| {
            (
                clause.window,
                clause.consecutive,
                clause.min_bad,
                clause.min_samples,
                clause.certain,
            )
        };
        let same: fn(&mut Wish) = |_| {};
        for (written, role, subject, expected) in [
            ("> 2%", Role::Abort, Ratio, (minute, 2, 5, 0, Some(0.999))),
            (
                "error_rate > 2%",
                Role::Abort,
                Probe,
                (minute, 2, 5, 0, Some(0.999)),
            ),
            ("p95 > 500ms", Role::Abort, Histogram, (minute, 2, 0, 59, None)),
            ("p99 > 500ms", Role::Abort, Probe, (minute, 2, 0, 299, None)),
            ("< 1%", Role::Require, Ratio, (None, 1, 0, 299, None)),
            ("<= 0%", Role::Require, Ratio, (None, 1, 0, 1, None)),
            ("p95 < 300ms", Role::Require, Probe, (None, 1, 0, 59, None)),
            (">= 10", Role::Abort, Number, (minute, 1, 0, 0, None)),
            ("== 0", Role::Require, Number, (None, 1, 0, 0, None)),
            ("count(5xx) >= 10", Role::Abort, Probe, (minute, 1, 0, 0, None)),
        ] {
            assert_eq!(row(&clause(written, role, subject, same)), expected, "{written}");
        }
        let failing = clause("failing", Role::Abort, Probe, |wish| {
            wish.hold = Some(Duration::from_secs(120));
        });
        assert_eq!(
            (failing.window, failing.hold.as_secs(), failing.consecutive),
            (None, 120, 1)
        );
    }

    #[test]
    fn what_is_steadied_otherwise_is_not_asked_to_be_certain() {
        let twice = clause("> 2%", Role::Abort, Ratio, |wish| wish.consecutive = Some(3));
        assert_eq!((twice.consecutive, twice.certain), (3, None));
        let held = clause("> 2%", Role::Abort, Ratio, |wish| {
            wish.hold = Some(Duration::from_secs(30));
        });
        assert_eq!((held.consecutive, held.certain), (1, None));
        let sure = clause("> 2%", Role::Abort, Ratio, |wish| {
            wish.consecutive = Some(3);
            wish.certain = Some(Some(0.99));
        });
        assert_eq!(sure.certain, Some(0.99));
        assert_eq!(
            clause("> 2%", Role::Abort, Ratio, |wish| wish.certain = Some(None)).certain,
            None
        );
    }
}
