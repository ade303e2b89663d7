//! Targets as the API registers and describes them.

use std::time::Duration;

use serde_json::{Value, json};

use super::super::call::{Answer, Refusal};
use super::super::input::{list, text};
use super::groups::{Group, group_not_found};
use super::health::{Checks, Health, State};
use super::{Balancers, invalid};

impl Balancers {
    /// By a client: such a target is healthy after a while.
    pub(super) fn register_targets(&mut self, input: &Value, now: Duration) -> Answer {
        let (arn, targets) = self.targets_of(input)?;
        if targets.is_empty() {
            return Err(invalid("At least one target must be specified"));
        }
        for (id, port) in targets {
            self.register(&arn, &id, port, Checks::default(), now);
        }
        Ok(json!({}))
    }

    pub(super) fn deregister_targets(&mut self, input: &Value, now: Duration) -> Answer {
        let (arn, targets) = self.targets_of(input)?;
        for (id, port) in &targets {
            if self.health(&arn, id, *port, now).is_none() {
                return Err(Refusal::new(
                    "InvalidTarget",
                    format!("The following targets are not registered: '{id}'"),
                ));
            }
        }
        for (id, port) in targets {
            self.deregister(&arn, &id, port, now);
        }
        Ok(json!({}))
    }

    pub(super) fn describe_health(&self, input: &Value, now: Duration) -> Answer {
        let (arn, asked) = self.targets_of(input)?;
        let group = self.group(&arn)?;
        let known = group
            .targets
            .iter()
            .map(|target| (target.id.clone(), target.port));
        let all = asked.is_empty();
        let targets: Vec<(String, u16)> = if all { known.collect() } else { asked };
        let described = targets.into_iter().filter_map(|(id, port)| {
            match group.health(&id, port, now) {
                Some(health) => Some(described(&id, port, &health)),
                None if all => None,
                // Asked by name, and not there.
                None => Some(described(&id, port, &not_registered())),
            }
        });
        Ok(json!({ "TargetHealthDescriptions": described.collect::<Vec<_>>() }))
    }

    fn group(&self, arn: &str) -> Result<&Group, Refusal> {
        self.groups
            .iter()
            .find(|known| known.arn == arn)
            .ok_or_else(group_not_found)
    }

    /// The group of an input, and each target with its port or the group's.
    fn targets_of(&self, input: &Value) -> Result<(String, Vec<(String, u16)>), Refusal> {
        let group = self.group(text(input, "TargetGroupArn"))?;
        let usual = &group.shown["Port"];
        let targets = list(input, "Targets").iter().map(|target| {
            let port = target["Port"].as_u64().or(usual.as_u64()).unwrap_or_default();
            let port =
                u16::try_from(port).map_err(|_| invalid(format!("Port '{port}' must be at most 65535")))?;
            Ok((text(target, "Id").to_owned(), port))
        });
        Ok((group.arn.clone(), targets.collect::<Result<_, Refusal>>()?))
    }
}

fn not_registered() -> Health {
    Health::of(
        State::Unused,
        "Target.NotRegistered",
        "Target is not registered to the target group",
    )
}

fn described(id: &str, port: u16, health: &Health) -> Value {
    let mut state = json!({ "State": health.state.name() });
    if !health.reason.is_empty() {
        state["Reason"] = json!(health.reason);
        state["Description"] = json!(health.description);
    }
    json!({
        "Target": { "Id": id, "Port": port },
        "HealthCheckPort": port.to_string(),
        "TargetHealth": state,
    })
}
