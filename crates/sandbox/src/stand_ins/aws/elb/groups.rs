//! Target groups and what is registered in each.

use std::time::Duration;

use serde_json::{Value, json};

use super::super::call::{Answer, Refusal};
use super::super::input::{text, texts};
use super::balancers::balancer_not_found;
use super::health::{Checks, Health, State};
use super::{Balancers, PAGES, missing};

/// A group.
#[derive(Clone, Debug)]
pub(super) struct Group {
    pub(super) arn: String,
    /// As `DescribeTargetGroups` shows it, without `LoadBalancerArns`.
    pub(super) shown: Value,
    /// Since when a rule refers to it.
    used_since: Option<Duration>,
    pub(super) targets: Vec<Target>,
}

/// A target.
#[derive(Clone, Debug)]
pub(super) struct Target {
    pub(super) id: String,
    pub(super) port: u16,
    checks: Checks,
    registered: Duration,
    /// When it is drained.
    gone: Option<Duration>,
}

impl Group {
    /// Whether a rule refers to the group from now on.
    pub(super) fn use_since(&mut self, used: bool, now: Duration) {
        self.used_since = used.then_some(self.used_since.unwrap_or(now));
    }

    pub(super) fn register(&mut self, id: &str, port: u16, checks: Checks, now: Duration) {
        self.targets.retain(|known| known.id != id || known.port != port);
        self.targets.push(Target {
            id: id.to_owned(),
            port,
            checks,
            registered: now,
            gone: None,
        });
    }

    pub(super) fn deregister(&mut self, id: &str, port: u16, now: Duration, delay: Duration) {
        // Where nothing is sent there is nothing to end.
        let delay = self.used_since.map_or(Duration::ZERO, |_| delay);
        let found = self
            .targets
            .iter_mut()
            .find(|known| known.id == id && known.port == port);
        if let Some(target) = found.filter(|target| target.gone.is_none()) {
            target.gone = Some(now + delay);
        }
    }

    pub(super) fn health(&self, id: &str, port: u16, now: Duration) -> Option<Health> {
        let target = self
            .targets
            .iter()
            .find(|known| known.id == id && known.port == port)?;
        if let Some(gone) = target.gone {
            let draining = Health::of(
                State::Draining,
                "Target.DeregistrationInProgress",
                "Target deregistration is in progress",
            );
            return (gone > now).then_some(draining);
        }
        let Some(used) = self.used_since else {
            return Some(Health::of(
                State::Unused,
                "Target.NotInUse",
                "Target group is not configured to receive traffic from the load balancer",
            ));
        };
        Some(target.checks.at(now.saturating_sub(used.max(target.registered))))
    }
}

/// What a group has without being asked.
fn defaults() -> Value {
    json!({
        "Protocol": "HTTP",
        "Port": 80,
        "HealthCheckProtocol": "HTTP",
        "HealthCheckPort": "traffic-port",
        "HealthCheckEnabled": true,
        "HealthCheckIntervalSeconds": 30,
        "HealthCheckTimeoutSeconds": 5,
        "HealthyThresholdCount": 5,
        "UnhealthyThresholdCount": 2,
        "HealthCheckPath": "/",
        "Matcher": { "HttpCode": "200" },
        "TargetType": "instance",
        "ProtocolVersion": "HTTP1",
        "IpAddressType": "ipv4",
    })
}

impl Balancers {
    pub(super) fn create_group(&mut self, input: &Value) -> Answer {
        let name = text(input, "Name");
        if name.is_empty() {
            return Err(missing("Name"));
        }
        if self
            .groups
            .iter()
            .any(|known| known.shown["TargetGroupName"] == name)
        {
            return Err(Refusal::new(
                "DuplicateTargetGroupName",
                format!("A target group with the same name '{name}' exists, but with different settings"),
            ));
        }
        let id = self.next_id();
        let arn = self
            .home
            .arn("elasticloadbalancing", &format!("targetgroup/{name}/{id}"));
        let mut shown = json!({ "TargetGroupArn": arn, "TargetGroupName": name });
        if let Value::Object(defaults) = defaults() {
            for (member, value) in defaults {
                shown[&member] = if input[&member].is_null() {
                    value
                } else {
                    input[&member].clone()
                };
            }
        }
        if !input["VpcId"].is_null() {
            shown["VpcId"] = input["VpcId"].clone();
        }
        self.groups.push(Group {
            arn: arn.clone(),
            shown,
            used_since: None,
            targets: Vec::new(),
        });
        self.tag_new(&arn, input);
        Ok(json!({ "TargetGroups": self.shown_groups(|group| group.arn == arn) }))
    }

    pub(super) fn describe_groups(&self, input: &Value) -> Answer {
        let (arns, names) = (texts(input, "TargetGroupArns"), texts(input, "Names"));
        let balancer = text(input, "LoadBalancerArn");
        if !balancer.is_empty() && !self.has_balancer(balancer) {
            return Err(balancer_not_found());
        }
        let all = arns.is_empty() && names.is_empty() && balancer.is_empty();
        let shown = self.shown_groups(|group| {
            all || arns.contains(&group.arn.as_str())
                || names.contains(&text(&group.shown, "TargetGroupName"))
                || (!balancer.is_empty()
                    && self
                        .balancers_of(&group.arn)
                        .iter()
                        .any(|known| known == balancer))
        });
        if shown.len() < arns.len() + names.len() {
            return Err(group_not_found());
        }
        Ok(PAGES.of(input, "TargetGroups", shown))
    }

    pub(super) fn modify_group(&mut self, input: &Value) -> Answer {
        let arn = text(input, "TargetGroupArn").to_owned();
        let Some(group) = self.groups.iter_mut().find(|known| known.arn == arn) else {
            return Err(group_not_found());
        };
        let given = input.as_object().into_iter().flatten();
        for (member, value) in given.filter(|(member, _)| {
            member.starts_with("Health") || *member == "Matcher" || member.starts_with("Unhealthy")
        }) {
            group.shown[member] = value.clone();
        }
        Ok(json!({ "TargetGroups": self.shown_groups(|group| group.arn == arn) }))
    }

    pub(super) fn delete_group(&mut self, input: &Value) -> Answer {
        let arn = text(input, "TargetGroupArn");
        if self.is_used(arn) {
            return Err(Refusal::new(
                "ResourceInUse",
                format!("Target group '{arn}' is currently in use by a listener or a rule"),
            ));
        }
        self.groups.retain(|group| group.arn != arn);
        Ok(json!({}))
    }

    fn shown_groups(&self, wanted: impl Fn(&Group) -> bool) -> Vec<Value> {
        let groups = self.groups.iter().filter(|group| wanted(group));
        groups
            .map(|group| {
                let mut shown = group.shown.clone();
                shown["LoadBalancerArns"] = json!(self.balancers_of(&group.arn));
                shown
            })
            .collect()
    }
}

pub(super) fn group_not_found() -> Refusal {
    Refusal::new("TargetGroupNotFound", "One or more target groups not found")
}
