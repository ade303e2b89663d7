//! How many pods the other colour gets: as many as what is live has, or may need at once. Pure.

use serde_json::Value;

use crate::object::number;

/// How many pods the new version has when it gets the traffic. The number that was asked for wins; a manifest's own is of no account,
/// because load has decided since.
#[must_use]
pub fn replicas(asked: Option<u32>, live: &Value, ready: usize, scaler: Option<&Value>) -> u64 {
    if let Some(asked) = asked {
        return u64::from(asked);
    }
    let of_scaler = |pointer: &str| scaler.and_then(|scaler| number(scaler, pointer)).unwrap_or(0);
    number(live, "/spec/replicas")
        .unwrap_or(1)
        .max(u64::try_from(ready).unwrap_or(u64::MAX))
        .max(of_scaler("/spec/minReplicas"))
        .max(of_scaler("/spec/minReplicaCount"))
        .max(of_scaler("/status/desiredReplicas"))
        .max(1)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn there_are_as_many_as_are_live_or_wanted() {
        let live = json!({"spec": {"replicas": 3}});
        let scaler = json!({"spec": {"minReplicas": 2}, "status": {"desiredReplicas": 7}});
        assert_eq!(replicas(None, &live, 3, None), 3);
        assert_eq!(replicas(None, &live, 5, None), 5);
        assert_eq!(replicas(None, &live, 3, Some(&scaler)), 7);
        assert_eq!(replicas(Some(1), &live, 3, Some(&scaler)), 1);
        assert_eq!(replicas(None, &json!({"spec": {"replicas": 0}}), 0, None), 1);
    }
}
