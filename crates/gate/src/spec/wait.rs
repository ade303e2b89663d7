//! A wait as a gate file or flags describe it.

use std::time::Duration;

use gha::duration;

use crate::spec::target::Target;
use crate::wait::{Limits, Until};

/// The limits of a wait where nothing else is said.
pub const LIMITS: Limits = Limits {
    interval: Duration::from_secs(5),
    try_timeout: Duration::from_secs(5),
    timeout: Duration::from_secs(300),
    success_threshold: 1,
};

/// The shortest time between two tries, looks or evaluations.
pub const SHORTEST_INTERVAL: Duration = Duration::from_millis(100);

/// How many targets there may be.
pub const MOST_TARGETS: usize = 200;

/// A wait until targets are ready.
#[derive(Clone, Debug)]
pub struct Wait {
    /// What must be ready.
    pub targets: Vec<Waited>,
    /// The longest the wait may take.
    pub timeout: Duration,
    /// Whether all, or any one.
    pub until: Until,
}

/// A target and when it is tried.
#[derive(Clone, Debug)]
pub struct Waited {
    /// The target.
    pub target: Target,
    /// Its limits; the time-out is the wait's.
    pub limits: Limits,
}

/// Something about a wait that can't be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Misfit {
    /// Which target, where it is about one.
    pub target: Option<usize>,
    /// Which setting, as gate files name it.
    pub key: &'static str,
    /// Why, as a lower-case fragment.
    pub reason: String,
}

impl Wait {
    /// Everything that can't be.
    #[must_use]
    pub fn check(&self) -> Vec<Misfit> {
        let mut found = Vec::new();
        let mut tell = |target, key, reason: String| found.push(Misfit { target, key, reason });
        if !(1..=MOST_TARGETS).contains(&self.targets.len()) {
            tell(
                None,
                "targets",
                format!("there must be 1 to {MOST_TARGETS} targets"),
            );
        }
        if self.timeout.is_zero() {
            tell(None, "timeout", "`timeout` must be more than zero".to_owned());
        }
        for (index, waited) in self.targets.iter().enumerate() {
            if let Some((key, reason)) = misfit(&waited.limits) {
                tell(Some(index), key, reason);
            }
            let name = &waited.target.name;
            if self.targets[..index]
                .iter()
                .any(|other| other.target.name == *name)
            {
                let shown = gha::text::cut(&gha::text::visible(name), 100);
                tell(
                    Some(index),
                    "name",
                    format!("a second target is named `{shown}`; give them a `name` each"),
                );
            }
        }
        found
    }
}

/// What can't be about some limits.
fn misfit(limits: &Limits) -> Option<(&'static str, String)> {
    let show = duration::exact;
    if limits.interval < SHORTEST_INTERVAL {
        let reason = format!(
            "`interval` is {}, and must be at least {}",
            show(limits.interval),
            show(SHORTEST_INTERVAL)
        );
        return Some(("interval", reason));
    }
    if limits.try_timeout.is_zero() {
        return Some(("try_timeout", "`try_timeout` must be more than zero".to_owned()));
    }
    let Some(more) = limits.success_threshold.checked_sub(1) else {
        return Some((
            "success_threshold",
            "`success_threshold` must be at least 1".to_owned(),
        ));
    };
    let row = limits.interval.saturating_mul(more);
    if more > 0 && row >= limits.timeout {
        let reason = format!(
            "{} good tries in a row, {} apart, do not fit in the wait's `timeout` of {}",
            limits.success_threshold,
            show(limits.interval),
            show(limits.timeout)
        );
        return Some(("success_threshold", reason));
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::spec::target::{Kind, Tcp};

    fn wait(targets: &[(&str, Limits)]) -> Wait {
        let targets = targets.iter().map(|(address, limits)| Waited {
            target: Target::new(Kind::Tcp(Tcp::new(address.parse().unwrap()))),
            limits: *limits,
        });
        Wait {
            targets: targets.collect(),
            timeout: LIMITS.timeout,
            until: Until::All,
        }
    }

    #[test]
    fn what_can_t_be_is_told_with_its_key() {
        assert_eq!(wait(&[("db:1", LIMITS), ("db:2", LIMITS)]).check(), []);
        let with = |change: fn(&mut Limits)| {
            let mut limits = LIMITS;
            change(&mut limits);
            let found = wait(&[("db:1", limits)]).check();
            assert_eq!(found.len(), 1, "{found:?}");
            (found[0].key, found[0].reason.clone())
        };
        assert_eq!(
            with(|limits| limits.interval = Duration::from_millis(99)).0,
            "interval"
        );
        assert_eq!(
            with(|limits| limits.try_timeout = Duration::ZERO).0,
            "try_timeout"
        );
        assert_eq!(with(|limits| limits.success_threshold = 0).0, "success_threshold");
        let (key, reason) = with(|limits| limits.success_threshold = 61);
        assert_eq!(
            (key, reason.as_str()),
            (
                "success_threshold",
                "61 good tries in a row, 5s apart, do not fit in the wait's `timeout` of 5m"
            )
        );
        assert_eq!(wait(&[]).check()[0].key, "targets");
        let twice = wait(&[("db:1", LIMITS), ("db:1", LIMITS)]).check();
        assert_eq!((twice[0].target, twice[0].key), (Some(1), "name"));
    }
}
