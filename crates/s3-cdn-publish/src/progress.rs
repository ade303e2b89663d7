//! How a phase stands, for a person who waits. Pure.

use std::time::Duration;

use gha::duration;
use gha::edge::live::{Line, Tone};

use crate::phase::Phase;

/// A phase in one line.
#[must_use]
pub fn line(phase: Phase, files: u64, of: usize, bytes: u64, took: Duration) -> String {
    let of = of as u64;
    let counted = if files == of {
        format!("{files} done")
    } else {
        format!("{files} of {of} done")
    };
    let rate = rate(bytes, took).map(|rate| format!(", {rate}"));
    let left = left(files, of, took).map(|left| format!(", {left} left"));
    format!(
        "{phase}: {counted}, {} sent{}{}",
        size(bytes),
        rate.unwrap_or_default(),
        left.unwrap_or_default()
    )
}

/// The same for a terminal.
#[must_use]
pub fn live(phase: Phase, files: u64, of: usize, bytes: u64, took: Duration) -> Vec<Line> {
    vec![Line {
        tone: Tone::Plain,
        text: line(phase, files, of, bytes, took),
    }]
}

/// A size as people read it.
#[must_use]
#[expect(clippy::cast_precision_loss, reason = "one digit behind the point is shown")]
pub fn size(bytes: u64) -> String {
    let units = ["B", "kB", "MB", "GB", "TB"];
    let mut value = bytes as f64;
    let mut unit = 0;
    while value >= 999.95 && unit + 1 < units.len() {
        value /= 1000.0;
        unit += 1;
    }
    if unit == 0 {
        format!("{bytes} B")
    } else {
        format!("{value:.1} {}", units[unit])
    }
}

/// How fast it is; none where it took no time to speak of.
#[expect(
    clippy::cast_precision_loss,
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "an estimate"
)]
fn rate(bytes: u64, took: Duration) -> Option<String> {
    let seconds = took.as_secs_f64();
    (bytes > 0 && seconds >= 0.1).then(|| format!("{}/s", size((bytes as f64 / seconds) as u64)))
}

/// How long it may take yet, if it goes on as it began.
fn left(files: u64, of: u64, took: Duration) -> Option<String> {
    let rest = u32::try_from(of.checked_sub(files)?).ok()?;
    let done = u32::try_from(files).ok().filter(|&done| done > 0)?;
    let left = took.checked_mul(rest)? / done;
    (rest > 0 && took.as_secs() >= 1).then(|| duration::display(left))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_phase_says_how_far_it_is_how_fast_and_for_how_long() {
        let line =
            |files, bytes, seconds| line(Phase::Assets, files, 100, bytes, Duration::from_secs(seconds));
        assert_eq!(
            line(25, 5_000_000, 2),
            "assets: 25 of 100 done, 5.0 MB sent, 2.5 MB/s, 6s left"
        );
        assert_eq!(line(100, 0, 0), "assets: 100 done, 0 B sent");
        assert_eq!(line(0, 0, 5), "assets: 0 of 100 done, 0 B sent");
    }

    #[test]
    fn sizes_are_short() {
        for (bytes, text) in [
            (0, "0 B"),
            (999, "999 B"),
            (1_000, "1.0 kB"),
            (999_949, "999.9 kB"),
            (999_999, "1.0 MB"),
            (u64::MAX, "18446744.1 TB"),
        ] {
            assert_eq!(size(bytes), text);
        }
    }
}
