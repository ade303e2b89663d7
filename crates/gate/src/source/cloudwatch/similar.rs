//! What exists under the name of a metric that has no data: the same metric, others that are like it, or none. Pure.

use aws_sdk_cloudwatch::types::{self, Dimension};

use gha::{accounts, text};

use crate::expect::quoted;
use crate::source::Metric;

/// How many metrics are named.
const NAMED: usize = 3;

/// What to say of a metric without data. `listed` are the metrics of its namespace and name, of the last two weeks; there
/// may be `more`.
pub(super) fn hint(metric: &Metric, listed: &[types::Metric], more: bool) -> String {
    let (name, namespace) = (quoted(&metric.name), quoted(&metric.namespace));
    let exists = listed
        .iter()
        .any(|one| same(&metric.dimensions, one.dimensions()));
    match listed {
        _ if exists => format!("the metric {name} exists and has no points in this window"),
        [] => format!(
            "no metric {name} in namespace {namespace} within two weeks: a wrong name, or it never had a point, as counts of errors of a healthy service have not"
        ),
        _ if more => format!(
            "many metrics {name} in namespace {namespace}; whether one has these dimensions was not looked at"
        ),
        listed => format!(
            "no metric {name} in namespace {namespace} with these dimensions; there {}",
            others(listed)
        ),
    }
}

/// Whether a metric has just these dimensions, in any order.
fn same(wanted: &[(String, String)], found: &[Dimension]) -> bool {
    let pair = |dimension: &Dimension| -> Option<(String, String)> {
        Some((dimension.name()?.to_owned(), dimension.value()?.to_owned()))
    };
    let mut found: Vec<_> = found.iter().filter_map(pair).collect();
    let mut wanted = wanted.to_vec();
    found.sort_unstable();
    wanted.sort_unstable();
    found == wanted
}

/// Some metrics by their dimensions.
fn others(listed: &[types::Metric]) -> String {
    let named: Vec<String> = listed.iter().take(NAMED).map(dimensions).collect();
    let verb = if listed.len() == 1 { "is one" } else { "are some" };
    let left = listed.len().saturating_sub(NAMED);
    let rest = if left > 0 {
        format!(" and {left} more")
    } else {
        String::new()
    };
    format!("{verb} with {}{rest}", named.join(", "))
}

/// A metric's dimensions for people, without account numbers.
fn dimensions(metric: &types::Metric) -> String {
    if metric.dimensions().is_empty() {
        return "no dimensions".to_owned();
    }
    let pair = |dimension: &Dimension| {
        format!(
            "{}={}",
            dimension.name().unwrap_or_default(),
            dimension.value().unwrap_or_default()
        )
    };
    let pairs: Vec<String> = metric.dimensions().iter().map(pair).collect();
    let shown = text::line(&accounts::without(&pairs.join(",")));
    quoted(&shown)
}
