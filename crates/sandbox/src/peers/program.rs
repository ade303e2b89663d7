//! Where the servers' programs are: in the file that `cargo xtask servers` writes and `DEPLOY_ACTIONS_SERVERS` names.

use std::io;
use std::path::{Path, PathBuf};
use std::process::Command;

use rustix::process::geteuid;
use serde_json::Value;

/// `nobody` and `nogroup` of Debian and Ubuntu, for a server that does not run as root.
pub(crate) const NOBODY: u32 = 65534;

/// A program of a server, with the folders of its shared libraries.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Program {
    file: PathBuf,
    libraries: Vec<PathBuf>,
}

/// Whom a server runs as.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum User {
    /// Whoever runs the tests.
    Same,
    /// The same, unless that is root: PostgreSQL
    /// [refuses that](https://www.postgresql.org/docs/15/postgres-user.html).
    NotRoot,
}

/// Whether the tests run as root.
pub(crate) fn is_root() -> bool {
    geteuid().is_root()
}

impl Program {
    /// The program of a server.
    pub(crate) fn of(name: &str) -> io::Result<Self> {
        #[expect(
            clippy::disallowed_methods,
            reason = "the one look at this process's environment"
        )]
        let file = std::env::var_os("DEPLOY_ACTIONS_SERVERS").ok_or_else(|| {
            io::Error::new(
                io::ErrorKind::NotFound,
                "these tests need real servers: run `cargo xtask test`",
            )
        })?;
        let text = std::fs::read_to_string(file)?;
        Self::named(&serde_json::from_str(&text)?, name).ok_or_else(|| {
            io::Error::new(
                io::ErrorKind::NotFound,
                format!("`{name}` is missing on this machine; `cargo xtask servers` says why"),
            )
        })
    }

    fn named(servers: &Value, name: &str) -> Option<Self> {
        let server = servers.get(name)?;
        let libraries = server.get("libraries")?.as_array()?;
        Some(Self {
            file: server.get("program")?.as_str()?.into(),
            libraries: libraries
                .iter()
                .filter_map(|folder| folder.as_str().map(PathBuf::from))
                .collect(),
        })
    }

    /// The folders with what it needs.
    pub(crate) fn libraries(&self) -> &[PathBuf] {
        &self.libraries
    }

    /// Another program of the same package, such as a server's client.
    pub(crate) fn beside(&self, name: &str) -> Self {
        Self {
            file: self.file.with_file_name(name),
            libraries: self.libraries.clone(),
        }
    }

    /// The program, ready to run in a folder, with nothing of this process's environment.
    ///
    /// It is killed when the thread that runs it ends, however that ends:
    /// [setpriv](https://man7.org/linux/man-pages/man1/setpriv.1.html) arranges that and becomes the program.
    pub(crate) fn command(&self, folder: &Path, user: User) -> Command {
        let mut command = Command::new("setpriv");
        command.args(["--pdeathsig", "KILL"]);
        if user == User::NotRoot && is_root() {
            let id = NOBODY.to_string();
            command.args(["--reuid", &id, "--regid", &id, "--clear-groups"]);
            // The checkout may be in a folder that only root can enter; without the bit, access(2) forgets the capability.
            command.args(["--inh-caps", "+dac_override", "--ambient-caps", "+dac_override"]);
            command.args(["--securebits", "+no_setuid_fixup"]);
        }
        command.arg("--").arg(&self.file);
        command
            .env_clear()
            .env("PATH", "/usr/local/bin:/usr/bin:/bin:/usr/sbin:/sbin")
            .env("HOME", folder)
            .env("TMPDIR", folder)
            .env("LC_ALL", "C")
            .current_dir(folder);
        if let Ok(libraries) = std::env::join_paths(&self.libraries)
            && !libraries.is_empty()
        {
            command.env("LD_LIBRARY_PATH", libraries);
        }
        command
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_program_is_found_by_its_name_and_with_its_libraries() {
        let servers = serde_json::json!({
            "redis-server": { "program": "/x/bin/redis-server", "libraries": ["/x/lib"] },
        });
        let redis = Program::named(&servers, "redis-server").unwrap();
        assert_eq!(redis.beside("redis-cli").file, Path::new("/x/bin/redis-cli"));
        assert_eq!(redis.libraries, [Path::new("/x/lib")]);
        assert_eq!(Program::named(&servers, "nginx"), None);
    }
}
