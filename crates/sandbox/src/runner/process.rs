//! One step's entry process: its lines as they come, its end, and the signals of a cancel.
//!
//! Signals go to the entry process alone, never to its group, as the runner does it.

use std::io::{self, BufReader, Read};
use std::os::unix::process::ExitStatusExt as _;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::thread;
use std::time::Instant;

use rustix::process::{Pid, Signal, WaitId, WaitIdOptions, kill_process, waitid};

use super::cancel::{CancelHandle, Grace};

/// What happens while a process runs.
#[derive(Debug)]
pub(crate) enum Event {
    Line(String),
    /// One of the two pipes is at its end.
    PipeClosed,
    /// The process has ended and waits to be reaped.
    Exited,
    Cancel,
}

/// What the caller hears of it.
pub(crate) enum Notice {
    /// A line of standard output or standard error.
    Line(String),
    /// The job is cancelled; the answer says whether this process is to be stopped.
    CancelRequested,
}

/// How the process ended.
#[derive(Debug)]
pub(crate) struct Ended {
    pub(crate) status: ExitStatus,
    /// Signals were sent, so the step counts as cancelled whatever its exit code.
    pub(crate) cancelled: bool,
}

impl Ended {
    /// The exit code; 128 + the signal's number for one that a signal ended.
    pub(crate) fn code(&self) -> i32 {
        self.status
            .code()
            .unwrap_or_else(|| 128 + self.status.signal().unwrap_or_default())
    }
}

/// When a process is cancelled from the first moment on, and whether the cancel is news to the caller.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Before {
    /// Signal at once: the step around this one was cancelled.
    pub(crate) cancelled: bool,
    /// The caller knows that the job is cancelled and runs this all the same (`if: always()`).
    pub(crate) known: bool,
}

/// Runs `command` to its end.
pub(crate) fn run(
    mut command: Command,
    grace: Grace,
    cancel: &CancelHandle,
    before: Before,
    mut hear: impl FnMut(Notice) -> bool,
) -> io::Result<Ended> {
    let mut child = command
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()?;
    let (events, inbox) = channel();
    let pid = Pid::from_child(&child);
    let pipes = read_pipes(&mut child, &events);
    let exit = events.clone();
    thread::spawn(move || {
        // Left as a zombie, so that no signal of ours can reach a stranger with the same id.
        let _ = waitid(WaitId::Pid(pid), WaitIdOptions::EXITED | WaitIdOptions::NOWAIT);
        let _ = exit.send(Event::Exited);
    });
    if cancel.listen(events.clone()) && !before.known {
        let _ = events.send(Event::Cancel);
    }
    let mut stopping = Stopping {
        pid,
        grace,
        next: None,
        cancelled: false,
    };
    if before.cancelled {
        stopping.begin();
    }
    follow(&inbox, &mut stopping, pipes, &mut hear);
    cancel.stop_listening();
    let status = child.wait()?;
    Ok(Ended {
        status,
        cancelled: stopping.cancelled,
    })
}

/// Hands lines on until the process has ended and its pipes are closed, or were open for too long after.
fn follow(
    inbox: &Receiver<Event>,
    stopping: &mut Stopping,
    mut pipes: usize,
    hear: &mut impl FnMut(Notice) -> bool,
) {
    let mut exited_at: Option<Instant> = None;
    while exited_at.is_none() || pipes > 0 {
        let deadline = match exited_at {
            Some(at) => Some(at + stopping.grace.pipes),
            None => stopping.next.map(|(at, _)| at),
        };
        match receive(inbox, deadline) {
            Ok(Event::Line(line)) => {
                hear(Notice::Line(line));
            }
            Ok(Event::PipeClosed) => pipes -= 1,
            Ok(Event::Exited) => exited_at = Some(Instant::now()),
            Ok(Event::Cancel) => {
                if hear(Notice::CancelRequested) && exited_at.is_none() {
                    stopping.begin();
                }
            }
            Err(_) if exited_at.is_some() => return,
            Err(_) => stopping.go_on(),
        }
    }
}

fn receive(inbox: &Receiver<Event>, deadline: Option<Instant>) -> Result<Event, RecvTimeoutError> {
    match deadline {
        Some(at) => inbox.recv_timeout(at.saturating_duration_since(Instant::now())),
        None => inbox.recv().map_err(|_| RecvTimeoutError::Disconnected),
    }
}

/// The course of a cancel.
struct Stopping {
    pid: Pid,
    grace: Grace,
    next: Option<(Instant, Signal)>,
    cancelled: bool,
}

impl Stopping {
    fn begin(&mut self) {
        if !self.cancelled {
            self.cancelled = true;
            self.send(Signal::INT);
            self.next = Some((Instant::now() + self.grace.interrupt, Signal::TERM));
        }
    }

    fn go_on(&mut self) {
        if let Some((_, signal)) = self.next.take() {
            self.send(signal);
            if signal == Signal::TERM {
                self.next = Some((Instant::now() + self.grace.terminate, Signal::KILL));
            }
        }
    }

    fn send(&self, signal: Signal) {
        // It is not reaped before `follow` is done, so the id is still its own.
        let _ = kill_process(self.pid, signal);
    }
}

/// Starts a reader for each pipe and says how many there are.
fn read_pipes(child: &mut Child, events: &Sender<Event>) -> usize {
    let stdout = child.stdout.take().map(|pipe| spawn_reader(pipe, events.clone()));
    let stderr = child.stderr.take().map(|pipe| spawn_reader(pipe, events.clone()));
    usize::from(stdout.is_some()) + usize::from(stderr.is_some())
}

fn spawn_reader(pipe: impl Read + Send + 'static, events: Sender<Event>) {
    thread::spawn(move || {
        let mut lines = Lines::default();
        let mut pipe = BufReader::new(pipe);
        let mut buffer = [0; 8192];
        let mut open = true;
        while open {
            let count = pipe.read(&mut buffer).unwrap_or_default();
            let ready = if count > 0 {
                lines.push(&buffer[..count])
            } else {
                lines.finish()
            };
            // A receiver that is gone has waited long enough; dropping the pipe closes it.
            open = ready
                .into_iter()
                .all(|line| events.send(Event::Line(line)).is_ok())
                && count > 0;
        }
        let _ = events.send(Event::PipeClosed);
    });
}

/// Cuts bytes into lines as .NET does: LF, CR LF, and a CR alone each end one. Foreign bytes become U+FFFD.
#[derive(Debug, Default)]
struct Lines {
    partial: Vec<u8>,
    after_cr: bool,
}

impl Lines {
    fn push(&mut self, bytes: &[u8]) -> Vec<String> {
        let mut ready = Vec::new();
        for &byte in bytes {
            match byte {
                b'\n' if self.after_cr => {}
                b'\n' | b'\r' => ready.push(self.take()),
                _ => self.partial.push(byte),
            }
            self.after_cr = byte == b'\r';
        }
        ready
    }

    fn finish(&mut self) -> Vec<String> {
        if self.partial.is_empty() {
            Vec::new()
        } else {
            vec![self.take()]
        }
    }

    fn take(&mut self) -> String {
        let line = String::from_utf8_lossy(&self.partial).into_owned();
        self.partial.clear();
        line
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use proptest::prelude::*;

    use super::*;

    fn lines(chunks: &[&[u8]]) -> Vec<String> {
        let mut lines = Lines::default();
        let mut all: Vec<String> = chunks.iter().flat_map(|chunk| lines.push(chunk)).collect();
        all.extend(lines.finish());
        all
    }

    #[test]
    fn line_ends() {
        assert_eq!(lines(&[b"a\nb\r\nc\rd"]), ["a", "b", "c", "d"]);
        assert_eq!(lines(&[b"a\r", b"\nb\n"]), ["a", "b"]);
        assert_eq!(lines(&[b"\n\r\r\n"]), ["", "", ""]);
        assert_eq!(lines(&[b"\xff\n"]), ["\u{fffd}"]);
        assert_eq!(lines(&[]), [""; 0]);
    }

    proptest! {
        #[test]
        fn chunks_do_not_matter(bytes in proptest::collection::vec(prop_oneof![Just(b'\r'), Just(b'\n'), Just(b'x')], 0..40), at in 0usize..40) {
            let at = at.min(bytes.len());
            prop_assert_eq!(lines(&[&bytes[..at], &bytes[at..]]), lines(&[&bytes]));
        }
    }

    fn shell(script: &str) -> Command {
        let mut command = Command::new("/bin/sh");
        command.args(["-c", script]);
        command
    }

    fn grace(milliseconds: [u64; 3]) -> Grace {
        let [interrupt, terminate, pipes] = milliseconds.map(Duration::from_millis);
        Grace {
            interrupt,
            terminate,
            pipes,
        }
    }

    const FRESH: Before = Before {
        cancelled: false,
        known: false,
    };

    #[test]
    fn both_pipes_and_the_code() {
        let mut heard = Vec::new();
        let ended = run(
            shell("echo out; echo err >&2; exit 7"),
            Grace::default(),
            &CancelHandle::default(),
            FRESH,
            |notice| {
                if let Notice::Line(line) = notice {
                    heard.push(line);
                }
                true
            },
        );
        heard.sort_unstable();
        assert_eq!(heard, ["err", "out"]);
        let ended = ended.unwrap();
        assert_eq!((ended.code(), ended.cancelled), (7, false));
    }

    #[test]
    fn a_deaf_process_gets_all_three_signals() {
        let cancel = CancelHandle::default();
        let mut heard = Vec::new();
        let script = "trap 'echo INT' INT; trap 'echo TERM' TERM; echo ready; while :; do :; done";
        let ended = run(
            shell(script),
            grace([500, 700, 200]),
            &cancel,
            FRESH,
            |notice| match notice {
                Notice::Line(line) => {
                    if line == "ready" {
                        cancel.cancel();
                    }
                    heard.push(line);
                    false
                }
                Notice::CancelRequested => true,
            },
        );
        let ended = ended.unwrap();
        assert_eq!(heard, ["ready", "INT", "TERM"]);
        assert_eq!((ended.code(), ended.cancelled), (128 + 9, true));
    }

    #[test]
    fn a_refused_cancel_sends_nothing() {
        let cancel = CancelHandle::default();
        cancel.cancel();
        let ended = run(shell("exit 3"), Grace::default(), &cancel, FRESH, |_| false).unwrap();
        assert_eq!((ended.code(), ended.cancelled), (3, false));
    }

    #[test]
    fn open_pipes_are_not_waited_for_without_end() {
        let started = Instant::now();
        let ended = run(
            shell("sleep 60 & echo $!"),
            grace([9, 9, 100]),
            &CancelHandle::default(),
            FRESH,
            |notice| {
                if let Notice::Line(pid) = notice {
                    PID.set(pid.parse().unwrap()).unwrap();
                }
                true
            },
        );
        assert_eq!(ended.unwrap().code(), 0);
        assert!(started.elapsed() < Duration::from_secs(30));
        let pid = Pid::from_raw(*PID.get().unwrap()).unwrap();
        kill_process(pid, Signal::KILL).unwrap();
    }

    static PID: std::sync::OnceLock<i32> = std::sync::OnceLock::new();
}
