//! Finds and ends the processes that a step left behind.
//!
//! A process belongs to a step if its environment holds the step's marker. One that was started with an emptied
//! environment is not found.

use std::fs;

use rustix::process::{Pid, Signal, kill_process};

use super::report::Survivor;

/// Environment variable with a value that only one step's processes have.
pub(crate) const MARKER: &str = "SANDBOX_STEP_MARKER";

/// The living processes with this marker.
pub(crate) fn find(marker: &str) -> Vec<Survivor> {
    let wanted = format!("{MARKER}={marker}").into_bytes();
    let Ok(processes) = fs::read_dir("/proc") else {
        return Vec::new();
    };
    let mut found: Vec<Survivor> = processes
        .filter_map(|entry| entry.ok()?.file_name().to_str()?.parse::<i32>().ok())
        .filter(|pid| {
            // A process that ended meanwhile, or is a zombie, has nothing to read.
            let environment = fs::read(format!("/proc/{pid}/environ")).unwrap_or_default();
            environment
                .split(|byte| *byte == 0)
                .any(|variable| variable == wanted)
        })
        .map(|pid| Survivor {
            pid,
            command: command_line(pid),
        })
        .collect();
    found.sort_unstable_by_key(|survivor| survivor.pid);
    found
}

/// Ends them at once.
pub(crate) fn kill(survivors: &[Survivor]) {
    for pid in survivors
        .iter()
        .filter_map(|survivor| Pid::from_raw(survivor.pid))
    {
        // One that is gone already needs no killing.
        let _ = kill_process(pid, Signal::KILL);
    }
}

fn command_line(pid: i32) -> String {
    let bytes = fs::read(format!("/proc/{pid}/cmdline")).unwrap_or_default();
    let words = bytes.split(|byte| *byte == 0).filter(|word| !word.is_empty());
    words
        .map(|word| String::from_utf8_lossy(word).into_owned())
        .collect::<Vec<_>>()
        .join(" ")
}
