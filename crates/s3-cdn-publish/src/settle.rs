//! What an object itself says, where manifest and listing can't tell whether it is right. Pure.

use crate::diff::Step;
use crate::etag::Etag;
use crate::headers::{Encryption, Headers};

/// What a `HeadObject` answers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Head {
    /// Its ETag.
    pub etag: Etag,
    /// Its size, in bytes.
    pub size: u64,
    /// The SHA-256 of its whole content, where it was written with one
    /// (<https://docs.aws.amazon.com/AmazonS3/latest/userguide/checking-object-integrity.html>).
    pub sha256: Option<[u8; 32]>,
    /// What it is served with.
    pub headers: Headers,
}

/// What is wanted, for the comparison.
#[derive(Clone, Debug)]
pub struct Want<'a> {
    /// The SHA-256 of the content.
    pub sha256: [u8; 32],
    /// The MD5 of the content, where somebody computed it.
    pub md5: Option<[u8; 16]>,
    /// An ETag that is known to be of this content under this key, where a manifest says so.
    pub etag: Option<&'a Etag>,
    /// Its size, in bytes.
    pub size: u64,
    /// What it is to be served with.
    pub headers: &'a Headers,
}

/// Whether only the MD5 of the wanted content can tell: ask [`settle`] again with it.
#[must_use]
pub fn needs_md5(head: &Head, size: u64) -> bool {
    head.size == size && head.sha256.is_none() && is_md5(head)
}

/// What is to be done. An object of which nothing says its content is written again.
#[must_use]
pub fn settle(want: &Want<'_>, head: &Head) -> Step {
    let is_known = want.etag == Some(&head.etag);
    let same = head.size == want.size
        && match (head.sha256, &head.etag, want.md5) {
            (Some(sha256), _, _) => sha256 == want.sha256,
            (None, Etag::Digest(etag), Some(md5)) if is_md5(head) && *etag == md5 => true,
            (None, ..) => is_known,
        };
    if !same {
        Step::Replace
    } else if want.headers.serves_as(&head.headers) {
        Step::Adopt
    } else {
        Step::Headers
    }
}

/// Whether the ETag is the MD5 of the content.
fn is_md5(head: &Head) -> bool {
    let plain = matches!(head.headers.encryption, None | Some(Encryption::Aes256));
    plain && matches!(head.etag, Etag::Digest(_))
}

#[cfg(test)]
mod tests;
