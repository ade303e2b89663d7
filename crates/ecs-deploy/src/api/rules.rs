//! Listener rules: read whole, and written back with nothing but the shares of two target groups changed.
//!
//! ELB replaces all actions of a rule at once and has no condition to write under, so a caller reads just before it writes
//! and looks just after.

use std::collections::{BTreeMap, HashMap};
use std::fmt::Debug;

use aws_sdk_elasticloadbalancingv2::types as sdk;
use serde_json::{Map, Value, json};

use super::{Api, Refused, refused, written};

/// A rule, or a listener's default actions.
#[derive(Clone, Debug)]
pub struct Rule {
    arn: String,
    actions: Vec<sdk::Action>,
}

impl Rule {
    /// Its actions with the names of the API, for a decision: <https://docs.aws.amazon.com/elasticloadbalancing/latest/APIReference/API_Action.html>.
    #[must_use]
    pub fn actions(&self) -> Vec<Value> {
        self.actions.iter().map(value).collect()
    }

    /// Whether it is the default action of a listener, which has no rule of its own.
    #[must_use]
    pub fn is_listener(&self) -> bool {
        is_listener(&self.arn)
    }
}

impl Api {
    /// A rule by its ARN, or the default actions of a listener by its ARN; `None` where there is none.
    ///
    /// # Errors
    /// When it can't be asked.
    pub async fn rule(&self, arn: &str) -> Result<Option<Rule>, Refused> {
        let actions = if is_listener(arn) {
            self.default_actions(arn).await
        } else {
            self.rule_actions(arn).await
        };
        match actions {
            Ok(actions) => Ok(actions.map(|actions| Rule {
                arn: arn.to_owned(),
                actions,
            })),
            Err(refused) if refused.is("RuleNotFound") || refused.is("ListenerNotFound") => Ok(None),
            Err(refused) => Err(refused),
        }
    }

    async fn default_actions(&self, arn: &str) -> Result<Option<Vec<sdk::Action>>, Refused> {
        let asked = self.elb.describe_listeners().listener_arns(arn).send().await;
        let answer = asked.map_err(|error| refused("elasticloadbalancing:DescribeListeners", &error))?;
        let listener = answer.listeners.unwrap_or_default().into_iter().next();
        Ok(listener.map(|listener| listener.default_actions.unwrap_or_default()))
    }

    async fn rule_actions(&self, arn: &str) -> Result<Option<Vec<sdk::Action>>, Refused> {
        let asked = self.elb.describe_rules().rule_arns(arn).send().await;
        let answer = asked.map_err(|error| refused("elasticloadbalancing:DescribeRules", &error))?;
        let rule = answer.rules.unwrap_or_default().into_iter().next();
        Ok(rule.map(|rule| rule.actions.unwrap_or_default()))
    }

    /// Writes a rule back with the forwarding that `edited` has, which is what [`Rule::actions`] gave, changed. All else is
    /// written as it was read.
    ///
    /// # Errors
    /// When it is refused, or no answer came.
    pub async fn set_rule(&self, rule: &Rule, edited: &[Value]) -> Result<(), Refused> {
        let actions: Vec<sdk::Action> = rule
            .actions
            .iter()
            .zip(edited)
            .map(|(action, edited)| changed(action, edited))
            .collect();
        written(|| async {
            if rule.is_listener() {
                let asked = self
                    .elb_write
                    .modify_listener()
                    .listener_arn(&rule.arn)
                    .set_default_actions(Some(actions.clone()));
                let done = asked.send().await.map(drop);
                done.map_err(|error| refused("elasticloadbalancing:ModifyListener", &error))
            } else {
                let asked = self
                    .elb_write
                    .modify_rule()
                    .rule_arn(&rule.arn)
                    .set_actions(Some(actions.clone()));
                let done = asked.send().await.map(drop);
                done.map_err(|error| refused("elasticloadbalancing:ModifyRule", &error))
            }
        })
        .await
    }
}

/// Whether an ARN names a listener: `…:listener/app/NAME/ID/ID`; a rule's has one part more and says `listener-rule`.
fn is_listener(arn: &str) -> bool {
    arn.contains(":listener/")
}

/// An action with the names of the API. Of what this tool never changes, all is told that can change, so that a foreign
/// change is seen.
fn value(action: &sdk::Action) -> Value {
    let mut value = Map::new();
    value.insert(
        "Type".to_owned(),
        json!(action.r#type.as_ref().map(sdk::ActionTypeEnum::as_str)),
    );
    if let Some(order) = action.order {
        value.insert("Order".to_owned(), json!(order));
    }
    if let Some(group) = &action.target_group_arn {
        value.insert("TargetGroupArn".to_owned(), json!(group));
    }
    if let Some(forward) = &action.forward_config {
        value.insert("ForwardConfig".to_owned(), forward_value(forward));
    }
    if let Some(config) = &action.authenticate_oidc_config {
        let mut rest = config.clone();
        // No answer has the secret; the flag that stands for it was only written, and an answer may say it back.
        (rest.client_secret, rest.use_existing_client_secret) = (None, None);
        let extra = rest.authentication_request_extra_params.take();
        value.insert("AuthenticateOidcConfig".to_owned(), told(&rest, extra));
    }
    if let Some(config) = &action.authenticate_cognito_config {
        let mut rest = config.clone();
        let extra = rest.authentication_request_extra_params.take();
        value.insert("AuthenticateCognitoConfig".to_owned(), told(&rest, extra));
    }
    if let Some(config) = &action.jwt_validation_config {
        value.insert("JwtValidationConfig".to_owned(), told(config, None));
    }
    if let Some(config) = &action.redirect_config {
        value.insert("RedirectConfig".to_owned(), told(config, None));
    }
    if let Some(config) = &action.fixed_response_config {
        value.insert("FixedResponseConfig".to_owned(), told(config, None));
    }
    Value::Object(value)
}

/// A part that is compared and never looked into. What a map holds is sorted, or the same would look different.
fn told(config: &impl Debug, extra: Option<HashMap<String, String>>) -> Value {
    let extra: BTreeMap<String, String> = extra.into_iter().flatten().collect();
    json!({ "is": format!("{config:?}"), "extra": extra })
}

fn forward_value(forward: &sdk::ForwardActionConfig) -> Value {
    let group = |tuple: &sdk::TargetGroupTuple| {
        let mut value = Map::new();
        value.insert("TargetGroupArn".to_owned(), json!(tuple.target_group_arn));
        if let Some(weight) = tuple.weight {
            value.insert("Weight".to_owned(), json!(weight));
        }
        Value::Object(value)
    };
    let mut value = Map::new();
    let groups: Vec<Value> = forward.target_groups().iter().map(group).collect();
    value.insert("TargetGroups".to_owned(), Value::Array(groups));
    if let Some(stickiness) = &forward.target_group_stickiness_config {
        let mut sticky = Map::new();
        if let Some(enabled) = stickiness.enabled {
            sticky.insert("Enabled".to_owned(), json!(enabled));
        }
        if let Some(seconds) = stickiness.duration_seconds {
            sticky.insert("DurationSeconds".to_owned(), json!(seconds));
        }
        value.insert("TargetGroupStickinessConfig".to_owned(), Value::Object(sticky));
    }
    Value::Object(value)
}

/// An action with the forwarding of its edited form.
fn changed(action: &sdk::Action, edited: &Value) -> sdk::Action {
    let mut action = action.clone();
    if let Some(oidc) = &mut action.authenticate_oidc_config {
        // The secret is never read back; without this it would be asked for.
        oidc.use_existing_client_secret = Some(true);
    }
    if edited.get("ForwardConfig").is_some() || edited.get("TargetGroupArn").is_some() {
        action.target_group_arn = edited
            .get("TargetGroupArn")
            .and_then(Value::as_str)
            .map(str::to_owned);
        action.forward_config = edited.get("ForwardConfig").map(forward);
    }
    action
}

fn forward(edited: &Value) -> sdk::ForwardActionConfig {
    let integer = |value: &Value| value.as_i64().and_then(|number| i32::try_from(number).ok());
    let groups = edited.get("TargetGroups").and_then(Value::as_array);
    let group = |group: &Value| {
        sdk::TargetGroupTuple::builder()
            .set_target_group_arn(
                group
                    .get("TargetGroupArn")
                    .and_then(Value::as_str)
                    .map(str::to_owned),
            )
            .set_weight(group.get("Weight").and_then(integer))
            .build()
    };
    let sticky = edited.get("TargetGroupStickinessConfig").map(|sticky| {
        sdk::TargetGroupStickinessConfig::builder()
            .set_enabled(sticky.get("Enabled").and_then(Value::as_bool))
            .set_duration_seconds(sticky.get("DurationSeconds").and_then(integer))
            .build()
    });
    sdk::ForwardActionConfig::builder()
        .set_target_groups(groups.map(|groups| groups.iter().map(group).collect()))
        .set_target_group_stickiness_config(sticky)
        .build()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn group(name: &str, weight: i32) -> sdk::TargetGroupTuple {
        sdk::TargetGroupTuple::builder()
            .target_group_arn(name)
            .weight(weight)
            .build()
    }

    #[test]
    fn nothing_but_the_forwarding_is_changed() {
        let oidc = sdk::AuthenticateOidcActionConfig::builder()
            .issuer("https://id.example.com")
            .client_id("shop")
            .session_timeout(3600)
            .build();
        let sign_in = sdk::Action::builder()
            .r#type(sdk::ActionTypeEnum::AuthenticateOidc)
            .order(1)
            .authenticate_oidc_config(oidc)
            .build();
        let forward = sdk::ForwardActionConfig::builder()
            .target_groups(group("blue", 100))
            .target_groups(group("green", 0))
            .target_group_stickiness_config(
                sdk::TargetGroupStickinessConfig::builder()
                    .enabled(true)
                    .duration_seconds(600)
                    .build(),
            )
            .build();
        let forwards = sdk::Action::builder()
            .r#type(sdk::ActionTypeEnum::Forward)
            .order(2)
            .forward_config(forward)
            .build();
        let rule = Rule {
            arn: "arn:aws:elasticloadbalancing:eu-west-1:1:listener-rule/app/a/b/c/d".to_owned(),
            actions: vec![sign_in.clone(), forwards],
        };
        let mut edited = rule.actions();
        edited[1]["ForwardConfig"]["TargetGroups"][0]["Weight"] = json!(90);
        edited[1]["ForwardConfig"]["TargetGroups"][1]["Weight"] = json!(10);
        let written: Vec<sdk::Action> = rule
            .actions
            .iter()
            .zip(&edited)
            .map(|(action, edited)| changed(action, edited))
            .collect();
        assert_eq!(value(&written[0]), value(&sign_in), "the flag is no change");
        let mut kept = written[0].authenticate_oidc_config.clone().unwrap();
        assert_eq!(kept.use_existing_client_secret.take(), Some(true));
        assert_eq!(Some(kept), sign_in.authenticate_oidc_config);
        let after = written[1].forward_config.clone().unwrap();
        assert_eq!(after.target_groups(), [group("blue", 90), group("green", 10)]);
        let sticky = after.target_group_stickiness_config.unwrap();
        assert_eq!((sticky.enabled, sticky.duration_seconds), (Some(true), Some(600)));
        assert!(
            !rule.is_listener() && is_listener("arn:aws:elasticloadbalancing:eu-west-1:1:listener/app/a/b/c")
        );
    }
}
