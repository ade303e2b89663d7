//! Turns a `run:` into a program with arguments: which shell, with which flags, on which file.
//!
//! The flags are those of `ScriptHandlerHelpers.cs` in actions/runner. Shells with quoted arguments, PowerShell and
//! cmd are not there.

use std::fs;
use std::io;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

use uuid::Uuid;

/// A script on disk and what runs it.
#[derive(Debug)]
pub(crate) struct Launch {
    pub(crate) program: PathBuf,
    pub(crate) args: Vec<String>,
    /// As the log shows it, with `{0}` for the file.
    pub(crate) shown: String,
}

/// Prepares `script` for the shell named by `shell:`, looked for on `search`.
pub(crate) fn prepare(
    script: &str,
    shell: Option<&str>,
    search: &str,
    temp: &Path,
) -> Result<Launch, String> {
    let shell = shell.map(str::trim).filter(|shell| !shell.is_empty());
    let (program, flags) = match shell {
        // Nothing said: bash without pipefail, or sh where there is no bash.
        None => {
            let bash = find("bash", search);
            (
                bash.or_else(|| find("sh", search))
                    .ok_or("sh: command not found")?,
                "-e {0}",
            )
        }
        Some(shell) => {
            let (name, given) = shell.split_once(' ').unwrap_or((shell, ""));
            let flags = if given.trim().is_empty() {
                flags(name)
            } else {
                given.trim()
            };
            (
                find(name, search).ok_or_else(|| format!("{name}: command not found"))?,
                flags,
            )
        }
    };
    if !flags.contains("{0}") {
        return Err(
            "Invalid shell option. Shell must be a valid built-in (bash, sh, cmd, powershell, pwsh) or a \
                    format string containing '{0}'"
                .to_owned(),
        );
    }
    let file = write(script, shell, temp).map_err(|error| format!("failed to write the script: {error}"))?;
    let path = file.to_string_lossy();
    Ok(Launch {
        args: flags
            .split_whitespace()
            .map(|flag| flag.replace("{0}", &path))
            .collect(),
        shown: format!("{} {flags}", program.display()),
        program,
    })
}

/// The first executable file of that name on a search path.
pub(crate) fn find(name: &str, search: &str) -> Option<PathBuf> {
    let is_program = |path: &PathBuf| {
        fs::metadata(path).is_ok_and(|data| data.is_file() && data.permissions().mode() & 0o111 != 0)
    };
    if name.contains('/') {
        return Some(PathBuf::from(name)).filter(is_program);
    }
    search
        .split(':')
        .filter(|folder| !folder.is_empty())
        .map(|folder| Path::new(folder).join(name))
        .find(is_program)
}

fn flags(name: &str) -> &'static str {
    match name {
        "bash" => "--noprofile --norc -e -o pipefail {0}",
        "sh" => "-e {0}",
        "python" => "{0}",
        _ => "",
    }
}

fn write(script: &str, shell: Option<&str>, temp: &Path) -> io::Result<PathBuf> {
    let extension = if shell.is_some_and(|shell| shell.starts_with("python")) {
        "py"
    } else {
        "sh"
    };
    let file = temp.join(format!("{}.{extension}", Uuid::new_v4()));
    fs::write(&file, script)?;
    Ok(file)
}

#[cfg(test)]
mod tests {
    use super::*;

    const SEARCH: &str = "/usr/local/bin:/usr/bin:/bin";

    #[test]
    fn shells() {
        let temp = tempfile::tempdir().unwrap();
        let table = [
            (None, "bash -e {0}"),
            (Some(""), "bash -e {0}"),
            (Some("bash"), "bash --noprofile --norc -e -o pipefail {0}"),
            (Some("sh"), "sh -e {0}"),
            (Some("bash -u {0} last"), "bash -u {0} last"),
        ];
        for (shell, expected) in table {
            let launch = prepare("echo", shell, SEARCH, temp.path()).unwrap();
            assert!(
                launch.shown.ends_with(&format!("/{expected}")),
                "{shell:?}: {}",
                launch.shown
            );
            let scripts = launch.args.iter().filter(|arg| Path::new(arg).is_file()).count();
            assert_eq!(scripts, 1, "{:?}", launch.args);
        }
        let refused = [
            ("bash -u", "Invalid shell option"),
            ("env", "Invalid shell"),
            ("nope-nope", "not found"),
        ];
        for (shell, expected) in refused {
            let error = prepare("echo", Some(shell), SEARCH, temp.path()).unwrap_err();
            assert!(error.contains(expected), "{shell}: {error}");
        }
        let bare = temp.path().join("bin");
        fs::create_dir(&bare).unwrap();
        std::os::unix::fs::symlink("/bin/sh", bare.join("sh")).unwrap();
        let launch = prepare("echo", None, &bare.to_string_lossy(), temp.path()).unwrap();
        assert!(launch.program.ends_with("sh"), "{}", launch.shown);
    }
}
