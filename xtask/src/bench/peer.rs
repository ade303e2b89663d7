//! Programs that people would otherwise use, as they are on this machine. One that is missing is named and left out.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Result, ensure};

use crate::{command, console, environment};

/// The peers of this machine.
#[derive(Debug, Default)]
pub struct Peers {
    /// The system's shell.
    pub sh: Option<PathBuf>,
    /// curl.
    pub curl: Option<PathBuf>,
    /// Python 3.
    pub python3: Option<PathBuf>,
    /// Node.js, on which most actions run.
    pub node: Option<PathBuf>,
    /// The bundle of docker/metadata-action, which Node.js runs.
    pub metadata_action: Option<PathBuf>,
}

impl Peers {
    /// Looks for each on `PATH`, and says which are skipped. A bundle of docker/metadata-action is only had by its path.
    ///
    /// # Errors
    /// When there is no file at that path.
    pub fn find(metadata_action: Option<&Path>) -> Result<Self> {
        let or_skip = |name: &str, program: Option<PathBuf>| {
            if program.is_none() {
                console::line(format!("skipped: {name}"));
            }
            program
        };
        if let Some(bundle) = metadata_action {
            ensure!(bundle.is_file(), "there is no file `{}`", bundle.display());
        }
        let metadata_action = metadata_action.map(std::path::absolute).transpose()?;
        let metadata_action = or_skip(
            "docker/metadata-action (name it by --metadata-action)",
            metadata_action,
        );
        let python3 = ["python3", "-c", "import sys; print(sys.executable)"];
        Ok(Self {
            sh: or_skip("sh", environment::find_program("sh")),
            curl: or_skip("curl", environment::find_program("curl")),
            python3: or_skip("python3", itself(python3)),
            node: or_skip("node", itself(["node", "-p", "process.execPath"])),
            metadata_action,
        })
    }
}

/// A version manager puts a script in front of the program, and a peer is not to be charged for it: the program itself
/// says where it is.
fn itself([name, flag, asks]: [&str; 3]) -> Option<PathBuf> {
    let first = environment::find_program(name)?;
    let said = command::read_text(Command::new(first).args([flag, asks])).ok()?;
    Some(PathBuf::from(said)).filter(|path| path.is_absolute() && path.is_file())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_program_is_where_it_says_that_it_is() {
        assert_eq!(
            itself(["sh", "-c", "echo /bin/sh"]).as_deref(),
            Some(Path::new("/bin/sh"))
        );
        for says in ["echo sh", "echo /no/such/file", "exit 1", "echo"] {
            assert_eq!(itself(["sh", "-c", says]), None, "{says}");
        }
        assert_eq!(itself(["no-such-program-here", "-c", "echo /bin/sh"]), None);
    }
}
