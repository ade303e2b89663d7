//! Subsets of Istio: where a VirtualService leads to a part of a Service's pods, by labels that a DestinationRule names
//! (<https://istio.io/latest/docs/reference/config/networking/destination-rule/#Subset>).
//!
//! Which version serves is said by the Service's selector, which is exact. A subset that asks for a label which the pods of the new
//! version do not have, as `color: blue`, would have no pods once the Service selects them, and proxies answer 503
//! (argoproj/argo-rollouts#2507). So such labels are taken out of it before there is traffic to divide: the same pods are in it as
//! before, because the Service has no others. What it was is kept on the DestinationRule, and given back when the old version keeps
//! the traffic. When the new one has it for good the labels stay out, so that the way back is still the one change of the selector.
//!
//! Policies, as those of TLS and of connections, are of a host. For the canary's Service there is a DestinationRule of its own, with
//! the same policies and the same names of subsets, while the canary lasts.

use serde_json::{Map, Value, json};

use super::istio::{self, is_host};
use super::operations::Operations;
use super::original::ORIGINAL;
use super::sides::Sides;
use super::{RouteError, Seen};
use crate::object::{self, Labels, entries, labels_at, shown, text, token};

/// What the name of the canary's DestinationRule has behind that of the one that it is made from.
const CANARY: &str = "-canary";

/// The schema of what is kept, and the only one that is read.
const SCHEMA: u64 = 1;

/// The subsets of the Service, or of its canary, to which a VirtualService leads.
#[must_use]
pub fn named(seen: Seen<'_>, sides: &Sides) -> Vec<String> {
    let rules = ["/spec/http", "/spec/tls", "/spec/tcp"]
        .into_iter()
        .flat_map(|rules| entries(seen.object, rules));
    let destinations = rules.flat_map(|rule| entries(rule, "/route"));
    let mut names: Vec<String> = destinations
        .filter(|one| {
            let host = text(one, "/destination/host");
            [&sides.stable, &sides.canary]
                .iter()
                .any(|service| is_host(host, service, &sides.namespace))
        })
        .map(|one| text(one, "/destination/subset").to_owned())
        .filter(|subset| !subset.is_empty())
        .collect();
    names.sort_unstable();
    names.dedup();
    names
}

/// Whether a DestinationRule is about a Service.
#[must_use]
pub fn is_of(rule: &Value, service: &str, namespace: &str) -> bool {
    is_host(text(rule, "/spec/host"), service, namespace)
}

/// Checks that each of these subsets of the Service is there.
///
/// # Errors
/// When one is not: requests to it are answered with 503 already.
pub fn are_there<'a>(
    names: &[String],
    rules: impl IntoIterator<Item = &'a Value>,
    sides: &Sides,
) -> Result<(), RouteError> {
    let known: Vec<&str> = rules
        .into_iter()
        .flat_map(|rule| entries(rule, "/spec/subsets"))
        .map(|subset| text(subset, "/name"))
        .collect();
    match names.iter().find(|name| !known.contains(&name.as_str())) {
        None => Ok(()),
        Some(missing) => Err(RouteError::NoSubset {
            service: sides.stable.clone(),
            subset: shown(missing),
        }),
    }
}

/// Takes the labels that pods with `labels` do not have out of these subsets, and keeps what they were; nothing where there are none.
///
/// # Errors
/// When what was kept before can't be read.
pub fn open(rule: &Value, names: &[String], labels: &Labels) -> Result<Option<Value>, RouteError> {
    let mut kept = kept(rule)?;
    let mut operations = Operations::on(rule);
    let mut opened = false;
    for (at, subset) in entries(rule, "/spec/subsets").iter().enumerate() {
        let name = text(subset, "/name");
        let asked = labels_at(subset, "/labels");
        let strange: Vec<&String> = asked
            .iter()
            .filter(|(key, value)| labels.get(*key) != Some(*value))
            .map(|(key, _)| key)
            .collect();
        if strange.is_empty() || !names.iter().any(|known| known == name) {
            continue;
        }
        let path = format!("/spec/subsets/{at}");
        operations.test(&path, subset);
        for key in strange {
            operations.remove(&format!("{path}/labels/{}", token(key)));
        }
        opened = true;
        kept.entry(name).or_insert_with(|| json!(asked));
    }
    if !opened {
        return Ok(None);
    }
    let written = json!({"schema": SCHEMA, "subsets": kept}).to_string();
    operations.annotate(rule, ORIGINAL, &written.into());
    Ok(Some(operations.done()))
}

/// Gives the subsets back the labels that were taken out, unless somebody else gave them others since; nothing where none were.
///
/// # Errors
/// When what was kept can't be read.
pub fn close(rule: &Value) -> Result<Option<Value>, RouteError> {
    let kept = kept(rule)?;
    let Some(mut operations) = forgotten(rule) else {
        return Ok(None);
    };
    for (at, subset) in entries(rule, "/spec/subsets").iter().enumerate() {
        let Some(before) = kept.get(text(subset, "/name")) else {
            continue;
        };
        let now = labels_at(subset, "/labels");
        let is_as_left = now
            .iter()
            .all(|(key, value)| before.get(key).and_then(Value::as_str) == Some(value));
        if is_as_left {
            let path = format!("/spec/subsets/{at}");
            operations.test(&path, subset);
            operations.add(&format!("{path}/labels"), before);
        }
    }
    Ok(Some(operations.done()))
}

/// Keeps nothing any more of what the subsets were, and leaves them as they are; nothing where nothing is kept.
#[must_use]
pub fn forget(rule: &Value) -> Option<Value> {
    forgotten(rule).map(Operations::done)
}

/// The DestinationRule of the canary's Service: the policies of the Service's own, with those of the subsets to which routes lead. All
/// pods of the canary's Service are in each of them
/// (a subset without labels is all of a host: <https://istio.io/latest/docs/reference/config/networking/destination-rule/#Subset>).
#[must_use]
pub fn of_canary(rule: &Value, names: &[String], sides: &Sides, marks: &Labels) -> Value {
    let mut spec = rule["spec"].clone();
    if let Some(fields) = spec.as_object_mut() {
        let host = istio::canary_host(text(rule, "/spec/host"), sides);
        fields.insert("host".to_owned(), host.into());
    }
    if let Some(subsets) = spec.get_mut("subsets").and_then(Value::as_array_mut) {
        subsets.retain(|subset| names.iter().any(|name| name == text(subset, "/name")));
        for subset in subsets {
            if let Some(fields) = subset.as_object_mut() {
                fields.shift_remove("labels");
            }
        }
    }
    json!({
        "apiVersion": rule["apiVersion"], "kind": "DestinationRule",
        "metadata": {
            "name": format!("{}{CANARY}", object::name(rule)), "namespace": sides.namespace, "annotations": marks,
        },
        "spec": spec,
    })
}

/// What the subsets were, by their names.
fn kept(rule: &Value) -> Result<Map<String, Value>, RouteError> {
    let Some(written) = object::annotation(rule, ORIGINAL) else {
        return Ok(Map::new());
    };
    let damaged = |why: &str| RouteError::Damaged {
        route: format!("DestinationRule `{}`", shown(object::name(rule))),
        why: why.to_owned(),
    };
    let value: Value = serde_json::from_str(written).map_err(|error| damaged(&error.to_string()))?;
    if object::number(&value, "/schema") != Some(SCHEMA) {
        return Err(damaged("its schema is not the one that this version knows"));
    }
    let subsets = value.get("subsets").and_then(Value::as_object).cloned();
    subsets.ok_or_else(|| damaged("it names no subsets"))
}

fn forgotten(rule: &Value) -> Option<Operations> {
    let written = object::annotation(rule, ORIGINAL)?;
    let path = format!("/metadata/annotations/{}", token(ORIGINAL));
    let mut operations = Operations::on(rule);
    operations.test(&path, &written.into());
    operations.remove(&path);
    Some(operations)
}
