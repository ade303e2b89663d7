//! Packages of npm: those of `xtask/judges`, by the hashes of its lock file and without their scripts, into `target/peers/node`; and from one
//! more, far larger, the one file that is needed: GitHub's description of its API, cut down to what is judged.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context as _, Result, ensure};
use sha2::{Digest as _, Sha512};

use super::{Available, once, system};
use crate::command;

/// The package with GitHub's description (<https://github.com/octokit/openapi>), and the SHA-512 of its archive.
const DESCRIPTION: &str = "@octokit/openapi@23.0.2";
const ARCHIVE: &str = "octokit-openapi-23.0.2.tgz";
const HASH: &str = "a55f0cecbf46636dc0c9b36f4e6a369f28e6a669edebedac444fedaabd192d07\
                    0f4b8967c3bbb979918d9b044d9010b70fb8195db171e401f32d455105718386";

/// The files that say what is installed.
const JUDGES: [&str; 3] = ["package.json", "package-lock.json", "github_spec.cjs"];

/// Node, with the folder of the packages.
pub(super) fn find(root: &Path, programs: &[&str]) -> Result<Available> {
    let node = system::find(root, programs, &["nodejs", "npm"], |_| true)?;
    let packages = Packages {
        folder: root.join("target/peers/node"),
        node: node.clone(),
    };
    packages.install(root)?;
    Ok(Available {
        program: node,
        libraries: vec![packages.folder.join("node_modules")],
    })
}

struct Packages {
    folder: PathBuf,
    node: PathBuf,
}

impl Packages {
    fn install(&self, root: &Path) -> Result<()> {
        let wanted = wanted(root)?;
        let how = "the packages of `xtask/judges` into `target/peers/node` (npm)";
        once(root, &self.folder, &wanted, how, || {
            std::fs::create_dir_all(&self.folder)?;
            for file in JUDGES {
                std::fs::copy(root.join("xtask/judges").join(file), self.folder.join(file))?;
            }
            let quiet = ["--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error"];
            command::read(self.npm()?.arg("ci").args(quiet))?;
            self.describe()
        })
    }

    /// The description, beside the packages.
    fn describe(&self) -> Result<()> {
        command::read(self.npm()?.args(["pack", DESCRIPTION, "--silent"]))?;
        let archive = self.folder.join(ARCHIVE);
        let hash = Sha512::digest(std::fs::read(&archive)?);
        let hash: String = hash.iter().map(|byte| format!("{byte:02x}")).collect();
        ensure!(hash == HASH, "`{DESCRIPTION}` has another hash than it had");
        let mut tar = Command::new("tar");
        tar.args([
            "-xzf",
            ARCHIVE,
            "--strip-components=2",
            "package/generated/api.github.com.json",
        ]);
        command::read(tar.current_dir(&self.folder))?;
        let mut cut = Command::new(&self.node);
        cut.args(["github_spec.cjs", "api.github.com.json", "github.json"]);
        command::read(cut.current_dir(&self.folder))?;
        for file in [ARCHIVE, "api.github.com.json"] {
            std::fs::remove_file(self.folder.join(file))?;
        }
        Ok(())
    }

    fn npm(&self) -> Result<Command> {
        let npm = crate::environment::find_program("npm").context("it takes npm")?;
        let mut command = Command::new(npm);
        command.current_dir(&self.folder);
        Ok(command)
    }
}

/// What is to be installed, as one text.
fn wanted(root: &Path) -> Result<Vec<u8>> {
    let mut wanted = format!("{DESCRIPTION} {HASH}\n").into_bytes();
    for file in JUDGES {
        let path = root.join("xtask/judges").join(file);
        let text = std::fs::read(&path).with_context(|| format!("failed to read `{}`", path.display()))?;
        wanted.extend(text);
    }
    Ok(wanted)
}

#[cfg(test)]
mod tests {
    use serde_json::Value;

    #[test]
    fn every_package_is_pinned_by_hash_and_none_by_an_address() {
        let lock: Value = serde_json::from_str(include_str!("../../judges/package-lock.json")).unwrap();
        let packages = lock["packages"].as_object().unwrap();
        assert!(packages.len() > 4);
        for (name, package) in packages.iter().filter(|(name, _)| !name.is_empty()) {
            assert!(
                package["integrity"].as_str().unwrap().starts_with("sha512-"),
                "{name}"
            );
            assert!(
                package["resolved"].is_null() && package["hasInstallScript"].is_null(),
                "{name}"
            );
        }
    }
}
