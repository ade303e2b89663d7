//! A command to measure, ours or a peer's. It gets an environment of its own, so that neither a runner's variables nor
//! a person's settings change what is measured.

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context as _, Result};

/// Whose command it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Owner {
    /// One of our tools.
    Ours,
    /// A program to compare with, by the short name that ratios carry.
    Peer(&'static str),
}

/// A command to run again and again.
#[derive(Debug, Clone)]
pub struct Subject {
    /// What a reader calls it, such as `curl --version`.
    pub name: String,
    /// Whose it is.
    pub owner: Owner,
    program: PathBuf,
    arguments: Vec<OsString>,
    environment: Vec<(String, OsString)>,
    fresh: Vec<(PathBuf, Vec<u8>)>,
}

impl Subject {
    /// A tool of ours.
    #[must_use]
    pub fn ours(name: impl Into<String>, program: &Path, arguments: &[&str]) -> Self {
        Self::new(name.into(), Owner::Ours, program, arguments)
    }

    /// A peer.
    #[must_use]
    pub fn peer(short: &'static str, name: impl Into<String>, program: &Path, arguments: &[&str]) -> Self {
        Self::new(name.into(), Owner::Peer(short), program, arguments)
    }

    fn new(name: String, owner: Owner, program: &Path, arguments: &[&str]) -> Self {
        Self {
            name,
            owner,
            program: program.to_owned(),
            arguments: arguments.iter().map(OsString::from).collect(),
            environment: Vec::new(),
            fresh: Vec::new(),
        }
    }

    /// Adds an argument.
    #[must_use]
    pub fn arg(mut self, argument: impl Into<OsString>) -> Self {
        self.arguments.push(argument.into());
        self
    }

    /// Adds a variable to the environment, which is otherwise empty.
    #[must_use]
    pub fn env(mut self, name: impl Into<String>, value: impl Into<OsString>) -> Self {
        self.environment.push((name.into(), value.into()));
        self
    }

    /// A file that holds this before every run: what a run appends must not make the next one's work larger.
    #[must_use]
    pub fn with_file(mut self, path: &Path, content: &[u8]) -> Self {
        self.fresh.push((path.to_owned(), content.to_owned()));
        self
    }

    /// Puts the files that a run reads or appends to back to what they were.
    ///
    /// # Errors
    /// When one can't be written.
    pub fn prepare(&self) -> Result<()> {
        for (path, content) in &self.fresh {
            std::fs::write(path, content).with_context(|| format!("failed to write `{}`", path.display()))?;
        }
        Ok(())
    }

    /// The command, with nothing on standard input.
    #[must_use]
    pub fn command(&self) -> Command {
        self.environed(Command::new(&self.program), &[])
    }

    /// The command as words behind another program's, with this subject's environment.
    #[must_use]
    pub fn command_behind(&self, program: &Path, words: &[&str]) -> Command {
        let mut behind: Vec<OsString> = words.iter().map(OsString::from).collect();
        behind.push(self.program.clone().into());
        self.environed(Command::new(program), &behind)
    }

    fn environed(&self, mut command: Command, before: &[OsString]) -> Command {
        command
            .args(before)
            .args(&self.arguments)
            .env_clear()
            .envs(self.environment.iter().map(|(name, value)| (name, value)))
            .stdin(Stdio::null());
        command
    }
}
