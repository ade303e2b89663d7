//! Checks by programs of others: shellcheck, zizmor and cargo-deny, with exactly the strictness that the project promises.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context as _, Result, ensure};

use crate::command;
use crate::environment;
use crate::git::Repository;
use crate::needs::{self, CARGO_DENY, Need, SHELLCHECK, ZIZMOR};

/// What became of a check that did not fail.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// It ran and had nothing to say.
    Passed,
    /// Its program could not be had on this machine; that was said.
    Skipped,
}

fn with(root: &Path, need: Need, check: impl FnOnce(Command) -> Result<()>) -> Result<Outcome> {
    match needs::ensure(root, need) {
        Ok(available) => {
            let mut command = Command::new(available.program);
            command.current_dir(root);
            check(command).map(|()| Outcome::Passed)
        }
        Err(missing) => {
            missing.skip()?;
            Ok(Outcome::Skipped)
        }
    }
}

/// shellcheck on every script: `dist/*.sh` and `.ci/run`.
///
/// # Errors
/// When it finds something, or with `CI=true` when it can't be had.
pub fn shellcheck(root: &Path) -> Result<Outcome> {
    let mut scripts = Vec::new();
    for entry in root.join("dist").read_dir().context("failed to read `dist`")? {
        let path = entry?.path();
        if path.extension().is_some_and(|extension| extension == "sh") {
            scripts.push(path);
        }
    }
    ensure!(!scripts.is_empty(), "`dist` has no script to check");
    scripts.extend(Some(root.join(".ci/run")).filter(|script| script.is_file()));
    scripts.sort();
    with(root, SHELLCHECK, |mut command| {
        command::run(command.args(["--severity=style", "--enable=all"]).args(&scripts))
    })
}

/// zizmor on the workflows and actions of a tree, with its strictest persona and without the network.
///
/// # Errors
/// When it finds something, or with `CI=true` when it can't be had.
pub fn zizmor(root: &Path, tree: &Path) -> Result<Outcome> {
    let mut files: Vec<PathBuf> = [".github/workflows", "actions"]
        .iter()
        .map(|folder| tree.join(folder))
        .filter(|folder| folder.is_dir())
        .collect();
    let dependabot = tree.join(".github/dependabot.yml");
    files.extend(Some(dependabot).filter(|file| file.is_file()));
    files.extend(Some(tree.join("action.yml")).filter(|file| file.is_file()));
    // In a release tree the tools' folders are at the top.
    for entry in tree
        .read_dir()
        .with_context(|| format!("failed to read `{}`", tree.display()))?
    {
        let action = entry?.path().join("action.yml");
        files.extend(Some(action).filter(|file| file.is_file()));
    }
    ensure!(
        !files.is_empty(),
        "`{}` has no workflow and no action to check",
        tree.display()
    );
    with(root, ZIZMOR, |mut command| {
        command.args([
            "--offline",
            "--no-progress",
            "--quiet",
            "--persona",
            "auditor",
            "--strict-collection",
        ]);
        command::run(command.args(&files))
    })
}

/// [`zizmor`] on the tree of a git ref.
///
/// # Errors
/// As [`zizmor`], and when there is no such ref.
pub fn zizmor_ref(root: &Path, repository: &Path, reference: &str) -> Result<Outcome> {
    let scratch = tempfile::tempdir().context("failed to create a scratch folder")?;
    Repository::open(repository)?.extract(reference, scratch.path())?;
    zizmor(root, scratch.path())
}

/// cargo-deny on bans, licences and sources; advisories take the network and are CI's own job.
///
/// # Errors
/// When it finds something, or with `CI=true` when it can't be had.
pub fn deny(root: &Path) -> Result<Outcome> {
    with(root, CARGO_DENY, |mut command| {
        // It looks at the crates of every platform, and a build has only fetched this one's.
        command::read(environment::cargo(root).args(["fetch", "--locked"]))?;
        command.args([
            "--offline",
            "--locked",
            "--log-level",
            "warn",
            "check",
            "--hide-inclusion-graph",
        ]);
        command::run(command.args(["bans", "licenses", "sources"]))
    })
}

/// cargo-deny on advisories: fetches the advisory database, so it needs the network.
///
/// # Errors
/// As [`deny`].
pub fn advisories(root: &Path) -> Result<Outcome> {
    with(root, CARGO_DENY, |mut command| {
        command::run(command.args(["--locked", "check", "advisories"]))
    })
}
