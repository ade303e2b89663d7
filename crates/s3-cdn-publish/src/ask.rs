//! Asking objects themselves, where neither manifest nor listing can tell whether they are right.

use std::cell::RefCell;

use tokio::task::spawn_blocking;

use crate::api::{Bucket, Refused};
use crate::diff::{Diff, Step};
use crate::error::Error;
use crate::etag::Etag;
use crate::pace::Pace;
use crate::place::Place;
use crate::report::counted;
use crate::settle::{Head, Want, needs_md5, settle};
use crate::side_by_side::all;
use crate::site;
use crate::target::{Item, Look, Target};
use crate::write::Source;

/// Settles what must be asked.
///
/// # Errors
/// When an object can't be asked, or a file can't be read.
pub async fn all_doubts(
    place: &Place<'_>,
    source: Source<'_>,
    target: &Target,
    diff: &mut Diff,
    pace: &RefCell<Pace>,
) -> Result<(), Error> {
    let doubts: Vec<usize> = diff
        .found
        .iter()
        .enumerate()
        .filter(|(_, found)| found.step == Step::Ask)
        .map(|(number, _)| number)
        .collect();
    if doubts.is_empty() {
        return Ok(());
    }
    let (count, is, they) = match doubts.len() {
        1 => (counted(1, "object"), "is", "it is"),
        many => (counted(many as u64, "object"), "are", "they are"),
    };
    place.runner.info(&format!(
        "{count} {is} not known by a manifest and {is} asked what {they}"
    ));
    let one = |at: usize| {
        let item = &target.items[doubts[at]];
        let look = target.looks.get(item.look);
        async move {
            match look {
                Some(look) => asked(&place.bucket, source, item, look).await,
                None => Ok((Step::Replace, None)),
            }
        }
    };
    let ended = all(doubts.len(), pace, one, |_, _| {}).await;
    if let Some((at, refused)) = ended.failed.into_iter().next() {
        let key = gha::text::line(&target.items[doubts[at]].key);
        return Err(Error::refused(format!("ask what `{key}` is"))(refused));
    }
    for (at, (step, there)) in ended.done {
        let found = &mut diff.found[doubts[at]];
        found.step = step;
        (found.etag, found.size) = there.map_or((None, 0), |(etag, size)| (Some(etag), size));
    }
    Ok(())
}

/// What an object is, compared with what is wanted, and its ETag.
///
/// # Errors
/// When it can't be asked, or the file can't be read.
pub async fn asked(
    bucket: &Bucket,
    source: Source<'_>,
    item: &Item,
    look: &Look,
) -> Result<(Step, Option<(Etag, u64)>), Refused> {
    let Some(head) = bucket.head(&item.key).await? else {
        return Ok((Step::Add, None));
    };
    let want = Want {
        sha256: item.sha256,
        md5: md5(source, item, &head).await?,
        etag: item.etag.as_ref(),
        size: item.size,
        headers: &look.headers,
    };
    Ok((settle(&want, &head), Some((head.etag, head.size))))
}

/// The MD5 of a file, if only that can tell.
async fn md5(source: Source<'_>, item: &Item, head: &Head) -> Result<Option<[u8; 16]>, Refused> {
    let Source::Folder(root) = source else {
        return Ok(None);
    };
    if !needs_md5(head, item.size) {
        return Ok(None);
    }
    let file = site::File {
        key: item.key.clone(),
        size: item.size,
        sha256: item.sha256,
    };
    let unread = |why: String| Refused::unread(&root.join(&*item.key), &why);
    let root = root.to_owned();
    let reading = spawn_blocking(move || site::md5(&root, &file, &|| false));
    let digest = reading.await.map_err(|error| unread(error.to_string()))?;
    digest.map(Some).map_err(|error| unread(error.to_string()))
}
