//! Attributes of groups and load balancers: kept as given; the deregistration delay is obeyed.

use std::time::Duration;

use serde_json::{Value, json};

use super::super::call::{Answer, Refusal};
use super::super::input::{list, text};
use super::Balancers;
use super::balancers::balancer_not_found;
use super::groups::group_not_found;

const DELAY: &str = "deregistration_delay.timeout_seconds";

/// What a group has without being asked.
const OF_GROUP: [(&str, &str); 6] = [
    (DELAY, "300"),
    ("load_balancing.algorithm.type", "round_robin"),
    ("slow_start.duration_seconds", "0"),
    ("stickiness.enabled", "false"),
    ("stickiness.type", "lb_cookie"),
    ("stickiness.lb_cookie.duration_seconds", "86400"),
];

const OF_BALANCER: [(&str, &str); 3] = [
    ("access_logs.s3.enabled", "false"),
    ("deletion_protection.enabled", "false"),
    ("idle_timeout.timeout_seconds", "60"),
];

impl Balancers {
    pub(super) fn describe_attributes(&self, input: &Value, of: &str) -> Answer {
        let arn = text(input, of);
        self.check_owner(arn, of)?;
        Ok(self.shown_attributes(arn, of))
    }

    pub(super) fn modify_attributes(&mut self, input: &Value, of: &str) -> Answer {
        let arn = text(input, of);
        self.check_owner(arn, of)?;
        let kept = self.attributes.entry(arn.to_owned()).or_default();
        for attribute in list(input, "Attributes") {
            kept.insert(
                text(attribute, "Key").to_owned(),
                text(attribute, "Value").to_owned(),
            );
        }
        Ok(self.shown_attributes(arn, of))
    }

    /// How long a target of the group drains.
    pub(super) fn deregistration_delay(&self, group: &str) -> Duration {
        let kept = self.attributes.get(group).and_then(|kept| kept.get(DELAY));
        Duration::from_secs(kept.and_then(|seconds| seconds.parse().ok()).unwrap_or(300))
    }

    fn check_owner(&self, arn: &str, of: &str) -> Result<(), Refusal> {
        match of {
            "TargetGroupArn" if !self.groups.iter().any(|known| known.arn == arn) => Err(group_not_found()),
            "LoadBalancerArn" if !self.has_balancer(arn) => Err(balancer_not_found()),
            _ => Ok(()),
        }
    }

    fn shown_attributes(&self, arn: &str, of: &str) -> Value {
        let usual: &[(&str, &str)] = if of == "TargetGroupArn" {
            &OF_GROUP
        } else {
            &OF_BALANCER
        };
        let kept = self.attributes.get(arn).cloned().unwrap_or_default();
        let mut shown: Vec<Value> = usual
            .iter()
            .filter(|(key, _)| !kept.contains_key(*key))
            .map(|(key, value)| json!({ "Key": key, "Value": value }))
            .collect();
        shown.extend(
            kept.iter()
                .map(|(key, value)| json!({ "Key": key, "Value": value })),
        );
        json!({ "Attributes": shown })
    }
}
