//! Programs of the system: what is on `PATH`, else packages that apt-get installs, as root or by `sudo -n`.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context as _, Result, ensure};

use super::lock;
use crate::{command, console, environment};

/// What `timeout` runs: `apt-get update` on a full disk waits for ever for a file that nobody can write.
pub(super) const APT_GET: [&str; 4] = ["--kill-after=10", "300", "apt-get", "--quiet"];

/// The first of these programs that is there and works; their packages are installed where none is.
pub(super) fn find(
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
    install(packages)?;
    find().with_context(|| {
        format!(
            "`{}` does not work although its package is installed",
            programs.join("` or `")
        )
    })
}

/// Whether a C compiler finds the headers that every C library has.
pub(super) fn compiles(compiler: &Path) -> bool {
    let mut check = Command::new(compiler);
    check.args(["-fsyntax-only", "-x", "c", "-"]);
    command::feed(&mut check, b"#include <stdint.h>\n#include <string.h>\n").is_ok()
}

/// Installs packages; a fresh machine has no package lists, or old ones.
pub(super) fn install(packages: &[&str]) -> Result<()> {
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
    command::read(apt_get()?.arg("update"))?;
    install().map(drop)
}

fn apt_get() -> Result<Command> {
    ensure!(
        environment::find_program("apt-get").is_some(),
        "it is installed by apt-get, which this system has not"
    );
    let mut command = if command::read_text(Command::new("id").arg("-u"))? == "0" {
        Command::new("timeout")
    } else {
        let mut sudo = Command::new("sudo");
        sudo.args(["-n", "timeout"]);
        sudo
    };
    command
        .args(APT_GET)
        .args(["-o", "DPkg::Lock::Timeout=120"])
        .env("DEBIAN_FRONTEND", "noninteractive");
    Ok(command)
}
