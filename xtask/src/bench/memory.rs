//! The largest resident memory that a program ever had: `VmHWM` of
//! [`/proc/PID/status`](https://man7.org/linux/man-pages/man5/proc_pid_status.5.html), read at the moment it exits.
//!
//! `ru_maxrss` of `wait4` would be shorter but untrue: it counts the memory that the forked child shared with its parent
//! before `exec`, so that a small program seems as large as this one. Linux only; a debugger's rights over one's own
//! children are needed, which some containers deny.

use anyhow::Result;

use super::subject::Subject;

/// The largest of several runs in bytes: where the kernel puts things differs a little from run to run.
///
/// # Errors
/// When the program can't be started or watched on this machine.
pub fn peak(subject: &Subject) -> Result<u64> {
    const RUNS: usize = 3;
    let mut most = 0;
    for _ in 0..RUNS {
        subject.prepare()?;
        most = most.max(platform::peak_once(subject)?);
    }
    Ok(most)
}

/// Of one run, for a command that takes long.
///
/// # Errors
/// As [`peak`].
pub fn peak_of_one_run(subject: &Subject) -> Result<u64> {
    platform::peak_once(subject)
}

#[cfg(target_os = "linux")]
mod platform {
    use std::process::Stdio;

    use anyhow::{Context as _, Result, bail};
    use nix::libc::PTRACE_EVENT_EXIT;
    use nix::sys::ptrace::{self, Options};
    use nix::sys::signal::{Signal, kill};
    use nix::sys::wait::{WaitPidFlag, WaitStatus, waitpid};
    use nix::unistd::Pid;

    use super::super::subject::Subject;
    use crate::environment;

    pub(super) fn peak_once(subject: &Subject) -> Result<u64> {
        let shell = environment::find_program("sh").context("there is no `sh` on PATH")?;
        // The shell waits to be watched before it becomes the program; its own memory goes away with `exec`.
        let mut command = subject.command_behind(&shell, &["-c", "kill -STOP $$; exec \"$@\"", "sh"]);
        command.stdout(Stdio::null()).stderr(Stdio::null());
        let mut child = command
            .spawn()
            .with_context(|| format!("failed to start `{}`", subject.name))?;
        let watched = watch(Pid::from_raw(child.id().cast_signed()));
        if watched.is_err() {
            // Nothing may be left behind stopped; where it is gone already there is nothing to do.
            let _ = child.kill();
            let _ = child.wait();
        }
        watched.with_context(|| format!("failed to watch `{}`", subject.name))
    }

    fn watch(pid: Pid) -> Result<u64> {
        match waitpid(pid, Some(WaitPidFlag::WUNTRACED))? {
            WaitStatus::Stopped(..) => {}
            _ => bail!("it ended before it could be watched"),
        }
        ptrace::seize(pid, Options::PTRACE_O_TRACEEXIT).context("ptrace is refused")?;
        kill(pid, Signal::SIGCONT)?;
        let mut peak = None;
        loop {
            match waitpid(pid, None)? {
                WaitStatus::PtraceEvent(_, _, PTRACE_EVENT_EXIT) => {
                    peak = high_water_mark(&std::fs::read_to_string(format!("/proc/{pid}/status"))?);
                    ptrace::cont(pid, None)?;
                }
                WaitStatus::PtraceEvent(..) => ptrace::cont(pid, None)?,
                WaitStatus::Stopped(_, signal) => ptrace::cont(pid, signal)?,
                WaitStatus::Exited(_, 0) => return peak.context("the kernel names no peak"),
                WaitStatus::Exited(_, code) => bail!("it failed with exit status {code}"),
                WaitStatus::Signaled(_, signal, _) => bail!("it was ended by {signal}"),
                _ => {}
            }
        }
    }

    /// `VmHWM` in bytes; the kernel writes KiB and calls them kB.
    fn high_water_mark(status: &str) -> Option<u64> {
        let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
        let number: u64 = line.trim().strip_suffix("kB")?.trim().parse().ok()?;
        number.checked_mul(1024)
    }

    #[cfg(test)]
    mod tests {
        use std::path::Path;

        use proptest::prelude::*;

        use super::*;

        #[test]
        fn the_mark_is_read() {
            let status = "Name:\tx\nVmPeak:\t   9000 kB\nVmHWM:\t    1234 kB\nVmRSS:\t 1 kB\n";
            assert_eq!(high_water_mark(status), Some(1234 * 1024));
            // A process that has given its memory back has no such line.
            assert_eq!(high_water_mark("Name:\tx\nState:\tZ (zombie)\n"), None);
        }

        #[test]
        fn what_a_program_touches_is_counted_and_what_this_one_holds_is_not() {
            let held = vec![1_u8; 64 << 20];
            let small = Subject::ours("small", Path::new("/bin/sh"), &["-c", ":"]);
            let large = Subject::ours(
                "large",
                Path::new("/bin/sh"),
                &[
                    "-c",
                    "v=xxxxxxxxxxxxxxxx; i=0; while [ $i -lt 20 ]; do v=$v$v; i=$((i+1)); done",
                ],
            );
            let (small, large) = (
                super::super::peak(&small).unwrap(),
                super::super::peak(&large).unwrap(),
            );
            assert!(small < 16 << 20, "{small}");
            assert!(large >= small + (16 << 20), "{large}");
            assert_eq!(held.len(), 64 << 20);
        }

        #[test]
        fn a_program_that_fails_has_no_peak() {
            let fails = Subject::ours("fails", Path::new("/bin/sh"), &["-c", "exit 3"]);
            let error = format!("{:#}", super::super::peak(&fails).unwrap_err());
            assert_eq!(error, "failed to watch `fails`: it failed with exit status 3");
        }

        proptest! {
            #[test]
            fn any_text_is_read_or_refused(text in ".*|VmHWM:.*", kib in any::<u64>()) {
                let _ = high_water_mark(&text);
                prop_assert_eq!(high_water_mark(&format!("VmHWM:\t{kib} kB\n")), kib.checked_mul(1024));
            }
        }
    }
}

#[cfg(not(target_os = "linux"))]
mod platform {
    use anyhow::{Result, bail};

    use super::super::subject::Subject;

    pub(super) fn peak_once(_: &Subject) -> Result<u64> {
        bail!("peak memory is measured on Linux only")
    }
}
