//! Scaling that must not act while traffic is split: the side that serves less sees its load go, and would be too small to
//! take it back.
//!
//! Only scaling in and schedules are suspended; who wants more tasks gets them. What someone else resumes meanwhile stays
//! resumed.

use crate::api::scaling::Scaling as Found;
use crate::api::{Api, Refused};
use crate::state::Suspended;

/// What is suspended of a service's scaling; `None` where nothing scales it.
pub(crate) async fn read(api: &Api, service: &str) -> Result<Option<Suspended>, Refused> {
    let found = api.scaling(service).await?;
    Ok(found.map(|found| Suspended {
        scaling_in: found.in_suspended,
        scaling_out: found.out_suspended,
        scheduled: found.scheduled_suspended,
    }))
}

/// Suspends what could make the service smaller.
pub(crate) async fn pin(api: &Api, service: &str) -> Result<(), Refused> {
    set(api, service, pinned).await
}

/// Resumes what was not suspended before.
pub(crate) async fn unpin(api: &Api, service: &str, before: Suspended) -> Result<(), Refused> {
    set(api, service, |found| unpinned(found, before)).await
}

async fn set(api: &Api, service: &str, to: impl Fn(Found) -> Found) -> Result<(), Refused> {
    let Some(found) = api.scaling(service).await? else {
        return Ok(());
    };
    let wanted = to(found);
    if wanted == found {
        return Ok(());
    }
    api.set_scaling(service, wanted).await
}

fn pinned(found: Found) -> Found {
    Found {
        in_suspended: true,
        scheduled_suspended: true,
        ..found
    }
}

fn unpinned(found: Found, before: Suspended) -> Found {
    Found {
        in_suspended: found.in_suspended && before.scaling_in,
        scheduled_suspended: found.scheduled_suspended && before.scheduled,
        ..found
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_suspended_before_stays_so_and_what_others_changed_too() {
        let found = Found {
            in_suspended: false,
            out_suspended: true,
            scheduled_suspended: true,
        };
        let before = Suspended {
            scaling_in: false,
            scaling_out: true,
            scheduled: true,
        };
        assert_eq!(unpinned(pinned(found), before), found);
        let theirs = Found {
            scheduled_suspended: false,
            ..pinned(found)
        };
        let after = unpinned(theirs, before);
        assert_eq!((after.in_suspended, after.scheduled_suspended), (false, false));
    }
}
