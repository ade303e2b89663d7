//! `wait`: targets with their limits.

use crate::spec::check::targets::target;
use crate::spec::fault::Faults;
use crate::spec::file::wait as file;
use crate::spec::wait::{LIMITS, MOST_TARGETS, Wait, Waited};
use crate::wait::Limits;

/// Checks a wait.
pub(crate) fn wait(raw: &file::Wait, faults: &mut Faults) -> Option<Wait> {
    raw.given.need("targets", "`wait`", faults);
    let timeout = raw
        .timeout
        .as_ref()
        .map_or(LIMITS.timeout, |timeout| timeout.value);
    // Where each target's settings stand, and whether a time of it could not be read.
    let mut places = Vec::new();
    let mut targets = Vec::new();
    // One more than may be, so that it is told; the rest would be work for nothing.
    for one in raw.targets.iter().flatten().take(MOST_TARGETS + 1) {
        let one = &one.0;
        let Some(target) = target(one, faults) else {
            continue;
        };
        let interval = one.interval.as_ref().or(raw.interval.as_ref());
        let try_timeout = one.try_timeout.as_ref().or(raw.try_timeout.as_ref());
        let threshold = one.success_threshold.as_ref().or(raw.success_threshold.as_ref());
        let limits = Limits {
            interval: interval.map_or(LIMITS.interval, |interval| interval.value),
            try_timeout: try_timeout.map_or(LIMITS.try_timeout, |limit| limit.value),
            timeout,
            success_threshold: threshold.map_or(LIMITS.success_threshold, |threshold| threshold.value),
        };
        let is_unread = raw.given.has("timeout") && raw.timeout.is_none()
            || one.given.has("interval") && one.interval.is_none()
            || raw.given.has("interval") && interval.is_none();
        places.push((&one.given, is_unread));
        targets.push(Waited { target, limits });
    }
    let wait = Wait {
        targets,
        timeout,
        until: raw.until.as_ref().map(|until| until.value).unwrap_or_default(),
    };
    for misfit in wait.check() {
        let target = misfit.target.and_then(|index| places.get(index));
        let at = match target {
            // What a target does not set is the wait's, and told there.
            Some((given, _)) if given.has(misfit.key) || !raw.given.has(misfit.key) => {
                given.place(misfit.key)
            }
            _ => raw.given.place(misfit.key),
        };
        let is_consequence = match misfit.key {
            // Targets that could not be read are missing from the count.
            "targets" => raw.targets.iter().flatten().count() <= MOST_TARGETS,
            // The times that it does not fit into are not those that were meant.
            "success_threshold" => target.is_some_and(|(_, is_unread)| *is_unread),
            _ => false,
        };
        if !is_consequence {
            faults.add(at, misfit.reason);
        }
    }
    Some(wait)
}
