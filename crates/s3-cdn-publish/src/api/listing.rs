//! What a bucket holds under its prefix.

use std::borrow::Cow;

use aws_sdk_s3::types::{EncodingType, Object};
use percent_encoding::percent_decode_str;

use super::{Bucket, Refused, refused};
use crate::diff::Listed;
use crate::etag::Etag;

/// One page of a listing (<https://docs.aws.amazon.com/AmazonS3/latest/API/API_ListObjectsV2.html>).
#[derive(Clone, Debug, Default)]
pub struct Page {
    /// Its objects, their keys without the prefix.
    pub objects: Vec<Listed>,
    /// Where the next one begins; none for the last.
    pub next: Option<Next>,
}

/// Where a page begins.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Next {
    /// Where the page before ended.
    Token(String),
    /// Behind a key, without the prefix.
    After(String),
}

impl Bucket {
    /// A page of the objects whose keys begin with the prefix and `folder`.
    ///
    /// # Errors
    /// When it can't be listed.
    pub async fn page(&self, folder: &str, from: Option<&Next>) -> Result<Page, Refused> {
        let mut call = self
            .read
            .list_objects_v2()
            .bucket(&self.name)
            .prefix(self.key(folder))
            // Keys may hold characters that XML has no way to write.
            .encoding_type(EncodingType::Url);
        match from {
            Some(Next::Token(token)) => call = call.continuation_token(token),
            Some(Next::After(key)) => call = call.start_after(self.key(key)),
            None => {}
        }
        let answer = call
            .send()
            .await
            .map_err(|error| refused("s3:ListBucket", &error))?;
        let is_encoded = answer.encoding_type().is_some();
        let token = answer.next_continuation_token().map(str::to_owned);
        let next = token
            .filter(|_| answer.is_truncated() == Some(true))
            .map(Next::Token);
        let objects = answer.contents.unwrap_or_default();
        let listed = objects
            .into_iter()
            .filter_map(|object| self.listed(object, is_encoded));
        Ok(Page {
            objects: listed.collect(),
            next,
        })
    }

    /// An object of a page; none for what can't be one of ours: a key that is no UTF-8, or not under the prefix.
    fn listed(&self, object: Object, is_encoded: bool) -> Option<Listed> {
        let said = object.key?;
        let key = if is_encoded {
            decoded(&said)?
        } else {
            Cow::Borrowed(said.as_str())
        };
        let key = key.strip_prefix(&self.prefix)?;
        Some(Listed {
            key: key.into(),
            size: object.size.and_then(|size| u64::try_from(size).ok())?,
            etag: Etag::new(object.e_tag.as_deref().unwrap_or_default()),
        })
    }
}

/// A key as `encoding-type=url` has it: a blank is `+`.
fn decoded(said: &str) -> Option<Cow<'_, str>> {
    if !said.contains(['+', '%']) {
        return Some(Cow::Borrowed(said));
    }
    let plain = said.replace('+', " ");
    let text = percent_decode_str(&plain).decode_utf8().ok()?;
    Some(Cow::Owned(text.into_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_are_read_as_they_are_encoded() {
        for (said, key) in [
            ("a.js", "a.js"),
            ("a+b%2Bc.js", "a b+c.js"),
            ("%C3%A9%0A%26.html", "é\n&.html"),
            ("100%25", "100%"),
        ] {
            assert_eq!(decoded(said).as_deref(), Some(key));
        }
        assert_eq!(decoded("%FF"), None);
    }
}
