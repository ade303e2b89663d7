//! What an observation saw by itself: the samples of its probes. Pure.

use std::time::Duration;

use crate::observation::Observation;
use crate::observe::Ending;
use crate::tape::{State, Tape, Unseen};
use serde::Serialize;

use super::record::Record;
use super::to_millis;

/// An observation in a report.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct WatchReport {
    /// How long it took, in milliseconds.
    pub duration_ms: u64,
    /// Whether it came to its end; otherwise a rule had failed before, or it was cut off.
    pub complete: bool,
    /// Looks that were not started because too many that hung were under way; they count as bad.
    pub dropped: u64,
    /// Looks that were not started because too many that answered were under way; a rule that depends on them is not
    /// decided.
    pub crowded: u64,
    /// Looks that were left out because this program came late for them; they count as nothing.
    pub skipped: u64,
    /// The probes.
    pub probes: Vec<ProbeReport>,
}

/// A probe's samples, those of the warm-up included.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct ProbeReport {
    /// Its name.
    pub name: String,
    /// What was looked at, without secrets.
    pub address: String,
    /// All that were measured.
    pub samples: u64,
    /// The bad ones.
    pub bad: u64,
    /// The bad ones that did not answer in time.
    pub timed_out: u64,
    /// Looks that could not be made.
    pub unmeasured: u64,
    /// The 95th percentile as rules judge it, in milliseconds: of good answers and of those that did not come in time,
    /// which count as longer than any other. Where it falls among these it is the time limit.
    pub p95_ms: Option<f64>,
    /// The latency of good answers.
    pub latency: Option<LatencyReport>,
    /// How long it took to be refused. It says nothing about the latency of the service.
    pub latency_of_failures: Option<LatencyReport>,
    /// What was wrong last, if anything was.
    pub last_fault: Option<String>,
}

/// Percentiles by nearest rank, in milliseconds.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct LatencyReport {
    /// Of how many.
    pub n: u64,
    /// The median.
    pub p50_ms: f64,
    /// 95 of 100 took no longer.
    pub p95_ms: f64,
    /// 99 of 100 took no longer.
    pub p99_ms: f64,
    /// The longest.
    pub max_ms: f64,
}

impl WatchReport {
    /// An observation that ended, or was cut off after so long.
    #[must_use]
    pub fn of(record: &Record, observation: &Observation, ended: Result<&Ending, Duration>) -> Self {
        let probes = record.probes().iter().zip(observation.tapes());
        Self {
            duration_ms: to_millis(ended.map_or_else(|took| took, |ending| ending.took)),
            complete: ended.is_ok_and(|ending| ending.complete),
            dropped: ended.map_or(0, |ending| ending.dropped),
            crowded: ended.map_or(0, |ending| ending.crowded),
            skipped: ended.map_or(0, |ending| ending.skipped),
            probes: probes
                .map(|(probe, tape)| ProbeReport {
                    name: probe.name.clone(),
                    address: probe.address.clone(),
                    last_fault: probe.last_fault.clone(),
                    ..ProbeReport::of(tape)
                })
                .collect(),
        }
    }

    /// The samples of all probes that were measured, and the bad ones.
    #[must_use]
    pub fn samples(&self) -> (u64, u64) {
        let each = self.probes.iter().map(|probe| (probe.samples, probe.bad));
        each.fold((0, 0), |(all, bad), (n, b)| (all + n, bad + b))
    }
}

impl ProbeReport {
    fn of(tape: &Tape) -> Self {
        let count = |wanted: State| {
            let samples = tape.samples().iter();
            samples.filter(|sample| sample.state() == wanted).count() as u64
        };
        let (bad, timed_out) = (count(State::Bad) + count(State::TooSlow), count(State::TimedOut));
        let whole = tape.percentile(Duration::ZERO, Duration::MAX, 95.0, Unseen::Known);
        Self {
            name: String::new(),
            address: String::new(),
            samples: count(State::Good) + bad + timed_out,
            bad: bad + timed_out,
            timed_out,
            unmeasured: count(State::Unmeasured),
            p95_ms: whole.map(|latency| latency.low * 1000.0),
            latency: LatencyReport::of(tape, State::Good),
            latency_of_failures: LatencyReport::of(tape, State::Bad),
            last_fault: None,
        }
    }
}

impl LatencyReport {
    fn of(tape: &Tape, wanted: State) -> Option<Self> {
        let samples = tape.samples().iter();
        let mut micros: Vec<u32> = samples
            .filter(|sample| sample.state() == wanted)
            .map(|sample| u32::try_from(sample.took().as_micros()).unwrap_or(u32::MAX))
            .collect();
        micros.sort_unstable();
        let last = micros.len().checked_sub(1)?;
        let millis = |rank: usize| f64::from(micros[rank.min(last)]) / 1000.0;
        // Nearest rank, in whole numbers.
        let percentile = |percent: usize| millis((micros.len() * percent).div_ceil(100).saturating_sub(1));
        Some(Self {
            n: micros.len() as u64,
            p50_ms: percentile(50),
            p95_ms: percentile(95),
            p99_ms: percentile(99),
            max_ms: millis(last),
        })
    }
}
