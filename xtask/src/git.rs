//! Git by its plumbing: objects, trees and refs. No work tree and no index of anybody is read or written, except where a
//! function says so.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context as _, Result, bail};

use crate::command;

/// The mode of a plain file.
pub const FILE: &str = "100644";
/// The mode of a program.
pub const EXECUTABLE: &str = "100755";
/// The mode of a symbolic link.
pub const SYMLINK: &str = "120000";
/// The mode of a submodule.
pub const SUBMODULE: &str = "160000";

/// One file of a tree.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// One of the modes above.
    pub mode: String,
    /// The object's id.
    pub id: String,
    /// From the tree's root, with `/`.
    pub path: String,
}

/// A repository by the folder it is in.
#[derive(Debug, Clone)]
pub struct Repository {
    folder: PathBuf,
}

impl Repository {
    /// The repository that `folder` belongs to.
    ///
    /// # Errors
    /// When there is none.
    pub fn open(folder: &Path) -> Result<Self> {
        let repository = Self {
            folder: folder.to_owned(),
        };
        command::read(repository.git().args(["rev-parse", "--git-dir"]))
            .with_context(|| format!("`{}` is in no git repository", folder.display()))?;
        Ok(repository)
    }

    fn git(&self) -> Command {
        let mut git = Command::new("git");
        git.arg("-C").arg(&self.folder);
        // A hook's environment would point at another repository or index.
        for name in [
            "GIT_DIR",
            "GIT_INDEX_FILE",
            "GIT_WORK_TREE",
            "GIT_OBJECT_DIRECTORY",
            "GIT_PREFIX",
        ] {
            git.env_remove(name);
        }
        git
    }

    /// The id that a name stands for, if any.
    ///
    /// # Errors
    /// When git can't be run.
    pub fn resolve(&self, name: &str) -> Result<Option<String>> {
        let output = self
            .git()
            .args(["rev-parse", "--verify", "--quiet", "--end-of-options", name])
            .stdin(Stdio::null())
            .output()
            .context("failed to start `git`")?;
        if !output.status.success() {
            return Ok(None);
        }
        Ok(Some(String::from_utf8(output.stdout)?.trim().to_owned()))
    }

    /// Whether the work tree holds exactly what is committed, ignored files aside.
    ///
    /// # Errors
    /// When git fails.
    pub fn is_clean(&self) -> Result<bool> {
        Ok(command::read(
            self.git()
                .args(["status", "--porcelain", "--untracked-files=normal"]),
        )?
        .is_empty())
    }

    /// Every file of a tree, by path.
    ///
    /// # Errors
    /// When `tree` names none.
    pub fn list(&self, tree: &str) -> Result<Vec<Entry>> {
        let listing =
            command::read(
                self.git()
                    .args(["ls-tree", "-r", "-z", "--full-tree", "--end-of-options", tree]),
            )?;
        let listing = String::from_utf8(listing).context("a path in the tree is no valid UTF-8")?;
        listing.split_terminator('\0').map(parse_entry).collect()
    }

    /// The content of a file object.
    ///
    /// # Errors
    /// When there is no such object.
    pub fn blob(&self, id: &str) -> Result<Vec<u8>> {
        command::read(self.git().args(["cat-file", "blob", id]))
    }

    /// Stores a file's content and returns its id.
    ///
    /// # Errors
    /// When git fails.
    pub fn write_blob(&self, content: &[u8]) -> Result<String> {
        trimmed(command::feed(
            self.git().args(["hash-object", "-w", "--stdin"]),
            content,
        )?)
    }

    /// Stores a tree of files by way of a scratch index and returns its id.
    ///
    /// # Errors
    /// When git fails.
    pub fn write_tree(&self, entries: &[Entry]) -> Result<String> {
        let scratch = tempfile::tempdir().context("failed to create a scratch folder")?;
        let index = scratch.path().join("index");
        let lines: String = entries
            .iter()
            .map(|entry| format!("{} {}\t{}\0", entry.mode, entry.id, entry.path))
            .collect();
        let update = ["update-index", "-z", "--index-info"];
        command::feed(
            self.git().args(update).env("GIT_INDEX_FILE", &index),
            lines.as_bytes(),
        )?;
        command::read_text(self.git().arg("write-tree").env("GIT_INDEX_FILE", &index))
    }

    /// Stores the files of a folder, as its `.gitignore` allows, as a commit that no ref names. The folder and its own
    /// repository, if it has one, are only read.
    ///
    /// # Errors
    /// When git fails.
    pub fn commit_folder(&self, folder: &Path, message: &str) -> Result<String> {
        let scratch = tempfile::tempdir().context("failed to create a scratch folder")?;
        let index = scratch.path().join("index");
        let git_dir = command::read_text(self.git().args(["rev-parse", "--absolute-git-dir"]))?;
        let add = [
            "-c",
            "core.bare=false",
            "-c",
            "core.safecrlf=false",
            "add",
            "--all",
            ".",
        ];
        let mut git = self.git();
        git.arg("-C")
            .arg(folder)
            .arg("--git-dir")
            .arg(git_dir)
            .arg("--work-tree")
            .arg(folder)
            .args(add);
        command::read(git.env("GIT_INDEX_FILE", &index))?;
        let tree = command::read_text(self.git().arg("write-tree").env("GIT_INDEX_FILE", &index))?;
        self.commit(&tree, &[], "@0 +0000", message)
    }

    /// When a commit was made, in git's own form.
    ///
    /// # Errors
    /// When `commit` names none.
    pub fn date(&self, commit: &str) -> Result<String> {
        let format = ["show", "--no-patch", "--format=@%ct +0000", "--end-of-options"];
        command::read_text(self.git().args(format).arg(commit))
    }

    /// Stores a commit and returns its id. The same arguments give the same id on every machine.
    ///
    /// # Errors
    /// When git fails.
    pub fn commit(&self, tree: &str, parents: &[String], date: &str, message: &str) -> Result<String> {
        const NAME: &str = "deploy-actions release";
        const ADDRESS: &str = "release@deploy-actions.invalid";
        let mut git = self.git();
        git.args(["-c", "commit.gpgSign=false", "commit-tree", tree]);
        for parent in parents {
            git.args(["-p", parent]);
        }
        for role in ["AUTHOR", "COMMITTER"] {
            git.env(format!("GIT_{role}_NAME"), NAME);
            git.env(format!("GIT_{role}_EMAIL"), ADDRESS);
            git.env(format!("GIT_{role}_DATE"), date);
        }
        trimmed(command::feed(&mut git, message.as_bytes())?)
    }

    /// Creates or moves refs, all or none. Each is given with what it must be before; `None` means that it must not exist.
    ///
    /// # Errors
    /// When a ref is not as expected.
    pub fn update_refs(&self, updates: &[(&str, &str, Option<&str>)]) -> Result<()> {
        let none = "0".repeat(40);
        let lines: String = updates
            .iter()
            .map(|(name, new, old)| format!("update {name} {new} {}\n", old.unwrap_or(&none)))
            .collect();
        command::feed(self.git().args(["update-ref", "--stdin"]), lines.as_bytes()).map(drop)
    }

    /// Writes every file of a tree under `folder`, with its mode, as an action's download would.
    ///
    /// # Errors
    /// When a file is neither plain nor a program, or can't be written.
    pub fn extract(&self, tree: &str, folder: &Path) -> Result<()> {
        for entry in self.list(tree)? {
            let file = folder.join(&entry.path);
            if !matches!(entry.mode.as_str(), FILE | EXECUTABLE) {
                bail!("`{}` has mode {} and is no file", entry.path, entry.mode);
            }
            if let Some(parent) = file.parent() {
                std::fs::create_dir_all(parent)?;
            }
            std::fs::write(&file, self.blob(&entry.id)?)
                .with_context(|| format!("failed to write `{}`", file.display()))?;
            if entry.mode == EXECUTABLE {
                make_executable(&file)?;
            }
        }
        Ok(())
    }

    /// A running `git archive` of a tree, whose standard output is the tar.
    ///
    /// # Errors
    /// When git can't be started.
    pub fn archive(&self, tree: &str) -> Result<std::process::Child> {
        self.git()
            .args([
                "archive",
                "--format=tar",
                "--prefix=deploy-actions/",
                "--end-of-options",
                tree,
            ])
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .spawn()
            .context("failed to start `git archive`")
    }
}

/// Gives everybody the right to run a file.
///
/// # Errors
/// When its mode can't be set.
pub fn make_executable(file: &Path) -> Result<()> {
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        std::fs::set_permissions(file, std::fs::Permissions::from_mode(0o755))
            .with_context(|| format!("failed to make `{}` executable", file.display()))?;
    }
    #[cfg(not(unix))]
    let _ = file;
    Ok(())
}

fn parse_entry(line: &str) -> Result<Entry> {
    let (head, path) = line
        .split_once('\t')
        .context("`git ls-tree` printed a line without a path")?;
    let [mode, _kind, id] = head.split(' ').collect::<Vec<_>>()[..] else {
        bail!("`git ls-tree` printed `{head}`, which is no mode, kind and id")
    };
    Ok(Entry {
        mode: mode.to_owned(),
        id: id.to_owned(),
        path: path.to_owned(),
    })
}

fn trimmed(output: Vec<u8>) -> Result<String> {
    Ok(String::from_utf8(output)?.trim().to_owned())
}
