//! One run of a program: its streams as they come, signals to it, and its end within a deadline.

use std::io::Read;
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Condvar, Mutex};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};

/// Longer than anything here may take; only a hang reaches it.
pub(crate) const DEADLINE: Duration = Duration::from_secs(60);

/// A run that has ended.
#[derive(Debug)]
pub(crate) struct Finished {
    /// The exit code; `None` where a signal killed it.
    pub(crate) code: Option<i32>,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
    /// From the start of the process to its end.
    pub(crate) took: Duration,
}

/// A run under way. Dropping it kills the process.
pub(crate) struct Running {
    child: Child,
    started: Instant,
    stdout: Stream,
    stderr: Stream,
}

/// What came out of one stream so far.
struct Stream {
    seen: Arc<(Mutex<Seen>, Condvar)>,
    reader: Option<JoinHandle<()>>,
}

#[derive(Default)]
struct Seen {
    bytes: Vec<u8>,
    ended: bool,
}

/// Runs a program to its end.
pub(crate) fn finish(command: Command) -> Finished {
    Running::start(command).finish()
}

impl Running {
    /// Starts a program with its output captured; its input is closed unless the command says otherwise.
    pub(crate) fn start(mut command: Command) -> Self {
        let mut child = command
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        Self {
            stdout: Stream::of(child.stdout.take().unwrap()),
            stderr: Stream::of(child.stderr.take().unwrap()),
            started: Instant::now(),
            child,
        }
    }

    /// Its process id.
    pub(crate) fn pid(&self) -> u32 {
        self.child.id()
    }

    /// Sends a signal to this process alone, as the runner does.
    pub(crate) fn signal(&self, signal: Signal) {
        let pid = Pid::from_raw(i32::try_from(self.pid()).unwrap()).unwrap();
        kill_process(pid, signal).unwrap();
    }

    /// Waits until standard output or error holds a text.
    pub(crate) fn wait_for(&self, text: &str) {
        let found = |stream: &Stream, limit| stream.wait(limit, |seen| seen.text().contains(text));
        let until = Instant::now() + DEADLINE;
        while !found(&self.stdout, Duration::from_millis(20))
            && !found(&self.stderr, Duration::from_millis(20))
        {
            assert!(Instant::now() < until, "`{text}` did not come");
        }
    }

    /// Waits for the end.
    pub(crate) fn finish(mut self) -> Finished {
        for stream in [&self.stdout, &self.stderr] {
            assert!(
                stream.wait(DEADLINE, |seen| seen.ended),
                "the program did not end"
            );
        }
        let code = self.child.wait().unwrap().code();
        Finished {
            code,
            stdout: self.stdout.end(),
            stderr: self.stderr.end(),
            took: self.started.elapsed(),
        }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        // It has ended already unless the test failed.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Stream {
    fn of(mut pipe: impl Read + Send + 'static) -> Self {
        let seen: Arc<(Mutex<Seen>, Condvar)> = Arc::default();
        let kept = Arc::clone(&seen);
        let reader = thread::spawn(move || {
            let mut buffer = [0; 4096];
            loop {
                let count = pipe.read(&mut buffer).unwrap_or(0);
                let mut seen = kept.0.lock().unwrap();
                seen.bytes.extend_from_slice(&buffer[..count]);
                seen.ended = count == 0;
                kept.1.notify_all();
                if seen.ended {
                    return;
                }
            }
        });
        Self {
            seen,
            reader: Some(reader),
        }
    }

    fn wait(&self, limit: Duration, done: impl Fn(&Seen) -> bool) -> bool {
        let seen = self.seen.0.lock().unwrap();
        let (seen, _) = self
            .seen
            .1
            .wait_timeout_while(seen, limit, |seen| !done(seen))
            .unwrap();
        done(&seen)
    }

    fn end(&mut self) -> String {
        self.reader.take().unwrap().join().unwrap();
        self.seen.0.lock().unwrap().text()
    }
}

impl Seen {
    fn text(&self) -> String {
        String::from_utf8_lossy(&self.bytes).into_owned()
    }
}

impl Finished {
    /// Both streams, for a look at everything that was printed.
    pub(crate) fn log(&self) -> String {
        format!("{}{}", self.stdout, self.stderr)
    }

    /// Checks the exit code, and shows the log where it is another.
    #[track_caller]
    pub(crate) fn expect(self, code: i32) -> Self {
        assert_eq!(self.code, Some(code), "{}", self.log());
        self
    }

    /// Checks that everything printed holds each of these texts.
    #[track_caller]
    pub(crate) fn says(self, texts: &[&str]) -> Self {
        for text in texts {
            assert!(self.log().contains(text), "no `{text}` in\n{}", self.log());
        }
        self
    }
}
