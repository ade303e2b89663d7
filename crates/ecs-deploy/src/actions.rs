//! The actions of a listener's rule, as the ELBv2 API writes them: which weights two target groups have, and the same
//! actions with other weights and nothing else changed.
//!
//! `ModifyRule` and `ModifyListener` replace the whole list of actions, and neither has a condition
//! (<https://docs.aws.amazon.com/elasticloadbalancing/latest/APIReference/API_ModifyRule.html>). So the list is read,
//! edited and written back, and [`foreign_changes`] tells whether it is still what was written.

use serde_json::{Value, json};

use gha::text;

use crate::pair::Pair;

pub mod foreign;

pub use foreign::foreign_changes;

/// The highest weight that the API takes
/// (<https://docs.aws.amazon.com/elasticloadbalancing/latest/APIReference/API_TargetGroupTuple.html>).
const HIGHEST: u64 = 999;

/// The target groups of the two versions, by ARN.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Groups {
    /// The earlier version's.
    pub old: String,
    /// The new version's.
    pub new: String,
}

/// What a rule does with the two target groups.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Traffic {
    /// Their weights; a group that the rule does not name has 0.
    pub weights: Pair,
    /// For how many seconds a client stays with its target group, where that is on.
    pub sticky: Option<u32>,
}

/// What is written for the stickiness of target groups. A client that has the cookie stays with its group whatever the
/// weights are
/// (<https://docs.aws.amazon.com/elasticloadbalancing/latest/application/rule-action-types.html#forward-actions>), so a
/// rollback that must move everybody turns it off.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sticky {
    /// As it is.
    Keep,
    /// Off, where it is on.
    Off,
    /// On, for this many seconds.
    On(u32),
}

/// Why a rule is not one whose weights can be set.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum ActionsError {
    /// Nothing is forwarded.
    #[error("the rule forwards to no target group; its actions are {0}")]
    NoForward(String),
    /// More than one forward.
    #[error("the rule has {0} forward actions, and only one can be weighted")]
    Forwards(usize),
    /// A shape that the API's documentation does not have.
    #[error("the rule's forward action has {0}")]
    Shape(String),
    /// A group that is none of the two gets requests.
    #[error(
        "the rule also forwards to target group `{group}` with weight {weight}, which is neither side of this deploy"
    )]
    Third {
        /// The name of the group.
        group: String,
        /// Its weight.
        weight: u16,
    },
    /// None of the two.
    #[error("the rule forwards to {there}, neither to `{old}` nor to `{new}`")]
    Neither {
        /// The groups that there are.
        there: String,
        /// The earlier version's.
        old: String,
        /// The new version's.
        new: String,
    },
    /// Both sides are one.
    #[error("both sides of the deploy have target group `{0}`")]
    OneGroup(String),
    /// A weight that can't be.
    #[error("weight {0} is above {HIGHEST}")]
    TooHigh(u16),
}

/// Reads what a rule does with the two target groups.
///
/// # Errors
/// When it does not forward to them alone.
pub fn traffic(actions: &[Value], groups: &Groups) -> Result<Traffic, ActionsError> {
    let forward = &actions[forward(actions)?];
    let weighted = weighted(forward)?;
    if groups.old == groups.new {
        return Err(ActionsError::OneGroup(name(&groups.old)));
    }
    let is_ours = |group: &str| group == groups.old || group == groups.new;
    if let Some((group, weight)) = weighted
        .iter()
        .find(|(group, weight)| *weight > 0 && !is_ours(group))
    {
        return Err(ActionsError::Third {
            group: name(group),
            weight: *weight,
        });
    }
    if !weighted.iter().any(|(group, _)| is_ours(group)) {
        let there: Vec<String> = weighted
            .iter()
            .map(|(group, _)| format!("`{}`", name(group)))
            .collect();
        return Err(ActionsError::Neither {
            there: there.join(", "),
            old: name(&groups.old),
            new: name(&groups.new),
        });
    }
    let of = |group: &str| {
        weighted
            .iter()
            .find(|(other, _)| *other == group)
            .map_or(0, |(_, weight)| *weight)
    };
    Ok(Traffic {
        weights: Pair {
            old: of(&groups.old),
            new: of(&groups.new),
        },
        sticky: sticky(forward)?,
    })
}

/// The same actions with these weights. A group that the rule does not name yet is added behind the others. Actions of
/// OIDC get `UseExistingClientSecret`: the secret is not in what was read
/// (<https://docs.aws.amazon.com/elasticloadbalancing/latest/APIReference/API_AuthenticateOidcActionConfig.html>).
///
/// # Errors
/// When [`traffic`] has one, or a weight is above 999.
pub fn with_weights(
    actions: &[Value],
    groups: &Groups,
    weights: Pair,
    stickiness: Sticky,
) -> Result<Vec<Value>, ActionsError> {
    let now = traffic(actions, groups)?;
    if let Some(weight) = [weights.old, weights.new]
        .into_iter()
        .find(|weight| u64::from(*weight) > HIGHEST)
    {
        return Err(ActionsError::TooHigh(weight));
    }
    let at = forward(actions)?;
    let list = weighted(&actions[at])?;
    let mut written = actions.to_vec();
    written.iter_mut().for_each(keep_client_secret);
    let action = as_object(&mut written[at]);
    let config = as_object(&mut action["ForwardConfig"]);
    if config["TargetGroups"].as_array().is_none_or(Vec::is_empty) {
        config["TargetGroups"] = list.iter().map(|(group, weight)| tuple(group, *weight)).collect();
    }
    if let Value::Array(tuples) = &mut config["TargetGroups"] {
        for (group, weight) in [(&groups.old, weights.old), (&groups.new, weights.new)] {
            match tuples.iter_mut().find(|tuple| tuple["TargetGroupArn"] == **group) {
                Some(tuple) => tuple["Weight"] = json!(weight),
                None => tuples.push(tuple(group, weight)),
            }
        }
    }
    write_stickiness(config, now.sticky, stickiness);
    // With both of them, the API takes one target group only
    // (<https://docs.aws.amazon.com/elasticloadbalancing/latest/APIReference/API_Action.html>).
    if let Value::Object(action) = action {
        action.shift_remove("TargetGroupArn");
    }
    Ok(written)
}

fn write_stickiness(config: &mut Value, now: Option<u32>, stickiness: Sticky) {
    match stickiness {
        Sticky::Keep => {}
        Sticky::Off if now.is_none() => {}
        Sticky::Off => as_object(&mut config["TargetGroupStickinessConfig"])["Enabled"] = json!(false),
        Sticky::On(seconds) => {
            let config = as_object(&mut config["TargetGroupStickinessConfig"]);
            config["Enabled"] = json!(true);
            config["DurationSeconds"] = json!(seconds);
        }
    }
}

fn keep_client_secret(action: &mut Value) {
    let config = action
        .get_mut("AuthenticateOidcConfig")
        .and_then(Value::as_object_mut);
    if let Some(config) = config.filter(|config| config.get("ClientSecret").is_none_or(Value::is_null)) {
        config.shift_remove("ClientSecret");
        config.insert("UseExistingClientSecret".to_owned(), json!(true));
    }
}

fn tuple(group: &str, weight: u16) -> Value {
    json!({"TargetGroupArn": group, "Weight": weight})
}

/// The value as an object, an empty one where it is something else; an index on it adds the key.
fn as_object(value: &mut Value) -> &mut Value {
    if !value.is_object() {
        *value = json!({});
    }
    value
}

/// Where the one forward action stands.
fn forward(actions: &[Value]) -> Result<usize, ActionsError> {
    let is_forward = |action: &&Value| action["Type"] == "forward";
    match actions.iter().filter(is_forward).count() {
        0 => {
            let kinds: Vec<String> = actions
                .iter()
                .take(10)
                .map(|action| format!("`{}`", kind(action)))
                .collect();
            Err(ActionsError::NoForward(if kinds.is_empty() {
                "none".to_owned()
            } else {
                kinds.join(", ")
            }))
        }
        1 => Ok(actions
            .iter()
            .position(|action| is_forward(&action))
            .unwrap_or_default()),
        several => Err(ActionsError::Forwards(several)),
    }
}

/// The target groups of a forward action and their weights. The API writes one group as `TargetGroupArn`, as a list in
/// `ForwardConfig`, or as both; of both, the list has the weight.
fn weighted(forward: &Value) -> Result<Vec<(&str, u16)>, ActionsError> {
    let shape = |what: String| ActionsError::Shape(what);
    let listed = forward["ForwardConfig"]["TargetGroups"]
        .as_array()
        .filter(|list| !list.is_empty());
    let Some(listed) = listed else {
        let only = forward["TargetGroupArn"].as_str();
        let only = only.ok_or_else(|| shape("no target group".to_owned()))?;
        return Ok(vec![(only, 1)]);
    };
    let mut groups: Vec<(&str, u16)> = Vec::new();
    for tuple in listed {
        let group = tuple["TargetGroupArn"].as_str();
        let group = group.ok_or_else(|| shape("a target group without an ARN".to_owned()))?;
        if groups.iter().any(|(other, _)| *other == group) {
            return Err(shape(format!("target group `{}` twice", name(group))));
        }
        let weight = match &tuple["Weight"] {
            // One group gets everything, whatever its weight.
            Value::Null if listed.len() == 1 => 1,
            Value::Null => return Err(shape(format!("no weight for target group `{}`", name(group)))),
            weight => weight
                .as_u64()
                .filter(|weight| *weight <= HIGHEST)
                .and_then(|weight| u16::try_from(weight).ok())
                .ok_or_else(|| {
                    let weight = text::cut(&text::visible(&weight.to_string()), 40);
                    shape(format!(
                        "the weight `{weight}` for target group `{}`",
                        name(group)
                    ))
                })?,
        };
        groups.push((group, weight));
    }
    if let Some(only) = forward["TargetGroupArn"].as_str()
        && groups.iter().all(|(group, _)| *group != only)
    {
        return Err(shape(format!(
            "target group `{}` beside a list without it",
            name(only)
        )));
    }
    Ok(groups)
}

/// For how many seconds clients stay with their target group, where that is on.
fn sticky(forward: &Value) -> Result<Option<u32>, ActionsError> {
    let config = &forward["ForwardConfig"]["TargetGroupStickinessConfig"];
    if config["Enabled"] != true {
        return Ok(None);
    }
    let seconds = config["DurationSeconds"].as_u64();
    let seconds = seconds.and_then(|seconds| u32::try_from(seconds).ok());
    seconds
        .map(Some)
        .ok_or_else(|| ActionsError::Shape("stickiness without a duration".to_owned()))
}

/// The type of an action.
fn kind(action: &Value) -> String {
    let kind = action["Type"].as_str().unwrap_or("no type");
    text::cut(&text::visible(kind), 40)
}

/// The target groups that a rule forwards to, also with weight 0, by ARN; none where that can't be read.
#[must_use]
pub fn named(actions: &[Value]) -> Vec<String> {
    let at = forward(actions);
    let weighted = at.and_then(|at| weighted(&actions[at]));
    let groups = weighted.unwrap_or_default().into_iter();
    groups.map(|(group, _)| group.to_owned()).collect()
}

/// The name in the ARN of a target group, `…:targetgroup/NAME/ID`; without the account.
#[must_use]
pub fn name(arn: &str) -> String {
    let name = arn
        .split_once(":targetgroup/")
        .and_then(|(_, rest)| rest.split('/').next());
    let whole = gha::accounts::without(arn);
    text::cut(&text::visible(name.unwrap_or(&whole)), 80)
}

#[cfg(test)]
mod tests;
