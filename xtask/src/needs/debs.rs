//! Servers from Debian's and Ubuntu's packages, unpacked under `target/peers/debs` and not installed: that takes no root, and
//! no package's script starts a service on the tester's machine.
//!
//! apt-get resolves the packages against an empty system, so that what is unpacked does not depend on what this machine has.
//! Of what they depend on only the shared libraries are taken, and of those not the C library, which belongs to the
//! system's loader. apt-get checks every file by the signed package lists; lists that are missing or old are fetched
//! into the same folder, and the system's stay as they are.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context as _, Result, ensure};

use super::system::APT_GET;
use super::{Available, lock};
use crate::{command, console, environment};

/// A server and where its packages put it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Server {
    /// Its name, and that of its folder.
    pub(super) name: &'static str,
    /// Packages to unpack; of several sets, the first that this system's release knows.
    pub(super) packages: &'static [&'static [&'static str]],
    /// Whether the program loads shared libraries beyond the C library.
    pub(super) libraries: bool,
    /// Where the program is, below the root of a system; a `*` stands for a version.
    pub(super) program: &'static str,
    /// The argument with which it says its version.
    pub(super) version: &'static str,
}

/// Finds the unpacked server, or unpacks it; where neither is possible, what the system has installed.
pub(super) fn find(root: &Path, server: &Server) -> Result<Available> {
    let folder = root.join("target/peers/debs").join(server.name);
    if let Some(found) = unpacked(&folder, server) {
        return Ok(found);
    }
    let _lock = lock(root)?;
    if let Some(found) = unpacked(&folder, server) {
        return Ok(found);
    }
    let Err(error) = unpack(root, &folder, server) else {
        return unpacked(&folder, server).with_context(|| {
            format!(
                "`{}` does not run although its packages are unpacked",
                server.name
            )
        });
    };
    installed(server).ok_or(error)
}

/// What [`unpack`] left, if it was finished and still runs.
fn unpacked(folder: &Path, server: &Server) -> Option<Available> {
    let done = std::fs::read_to_string(folder.join(STAMP)).ok()?;
    if done != stamp(server) {
        return None;
    }
    let system = folder.join("system");
    let found = Available {
        program: below(&system, server.program)?,
        libraries: library_folders(&system),
    };
    runs(&found, server).then_some(found)
}

/// What the system has by itself.
fn installed(server: &Server) -> Option<Available> {
    let program = environment::find_program(server.name).or_else(|| below(Path::new("/"), server.program))?;
    let found = Available {
        program,
        libraries: Vec::new(),
    };
    runs(&found, server).then_some(found)
}

/// Written last, so that an unpacking that broke off is made anew.
const STAMP: &str = "unpacked.txt";

fn stamp(server: &Server) -> String {
    format!("{:?}\n", (server.packages, server.libraries))
}

fn runs(found: &Available, server: &Server) -> bool {
    let mut command = found.command();
    command::read(command.arg(server.version)).is_ok()
}

fn unpack(root: &Path, folder: &Path, server: &Server) -> Result<()> {
    ensure!(
        environment::find_program("apt-get").is_some() && environment::find_program("dpkg-deb").is_some(),
        "it comes as a Debian package, and this system has no apt-get"
    );
    console::line(format!(
        "unpacking {} into `target/peers/debs` (apt-get)",
        server.name
    ));
    if folder.exists() {
        std::fs::remove_dir_all(folder)
            .with_context(|| format!("failed to remove `{}`", folder.display()))?;
    }
    let system = folder.join("system");
    std::fs::create_dir_all(&system).with_context(|| format!("failed to create `{}`", system.display()))?;
    let downloads = tempfile::tempdir_in(folder).context("failed to create a folder for downloads")?;
    let own = Apt::of_our_own(&root.join("target/peers/apt"))?;
    let found = [&Apt::of_system(), &own]
        .iter()
        .any(|apt| apt.download(server, downloads.path()).is_ok());
    if !found {
        // A fresh machine has no package lists, or old ones.
        own.update()?;
        own.download(server, downloads.path())?;
    }
    for entry in downloads
        .path()
        .read_dir()
        .context("failed to read the downloads")?
    {
        let file = entry.context("failed to read the downloads")?.path();
        command::read(Command::new("dpkg-deb").arg("--extract").arg(file).arg(&system))?;
    }
    let done = folder.join(STAMP);
    std::fs::write(&done, stamp(server)).with_context(|| format!("failed to write `{}`", done.display()))
}

/// apt-get with some package lists.
struct Apt {
    options: Vec<String>,
}

impl Apt {
    fn of_system() -> Self {
        Self { options: Vec::new() }
    }

    /// Lists in a folder that needs no root; sources and keys are the system's.
    fn of_our_own(folder: &Path) -> Result<Self> {
        for part in ["lists/partial", "cache/archives/partial"] {
            let part = folder.join(part);
            std::fs::create_dir_all(&part)
                .with_context(|| format!("failed to create `{}`", part.display()))?;
        }
        Ok(Self {
            options: vec![
                format!("Dir::State::Lists={}", folder.join("lists").display()),
                format!("Dir::Cache={}", folder.join("cache").display()),
            ],
        })
    }

    fn command(&self) -> Command {
        let mut command = Command::new("timeout");
        // Its own user for downloads can't write into a checkout.
        command
            .args(APT_GET)
            .args(["-o", "APT::Sandbox::User=root"])
            .env("DEBIAN_FRONTEND", "noninteractive")
            .env("LC_ALL", "C");
        for option in &self.options {
            command.args(["-o", option]);
        }
        command
    }

    fn update(&self) -> Result<()> {
        command::read(self.command().arg("update")).map(drop)
    }

    /// Downloads what a server takes, in the first of its package sets that there is.
    fn download(&self, server: &Server, folder: &Path) -> Result<()> {
        let mut reason = None;
        for packages in server.packages {
            match self.resolve(packages, server.libraries) {
                Ok(names) => {
                    let mut command = self.command();
                    command.current_dir(folder).arg("download").args(names);
                    return command::read(&mut command).map(drop);
                }
                Err(error) => {
                    reason.get_or_insert(error);
                }
            }
        }
        reason.map_or(Ok(()), Err)
    }

    /// The packages, and the libraries that they depend on.
    fn resolve(&self, packages: &[&str], libraries: bool) -> Result<Vec<String>> {
        let printed = command::read_text(
            self.command()
                .args(["-o", "Dir::State::status=/dev/null"])
                .args(["install", "--print-uris", "--yes", "--no-install-recommends"])
                .args(packages),
        )?;
        let mut names: Vec<String> = packages.iter().map(|&name| name.to_owned()).collect();
        if libraries {
            names.extend(
                printed
                    .lines()
                    .filter_map(package_of)
                    .filter(|name| is_library(name) && !packages.contains(name))
                    .map(str::to_owned),
            );
        }
        Ok(names)
    }
}

/// The package in a line of `--print-uris`: `'ADDRESS' NAME_VERSION_ARCHITECTURE.deb SIZE HASH`.
fn package_of(line: &str) -> Option<&str> {
    let file = line.strip_prefix('\'')?.split(' ').nth(1)?;
    file.split_once('_').map(|(name, _)| name)
}

/// Whether a package holds shared libraries that a server may load. The C run time is the system's; the compiler of
/// PostgreSQL's queries (LLVM) is loaded on demand alone and large; scripts of web pages and of Perl are no libraries.
fn is_library(package: &str) -> bool {
    const NOT_OURS: [&str; 11] = [
        "libc-",
        "libc6",
        "libgcc",
        "libstdc++",
        "libllvm",
        "libz3",
        "libjs-",
        "libperl",
        "libpam-",
        "libtirpc",
        "libbpf",
    ];
    (package.starts_with("lib") || package == "zlib1g")
        && !package.ends_with("-perl")
        && !package.ends_with("-bin")
        && !NOT_OURS.iter().any(|start| package.starts_with(start))
}

/// The folders that Debian puts shared libraries in: one for the architecture.
fn library_folders(system: &Path) -> Vec<PathBuf> {
    ["usr/lib", "lib"]
        .iter()
        .flat_map(|lib| entries(&system.join(lib)))
        .filter(|folder| {
            let name = folder.file_name().unwrap_or_default();
            name.to_string_lossy().contains("-linux-gnu")
        })
        .collect()
}

/// The file at a path below a folder; of several that a `*` as a part stands for, the last by name.
fn below(folder: &Path, path: &str) -> Option<PathBuf> {
    let (part, rest) = path
        .split_once('/')
        .map_or((path, None), |(part, rest)| (part, Some(rest)));
    let found = match part {
        "*" => entries(folder),
        name => vec![folder.join(name)],
    };
    found.into_iter().rev().find_map(|found| match rest {
        Some(rest) => below(&found, rest),
        None => found.exists().then_some(found),
    })
}

/// What is in a folder, by name; nothing where there is none.
fn entries(folder: &Path) -> Vec<PathBuf> {
    let read = folder.read_dir().into_iter().flatten().flatten();
    let mut entries: Vec<PathBuf> = read.map(|entry| entry.path()).collect();
    entries.sort();
    entries
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_of_print_uris_names_its_package() {
        let line = "'http://deb.example/pool/r/redis-tools_7.0_amd64.deb' redis-tools_5%3a7.0.15-1_amd64.deb 991988 SHA256:00";
        assert_eq!(package_of(line), Some("redis-tools"));
        for other in ["", "Reading package lists...", "'http://deb.example/x'", "' x"] {
            assert_eq!(package_of(other), None, "{other}");
        }
    }

    #[test]
    fn libraries_are_taken_and_the_c_run_time_is_not() {
        for name in [
            "libssl3",
            "libssl3t64",
            "libpq5",
            "liblzf1",
            "libicu72",
            "libxml2",
        ] {
            assert!(is_library(name), "{name}");
        }
        for name in [
            "libc6",
            "libc-bin",
            "libgcc-s1",
            "libstdc++6",
            "libllvm14",
            "libjs-d3",
            "libjson-perl",
            "libperl5.36",
            "libpam-modules",
            "libcap2-bin",
            "nginx-common",
            "perl",
        ] {
            assert!(!is_library(name), "{name}");
        }
    }

    #[test]
    fn a_star_stands_for_the_newest_version_that_has_the_file() {
        let root = tempfile::tempdir().unwrap();
        for (version, program) in [("14", "postgres"), ("15", "postgres"), ("16", "psql")] {
            let bin = root.path().join("lib").join(version).join("bin");
            std::fs::create_dir_all(&bin).unwrap();
            std::fs::write(bin.join(program), "").unwrap();
        }
        assert_eq!(
            below(root.path(), "lib/*/bin/postgres"),
            Some(root.path().join("lib/15/bin/postgres"))
        );
        assert_eq!(below(root.path(), "lib/*/bin/initdb"), None);
        assert_eq!(below(root.path(), "no/*/such"), None);
    }
}
