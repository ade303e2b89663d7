//! Sends a write that has conditions, until it is known what became of it.

use std::time::Duration;

use serde_json::Value;
use tokio::time::{Instant, sleep};

use crate::api::Refused;
use crate::place::Place;
use crate::workload::Workload;

use super::find;

/// From the first try to the second; each pause is twice as long as the one before, up to the longest.
const PAUSE: Duration = Duration::from_millis(500);

/// The longest pause.
const LONGEST_PAUSE: Duration = Duration::from_secs(10);

/// How long a write is tried.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Patience {
    /// While nothing answers.
    pub silent: Duration,
    /// While the server can be read, and does not take the write.
    pub unwilling: Duration,
}

/// What became of a write that was not done, or not known to be.
#[derive(Clone, Debug, PartialEq)]
pub enum Unsent {
    /// What it was to change is no longer as it was read: as it is now, or nothing where it is gone.
    Foreign(Option<Box<Value>>),
    /// It was refused, and certainly not done.
    Refused(Refused),
    /// Whether it was done is not known.
    Unknown(Refused),
}

/// How often a write is sent again whose condition did not hold, though what counts is as it was read: a controller wrote a status
/// between, and the condition was a resource version.
const AGAIN: u32 = 5;

/// Patches a workload. A patch whose answer was lost shows by `is_done` at the next look, and is sent again where it was not done:
/// its conditions make that safe.
///
/// # Errors
/// When it was not done, or that is not known after so long.
pub async fn patch(
    named: &Workload,
    object: &Value,
    operations: impl Fn(&Value) -> Value,
    is_done: impl Fn(&Value) -> bool,
    patience: Patience,
    place: &Place<'_>,
) -> Result<Value, Unsent> {
    let kind = named.sort.kind();
    let send = async |object: Option<&Value>| {
        let operations = operations(object.unwrap_or(&Value::Null));
        let api = &place.api;
        api.patch(&kind, &place.namespace, &named.name, &operations, false)
            .await
    };
    until_known(named, Some(object), send, is_done, patience, place).await
}

/// The same for any write with conditions on an object as it was read; nothing where there is none.
///
/// # Errors
/// The same.
pub async fn until_known(
    named: &Workload,
    object: Option<&Value>,
    send: impl AsyncFn(Option<&Value>) -> Result<Value, Refused>,
    is_done: impl Fn(&Value) -> bool,
    patience: Patience,
    place: &Place<'_>,
) -> Result<Value, Unsent> {
    let began = Instant::now();
    let mut pause = PAUSE;
    let mut object = object.cloned();
    let mut again = 0;
    loop {
        let refused = match send(object.as_ref()).await {
            Ok(done) => return Ok(done),
            Err(refused) => refused,
        };
        let is_condition = refused.is_condition() || refused.is_missing() || refused.is_there_already();
        if !(refused.unknown || is_condition || refused.may_pass()) {
            return Err(Unsent::Refused(refused));
        }
        let spent = began.elapsed().saturating_add(pause);
        match find::read(named, place).await {
            Ok(Some(found)) if is_done(&found) => return Ok(found),
            Ok(Some(found)) if is_condition && again < AGAIN && is_same(object.as_ref(), &found) => {
                again += 1;
                object = Some(found);
                continue;
            }
            Ok(found) if is_condition => return Err(Unsent::Foreign(found.map(Box::new))),
            // A fault of a webhook is one of the server; the object was not changed.
            Ok(_) if spent >= patience.unwilling => return Err(Unsent::Refused(refused)),
            Err(_) if spent >= patience.silent && refused.unknown => return Err(Unsent::Unknown(refused)),
            Err(_) if spent >= patience.silent => return Err(Unsent::Refused(refused)),
            Ok(_) | Err(_) => {}
        }
        sleep(refused.retry_after.unwrap_or(pause).min(LONGEST_PAUSE)).await;
        pause = (pause * 2).min(LONGEST_PAUSE);
    }
}

/// Whether what counts is as it was read, and only its version is another.
fn is_same(object: Option<&Value>, found: &Value) -> bool {
    let same = |pointer: &str| object.and_then(|object| object.pointer(pointer)) == found.pointer(pointer);
    same("/metadata/uid")
        && same("/spec/template")
        && same("/spec/paused")
        && !same("/metadata/resourceVersion")
}
