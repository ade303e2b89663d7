//! The wait for a new version: its Deployment's own counts, its pods' troubles, and at last its preview, port by port.

use std::time::Duration;

use gha::{duration, text};
use serde_json::Value;
use tokio::time::{Instant, sleep};

use crate::api::{Kind, Which};
use crate::blue_green::stopped::Stopped;
use crate::cli::Times;
use crate::color::preview;
use crate::endpoints::{self, Endpoints};
use crate::error::Error;
use crate::object;
use crate::place::Place;
use crate::pods;
use crate::ready::{self, Progress};
use crate::state::Side;

/// From one look to the next.
const LOOK: Duration = Duration::from_secs(1);

/// Every which look goes to the pods, too.
const PODS: u32 = 3;

/// How long a pod may be in trouble that could pass.
const GRACE: Duration = Duration::from_secs(25);

/// In how many looks in a row trouble must be seen.
const LOOKS: u32 = 2;

/// What was seen of trouble.
#[derive(Default)]
struct Seen {
    since: Option<Instant>,
    looks: u32,
    last: Option<String>,
}

/// Waits until all pods of a version are ready and its preview leads to them.
///
/// # Errors
/// Why they do not become ready.
pub async fn wait(service: &str, side: &Side, times: &Times, place: &Place<'_>) -> Result<(), Stopped> {
    let (began, mut looks) = (Instant::now(), 0_u32);
    let mut seen = Seen::default();
    let mut unread: Option<Instant> = None;
    loop {
        let standing = match look(service, side, looks, times, &mut seen, place).await {
            Ok(Some(standing)) => {
                unread = None;
                standing
            }
            Ok(None) => {
                // What comes next may be long, and must not go on saying what was missing.
                let name = text::line(&side.deployment);
                place.runner.heartbeat(format!("`{name}` is ready"));
                return Ok(());
            }
            Err(stopped) if stopped.passing().is_some() => {
                let since = *unread.get_or_insert_with(Instant::now);
                if since.elapsed() >= times.api_grace {
                    return Err(stopped);
                }
                stopped.reason()
            }
            Err(stopped) => return Err(stopped),
        };
        let name = text::line(&side.deployment);
        if began.elapsed() >= times.timeout {
            let last = seen.last.map(|last| format!("; {last}")).unwrap_or_default();
            return Err(Stopped::failed(format!(
                "`{name}` is not ready after {}: {standing}{last}",
                duration::display(times.timeout)
            )));
        }
        place.runner.heartbeat(format!("`{name}`: {standing}"));
        looks = looks.saturating_add(1);
        sleep(LOOK).await;
    }
}

/// How it stands; nothing where all is ready.
async fn look(
    service: &str,
    side: &Side,
    looks: u32,
    times: &Times,
    seen: &mut Seen,
    place: &Place<'_>,
) -> Result<Option<String>, Stopped> {
    let name = &side.deployment;
    let found = place.api.get(&Kind::deployment(), &place.namespace, name).await;
    let found = found.map_err(Error::refused(format!("read Deployment `{name}`")))?;
    let Some(deployment) = found else {
        return Err(Stopped::failed(format!(
            "Deployment `{}` is gone",
            text::line(name)
        )));
    };
    let standing = match ready::deployment(&deployment) {
        Progress::Ready => return previewed(service, side, place).await,
        Progress::Failed(why) => return Err(Stopped::failed(format!("`{}`: {why}", text::line(name)))),
        Progress::Waiting(standing) => standing,
    };
    if looks % PODS == PODS - 1 {
        troubled(&pods_of(side, place).await?, times, seen)?;
    }
    Ok(Some(standing))
}

/// The pods of a side.
async fn pods_of(side: &Side, place: &Place<'_>) -> Result<Vec<Value>, Error> {
    let selector = object::written(&side.selector);
    let which = Which {
        labels: Some(&selector),
        fields: None,
    };
    let pods = place.api.list(&Kind::pod(), &place.namespace, &which).await;
    pods.map_err(Error::refused(format!(
        "read the pods of `{}`",
        text::line(&side.deployment)
    )))
}

/// Fails when a pod is in trouble that does not pass.
fn troubled(pods: &[Value], times: &Times, seen: &mut Seen) -> Result<(), Stopped> {
    let troubles: Vec<pods::Trouble> = pods.iter().filter_map(pods::trouble).collect();
    let Some(worst) = troubles
        .iter()
        .find(|trouble| trouble.certain)
        .or(troubles.first())
    else {
        seen.since = None;
        seen.looks = 0;
        return Ok(());
    };
    seen.last = Some(worst.message.clone());
    seen.looks += 1;
    let since = *seen.since.get_or_insert_with(Instant::now);
    let is_unschedulable = worst.reason == pods::Reason::Unschedulable;
    let grace = if is_unschedulable {
        times.unschedulable_grace
    } else {
        GRACE
    };
    if seen.looks >= LOOKS && since.elapsed() >= grace && (worst.certain || is_unschedulable) {
        return Err(Stopped::failed(worst.message.clone()));
    }
    Ok(())
}

/// Whether the preview leads to all pods by every port.
async fn previewed(service: &str, side: &Side, place: &Place<'_>) -> Result<Option<String>, Stopped> {
    let name = preview(service);
    let found = place.api.get(&Kind::service(), &place.namespace, &name).await;
    let found = found.map_err(Error::refused(format!("read Service `{name}`")))?;
    let Some(preview) = found else {
        return Err(Stopped::failed(format!("Service `{name}` is gone")));
    };
    let of = format!("kubernetes.io/service-name={name}");
    let which = Which {
        labels: Some(&of),
        fields: None,
    };
    let slices = place
        .api
        .list(&Kind::endpoint_slice(), &place.namespace, &which)
        .await
        .map_err(Error::refused(format!("read where Service `{name}` leads")))?;
    // Pods are read after where the Service leads: one that is new to the slices is known then.
    let pods = pods_of(side, place).await?;
    let wanted = pods.iter().map(|pod| object::uid(pod).to_owned()).collect();
    let least = usize::try_from(side.replicas).unwrap_or(usize::MAX);
    match endpoints::judge(&preview, &slices, &wanted, least) {
        Endpoints::Ready => Ok(None),
        Endpoints::Waiting(why) => Ok(Some(why)),
        Endpoints::Wrong(why) => Err(Stopped::failed(why)),
    }
}
