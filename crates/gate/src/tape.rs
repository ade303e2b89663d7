//! The gate's own samples of one probe, kept small: twelve bytes each, so that a minute at 10,000 a second is 7 MB.

use std::time::Duration;

use crate::finding::{FaultKind, Finding};
use crate::measured::{Latency, Share};
use crate::net::progress::told_after;
use crate::stats::percentile;
use crate::status_set::StatusSet;
use crate::trouble::Trouble;

/// One sample. Times are rounded down.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Sample {
    /// When it was due, in milliseconds from the start of the observation; enough for 49 days.
    due: u32,
    /// How long it took from when it was due, in microseconds; enough for 71 minutes.
    took: u32,
    /// The HTTP status; 0 where there was none.
    status: u16,
    /// What it was.
    state: State,
}

/// How many looks in a row that could not be made leave a span blind, whatever was seen before.
const BLIND: usize = 3;

/// What a sample was.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum State {
    /// Good.
    Good,
    /// Bad, with an answer or a refusal.
    Bad,
    /// Bad: a complete answer that took longer than it may; its latency is known.
    TooSlow,
    /// Bad: no complete answer in time. Its latency is known only to be longer than the limit.
    TimedOut,
    /// The look could not be made.
    Unmeasured,
}

/// The samples of one probe, in the order in which they ended.
#[derive(Clone, Debug, Default)]
pub struct Tape {
    samples: Vec<Sample>,
    failing_since: Option<Duration>,
    trouble: Option<Trouble>,
}

impl Sample {
    /// A sample that was due at a time from the start, took so long from then, and found this; `limit` is the longest
    /// that a look may take.
    #[must_use]
    pub fn new(
        due: Duration,
        took: Duration,
        limit: Duration,
        finding: &Finding,
        status: Option<u16>,
    ) -> Self {
        let state = match finding {
            Finding::Good => State::Good,
            Finding::Unmeasured(_) => State::Unmeasured,
            Finding::Bad(fault) if fault.kind == FaultKind::Slow && took >= told_after(limit) => {
                State::TimedOut
            }
            Finding::Bad(fault) if fault.kind == FaultKind::Slow => State::TooSlow,
            Finding::Bad(_) => State::Bad,
        };
        // A probe that tells where it hung ends a little before its limit; no answer would have been sooner than that.
        let took = if state == State::TimedOut {
            took.max(limit)
        } else {
            took
        };
        Self::of(due, took, state, status)
    }

    /// A sample from its parts.
    #[must_use]
    pub fn of(due: Duration, took: Duration, state: State, status: Option<u16>) -> Self {
        Self {
            due: u32::try_from(due.as_millis()).unwrap_or(u32::MAX),
            took: u32::try_from(took.as_micros()).unwrap_or(u32::MAX),
            status: status.unwrap_or_default(),
            state,
        }
    }

    /// When it was due.
    #[must_use]
    pub fn due(&self) -> Duration {
        Duration::from_millis(self.due.into())
    }

    /// How long it took from when it was due.
    #[must_use]
    pub fn took(&self) -> Duration {
        Duration::from_micros(self.took.into())
    }

    /// What it was.
    #[must_use]
    pub fn state(&self) -> State {
        self.state
    }

    fn is_bad(&self) -> bool {
        matches!(self.state, State::Bad | State::TooSlow | State::TimedOut)
    }
}

impl Tape {
    /// Takes in a sample. One that could not be measured neither starts nor ends a time of failing.
    pub fn push(&mut self, sample: Sample) {
        match sample.state {
            State::Good => self.failing_since = None,
            State::Bad | State::TooSlow | State::TimedOut => {
                self.failing_since.get_or_insert(sample.due());
            }
            State::Unmeasured => {}
        }
        self.samples.push(sample);
    }

    /// The samples, in the order in which they ended.
    #[must_use]
    pub fn samples(&self) -> &[Sample] {
        &self.samples
    }

    /// All samples, whenever they were due.
    #[must_use]
    pub fn len(&self) -> usize {
        self.samples.len()
    }

    /// Whether there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.samples.is_empty()
    }

    /// For how long the probe has been failing at `now`: from the first bad one after the last good one. `None` where
    /// nothing has been measured yet.
    #[must_use]
    pub fn failing(&self, now: Duration) -> Option<Duration> {
        let measured = self
            .samples
            .iter()
            .rev()
            .any(|sample| sample.state != State::Unmeasured);
        measured.then(|| {
            self.failing_since
                .map_or(Duration::ZERO, |since| now.saturating_sub(since))
        })
    }

    /// Keeps why the latest look could not be made.
    pub fn keep_trouble(&mut self, trouble: Trouble) {
        self.trouble = Some(trouble);
    }

    /// Why a span shows nothing that can be trusted: its newest looks could not be made, or more of them than could. What
    /// the others saw then says little of how the target is.
    #[must_use]
    pub fn blind(&self, from: Duration, to: Duration) -> Option<Trouble> {
        let (mut all, mut unmeasured, mut newest) = (0_usize, 0_usize, 0_usize);
        for sample in self.span(from, to) {
            all += 1;
            if sample.state == State::Unmeasured {
                unmeasured += 1;
                newest += 1;
            } else {
                newest = 0;
            }
        }
        let is_blind = newest >= BLIND || newest > 0 && newest == all || unmeasured * 2 > all;
        is_blind.then(|| {
            let why = format!("{unmeasured} of {all} looks could not be made");
            match &self.trouble {
                Some(trouble) => Trouble {
                    reason: format!("{why}: {}", trouble.reason),
                    ..trouble.clone()
                },
                None => Trouble::passing(why),
            }
        })
    }

    /// The bad ones and all that were measured in a span; both ends belong to it.
    #[must_use]
    pub fn share(&self, from: Duration, to: Duration) -> Share {
        self.counted(from, to, Sample::is_bad)
    }

    /// Those with such a status, and all that were measured.
    #[must_use]
    pub fn statuses(&self, from: Duration, to: Duration, set: &StatusSet) -> Share {
        self.counted(from, to, |sample| sample.status != 0 && set.holds(sample.status))
    }

    /// A percentile of the latency of good answers, of those that were bad for being slow, and of those that did not come
    /// in time; quick refusals say nothing about it. `None` where there are none.
    #[must_use]
    pub fn percentile(&self, from: Duration, to: Duration, percent: f64) -> Option<Latency> {
        let mut times: Vec<(u32, bool)> = self
            .span(from, to)
            .filter_map(|sample| match sample.state {
                State::Good | State::TooSlow => Some((sample.took, false)),
                State::TimedOut => Some((sample.took, true)),
                State::Bad | State::Unmeasured => None,
            })
            .collect();
        if times.is_empty() {
            return None;
        }
        let rank = percentile::rank(times.len(), percent) - 1;
        // A censored time is longer than any that was seen to end.
        let (_, (micros, censored), _) =
            times.select_nth_unstable_by_key(rank, |(took, censored)| (*censored, *took));
        let seconds = Duration::from_micros((*micros).into()).as_secs_f64();
        let high = if *censored { f64::INFINITY } else { seconds };
        #[expect(clippy::cast_precision_loss, reason = "far fewer samples than 2^52")]
        let n = times.len() as f64;
        Some(Latency {
            low: seconds,
            high,
            n,
        })
    }

    fn counted(&self, from: Duration, to: Duration, counts: impl Fn(&Sample) -> bool) -> Share {
        let (mut bad, mut total) = (0_u32, 0_u32);
        for sample in self
            .span(from, to)
            .filter(|sample| sample.state != State::Unmeasured)
        {
            total += 1;
            bad += u32::from(counts(sample));
        }
        Share {
            bad: bad.into(),
            total: total.into(),
        }
    }

    /// The samples that were due in a span. They are nearly in the order in which they were due: one that ended late is
    /// behind those that were due after it, by no more than a look may take.
    fn span(&self, from: Duration, to: Duration) -> impl Iterator<Item = &Sample> {
        // Compared as they are kept: every clause asks this of every sample at every judgement.
        let whole = |millis: u128| u64::try_from(millis).unwrap_or(u64::MAX);
        let span = whole(from.as_nanos().div_ceil(1_000_000))..=whole(to.as_millis());
        self.samples
            .iter()
            .filter(move |sample| span.contains(&u64::from(sample.due)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::{Just, Strategy, any, prop_oneof, proptest};

    const LIMIT: Duration = Duration::from_secs(5);

    fn tape(samples: &[(u64, u64, State, u16)]) -> Tape {
        let mut tape = Tape::default();
        for (due, took, state, status) in samples {
            tape.push(Sample::of(
                Duration::from_secs(*due),
                Duration::from_millis(*took),
                *state,
                Some(*status),
            ));
        }
        tape
    }

    fn whole() -> (Duration, Duration) {
        (Duration::ZERO, Duration::MAX)
    }

    #[test]
    fn a_sample_is_small() {
        assert_eq!(size_of::<Sample>(), 12);
    }

    #[test]
    fn shares_leave_out_what_was_not_measured() {
        let tape = tape(&[
            (0, 1, State::Good, 200),
            (1, 1, State::Bad, 503),
            (2, 1, State::Unmeasured, 0),
            (3, 5000, State::TimedOut, 0),
            (9, 1, State::Good, 200),
        ]);
        let (from, to) = (Duration::from_secs(1), Duration::from_secs(5));
        assert_eq!(tape.share(from, to), Share { bad: 2.0, total: 2.0 });
        assert_eq!(
            tape.statuses(from, to, &"5xx".parse().unwrap()),
            Share { bad: 1.0, total: 2.0 }
        );
        assert_eq!(tape.blind(from, to), None, "one of three");
        assert!(
            tape.blind(Duration::from_secs(2), Duration::from_secs(2))
                .is_some()
        );
    }

    #[test]
    fn failing_counts_from_the_first_bad_one_after_the_last_good_one() {
        let seconds = Duration::from_secs;
        let mut tape = tape(&[(0, 1, State::Unmeasured, 0)]);
        assert_eq!(tape.failing(seconds(1)), None);
        for (due, state, now, failing) in [
            (1, State::Good, 1, 0),
            (2, State::Bad, 3, 1),
            (3, State::Unmeasured, 5, 3),
            (5, State::TimedOut, 9, 7),
            (9, State::Good, 9, 0),
        ] {
            tape.push(Sample::of(seconds(due), seconds(0), state, None));
            assert_eq!(tape.failing(seconds(now)), Some(seconds(failing)));
        }
    }

    #[test]
    fn a_percentile_is_a_value_that_was_seen() {
        let times: Vec<_> = (1..=20).map(|ms| (ms, ms, State::Good, 200)).collect();
        let (from, to) = whole();
        let p95 = tape(&times).percentile(from, to, 95.0).unwrap();
        assert_eq!((p95.low, p95.high, p95.n), (0.019, 0.019, 20.0));
        assert_eq!(Tape::default().percentile(from, to, 95.0), None);
    }

    #[test]
    fn too_many_time_outs_leave_the_percentile_open_above_and_refusals_say_nothing() {
        let mut samples: Vec<_> = (0..90).map(|at| (at, 100, State::Good, 200)).collect();
        samples.extend((90..100).map(|at| (at, 5000, State::TimedOut, 0)));
        samples.extend((100..200).map(|at| (at, 2, State::Bad, 502)));
        let (from, to) = whole();
        let p95 = tape(&samples).percentile(from, to, 95.0).unwrap();
        assert_eq!((p95.low, p95.high, p95.n), (5.0, f64::INFINITY, 100.0));
        assert_eq!(tape(&samples).percentile(from, to, 90.0).unwrap().high, 0.1);
    }

    #[test]
    fn only_a_slow_fault_that_used_the_whole_limit_is_a_time_out() {
        let slow = Finding::bad(FaultKind::Slow, "x");
        let sample = |took, finding: &Finding| Sample::new(Duration::ZERO, took, LIMIT, finding, None);
        let of = |took, finding: &Finding| sample(took, finding).state;
        assert_eq!(of(LIMIT, &slow), State::TimedOut);
        // Probes stop a little before the limit, to tell where they hung.
        let told = sample(told_after(LIMIT), &slow);
        assert_eq!((told.state, told.took()), (State::TimedOut, LIMIT));
        assert_eq!(of(LIMIT / 2, &slow), State::TooSlow);
        assert_eq!(of(LIMIT, &Finding::bad(FaultKind::Status, "x")), State::Bad);
    }

    fn states() -> impl Strategy<Value = State> {
        prop_oneof![
            Just(State::Good),
            Just(State::Bad),
            Just(State::TimedOut),
            Just(State::Unmeasured)
        ]
    }

    proptest! {
        #[test]
        fn a_percentile_is_the_sorted_value_of_its_rank(
            times in proptest::collection::vec(any::<u32>(), 1..200), percent in 1..100_u32,
        ) {
            let mut tape = Tape::default();
            for micros in &times {
                tape.push(Sample::of(Duration::ZERO, Duration::from_micros((*micros).into()), State::Good, None));
            }
            let mut sorted = times.clone();
            sorted.sort_unstable();
            let rank = (times.len() * percent as usize).div_ceil(100);
            let seen = tape.percentile(Duration::ZERO, Duration::ZERO, percent.into()).unwrap();
            assert_eq!(seen.low, Duration::from_micros(sorted[rank.max(1) - 1].into()).as_secs_f64());
        }

        #[test]
        fn shares_do_not_depend_on_the_order(states in proptest::collection::vec(states(), 0..50)) {
            let count = |states: &[State]| {
                let mut tape = Tape::default();
                states.iter().for_each(|state| tape.push(Sample::of(Duration::ZERO, Duration::ZERO, *state, None)));
                tape.share(Duration::ZERO, Duration::ZERO)
            };
            let reversed: Vec<State> = states.iter().rev().copied().collect();
            assert_eq!(count(&states), count(&reversed));
        }
    }
}
