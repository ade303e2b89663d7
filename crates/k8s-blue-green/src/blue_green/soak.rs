//! The soak: the new version has the traffic and is watched, with the old one ready to take over.

use std::time::Duration;

use gha::{duration, text};
use tokio::time::{Instant, sleep};

use super::shift::Ready;
use super::stopped::Stopped;
use crate::api::Kind;
use crate::error::Error;
use crate::lead::managers;
use crate::object;
use crate::place::Place;
use crate::side::{self, Size};

/// From one look to the next.
const LOOK: Duration = Duration::from_secs(5);

/// How many looks in a row must show too few ready pods.
const LOOKS: u32 = 2;

/// Watches for so long. It ends early when fewer than half of the pods are ready, or somebody else changes a Service.
///
/// # Errors
/// Why it ended early.
pub(super) async fn watch(
    ready: &[Ready],
    time: Duration,
    api_grace: Duration,
    place: &Place<'_>,
) -> Result<(), Stopped> {
    let began = Instant::now();
    let mut low = vec![0; ready.len()];
    let mut unseen: Option<Instant> = None;
    loop {
        let mut all_seen = true;
        for (one, low) in ready.iter().zip(&mut low) {
            match look(one, place).await {
                Ok(Some(reason)) => {
                    *low += 1;
                    if *low >= LOOKS {
                        return Err(Stopped::failed(reason));
                    }
                }
                Ok(None) => *low = 0,
                Err(stopped) if stopped.passing().is_some() => {
                    all_seen = false;
                    let since = *unseen.get_or_insert_with(Instant::now);
                    if since.elapsed() >= api_grace {
                        return Err(Stopped::failed(format!(
                            "the new version could not be watched for {}: {}",
                            duration::display(api_grace),
                            stopped.reason()
                        )));
                    }
                }
                Err(stopped) => return Err(stopped),
            }
        }
        if all_seen {
            unseen = None;
        }
        let left = time.saturating_sub(began.elapsed());
        if left.is_zero() && all_seen && low.iter().all(|low| *low == 0) {
            return Ok(());
        }
        place.runner.heartbeat(format!(
            "the new version is watched; {} left",
            duration::display(left)
        ));
        sleep(if left.is_zero() { LOOK } else { left.min(LOOK) }).await;
    }
}

/// Whether a Service still is as this run wrote it.
///
/// # Errors
/// When somebody else changed it, or it can't be read.
pub(super) async fn ours(one: &Ready, place: &Place<'_>) -> Result<(), Stopped> {
    let name = &one.lead.name;
    let seen = place.api.get(&Kind::service(), &place.namespace, name).await;
    let seen = seen.map_err(Error::refused(format!("read Service `{name}`")))?;
    let Some(seen) = seen else {
        return Err(Error::Foreign {
            what: format!("Service `{name}` is gone: it"),
        }
        .into());
    };
    if !one.lead.is_still(&seen) {
        let by = managers(&seen);
        let by = if by.is_empty() {
            String::new()
        } else {
            format!(" by {by}")
        };
        return Err(Error::Foreign {
            what: format!(
                "Service `{name}` (set to `{}`{by})",
                text::line(&object::written(&object::labels_at(&seen, "/spec/selector")))
            ),
        }
        .into());
    }
    Ok(())
}

/// What one look shows against the new version.
async fn look(one: &Ready, place: &Place<'_>) -> Result<Option<String>, Stopped> {
    ours(one, place).await?;
    let deployment = text::line(&one.state.new.deployment);
    let Some(found) = side::read(&one.state.new.deployment, place).await? else {
        return Ok(Some(format!("Deployment `{deployment}` is gone")));
    };
    let size = Size::of(&found);
    let least = size.wanted.min(one.state.new.replicas).max(1).div_ceil(2);
    Ok((size.ready < least).then(|| {
        format!(
            "{} of {} pods of `{deployment}` are ready with the traffic on it",
            size.ready, size.wanted
        )
    }))
}
