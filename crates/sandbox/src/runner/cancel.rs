//! Cancelling a job: by hand from another thread, or by a rule.

use std::path::PathBuf;
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use super::process::Event;

/// How often a rule looks for its file.
const LOOK_EVERY: Duration = Duration::from_millis(5);

/// How long a cancelled step's entry process may take, as in `ProcessInvoker.cs` of actions/runner.
#[derive(Clone, Copy, Debug)]
pub struct Grace {
    /// From SIGINT to SIGTERM.
    pub interrupt: Duration,
    /// From SIGTERM to SIGKILL.
    pub terminate: Duration,
    /// From the end of the entry process until its open pipes are closed.
    pub pipes: Duration,
}

impl Default for Grace {
    fn default() -> Self {
        Self {
            interrupt: Duration::from_millis(7500),
            terminate: Duration::from_millis(2500),
            pipes: Duration::from_secs(5),
        }
    }
}

/// Cancels the job when something is seen.
#[derive(Clone, Debug)]
pub enum CancelWhen {
    /// A process of the job writes a line that holds this text (after masking).
    LogShows(String),
    /// This file exists.
    FileAppears(PathBuf),
}

/// Cancels one job, from any thread.
#[derive(Clone, Debug, Default)]
pub struct CancelHandle(Arc<Mutex<State>>);

#[derive(Debug, Default)]
struct State {
    requested: bool,
    listener: Option<Sender<Event>>,
}

impl CancelHandle {
    /// Cancels the job as a person does on the run page. A second call changes nothing.
    pub fn cancel(&self) {
        let mut state = self.state();
        if !state.requested {
            state.requested = true;
            if let Some(listener) = &state.listener {
                // Nobody listens any more when the process has just ended.
                let _ = listener.send(Event::Cancel);
            }
        }
    }

    /// Whether the job is to be cancelled.
    #[must_use]
    pub fn is_requested(&self) -> bool {
        self.state().requested
    }

    /// From now on a cancel is sent there too. Answers whether one was requested before.
    pub(crate) fn listen(&self, listener: Sender<Event>) -> bool {
        let mut state = self.state();
        state.listener = Some(listener);
        state.requested
    }

    pub(crate) fn stop_listening(&self) {
        self.state().listener = None;
    }

    /// Watches for `path` until it appears or the other end of `stop` is dropped.
    pub(crate) fn watch(&self, path: &std::path::Path, stop: &Receiver<()>) {
        while stop.recv_timeout(LOOK_EVERY) == Err(RecvTimeoutError::Timeout) {
            if path.exists() {
                return self.cancel();
            }
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
