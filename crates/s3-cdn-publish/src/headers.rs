//! What S3 stores with an object beside its bytes, and sends along with it.

use std::collections::BTreeMap;
use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

/// The form that digests are taken of. A change of it is a new digest for every file, and so one copy of each.
const FORM: &str = "s3-cdn-publish/headers@1";

/// The headers of an object, and how it is stored. What is `None` is not sent.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct Headers {
    /// `Content-Type`.
    pub content_type: String,
    /// `Cache-Control`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cache_control: Option<String>,
    /// `Content-Encoding`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub content_encoding: Option<String>,
    /// `Content-Disposition`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub content_disposition: Option<String>,
    /// `Content-Language`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub content_language: Option<String>,
    /// Where a website endpoint of S3 sends visitors instead
    /// (<https://docs.aws.amazon.com/AmazonS3/latest/userguide/how-to-page-redirect.html>).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub website_redirect: Option<String>,
    /// User-defined metadata: `x-amz-meta-…` without that prefix, names in lower case.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub metadata: BTreeMap<String, String>,
    /// The storage class; S3's default is `STANDARD`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub storage_class: Option<String>,
    /// Server-side encryption, where it is not the bucket's default.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub encryption: Option<Encryption>,
    /// A canned ACL. Buckets of today refuse any.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub acl: Option<String>,
}

/// Server-side encryption
/// (<https://docs.aws.amazon.com/AmazonS3/latest/userguide/serv-side-encryption.html>).
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Encryption {
    /// With keys of S3: `AES256`.
    Aes256,
    /// With a key of KMS: `aws:kms`. ETags are no MD5 then.
    Kms {
        /// Its id, alias or ARN; without one the key of AWS for S3.
        key: Option<String>,
    },
    /// In two layers with a key of KMS: `aws:kms:dsse`.
    KmsDsse {
        /// Its id, alias or ARN; without one the key of AWS for S3.
        key: Option<String>,
    },
}

/// By what headers are compared: equal headers have equal digests in every version of this program that writes
/// the same form.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct HeadersDigest(pub [u8; 8]);

/// A text that is no digest of headers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a digest of headers has 16 hexadecimal digits in lower case")]
pub struct NoDigest;

impl Headers {
    /// Those of an object that is none of the site: nobody is to keep or to show it.
    #[must_use]
    pub fn of_state(content_type: &str) -> Self {
        Self {
            content_type: content_type.to_owned(),
            cache_control: Some("no-store".to_owned()),
            ..Self::default()
        }
    }

    /// Whether an object with the headers `there` is served as these say. What is left to the bucket is right as it is, and an
    /// ACL is not told.
    #[must_use]
    pub fn serves_as(&self, there: &Self) -> bool {
        let class = |headers: &Self| {
            let class = headers.storage_class.clone();
            class.filter(|class| class != "STANDARD")
        };
        let plain = |headers: &Self| Self {
            storage_class: class(headers),
            encryption: None,
            acl: None,
            ..headers.clone()
        };
        let is_encrypted = match (&self.encryption, &there.encryption) {
            (None, _) => true,
            (Some(wanted), Some(found)) => {
                wanted.name() == found.name() && wanted.key().is_none_or(|key| found.key() == Some(key))
            }
            (Some(_), None) => false,
        };
        is_encrypted && plain(self) == plain(there)
    }

    /// The digest. It covers every field.
    #[must_use]
    pub fn digest(&self) -> HeadersDigest {
        let (encryption, key) = match &self.encryption {
            None => (None, None),
            Some(encryption) => (Some(encryption.name()), encryption.key()),
        };
        let mut hash = Sha256::new();
        add(&mut hash, FORM);
        for value in [
            Some(self.content_type.as_str()),
            self.cache_control.as_deref(),
            self.content_encoding.as_deref(),
            self.content_disposition.as_deref(),
            self.content_language.as_deref(),
            self.website_redirect.as_deref(),
            self.storage_class.as_deref(),
            encryption,
            key,
            self.acl.as_deref(),
        ] {
            match value {
                None => hash.update([0]),
                Some(value) => {
                    hash.update([1]);
                    add(&mut hash, value);
                }
            }
        }
        for (name, value) in &self.metadata {
            add(&mut hash, name);
            add(&mut hash, value);
        }
        let whole: [u8; 32] = hash.finalize().into();
        let mut first = [0; 8];
        first.copy_from_slice(&whole[..8]);
        HeadersDigest(first)
    }
}

/// Adds a text so that no other texts give the same bytes.
fn add(hash: &mut Sha256, text: &str) {
    hash.update(u64::try_from(text.len()).unwrap_or(u64::MAX).to_be_bytes());
    hash.update(text);
}

impl Encryption {
    /// The name that S3 gives it.
    #[must_use]
    pub fn name(&self) -> &'static str {
        match self {
            Self::Aes256 => "AES256",
            Self::Kms { .. } => "aws:kms",
            Self::KmsDsse { .. } => "aws:kms:dsse",
        }
    }

    /// The key of KMS, where one is named.
    #[must_use]
    pub fn key(&self) -> Option<&str> {
        match self {
            Self::Aes256 => None,
            Self::Kms { key } | Self::KmsDsse { key } => key.as_deref(),
        }
    }
}

impl fmt::Display for HeadersDigest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:016x}", u64::from_be_bytes(self.0))
    }
}

impl FromStr for HeadersDigest {
    type Err = NoDigest;

    fn from_str(text: &str) -> Result<Self, NoDigest> {
        let plain = |b: u8| b.is_ascii_digit() || (b'a'..=b'f').contains(&b);
        if text.len() != 16 || !text.bytes().all(plain) {
            return Err(NoDigest);
        }
        let number = u64::from_str_radix(text, 16).map_err(|_| NoDigest)?;
        Ok(Self(number.to_be_bytes()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::{any, prop_assert_eq, proptest};

    fn full() -> Headers {
        Headers {
            content_type: "text/html".to_owned(),
            cache_control: Some("no-cache".to_owned()),
            metadata: [("a".to_owned(), "1".to_owned())].into(),
            encryption: Some(Encryption::Kms { key: None }),
            ..Headers::default()
        }
    }

    /// The form is kept: another digest would have every object of every site copied once.
    #[test]
    fn the_digest_of_a_form_stays() {
        assert_eq!(full().digest().to_string(), "0e510582cb36df7f");
    }

    #[test]
    fn every_field_counts() {
        let some = |text: &str| Some(text.to_owned());
        let changes: [fn(&mut Headers, Option<String>); 9] = [
            |headers, text| headers.content_type = text.unwrap_or_default(),
            |headers, text| headers.cache_control = text,
            |headers, text| headers.content_encoding = text,
            |headers, text| headers.content_disposition = text,
            |headers, text| headers.content_language = text,
            |headers, text| headers.website_redirect = text,
            |headers, text| headers.storage_class = text,
            |headers, text| headers.acl = text,
            |headers, text| headers.encryption = Some(Encryption::Kms { key: text }),
        ];
        let mut seen = vec![full().digest()];
        for change in changes {
            for text in [some("x"), some("y")] {
                let mut headers = full();
                change(&mut headers, text);
                seen.push(headers.digest());
            }
        }
        for metadata in [
            vec![],
            vec![("a", "2")],
            vec![("a1", "")],
            vec![("a", "1"), ("b", "")],
        ] {
            let metadata = metadata
                .iter()
                .map(|(k, v)| ((*k).to_owned(), (*v).to_owned()))
                .collect();
            seen.push(Headers { metadata, ..full() }.digest());
        }
        for encryption in [
            None,
            Some(Encryption::Aes256),
            Some(Encryption::KmsDsse { key: None }),
        ] {
            seen.push(Headers { encryption, ..full() }.digest());
        }
        let count = seen.len();
        seen.sort();
        seen.dedup();
        assert_eq!(seen.len(), count);
        assert_eq!(full().digest(), full().digest());
    }

    #[test]
    fn empty_is_not_absent() {
        let empty = Headers {
            cache_control: Some(String::new()),
            ..Headers::default()
        };
        assert_ne!(empty.digest(), Headers::default().digest());
    }

    proptest! {
        #[test]
        fn a_digest_is_read_as_it_is_written(bytes in any::<[u8; 8]>()) {
            let digest = HeadersDigest(bytes);
            prop_assert_eq!(digest.to_string().parse(), Ok(digest));
        }

        #[test]
        fn no_text_panics(text in any::<String>(), near in "[0-9a-fA-F+-]{15,17}") {
            for text in [text, near] {
                if let Ok(digest) = text.parse::<HeadersDigest>() {
                    prop_assert_eq!(digest.to_string(), text);
                }
            }
        }
    }
}
