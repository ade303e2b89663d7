//! The edge: what a visitor gets, from the cache while it is fresh there, and from the bucket otherwise.
//!
//! An entry of the cache is named by the path as it was sent: `/` and `/index.html` are two, and so are `/~a` and `/%7Ea`.

use std::time::Duration;

use bytes::Bytes;

use super::distribution::{Distribution, Distributions};
use super::freshness::{Freshness, freshness};
use crate::http::Request;
use crate::stand_ins::aws::hosting::answered::Answered;
use crate::stand_ins::aws::hosting::{Settings, address};
use crate::stand_ins::aws::s3::{Buckets, Object};

/// What a visitor got.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Visit {
    /// The status.
    pub status: u16,
    /// Names in lower case, and values.
    pub headers: Vec<(String, String)>,
    /// The body.
    pub body: Vec<u8>,
    /// Whether it came from the cache without the bucket being asked.
    pub cached: bool,
}

/// An entry of the cache.
#[derive(Clone, Debug)]
pub(super) struct Cached {
    answer: Answer,
    fresh_until: Duration,
    /// In lower case.
    pub(super) tags: Vec<String>,
}

/// An answer of the bucket.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Answer {
    status: u16,
    headers: Vec<(String, String)>,
    body: Bytes,
    /// Whether it is the page for what is not there.
    in_place: bool,
}

impl Visit {
    /// The body as text; foreign bytes become U+FFFD.
    #[must_use]
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    /// The value of a header.
    #[must_use]
    pub fn header(&self, name: &str) -> Option<&str> {
        let found = self
            .headers
            .iter()
            .find(|(known, _)| known.eq_ignore_ascii_case(name));
        found.map(|(_, value)| value.as_str())
    }
}

impl Distributions {
    /// What a visitor of one gets for a path.
    pub(crate) fn visit(&mut self, id: &str, path: &str, buckets: &Buckets, settings: &Settings) -> Visit {
        let now = self.now;
        let Some(kept) = self.all.get_mut(id) else {
            return seen(&Answer::error(404, "no such distribution"), false);
        };
        let (path, _) = address::split(path);
        if let Some(cached) = kept.cache.get(path)
            && now < cached.fresh_until
        {
            return seen(&cached.answer, true);
        }
        // One that is no longer fresh is asked about by its `ETag`, which has the same outcome as asking for it anew.
        let answer = answer(&kept.distribution, path, buckets);
        let missing = matches!(answer.status, 403 | 404) || answer.in_place;
        let fresh = if missing {
            Freshness::For(settings.error_ttl)
        } else {
            freshness(answer.header("cache-control"), settings.default_ttl)
        };
        let visit = seen(&answer, false);
        match fresh {
            Freshness::Never => {
                kept.cache.remove(path);
            }
            Freshness::For(time) => {
                let tags = tags(&kept.distribution, &answer);
                let cached = Cached {
                    answer,
                    fresh_until: now + time,
                    tags,
                };
                kept.cache.insert(path.to_owned(), cached);
            }
        }
        visit
    }

    /// The same for a request that came to a name of a distribution.
    pub(crate) fn visited(
        &mut self,
        host: &str,
        head: &Request,
        buckets: &Buckets,
        settings: &Settings,
    ) -> Answered {
        if !matches!(head.method.as_str(), "GET" | "HEAD") {
            return Answered::empty(403);
        }
        let id = self.id_of(host).unwrap_or_default();
        let visit = self.visit(&id, &head.path, buckets, settings);
        let known = head.header("if-none-match");
        let unchanged = visit.status == 200 && known.is_some() && known == visit.header("etag");
        let length = visit.body.len().to_string();
        let mut answered = Answered::empty(if unchanged { 304 } else { visit.status });
        if !unchanged {
            answered = answered.header("content-length", length);
        }
        if head.method == "GET" && !unchanged {
            answered.body = Bytes::from(visit.body);
        }
        answered.headers.extend(visit.headers);
        answered
    }
}

impl Answer {
    fn error(status: u16, text: &str) -> Self {
        Self {
            status,
            headers: vec![("content-type".to_owned(), "text/plain".to_owned())],
            body: Bytes::from(text.to_owned()),
            in_place: false,
        }
    }

    fn of(object: &Object) -> Self {
        let own = object.headers.iter();
        let mut headers: Vec<(String, String)> =
            own.map(|(name, value)| (name.clone(), value.clone())).collect();
        headers.push(("etag".to_owned(), format!("\"{}\"", object.etag)));
        let (status, body) = match object.size == object.bytes().len() as u64 {
            true => (200, Bytes::copy_from_slice(object.bytes())),
            // The stand-in has let go of the bytes of large objects.
            false => (501, Bytes::new()),
        };
        Self {
            status,
            headers,
            body,
            in_place: false,
        }
    }

    fn header(&self, name: &str) -> Option<&str> {
        let found = self.headers.iter().find(|(known, _)| known == name);
        found.map(|(_, value)| value.as_str())
    }
}

fn seen(answer: &Answer, cached: bool) -> Visit {
    let from = if cached {
        "Hit from cloudfront"
    } else {
        "Miss from cloudfront"
    };
    let mut headers = answer.headers.clone();
    headers.push(("x-cache".to_owned(), from.to_owned()));
    Visit {
        status: answer.status,
        headers,
        body: answer.body.to_vec(),
        cached,
    }
}

/// What the bucket says, or the page in its place.
fn answer(distribution: &Distribution, path: &str, buckets: &Buckets) -> Answer {
    let wanted = match (path, &distribution.root) {
        ("/", Some(root)) => format!("/{root}"),
        (path, _) => path.to_owned(),
    };
    if let Some(object) = object(distribution, &wanted, buckets) {
        return Answer::of(object);
    }
    let page = distribution.fallback.as_deref();
    match page.and_then(|page| object(distribution, page, buckets)) {
        Some(page) => Answer {
            in_place: true,
            ..Answer::of(page)
        },
        None => Answer::error(404, "NoSuchKey"),
    }
}

fn object<'a>(distribution: &Distribution, path: &str, buckets: &'a Buckets) -> Option<&'a Object> {
    let key = address::decoded(&format!("{}{path}", distribution.origin_path))?;
    buckets.object(&distribution.bucket, key.strip_prefix('/')?)
}

fn tags(distribution: &Distribution, answer: &Answer) -> Vec<String> {
    let header = distribution.tags.as_deref();
    let value = header.and_then(|header| answer.header(header));
    let tags = value.unwrap_or_default().split(',').map(str::trim);
    tags.filter(|tag| !tag.is_empty())
        .map(str::to_ascii_lowercase)
        .collect()
}
