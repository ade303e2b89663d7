//! Entity tags of objects: opaque names of a content, compared and never computed with.
//!
//! The ETag is the MD5 of the content only for objects that were written in one request and are not encrypted with a key of
//! KMS (<https://docs.aws.amazon.com/AmazonS3/latest/API/API_Object.html>), so it names a content but says little about it.

use std::fmt;

use crate::hex::{self, Hex};

/// An ETag without its quotes. Kept small, because a site of 200,000 files has as many.
#[derive(Clone, PartialEq, Eq)]
pub enum Etag {
    /// 32 hexadecimal digits, which may be an MD5.
    Digest([u8; 16]),
    /// Anything else, such as `…-3` of an upload in three parts.
    Other(Box<str>),
}

impl Etag {
    /// Reads what S3 says, with or without quotes.
    #[must_use]
    pub fn new(said: &str) -> Self {
        let said = said.strip_prefix("W/").unwrap_or(said);
        let bare = said.trim_matches('"');
        match hex::bytes(bare) {
            Some(digest) => Self::Digest(digest),
            None => Self::Other(bare.into()),
        }
    }

    /// As a condition of a request has it, with quotes.
    #[must_use]
    pub fn quoted(&self) -> String {
        format!("\"{self}\"")
    }
}

impl fmt::Display for Etag {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Digest(digest) => fmt::Display::fmt(&Hex(digest), f),
            Self::Other(text) => f.write_str(text),
        }
    }
}

impl fmt::Debug for Etag {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_etag_is_what_was_said_without_quotes() {
        let md5 = "9e107d9d372bb6826bd81d3542a419d6";
        assert_eq!(Etag::new(&format!("\"{md5}\"")).to_string(), md5);
        assert_eq!(Etag::new(md5).quoted(), format!("\"{md5}\""));
        assert!(matches!(Etag::new(md5), Etag::Digest(_)));
        for other in [
            "9e107d9d372bb6826bd81d3542a419d6-3",
            "9E107D9D372BB6826BD81D3542A419D6",
            "é",
            "",
        ] {
            assert_eq!(Etag::new(other), Etag::Other(other.into()));
        }
    }

    proptest::proptest! {
        #[test]
        fn an_etag_that_was_recorded_is_the_one_that_is_listed(said in "[!-~]{0,40}") {
            let etag = Etag::new(&said);
            proptest::prop_assert_eq!(Etag::new(&etag.to_string()), etag.clone());
            proptest::prop_assert_eq!(Etag::new(&etag.quoted()), etag);
        }
    }
}
