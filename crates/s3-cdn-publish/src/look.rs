//! What is in the bucket: the manifest, what an unfinished run left, and how the listing differs from what is wanted.

use std::collections::BTreeMap;
use std::time::Duration;

use gha::edge::http::Url;
use gha::text;
use jiff::Timestamp;

use crate::api::listing::{Next, Page};
use crate::api::reads::Content;
use crate::api::{Bucket, Refused, STATE};
use crate::diff::{Diff, DiffError, Listed, Merge};
use crate::error::Error;
use crate::etag::Etag;
use crate::intent::{Intent, Left};
use crate::lock::{Lock, Pending};
use crate::manifest::{Header, ManifestError, Reader, Row};
use crate::target::Target;

/// The manifest of the current release, under the state folder.
pub const MANIFEST: &str = ".deploy-actions/manifest";

/// The lock.
pub const LOCK: &str = ".deploy-actions/lock";

/// What a run is about to add, and whose headers it is about to change.
pub const INTENT: &str = ".deploy-actions/intent";

/// Manifests of earlier releases, by their ids.
pub const RELEASES: &str = ".deploy-actions/releases/";

/// Earlier contents, by their SHA-256 and the digest of their headers.
pub const STORE: &str = ".deploy-actions/store/";

/// Behind all that is in the state folder.
const BEHIND: &str = ".deploy-actions/~";

/// What is in the bucket besides the site.
#[derive(Debug, Default)]
pub struct Seen {
    /// The manifest, and its ETag.
    pub manifest: Option<Content>,
    /// Its first line.
    pub header: Option<Header>,
    /// The lock, and its ETag.
    pub lock: Option<(Lock, Etag)>,
    /// For how long the lock was not written again, by the store's clock; none where the store does not tell.
    pub lock_age: Option<Duration>,
    /// What an unfinished run may have left.
    pub left: Left,
    /// The ETag of what says so.
    pub intent: Option<Etag>,
    /// Ids of earlier releases whose manifests are there.
    pub releases: Vec<String>,
}

impl Seen {
    /// The ETag of the manifest.
    #[must_use]
    pub fn base(&self) -> Option<&Etag> {
        self.manifest.as_ref().map(|content| &content.etag)
    }

    /// The id of the current release; empty where there is none.
    #[must_use]
    pub fn current(&self) -> &str {
        self.header.as_ref().map_or("", |header| &header.release.id)
    }

    /// The invalidation that an earlier run owes.
    #[must_use]
    pub fn pending(&self) -> Option<&Pending> {
        let (lock, _) = self.lock.as_ref()?;
        lock.pending.as_ref()
    }
}

/// Looks at the bucket, without what it holds of the site.
///
/// # Errors
/// When it can't be read, or what is there is damaged.
pub async fn state(bucket: &Bucket) -> Result<Seen, Error> {
    let (seen, _) = begin(bucket).await?;
    Ok(seen)
}

/// Looks at the bucket, and compares it with what is wanted.
///
/// # Errors
/// When it can't be read, or what is there is damaged.
pub async fn compare(bucket: &Bucket, target: &Target, now: Timestamp) -> Result<(Seen, Diff), Error> {
    let (seen, mut pages) = begin(bucket).await?;
    let merged = merge(bucket, target, &seen, &mut pages, now).await?;
    let diff = match merged {
        Ok(diff) => diff,
        Err(DiffError::Unsorted { .. }) => {
            let mut all = everything(bucket).await?;
            all.sort_by(|one, other| one.key.cmp(&other.key));
            let mut merge = new_merge(target, &seen, now)?;
            for listed in &all {
                merge.push(listed).map_err(damaged)?;
            }
            merge.finish().map_err(damaged)?
        }
        Err(error) => return Err(damaged(error)),
    };
    Ok((seen, diff))
}

/// The pages of a listing that were read before it was known what is in the state folder.
struct Pages {
    read: Vec<Listed>,
    next: Option<Next>,
}

/// Reads the manifest, and the listing up to where the state folder ends.
async fn begin(bucket: &Bucket) -> Result<(Seen, Pages), Error> {
    let (manifest, first) = futures_util::future::join(bucket.get(MANIFEST), bucket.page("", None)).await;
    let mut page = first.map_err(|refused| list_failed(bucket, refused))?;
    let manifest = manifest.map_err(|refused| read_failed("the manifest", refused))?;
    let mut seen = Seen::default();
    if let Some(content) = manifest {
        let reader = Reader::new(&content.bytes).map_err(|error| damaged(error.into()))?;
        seen.header = Some(reader.header().clone());
        seen.manifest = Some(content);
    }
    let mut pages = Pages {
        read: Vec::new(),
        next: None,
    };
    let (mut has_lock, mut has_intent) = (false, false);
    loop {
        pages.next = after(&page);
        // A page may be empty and not the last.
        let is_behind = page.objects.last().is_some_and(|last| last.key.as_ref() > BEHIND);
        for listed in page.objects {
            if let Some(name) = listed.key.strip_prefix(STATE) {
                has_lock |= *listed.key == *LOCK;
                has_intent |= *listed.key == *INTENT;
                if let Some(id) = name.strip_prefix("releases/") {
                    seen.releases.push(id.to_owned());
                }
            } else {
                pages.read.push(listed);
            }
        }
        let Some(next) = pages.next.as_ref().filter(|_| !is_behind) else {
            break;
        };
        page = bucket
            .page("", Some(next))
            .await
            .map_err(|refused| list_failed(bucket, refused))?;
    }
    if has_lock {
        let content = bucket.get(LOCK).await;
        let content = content.map_err(|refused| read_failed("the lock", refused))?;
        // A run ended while this one looked, and what was listed may be of before.
        let content = content.ok_or(Error::Changed)?;
        let lock = Lock::read(&content.bytes)?;
        seen.lock = Some((lock, content.etag));
        seen.lock_age = content.age;
    }
    if has_intent
        && let Some(content) = bucket
            .get(INTENT)
            .await
            .map_err(|refused| read_failed("what an unfinished run left", refused))?
    {
        seen.left = Intent::read(&content.bytes)?.left();
        seen.intent = Some(content.etag);
    }
    Ok((seen, pages))
}

/// Where to go on after a page: earlier contents are many, and not needed.
fn after(page: &Page) -> Option<Next> {
    let next = page.next.clone()?;
    let last = page.objects.last();
    Some(match last {
        Some(last) if last.key.starts_with(STORE) => Next::After(BEHIND.to_owned()),
        _ => next,
    })
}

type Merging<'a> = Merge<'a, Box<dyn Iterator<Item = Result<Row, ManifestError>> + 'a>>;

fn new_merge<'a>(target: &'a Target, seen: &'a Seen, now: Timestamp) -> Result<Merging<'a>, Error> {
    let (rows, looks): (Box<dyn Iterator<Item = _> + 'a>, _) = match &seen.manifest {
        Some(content) => {
            let reader = Reader::new(&content.bytes).map_err(|error| damaged(error.into()))?;
            let looks = reader.header().looks.digests();
            (Box::new(reader), looks)
        }
        None => (Box::new(std::iter::empty()), Vec::new()),
    };
    Merge::new(target, rows, looks, &seen.left, seen.current(), now).map_err(damaged)
}

async fn merge(
    bucket: &Bucket,
    target: &Target,
    seen: &Seen,
    pages: &mut Pages,
    now: Timestamp,
) -> Result<Result<Diff, DiffError>, Error> {
    let mut merge = new_merge(target, seen, now)?;
    let mut objects = std::mem::take(&mut pages.read);
    loop {
        for listed in &objects {
            if !listed.key.starts_with(STATE)
                && let Err(error) = merge.push(listed)
            {
                return Ok(Err(error));
            }
        }
        let Some(next) = &pages.next else {
            return Ok(merge.finish());
        };
        let page = bucket
            .page("", Some(next))
            .await
            .map_err(|refused| list_failed(bucket, refused))?;
        pages.next = after(&page);
        objects = page.objects;
    }
}

/// All objects of the site, for a store that lists them in another order.
async fn everything(bucket: &Bucket) -> Result<Vec<Listed>, Error> {
    let mut all = BTreeMap::new();
    let mut next = None;
    loop {
        let page = bucket
            .page("", next.as_ref())
            .await
            .map_err(|refused| list_failed(bucket, refused))?;
        let site = page
            .objects
            .into_iter()
            .filter(|listed| !listed.key.starts_with(STATE));
        all.extend(site.map(|listed| (listed.key.clone(), listed)));
        match page.next {
            Some(token) => next = Some(token),
            None => return Ok(all.into_values().collect()),
        }
    }
}

/// The names of all that the bucket keeps of earlier contents.
///
/// # Errors
/// When it can't be listed.
pub async fn store(bucket: &Bucket) -> Result<Vec<Box<str>>, Error> {
    let mut names = Vec::new();
    let mut next = None;
    loop {
        let page = bucket
            .page(STORE, next.as_ref())
            .await
            .map_err(|refused| list_failed(bucket, refused))?;
        let found = page
            .objects
            .iter()
            .filter_map(|listed| listed.key.strip_prefix(STORE));
        names.extend(found.map(Box::<str>::from));
        match page.next {
            Some(token) => next = Some(token),
            None => return Ok(names),
        }
    }
}

/// A bucket that can't be listed. Every command lists first, so that here it is found out who answers.
fn list_failed(bucket: &Bucket, refused: Refused) -> Error {
    if let Some(answer) = refused.foreign {
        return Error::NotS3 {
            place: match bucket.endpoint() {
                Some(endpoint) => format!("the endpoint `{}`", shown(endpoint)),
                None => format!("what answers for bucket `{}`", text::line(bucket.name())),
            },
            answer,
        };
    }
    Error::refused(format!("list bucket `{}`", text::line(bucket.name())))(refused)
}

/// An endpoint without what may be a secret in it: one of the environment is not checked.
fn shown(endpoint: &str) -> String {
    let Ok(mut url) = Url::parse(endpoint) else {
        return text::line(endpoint);
    };
    // Neither fails for an address with a host.
    let _ = (url.set_username(""), url.set_password(None));
    url.set_query(None);
    text::line(url.as_str())
}

fn read_failed(what: &str, refused: Refused) -> Error {
    Error::refused(format!("read {what}"))(refused)
}

fn damaged(error: DiffError) -> Error {
    Error::State(error.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_listing_goes_on_behind_an_empty_page_and_passes_the_store_by() {
        let page = |keys: &[&str], next: Option<&str>| Page {
            objects: keys
                .iter()
                .map(|key| Listed {
                    key: (*key).into(),
                    size: 0,
                    etag: Etag::new(""),
                })
                .collect(),
            next: next.map(|token| Next::Token(token.to_owned())),
        };
        let token = Some(Next::Token("t".to_owned()));
        assert_eq!(after(&page(&[], Some("t"))), token);
        assert_eq!(after(&page(&["a"], Some("t"))), token);
        assert_eq!(after(&page(&["a"], None)), None);
        let behind = Next::After(BEHIND.to_owned());
        assert_eq!(
            after(&page(&["a", ".deploy-actions/store/x"], Some("t"))),
            Some(behind)
        );
    }
}
