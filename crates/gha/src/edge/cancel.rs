//! Cancellation: SIGINT, SIGTERM and SIGHUP become a token that everything which waits also waits for.
//!
//! The runner sends SIGINT to the step's entry process, SIGTERM 7.5 s later, and kills it 2.5 s after that
//! (`ProcessInvoker.cs` of actions/runner). So the first signal means: stop changing things and leave within five
//! seconds; the second: leave at once. Only a real signal does this.

use std::sync::Arc;
use std::sync::atomic::{AtomicU8, Ordering};

use tokio::signal::unix::{self, SignalKind};
use tokio_util::sync::CancellationToken;

use crate::exit::Exit;
use crate::failure::Failure;

/// The signals that end a run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Signal {
    /// Ctrl-C, and the runner's first word on a cancel.
    Interrupt,
    /// The runner's second word.
    Terminate,
    /// The terminal went away.
    HangUp,
}

impl Signal {
    /// The exit code after this signal. A hang-up counts as a termination, so that two codes mean "cancelled".
    #[must_use]
    pub fn exit(self) -> Exit {
        match self {
            Self::Interrupt => Exit::Interrupted,
            Self::Terminate | Self::HangUp => Exit::Terminated,
        }
    }

    /// Its name.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Interrupt => "SIGINT",
            Self::Terminate => "SIGTERM",
            Self::HangUp => "SIGHUP",
        }
    }
}

/// The run was cancelled.
#[derive(Clone, Copy, Debug, thiserror::Error, PartialEq, Eq)]
#[error("cancelled by {}", .0.name())]
pub struct Cancelled(pub Signal);

impl From<Cancelled> for Failure {
    fn from(cancelled: Cancelled) -> Self {
        Self::new(cancelled.0.exit(), cancelled)
    }
}

/// A token that says whether the run was cancelled, and lets anything wait for it.
#[derive(Clone, Debug, Default)]
pub struct Cancel {
    token: CancellationToken,
    signal: Arc<AtomicU8>,
}

impl Cancel {
    /// Cancels the run.
    pub fn trigger(&self, signal: Signal) {
        let number = match signal {
            Signal::Interrupt => 1,
            Signal::Terminate => 2,
            Signal::HangUp => 3,
        };
        self.signal.store(number, Ordering::Relaxed);
        self.token.cancel();
    }

    /// The signal, once there was one.
    #[must_use]
    pub fn signal(&self) -> Option<Signal> {
        match self.signal.load(Ordering::Relaxed) {
            1 => Some(Signal::Interrupt),
            2 => Some(Signal::Terminate),
            3 => Some(Signal::HangUp),
            _ => None,
        }
    }

    /// Waits for a future, or for the cancel, whichever is first; the cancel wins a draw.
    ///
    /// # Errors
    /// When the run is cancelled; the future is dropped.
    pub async fn guard<T>(&self, future: impl Future<Output = T>) -> Result<T, Cancelled> {
        tokio::select! {
            biased;
            () = self.token.cancelled() => Err(Cancelled(self.signal().unwrap_or(Signal::Interrupt))),
            value = future => Ok(value),
        }
    }
}

/// The signals of this process, from when this is made.
pub(crate) struct Signals {
    interrupt: unix::Signal,
    terminate: unix::Signal,
    hang_up: Option<unix::Signal>,
}

impl Signals {
    pub(crate) fn listen() -> std::io::Result<Self> {
        Ok(Self {
            interrupt: unix::signal(SignalKind::interrupt())?,
            terminate: unix::signal(SignalKind::terminate())?,
            // `nohup` has it ignored, and means it.
            hang_up: if hang_up_is_ignored() {
                None
            } else {
                Some(unix::signal(SignalKind::hangup())?)
            },
        })
    }

    pub(crate) async fn next(&mut self) -> Signal {
        let hang_up = async {
            match &mut self.hang_up {
                Some(signal) => signal.recv().await,
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            _ = self.interrupt.recv() => Signal::Interrupt,
            _ = self.terminate.recv() => Signal::Terminate,
            _ = hang_up => Signal::HangUp,
        }
    }
}

/// Whether this process was started with SIGHUP ignored, as the kernel tells it on Linux
/// (<https://man7.org/linux/man-pages/man5/proc_pid_status.5.html>).
fn hang_up_is_ignored() -> bool {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let mask = status
        .lines()
        .find_map(|line| line.strip_prefix("SigIgn:"))
        .map(str::trim)
        .unwrap_or_default();
    u64::from_str_radix(mask, 16).is_ok_and(|mask| mask & 1 == 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_cancel_wins_over_what_is_ready() {
        let cancel = Cancel::default();
        assert_eq!(cancel.guard(async { 1 }).await, Ok(1));
        cancel.trigger(Signal::Terminate);
        assert_eq!(cancel.guard(async { 1 }).await, Err(Cancelled(Signal::Terminate)));
        assert_eq!(Failure::from(Cancelled(Signal::HangUp)).exit.code(), 143);
        assert_eq!(Signal::Interrupt.exit().code(), 130);
    }
}
