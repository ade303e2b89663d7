//! Process groups of children, which do not outlive us: each is ended by its owner, or all by who leaves at once.

use std::collections::BTreeSet;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use rustix::process::{Pid, Signal as Unix, kill_process_group, test_kill_process_group};
use tokio::process::Child;

use crate::edge::cancel::Signal;

/// The groups that have an owner. A process that is left has no time to drop anything, so they are known beside it.
static OWNED: Mutex<BTreeSet<i32>> = Mutex::new(BTreeSet::new());

fn owned() -> MutexGuard<'static, BTreeSet<i32>> {
    OWNED.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Ends every group that has an owner, which does not come to it any more.
pub(crate) fn end_all() {
    let all = std::mem::take(&mut *owned());
    for pid in all.into_iter().filter_map(Pid::from_raw) {
        let _ = kill_process_group(pid, Unix::KILL);
    }
}

/// A child's process group, ended when this goes out of scope.
pub(super) struct Group(Option<Pid>);

impl Group {
    pub(super) fn of(child: &Child) -> Self {
        let id = child.id().and_then(|id| i32::try_from(id).ok());
        owned().extend(id);
        Self(id.and_then(Pid::from_raw))
    }

    /// It is not ours to end any more.
    pub(super) fn leave(mut self) {
        self.take();
    }

    pub(super) fn pass_on(&self, signal: Signal) {
        let signal = match signal {
            Signal::Interrupt => Unix::INT,
            Signal::Terminate => Unix::TERM,
            Signal::HangUp => Unix::HUP,
        };
        if let Some(pid) = self.0 {
            // It may have ended by itself meanwhile.
            let _ = kill_process_group(pid, signal);
        }
    }

    pub(super) fn kill(&self) {
        if let Some(pid) = self.0 {
            // Nobody is left in the group where all went well.
            let _ = kill_process_group(pid, Unix::KILL);
        }
    }

    /// Ends the group and waits until it is gone, so that nothing of it is left when we are. A process that ended and
    /// that nobody has taken note of still counts, hence the limit.
    pub(super) async fn end(mut self, child: &mut Child) {
        self.kill();
        let Some(pid) = self.take() else { return };
        let _ = child.wait().await;
        for _ in 0..100 {
            if test_kill_process_group(pid).is_err() {
                return;
            }
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    }

    /// Its id may be another's once it is gone.
    fn take(&mut self) -> Option<Pid> {
        let pid = self.0.take()?;
        owned().remove(&pid.as_raw_nonzero().get());
        Some(pid)
    }
}

impl Drop for Group {
    fn drop(&mut self) {
        self.kill();
        self.take();
    }
}
