//! [Application Auto Scaling](https://docs.aws.amazon.com/autoscaling/application/APIReference/Welcome.html): scalable targets
//! with what is suspended, and policies as a list.
//!
//! Limits: it scales nothing. A test plays its part as a second actor, within [`ScalableTargets::bounds`].

use std::time::Duration;

use serde_json::{Value, json};

use super::call::{Answer, Call, Refusal};
use super::home::Home;
use super::input::{Paging, text, texts};

/// All that scales.
#[derive(Clone, Debug)]
pub struct ScalableTargets {
    home: Home,
    targets: Vec<Value>,
    policies: Vec<Value>,
}

const PAGES: Paging = Paging {
    size: "MaxResults",
    usual: 50,
    marker: ("NextToken", "NextToken"),
};

/// What names a target.
const NAME: [&str; 3] = ["ServiceNamespace", "ResourceId", "ScalableDimension"];

/// What can be suspended.
const PARTS: [&str; 3] = [
    "DynamicScalingInSuspended",
    "DynamicScalingOutSuspended",
    "ScheduledScalingSuspended",
];

impl ScalableTargets {
    /// None yet.
    #[must_use]
    pub fn new(home: Home) -> Self {
        Self {
            home,
            targets: Vec::new(),
            policies: Vec::new(),
        }
    }

    /// Answers one call.
    pub fn answer(&mut self, call: &Call) -> Answer {
        let input = &call.input;
        match call.operation.as_str() {
            "RegisterScalableTarget" => self.register(input, call.now),
            "DescribeScalableTargets" => Ok(describe(input, "ScalableTargets", &self.targets)),
            "DeregisterScalableTarget" => self.deregister(input),
            "PutScalingPolicy" => self.put_policy(input, call.now),
            "DescribeScalingPolicies" => Ok(describe(input, "ScalingPolicies", &self.policies)),
            "DeleteScalingPolicy" => self.delete_policy(input),
            "DescribeScalingActivities" => Ok(json!({ "ScalingActivities": [] })),
            "DescribeScheduledActions" => Ok(json!({ "ScheduledActions": [] })),
            other => Err(Refusal::new("UnknownOperationException", other)),
        }
    }

    /// The lowest and highest count of a resource (`service/CLUSTER/NAME`).
    #[must_use]
    pub fn bounds(&self, resource: &str) -> Option<(u64, u64)> {
        let target = self.of_resource(resource)?;
        Some((target["MinCapacity"].as_u64()?, target["MaxCapacity"].as_u64()?))
    }

    /// Whether scaling in, scaling out and scheduled scaling of a resource are suspended.
    #[must_use]
    pub fn suspended(&self, resource: &str) -> Option<[bool; 3]> {
        let state = &self.of_resource(resource)?["SuspendedState"];
        Some(PARTS.map(|part| state[part] == true))
    }

    fn of_resource(&self, resource: &str) -> Option<&Value> {
        self.targets
            .iter()
            .find(|target| target["ResourceId"] == resource)
    }

    fn register(&mut self, input: &Value, now: Duration) -> Answer {
        if let Some(name) = NAME.iter().find(|name| text(input, name).is_empty()) {
            return Err(null(name));
        }
        let known = self.targets.iter().position(|target| is_same(target, input));
        let before = known.and_then(|at| self.targets.get(at)).cloned();
        let resource = text(input, "ResourceId");
        let number = self.targets.len() + 1;
        let mut target = before.unwrap_or_else(|| {
            json!({
                "ServiceNamespace": text(input, "ServiceNamespace"),
                "ResourceId": resource,
                "ScalableDimension": text(input, "ScalableDimension"),
                "RoleARN": format!(
                    "arn:aws:iam::{}:role/aws-service-role/ecs.application-autoscaling.amazonaws.com/AWSServiceRoleForApplicationAutoScaling_ECSService",
                    self.home.account
                ),
                "CreationTime": self.home.time(now),
                "SuspendedState": PARTS.iter().map(|part| ((*part).to_owned(), json!(false))).collect::<Value>(),
                "ScalableTargetARN": self.home.arn("application-autoscaling", &format!("scalable-target/0ec5{number:032}")),
            })
        });
        for bound in ["MinCapacity", "MaxCapacity"] {
            if !input[bound].is_null() {
                target[bound] = input[bound].clone();
            }
            if target[bound].is_null() {
                return Err(null(bound));
            }
        }
        if target["MinCapacity"].as_u64() > target["MaxCapacity"].as_u64() {
            return Err(Refusal::new(
                "ValidationException",
                "Maximum capacity cannot be less than minimum capacity",
            ));
        }
        for part in PARTS {
            if let Some(is) = input["SuspendedState"][part].as_bool() {
                target["SuspendedState"][part] = json!(is);
            }
        }
        let arn = target["ScalableTargetARN"].clone();
        match known.and_then(|at| self.targets.get_mut(at)) {
            Some(place) => *place = target,
            None => self.targets.push(target),
        }
        Ok(json!({ "ScalableTargetARN": arn }))
    }

    fn deregister(&mut self, input: &Value) -> Answer {
        self.target_of(input)?;
        self.targets.retain(|target| !is_same(target, input));
        self.policies.retain(|policy| !is_same(policy, input));
        Ok(json!({}))
    }

    fn put_policy(&mut self, input: &Value, now: Duration) -> Answer {
        self.target_of(input)?;
        let name = text(input, "PolicyName");
        if name.is_empty() {
            return Err(null("PolicyName"));
        }
        let number = self.policies.len() + 1;
        let arn = self.home.arn(
            "autoscaling",
            &format!(
                "scalingPolicy:00000000-0000-4000-8000-{number:012}:resource/ecs/{}:policyName/{name}",
                text(input, "ResourceId")
            ),
        );
        let mut policy = input.clone();
        policy["PolicyARN"] = json!(arn);
        policy["CreationTime"] = json!(self.home.time(now));
        self.policies
            .retain(|known| !(is_same(known, input) && known["PolicyName"] == name));
        self.policies.push(policy);
        Ok(json!({ "PolicyARN": arn, "Alarms": [] }))
    }

    fn delete_policy(&mut self, input: &Value) -> Answer {
        let before = self.policies.len();
        self.policies
            .retain(|known| !(is_same(known, input) && known["PolicyName"] == input["PolicyName"]));
        match self.policies.len() < before {
            true => Ok(json!({})),
            false => Err(Refusal::new("ObjectNotFoundException", "No scaling policy found")),
        }
    }

    fn target_of(&self, input: &Value) -> Result<&Value, Refusal> {
        let found = self.targets.iter().find(|target| is_same(target, input));
        found.ok_or_else(|| {
            let named: Vec<&str> = NAME.iter().map(|name| text(input, name)).collect();
            let message = format!("No scalable target registered for {}", named.join(", "));
            Refusal::new("ObjectNotFoundException", message)
        })
    }
}

fn is_same(target: &Value, input: &Value) -> bool {
    NAME.iter().all(|name| target[*name] == input[*name])
}

fn null(name: &str) -> Refusal {
    let message = format!(
        "1 validation error detected: Value null at '{name}' failed to satisfy constraint: Member must not be null"
    );
    Refusal::new("ValidationException", message)
}

/// A page of those in a namespace, of the resources, dimension and policies that are asked for.
fn describe(input: &Value, name: &str, all: &[Value]) -> Value {
    let mut resources = texts(input, "ResourceIds");
    if !text(input, "ResourceId").is_empty() {
        resources.push(text(input, "ResourceId"));
    }
    let policies = texts(input, "PolicyNames");
    let found = all.iter().filter(|known| {
        known["ServiceNamespace"] == input["ServiceNamespace"]
            && (resources.is_empty() || resources.contains(&text(known, "ResourceId")))
            && (policies.is_empty() || policies.contains(&text(known, "PolicyName")))
            && (input["ScalableDimension"].is_null()
                || known["ScalableDimension"] == input["ScalableDimension"])
    });
    PAGES.of(input, name, found.cloned().collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ask(targets: &mut ScalableTargets, operation: &str, input: &Value) -> Answer {
        let mut whole = json!({
            "ServiceNamespace": "ecs",
            "ResourceId": "service/main/web",
            "ScalableDimension": "ecs:service:DesiredCount",
        });
        for (name, value) in input.as_object().unwrap() {
            whole[name] = value.clone();
        }
        targets.answer(&Call {
            service: "application-autoscaling",
            operation: operation.to_owned(),
            input: whole,
            now: Duration::ZERO,
        })
    }

    #[test]
    fn what_is_not_given_stays_as_it_is() {
        let mut targets = ScalableTargets::new(Home::default());
        let refused = ask(
            &mut targets,
            "RegisterScalableTarget",
            &json!({ "MinCapacity": 2 }),
        )
        .unwrap_err();
        assert_eq!(refused.code, "ValidationException");
        let bounds = json!({ "MinCapacity": 2, "MaxCapacity": 10 });
        ask(&mut targets, "RegisterScalableTarget", &bounds).unwrap();
        let suspended = json!({ "SuspendedState": { "DynamicScalingInSuspended": true } });
        ask(&mut targets, "RegisterScalableTarget", &suspended).unwrap();
        ask(
            &mut targets,
            "RegisterScalableTarget",
            &json!({ "MinCapacity": 4 }),
        )
        .unwrap();
        assert_eq!(targets.bounds("service/main/web"), Some((4, 10)));
        assert_eq!(targets.suspended("service/main/web"), Some([true, false, false]));
        assert!(
            ask(
                &mut targets,
                "RegisterScalableTarget",
                &json!({ "MinCapacity": 11 })
            )
            .is_err()
        );
        let described = ask(
            &mut targets,
            "DescribeScalableTargets",
            &json!({ "ResourceIds": ["service/main/web"] }),
        )
        .unwrap();
        assert_eq!(described["ScalableTargets"][0]["MinCapacity"], 4);
        let none = ask(
            &mut targets,
            "DescribeScalableTargets",
            &json!({ "ResourceId": null, "ResourceIds": ["service/main/no"] }),
        );
        assert_eq!(none.unwrap(), json!({ "ScalableTargets": [] }));
    }

    #[test]
    fn policies_come_and_go_with_their_target() {
        let mut targets = ScalableTargets::new(Home::default());
        let policy = json!({ "PolicyName": "cpu", "PolicyType": "TargetTrackingScaling" });
        assert_eq!(
            ask(&mut targets, "PutScalingPolicy", &policy).unwrap_err().code,
            "ObjectNotFoundException"
        );
        ask(
            &mut targets,
            "RegisterScalableTarget",
            &json!({ "MinCapacity": 1, "MaxCapacity": 2 }),
        )
        .unwrap();
        ask(&mut targets, "PutScalingPolicy", &policy).unwrap();
        let listed = ask(&mut targets, "DescribeScalingPolicies", &json!({})).unwrap();
        assert_eq!(listed["ScalingPolicies"][0]["PolicyName"], "cpu");
        ask(&mut targets, "DeregisterScalableTarget", &json!({})).unwrap();
        let listed = ask(&mut targets, "DescribeScalingPolicies", &json!({})).unwrap();
        assert_eq!(listed["ScalingPolicies"], json!([]));
    }
}
