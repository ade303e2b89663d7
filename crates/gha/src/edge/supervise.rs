//! Runs a tool's future beside the signals and the heartbeat.

use std::time::Duration;

use tokio::time::{Instant, sleep_until};

use crate::duration;
use crate::edge::cancel::{Cancelled, Signal, Signals};
use crate::edge::runner::Runner;
use crate::exit::Exit;
use crate::failure::Failure;
use crate::log_line::Weight;

/// How long a tool may take to stop after the first signal; the contract is five seconds for the whole process.
const GRACE: Duration = Duration::from_millis(4500);

/// The longest silence in a log.
const HEARTBEAT: Duration = Duration::from_secs(30);

/// Waits for the tool. The first signal cancels its token and gives it [`GRACE`]; the second leaves at once. An error
/// says that the tool was left.
///
/// The tool runs on a thread of its own: one that is stuck in a write to a pipe that nobody reads, or in a computation
/// without end, hears no signal. So nothing here may wait for the writer either.
pub(crate) async fn supervise<T>(runner: &Runner, tool: impl Future<Output = T>) -> Result<T, Failure> {
    let mut signals = Signals::listen().map_err(|error| Failure::new(Exit::Bug, error))?;
    let mut tool = std::pin::pin!(tool);
    let mut leave_at: Option<Instant> = None;
    let mut beat_at = Instant::now() + HEARTBEAT;
    loop {
        tokio::select! {
            biased;
            signal = signals.next() => {
                if runner.cancel().signal().is_some() {
                    return Err(Failure::from(Cancelled(signal)).help("it left at once, because a second signal came"));
                }
                runner.cancel().trigger(signal);
                if let Some(mut writer) = runner.free_writer() {
                    writer.event(Weight::Info, &format!("{}: stopping; a second signal leaves at once", signal.name()));
                }
                leave_at = Some(Instant::now() + GRACE);
            }
            ended = &mut tool => return Ok(ended),
            () = sleep_until(leave_at.unwrap_or_else(far_away)), if leave_at.is_some() => {
                let signal = runner.cancel().signal().unwrap_or(Signal::Interrupt);
                return Err(Failure::from(Cancelled(signal)).help("it did not stop in time and was ended"));
            }
            () = sleep_until(beat_at) => beat_at = Instant::now() + beat(runner),
        }
    }
}

/// Says that the tool still runs, if it has been silent for long; how long to wait with the next look.
fn beat(runner: &Runner) -> Duration {
    let Some(mut writer) = runner.free_writer() else {
        return HEARTBEAT;
    };
    if writer.silence() >= HEARTBEAT {
        let said = writer
            .heartbeat()
            .map(|said| format!(": {said}"))
            .unwrap_or_default();
        let elapsed = duration::display(runner.elapsed());
        writer.event(Weight::Info, &format!("still running after {elapsed}{said}"));
    }
    HEARTBEAT
        .saturating_sub(writer.silence())
        .max(Duration::from_millis(100))
}

/// A time that does not come.
fn far_away() -> Instant {
    Instant::now() + Duration::from_secs(3600)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::edge::testing::runner;

    #[tokio::test(start_paused = true)]
    async fn a_silent_tool_has_a_heartbeat() {
        let (runner, log) = runner(&[]);
        let outcome = supervise(&runner, async {
            tokio::time::sleep(Duration::from_secs(50)).await;
            runner.info("half-way");
            runner.heartbeat("60 of 120 samples");
            tokio::time::sleep(Duration::from_secs(50)).await;
        })
        .await;
        assert!(outcome.is_ok());
        let lines: Vec<String> = log
            .text()
            .lines()
            .map(|line| line.split("  ").last().unwrap_or_default().to_owned())
            .collect();
        assert_eq!(
            lines,
            [
                "still running after 30s",
                "half-way",
                "still running after 1m20s: 60 of 120 samples"
            ]
        );
    }

    #[tokio::test(start_paused = true)]
    async fn a_tool_that_talks_has_none() {
        let (runner, log) = runner(&[]);
        let talk = async {
            for _ in 0..20 {
                tokio::time::sleep(Duration::from_secs(10)).await;
                runner.info("here");
            }
        };
        assert!(supervise(&runner, talk).await.is_ok());
        assert!(!log.text().contains("still running"), "{}", log.text());
    }
}
