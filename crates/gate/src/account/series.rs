//! The values of a rule over time, made small enough to be seen: points for a report, and a line of blocks. Pure.
//!
//! Of several values that fall together the worst stays, so that a peak does not go lost. A time without data stays a
//! gap and is never drawn as zero.

use crate::course::Course;
use serde::Serialize;

use super::to_millis;

/// A point.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Point {
    /// When, in milliseconds from the start of the observation.
    pub at_ms: u64,
    /// The value in the rule's unit; none where there was no data.
    pub value: Option<f64>,
}

/// Which of two values is the worse one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Worse {
    /// The larger one.
    Larger,
    /// The smaller one.
    Smaller,
}

/// The blocks of a line, from the lowest to the highest.
const BLOCKS: [char; 8] = ['▁', '▂', '▃', '▄', '▅', '▆', '▇', '█'];

/// What stands for a time without data.
const GAP: char = '·';

/// The points of a rule's course.
#[must_use]
pub fn points(course: &Course) -> Vec<Point> {
    let points = course.points.iter();
    points
        .map(|point| Point {
            at_ms: to_millis(point.at),
            value: point.value,
        })
        .collect()
}

/// At most so many points, the worst of each stretch.
#[must_use]
pub fn thinned(points: &[Point], most: usize, worse: Worse) -> Vec<Point> {
    if points.len() <= most {
        return points.to_vec();
    }
    let stretch = points.len().div_ceil(most.max(1));
    points
        .chunks(stretch)
        .filter_map(|chunk| {
            let worst = worst(chunk.iter().filter_map(|point| point.value), worse);
            let kept = chunk.iter().find(|point| point.value == worst);
            kept.or(chunk.first()).copied()
        })
        .collect()
}

/// The values of so many equal spans of time, at most as many as there are points. A span in which nothing was judged
/// repeats the one before: nothing else was known then.
#[must_use]
pub fn spans(points: &[Point], most: usize, worse: Worse) -> Vec<Option<f64>> {
    let (Some(first), Some(last)) = (points.first(), points.last()) else {
        return Vec::new();
    };
    let count = most.min(points.len()).max(1);
    let length = (last.at_ms.saturating_sub(first.at_ms) / count as u64).saturating_add(1);
    let mut spans: Vec<Option<Option<f64>>> = vec![None; count];
    for point in points {
        let at = usize::try_from(point.at_ms.saturating_sub(first.at_ms) / length).unwrap_or(count);
        let span = &mut spans[at.min(count - 1)];
        *span = Some(worst(span.flatten().into_iter().chain(point.value), worse));
    }
    let mut before = None;
    spans
        .into_iter()
        .map(|span| {
            before = span.unwrap_or(before);
            before
        })
        .collect()
}

/// A line of blocks, at most so many. Its lowest block is zero, or the lowest value below that; its highest is the
/// highest value or the limit.
#[must_use]
pub fn sparkline(points: &[Point], limit: Option<f64>, most: usize, worse: Worse) -> String {
    let values = spans(points, most, worse);
    let known = || {
        values
            .iter()
            .flatten()
            .copied()
            .chain(limit)
            .filter(|value| value.is_finite())
    };
    let low = known().fold(0.0, f64::min);
    let high = known().fold(low, f64::max);
    values
        .iter()
        .map(|value| match value {
            Some(value) if value.is_nan() => GAP,
            Some(value) => block((value - low) / (high - low)),
            None => GAP,
        })
        .collect()
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "clamped to the blocks there are"
)]
fn block(share: f64) -> char {
    // Nothing above nothing is the lowest block.
    let share = if share.is_nan() {
        0.0
    } else {
        share.clamp(0.0, 1.0)
    };
    BLOCKS[(share * 7.0).round() as usize]
}

fn worst(values: impl Iterator<Item = f64>, worse: Worse) -> Option<f64> {
    values.reduce(|a, b| match worse {
        Worse::Larger => a.max(b),
        Worse::Smaller => a.min(b),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::{any, proptest};

    fn points(values: &[Option<f64>]) -> Vec<Point> {
        (0..)
            .zip(values)
            .map(|(index, value)| Point {
                at_ms: 1000 * index,
                value: *value,
            })
            .collect()
    }

    #[test]
    fn a_line_of_blocks_has_gaps_and_no_zeros_for_them() {
        let values = [Some(0.0), Some(0.02), None, Some(0.04)];
        assert_eq!(sparkline(&points(&values), None, 40, Worse::Larger), "▁▅·█");
        assert_eq!(
            sparkline(&points(&values), Some(0.08), 40, Worse::Larger),
            "▁▃·▅",
            "the limit is in the picture"
        );
        assert_eq!(sparkline(&points(&[None, None]), None, 40, Worse::Larger), "··");
        assert_eq!(sparkline(&points(&[Some(0.0)]), None, 40, Worse::Larger), "▁");
        assert_eq!(sparkline(&[], Some(1.0), 40, Worse::Larger), "");
    }

    #[test]
    fn the_worst_of_a_span_stays() {
        let many: Vec<Option<f64>> = (0..100).map(|n| Some(f64::from(n % 10))).collect();
        assert_eq!(spans(&points(&many), 10, Worse::Larger), [Some(9.0); 10]);
        assert_eq!(spans(&points(&many), 10, Worse::Smaller), [Some(0.0); 10]);
        let thin = thinned(&points(&many), 10, Worse::Larger);
        assert!(thin.len() == 10 && thin.iter().all(|point| point.value == Some(9.0)));
    }

    #[test]
    fn where_nothing_was_judged_the_last_judgement_stands() {
        let mut uneven = points(&[Some(1.0), Some(2.0), None, Some(3.0)]);
        uneven[2].at_ms = 6000;
        uneven[3].at_ms = 7999;
        assert_eq!(
            spans(&uneven, 4, Worse::Larger),
            [Some(2.0), Some(2.0), Some(2.0), Some(3.0)]
        );
    }

    proptest! {
        #[test]
        fn any_points_are_drawn(
            values in proptest::collection::vec((any::<u64>(), proptest::option::of(any::<f64>())), 0..100),
            limit in proptest::option::of(any::<f64>()), most in 0usize..50,
        ) {
            let points: Vec<Point> = values.iter().map(|(at_ms, value)| Point { at_ms: *at_ms, value: *value }).collect();
            let line = sparkline(&points, limit, most, Worse::Larger);
            assert!(line.chars().count() <= most.max(1));
            assert!(line.chars().all(|c| c == GAP || BLOCKS.contains(&c)));
            assert!(thinned(&points, most, Worse::Smaller).len() <= most.max(1));
        }
    }
}
