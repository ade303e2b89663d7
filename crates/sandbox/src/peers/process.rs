//! A server's process: started, waited for until it listens, and ended with all that it started.

use std::fs::OpenOptions;
use std::io;
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Output, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process, kill_process_group};

/// Longer than any server takes to start; only one that hangs reaches it.
const STARTS_WITHIN: Duration = Duration::from_secs(60);
/// Longer than a server takes to end by a signal.
const ENDS_WITHIN: Duration = Duration::from_secs(10);
/// Between two looks at a fact that a server has no other way to tell.
const PAUSE: Duration = Duration::from_millis(10);

/// A server that runs. Dropping it ends the process and its group.
#[derive(Debug)]
pub(crate) struct Process {
    name: String,
    child: Child,
    log: PathBuf,
    parting: Signal,
}

impl Process {
    /// Starts a server and waits until its log, all that it printed, or anything else shows that it listens.
    ///
    /// # Errors
    /// When it can't be started, ends, or does not get ready in a minute; with the end of its log.
    /// [`io::ErrorKind::AddrInUse`] where its log says that its port is taken.
    pub(crate) fn start(
        name: &str,
        mut command: Command,
        folder: &Path,
        mut ready: impl FnMut(&str) -> bool,
    ) -> io::Result<Self> {
        let log = folder.join(format!("{name}.log"));
        let printed = OpenOptions::new().create(true).append(true).open(&log)?;
        // The log of an earlier start in the same place is none of this one's.
        printed.set_len(0)?;
        let child = command
            .stdin(Stdio::null())
            .stdout(printed.try_clone()?)
            .stderr(printed)
            .process_group(0)
            .spawn()?;
        let mut process = Self {
            name: name.to_owned(),
            child,
            log,
            parting: Signal::KILL,
        };
        let until = Instant::now() + STARTS_WITHIN;
        loop {
            let ended = process.child.try_wait()?;
            let log = process.log();
            if let Some(status) = ended {
                return Err(process.failure(&format!("ended with {status}"), &log));
            }
            if ready(&log) {
                return Ok(process);
            }
            if Instant::now() >= until {
                return Err(process.failure("did not get ready", &log));
            }
            pause();
        }
    }

    /// The signal by which it ends when dropped, for a server that leaves something behind when it is killed.
    pub(crate) fn parting(mut self, signal: Signal) -> Self {
        self.parting = signal;
        self
    }

    /// All that it printed so far.
    pub(crate) fn log(&self) -> String {
        let bytes = std::fs::read(&self.log).unwrap_or_default();
        String::from_utf8_lossy(&bytes).into_owned()
    }

    /// Sends a signal to the server's first process.
    pub(crate) fn signal(&self, signal: Signal) -> io::Result<()> {
        Ok(kill_process(self.pid()?, signal)?)
    }

    /// Waits for the end, after a signal.
    ///
    /// # Errors
    /// When it does not end.
    pub(crate) fn ended(&mut self) -> io::Result<ExitStatus> {
        let until = Instant::now() + ENDS_WITHIN;
        loop {
            if let Some(status) = self.child.try_wait()? {
                return Ok(status);
            }
            if Instant::now() >= until {
                return Err(self.failure("did not end", &self.log()));
            }
            pause();
        }
    }

    fn pid(&self) -> io::Result<Pid> {
        i32::try_from(self.child.id())
            .ok()
            .and_then(Pid::from_raw)
            .ok_or_else(|| io::Error::other("no process id"))
    }

    fn failure(&self, what: &str, log: &str) -> io::Error {
        let text = log.to_lowercase();
        let kind = if text.contains("address already in use") {
            io::ErrorKind::AddrInUse
        } else {
            io::ErrorKind::Other
        };
        io::Error::new(kind, format!("{} {what}:\n{}", self.name, tail(log)))
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        let running = matches!(self.child.try_wait(), Ok(None));
        if running && self.parting != Signal::KILL && self.signal(self.parting).is_ok() {
            // One that does not end by its own signal is killed below.
            let _ = self.ended();
        }
        if let Ok(pid) = self.pid() {
            // Nothing is left of the group where the server has ended well.
            let _ = kill_process_group(pid, Signal::KILL);
        }
        let _ = self.child.wait();
    }
}

/// Runs a program of a server to its end.
///
/// # Errors
/// When it can't be started or fails; with what it printed.
pub(crate) fn run(mut command: Command) -> io::Result<Output> {
    let output = command.stdin(Stdio::null()).output()?;
    if output.status.success() {
        return Ok(output);
    }
    let printed = [output.stdout, output.stderr].concat();
    Err(io::Error::other(format!(
        "{command:?} ended with {}:\n{}",
        output.status,
        tail(&String::from_utf8_lossy(&printed))
    )))
}

/// Looks at a fact until it holds.
///
/// # Errors
/// When it does not hold in a minute; `what` names it.
pub(crate) fn wait_until<T>(what: &str, mut look: impl FnMut() -> Option<T>) -> io::Result<T> {
    let until = Instant::now() + STARTS_WITHIN;
    loop {
        if let Some(found) = look() {
            return Ok(found);
        }
        if Instant::now() >= until {
            return Err(io::Error::new(
                io::ErrorKind::TimedOut,
                format!("{what}: it did not come"),
            ));
        }
        pause();
    }
}

#[expect(
    clippy::disallowed_methods,
    reason = "a foreign process tells nobody that it is ready; it is asked again until a deadline"
)]
fn pause() {
    thread::sleep(PAUSE);
}

/// The last lines of a log.
fn tail(log: &str) -> String {
    const LINES: usize = 20;
    let lines: Vec<&str> = log.lines().collect();
    let start = lines.len().saturating_sub(LINES);
    lines.get(start..).unwrap_or_default().join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shell(script: &str) -> Command {
        let mut command = Command::new("sh");
        command.args(["-c", script]);
        command
    }

    fn is_alive(pid: &str) -> bool {
        // A zombie is over too; its parent has not looked yet.
        std::fs::read_to_string(format!("/proc/{pid}/stat")).is_ok_and(|stat| !stat.contains(") Z"))
    }

    #[test]
    fn it_is_ready_when_its_log_says_so_and_ends_with_its_children_when_dropped() {
        let folder = tempfile::tempdir().unwrap();
        let script = "sleep 1000 & echo child=$!; echo listening; wait";
        let ready = |log: &str| log.contains("listening");
        let process = Process::start("server", shell(script), folder.path(), ready).unwrap();
        let log = process.log();
        let child = log.lines().find_map(|line| line.strip_prefix("child=")).unwrap();
        assert!(is_alive(child));
        drop(process);
        wait_until("the end of the child", || (!is_alive(child)).then_some(())).unwrap();
    }

    #[test]
    fn one_that_ends_early_is_an_error_with_its_last_words() {
        let folder = tempfile::tempdir().unwrap();
        let script = "echo the reason >&2; exit 7";
        let error = Process::start("server", shell(script), folder.path(), |_| false).unwrap_err();
        let text = error.to_string();
        assert!(
            text.contains("server ended with exit status: 7:\nthe reason"),
            "{text}"
        );
        assert_eq!(error.kind(), io::ErrorKind::Other);
    }

    #[test]
    fn a_taken_port_is_told_from_other_ends() {
        let folder = tempfile::tempdir().unwrap();
        let script = "echo 'bind() failed (98: Address already in use)'; exit 1";
        let error = Process::start("server", shell(script), folder.path(), |_| false).unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::AddrInUse);
    }

    #[test]
    fn a_parting_signal_lets_it_end_by_itself() {
        let folder = tempfile::tempdir().unwrap();
        let script = "trap 'echo good bye; exit 0' QUIT; echo listening; while :; do sleep 0.01; done";
        let ready = |log: &str| log.contains("listening");
        let process = Process::start("server", shell(script), folder.path(), ready).unwrap();
        drop(process.parting(Signal::QUIT));
        let log = std::fs::read_to_string(folder.path().join("server.log")).unwrap();
        assert!(log.ends_with("good bye\n"), "{log}");
    }
}
