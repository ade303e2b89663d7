//! Tags of everything that has an ARN here.

use serde_json::{Value, json};

use super::super::call::{Answer, Refusal};
use super::super::input::{list, text, texts};
use super::balancers::balancer_not_found;
use super::groups::group_not_found;
use super::listeners::listener_not_found;
use super::{Balancers, invalid};

/// Resources that one call may ask about.
const MOST: usize = 20;

impl Balancers {
    pub(super) fn add_tags(&mut self, input: &Value) -> Answer {
        for arn in self.tagged(input)? {
            self.tag_new(&arn, input);
        }
        Ok(json!({}))
    }

    pub(super) fn remove_tags(&mut self, input: &Value) -> Answer {
        let keys = texts(input, "TagKeys");
        for arn in self.tagged(input)? {
            if let Some(tags) = self.tags.get_mut(&arn) {
                tags.retain(|(key, _)| !keys.contains(&key.as_str()));
            }
        }
        Ok(json!({}))
    }

    pub(super) fn describe_tags(&self, input: &Value) -> Answer {
        let arns = self.tagged(input)?;
        if arns.len() > MOST {
            return Err(invalid(format!("At most {MOST} resources can be described")));
        }
        let described = arns.into_iter().map(|arn| {
            let tags = self.tags.get(&arn).into_iter().flatten();
            let tags: Vec<Value> = tags
                .map(|(key, value)| json!({ "Key": key, "Value": value }))
                .collect();
            json!({ "ResourceArn": arn, "Tags": tags })
        });
        Ok(json!({ "TagDescriptions": described.collect::<Vec<_>>() }))
    }

    /// Sets the tags of an input on a resource.
    pub(super) fn tag_new(&mut self, arn: &str, input: &Value) {
        let tags = self.tags.entry(arn.to_owned()).or_default();
        for tag in list(input, "Tags") {
            let (key, value) = (text(tag, "Key"), text(tag, "Value").to_owned());
            match tags.iter_mut().find(|(known, _)| known == key) {
                Some((_, known)) => *known = value,
                None => tags.push((key.to_owned(), value)),
            }
        }
    }

    /// The resources of an input, if all of them exist.
    fn tagged(&self, input: &Value) -> Result<Vec<String>, Refusal> {
        let arns = texts(input, "ResourceArns");
        for arn in &arns {
            let (exists, refusal) = match *arn {
                arn if arn.contains(":targetgroup/") => (
                    self.groups.iter().any(|known| known.arn == arn),
                    group_not_found(),
                ),
                arn if arn.contains(":loadbalancer/") => (self.has_balancer(arn), balancer_not_found()),
                arn if arn.contains(":listener/") => (self.listener(arn).is_some(), listener_not_found()),
                arn => (
                    self.rule(arn).is_some(),
                    Refusal::new("RuleNotFound", "One or more rules not found"),
                ),
            };
            if !exists {
                return Err(refusal);
            }
        }
        Ok(arns.into_iter().map(str::to_owned).collect())
    }
}
