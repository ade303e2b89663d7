//! The exit codes: a public contract, the same for every tool.

use std::process::ExitCode;

/// How a run ended, as a number that a workflow or a script can act on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Exit {
    /// 0: done, or nothing to do.
    Done,
    /// 1: a bug of the tool.
    Bug,
    /// 2: a wrong flag, file or configuration; nothing was changed.
    Usage,
    /// 3: the gate said no, or the deploy failed; the earlier version serves.
    Failed,
    /// 4: inconclusive: too little data, or it could not be measured.
    Inconclusive,
    /// 5: failed and a person must act; the message says what serves now and what to run.
    NeedsHuman,
    /// 6: somebody else holds the lock or changed the target; nothing of theirs was overwritten.
    Locked,
    /// 7: credentials, permission or endpoint; nothing was changed.
    Access,
    /// 130: cancelled by SIGINT; the outputs say what serves.
    Interrupted,
    /// 143: cancelled by SIGTERM or SIGHUP; the outputs say what serves.
    Terminated,
    /// That of the command which it was to run: `notify wrap` alone, which stands in for its command.
    OfCommand(u8),
}

impl Exit {
    /// The number the process ends with.
    #[must_use]
    pub fn code(self) -> u8 {
        match self {
            Self::Done => 0,
            Self::Bug => 1,
            Self::Usage => 2,
            Self::Failed => 3,
            Self::Inconclusive => 4,
            Self::NeedsHuman => 5,
            Self::Locked => 6,
            Self::Access => 7,
            Self::Interrupted => 130,
            Self::Terminated => 143,
            Self::OfCommand(code) => code,
        }
    }
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(exit.code())
    }
}
