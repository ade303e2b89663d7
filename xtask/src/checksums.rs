//! `SHA256SUMS`: what `sha256sum` of GNU, busybox and BSD writes and checks, one `HASH  PATH` a line, sorted by path.

use std::collections::BTreeMap;

use anyhow::{Context as _, Result, ensure};
use sha2::{Digest as _, Sha256};

/// Hash by path.
pub type Checksums = BTreeMap<String, String>;

/// The SHA-256 of `data` in lower-case hexadecimal.
#[must_use]
pub fn sha256(data: &[u8]) -> String {
    Sha256::digest(data)
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect()
}

/// The file's text.
#[must_use]
pub fn write(sums: &Checksums) -> String {
    sums.iter()
        .map(|(path, hash)| format!("{hash}  {path}\n"))
        .collect()
}

/// Reads the file's text; strict, since only this program writes it.
///
/// # Errors
/// Names the first line that is no checksum or names a path twice.
pub fn parse(text: &str) -> Result<Checksums> {
    let mut sums = Checksums::new();
    for (index, line) in text.lines().enumerate() {
        let (hash, path) = line
            .split_once("  ")
            .filter(|(hash, path)| is_sha256(hash) && !path.is_empty())
            .with_context(|| format!("line {} of `SHA256SUMS` is no checksum", index + 1))?;
        let earlier = sums.insert(path.to_owned(), hash.to_owned());
        ensure!(earlier.is_none(), "`SHA256SUMS` names `{path}` twice");
    }
    Ok(sums)
}

fn is_sha256(text: &str) -> bool {
    text.len() == 64 && text.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn the_hash_is_the_standard_one() {
        // FIPS 180-4, example `abc`.
        assert_eq!(
            sha256(b"abc"),
            "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
        );
    }

    #[test]
    fn what_is_no_checksum_is_named_by_its_line() {
        let hash = sha256(b"");
        for (text, reason) in [
            ("nonsense\n".to_owned(), "line 1"),
            (format!("{hash}  a\n{hash} b\n"), "line 2"),
            (format!("{}  a\n", hash.to_uppercase()), "line 1"),
            (format!("{hash}  \n"), "line 1"),
            (format!("{hash}  a\n{hash}  a\n"), "names `a` twice"),
        ] {
            let error = parse(&text).unwrap_err().to_string();
            assert!(error.contains(reason), "{text:?}: {error}");
        }
    }

    proptest! {
        #[test]
        fn what_was_written_is_read(paths in prop::collection::btree_set("[a-z0-9/._-]{1,30}", 0..20)) {
            let sums: Checksums = paths.into_iter().map(|path| (path.clone(), sha256(path.as_bytes()))).collect();
            prop_assert_eq!(parse(&write(&sums)).unwrap(), sums);
        }

        #[test]
        fn any_text_is_read_or_refused(text in any::<String>()) {
            if let Ok(sums) = parse(&text) {
                prop_assert_eq!(sums.len(), text.lines().count());
            }
        }
    }
}
