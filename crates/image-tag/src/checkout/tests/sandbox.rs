//! Repositories that the real git makes, apart from this machine's configuration and clock.

use std::ffi::OsStr;
use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// A folder that goes away, with any number of repositories in it.
pub(super) struct Sandbox(tempfile::TempDir);

impl Sandbox {
    pub(super) fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    pub(super) fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    /// A repository on `main` with two commits, the first tagged `v1.0.0`.
    pub(super) fn repository(&self, name: &str) -> PathBuf {
        let folder = self.path(name);
        git(self.0.path(), ["init", "--quiet", "--initial-branch=main", name]);
        commit(&folder, "first");
        git(&folder, ["tag", "v1.0.0"]);
        commit(&folder, "second");
        folder
    }

    /// A clone of [`Self::repository()`] as `name`.
    pub(super) fn clone(&self, name: &str, options: &[&str]) -> PathBuf {
        let origin = self.repository(&format!("origin-of-{name}"));
        let url = format!("file://{}", origin.display());
        let target = self.path(name);
        let mut arguments = vec!["clone", "--quiet"];
        arguments.extend(options);
        arguments.extend([url.as_str(), target.to_str().unwrap()]);
        git(self.0.path(), arguments);
        target
    }
}

/// Makes an empty commit.
pub(super) fn commit(folder: &Path, message: &str) {
    git(
        folder,
        ["commit", "--quiet", "--allow-empty", "--message", message],
    );
}

/// Writes a file of the repository itself.
pub(super) fn write(folder: &Path, file: &str, text: impl AsRef<[u8]>) {
    let path = folder.join(".git").join(file);
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(path, text).unwrap();
}

/// What git prints, without the line end; it must succeed.
pub(super) fn git(folder: &Path, arguments: impl IntoIterator<Item = impl AsRef<OsStr>>) -> String {
    try_git(folder, arguments, b"").unwrap()
}

/// What git prints, or complains about.
pub(super) fn try_git(
    folder: &Path,
    arguments: impl IntoIterator<Item = impl AsRef<OsStr>>,
    input: &[u8],
) -> Result<String, String> {
    let mut git = Command::new("git")
        .current_dir(folder)
        .env_clear()
        .env("PATH", "/usr/local/bin:/usr/bin:/bin:/opt/homebrew/bin")
        .env("HOME", "/nonexistent")
        .env("GIT_CONFIG_GLOBAL", "/dev/null")
        .env("GIT_CONFIG_NOSYSTEM", "1")
        .env("GIT_AUTHOR_DATE", "2026-11-22T09:10:11+01:00")
        .env("GIT_COMMITTER_DATE", "2026-11-22T09:10:12+01:00")
        .args(["-c", "user.name=Ann", "-c", "user.email=ann@example.org"])
        .args(["-c", "commit.gpgsign=false", "-c", "tag.gpgsign=false"])
        .args([
            "-c",
            "protocol.file.allow=always",
            "-c",
            "advice.detachedHead=false",
        ])
        .args(arguments)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    git.stdin.take().unwrap().write_all(input).unwrap();
    let done = git.wait_with_output().unwrap();
    let text = |bytes| String::from_utf8_lossy(bytes).trim_end().to_owned();
    if done.status.success() {
        Ok(text(&done.stdout))
    } else {
        Err(text(&done.stderr))
    }
}
