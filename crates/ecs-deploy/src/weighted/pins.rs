//! Scaling that must not act while traffic is split: the side that serves less sees its load go, and would be too small to
//! take it back.
//!
//! Only scaling in and schedules are suspended; who wants more tasks gets them. What someone else resumes meanwhile stays
//! resumed.

use crate::api::{Api, Refused};
use crate::state::Suspended;

/// Suspends what could make the service smaller.
pub(crate) async fn pin(api: &Api, service: &str) -> Result<(), Refused> {
    set(api, service, pinned).await
}

/// Resumes what was not suspended before.
pub(crate) async fn unpin(api: &Api, service: &str, before: Suspended) -> Result<(), Refused> {
    set(api, service, |found| unpinned(found, before)).await
}

async fn set(api: &Api, service: &str, to: impl Fn(Suspended) -> Suspended) -> Result<(), Refused> {
    let Some(found) = api.scaling(service).await? else {
        return Ok(());
    };
    let wanted = to(found);
    if wanted == found {
        return Ok(());
    }
    api.set_scaling(service, wanted).await
}

fn pinned(found: Suspended) -> Suspended {
    Suspended {
        scaling_in: true,
        scheduled: true,
        ..found
    }
}

fn unpinned(found: Suspended, before: Suspended) -> Suspended {
    Suspended {
        scaling_in: found.scaling_in && before.scaling_in,
        scheduled: found.scheduled && before.scheduled,
        ..found
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_suspended_before_stays_so_and_what_others_changed_too() {
        let found = Suspended {
            scaling_in: false,
            scaling_out: true,
            scheduled: true,
        };
        let before = Suspended {
            scaling_in: false,
            scaling_out: true,
            scheduled: true,
        };
        assert_eq!(unpinned(pinned(found), before), found);
        let theirs = Suspended {
            scheduled: false,
            ..pinned(found)
        };
        let after = unpinned(theirs, before);
        assert_eq!((after.scaling_in, after.scheduled), (false, false));
    }
}
