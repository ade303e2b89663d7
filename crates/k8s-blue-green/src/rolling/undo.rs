//! Brings an earlier template back: one patch, and only while the workload still has the template that was read.

use std::time::Duration;

use gha::edge::cancel::Cancelled;
use serde_json::Value;

use super::drive::Follower;
use super::follow::{Decision, Limits};
use super::mark::Mark;
use super::patch;
use super::write::{self, Patience, Unsent};
use crate::api::Refused;
use crate::place::Place;
use crate::workload::Workload;

/// How long a way back may take to begin after a signal: with what comes after it the run leaves within five seconds. A runner
/// sends the next signal after 7.5.
pub const LEAVE: Duration = Duration::from_secs(4);

/// What is brought back.
#[derive(Clone, Copy, Debug)]
pub struct Back<'a> {
    /// The workload.
    pub named: &'a Workload,
    /// As it was read: what must still hold.
    pub object: &'a Value,
    /// The template that comes back.
    pub template: &'a Value,
    /// Who brings it back.
    pub mark: &'a Mark,
}

/// Begins to bring it back; the workload as it is then.
///
/// # Errors
/// When that was not begun, or is not known.
pub async fn begin(back: Back<'_>, patience: Duration, place: &Place<'_>) -> Result<Value, Unsent> {
    let patience = Patience {
        silent: patience,
        unwilling: patience,
    };
    let operations = |object: &Value| patch::template(object, back.template, back.mark);
    // Where somebody else put it back meanwhile, it is back.
    let is_done = |found: &Value| {
        Mark::on(found).is_ok_and(|mark| mark.as_ref() == Some(back.mark))
            || found.pointer("/spec/template") == Some(back.template)
    };
    write::patch(back.named, back.object, operations, is_done, patience, place).await
}

/// What a way back came to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Undone {
    /// The earlier version serves, with so many pods.
    Restored(u64),
    /// It is on its way, and was not waited for: a signal came.
    Begun(Cancelled),
    /// Somebody else changed the workload; nothing was written over it.
    Foreign(String),
    /// It could not be brought back, or does not come up.
    Failed(String),
}

/// Waits until the earlier version serves; what it is at then, too.
pub async fn wait(
    named: &Workload,
    begun: &Value,
    limits: Limits,
    place: &Place<'_>,
) -> (Undone, Option<String>) {
    if super::history::is_paused(begun) {
        let why = "it is paused: `kubectl rollout resume` lets the earlier version come back".to_owned();
        return (Undone::Failed(why), None);
    }
    let mut follower = Follower::new(named, begun, limits, place);
    follower.is_way_back = true;
    let ended = follower.run().await;
    let undone = match ended {
        Ok(Decision::Ready(pods)) => Undone::Restored(pods),
        Ok(Decision::Failed { reason, .. }) => Undone::Failed(reason),
        Ok(Decision::Foreign(why)) => Undone::Foreign(why),
        Ok(Decision::Wait(_)) => Undone::Failed("it was not followed to its end".to_owned()),
        Err(cancelled) => Undone::Begun(cancelled),
    };
    let at = follower
        .revision
        .as_ref()
        .map(|revision| super::history::written(&named.name, Some(revision)));
    (undone, at)
}

/// What a write that was not done says of a way back.
#[must_use]
pub fn undone(unsent: &Unsent) -> Undone {
    match unsent {
        Unsent::Foreign(None) => Undone::Foreign("it was deleted meanwhile".to_owned()),
        Unsent::Foreign(Some(_)) => Undone::Foreign("it was changed meanwhile by somebody else".to_owned()),
        Unsent::Refused(refused) => Undone::Failed(refused.to_string()),
        Unsent::Unknown(refused) => Undone::Failed(unknown(refused)),
    }
}

fn unknown(refused: &Refused) -> String {
    format!("whether the way back was begun is not known: {refused}")
}
