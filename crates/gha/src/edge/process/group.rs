//! Process groups of children, which do not outlive us: each is ended by its owner, or all by who leaves at once.

use std::collections::BTreeSet;
use std::io;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use rustix::process::{Pid, Signal as Unix, kill_process_group, test_kill_process_group};
use tokio::process::{Child, Command};

use crate::edge::cancel::Signal;

/// The groups that have an owner. A process that is left has no time to drop anything, so they are known beside it.
static OWNED: Mutex<Owned> = Mutex::new(Owned {
    groups: BTreeSet::new(),
    is_over: false,
});

struct Owned {
    groups: BTreeSet<i32>,
    /// All were ended, and nothing may begin any more.
    is_over: bool,
}

fn owned() -> MutexGuard<'static, Owned> {
    OWNED.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Ends every group that has an owner, which does not come to it any more. Waits for a start that is on its way.
pub(crate) fn end_all() {
    let mut owned = owned();
    owned.is_over = true;
    for pid in std::mem::take(&mut owned.groups)
        .into_iter()
        .filter_map(Pid::from_raw)
    {
        let _ = kill_process_group(pid, Unix::KILL);
    }
}

/// A child's process group, ended when this goes out of scope.
pub(super) struct Group(Option<Pid>);

impl Group {
    /// Starts a program in a group of its own.
    pub(super) fn spawn(command: &mut Command) -> io::Result<(Child, Self)> {
        // Held until the group is known: who ends all waits for one that is about to be there.
        let mut owned = owned();
        if owned.is_over {
            return Err(io::ErrorKind::Interrupted.into());
        }
        let child = command.process_group(0).kill_on_drop(true).spawn()?;
        let id = child.id().and_then(|id| i32::try_from(id).ok());
        owned.groups.extend(id);
        Ok((child, Self(id.and_then(Pid::from_raw))))
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
        self.send(signal);
    }

    pub(super) fn send(&self, signal: Unix) {
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
        owned().groups.remove(&pid.as_raw_nonzero().get());
        Some(pid)
    }
}

impl Drop for Group {
    fn drop(&mut self) {
        self.kill();
        self.take();
    }
}
