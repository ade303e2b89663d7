//! Listeners. The default action of each is kept as a rule, the last one.

use std::time::Duration;

use serde_json::{Value, json};

use super::super::call::{Answer, Refusal};
use super::super::input::{list, text, texts};
use super::balancers::balancer_not_found;
use super::{Balancers, PAGES, Rule, actions, invalid, missing};

impl Balancers {
    pub(super) fn create_listener(&mut self, input: &Value, now: Duration) -> Answer {
        let balancer = text(input, "LoadBalancerArn");
        if !self.has_balancer(balancer) {
            return Err(balancer_not_found());
        }
        let Some(port) = input["Port"].as_u64() else {
            return Err(missing("Port"));
        };
        let of_balancer = |known: &&Value| known["LoadBalancerArn"] == balancer;
        if self
            .listeners
            .iter()
            .filter(of_balancer)
            .any(|known| known["Port"] == port)
        {
            return Err(Refusal::new(
                "DuplicateListener",
                "A listener already exists on this port for this load balancer",
            ));
        }
        let kept = actions::accept(list(input, "DefaultActions"), &Value::Null)?;
        self.check_groups(&kept, balancer)?;
        let (id, rule_id) = (self.next_id(), self.next_id());
        let arn = format!("{}/{id}", balancer.replacen(":loadbalancer/", ":listener/", 1));
        let mut listener = json!({
            "ListenerArn": arn,
            "LoadBalancerArn": balancer,
            "Port": port,
            "Protocol": text(input, "Protocol"),
        });
        for name in ["Certificates", "SslPolicy"] {
            if !input[name].is_null() {
                listener[name] = input[name].clone();
            }
        }
        self.rules.push(Rule {
            listener: arn.clone(),
            shown: json!({
                "RuleArn": format!("{}/{rule_id}", arn.replacen(":listener/", ":listener-rule/", 1)),
                "Priority": "default",
                "Conditions": [],
                "Actions": kept,
                "IsDefault": true,
            }),
        });
        self.listeners.push(listener);
        self.tag_new(&arn, input);
        self.note_use(now);
        Ok(json!({ "Listeners": self.shown_listeners(|shown| *shown == arn) }))
    }

    pub(super) fn describe_listeners(&self, input: &Value) -> Answer {
        let (balancer, arns) = (text(input, "LoadBalancerArn"), texts(input, "ListenerArns"));
        match (balancer.is_empty(), arns.is_empty()) {
            (true, true) | (false, false) => {
                return Err(invalid(
                    "You must specify either listener ARNs or a load balancer ARN",
                ));
            }
            (false, true) if !self.has_balancer(balancer) => return Err(balancer_not_found()),
            _ => {}
        }
        let of_balancer = |arn: &str| {
            self.listener(arn)
                .is_some_and(|listener| listener["LoadBalancerArn"] == balancer)
        };
        let shown = self.shown_listeners(|arn| arns.contains(&arn) || of_balancer(arn));
        if shown.len() < arns.len() {
            return Err(listener_not_found());
        }
        Ok(PAGES.of(input, "Listeners", shown))
    }

    pub(super) fn modify_listener(&mut self, input: &Value, now: Duration) -> Answer {
        let arn = text(input, "ListenerArn").to_owned();
        let Some(balancer) = self
            .listener(&arn)
            .map(|listener| text(listener, "LoadBalancerArn").to_owned())
        else {
            return Err(listener_not_found());
        };
        if !input["DefaultActions"].is_null() {
            self.replace_actions(&arn, list(input, "DefaultActions"), &balancer)?;
        }
        let listener = self
            .listeners
            .iter_mut()
            .find(|known| known["ListenerArn"] == *arn);
        if let Some(listener) = listener {
            for name in ["Port", "Protocol", "SslPolicy", "Certificates"] {
                if !input[name].is_null() {
                    listener[name] = input[name].clone();
                }
            }
        }
        self.note_use(now);
        Ok(json!({ "Listeners": self.shown_listeners(|shown| *shown == arn) }))
    }

    pub(super) fn delete_listener(&mut self, input: &Value, now: Duration) -> Answer {
        let arn = text(input, "ListenerArn");
        if self.listener(arn).is_none() {
            return Err(listener_not_found());
        }
        self.listeners.retain(|known| known["ListenerArn"] != arn);
        self.rules.retain(|rule| rule.listener != arn);
        self.note_use(now);
        Ok(json!({}))
    }

    pub(super) fn listener(&self, arn: &str) -> Option<&Value> {
        self.listeners.iter().find(|known| known["ListenerArn"] == arn)
    }

    /// Replaces all actions of a rule, or of a listener's default one.
    pub(super) fn replace_actions(
        &mut self,
        arn: &str,
        given: &[Value],
        balancer: &str,
    ) -> Result<(), Refusal> {
        let before = self
            .rule(arn)
            .map_or(Value::Null, |rule| rule.shown["Actions"].clone());
        let kept = actions::accept(given, &before)?;
        self.check_groups(&kept, balancer)?;
        if let Some(rule) = self.position(arn).and_then(|at| self.rules.get_mut(at)) {
            rule.shown["Actions"] = kept;
        }
        Ok(())
    }

    /// Every group exists, and serves no other load balancer.
    pub(super) fn check_groups(&self, kept: &Value, balancer: &str) -> Result<(), Refusal> {
        for group in actions::groups(kept) {
            if !self.groups.iter().any(|known| known.arn == group) {
                return Err(Refusal::new(
                    "TargetGroupNotFound",
                    format!("Target groups '{group}' not found"),
                ));
            }
            if self.balancers_of(group).iter().any(|known| known != balancer) {
                return Err(Refusal::new(
                    "TargetGroupAssociationLimit",
                    format!(
                        "The following target groups cannot be associated with more than one load balancer: {group}"
                    ),
                ));
            }
        }
        Ok(())
    }

    /// The load balancers whose rules refer to a group.
    pub(super) fn balancers_of(&self, group: &str) -> Vec<String> {
        let rules = self.rules.iter();
        let mut found: Vec<String> = rules
            .filter(|rule| actions::groups(&rule.shown["Actions"]).any(|known| known == group))
            .filter_map(|rule| Some(text(self.listener(&rule.listener)?, "LoadBalancerArn").to_owned()))
            .collect();
        found.sort();
        found.dedup();
        found
    }

    fn shown_listeners(&self, wanted: impl Fn(&str) -> bool) -> Vec<Value> {
        let listeners = self
            .listeners
            .iter()
            .filter(|known| wanted(text(known, "ListenerArn")));
        listeners
            .map(|listener| {
                let mut shown = listener.clone();
                if let Some(rule) = self.rule(text(listener, "ListenerArn")) {
                    shown["DefaultActions"] = actions::shown(&rule.shown["Actions"]);
                }
                shown
            })
            .collect()
    }
}

pub(super) fn listener_not_found() -> Refusal {
    Refusal::new("ListenerNotFound", "One or more listeners not found")
}
