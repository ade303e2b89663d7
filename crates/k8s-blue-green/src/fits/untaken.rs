//! Flags that a strategy or a command has no use for. To ignore one in silence would let somebody believe that it holds: a soak that
//! nobody watches, a lock that nobody takes. Pure.

use crate::cli::Given;
use crate::error::Error;

/// Flags, why they are of no use, and what to do.
type Untaken = &'static [(&'static [&'static str], &'static str)];

/// What a rolling deploy has no use for: it moves no Service, and has no second version beside the first.
pub(super) const ROLLING: Untaken = &[
    (
        &["migrate", "migrate-timeout", "retry-migration"],
        "a rolling deploy replaces pods one by one; migrations are for `--strategy blue-green`",
    ),
    (
        &["switch", "overlap"],
        "a rolling deploy switches no Service; leave it out, or deploy with `--strategy blue-green`",
    ),
    (
        &["soak"],
        "a rolling deploy watches no switch: `--gate 'steady URL 10m'` watches when the rollout is complete",
    ),
    (
        &["drain", "retire"],
        "a rolling deploy leaves no old version beside the new one; leave it out",
    ),
    (
        &["color-label"],
        "a rolling deploy has no colours; leave it out, or deploy with `--strategy blue-green`",
    ),
    (
        &["preview-port"],
        "a rolling deploy has no preview; the smoke command and the gates look at what serves",
    ),
    (
        &["replicas"],
        "a rolling deploy leaves the number of pods as it is; scale the workload itself, or set `replicas` in its manifest",
    ),
    (&["lock-timeout"], NO_LOCK),
];

const NO_LOCK: &str =
    "a workload has no lock to wait for: each change is made only to what was read; leave it out";

/// What `promote` has no use for, because the version was made and judged when it came up.
pub(super) const PROMOTE: Untaken = &[
    (
        &["smoke", "smoke-timeout", "preview-port"],
        "the version was judged when it came up; give it to `deploy --until preview`",
    ),
    (
        &["retire", "color-label", "unschedulable-grace"],
        "it was settled when the version came up; give it to `deploy`",
    ),
];

/// What `rollback` of a Service has no use for.
pub(super) const BACK: Untaken = &[
    (
        &["lock-timeout"],
        "`rollback` asks for no lock: who undoes wins over who deploys; leave it out",
    ),
    (
        &["unschedulable-grace"],
        "going back waits for pods of the old version for `--timeout`, whatever keeps them; leave it out",
    ),
];

/// What `rollback` and `recover` of a workload have no use for.
pub(super) const OF_WORKLOAD: Untaken = &[(&["lock-timeout"], NO_LOCK)];

/// Checks that none of these was given.
///
/// # Errors
/// The first that was.
pub(super) fn none_of(untaken: Untaken, given: &Given) -> Result<(), Error> {
    for (flags, reason) in untaken {
        if let Some(flag) = flags.iter().find(|flag| given.has(flag)) {
            return Err(Error::Flag {
                flag,
                reason: (*reason).to_owned(),
            });
        }
    }
    Ok(())
}
