//! The way back of a run that could not finish: what it overwrote is copied back from what it kept before.

use std::path::Path;

use gha::text;

use crate::api::Condition;
use crate::api::Refused;
use crate::api::copies::Copy;
use crate::change::Change;
use crate::former::{Content, Former};
use crate::headers::Headers;
use crate::phase::Phase;
use crate::side_by_side::all;
use crate::target::Look;

/// Copies the earlier contents back, in the order in which a publish would: what pages refer to before the pages.
///
/// # Errors
/// When one could not be copied; why, in words.
pub async fn formers(change: &Change<'_>) -> Result<(), String> {
    let looks = change.seen.header.as_ref().map(|header| &header.looks);
    let digests = looks.map(crate::target::Looks::digests).unwrap_or_default();
    // What nobody recorded is treated as what takes its place.
    let look = |former: &Former| -> Option<&Look> {
        match former.content {
            Content::Recorded { headers, .. } => {
                let at = digests.iter().position(|digest| *digest == headers)?;
                looks?.get(u16::try_from(at).ok()?)
            }
            Content::Found => change.target.looks.get(change.target.items[former.item].look),
        }
    };
    let mut formers = Vec::with_capacity(change.plan.keeps.len());
    for former in &change.plan.keeps {
        let key = &change.target.items[former.item].key;
        let look =
            look(former).ok_or_else(|| format!("nothing says how `{}` was served", text::line(key)))?;
        formers.push((former, look));
    }
    for phase in Phase::ALL {
        let formers: Vec<&(&Former, &Look)> =
            formers.iter().filter(|(_, look)| look.phase == phase).collect();
        let one = |at: usize| {
            let (former, look) = *formers[at];
            async move { back(change, former, look).await }
        };
        let ended = all(formers.len(), &change.pace, one, |_, ()| {}).await;
        if let Some((at, refused)) = ended.failed.into_iter().next() {
            let key = text::line(&change.target.items[formers[at].0.item].key);
            return Err(format!("failed to bring `{key}` back: {refused}"));
        }
    }
    Ok(())
}

/// Copies one back.
async fn back(change: &Change<'_>, former: &Former, look: &Look) -> Result<(), Refused> {
    let bucket = &change.place.bucket;
    let key = &change.target.items[former.item].key;
    let from = former.store_key(key);
    let headers = match former.content {
        Content::Recorded { .. } => (*look.headers).clone(),
        // A copy does not tell who may read it.
        Content::Found => {
            let head = bucket.head(&from).await?;
            let head = head.ok_or_else(|| Refused::unread(Path::new(&from), "it is not there"))?;
            Headers {
                acl: look.headers.acl.clone(),
                ..head.headers
            }
        }
    };
    let copy = Copy {
        from: &from,
        to: key,
        size: former.size,
        headers: Some(&headers),
        source: None,
        there: Condition::None,
    };
    bucket.copy(copy).await.map(|_| ())
}
