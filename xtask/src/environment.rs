//! The environment of this program, read in this file only.

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context as _, Result};

#[expect(
    clippy::disallowed_methods,
    reason = "the build tool runs outside a runner; this is its only look"
)]
fn read(name: &str) -> Option<OsString> {
    std::env::var_os(name).filter(|value| !value.is_empty())
}

/// Whether a missing peer is an error: `CI=true`, which
/// [GitHub sets always](https://docs.github.com/actions/reference/workflows-and-actions/variables).
#[must_use]
pub fn in_ci() -> bool {
    read("CI").is_some_and(|value| value == "true")
}

/// The root of the workspace that this program was started in by cargo.
///
/// # Errors
/// When it was started neither by cargo nor from the root.
pub fn workspace_root() -> Result<PathBuf> {
    let root = match read("CARGO_MANIFEST_DIR") {
        Some(manifest) => PathBuf::from(manifest).join(".."),
        None => PathBuf::from("."),
    };
    let root = root.canonicalize().context("failed to find the workspace")?;
    anyhow::ensure!(
        root.join("actions").is_dir() && root.join("Cargo.toml").is_file(),
        "no workspace of this project at `{}`: run `cargo xtask` inside it",
        root.display()
    );
    Ok(root)
}

/// Where cargo keeps downloaded sources, so that their paths can be kept out of binaries.
#[must_use]
pub fn cargo_home() -> Option<PathBuf> {
    read("CARGO_HOME")
        .map(PathBuf::from)
        .or_else(|| read("HOME").map(|home| Path::new(&home).join(".cargo")))
}

/// A cargo of its own: without the variables that the cargo which runs this program has set for it, because build scripts
/// that look at them would run again every other time.
#[must_use]
#[expect(
    clippy::disallowed_methods,
    reason = "names alone are looked at, to leave them out"
)]
pub fn cargo(root: &Path) -> Command {
    let mut cargo = Command::new("cargo");
    cargo.current_dir(root);
    for (name, _) in std::env::vars_os() {
        let text = name.to_string_lossy();
        let of_package = [
            "CARGO_PKG_",
            "CARGO_MANIFEST_",
            "CARGO_BIN_",
            "CARGO_CRATE_",
            "CARGO_PRIMARY_",
        ];
        if of_package.iter().any(|start| text.starts_with(start))
            || matches!(&*text, "OUT_DIR" | "CARGO_RUSTC_CURRENT_DIR")
        {
            cargo.env_remove(&name);
        }
    }
    cargo
}

/// The first program of this name on `PATH`.
#[must_use]
pub fn find_program(name: &str) -> Option<PathBuf> {
    let path = read("PATH")?;
    std::env::split_paths(&path)
        .map(|folder| folder.join(name))
        .find(|file| is_executable(file))
}

/// A program to compare with: the one that `DEPLOY_ACTIONS_BENCH_<NAME>` names, which a script in front of it does not slow
/// down, or the first on `PATH`.
#[must_use]
pub fn find_peer(name: &str) -> Option<PathBuf> {
    let variable = format!("DEPLOY_ACTIONS_BENCH_{}", name.to_ascii_uppercase());
    let named = read(&variable).map(PathBuf::from);
    named
        .filter(|file| is_executable(file))
        .or_else(|| find_program(name))
}

#[cfg(unix)]
fn is_executable(file: &Path) -> bool {
    use std::os::unix::fs::PermissionsExt as _;
    file.metadata()
        .is_ok_and(|meta| meta.is_file() && meta.permissions().mode() & 0o111 != 0)
}

#[cfg(not(unix))]
fn is_executable(file: &Path) -> bool {
    file.is_file()
}
