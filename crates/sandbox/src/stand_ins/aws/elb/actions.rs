//! Actions of a rule: what is accepted, what is kept, what is shown, and where requests go by them.
//!
//! Rules: [`Action`](https://docs.aws.amazon.com/elasticloadbalancing/latest/APIReference/API_Action.html) and its parts. The
//! words of refusals are not AWS' own.

use serde_json::{Map, Value, json};

use super::super::call::Refusal;
use super::super::input::{list, text};
use super::invalid;

/// Groups of one forward action.
const MOST_GROUPS: usize = 5;
/// The highest weight.
const HEAVIEST: i64 = 999;
/// Seconds of stickiness: seven days.
const LONGEST_STICKINESS: i64 = 604_800;

/// What an `authenticate-oidc` action has without being asked.
const OIDC: [(&str, &str); 3] = [
    ("OnUnauthenticatedRequest", "authenticate"),
    ("Scope", "openid"),
    ("SessionCookieName", "AWSELBAuthSessionCookie"),
];

/// Actions as they are kept, of actions as they were given. `before` are those that they replace.
pub(super) fn accept(given: &[Value], before: &Value) -> Result<Value, Refusal> {
    if given.is_empty() {
        return Err(invalid("At least one action must be specified"));
    }
    let mut actions = given.to_vec();
    for (index, action) in actions.iter_mut().enumerate() {
        match text(action, "Type") {
            "forward" => forward(action)?,
            "authenticate-oidc" => oidc(action, before)?,
            "authenticate-cognito" | "jwt-validation" | "redirect" | "fixed-response" => {}
            other => return Err(invalid(format!("Unknown action type '{other}'"))),
        }
        if given.len() > 1 && action["Order"].is_null() {
            return Err(Refusal::new(
                "InvalidLoadBalancerAction",
                format!("Action {} needs an order", index + 1),
            ));
        }
    }
    actions.sort_by_key(|action| action["Order"].as_i64());
    let ends = |action: &Value| matches!(text(action, "Type"), "forward" | "redirect" | "fixed-response");
    if actions.iter().filter(|action| ends(action)).count() != 1 || !actions.last().is_some_and(ends) {
        return Err(Refusal::new(
            "InvalidLoadBalancerAction",
            "Exactly one of forward, redirect and fixed-response must be given, and it must come last",
        ));
    }
    Ok(Value::Array(actions))
}

/// Actions without their secrets.
pub(super) fn shown(actions: &Value) -> Value {
    let mut actions = actions.clone();
    for action in actions.as_array_mut().into_iter().flatten() {
        if let Some(config) = action["AuthenticateOidcConfig"].as_object_mut() {
            config.shift_remove("ClientSecret");
        }
        // Indexing leaves a null where there was nothing.
        if let Some(action) = action.as_object_mut() {
            action.retain(|_, value| !value.is_null());
        }
    }
    actions
}

/// The secret that stays with the actions.
pub(super) fn client_secret(actions: &Value) -> Option<&str> {
    let mut actions = actions.as_array()?.iter();
    actions.find_map(|action| action["AuthenticateOidcConfig"]["ClientSecret"].as_str())
}

/// The groups that actions refer to.
pub(super) fn groups(actions: &Value) -> impl Iterator<Item = &str> {
    let forward = forward_of(actions).map_or(&Value::Null, |action| &action["ForwardConfig"]);
    list(forward, "TargetGroups")
        .iter()
        .filter_map(|group| group["TargetGroupArn"].as_str())
}

/// Each group of the forward action with its share of the requests.
pub(super) fn shares(actions: &Value) -> Vec<(String, f64)> {
    let Some(forward) = forward_of(actions) else {
        return Vec::new();
    };
    let groups = list(&forward["ForwardConfig"], "TargetGroups").iter();
    let weights: Vec<(String, f64)> = groups
        .map(|group| {
            (
                text(group, "TargetGroupArn").to_owned(),
                group["Weight"].as_f64().unwrap_or(0.0),
            )
        })
        .collect();
    let total: f64 = weights.iter().map(|(_, weight)| weight).sum();
    if total == 0.0 {
        return Vec::new();
    }
    weights
        .into_iter()
        .map(|(group, weight)| (group, weight / total))
        .collect()
}

/// Gives the forward action other groups.
pub(super) fn set_weights(actions: &mut Value, weights: &[(&str, u32)]) {
    let tuples: Vec<Value> = weights
        .iter()
        .map(|(group, weight)| json!({ "TargetGroupArn": group, "Weight": weight }))
        .collect();
    let actions = actions.as_array_mut().into_iter().flatten();
    for action in actions.filter(|action| action["Type"] == "forward") {
        action["ForwardConfig"]["TargetGroups"] = Value::Array(tuples.clone());
        echo_single(action);
    }
}

fn forward_of(actions: &Value) -> Option<&Value> {
    actions
        .as_array()?
        .iter()
        .find(|action| action["Type"] == "forward")
}

/// A forward action in its full form: weights and stickiness are always shown, `TargetGroupArn` for a single group.
fn forward(action: &mut Value) -> Result<(), Refusal> {
    let single = text(action, "TargetGroupArn").to_owned();
    let mut tuples = list(&action["ForwardConfig"], "TargetGroups").to_vec();
    if tuples.is_empty() && !single.is_empty() {
        tuples.push(json!({ "TargetGroupArn": single }));
    }
    let matches = single.is_empty()
        || (tuples.len() == 1 && tuples.iter().all(|tuple| tuple["TargetGroupArn"] == *single));
    if tuples.is_empty() || !matches {
        return Err(invalid(
            "You must specify TargetGroupArn or ForwardConfig, or both with that one target group",
        ));
    }
    if !tuples.iter().all(Value::is_object) {
        return Err(invalid("A target group of a forward action is a structure"));
    }
    if tuples.len() > MOST_GROUPS {
        return Err(invalid(format!(
            "A forward action has at most {MOST_GROUPS} target groups"
        )));
    }
    let mut seen: Vec<&str> = tuples.iter().map(|tuple| text(tuple, "TargetGroupArn")).collect();
    seen.sort_unstable();
    seen.dedup();
    if seen.len() != tuples.len() {
        return Err(invalid(
            "A target group can only be specified once in a forward action",
        ));
    }
    for tuple in &mut tuples {
        let weight = tuple["Weight"].as_i64().unwrap_or(1);
        if !(0..=HEAVIEST).contains(&weight) {
            return Err(invalid(format!(
                "Weight '{weight}' must be between 0 and {HEAVIEST} inclusive"
            )));
        }
        tuple["Weight"] = json!(weight);
    }
    let stickiness = stickiness(&action["ForwardConfig"]["TargetGroupStickinessConfig"])?;
    action["ForwardConfig"] = json!({ "TargetGroups": tuples, "TargetGroupStickinessConfig": stickiness });
    echo_single(action);
    Ok(())
}

fn echo_single(action: &mut Value) {
    let tuples = list(&action["ForwardConfig"], "TargetGroups");
    let single = match tuples {
        [tuple] => Some(tuple["TargetGroupArn"].clone()),
        _ => None,
    };
    if let Some(action) = action.as_object_mut() {
        match single {
            Some(arn) => drop(action.insert("TargetGroupArn".to_owned(), arn)),
            None => drop(action.shift_remove("TargetGroupArn")),
        }
    }
}

fn stickiness(given: &Value) -> Result<Value, Refusal> {
    if given["Enabled"] != true {
        return Ok(json!({ "Enabled": false }));
    }
    let seconds = given["DurationSeconds"].as_i64().unwrap_or(0);
    if !(1..=LONGEST_STICKINESS).contains(&seconds) {
        return Err(invalid(format!(
            "Target group stickiness duration '{seconds}' must be between 1 and {LONGEST_STICKINESS} seconds"
        )));
    }
    Ok(json!({ "Enabled": true, "DurationSeconds": seconds }))
}

/// The secret must be given, or stay as it is.
fn oidc(action: &mut Value, before: &Value) -> Result<(), Refusal> {
    let Some(config) = action["AuthenticateOidcConfig"].as_object_mut() else {
        return Err(invalid("AuthenticateOidcConfig must be specified"));
    };
    for name in [
        "Issuer",
        "AuthorizationEndpoint",
        "TokenEndpoint",
        "UserInfoEndpoint",
        "ClientId",
    ] {
        if config.get(name).and_then(Value::as_str).is_none_or(str::is_empty) {
            return Err(invalid(format!(
                "{name} must be specified in AuthenticateOidcConfig"
            )));
        }
    }
    let keeps = config.shift_remove("UseExistingClientSecret") == Some(json!(true));
    if keeps == config.contains_key("ClientSecret") {
        return Err(invalid(
            "Either ClientSecret or UseExistingClientSecret must be specified in AuthenticateOidcConfig",
        ));
    }
    if keeps {
        let Some(secret) = client_secret(before) else {
            return Err(invalid("There is no existing client secret to use"));
        };
        config.insert("ClientSecret".to_owned(), json!(secret));
    }
    for (name, value) in OIDC {
        config.entry(name).or_insert_with(|| json!(value));
    }
    config.entry("SessionTimeout").or_insert_with(|| json!(604_800));
    config
        .entry("AuthenticationRequestExtraParams")
        .or_insert_with(|| Value::Object(Map::new()));
    Ok(())
}
