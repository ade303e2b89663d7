//! Keys that look the same: one has its letters composed (`é`), the other has them taken apart (`e` and an accent).

use std::hash::{DefaultHasher, Hash as _, Hasher as _};

use unicode_normalization::UnicodeNormalization as _;

use super::File;

/// How many pairs are told.
const TOLD: usize = 20;

/// The pairs, in the order of the first key.
pub(super) fn alike(files: &[File]) -> Vec<(Box<str>, Box<str>)> {
    // Hashes, as the composed names of all files would take as much memory as the names.
    let mut seen: Vec<(u64, &File)> = files
        .iter()
        .filter(|file| !file.key.is_ascii())
        .map(|file| (hash(&file.key), file))
        .collect();
    seen.sort_by_key(|(hash, _)| *hash);
    let mut pairs: Vec<_> = seen
        .windows(2)
        .filter(|pair| pair[0].0 == pair[1].0 && pair[0].1.key.nfc().eq(pair[1].1.key.nfc()))
        .map(|pair| (pair[0].1.key.clone(), pair[1].1.key.clone()))
        .collect();
    pairs.sort();
    pairs.truncate(TOLD);
    pairs
}

fn hash(key: &str) -> u64 {
    let mut hasher = DefaultHasher::new();
    key.nfc().for_each(|c| c.hash(&mut hasher));
    hasher.finish()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_that_look_the_same_are_found() {
        let keys = ["a", "caf\u{65}\u{301}/x", "caf\u{e9}/x", "caf\u{e9}/y", "ä"];
        let files = keys.map(|key| File {
            key: key.into(),
            size: 0,
            sha256: [0; 32],
        });
        assert_eq!(alike(&files), [(keys[1].into(), keys[2].into())]);
    }
}
