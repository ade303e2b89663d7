//! Sends the change of a rolling deploy, and settles what became of it.

use gha::edge::cancel::Cancelled;
use gha::{Exit, Failure};
use serde_json::Value;
use tokio::time::timeout;

use super::ending::{self, Rolled, cancelled_before};
use super::mark::{self, Mark};
use super::prepare::{Change, What, not_taken};
use super::story::{Became, Story};
use super::write::{self, Patience, Unsent};
use super::{find, images, patch, undo};
use crate::api::Apply;
use crate::cli;
use crate::object;
use crate::place::Place;

/// Sends the change, and settles what became of it.
pub(super) async fn changed(
    change: Change,
    flags: &cli::Deploy,
    story: &mut Story,
    place: &Place<'_>,
) -> Result<Rolled, Failure> {
    let cancel = place.runner.cancel();
    let mut sending = Box::pin(sent(&change, flags, place));
    let done = match cancel.guard(&mut sending).await {
        Ok(done) => done,
        Err(cancelled) => {
            // It may be on its way: its answer says whether there is something to take back.
            let done = timeout(undo::LEAVE / 2, &mut sending).await;
            drop(sending);
            return Err(cancelled_while(cancelled, done.ok(), change, flags, story, place).await);
        }
    };
    drop(sending);
    match done {
        Ok(object) => Ok(begun(change, object, story, place)),
        Err(Unsent::Refused(refused)) => Err(not_taken(&change.named, &refused, change.before.is_none())),
        Err(Unsent::Foreign(_)) => {
            let headline = format!(
                "`{}` was changed by somebody else while this run read it; nothing was changed over that",
                change.named
            );
            Err(story
                .failure(Exit::Locked, Became::Superseded, headline, place)
                .help("run it again"))
        }
        Err(Unsent::Unknown(refused)) => {
            story.can_undo = change.previous.is_some();
            let headline = format!("whether `{}` was changed is not known: {refused}", change.named);
            let failure = story.failure(Exit::NeedsHuman, Became::Failed, headline, place);
            Err(failure.help("run it again when the server answers: it goes on where this run ended"))
        }
    }
}

/// A change that was done.
fn begun(change: Change, object: Value, story: &mut Story, place: &Place<'_>) -> Rolled {
    let earlier = change
        .before
        .as_ref()
        .map(|before| before["spec"]["template"].clone());
    story.can_undo = change.previous.is_some();
    story.images = images::of(&object);
    story.note(
        format!("`{}` was changed; its pods are replaced", change.named),
        place.runner,
    );
    Rolled {
        named: change.named,
        object,
        earlier,
        mark: change.mark,
        reached: None,
    }
}

async fn sent(change: &Change, flags: &cli::Deploy, place: &Place<'_>) -> Result<Value, Unsent> {
    let patience = Patience {
        silent: flags.times.api_grace,
        unwilling: flags.times.api_grace.min(ending::UNWILLING),
    };
    let is_done = |found: &Value| Mark::on(found).is_ok_and(|mark| mark.as_ref() == Some(&change.mark));
    let named = &change.named;
    match (&change.what, &change.before) {
        (What::Images(changes), before) => {
            let operations = |object: &Value| patch::images(object, changes, &change.mark);
            let before = before.as_ref().unwrap_or(&Value::Null);
            write::patch(named, before, operations, is_done, patience, place).await
        }
        (What::Manifest(manifest), before) => {
            let kind = named.sort.kind();
            let send = async |object: Option<&Value>| {
                let noted = noted(manifest, object, &change.mark);
                let how = Apply {
                    force: true,
                    dry_run: false,
                };
                place.api.apply(&kind, &place.namespace, &noted, how).await
            };
            write::until_known(named, before.as_ref(), send, is_done, patience, place).await
        }
    }
}

/// A manifest with the note of who applies it, and the condition that what it goes to is as it was read: an apply has no tests, but a
/// version that is named is one (409 when it is another).
fn noted(manifest: &Value, object: Option<&Value>, mark: &Mark) -> Value {
    let mut manifest = manifest.clone();
    if !manifest["metadata"]["annotations"].is_object() {
        manifest["metadata"]["annotations"] = Value::Object(serde_json::Map::new());
    }
    manifest["metadata"]["annotations"][mark::ANNOTATION] = mark.written().into();
    if let Some(object) = object {
        manifest["metadata"]["resourceVersion"] = object::text(object, "/metadata/resourceVersion").into();
        manifest["metadata"]["uid"] = object::uid(object).into();
    }
    manifest
}

/// A signal came while the change was being sent.
async fn cancelled_while(
    cancelled: Cancelled,
    done: Option<Result<Value, Unsent>>,
    change: Change,
    flags: &cli::Deploy,
    story: &mut Story,
    place: &Place<'_>,
) -> Failure {
    match done {
        Some(Ok(object)) => {
            let rolled = begun(change, object, story, place);
            rolled
                .cancelled(cancelled, flags.ends.on_cancel, story, place)
                .await
        }
        Some(Err(Unsent::Refused(_) | Unsent::Foreign(_))) => cancelled_before(cancelled, story, place),
        Some(Err(Unsent::Unknown(_))) | None => {
            let found = timeout(undo::LEAVE / 4, find::read(&change.named, place)).await;
            let is_ours =
                |found: &Value| Mark::on(found).is_ok_and(|mark| mark.as_ref() == Some(&change.mark));
            match found {
                Ok(Ok(Some(object))) if is_ours(&object) => {
                    let rolled = begun(change, object, story, place);
                    rolled
                        .cancelled(cancelled, flags.ends.on_cancel, story, place)
                        .await
                }
                _ => {
                    story.can_undo = change.previous.is_some();
                    let headline = format!(
                        "{cancelled} while `{}` was being changed; whether it was changed is not known",
                        change.named
                    );
                    let failure = story.failure(cancelled.0.exit(), Became::Failed, headline, place);
                    failure.help(format!(
                        "run `k8s-blue-green recover --workload {}{}`: it takes back what was changed",
                        change.named,
                        place.again()
                    ))
                }
            }
        }
    }
}
