//! `dist/VERSION`: what the binaries beside it were built from. Four `name=value` lines.

use std::path::Path;
use std::process::Command;

use anyhow::{Context as _, Result, bail};

use crate::command;
use crate::git::Repository;

/// What binaries were built from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Provenance {
    /// The workspace's version, such as `1.2.3`.
    pub version: String,
    /// The full source commit; with `-dirty` behind it when the work tree held something else.
    pub commit: String,
    /// The compiler's own words, such as `rustc 1.95.0 (…)`.
    pub rustc: String,
    /// Cargo's profile; a release takes `dist` alone.
    pub profile: String,
}

const DIRTY: &str = "-dirty";

impl Provenance {
    /// What a build at `root` would be made of now.
    ///
    /// # Errors
    /// When git or rustc fail.
    pub fn of_work_tree(root: &Path, profile: &str) -> Result<Self> {
        let repository = Repository::open(root)?;
        let commit = repository
            .resolve("HEAD^{commit}")?
            .context("the repository has no commit yet")?;
        let suffix = if repository.is_clean()? { "" } else { DIRTY };
        Ok(Self {
            version: env!("CARGO_PKG_VERSION").to_owned(),
            commit: format!("{commit}{suffix}"),
            rustc: command::read_text(Command::new("rustc").arg("--version").current_dir(root))?,
            profile: profile.to_owned(),
        })
    }

    /// Whether the source can't be found again by its commit.
    #[must_use]
    pub fn is_dirty(&self) -> bool {
        self.commit.ends_with(DIRTY)
    }

    /// The file's text.
    #[must_use]
    pub fn to_text(&self) -> String {
        format!(
            "version={}\ncommit={}\nrustc={}\nprofile={}\n",
            self.version, self.commit, self.rustc, self.profile
        )
    }

    /// Reads the file's text: exactly the four lines, in their order.
    ///
    /// # Errors
    /// When anything else is in it.
    pub fn parse(text: &str) -> Result<Self> {
        let lines: Vec<_> = text.lines().map(|line| line.split_once('=')).collect();
        let [
            Some(("version", version)),
            Some(("commit", commit)),
            Some(("rustc", rustc)),
            Some(("profile", profile)),
        ] = lines[..]
        else {
            bail!("`VERSION` is not the four lines `version=`, `commit=`, `rustc=` and `profile=`")
        };
        Ok(Self {
            version: version.to_owned(),
            commit: commit.to_owned(),
            rustc: rustc.to_owned(),
            profile: profile.to_owned(),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn anything_but_the_four_lines_is_refused() {
        for text in [
            "",
            "version=1\ncommit=2\n",
            "version=1\ncommit=2\nrustc=3\n",
            "commit=2\nversion=1\nrustc=3\nprofile=4\n",
            "version=1\ncommit=2\nrustc=3\nprofile=4\nmore=5\n",
        ] {
            assert!(Provenance::parse(text).is_err(), "{text:?}");
        }
    }

    proptest! {
        #[test]
        fn what_was_written_is_read(version in "[0-9.]{1,9}", commit in "[0-9a-f]{40}(-dirty)?", rustc in "rustc [ -~]{0,30}", profile in "[a-z0-9]{1,9}") {
            let provenance = Provenance { version, commit, rustc, profile };
            prop_assert_eq!(Provenance::parse(&provenance.to_text()).unwrap(), provenance);
        }

        #[test]
        fn any_text_is_read_or_refused(text in any::<String>()) {
            let _ = Provenance::parse(&text);
        }
    }
}
