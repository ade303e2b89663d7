//! The statistics against SciPy's values (`data/scipy_golden.py` wrote them), far into the tails.
#![expect(clippy::unwrap_used, reason = "a test that can't go on fails where it stands")]

use gate::stats::{beta, binomial, normal, proportion, student};
use serde_json::Value;

/// The rows of one table.
fn rows(table: &str) -> Vec<Vec<f64>> {
    let golden: Value = serde_json::from_str(include_str!("data/scipy_golden.json")).unwrap();
    let read = |row: &Value| {
        row.as_str()
            .unwrap()
            .split(' ')
            .map(|number| number.parse().unwrap())
            .collect()
    };
    golden[table].as_array().unwrap().iter().map(read).collect()
}

/// Holds every row's last value against what we compute of the others; the bound is of the worst relative error.
fn holds(table: &str, bound: f64, ours: impl Fn(&[f64]) -> f64) {
    let rows = rows(table);
    let mut worst = (0.0, Vec::new());
    for row in &rows {
        let (expected, given) = row.split_last().unwrap();
        let value = ours(given);
        let error = if value == *expected {
            0.0
        } else {
            (value / expected - 1.0).abs()
        };
        assert!(!error.is_nan(), "{table} {row:?}: {value}");
        if error > worst.0 {
            worst = (error, row.clone());
        }
    }
    assert!(worst.0 <= bound && rows.len() > 10, "{table}: {worst:?}");
}

fn count(value: f64) -> u64 {
    value as u64
}

#[test]
fn normal_tail() {
    holds("normal_sf", 1e-13, |row| normal::sf(row[0]));
    holds("normal_isf", 1e-13, |row| normal::quantile_above(row[0]));
}

#[test]
fn student_tail() {
    holds("student_sf", 2e-13, |row| student::sf(row[0], row[1]));
    holds("student_isf", 1e-13, |row| {
        student::quantile_above(row[0], row[1])
    });
}

#[test]
fn beta_tails() {
    holds("beta_cdf", 1e-12, |row| beta::cdf(row[0], row[1], row[2]));
    holds("beta_sf", 1e-12, |row| beta::sf(row[0], row[1], row[2]));
    holds("beta_ppf", 1e-13, |row| beta::quantile(row[0], row[1], row[2]));
    holds("beta_isf", 1e-13, |row| {
        beta::quantile_above(row[0], row[1], row[2])
    });
}

#[test]
fn binomial_tails() {
    holds("binomial_at_least", 2e-12, |row| {
        binomial::at_least(count(row[0]), count(row[1]), row[2])
    });
    holds("binomial_at_most", 2e-12, |row| {
        binomial::at_most(count(row[0]), count(row[1]), row[2])
    });
}

#[test]
fn bounds_of_a_share() {
    for row in rows("clopper_pearson") {
        let [bad, total, alpha, low, high] = row[..] else {
            panic!("{row:?}")
        };
        let close = |ours: f64, theirs: f64| (ours - theirs).abs() <= 1e-12 * theirs;
        assert!(close(proportion::lower(bad, total, alpha), low), "{row:?}");
        assert!(close(proportion::upper(bad, total, alpha), high), "{row:?}");
    }
}
