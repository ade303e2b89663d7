//! [kubectl](https://kubernetes.io/docs/reference/kubectl/), Kubernetes' own command line: it judges the stand-in by working with it.

use std::io::{self, Write as _};
use std::path::PathBuf;
use std::process::{Command, Stdio};

use super::place::Place;
use super::process::Process;
use super::program::{Program, User};

/// The command with the kubeconfig of a cluster.
#[derive(Debug)]
pub struct Kubectl {
    program: Program,
    folder: PathBuf,
}

/// What it said.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Said {
    /// Its exit code; -1 for none.
    pub code: i32,
    /// What it printed.
    pub out: String,
    /// What it printed as errors and warnings.
    pub err: String,
}

/// A port-forward under way.
#[derive(Debug)]
pub struct Forwarded {
    /// The port of loopback.
    pub port: u16,
    _process: Process,
}

impl Kubectl {
    /// The command for whom a kubeconfig is for, whose text is written into the place.
    ///
    /// # Errors
    /// When it is not there, or the file can't be written.
    pub fn new(place: &Place, kubeconfig: &str) -> io::Result<Self> {
        std::fs::write(place.path().join(CONFIG), kubeconfig)?;
        Ok(Self {
            program: Program::of("python")?.beside("kubectl"),
            folder: place.path().to_owned(),
        })
    }

    /// Runs it with words.
    ///
    /// # Errors
    /// When it does not run.
    pub fn run(&self, words: &[&str]) -> io::Result<Said> {
        self.run_with(words, "")
    }

    /// Runs it with words and an input, which `-f -` reads.
    ///
    /// # Errors
    /// When it does not run.
    pub fn run_with(&self, words: &[&str], input: &str) -> io::Result<Said> {
        let mut command = self.command(words);
        command
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        let mut child = command.spawn()?;
        if let Some(mut stdin) = child.stdin.take() {
            // One that does not read its input may be gone already.
            let _ = stdin.write_all(input.as_bytes());
        }
        let output = child.wait_with_output()?;
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        Ok(Said {
            code: output.status.code().unwrap_or(-1),
            out: text(&output.stdout),
            err: text(&output.stderr),
        })
    }

    /// Forwards a port of its choice to a port of what is named, until the value is dropped.
    ///
    /// # Errors
    /// When it does not come to that.
    pub fn forward(&self, place: &Place, what: &str, port: u16) -> io::Result<Forwarded> {
        let ports = format!(":{port}");
        let command = self.command(&["port-forward", what, &ports]);
        let ready = |log: &str| forwarded(log).is_some();
        let process = Process::start("port-forward", command, place.path(), ready)?;
        let port = forwarded(&process.log())
            .ok_or_else(|| io::Error::other("`kubectl port-forward` named no port"))?;
        Ok(Forwarded {
            port,
            _process: process,
        })
    }

    fn command(&self, words: &[&str]) -> Command {
        let mut command = self.program.command(&self.folder, User::Same);
        command
            .env("KUBECONFIG", self.folder.join(CONFIG))
            .env("KUBECACHEDIR", self.folder.join("cache"))
            .args(words);
        command
    }
}

const CONFIG: &str = "kubeconfig";

/// The port in `Forwarding from 127.0.0.1:41234 -> 8080`.
fn forwarded(log: &str) -> Option<u16> {
    let from = log.split("Forwarding from 127.0.0.1:").nth(1)?;
    from.split(' ').next()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_port_is_the_one_that_is_listened_on() {
        assert_eq!(
            forwarded("Forwarding from 127.0.0.1:41234 -> 8080\n"),
            Some(41234)
        );
        assert_eq!(forwarded("error: no"), None);
    }
}
