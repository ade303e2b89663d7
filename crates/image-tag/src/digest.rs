//! The digest of an image that was built
//! (<https://github.com/opencontainers/image-spec/blob/v1.1.1/descriptor.md#digests>).

use crate::error::{Error, shown};

/// Refuses what no registry would find: anything but `sha256:` or `sha512:` and as many hexadecimal characters as that
/// hash has.
pub(crate) fn check(digest: &str) -> Result<(), Error> {
    let length = match digest.split_once(':') {
        Some(("sha256", hash)) => Some((hash, 64)),
        Some(("sha512", hash)) => Some((hash, 128)),
        _ => None,
    };
    let is_hash = |(hash, length): (&str, usize)| {
        hash.len() == length && hash.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'))
    };
    match length {
        Some(hash) if is_hash(hash) => Ok(()),
        _ => Err(Error::Digest {
            digest: shown(digest),
        }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn digests() {
        assert!(check(&format!("sha256:{}", "0a".repeat(32))).is_ok());
        assert!(check(&format!("sha512:{}", "0a".repeat(64))).is_ok());
        for digest in [
            "",
            "sha256:",
            "latest",
            &"0a".repeat(32),
            &format!("sha256:{}", "0A".repeat(32)),
            &format!("sha256:{}", "0a".repeat(31)),
            &format!("md5:{}", "0a".repeat(16)),
        ] {
            assert!(check(digest).is_err(), "{digest}");
        }
    }
}
