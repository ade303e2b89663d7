//! When the circuit breaker ends a deployment.
//!
//! The rules are those of
//! [the deployment circuit breaker](https://docs.aws.amazon.com/AmazonECS/latest/developerguide/deployment-circuit-breaker.html).

use serde_json::Value;

/// How many failures are too many for a service of this size.
pub(super) fn threshold(configuration: &Value, desired: u64) -> u64 {
    let asked = &configuration["deploymentCircuitBreaker"]["thresholdConfiguration"];
    let value = asked["value"].as_u64();
    let share = |percent: u64| desired.saturating_mul(percent).div_ceil(100);
    match (asked["type"].as_str(), value) {
        (Some("COUNT"), Some(value)) => value.max(1),
        (Some("UNBOUNDED_PERCENT"), Some(value)) => share(value).max(1),
        (_, value) => share(value.unwrap_or(50)).clamp(3, 200),
    }
}

/// Whether it watches at all.
pub(super) fn is_on(configuration: &Value) -> bool {
    configuration["deploymentCircuitBreaker"]["enable"] == true
}

/// Whether it takes the service back.
pub(super) fn takes_back(configuration: &Value) -> bool {
    configuration["deploymentCircuitBreaker"]["rollback"] == true
}

/// Whether a healthy task makes it forget failures: the default.
pub(super) fn forgives(configuration: &Value) -> bool {
    configuration["deploymentCircuitBreaker"]["resetOnHealthyTask"] != false
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn the_threshold_is_half_of_the_size_within_bounds_or_as_asked() {
        for (desired, expected) in [(0, 3), (1, 3), (6, 3), (7, 4), (50, 25), (1000, 200)] {
            assert_eq!(threshold(&json!({}), desired), expected, "{desired}");
        }
        for (kind, value, desired, expected) in [
            ("COUNT", 1, 50, 1),
            ("UNBOUNDED_PERCENT", 10, 50, 5),
            ("BOUNDED_PERCENT", 10, 50, 5),
            ("BOUNDED_PERCENT", 10, 5, 3),
        ] {
            let asked = json!({ "deploymentCircuitBreaker": { "thresholdConfiguration": { "type": kind, "value": value } } });
            assert_eq!(threshold(&asked, desired), expected, "{kind}");
        }
    }
}
