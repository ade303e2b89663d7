//! `ListObjectsV2`, and `ListObjects` for older clients: pages of keys in the order of their bytes, rolled up at a delimiter.

use std::ops::Bound;

use super::buckets::Bucket;
use super::object::Object;
use super::sums::{base64, unbase64};
use super::{Answer, Work};
use crate::stand_ins::aws::hosting::address;
use crate::stand_ins::aws::hosting::answered::{leaf, refused};

/// What a listing asks for.
struct Asked<'a> {
    prefix: &'a str,
    delimiter: &'a str,
    /// The key or common prefix behind which it goes on.
    after: String,
    most: usize,
    encodes: bool,
}

/// One page.
#[derive(Default)]
struct Page<'a> {
    objects: Vec<(&'a str, &'a Object)>,
    prefixes: Vec<&'a str>,
    /// The last key or prefix, where there is more.
    last: Option<&'a str>,
}

impl Bucket {
    pub(super) fn list(&self, work: &Work<'_>) -> Answer {
        let second = work.ask.operation == "ListObjectsV2";
        let asked = asked(work, second)?;
        let page = self.page(&asked);
        let mut text = String::new();
        let name = |key: &str| match asked.encodes {
            true => address::encoded_key(key),
            false => key.to_owned(),
        };
        leaf(&mut text, "Name", &work.ask.bucket);
        leaf(&mut text, "Prefix", &name(asked.prefix));
        if !asked.delimiter.is_empty() {
            leaf(&mut text, "Delimiter", &name(asked.delimiter));
        }
        leaf(&mut text, "MaxKeys", &asked.most.to_string());
        if asked.encodes {
            leaf(&mut text, "EncodingType", "url");
        }
        leaf(&mut text, "IsTruncated", &page.last.is_some().to_string());
        if second {
            let count = page.objects.len() + page.prefixes.len();
            leaf(&mut text, "KeyCount", &count.to_string());
            if let Some(token) = work.ask.query("continuation-token") {
                leaf(&mut text, "ContinuationToken", token);
            }
            if let Some(after) = work.ask.query("start-after") {
                leaf(&mut text, "StartAfter", &name(after));
            }
            if let Some(last) = page.last {
                leaf(&mut text, "NextContinuationToken", &token(last));
            }
        } else {
            leaf(
                &mut text,
                "Marker",
                &name(work.ask.query("marker").unwrap_or_default()),
            );
            if let Some(last) = page.last.filter(|_| !asked.delimiter.is_empty()) {
                leaf(&mut text, "NextMarker", &name(last));
            }
        }
        for (key, object) in &page.objects {
            text.push_str("<Contents>");
            leaf(&mut text, "Key", &name(key));
            leaf(&mut text, "LastModified", &work.time(object.modified));
            leaf(&mut text, "ETag", &format!("\"{}\"", object.etag));
            if let Some(checksum) = object.checksum.as_ref().filter(|_| !work.settings.compatible) {
                leaf(&mut text, "ChecksumAlgorithm", checksum.algorithm.name());
                leaf(&mut text, "ChecksumType", super::write::kind(checksum));
            }
            leaf(&mut text, "Size", &object.size.to_string());
            leaf(&mut text, "StorageClass", &object.class);
            text.push_str("</Contents>");
        }
        for prefix in &page.prefixes {
            text.push_str("<CommonPrefixes>");
            leaf(&mut text, "Prefix", &name(prefix));
            text.push_str("</CommonPrefixes>");
        }
        Ok(work.xml("ListBucketResult", &text))
    }

    fn page(&self, asked: &Asked<'_>) -> Page<'_> {
        let mut page = Page::default();
        if asked.most == 0 {
            return page;
        }
        let mut last = None;
        let mut from = match asked.after.as_str() {
            after if after >= asked.prefix && !after.is_empty() => Bound::Excluded(after.to_owned()),
            _ => Bound::Included(asked.prefix.to_owned()),
        };
        // What is rolled up under the prefix where the page before ended has been named.
        let mut rolled = Some(asked.after.as_str())
            .filter(|after| !asked.delimiter.is_empty() && after.ends_with(asked.delimiter))
            .map(str::to_owned);
        'again: loop {
            for (key, object) in self.objects.range((from, Bound::Unbounded)) {
                let Some(rest) = key.strip_prefix(asked.prefix) else {
                    return page;
                };
                let at = match asked.delimiter {
                    "" => None,
                    delimiter => rest.find(delimiter),
                };
                let common = at.map(|at| &key[..asked.prefix.len() + at + asked.delimiter.len()]);
                if let Some(common) = common
                    && rolled.as_deref() == Some(common)
                {
                    // Past all keys of it at once.
                    from = match after_all(common) {
                        Some(next) => Bound::Included(next),
                        None => return page,
                    };
                    rolled = None;
                    continue 'again;
                }
                if page.objects.len() + page.prefixes.len() == asked.most {
                    page.last = last;
                    return page;
                }
                match common {
                    Some(common) => {
                        page.prefixes.push(common);
                        rolled = Some(common.to_owned());
                        last = Some(common);
                    }
                    None => {
                        page.objects.push((key, object));
                        last = Some(key.as_str());
                    }
                }
            }
            return page;
        }
    }
}

/// The first text behind all that begin with this one; none where there is none.
fn after_all(prefix: &str) -> Option<String> {
    let mut text = prefix.to_owned();
    while let Some(last) = text.pop() {
        let next = (u32::from(last) + 1..=0x0010_ffff).find_map(char::from_u32);
        if let Some(next) = next {
            text.push(next);
            return Some(text);
        }
    }
    None
}

fn asked<'a>(work: &'a Work<'_>, second: bool) -> Result<Asked<'a>, super::Refused> {
    let query = |name: &str| work.ask.query(name);
    let after = match (second, query("continuation-token")) {
        (true, Some(token)) => from_token(token).ok_or_else(|| {
            refused(
                400,
                "InvalidArgument",
                "The continuation token provided is incorrect",
            )
        })?,
        (true, None) => query("start-after").unwrap_or_default().to_owned(),
        (false, _) => query("marker").unwrap_or_default().to_owned(),
    };
    let most = match query("max-keys") {
        None => work.settings.page,
        Some(text) => text.parse::<usize>().map_err(|_| {
            refused(
                400,
                "InvalidArgument",
                "Provided max-keys not an integer or within integer range",
            )
        })?,
    };
    let encoding = query("encoding-type");
    if encoding.is_some_and(|encoding| encoding != "url") {
        return Err(refused(
            400,
            "InvalidArgument",
            "Invalid Encoding Method specified in Request",
        ));
    }
    Ok(Asked {
        prefix: query("prefix").unwrap_or_default(),
        delimiter: query("delimiter").unwrap_or_default(),
        after,
        most: most.min(work.settings.page),
        encodes: encoding.is_some(),
    })
}

/// A token that is no key, so that nobody takes it for one.
fn token(last: &str) -> String {
    format!("1{}", base64(last.as_bytes()))
}

fn from_token(token: &str) -> Option<String> {
    String::from_utf8(unbase64(token.strip_prefix('1')?)?).ok()
}
