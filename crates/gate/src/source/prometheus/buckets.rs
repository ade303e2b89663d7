//! The buckets of a classic histogram, read from the series that its `le` labels tell apart. Pure.
//!
//! As `histogram_quantile` of Prometheus does it (`promql/quantile.go`): counts of bounds that are equal as numbers are added, and
//! counts are made to never fall, because the scrapes of several instances are not of the same moment.

use crate::expect::quoted;
use crate::source::prometheus::answer::{Data, Sample, Told};
use crate::source::{Bucket, Reading, Value};
use crate::trouble::Trouble;

/// The question for the buckets of a selector over a window, as PromQL.
pub(super) fn query(selector: &str, window: &str) -> String {
    format!("sum by (le) (increase({}[{window}]))", selector.trim())
}

/// Reads the answer to [`query`].
pub(super) fn read(told: Told<Data>) -> Result<Reading, Trouble> {
    let Data::Vector(series) = told.data else {
        return Err(Trouble::question(
            "the selector gives no series; name the one that ends in `_bucket`",
        ));
    };
    let buckets = series.iter().map(bucket).collect::<Result<Vec<_>, _>>()?;
    let value = match buckets {
        buckets if buckets.is_empty() || buckets.iter().any(|bucket| bucket.count.is_nan()) => Value::Nothing,
        buckets => Value::Buckets(cumulative(buckets)?),
    };
    Ok(Reading {
        value,
        notes: told.notes,
    })
}

/// One series as a bucket.
fn bucket(sample: &Sample) -> Result<Bucket, Trouble> {
    if sample.is_histogram() {
        return Err(Trouble::question(
            "the selector gives a native histogram, which has no buckets of its own; name a classic one, which ends in `_bucket`, or ask by PromQL",
        ));
    }
    let bound = sample.metric.get("le").ok_or_else(|| {
        Trouble::question("the selected series have no label `le`; name the one that ends in `_bucket`")
    })?;
    let number = bound.parse::<f64>().ok().filter(|bound| !bound.is_nan());
    match (number, sample.number()) {
        (Some(bound), Some(count)) => Ok(Bucket { bound, count }),
        (None, _) => Err(Trouble::question(format!(
            "the bucket's bound {} is no number",
            quoted(bound)
        ))),
        (_, None) => Err(Trouble::question(format!(
            "the bucket of {} has no count",
            quoted(bound)
        ))),
    }
}

/// Buckets in rising order of their bounds, each bound once, counts that never fall.
fn cumulative(mut buckets: Vec<Bucket>) -> Result<Vec<Bucket>, Trouble> {
    buckets.sort_by(|a, b| a.bound.total_cmp(&b.bound));
    let mut risen: Vec<Bucket> = Vec::with_capacity(buckets.len());
    for bucket in buckets {
        match risen.last_mut() {
            // `==` and not by bits: -0 is 0.
            Some(last) if last.bound == bucket.bound => last.count += bucket.count,
            _ => risen.push(bucket),
        }
    }
    let mut highest = 0.0_f64;
    for bucket in &mut risen {
        highest = highest.max(bucket.count);
        bucket.count = highest;
    }
    match risen.last() {
        Some(last) if last.bound == f64::INFINITY => Ok(risen),
        _ => Err(Trouble::question(
            "the bucket of `le=\"+Inf\"` is missing, which counts all: take filters on `le` out of the selector",
        )),
    }
}
