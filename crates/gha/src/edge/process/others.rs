//! The signals that mean nothing to us, and may mean something to a program that runs in our place.

use std::io;

use rustix::process::Signal as Unix;
use tokio::signal::unix::{Signal, SignalKind, signal};

/// Signals that would end us and leave the program behind. Once they are listened to, they do not end us any more.
pub(super) struct Others {
    quit: Signal,
    first: Signal,
    second: Signal,
}

impl Others {
    pub(super) fn listen() -> io::Result<Self> {
        Ok(Self {
            quit: signal(SignalKind::quit())?,
            first: signal(SignalKind::user_defined1())?,
            second: signal(SignalKind::user_defined2())?,
        })
    }

    /// Waits for the next one.
    pub(super) async fn next(&mut self) -> Unix {
        tokio::select! {
            _ = self.quit.recv() => Unix::QUIT,
            _ = self.first.recv() => Unix::USR1,
            _ = self.second.recv() => Unix::USR2,
        }
    }
}
