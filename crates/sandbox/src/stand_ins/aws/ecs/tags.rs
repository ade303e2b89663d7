//! Tags of services and task definitions.
//!
//! Limit: any ARN is taken, whether something has it or not, but for services.

use serde_json::{Value, json};

use super::Ecs;
use crate::stand_ins::aws::call::{Answer, Call, Refusal};
use crate::stand_ins::aws::input::{list, text, texts};

/// How many tags a resource may have.
const MOST: usize = 50;

impl Ecs {
    pub(super) fn tag(&mut self, call: &Call) -> Answer {
        let arn = self.tagged(call)?;
        let tags = self.tags.entry(arn).or_default();
        let mut changed = tags.clone();
        for tag in list(&call.input, "tags") {
            let (key, value) = (text(tag, "key"), text(tag, "value"));
            if key.is_empty() || key.chars().count() > 128 || value.chars().count() > 256 {
                return Err(super::invalid(
                    "Tag keys and values must have 1 to 128 and 0 to 256 characters.",
                ));
            }
            changed.retain(|known| known["key"] != tag["key"]);
            changed.push(tag.clone());
        }
        if changed.len() > MOST {
            return Err(super::invalid("Tags can not have more than 50 elements."));
        }
        *tags = changed;
        Ok(json!({}))
    }

    pub(super) fn untag(&mut self, call: &Call) -> Answer {
        let arn = self.tagged(call)?;
        let keys = texts(&call.input, "tagKeys");
        let tags = self.tags.entry(arn).or_default();
        tags.retain(|tag| !keys.contains(&text(tag, "key")));
        Ok(json!({}))
    }

    pub(super) fn list_tags(&self, call: &Call) -> Answer {
        let arn = self.tagged(call)?;
        Ok(json!({ "tags": self.tags_of(&arn) }))
    }

    pub(super) fn tags_of(&self, arn: &str) -> Vec<Value> {
        self.tags.get(arn).cloned().unwrap_or_default()
    }

    fn tagged(&self, call: &Call) -> Result<String, Refusal> {
        let arn = text(&call.input, "resourceArn");
        if !arn.starts_with("arn:") {
            return Err(super::invalid("Invalid resource ARN."));
        }
        if arn.contains(":service/") && !self.services.iter().any(|service| service.arn == arn) {
            // The code that the model has for all three operations.
            return Err(super::invalid("The specified service was not found."));
        }
        Ok(arn.to_owned())
    }
}
