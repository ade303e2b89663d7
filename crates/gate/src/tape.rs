//! The gate's own samples of one probe, kept small: twelve bytes each, so that a minute at 10,000 a second is 7 MB.

use std::time::Duration;

use crate::finding::{FaultKind, Finding};
use crate::measured::{Latency, Share};
use crate::net::progress::told_after;
use crate::probe::Look;
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
    /// No look was made, because too many were under way. How long the next of them took to end is known: a look would
    /// have taken at least as long.
    NoRoom,
}

/// What looks are taken for that were not made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unseen {
    /// Those that found no room as what is known of them, the others as nothing.
    Known,
    /// Those that found no room as bad.
    Crowded,
    /// All of them as bad: what is good then is good whatever they would have shown.
    Worst,
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
    pub fn new(due: Duration, took: Duration, limit: Duration, look: &Look) -> Self {
        let state = match &look.finding {
            Finding::Good => State::Good,
            Finding::Unmeasured(_) => State::Unmeasured,
            Finding::Bad(_) if look.hung => State::TimedOut,
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
        Self::of(due, took, state, look.status)
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

/// The looks of a span that were not made.
#[derive(Clone, Copy, Debug, Default)]
pub struct Gaps<'a> {
    /// All looks of the span.
    all: usize,
    /// Those that could not be made.
    unmeasured: usize,
    /// Those that found no room.
    crowded: usize,
    /// How many of the newest in a row could not be made.
    newest: usize,
    /// Why the latest could not be made.
    trouble: Option<&'a Trouble>,
}

impl Gaps<'_> {
    /// Why the span shows nothing that can be trusted: its newest looks could not be made, or more of them than could. What
    /// the others saw then says little of how the target is.
    #[must_use]
    pub fn blind(&self) -> Option<Trouble> {
        let Self {
            all,
            unmeasured,
            newest,
            ..
        } = *self;
        let is_blind = newest >= BLIND || newest > 0 && newest == all || unmeasured * 2 > all;
        is_blind.then(|| {
            let why = format!("{unmeasured} of {all} looks could not be made");
            match self.trouble {
                Some(trouble) => Trouble {
                    reason: format!("{why}: {}", trouble.reason),
                    ..trouble.clone()
                },
                None => Trouble::passing(why),
            }
        })
    }

    /// Why the span does not show all that it should, where looks of it were not made.
    #[must_use]
    pub fn incomplete(&self) -> Option<Trouble> {
        let (all, missing) = (self.all, self.unmeasured + self.crowded);
        let why = || self.trouble.map(|trouble| format!(": {}", trouble.reason));
        (missing > 0).then(|| {
            let why = why().unwrap_or_default();
            Trouble::passing(format!(
                "{missing} of {all} looks were not made, and it depends on them{why}"
            ))
        })
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
            State::Unmeasured | State::NoRoom => {}
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
            .any(|sample| !matches!(sample.state, State::Unmeasured | State::NoRoom));
        measured.then(|| {
            self.failing_since
                .map_or(Duration::ZERO, |since| now.saturating_sub(since))
        })
    }

    /// Keeps why the latest look could not be made.
    pub fn keep_trouble(&mut self, trouble: Trouble) {
        self.trouble = Some(trouble);
    }

    /// The looks of a span that were not made.
    #[must_use]
    pub fn gaps(&self, from: Duration, to: Duration) -> Gaps<'_> {
        let mut gaps = Gaps {
            trouble: self.trouble.as_ref(),
            ..Gaps::default()
        };
        for sample in self.span(from, to) {
            gaps.all += 1;
            gaps.unmeasured += usize::from(sample.state == State::Unmeasured);
            gaps.crowded += usize::from(sample.state == State::NoRoom);
            gaps.newest = match sample.state {
                State::Unmeasured => gaps.newest + 1,
                _ => 0,
            };
        }
        gaps
    }

    /// The bad ones and all that were measured in a span; both ends belong to it.
    #[must_use]
    pub fn share(&self, from: Duration, to: Duration, unseen: Unseen) -> Share {
        self.counted(from, to, unseen, Sample::is_bad)
    }

    /// Those with such a status, and all that were measured.
    #[must_use]
    pub fn statuses(&self, from: Duration, to: Duration, set: &StatusSet, unseen: Unseen) -> Share {
        self.counted(from, to, unseen, |sample| {
            sample.status != 0 && set.holds(sample.status)
        })
    }

    /// A percentile of the latency of good answers, of those that were bad for being slow, and of those that did not come
    /// in time; quick refusals say nothing about it. `None` where there are none.
    #[must_use]
    pub fn percentile(&self, from: Duration, to: Duration, percent: f64, unseen: Unseen) -> Option<Latency> {
        let times = self.span(from, to).filter_map(move |sample| {
            let (took, censored) = match sample.state {
                State::Good | State::TooSlow => (sample.took, false),
                State::TimedOut => (sample.took, true),
                // It would have taken as long as it waited for room, or longer.
                State::NoRoom if unseen == Unseen::Known => (sample.took, false),
                State::Unmeasured if unseen != Unseen::Worst => return None,
                State::NoRoom | State::Unmeasured => (u32::MAX, true),
                State::Bad => return None,
            };
            // A censored time is longer than any that was seen to end.
            Some(u64::from(censored) << 32 | u64::from(took))
        });
        let (time, n) = percentile::nearest_rank(times, percent)?;
        let seconds = Duration::from_micros(time & u64::from(u32::MAX)).as_secs_f64();
        let censored = time > u64::from(u32::MAX);
        #[expect(clippy::cast_precision_loss, reason = "far fewer samples than 2^52")]
        let n = n as f64;
        Some(Latency {
            low: seconds,
            high: if censored { f64::INFINITY } else { seconds },
            n,
        })
    }

    fn counted(
        &self,
        from: Duration,
        to: Duration,
        unseen: Unseen,
        counts: impl Fn(&Sample) -> bool,
    ) -> Share {
        let (mut bad, mut total) = (0_u32, 0_u32);
        for sample in self.span(from, to) {
            let counted = match sample.state {
                State::Unmeasured if unseen != Unseen::Worst => continue,
                State::NoRoom if unseen == Unseen::Known => continue,
                State::NoRoom | State::Unmeasured => true,
                _ => counts(sample),
            };
            total += 1;
            bad += u32::from(counted);
        }
        Share {
            bad: bad.into(),
            total: total.into(),
        }
    }

    /// The samples that were due in a span. They are nearly in the order in which they were due: one that ended late is
    /// behind those that were due after it, by no more than a look may take.
    fn span(&self, from: Duration, to: Duration) -> impl Iterator<Item = &Sample> + Clone {
        // Compared as they are kept: every clause asks this of every sample at every judgement.
        let whole = |millis: u128| u64::try_from(millis).unwrap_or(u64::MAX);
        let span = whole(from.as_nanos().div_ceil(1_000_000))..=whole(to.as_millis());
        self.samples
            .iter()
            .filter(move |sample| span.contains(&u64::from(sample.due)))
    }
}

#[cfg(test)]
mod tests;
