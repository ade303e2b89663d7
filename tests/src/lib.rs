//! The programs under test: found in the staged tree that `cargo xtask test` makes, and run with nothing of this
//! machine's environment, because the tests themselves run inside runners.

use std::path::{Path, PathBuf};
use std::process::Command;

use tempfile::TempDir;

/// The staged tree: laid out as a checkout, with `actions/`, `action.yml` and `dist/<target>/`.
///
/// # Panics
/// When there is none: `cargo xtask test` makes it and says where it is.
#[must_use]
#[expect(
    clippy::disallowed_methods,
    reason = "the one look at this process's environment"
)]
#[expect(clippy::panic, reason = "there is nothing to test")]
pub fn stage() -> PathBuf {
    match std::env::var_os("DEPLOY_ACTIONS_STAGE") {
        Some(stage) => PathBuf::from(stage),
        None => panic!("these tests need the staged programs: run `cargo xtask test`"),
    }
}

/// A built program.
///
/// # Panics
/// When it is not staged.
#[must_use]
#[expect(clippy::panic, reason = "there is nothing to test")]
pub fn program(name: &str) -> PathBuf {
    let dist = stage().join("dist");
    let targets = std::fs::read_dir(&dist)
        .into_iter()
        .flatten()
        .flatten()
        .map(|entry| entry.path());
    match targets
        .map(|target| target.join(name))
        .find(|program| program.is_file())
    {
        Some(program) => program,
        None => panic!("`{name}` is not in `{}`: run `cargo xtask test`", dist.display()),
    }
}

/// A place to run programs in: an empty home and working folder, and no variable but `PATH` and `HOME`.
pub struct Place {
    folder: TempDir,
}

impl Place {
    /// A new, empty place.
    ///
    /// # Panics
    /// When the machine has no room for a temporary folder.
    #[must_use]
    #[expect(clippy::expect_used, reason = "there is nothing to test")]
    pub fn new() -> Self {
        Self {
            folder: tempfile::tempdir().expect("a temporary folder"),
        }
    }

    /// The folder.
    #[must_use]
    pub fn path(&self) -> &Path {
        self.folder.path()
    }

    /// A program, ready to run here.
    #[must_use]
    pub fn command(&self, name: &str) -> Command {
        let mut command = Command::new(program(name));
        command
            .env_clear()
            .env("PATH", "/usr/local/bin:/usr/bin:/bin")
            .env("HOME", self.path())
            .current_dir(self.path());
        command
    }

    /// A program, ready to run here as in a runner: with files for outputs, summary and ledger in this folder, named
    /// `output`, `summary` and `temp/deploy-actions/ledger.jsonl`.
    #[must_use]
    pub fn step(&self, name: &str) -> Command {
        let mut command = self.command(name);
        for (variable, file) in [
            ("GITHUB_OUTPUT", "output"),
            ("GITHUB_STEP_SUMMARY", "summary"),
            ("RUNNER_TEMP", "temp"),
        ] {
            command.env(variable, self.path().join(file));
        }
        command.env("GITHUB_ACTIONS", "true");
        command
    }

    /// A file of this place as text; empty where it was not written.
    #[must_use]
    pub fn read(&self, file: &str) -> String {
        std::fs::read_to_string(self.path().join(file)).unwrap_or_default()
    }
}

impl Default for Place {
    fn default() -> Self {
        Self::new()
    }
}
