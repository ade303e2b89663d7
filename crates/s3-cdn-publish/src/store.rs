//! What the bucket keeps of earlier contents, and when it goes: when no release that is kept has it any more.

use std::collections::BTreeSet;

use gha::text;

use crate::api::Refused;
use crate::commit::store_names;
use crate::error::Error;
use crate::look::{self, RELEASES, STORE, Seen};
use crate::manifest::Manifest;
use crate::place::Place;
use crate::plan::Plan;

/// Releases whose manifests are there and that can't be gone back to any more: those that fall now, and those that a run
/// before left when it did not come to its end.
#[must_use]
pub fn unlisted<'a>(plan: &'a Plan, seen: &'a Seen, current: &str) -> BTreeSet<&'a str> {
    let fallen = plan.fallen.iter().map(|release| release.id.as_str());
    let there = seen.releases.iter().map(String::as_str);
    let is_listed = |id: &str| id == current || plan.earlier.iter().any(|release| release.id == id);
    fallen.chain(there).filter(|id| !is_listed(id)).collect()
}

/// Deletes the manifests of releases that can't be gone back to any more, and the contents that only they had.
///
/// # Errors
/// When something can't be read or deleted.
pub async fn tidy(place: &Place<'_>, plan: &Plan, seen: &Seen, current: &str) -> Result<(), Error> {
    let unlisted = unlisted(plan, seen, current);
    if unlisted.is_empty() {
        return Ok(());
    }
    let bucket = &place.bucket;
    let mut unneeded: BTreeSet<Box<str>> = look::store(bucket).await?.into_iter().collect();
    for release in &plan.earlier {
        match manifest(place, &release.id).await? {
            Some(manifest) => {
                for name in store_names(&manifest) {
                    unneeded.remove(name.as_str());
                }
            }
            // Without it nobody knows what it needs.
            None => return Ok(()),
        }
    }
    let stored = unneeded.iter().map(|name| format!("{STORE}{name}"));
    let fallen = unlisted.iter().map(|id| format!("{RELEASES}{id}"));
    let keys: Vec<String> = stored.chain(fallen).collect();
    let keys: Vec<&str> = keys.iter().map(String::as_str).collect();
    let delete = |refused: Refused| Error::refused("delete earlier contents")(refused);
    let kept = bucket.delete(&keys).await.map_err(delete)?;
    match kept.first() {
        Some(kept) => Err(Error::State(format!(
            "`{}` was not deleted: {}",
            text::line(&kept.key),
            kept.why
        ))),
        None => Ok(()),
    }
}

/// The manifest of an earlier release; none if it is not there.
///
/// # Errors
/// When it can't be read, or is damaged.
pub async fn manifest(place: &Place<'_>, id: &str) -> Result<Option<Manifest>, Error> {
    let key = format!("{RELEASES}{id}");
    let read = |refused: Refused| {
        Error::refused(format!("read the manifest of release `{}`", text::line(id)))(refused)
    };
    let Some(content) = place.bucket.get(&key).await.map_err(read)? else {
        return Ok(None);
    };
    let manifest = Manifest::read(&content.bytes).map_err(|error| Error::State(error.to_string()))?;
    Ok(Some(manifest))
}
