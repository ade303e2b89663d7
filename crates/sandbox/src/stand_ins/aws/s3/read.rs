//! `GetObject` and `HeadObject`: conditions, one range, checksums.

use bytes::Bytes;

use super::buckets::Bucket;
use super::object::{Content, Object};
use super::write::{encrypted, kind};
use super::{Answer, Work, headers};
use crate::stand_ins::aws::hosting::answered::{Answered, refused};

impl Bucket {
    pub(super) fn read(&self, work: &Work<'_>) -> Answer {
        let head = work.head;
        let Some(object) = self.objects.get(&work.ask.key) else {
            return Err(headers::missing(&work.ask.key));
        };
        if head
            .header("if-match")
            .is_some_and(|etag| !headers::same(etag, &object.etag))
        {
            return Err(headers::failed("If-Match"));
        }
        let etag = format!("\"{}\"", object.etag);
        if head
            .header("if-none-match")
            .is_some_and(|etag| headers::same(etag, &object.etag))
        {
            let answered = Answered::empty(304).header("etag", etag);
            return Ok(answered.header("last-modified", work.date(object.modified)));
        }
        let answered = described(work, object, Answered::empty(200).header("etag", etag));
        let range = head.header("range").and_then(|range| span(range, object.size));
        let (begin, end) = match range {
            None => (0, object.size),
            Some(Some(span)) => span,
            Some(None) => {
                let mut wrong = refused(416, "InvalidRange", "The requested range is not satisfiable");
                wrong.more.push(("ActualObjectSize", object.size.to_string()));
                return Err(wrong);
            }
        };
        let mut answered = answered.header("content-length", (end - begin).to_string());
        if range.is_some() {
            answered.status = 206;
            let whole = format!("bytes {begin}-{}/{}", end.saturating_sub(1), object.size);
            answered = answered.header("content-range", whole);
        }
        if work.ask.operation == "HeadObject" {
            return Ok(answered);
        }
        match &object.content {
            Content::Whole(bytes) => answered.body = cut(bytes, begin, end),
            Content::Digest { .. } => {
                return Err(refused(
                    501,
                    "NotImplemented",
                    "The stand-in keeps no bytes of objects of this size.",
                ));
            }
        }
        Ok(answered)
    }
}

/// The headers of an object.
fn described(work: &Work<'_>, object: &Object, answered: Answered) -> Answered {
    let mut answered = answered
        .header("last-modified", work.date(object.modified))
        .header("accept-ranges", "bytes");
    for (name, value) in &object.headers {
        answered = answered.header(name, value.clone());
    }
    if object.class != "STANDARD" {
        answered = answered.header("x-amz-storage-class", object.class.clone());
    }
    let asked = work
        .head
        .header("x-amz-checksum-mode")
        .is_some_and(|mode| mode.eq_ignore_ascii_case("ENABLED"));
    if let Some(checksum) = object.checksum.as_ref()
        && asked
        && work.head.header("range").is_none()
    {
        answered = answered
            .header(&checksum.algorithm.header(), checksum.value.clone())
            .header("x-amz-checksum-type", kind(checksum));
    }
    encrypted(answered, &object.encryption)
}

fn cut(bytes: &Bytes, begin: u64, end: u64) -> Bytes {
    let at = |place: u64| usize::try_from(place).unwrap_or(usize::MAX).min(bytes.len());
    bytes.slice(at(begin)..at(end))
}

/// Beginning and end of a range in a body of that size. None for what is no single range and thus ignored, none inside for
/// one that is not there.
fn span(range: &str, size: u64) -> Option<Option<(u64, u64)>> {
    let (first, last) = range.strip_prefix("bytes=")?.split_once('-')?;
    let span = match (first.parse::<u64>(), last.parse::<u64>()) {
        (Ok(first), Ok(last)) if first <= last => (first, last.saturating_add(1).min(size)),
        (Ok(first), Err(_)) if last.is_empty() => (first, size),
        (Err(_), Ok(last)) if first.is_empty() => {
            (size.saturating_sub(last), if last == 0 { 0 } else { size })
        }
        _ => return None,
    };
    Some(Some(span).filter(|(begin, end)| begin < end))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranges_are_read_as_rfc_9110_has_them() {
        for (range, expected) in [
            ("bytes=0-4", Some(Some((0, 5)))),
            ("bytes=5-", Some(Some((5, 10)))),
            ("bytes=-3", Some(Some((7, 10)))),
            ("bytes=-30", Some(Some((0, 10)))),
            ("bytes=8-99", Some(Some((8, 10)))),
            ("bytes=10-", Some(None)),
            ("bytes=-0", Some(None)),
            ("bytes=4-2", None),
            ("bytes=0-1,3-4", None),
            ("items=0-4", None),
        ] {
            assert_eq!(span(range, 10), expected, "{range}");
        }
    }
}
