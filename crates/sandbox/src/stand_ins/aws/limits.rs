//! The request limits of ECS: a bucket of tokens for each group of operations, which refills on the cloud's clock.
//!
//! The figures are those of
//! [request throttling for the API](https://docs.aws.amazon.com/AmazonECS/latest/APIReference/request-throttling.html). Limits:
//! other services are not throttled, nor are operations that the page does not name.

use std::collections::BTreeMap;
use std::time::Duration;

use super::call::Call;

/// Name, size and refill in a second of each bucket, and what draws from it.
const BUCKETS: [(&str, f64, f64, &[&str]); 10] = [
    (
        "definition changes",
        20.0,
        1.0,
        &["RegisterTaskDefinition", "DeregisterTaskDefinition"],
    ),
    (
        "definitions",
        50.0,
        20.0,
        &[
            "DescribeTaskDefinition",
            "ListTaskDefinitions",
            "ListTaskDefinitionFamilies",
        ],
    ),
    ("definition removals", 5.0, 1.0, &["DeleteTaskDefinitions"]),
    (
        "service changes",
        50.0,
        5.0,
        &["CreateService", "UpdateService", "DeleteService"],
    ),
    ("services", 100.0, 20.0, &["DescribeServices", "ListServices"]),
    (
        "service deployments",
        50.0,
        20.0,
        &["DescribeServiceDeployments", "ListServiceDeployments"],
    ),
    ("service revisions", 50.0, 20.0, &["DescribeServiceRevisions"]),
    ("task changes", 100.0, 40.0, &["RunTask", "StopTask"]),
    ("tasks", 100.0, 20.0, &["DescribeTasks", "ListTasks"]),
    ("tag changes", 20.0, 10.0, &["TagResource", "UntagResource"]),
];

/// What is left in each bucket that was drawn from, and when that was.
#[derive(Clone, Debug, Default)]
pub(crate) struct Limits {
    left: BTreeMap<&'static str, (f64, Duration)>,
}

impl Limits {
    /// Draws a token for a call; false when there is none.
    pub(crate) fn draw(&mut self, call: &Call) -> bool {
        let bucket = BUCKETS
            .iter()
            .find(|(_, _, _, operations)| operations.contains(&call.operation.as_str()));
        let (Some((name, size, refill, _)), "ecs") = (bucket, call.service) else {
            return true;
        };
        let (left, since) = self.left.get(name).copied().unwrap_or((*size, call.now));
        let passed = call.now.saturating_sub(since).as_secs_f64();
        let full = passed.mul_add(*refill, left).min(*size);
        let drawn = full >= 1.0;
        self.left
            .insert(name, (if drawn { full - 1.0 } else { full }, call.now));
        drawn
    }
}

#[cfg(test)]
mod tests {
    use serde_json::Value;

    use super::*;

    #[test]
    fn a_bucket_empties_and_refills() {
        let mut limits = Limits::default();
        let mut draw = |operation: &str, second: u64| {
            let (operation, now) = (operation.to_owned(), Duration::from_secs(second));
            let call = Call {
                service: "ecs",
                operation,
                input: Value::Null,
                now,
            };
            limits.draw(&call)
        };
        assert!((0..20).all(|_| draw("RegisterTaskDefinition", 0)));
        assert!(!draw("RegisterTaskDefinition", 0) && draw("DescribeServices", 0));
        assert!(draw("RegisterTaskDefinition", 1) && !draw("DeregisterTaskDefinition", 1));
        assert!((0..200).all(|_| draw("ListClusters", 1)));
    }
}
