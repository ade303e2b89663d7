//! References to images: `[registry[:port]/]repository[:tag][@digest]`, by the grammar of the registries
//! (<https://github.com/distribution/reference/blob/main/reference.go>). The version of an image is its tag, or its
//! digest where it has no tag.

use crate::text;

/// A reference, in its parts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Image<'a> {
    /// Registry and repository.
    pub name: &'a str,
    /// The tag.
    pub tag: Option<&'a str>,
    /// The digest, with its algorithm.
    pub digest: Option<&'a str>,
}

/// What is wrong with a reference.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
#[error("`{reference}` is no reference to an image: {why}")]
pub struct ImageError {
    reference: String,
    why: &'static str,
}

impl<'a> Image<'a> {
    /// Reads a reference that somebody wrote.
    ///
    /// # Errors
    /// When it breaks the grammar.
    pub fn parse(reference: &'a str) -> Result<Self, ImageError> {
        let image = Self::split(reference);
        match image.fault() {
            None => Ok(image),
            Some(why) => Err(ImageError {
                reference: text::cut(&text::visible(reference), 160),
                why,
            }),
        }
    }

    /// Takes a reference apart without judging it.
    #[must_use]
    pub fn split(reference: &'a str) -> Self {
        let (rest, digest) = match reference.split_once('@') {
            Some((rest, digest)) => (rest, Some(digest)),
            None => (reference, None),
        };
        // A colon before the last slash belongs to the registry's port.
        let path = rest.rfind('/').map_or(0, |slash| slash + 1);
        let (name, tag) = match rest[path..].find(':') {
            Some(colon) => (&rest[..path + colon], Some(&rest[path + colon + 1..])),
            None => (rest, None),
        };
        Self { name, tag, digest }
    }

    /// The tag, or the digest where there is no tag.
    #[must_use]
    pub fn version(self) -> Option<&'a str> {
        self.tag.or(self.digest)
    }

    /// Whether a version that somebody asked for is this image's: its tag, or its digest with or without the
    /// algorithm.
    #[must_use]
    pub fn is_version(self, version: &str) -> bool {
        let hash = self
            .digest
            .and_then(|digest| digest.split_once(':'))
            .map(|(_, hash)| hash);
        !version.is_empty() && [self.tag, self.digest, hash].contains(&Some(version))
    }

    fn fault(self) -> Option<&'static str> {
        if self.name.is_empty() {
            return Some("the name is empty");
        }
        if self.name.len() > 255 {
            return Some("the name has more than 255 characters");
        }
        let path = match self.name.split_once('/') {
            Some((first, path)) if is_domain(first) => {
                if !is_host_port(first) {
                    return Some("the registry is no host name with an optional port");
                }
                path
            }
            _ => self.name,
        };
        if !path.split('/').all(is_component) {
            return Some(
                "a repository is of lower-case letters and digits, with `.`, `_`, `-` inside and `/` between",
            );
        }
        if self.tag.is_some_and(|tag| !is_tag(tag)) {
            return Some(
                "a tag is of 1 to 128 letters, digits, `_`, `.` and `-`, and begins with none of `.` and `-`",
            );
        }
        if self.digest.is_some_and(|digest| !is_digest(digest)) {
            return Some("a digest is `sha256:` and 64 hexadecimal digits, or `sha512:` and 128");
        }
        None
    }
}

/// Whether the first part of a name is a registry and no repository.
fn is_domain(first: &str) -> bool {
    first == "localhost" || first.contains(['.', ':']) || first.contains(|c: char| c.is_ascii_uppercase())
}

fn is_host_port(domain: &str) -> bool {
    let (host, port) = match domain.rsplit_once(':') {
        Some((host, port)) => (host, Some(port)),
        None => (domain, None),
    };
    let port_is_good = port.is_none_or(|port| {
        !port.is_empty() && port.len() <= 5 && port.bytes().all(|byte| byte.is_ascii_digit())
    });
    let bracketed = host.strip_prefix('[').and_then(|host| host.strip_suffix(']'));
    let host_is_good = match bracketed {
        Some(address) => address.parse::<std::net::Ipv6Addr>().is_ok(),
        None => {
            !host.is_empty()
                && host.split('.').all(|label| {
                    !label.is_empty()
                        && label
                            .bytes()
                            .all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
                })
        }
    };
    port_is_good && host_is_good
}

fn is_component(component: &str) -> bool {
    let plain = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit();
    let bytes = component.as_bytes();
    let ends = bytes.first().zip(bytes.last());
    ends.is_some_and(|(first, last)| plain(*first) && plain(*last))
        && bytes
            .iter()
            .all(|&byte| plain(byte) || matches!(byte, b'.' | b'_' | b'-'))
}

fn is_tag(tag: &str) -> bool {
    (1..=128).contains(&tag.len())
        && !tag.starts_with(['.', '-'])
        && tag
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'.' | b'-'))
}

/// The algorithms that registries know
/// (<https://github.com/opencontainers/image-spec/blob/main/descriptor.md#registered-algorithms>).
fn is_digest(digest: &str) -> bool {
    let length = match digest.split_once(':') {
        Some(("sha256", _)) => 64,
        Some(("sha512", _)) => 128,
        _ => return false,
    };
    let hash = &digest["sha256:".len()..];
    hash.len() == length && hash.bytes().all(|byte| byte.is_ascii_hexdigit())
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::{any, proptest};

    const DIGEST: &str = "sha256:9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08";

    #[test]
    fn parts() {
        for (reference, name, tag) in [
            ("nginx", "nginx", None),
            ("nginx:1.27", "nginx", Some("1.27")),
            ("acme/shop:v1_2-rc.3", "acme/shop", Some("v1_2-rc.3")),
            ("localhost:5000/shop", "localhost:5000/shop", None),
            ("localhost:5000/shop:v1", "localhost:5000/shop", Some("v1")),
            ("[::1]:5000/shop:v1", "[::1]:5000/shop", Some("v1")),
            (
                "123456789012.dkr.ecr.eu-west-1.amazonaws.com/team/shop:v1",
                "123456789012.dkr.ecr.eu-west-1.amazonaws.com/team/shop",
                Some("v1"),
            ),
        ] {
            let digest = None;
            assert_eq!(Image::parse(reference), Ok(Image { name, tag, digest }));
            let with_digest = format!("{reference}@{DIGEST}");
            let digest = Some(DIGEST);
            assert_eq!(Image::parse(&with_digest), Ok(Image { name, tag, digest }));
        }
    }

    #[test]
    fn refuses_what_no_registry_takes() {
        for reference in [
            "",
            ":v1",
            "shop:",
            "shop:v1:v2",
            "shop@",
            "shop@sha256:12",
            "shop@sha512:12",
            "shop v1",
            "Shop:v1",
            "acme//shop",
            "acme/shop/",
            "/shop",
            "https://registry.example/shop",
            "registry.example:port/shop",
            "registry_a.example/shop",
            "shop:.v1",
            "shop:v1\n",
            "shöp",
        ] {
            let error = Image::parse(reference).expect_err(reference).to_string();
            assert!(!error.contains('\n'), "{error}");
        }
    }

    #[test]
    fn a_version_is_the_tag_or_the_digest() {
        let both = format!("shop:v1@{DIGEST}");
        let image = Image::split(&both);
        assert_eq!(image.version(), Some("v1"));
        for version in ["v1", DIGEST, &DIGEST[7..]] {
            assert!(image.is_version(version), "{version}");
        }
        for other in ["", "v", "v11", "sha256"] {
            assert!(!image.is_version(other), "{other}");
        }
        assert_eq!(Image::split("localhost:5000/shop").version(), None);
        assert!(!Image::split("shop:@").is_version(""));
    }

    proptest! {
        #[test]
        fn never_panics(reference in any::<String>()) {
            let _ = Image::parse(&reference);
        }

        #[test]
        fn what_is_good_is_put_together_again(reference in "[a-z.:/@0-9_-]{1,20}") {
            if let Ok(Image { name, tag, digest }) = Image::parse(&reference) {
                let tag = tag.map(|tag| format!(":{tag}")).unwrap_or_default();
                let digest = digest.map(|digest| format!("@{digest}")).unwrap_or_default();
                assert_eq!(format!("{name}{tag}{digest}"), reference);
            }
        }
    }
}
