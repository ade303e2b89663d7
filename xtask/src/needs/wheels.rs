//! Python wheels of `xtask/peers.txt`: one virtual environment under `target/peers/wheels`, all of them or none.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context as _, Result, bail, ensure};

use super::{once, system};
use crate::{command, console, environment};

/// A program that a wheel brings.
pub(super) fn find(root: &Path, program: &str) -> Result<PathBuf> {
    let wheels = Wheels::at(root);
    wheels.install(root)?;
    let file = wheels.folder.join("bin").join(program);
    ensure!(file.is_file(), "`xtask/peers.txt` has no wheel that brings it");
    Ok(file)
}

struct Wheels {
    folder: PathBuf,
    requirements: PathBuf,
}

impl Wheels {
    fn at(root: &Path) -> Self {
        Self {
            folder: root.join("target/peers/wheels"),
            requirements: root.join("xtask/peers.txt"),
        }
    }

    fn install(&self, root: &Path) -> Result<()> {
        let wanted = std::fs::read(&self.requirements)
            .with_context(|| format!("failed to read `{}`", self.requirements.display()))?;
        let how = "the wheels of `xtask/peers.txt` into `target/peers/wheels` (pip)";
        once(root, &self.folder, &wanted, how, || {
            self.create()?;
            command::read(
                Command::new(self.folder.join("bin/python"))
                    .args([
                        "-m",
                        "pip",
                        "install",
                        "--quiet",
                        "--disable-pip-version-check",
                        "--no-input",
                    ])
                    .args([
                        "--require-hashes",
                        "--only-binary",
                        ":all:",
                        "--no-deps",
                        "--requirement",
                    ])
                    .arg(&self.requirements),
            )
            .map(drop)
        })
    }

    fn create(&self) -> Result<()> {
        let Some(python) = environment::find_program("python3") else {
            bail!("it takes Python 3")
        };
        let make = || command::read(Command::new(&python).args(["-m", "venv"]).arg(&self.folder));
        let Err(first) = make() else { return Ok(()) };
        // Debian and Ubuntu keep the module apart from their Python.
        console::line("installing python3-venv (apt-get)");
        if system::install(&["python3-venv"]).is_err() {
            return Err(first);
        }
        make().map(drop)
    }
}

#[cfg(test)]
mod tests {
    #[test]
    fn every_wheel_is_pinned_by_version_and_hash() {
        let text = include_str!("../../peers.txt").replace("\\\n", " ");
        let lines: Vec<_> = text
            .lines()
            .filter(|line| !line.starts_with('#') && !line.trim().is_empty())
            .collect();
        assert!(lines.len() >= 4);
        for line in lines {
            assert!(line.contains("==") && line.contains("--hash=sha256:"), "{line}");
        }
    }
}
