//! A site that is the same wherever the seed is: pages, hashed assets, images and fonts of 1 KiB to 100 KiB.

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use anyhow::{Context as _, Result};

/// The smallest and the largest file, in bytes.
const LEAST: usize = 1024;
const MOST: usize = 100 * 1024;

/// How much noise files are cut from, in bytes.
const NOISE: usize = 1024 * 1024;

/// Files of which there is one each.
const FIXED: [&str; 5] = [
    "index.html",
    "404.html",
    "robots.txt",
    "sitemap.xml",
    "favicon.ico",
];

/// A site in a folder.
pub(super) struct Tree {
    folder: PathBuf,
    files: Vec<Entry>,
    noise: Vec<u8>,
    numbers: Numbers,
}

struct Entry {
    name: String,
    size: usize,
    /// Where in the noise its content begins.
    from: usize,
    /// How often it was changed.
    version: u32,
}

impl Tree {
    /// Writes one.
    ///
    /// # Errors
    /// When it can't be written.
    pub(super) fn grow(folder: &Path, files: usize, seed: u64) -> Result<Self> {
        let mut numbers = Numbers(seed);
        let noise = (0..NOISE / 8)
            .flat_map(|_| numbers.next().to_le_bytes())
            .collect();
        let entries = (0..files).map(|number| Entry {
            name: name(number, &mut numbers),
            size: size(&mut numbers),
            from: numbers.below(NOISE - MOST),
            version: 0,
        });
        let files = entries.collect();
        let tree = Self {
            folder: folder.to_owned(),
            files,
            noise,
            numbers,
        };
        for file in 0..tree.len() {
            tree.write(file)?;
        }
        Ok(tree)
    }

    /// Where it is.
    pub(super) fn folder(&self) -> &Path {
        &self.folder
    }

    /// How many files it has.
    pub(super) fn len(&self) -> usize {
        self.files.len()
    }

    /// Their bytes together.
    pub(super) fn bytes(&self) -> usize {
        self.files.iter().map(|file| file.size).sum()
    }

    /// The name of a file, which is its key.
    pub(super) fn name(&self, file: usize) -> &str {
        &self.files[file].name
    }

    /// What a file holds.
    ///
    /// # Errors
    /// When it can't be read.
    pub(super) fn read(&self, file: usize) -> Result<Vec<u8>> {
        let path = self.path(file);
        fs::read(&path).with_context(|| format!("failed to read `{}`", path.display()))
    }

    /// Gives one file of so many another content of the same length, others each time, and says which.
    ///
    /// # Errors
    /// When it can't be written.
    pub(super) fn change(&mut self, one_of: usize) -> Result<Vec<usize>> {
        let mut left: Vec<usize> = (0..self.len()).collect();
        let mut changed = Vec::new();
        for _ in 0..(self.len() / one_of).max(1) {
            let file = left.swap_remove(self.numbers.below(left.len()));
            self.files[file].version += 1;
            self.write(file)?;
            changed.push(file);
        }
        Ok(changed)
    }

    /// Makes it what it was in the beginning.
    ///
    /// # Errors
    /// When it can't be written.
    pub(super) fn restore(&mut self) -> Result<()> {
        for file in 0..self.len() {
            if std::mem::take(&mut self.files[file].version) > 0 {
                self.write(file)?;
            }
        }
        Ok(())
    }

    /// Gives all files this time.
    ///
    /// # Errors
    /// When they can't be written to.
    pub(super) fn times(&self, time: SystemTime) -> Result<()> {
        (0..self.len()).try_for_each(|file| self.time(file, time))
    }

    /// Gives a file this time.
    ///
    /// # Errors
    /// When it can't be written to.
    pub(super) fn time(&self, file: usize, time: SystemTime) -> Result<()> {
        let path = self.path(file);
        File::options()
            .write(true)
            .open(&path)
            .and_then(|file| file.set_modified(time))
            .with_context(|| format!("failed to set the time of `{}`", path.display()))
    }

    fn path(&self, file: usize) -> PathBuf {
        self.folder.join(&self.files[file].name)
    }

    fn write(&self, file: usize) -> Result<()> {
        let path = self.path(file);
        let folder = path.parent().unwrap_or(&self.folder);
        fs::create_dir_all(folder)
            .and_then(|()| fs::write(&path, self.content(&self.files[file])))
            .with_context(|| format!("failed to write `{}`", path.display()))
    }

    /// Its name and version, then noise: no two contents are alike, and all of a file have one length.
    fn content(&self, file: &Entry) -> Vec<u8> {
        let mut content = format!("{} {:08}\n", file.name, file.version).into_bytes();
        let noise = file.size.saturating_sub(content.len());
        content.extend_from_slice(&self.noise[file.from..file.from + noise]);
        content
    }
}

/// A third pages, two fifths assets whose names hold a digest of them, the rest images and others.
fn name(number: usize, numbers: &mut Numbers) -> String {
    if let Some(fixed) = FIXED.get(number) {
        return (*fixed).to_owned();
    }
    let hash = format!("{:08x}", numbers.below(1 << 32));
    match numbers.below(100) {
        0..30 => format!("docs/s{:02}/p{number:05}/index.html", numbers.below(40)),
        30..55 => format!("assets/chunk-{number:05}.{hash}.js"),
        55..65 => format!("assets/chunk-{number:05}.{hash}.css"),
        65..70 => format!("assets/chunk-{number:05}.{hash}.js.map"),
        70..92 => format!("img/{:x}/i{number:05}.webp", numbers.below(16)),
        92..95 => format!("fonts/f{number:05}.{hash}.woff2"),
        _ => format!("data/{number:05}.json"),
    }
}

/// Most files are small: the least of two numbers.
fn size(numbers: &mut Numbers) -> usize {
    LEAST + numbers.below(MOST - LEAST).min(numbers.below(MOST - LEAST))
}

/// Numbers that a seed gives everywhere: [SplitMix64](https://prng.di.unimi.it/splitmix64.c).
struct Numbers(u64);

impl Numbers {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        mixed ^ (mixed >> 31)
    }

    /// Below a bound that is small beside all numbers there are.
    fn below(&mut self, bound: usize) -> usize {
        usize::try_from(self.next() % bound.max(1) as u64).unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;
    use std::time::Duration;

    use super::*;

    fn contents(tree: &Tree) -> Vec<Vec<u8>> {
        (0..tree.len()).map(|file| tree.read(file).unwrap()).collect()
    }

    #[test]
    fn a_seed_gives_the_same_site_everywhere() {
        let scratch = tempfile::tempdir().unwrap();
        let one = Tree::grow(&scratch.path().join("1"), 200, 42).unwrap();
        let same = Tree::grow(&scratch.path().join("2"), 200, 42).unwrap();
        let other = Tree::grow(&scratch.path().join("3"), 200, 43).unwrap();
        assert_eq!(contents(&one), contents(&same));
        assert_ne!(contents(&one), contents(&other));
        let all: BTreeSet<Vec<u8>> = contents(&one).into_iter().collect();
        assert_eq!(all.len(), 200, "no two files are alike");
        for (file, content) in contents(&one).iter().enumerate() {
            assert_eq!(content.len(), one.files[file].size);
            assert!((LEAST..=MOST).contains(&content.len()), "{}", content.len());
        }
    }

    #[test]
    fn so_many_files_change_and_come_back_and_keep_their_length() {
        let scratch = tempfile::tempdir().unwrap();
        let mut tree = Tree::grow(&scratch.path().join("site"), 200, 42).unwrap();
        let before = contents(&tree);
        let first: BTreeSet<usize> = tree.change(100).unwrap().into_iter().collect();
        assert_eq!(first.len(), 2);
        let now = contents(&tree);
        for file in 0..tree.len() {
            assert_eq!(before[file].len(), now[file].len());
            assert_eq!(before[file] != now[file], first.contains(&file));
        }
        tree.change(100).unwrap();
        assert_ne!(contents(&tree), now);
        tree.restore().unwrap();
        assert_eq!(contents(&tree), before);
        let time = SystemTime::UNIX_EPOCH + Duration::from_secs(1_000_000_000);
        tree.times(time).unwrap();
        let modified = |file| fs::metadata(tree.path(file)).unwrap().modified().unwrap();
        assert!((0..tree.len()).all(|file| modified(file) == time));
    }
}
