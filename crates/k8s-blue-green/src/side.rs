//! A Deployment of one of the two sides: its size, and how many of its pods are ready.

use std::time::Duration;

use serde_json::{Value, json};
use tokio::time::{Instant, sleep};

use crate::api::{Kind, Refused, Still};
use crate::error::Error;
use crate::object;
use crate::place::Place;

/// From one look to the next.
const LOOK: Duration = Duration::from_secs(1);

/// From one try of a write to the next.
const PAUSE: Duration = Duration::from_millis(500);

/// What a Deployment says of its size.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Size {
    /// How many pods it is to have.
    pub wanted: u64,
    /// How many of them are ready.
    pub ready: u64,
    /// How many there are.
    pub there: u64,
}

impl Size {
    /// The size that an object says.
    #[must_use]
    pub fn of(deployment: &Value) -> Self {
        Self {
            wanted: object::number(deployment, "/spec/replicas").unwrap_or(1),
            ready: object::number(deployment, "/status/readyReplicas").unwrap_or(0),
            there: object::number(deployment, "/status/replicas").unwrap_or(0),
        }
    }
}

/// A Deployment, or nothing where there is none of that name.
///
/// # Errors
/// When it can't be read.
pub async fn read(name: &str, place: &Place<'_>) -> Result<Option<Value>, Error> {
    let found = place.api.get(&Kind::deployment(), &place.namespace, name).await;
    found.map_err(Error::refused(format!("read Deployment `{name}`")))
}

/// Gives a Deployment so many pods, if it still is the one of that unique id; an empty id is any. Says whether it is there.
///
/// # Errors
/// When it can't be written for so long.
pub async fn scale(
    name: &str,
    uid: &str,
    replicas: u64,
    patience: Duration,
    place: &Place<'_>,
) -> Result<bool, Refused> {
    let mut operations = vec![json!({"op": "add", "path": "/spec/replicas", "value": replicas})];
    if !uid.is_empty() {
        operations.insert(0, json!({"op": "test", "path": "/metadata/uid", "value": uid}));
    }
    let patch = Value::Array(operations);
    let began = Instant::now();
    loop {
        let done = place
            .api
            .patch(&Kind::deployment(), &place.namespace, name, &patch, false)
            .await;
        match done {
            Ok(_) => return Ok(true),
            Err(refused) if refused.is_missing() => return Ok(false),
            Err(refused) if refused.may_pass() && began.elapsed() < patience => sleep(PAUSE).await,
            Err(refused) => return Err(refused),
        }
    }
}

/// Deletes a Deployment, if it still is the one of that unique id.
///
/// # Errors
/// When it can't be deleted.
pub async fn delete(name: &str, uid: &str, place: &Place<'_>) -> Result<(), Refused> {
    let still = Still {
        uid: Some(uid).filter(|uid| !uid.is_empty()),
        version: None,
    };
    place
        .api
        .delete(&Kind::deployment(), &place.namespace, name, &still)
        .await
}

/// Waits until at least so many pods of a Deployment are ready, or the time is over; gives how it was seen last.
pub async fn until_ready(name: &str, least: u64, limit: Duration, place: &Place<'_>) -> Size {
    until(name, limit, place, |size| size.ready >= least).await
}

/// Waits until a Deployment has no pods any more, or the time is over.
pub async fn until_gone(name: &str, limit: Duration, place: &Place<'_>) -> Size {
    until(name, limit, place, |size| size.there == 0).await
}

async fn until(name: &str, limit: Duration, place: &Place<'_>, so: impl Fn(Size) -> bool) -> Size {
    let began = Instant::now();
    let mut last = Size::default();
    loop {
        if let Ok(found) = read(name, place).await {
            last = found.as_ref().map(Size::of).unwrap_or_default();
            if so(last) {
                return last;
            }
        }
        if began.elapsed() >= limit {
            return last;
        }
        place.runner.heartbeat(format!(
            "Deployment `{name}`: {} of {} pods are ready",
            last.ready, last.wanted
        ));
        sleep(LOOK).await;
    }
}
