//! Objects that are read: the manifest and its neighbours whole, others by what is known of them.

use std::time::Duration;

use aws_sdk_s3::primitives::ByteStream;
use aws_sdk_s3::types::ChecksumMode;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use super::age::Answered;
use super::{Bucket, Refused, headers, refused};
use crate::etag::Etag;
use crate::settle::Head;

/// The largest object that is read: the compressed manifest of two million files.
const LARGEST: usize = 512 * 1024 * 1024;

/// An object's content.
#[derive(Clone, Debug)]
pub struct Content {
    /// Its bytes.
    pub bytes: Vec<u8>,
    /// Its ETag.
    pub etag: Etag,
    /// How long ago it was written, by the store's own clock; none where the store does not tell.
    pub age: Option<Duration>,
}

impl Bucket {
    /// An object whole; none if it is not there.
    ///
    /// # Errors
    /// When it can't be read.
    pub async fn get(&self, key: &str) -> Result<Option<Content>, Refused> {
        let call = "s3:GetObject";
        let asked = self.read.get_object().bucket(&self.name).key(self.key(key));
        let answered = Answered::default();
        let answer = match asked.customize().interceptor(answered.clone()).send().await {
            Ok(answer) => answer,
            Err(error) => {
                let refused = refused(call, &error);
                return if refused.is("NoSuchKey") {
                    Ok(None)
                } else {
                    Err(refused)
                };
            }
        };
        let etag = Etag::new(answer.e_tag().unwrap_or_default());
        let age = answered.age(answer.last_modified());
        let bytes = whole(key, answer.content_length(), answer.body).await?;
        Ok(Some(Content { bytes, etag, age }))
    }

    /// Whether an object is as it was; `None` stands for one that was not there.
    ///
    /// # Errors
    /// When it can't be asked.
    pub async fn is_as_it_was(&self, key: &str, was: Option<&Etag>) -> Result<bool, Refused> {
        let asked = self.read.head_object().bucket(&self.name).key(self.key(key));
        match asked.send().await {
            Ok(answer) => Ok(was.is_some_and(|was| Etag::new(answer.e_tag().unwrap_or_default()) == *was)),
            Err(error) => {
                let refused = refused("s3:GetObject", &error);
                if refused.is_missing() {
                    Ok(was.is_none())
                } else {
                    Err(refused)
                }
            }
        }
    }

    /// What is known of an object; none if it is not there.
    ///
    /// # Errors
    /// When it can't be asked.
    pub async fn head(&self, key: &str) -> Result<Option<Head>, Refused> {
        let asked = self
            .read
            .head_object()
            .bucket(&self.name)
            .key(self.key(key))
            .checksum_mode(ChecksumMode::Enabled);
        let answer = match asked.send().await {
            Ok(answer) => answer,
            Err(error) => {
                let refused = refused("s3:GetObject", &error);
                return if refused.is_missing() {
                    Ok(None)
                } else {
                    Err(refused)
                };
            }
        };
        let size = answer.content_length().and_then(|size| u64::try_from(size).ok());
        Ok(Some(Head {
            etag: Etag::new(answer.e_tag().unwrap_or_default()),
            size: size.unwrap_or_default(),
            sha256: answer.checksum_sha256().and_then(digest),
            headers: headers::of(&answer),
        }))
    }
}

/// The bytes of an answer, which are as many as it says or fewer than the most. They are in memory once.
async fn whole(key: &str, said: Option<i64>, mut body: ByteStream) -> Result<Vec<u8>, Refused> {
    let unusable = |why: String| Refused::unusable("s3:GetObject", &why);
    let too_large = || unusable(format!("`{key}` is larger than anything of ours"));
    let length = said.and_then(|said| usize::try_from(said).ok());
    let mut bytes = match length {
        Some(length) if length > LARGEST => return Err(too_large()),
        Some(length) => Vec::with_capacity(length),
        None => Vec::new(),
    };
    while let Some(piece) = body.next().await {
        let piece = piece.map_err(|error| unusable(format!("`{key}` did not come whole: {error}")))?;
        if bytes.len() + piece.len() > LARGEST {
            return Err(too_large());
        }
        bytes.extend_from_slice(&piece);
    }
    if length.is_some_and(|length| length != bytes.len()) {
        return Err(unusable(format!("`{key}` did not come whole")));
    }
    Ok(bytes)
}

/// A SHA-256 of a whole content; one of a content in parts ends in their number and is none.
fn digest(said: &str) -> Option<[u8; 32]> {
    STANDARD.decode(said).ok()?.try_into().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn an_answer_came_whole_or_is_none() {
        let said = |said: Option<i64>| whole("k", said, ByteStream::from_static(b"abc"));
        for length in [Some(3), None, Some(-1)] {
            assert_eq!(said(length).await.unwrap(), b"abc");
        }
        for length in [2, 4] {
            let refused = said(Some(length)).await.unwrap_err();
            assert!(refused.to_string().contains("did not come whole"), "{refused}");
        }
        let refused = said(Some(LARGEST as i64 + 1)).await.unwrap_err();
        assert!(refused.to_string().contains("larger"), "{refused}");
    }
}
