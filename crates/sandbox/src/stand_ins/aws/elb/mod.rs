//! [Elastic Load Balancing v2](https://docs.aws.amazon.com/elasticloadbalancing/latest/APIReference/Welcome.html): load
//! balancers, listeners, rules and target groups, with the health of targets on the cloud's clock.
//!
//! Limits: no traffic flows; what would is asked with [`Balancers::shares`]. A group whose targets are all unhealthy gets its
//! requests all the same, as in AWS. Attributes are kept and not judged.

mod actions;
mod attributes;
mod balancers;
mod conditions;
mod groups;
mod health;
mod listeners;
mod rules;
mod tags;
mod targets;

use std::collections::BTreeMap;
use std::time::Duration;

use serde_json::Value;

use super::call::{Answer, Call, Refusal};
use super::home::Home;
use super::input::Paging;
use groups::Group;
pub use health::{Checks, Health, State};

/// All load balancers of the cloud.
#[derive(Clone, Debug)]
pub struct Balancers {
    home: Home,
    /// As `DescribeLoadBalancers` shows them.
    balancers: Vec<Value>,
    /// As `DescribeListeners` shows them, without `DefaultActions`.
    listeners: Vec<Value>,
    /// As `DescribeRules` shows them, with the rules of default actions, and with client secrets; and the listener of each.
    rules: Vec<Rule>,
    groups: Vec<Group>,
    tags: BTreeMap<String, Vec<(String, String)>>,
    attributes: BTreeMap<String, BTreeMap<String, String>>,
    made: u32,
}

#[derive(Clone, Debug)]
struct Rule {
    listener: String,
    shown: Value,
}

impl Balancers {
    /// None yet.
    #[must_use]
    pub fn new(home: Home) -> Self {
        Self {
            home,
            balancers: Vec::new(),
            listeners: Vec::new(),
            rules: Vec::new(),
            groups: Vec::new(),
            tags: BTreeMap::new(),
            attributes: BTreeMap::new(),
            made: 0,
        }
    }

    /// Answers one call.
    pub fn answer(&mut self, call: &Call) -> Answer {
        let (input, now) = (&call.input, call.now);
        match call.operation.as_str() {
            "CreateLoadBalancer" => self.create_balancer(input, now),
            "DescribeLoadBalancers" => self.describe_balancers(input),
            "DescribeLoadBalancerAttributes" => self.describe_attributes(input, "LoadBalancerArn"),
            "ModifyLoadBalancerAttributes" => self.modify_attributes(input, "LoadBalancerArn"),
            "CreateListener" => self.create_listener(input, now),
            "DescribeListeners" => self.describe_listeners(input),
            "ModifyListener" => self.modify_listener(input, now),
            "DeleteListener" => self.delete_listener(input, now),
            "CreateRule" => self.create_rule(input, now),
            "DescribeRules" => self.describe_rules(input),
            "ModifyRule" => self.modify_rule(input, now),
            "DeleteRule" => self.delete_rule(input, now),
            "CreateTargetGroup" => self.create_group(input),
            "DescribeTargetGroups" => self.describe_groups(input),
            "ModifyTargetGroup" => self.modify_group(input),
            "DeleteTargetGroup" => self.delete_group(input),
            "DescribeTargetGroupAttributes" => self.describe_attributes(input, "TargetGroupArn"),
            "ModifyTargetGroupAttributes" => self.modify_attributes(input, "TargetGroupArn"),
            "RegisterTargets" => self.register_targets(input, now),
            "DeregisterTargets" => self.deregister_targets(input, now),
            "DescribeTargetHealth" => self.describe_health(input, now),
            "AddTags" => self.add_tags(input),
            "RemoveTags" => self.remove_tags(input),
            "DescribeTags" => self.describe_tags(input),
            other => Err(Refusal::new(
                "InvalidAction",
                format!("Could not find operation {other} for version 2015-12-01"),
            )),
        }
    }

    /// Registers a target; its checks begin when a rule refers to the group. A target that drains begins anew.
    /// False when there is no such group.
    pub fn register(&mut self, group: &str, target: &str, port: u16, checks: Checks, now: Duration) -> bool {
        let found = self.groups.iter_mut().find(|known| known.arn == group);
        found.is_some_and(|group| {
            group.register(target, port, checks, now);
            true
        })
    }

    /// Takes a target out: it drains for the group's `deregistration_delay.timeout_seconds`, then it is gone.
    pub fn deregister(&mut self, group: &str, target: &str, port: u16, now: Duration) {
        let delay = self.deregistration_delay(group);
        if let Some(group) = self.groups.iter_mut().find(|known| known.arn == group) {
            group.deregister(target, port, now, delay);
        }
    }

    /// A target's health; none for one that is not there (never registered, or drained whole).
    #[must_use]
    pub fn health(&self, group: &str, target: &str, port: u16, now: Duration) -> Option<Health> {
        let group = self.groups.iter().find(|known| known.arn == group)?;
        group.health(target, port, now)
    }

    /// The share of the requests, 0 to 1, that goes to a group: of the rule or default action that gives it the most.
    #[must_use]
    pub fn weights_of(&self, group: &str) -> f64 {
        let shares = self
            .rules
            .iter()
            .flat_map(|rule| actions::shares(&rule.shown["Actions"]));
        shares
            .filter(|(known, _)| known == group)
            .map(|(_, share)| share)
            .fold(0.0, f64::max)
    }

    /// What a rule (or a listener's default action) sends where: each group with its share, 0 to 1; nothing where all
    /// weights are zero, which is status 503 for everybody.
    #[must_use]
    pub fn shares(&self, rule_or_listener: &str) -> Vec<(String, f64)> {
        self.rule(rule_or_listener)
            .map_or_else(Vec::new, |rule| actions::shares(&rule.shown["Actions"]))
    }

    /// Sets the weights of a rule or of a listener's default action, as ECS does for its own strategies, or as somebody else
    /// does: the forward action gets these groups, everything else of it stays. False when there is no such rule.
    pub fn shift(&mut self, rule_or_listener: &str, weights: &[(&str, u32)], now: Duration) -> bool {
        let Some(at) = self.position(rule_or_listener) else {
            return false;
        };
        if let Some(rule) = self.rules.get_mut(at) {
            actions::set_weights(&mut rule.shown["Actions"], weights);
        }
        self.note_use(now);
        true
    }

    /// Whether a rule or a default action refers to the group.
    #[must_use]
    pub fn is_used(&self, group: &str) -> bool {
        self.rules
            .iter()
            .any(|rule| actions::groups(&rule.shown["Actions"]).any(|known| known == group))
    }

    /// The client secret that a rule or a listener's default action keeps, which no answer shows.
    #[must_use]
    pub fn client_secret(&self, rule_or_listener: &str) -> Option<&str> {
        actions::client_secret(&self.rule(rule_or_listener)?.shown["Actions"])
    }

    /// A rule by its ARN, or a listener's default one by the listener's.
    fn rule(&self, arn: &str) -> Option<&Rule> {
        self.rules.get(self.position(arn)?)
    }

    fn position(&self, arn: &str) -> Option<usize> {
        self.rules
            .iter()
            .position(|rule| rule.shown["RuleArn"] == arn || (rule.listener == arn && rule.is_default()))
    }

    /// Writes down which groups rules refer to from now on, and which no longer: that is when checks begin and end.
    fn note_use(&mut self, now: Duration) {
        let used: Vec<bool> = self.groups.iter().map(|group| self.is_used(&group.arn)).collect();
        for (group, used) in self.groups.iter_mut().zip(used) {
            group.use_since(used, now);
        }
    }

    /// Sixteen digits that no other resource has.
    fn next_id(&mut self) -> String {
        self.made += 1;
        format!("{:016x}", 0x50da_5bed_0000_0000_u64 + u64::from(self.made))
    }
}

impl Rule {
    fn is_default(&self) -> bool {
        self.shown["IsDefault"] == true
    }
}

/// A required member that is not there.
fn missing(name: &str) -> Refusal {
    invalid(format!("'{name}' must be specified"))
}

fn invalid(message: impl Into<String>) -> Refusal {
    Refusal::new("ValidationError", message)
}

/// How lists of descriptions come: at most 400 a page.
const PAGES: Paging = Paging {
    size: "PageSize",
    usual: 400,
    marker: ("Marker", "NextMarker"),
};

#[cfg(test)]
mod tests;
