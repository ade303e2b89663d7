//! Rules of listeners.

use std::time::Duration;

use serde_json::{Value, json};

use super::super::call::{Answer, Refusal};
use super::super::input::{list, text, texts};
use super::listeners::listener_not_found;
use super::{Balancers, PAGES, Rule, actions, conditions, invalid, missing};

impl Balancers {
    pub(super) fn create_rule(&mut self, input: &Value, now: Duration) -> Answer {
        let listener = text(input, "ListenerArn").to_owned();
        let Some(balancer) = self.balancer_of(&listener) else {
            return Err(listener_not_found());
        };
        let Some(priority) = input["Priority"].as_i64() else {
            return Err(missing("Priority"));
        };
        if !(1..=50_000).contains(&priority) {
            return Err(invalid(format!(
                "Priority '{priority}' must be between 1 and 50000 inclusive"
            )));
        }
        let priority = priority.to_string();
        let mut of_listener = self.rules.iter().filter(|rule| rule.listener == listener);
        if of_listener.any(|rule| rule.shown["Priority"] == *priority) {
            return Err(Refusal::new(
                "PriorityInUse",
                format!("Priority '{priority}' is currently in use"),
            ));
        }
        let kept = actions::accept(list(input, "Actions"), &Value::Null)?;
        self.check_groups(&kept, &balancer)?;
        let conditions = conditions::accept(list(input, "Conditions"))?;
        let id = self.next_id();
        let arn = format!("{}/{id}", listener.replacen(":listener/", ":listener-rule/", 1));
        self.rules.push(Rule {
            listener,
            shown: json!({
                "RuleArn": arn,
                "Priority": priority,
                "Conditions": conditions,
                "Actions": kept,
                "IsDefault": false,
            }),
        });
        self.tag_new(&arn, input);
        self.note_use(now);
        Ok(json!({ "Rules": self.shown_rules(|rule| rule.shown["RuleArn"] == *arn) }))
    }

    pub(super) fn describe_rules(&self, input: &Value) -> Answer {
        let (listener, arns) = (text(input, "ListenerArn"), texts(input, "RuleArns"));
        match (listener.is_empty(), arns.is_empty()) {
            (true, true) | (false, false) => {
                return Err(invalid(
                    "You must specify either listener rule ARNs or a listener ARN",
                ));
            }
            (false, true) if self.listener(listener).is_none() => return Err(listener_not_found()),
            _ => {}
        }
        let shown = self
            .shown_rules(|rule| rule.listener == listener || arns.contains(&text(&rule.shown, "RuleArn")));
        if shown.len() < arns.len() {
            return Err(rule_not_found());
        }
        Ok(PAGES.of(input, "Rules", shown))
    }

    pub(super) fn modify_rule(&mut self, input: &Value, now: Duration) -> Answer {
        let arn = text(input, "RuleArn").to_owned();
        let Some(rule) = self.rules.iter().find(|rule| rule.shown["RuleArn"] == *arn) else {
            return Err(rule_not_found());
        };
        if rule.is_default() {
            return Err(Refusal::new(
                "OperationNotPermitted",
                "Default rules cannot be modified",
            ));
        }
        let listener = rule.listener.clone();
        if input["Actions"].is_null() && input["Conditions"].is_null() {
            return Err(invalid("Either conditions or actions must be specified"));
        }
        let conditions = match input["Conditions"].is_null() {
            true => None,
            false => Some(conditions::accept(list(input, "Conditions"))?),
        };
        if !input["Actions"].is_null() {
            let balancer = self.balancer_of(&listener).unwrap_or_default();
            self.replace_actions(&arn, list(input, "Actions"), &balancer)?;
        }
        if let Some(conditions) = conditions
            && let Some(rule) = self.position(&arn).and_then(|at| self.rules.get_mut(at))
        {
            rule.shown["Conditions"] = conditions;
        }
        self.note_use(now);
        Ok(json!({ "Rules": self.shown_rules(|rule| rule.shown["RuleArn"] == *arn) }))
    }

    pub(super) fn delete_rule(&mut self, input: &Value, now: Duration) -> Answer {
        let arn = text(input, "RuleArn");
        match self.rules.iter().find(|rule| rule.shown["RuleArn"] == arn) {
            None => return Err(rule_not_found()),
            Some(rule) if rule.is_default() => {
                return Err(Refusal::new(
                    "OperationNotPermitted",
                    "Default rules cannot be deleted",
                ));
            }
            Some(_) => {}
        }
        self.rules.retain(|rule| rule.shown["RuleArn"] != arn);
        self.note_use(now);
        Ok(json!({}))
    }

    fn balancer_of(&self, listener: &str) -> Option<String> {
        Some(text(self.listener(listener)?, "LoadBalancerArn").to_owned())
    }

    /// Rules by priority, the default one last.
    fn shown_rules(&self, wanted: impl Fn(&Rule) -> bool) -> Vec<Value> {
        let mut rules: Vec<&Rule> = self.rules.iter().filter(|rule| wanted(rule)).collect();
        rules.sort_by_key(|rule| text(&rule.shown, "Priority").parse().unwrap_or(u32::MAX));
        let rules = rules.into_iter().map(|rule| {
            let mut shown = rule.shown.clone();
            shown["Actions"] = actions::shown(&shown["Actions"]);
            shown
        });
        rules.collect()
    }
}

fn rule_not_found() -> Refusal {
    Refusal::new("RuleNotFound", "One or more rules not found")
}
