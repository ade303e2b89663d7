//! Which call of a run fails, and how: what the matrices of faults go through.
//!
//! A run that goes well names its calls. Each of them fails then, in a world of its own: a write once in every way, a read
//! for so long that the repeats of the SDK don't hide it. Ways in which reads fail that end alike for who asks (throttling, a
//! reset, a time-out) strike the first, the middle and the last of each kind of read: the full product takes ten times as
//! long and finds nothing more. A read whose answer is lost is one that was never heard.

use std::collections::BTreeMap;
use std::time::Duration;

use sandbox::stand_ins::aws::{Cloud, Entry, Fault, Turn};

/// How many calls of a kind fail where a read does: the SDK asks four times, and two sides are asked at once.
const LASTING: usize = 8;

/// A fault of a call.
#[derive(Clone, Debug)]
pub(crate) struct Blow {
    /// The call's service and operation.
    pub(crate) call: String,
    /// Which of its operation since the cloud began, from 1.
    pub(crate) nth: usize,
    pub(crate) fault: Fault,
    pub(crate) lasts: Lasts,
}

/// How long a fault lasts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Lasts {
    /// So many calls of the operation in a row.
    Calls(usize),
    /// For good, from this moment of the cloud's clock on.
    Since(Duration),
}

impl Blow {
    /// Lets it come.
    pub(crate) fn strike(&self, cloud: &Cloud) {
        let fault = |turn| cloud.fault(&self.call, turn, self.fault.clone());
        match self.lasts {
            Lasts::Calls(times) => (self.nth..self.nth + times).for_each(|nth| fault(Turn::Nth(nth))),
            Lasts::Since(moment) => fault(Turn::Since(moment)),
        }
    }

    /// Whether it is one that passes by itself.
    pub(crate) fn passes(&self) -> bool {
        !self.is_access() && matches!(self.lasts, Lasts::Calls(_))
    }

    /// Whether it is about credentials or permissions.
    pub(crate) fn is_access(&self) -> bool {
        matches!(self.fault, Fault::Denied | Fault::Expired)
    }
}

/// Calls of a run, each with its operation and which of its operation it is since the cloud began. `earlier` calls are of
/// other runs.
fn numbered<'a>(
    earlier: &'a [Entry],
    calls: &'a [Entry],
) -> impl Iterator<Item = (String, usize, &'a Entry)> + use<'a> {
    let mut counts: BTreeMap<String, usize> = BTreeMap::new();
    let all = earlier.iter().chain(calls).map(move |call| {
        let name = format!("{}:{}", call.service, call.operation);
        let count = counts.entry(name.clone()).or_default();
        *count += 1;
        (name, *count, call)
    });
    all.skip(earlier.len())
}

/// The first, the middle and the last call of an operation, of all that there are.
fn picked(all: &[(String, usize, &Entry)], operation: &str) -> [usize; 3] {
    let same: Vec<usize> = all
        .iter()
        .filter(|(other, _, _)| other == operation)
        .map(|(_, nth, _)| *nth)
        .collect();
    [same[0], same[same.len() / 2], same[same.len() - 1]]
}

/// Every write of these calls fails, in every way.
pub(crate) fn of_writes(earlier: &[Entry], calls: &[Entry]) -> Vec<Blow> {
    let faults = [
        Fault::Internal,
        Fault::Lost,
        Fault::Throttled,
        Fault::Hang,
        Fault::Denied,
    ];
    let writes = numbered(earlier, calls).filter(|(_, _, entry)| entry.writes());
    let blows = writes.flat_map(|(call, nth, _)| {
        faults.clone().map(|fault| Blow {
            call: call.clone(),
            nth,
            fault,
            lasts: Lasts::Calls(1),
        })
    });
    blows.collect()
}

/// Every read of these calls fails.
pub(crate) fn of_reads(earlier: &[Entry], calls: &[Entry]) -> Vec<Blow> {
    let reads: Vec<_> = numbered(earlier, calls)
        .filter(|(_, _, entry)| !entry.writes())
        .collect();
    let mut blows = Vec::new();
    for (call, nth, _) in &reads {
        let mut faults = vec![(Fault::Internal, LASTING)];
        let ways = [Fault::Throttled, Fault::Hang, Fault::Reset];
        let others = picked(&reads, call).into_iter().zip(ways);
        for (_, fault) in others.filter(|(picked, _)| picked == nth) {
            faults.extend([(fault, LASTING), (Fault::Denied, 1)]);
        }
        faults.dedup();
        blows.extend(faults.into_iter().map(|(fault, times)| Blow {
            call: call.clone(),
            nth: *nth,
            fault,
            lasts: Lasts::Calls(times),
        }));
    }
    blows
}

/// From the first, the middle and the last call of each operation on it fails for good.
pub(crate) fn of_outages(earlier: &[Entry], calls: &[Entry]) -> Vec<Blow> {
    let all: Vec<_> = numbered(earlier, calls).collect();
    let mut blows = Vec::new();
    for (call, nth, entry) in &all {
        if !picked(&all, call).contains(nth) {
            continue;
        }
        let mut faults = vec![Fault::Reset, Fault::Expired];
        if entry.writes() {
            faults.extend([Fault::Hang, Fault::Throttled, Fault::Lost, Fault::Denied]);
        }
        blows.extend(faults.into_iter().map(|fault| Blow {
            call: call.clone(),
            nth: *nth,
            fault,
            lasts: Lasts::Since(entry.at),
        }));
    }
    blows
}

/// Every second one from this on, for tests that share a matrix between them.
pub(crate) fn half(blows: Vec<Blow>, which: usize) -> impl Iterator<Item = Blow> {
    blows.into_iter().skip(which).step_by(2)
}
