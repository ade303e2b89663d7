//! Runs commands in turn and keeps what each run took: wall-clock time from before `fork` to after `wait`, and CPU time.
//!
//! CPU time is user and system time of the command with all that it waited for: the growth of this process'
//! [`getrusage(RUSAGE_CHILDREN)`](https://man7.org/linux/man-pages/man2/getrusage.2.html) over the run. So nothing else
//! of this process may end a child meanwhile.

use std::process::Stdio;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, ensure};
use nix::sys::resource::{Usage, UsageWho, getrusage};
use nix::sys::time::TimeValLike as _;

use super::subject::Subject;
use crate::command;

/// What the runs of one subject took, in the order they were made.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Samples {
    /// Wall-clock times.
    pub wall: Vec<Duration>,
    /// CPU times.
    pub cpu: Vec<Duration>,
}

/// Runs every subject `runs` times, one run of each in a round, so that what disturbs the machine disturbs all alike.
///
/// A first round that is not measured warms the caches and shows that the commands work.
///
/// # Errors
/// When a command can't be started or fails: the time of a failure is the time of something else.
pub fn interleaved(subjects: &[Subject], runs: u32) -> Result<Vec<Samples>> {
    for subject in subjects {
        subject.prepare()?;
        command::read(&mut subject.command()).with_context(|| format!("can't measure `{}`", subject.name))?;
    }
    let mut samples = vec![Samples::default(); subjects.len()];
    for round in 0..runs {
        // There and back again, so that nobody always runs behind the same neighbour.
        let order: Vec<usize> = if round.is_multiple_of(2) {
            (0..subjects.len()).collect()
        } else {
            (0..subjects.len()).rev().collect()
        };
        for index in order {
            if let (Some(subject), Some(kept)) = (subjects.get(index), samples.get_mut(index)) {
                let (wall, cpu) = once(subject)?;
                kept.wall.push(wall);
                kept.cpu.push(cpu);
            }
        }
    }
    Ok(samples)
}

fn once(subject: &Subject) -> Result<(Duration, Duration)> {
    subject.prepare()?;
    let mut command = subject.command();
    command.stdout(Stdio::null()).stderr(Stdio::null());
    let before = cpu_of_children()?;
    let begin = Instant::now();
    let status = command.status();
    let wall = begin.elapsed();
    let cpu = cpu_of_children()?.saturating_sub(before);
    let status = status.with_context(|| format!("failed to start `{}`", subject.name))?;
    ensure!(
        status.success(),
        "`{}` failed with {status} after it had worked once",
        subject.name
    );
    Ok((wall, cpu))
}

/// User and system time of all children that have ended.
pub(super) fn cpu_of_children() -> Result<Duration> {
    let usage: Usage =
        getrusage(UsageWho::RUSAGE_CHILDREN).context("failed to read the CPU time of children")?;
    let microseconds = usage.user_time().num_microseconds() + usage.system_time().num_microseconds();
    Ok(Duration::from_micros(
        u64::try_from(microseconds).unwrap_or_default(),
    ))
}

/// The middle of the times; of an even number the mean of the two in the middle.
#[must_use]
pub fn median(times: &[Duration]) -> Duration {
    let mut sorted = times.to_vec();
    sorted.sort_unstable();
    let at = |index: usize| sorted.get(index).copied().unwrap_or_default();
    let middle = sorted.len() / 2;
    if sorted.len().is_multiple_of(2) {
        (at(middle.saturating_sub(1)) + at(middle)) / 2
    } else {
        at(middle)
    }
}

/// The smallest of the times that at least 95 of 100 do not exceed
/// ([nearest rank](https://en.wikipedia.org/wiki/Percentile#The_nearest-rank_method)).
#[must_use]
pub fn p95(times: &[Duration]) -> Duration {
    let mut sorted = times.to_vec();
    sorted.sort_unstable();
    let rank = (sorted.len() * 95).div_ceil(100);
    sorted.get(rank.saturating_sub(1)).copied().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use proptest::prelude::*;

    use super::*;

    fn millis(times: &[u64]) -> Vec<Duration> {
        times.iter().map(|&time| Duration::from_millis(time)).collect()
    }

    #[test]
    fn the_middle_and_the_tail() {
        for (times, middle, tail) in [
            (vec![], 0, 0),
            (vec![7], 7, 7),
            (vec![9, 1], 5, 9),
            (vec![3, 1, 2], 2, 3),
            ((1..=20).rev().collect(), 10, 19),
            ((1..=100).collect(), 50, 95),
        ] {
            let times = millis(&times);
            assert_eq!(median(&times).as_millis(), middle, "{times:?}");
            assert_eq!(p95(&times).as_millis(), tail, "{times:?}");
        }
    }

    #[test]
    fn every_subject_runs_as_often_as_asked_and_finds_its_files_as_they_were() {
        let scratch = tempfile::tempdir().unwrap();
        let (log, grown) = (scratch.path().join("log"), scratch.path().join("grown"));
        let script = r#"test "$(cat "$GROWN")" = one || exit 9; echo two >>"$GROWN"; echo run >>"$LOG""#;
        let subject = Subject::ours("sh", Path::new("/bin/sh"), &["-c", script])
            .env("PATH", "/usr/bin:/bin")
            .env("LOG", &log)
            .env("GROWN", &grown)
            .with_file(&grown, b"one\n");
        let samples = interleaved(&[subject.clone(), subject], 3).unwrap();
        assert_eq!(samples.iter().map(|of| of.wall.len()).collect::<Vec<_>>(), [3, 3]);
        assert_eq!(samples.iter().map(|of| of.cpu.len()).collect::<Vec<_>>(), [3, 3]);
        // Three rounds that are measured and one that is not, for each of the two.
        assert_eq!(std::fs::read_to_string(log).unwrap().lines().count(), 8);
    }

    #[test]
    fn a_command_that_works_costs_something() {
        // Ten thousand rounds of a shell's loop are more than the clock's grain.
        let loops = "i=0; while [ $i -lt 10000 ]; do i=$((i+1)); done";
        let samples = interleaved(&[Subject::ours("sh", Path::new("/bin/sh"), &["-c", loops])], 1).unwrap();
        assert!(
            samples.iter().all(|of| of.cpu.iter().all(|cpu| !cpu.is_zero())),
            "{samples:?}"
        );
    }

    #[test]
    fn the_time_of_a_failure_is_not_taken() {
        let fails = Subject::ours(
            "sh that fails",
            Path::new("/bin/sh"),
            &["-c", "echo why >&2; exit 3"],
        );
        let error = format!("{:#}", interleaved(&[fails], 1).unwrap_err());
        assert!(
            error.starts_with("can't measure `sh that fails`") && error.ends_with("why"),
            "{error}"
        );

        let scratch = tempfile::tempdir().unwrap();
        let mark = scratch.path().join("mark");
        let once = Subject::ours(
            "once",
            Path::new("/bin/sh"),
            &["-c", r#"test ! -e "$MARK" && : >"$MARK""#],
        )
        .env("MARK", &mark);
        let error = format!("{:#}", interleaved(&[once], 1).unwrap_err());
        assert_eq!(
            error,
            "`once` failed with exit status: 1 after it had worked once"
        );
    }

    proptest! {
        #[test]
        fn both_are_between_the_extremes(times in prop::collection::vec(0_u64..10_000, 1..300)) {
            let times = millis(&times);
            let (least, most) = (*times.iter().min().unwrap(), *times.iter().max().unwrap());
            let (middle, tail) = (median(&times), p95(&times));
            prop_assert!(least <= middle && middle <= tail && tail <= most);
            let within = times.iter().filter(|&&time| time <= tail).count();
            prop_assert!(within * 100 >= times.len() * 95);
        }
    }
}
