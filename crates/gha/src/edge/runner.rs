//! The runner in which a tool runs: what it reads from, and what it writes to.

use std::fmt;
use std::fs::{File, OpenOptions};
use std::io::{Read as _, Seek as _, SeekFrom, Write as _};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError, TryLockError};
use std::time::Duration;

use jiff::Timestamp;
use tokio::time::Instant;

use crate::context::Context;
use crate::edge::cancel::Cancel;
use crate::edge::environment;
use crate::edge::writer::Writer;
use crate::env::Env;
use crate::failure::Failure;
use crate::interface::Interface;
use crate::ledger::{self, Entry};
use crate::log_line::Weight;
use crate::summary::Summary;
use crate::trace::TraceId;

mod command_files;
mod progress;
mod secrets;

pub use secrets::SecretFrom;

/// The most that is read of a file that a user names; secrets, ledgers and payloads are far smaller.
const FILE_LIMIT: u64 = 32 * 1024 * 1024;

/// Hides values in all that the program prints from then on.
#[derive(Clone)]
pub struct Masks(Arc<Mutex<Writer>>);

impl Masks {
    /// Hides a value from now on.
    pub fn mask(&self, secret: &str) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).mask(secret);
    }

    /// A text with every known secret in it hidden, as [`Runner::hide`] has it.
    #[must_use]
    pub fn hide(&self, text: &str) -> String {
        let writer = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        writer.masker().hide(text)
    }
}

impl fmt::Debug for Masks {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("Masks")
    }
}

/// A tool's runner: GitHub's, or a terminal that stands in for it.
pub struct Runner {
    env: Env,
    context: Context,
    trace: TraceId,
    cancel: Cancel,
    interface: Interface,
    started_at: Timestamp,
    started: Instant,
    writer: Arc<Mutex<Writer>>,
    secrets_used: Mutex<Vec<String>>,
    output_failure: Mutex<Option<Failure>>,
    way_back: OnceLock<Instant>,
}

impl Runner {
    /// The runner of this process, which started at this time.
    pub(crate) fn new(
        interface: Interface,
        env: Env,
        trace: TraceId,
        writer: Writer,
        started_at: Timestamp,
    ) -> Self {
        let payload = env
            .get("GITHUB_EVENT_PATH")
            .map(|path| read_limited(Path::new(path)).map_err(|error| error.to_string()));
        let context = Context::of(&env, payload);
        Self {
            context,
            env,
            trace,
            cancel: Cancel::default(),
            interface,
            started_at,
            started: Instant::now(),
            writer: Arc::new(Mutex::new(writer)),
            secrets_used: Mutex::default(),
            output_failure: Mutex::default(),
            way_back: OnceLock::new(),
        }
    }

    /// The environment.
    #[must_use]
    pub fn env(&self) -> &Env {
        &self.env
    }

    /// The event.
    #[must_use]
    pub fn context(&self) -> &Context {
        &self.context
    }

    /// The trace id that all tools of this run share.
    #[must_use]
    pub fn trace(&self) -> TraceId {
        self.trace
    }

    /// The cancel token.
    #[must_use]
    pub fn cancel(&self) -> &Cancel {
        &self.cancel
    }

    /// The tool's interface.
    #[must_use]
    pub fn interface(&self) -> &Interface {
        &self.interface
    }

    /// When the tool started.
    #[must_use]
    pub fn started_at(&self) -> Timestamp {
        self.started_at
    }

    /// How long it has been running.
    #[must_use]
    pub fn elapsed(&self) -> Duration {
        self.started.elapsed()
    }

    /// From now on what served before is brought back. Where the run ends with that done, the ledger tells how long it took.
    pub fn goes_back(&self) {
        self.way_back.get_or_init(Instant::now);
    }

    /// How long it is being brought back, or took to be.
    pub(crate) fn way_back(&self) -> Option<Duration> {
        self.way_back.get().map(Instant::elapsed)
    }

    /// The time of day. It goes on evenly from when the tool started, whatever becomes of the machine's clock meanwhile.
    #[must_use]
    pub fn now(&self) -> Timestamp {
        let began = self.started_at;
        began.checked_add(self.elapsed()).unwrap_or(began)
    }

    /// The time that what is built is dated with: `SOURCE_DATE_EPOCH` where it is set
    /// (<https://reproducible-builds.org/specs/source-date-epoch/>). It is no time of day: a workflow may pin it to years ago.
    #[must_use]
    pub fn build_date(&self) -> Timestamp {
        let pinned = self
            .env
            .get("SOURCE_DATE_EPOCH")
            .and_then(|seconds| seconds.parse().ok());
        pinned
            .and_then(|seconds| Timestamp::from_second(seconds).ok())
            .unwrap_or_else(|| self.now())
    }

    /// One line of the log.
    pub fn info(&self, message: &str) {
        self.writer().event(Weight::Info, message);
    }

    /// Something that may need a look; an annotation in a runner.
    pub fn warn(&self, message: &str) {
        self.writer().event(Weight::Warning, message);
    }

    /// The `traceparent` header of a request: this run's trace, and a fresh id for the call.
    #[must_use]
    pub fn traceparent(&self) -> String {
        let mut parent = [0; 8];
        parent.copy_from_slice(&environment::random()[..8]);
        self.trace.traceparent(parent)
    }

    /// Foreign text of several lines.
    pub fn block(&self, content: &str, max_lines: usize) {
        self.writer().block(content, max_lines);
    }

    /// Opens a group.
    pub fn group(&self, title: &str) {
        self.writer().group(title);
    }

    /// Closes the group.
    pub fn end_group(&self) {
        self.writer().end_group();
    }

    /// Hides a value from now on.
    pub fn mask(&self, secret: &str) {
        self.writer().mask(secret);
    }

    /// What hides values for a part of the program that outlives a borrow, such as a provider of credentials.
    #[must_use]
    pub fn masks(&self) -> Masks {
        Masks(Arc::clone(&self.writer))
    }

    /// A text with every known secret in it hidden. Foreign text passes here before it is cut or escaped: half a
    /// secret, or one with a backslash in it, would not be recognised later.
    #[must_use]
    pub fn hide(&self, text: &str) -> String {
        self.writer().masker().hide(text)
    }

    /// Appends to the job summary, within its budget. A summary that can't be written fails nothing.
    pub fn summary(&self, summary: &Summary) {
        let Some(path) = self.env.get("GITHUB_STEP_SUMMARY").map(PathBuf::from) else {
            return;
        };
        let existing = std::fs::metadata(&path).map(|file| file.len()).unwrap_or(0);
        let text = summary.fit(existing);
        let text = self.writer().masker().hide(&text);
        if let Err(error) = append(&path, &text) {
            self.warn(&format!(
                "the job summary can't be written to `{}`: {error}",
                path.display()
            ));
        }
    }

    /// The ledger's entries of this run, oldest first; what another run left in a reused folder is not this run's.
    #[must_use]
    pub fn ledger(&self) -> Vec<Entry> {
        let Some(path) = ledger::path(&self.env) else {
            return Vec::new();
        };
        let lines = match read_limited(&path) {
            Ok(bytes) => String::from_utf8_lossy(&bytes).into_owned(),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Vec::new(),
            Err(error) => {
                self.warn(&format!("the ledger `{}` can't be read: {error}", path.display()));
                return Vec::new();
            }
        };
        let (entries, warnings) = ledger::read(&lines);
        if let Some(first) = warnings.first() {
            let more = if warnings.len() > 1 {
                format!("; so are {} more", warnings.len() - 1)
            } else {
                String::new()
            };
            self.warn(&format!("ledger `{}`: {first}{more}", path.display()));
        }
        let trace = self.trace.to_string();
        // On a laptop every tool has a trace of its own; a ledger that is named there is meant as it is.
        let shared = TraceId::is_shared(&self.env);
        entries
            .into_iter()
            .filter(|entry| !shared || entry.trace_id == trace)
            .collect()
    }

    /// Appends this run's line to the ledger.
    pub(crate) fn append_ledger(&self, line: &str) {
        let Some(path) = ledger::path(&self.env) else {
            return;
        };
        let folder = path.parent().map_or(Ok(()), std::fs::create_dir_all);
        if let Err(error) = folder.and_then(|()| append(&path, &format!("{}{line}\n", line_end(&path)))) {
            self.warn(&format!(
                "the ledger `{}` can't be written: {error}",
                path.display()
            ));
        }
    }

    /// The variables of the secrets that this run read from its environment.
    pub(crate) fn secrets_used(&self) -> Vec<String> {
        self.secrets_used
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }

    /// The writer, unless a write is stuck: the other end of a pipe may have stopped reading.
    pub(crate) fn free_writer(&self) -> Option<MutexGuard<'_, Writer>> {
        match self.writer.try_lock() {
            Ok(writer) => Some(writer),
            Err(TryLockError::Poisoned(poisoned)) => Some(poisoned.into_inner()),
            Err(TryLockError::WouldBlock) => None,
        }
    }

    /// The writer, for the tool's product and for the end of the run.
    pub fn writer(&self) -> MutexGuard<'_, Writer> {
        self.writer.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What ends the last line of a file where that was cut off: what is appended to it would be lost with it.
fn line_end(path: &Path) -> &'static str {
    let last = || -> std::io::Result<u8> {
        // A pipe has no end to look at, and would be waited for.
        if !std::fs::metadata(path)?.is_file() {
            return Ok(b'\n');
        }
        let mut file = File::open(path)?;
        file.seek(SeekFrom::End(-1))?;
        let mut byte = [0];
        file.read_exact(&mut byte)?;
        Ok(byte[0])
    };
    // A file that is not there, or empty, has no line to end.
    match last() {
        Ok(b'\n') | Err(_) => "",
        Ok(_) => "\n",
    }
}

/// Appends with one write, so that lines of two steps that run at once do not mix.
fn append(path: &Path, text: &str) -> std::io::Result<()> {
    OpenOptions::new()
        .append(true)
        .create(true)
        .open(path)?
        .write_all(text.as_bytes())
}

/// Reads a file up to [`FILE_LIMIT`].
fn read_limited(path: &Path) -> std::io::Result<Vec<u8>> {
    read_stream(File::open(path)?)
}

/// Reads a stream up to [`FILE_LIMIT`].
fn read_stream(stream: impl std::io::Read) -> std::io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    stream.take(FILE_LIMIT + 1).read_to_end(&mut bytes)?;
    if bytes.len() as u64 > FILE_LIMIT {
        return Err(std::io::Error::other(format!(
            "it holds more than {} MiB",
            FILE_LIMIT / 1024 / 1024
        )));
    }
    Ok(bytes)
}
