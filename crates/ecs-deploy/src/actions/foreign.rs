//! Whether a rule's actions are still what was written, and if not, what somebody else changed.
//!
//! What the API itself adds or leaves out is no change: the scalar ARN of a single group, stickiness that is off, the
//! order of a single action, and the client secret of OIDC with the flag that stands for it.

use serde_json::{Map, Value, json};

use crate::actions::{kind, name};

/// What somebody else changed since these actions were written; nothing where they are still ours.
#[must_use]
pub fn foreign_changes(written: &[Value], found: &[Value]) -> Vec<String> {
    let (ours, theirs) = (plain(written), plain(found));
    if ours == theirs {
        return Vec::new();
    }
    let kinds = |actions: &[Value]| {
        actions
            .iter()
            .map(|action| format!("`{}`", kind(action)))
            .collect::<Vec<_>>()
    };
    let (our_kinds, their_kinds) = (kinds(&ours), kinds(&theirs));
    if our_kinds != their_kinds {
        let list = |kinds: Vec<String>| {
            if kinds.is_empty() {
                "none".to_owned()
            } else {
                kinds.join(", ")
            }
        };
        return vec![format!(
            "the rule's actions are {}, and this run wrote {}",
            list(their_kinds),
            list(our_kinds)
        )];
    }
    ours.iter()
        .zip(&theirs)
        .filter(|(ours, theirs)| ours != theirs)
        .flat_map(|(ours, theirs)| of_action(ours, theirs))
        .collect()
}

/// What differs between two actions of one type.
fn of_action(ours: &Value, theirs: &Value) -> Vec<String> {
    let mut found = Vec::new();
    let (our_groups, their_groups) = (groups(ours), groups(theirs));
    for (group, weight) in &our_groups {
        match their_groups.iter().find(|(other, _)| other == group) {
            None => found.push(format!("target group `{}` is gone from the rule", name(group))),
            Some((_, now)) if now != weight => found.push(format!(
                "target group `{}` has weight {now}, and this run wrote {weight}",
                name(group)
            )),
            Some(_) => {}
        }
    }
    for (group, weight) in &their_groups {
        if !our_groups.iter().any(|(other, _)| other == group) {
            found.push(format!(
                "target group `{}` is in the rule with weight {weight}",
                name(group)
            ));
        }
    }
    let stickiness = |action: &Value| action["ForwardConfig"]["TargetGroupStickinessConfig"].clone();
    if stickiness(ours) != stickiness(theirs) {
        found.push("the stickiness of its target groups was changed".to_owned());
    }
    if found.is_empty() {
        found.push(format!("its action `{}` was changed", kind(theirs)));
    }
    found
}

/// The target groups of an action and their weights.
fn groups(action: &Value) -> Vec<(&str, &Value)> {
    let list = action["ForwardConfig"]["TargetGroups"].as_array();
    list.into_iter()
        .flatten()
        .map(|tuple| {
            (
                tuple["TargetGroupArn"].as_str().unwrap_or_default(),
                &tuple["Weight"],
            )
        })
        .collect()
}

/// Actions without what the API adds or leaves out, in the order in which they act.
fn plain(actions: &[Value]) -> Vec<Value> {
    let mut plain: Vec<Value> = actions.to_vec();
    plain.sort_by_key(|action| action["Order"].as_u64());
    for action in &mut plain {
        let Some(action) = action.as_object_mut() else {
            continue;
        };
        action.shift_remove("Order");
        action.retain(|_, value| !value.is_null());
        if let Some(Value::Object(oidc)) = action.get_mut("AuthenticateOidcConfig") {
            oidc.retain(|key, value| {
                !value.is_null() && !["ClientSecret", "UseExistingClientSecret"].contains(&key.as_str())
            });
        }
        if action.get("Type") == Some(&json!("forward")) {
            plain_forward(action);
        }
    }
    plain
}

fn plain_forward(action: &mut Map<String, Value>) {
    let scalar = action.shift_remove("TargetGroupArn");
    let config = action.entry("ForwardConfig").or_insert_with(|| json!({}));
    let Value::Object(config) = config else { return };
    config.retain(|_, value| !value.is_null());
    let listed = config.get("TargetGroups").and_then(Value::as_array);
    let is_listed = |group: &Value| {
        listed.is_some_and(|listed| {
            listed
                .iter()
                .any(|tuple| tuple.get("TargetGroupArn") == Some(group))
        })
    };
    match scalar {
        Some(group) if listed.is_none_or(Vec::is_empty) => {
            config.insert(
                "TargetGroups".to_owned(),
                json!([{"TargetGroupArn": group, "Weight": 1}]),
            );
        }
        // A group beside a list without it is a change that must be seen.
        Some(group) if !is_listed(&group) => {
            config.insert("TargetGroupArn".to_owned(), group);
        }
        _ => {}
    }
    if let Some(Value::Array(tuples)) = config.get_mut("TargetGroups") {
        tuples.sort_by(|one, other| {
            one["TargetGroupArn"]
                .as_str()
                .cmp(&other["TargetGroupArn"].as_str())
        });
        if let [Value::Object(only)] = &mut tuples[..] {
            // One group gets everything, whatever its weight.
            only.insert("Weight".to_owned(), json!(1));
        }
    }
    let sticky = config.get("TargetGroupStickinessConfig");
    if sticky.is_some_and(|sticky| sticky["Enabled"] != true) {
        config.shift_remove("TargetGroupStickinessConfig");
    }
}
