//! Server-side apply: merges what a manager wants, refuses what others own, and drops what the manager no longer wants.

use std::collections::BTreeMap;
use std::time::Duration;

use serde_json::{Map, Value, json};

use super::owned::{Owners, Path, Paths, at, key_part, paths, remove};
use crate::stand_ins::kubernetes::object;
use crate::stand_ins::kubernetes::refusal::Refusal;
use crate::stand_ins::kubernetes::schema::Field;

/// Who applies.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Applier<'a> {
    pub(crate) manager: &'a str,
    pub(crate) force: bool,
    pub(crate) part: &'a str,
    pub(crate) api_version: &'a str,
    pub(crate) now: Duration,
}

/// The object as it is to be, with its owners; `live` is none for one that is new.
pub(crate) fn apply(
    live: Option<&Value>,
    wanted: &Value,
    kind: &Field,
    by: Applier<'_>,
) -> Result<Value, Refusal> {
    let mut wanted = wanted.clone();
    object::take(&mut wanted, &["metadata", "managedFields"]);
    let empty = Value::Object(Map::new());
    let base = live.unwrap_or(&empty);
    let mut owners = Owners::of(base);
    let set = paths(&wanted, kind);
    let contested = contested(&owners, base, &wanted, &set, by);
    if !contested.is_empty() && !by.force {
        return Err(conflict(&contested));
    }
    let mut merged = merge(base, &wanted, kind);
    let before = std::mem::take(
        &mut owners
            .entry(by.manager, "Apply", by.part, by.api_version, by.now)
            .paths,
    );
    for owner in &mut owners.0 {
        let lost = |path: &Path| contested.iter().any(|(_, taken)| taken == path);
        owner.paths.retain(|path| !lost(path));
    }
    // What was theirs, is not wanted any more and is nobody else's goes: items of lists whole, then what is left of it.
    let others = |path: &Path| owners.0.iter().any(|owner| owner.paths.contains(path));
    let gone = before.iter().filter(|path| !set.contains(*path) && !others(path));
    let (items, fields): (Vec<&Path>, Vec<&Path>) =
        gone.partition(|path| path.last().is_some_and(|last| last == "."));
    for path in items {
        if !is_inhabited(path, &set, &owners) {
            remove(&mut merged, path);
        }
    }
    for path in fields.into_iter().filter(|path| !is_key(path)) {
        remove(&mut merged, path);
    }
    owners
        .entry(by.manager, "Apply", by.part, by.api_version, by.now)
        .paths = set;
    keep_time(&mut owners, base);
    owners.write(&mut merged);
    Ok(merged)
}

/// An apply that changes nothing leaves its time as it was, so that the object stays as it is.
fn keep_time(owners: &mut Owners, base: &Value) {
    for owner in &mut owners.0 {
        let same = Owners::of(base).0.into_iter().find(|old| {
            old.manager == owner.manager
                && old.operation == owner.operation
                && old.part == owner.part
                && old.paths == owner.paths
        });
        if let Some(same) = same {
            owner.time = same.time;
        }
    }
}

/// Whether it is a field by which an item is told apart, which stays as long as the item does.
fn is_key(path: &Path) -> bool {
    let [.., item, field] = path.as_slice() else {
        return false;
    };
    let (Some(key), Some(name)) = (item.strip_prefix("k:"), field.strip_prefix("f:")) else {
        return false;
    };
    let key: Map<String, Value> = serde_json::from_str(key).unwrap_or_default();
    key.contains_key(name)
}

/// Whether somebody owns something inside the item of a list that a path means.
fn is_inhabited(path: &Path, set: &Paths, owners: &Owners) -> bool {
    let Some((last, item)) = path.split_last() else {
        return true;
    };
    last == "."
        && set
            .iter()
            .chain(owners.0.iter().flat_map(|owner| &owner.paths))
            .any(|other| other.starts_with(item))
}

/// What others own and have otherwise: the manager with its operation, and the path.
fn contested(
    owners: &Owners,
    base: &Value,
    wanted: &Value,
    set: &Paths,
    by: Applier<'_>,
) -> Vec<((String, String), Path)> {
    let mut found = Vec::new();
    for owner in &owners.0 {
        if owner.manager == by.manager && owner.operation == "Apply" && owner.part == by.part {
            continue;
        }
        for path in set {
            // A wish for an inner field contests also who owns the whole, and the other way round.
            let owned = owner
                .paths
                .iter()
                .find(|owned| *owned == path && path.last().is_none_or(|last| last != "."));
            if owned.is_some() && at(base, path) != at(wanted, path) {
                let manager = match owner.operation.as_str() {
                    "Update" => format!("\"{}\" using {}", owner.manager, owner.api_version),
                    _ => format!("\"{}\"", owner.manager),
                };
                found.push(((manager, owner.manager.clone()), path.clone()));
            }
        }
    }
    found
}

fn conflict(contested: &[((String, String), Path)]) -> Refusal {
    let mut by_manager: BTreeMap<&str, Vec<String>> = BTreeMap::new();
    for ((manager, _), path) in contested {
        by_manager.entry(manager).or_default().push(shown(path));
    }
    let count = contested.len();
    let plural = if count == 1 { "conflict" } else { "conflicts" };
    let listed: Vec<String> = by_manager
        .iter()
        .map(|(manager, fields)| match fields.as_slice() {
            [one] => format!("conflict with {manager}: {one}"),
            many => format!("conflicts with {manager}:\n- {}", many.join("\n- ")),
        })
        .collect();
    let message = format!("Apply failed with {count} {plural}: {}", listed.join("\n"));
    let causes: Vec<Value> = contested
        .iter()
        .map(|((manager, _), path)| {
            let message = format!("conflict with {manager}");
            json!({ "reason": "FieldManagerConflict", "message": message, "field": shown(path) })
        })
        .collect();
    Refusal::new(409, "Conflict", message).details(json!({ "causes": causes }))
}

/// A path as messages have it: `.spec.template.spec.containers[name="web"].image`.
fn shown(path: &Path) -> String {
    let parts = path.iter().map(|part| match part.split_once(':') {
        Some(("f", name)) => format!(".{name}"),
        Some(("k", key)) => {
            let key: Map<String, Value> = serde_json::from_str(key).unwrap_or_default();
            let pairs: Vec<String> = key
                .iter()
                .map(|(name, value)| format!("{name}={value}"))
                .collect();
            format!("[{}]", pairs.join(","))
        }
        Some(("v", plain)) => format!("[={plain}]"),
        _ => String::new(),
    });
    parts.collect()
}

fn merge(live: &Value, wanted: &Value, kind: &Field) -> Value {
    match (kind, live, wanted) {
        (
            Field::Struct(_, false) | Field::Map(_, false) | Field::Any,
            Value::Object(live),
            Value::Object(wanted),
        ) => {
            let mut merged = live.clone();
            for (name, value) in wanted {
                let below = kind.below(name);
                let new = match merged.get(name) {
                    Some(was) => merge(was, value, below),
                    None => value.clone(),
                };
                merged.insert(name.clone(), new);
            }
            Value::Object(merged)
        }
        (Field::Keyed(inner, keys), Value::Array(live), Value::Array(wanted)) => {
            let mut merged = live.clone();
            for item in wanted {
                let key = key_part(item, keys);
                let place = merged.iter().position(|one| key_part(one, keys) == key);
                match place.and_then(|at| merged.get_mut(at)) {
                    Some(slot) => *slot = merge(slot, item, inner),
                    None => merged.push(item.clone()),
                }
            }
            Value::Array(merged)
        }
        (Field::Set(_), Value::Array(live), Value::Array(wanted)) => {
            let mut merged = live.clone();
            merged.extend(wanted.iter().filter(|item| !live.contains(item)).cloned());
            Value::Array(merged)
        }
        _ => wanted.clone(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn by(manager: &str, force: bool) -> Applier<'_> {
        Applier {
            manager,
            force,
            part: "",
            api_version: "v1",
            now: Duration::ZERO,
        }
    }

    fn service(selector: &Value) -> Value {
        json!({ "apiVersion": "v1", "kind": "Service", "metadata": { "name": "web" }, "spec": { "selector": selector } })
    }

    const SERVICE: Field = Field::Struct("Service", false);
    const DEPLOYMENT: Field = Field::Struct("Deployment", false);

    #[test]
    fn the_selector_of_a_service_is_replaced_whole() {
        let live = apply(
            None,
            &service(&json!({ "app": "x", "color": "blue" })),
            &SERVICE,
            by("a", false),
        )
        .unwrap();
        let next = apply(
            Some(&live),
            &service(&json!({ "color": "green" })),
            &SERVICE,
            by("a", false),
        )
        .unwrap();
        assert_eq!(next["spec"]["selector"], json!({ "color": "green" }));
    }

    #[test]
    fn what_another_owns_is_refused_by_its_name_and_taken_by_force() {
        let live = apply(
            None,
            &service(&json!({ "color": "blue" })),
            &SERVICE,
            by("helm", false),
        )
        .unwrap();
        let wish = service(&json!({ "color": "green" }));
        let refusal = apply(Some(&live), &wish, &SERVICE, by("ours", false)).unwrap_err();
        assert_eq!(
            (refusal.code, refusal.message.as_str()),
            (
                409,
                "Apply failed with 1 conflict: conflict with \"helm\": .spec.selector"
            )
        );
        let taken = apply(Some(&live), &wish, &SERVICE, by("ours", true)).unwrap();
        assert_eq!(taken["spec"]["selector"], json!({ "color": "green" }));
        let owners: Vec<String> = Owners::of(&taken)
            .0
            .into_iter()
            .map(|owner| owner.manager)
            .collect();
        assert_eq!(owners, ["ours"]);
        // The same value is shared, not contested.
        let shared = apply(
            Some(&live),
            &service(&json!({ "color": "blue" })),
            &SERVICE,
            by("ours", false),
        )
        .unwrap();
        assert_eq!(Owners::of(&shared).0.len(), 2);
    }

    #[test]
    fn what_is_no_longer_wanted_goes_unless_another_has_it() {
        let wish =
            |containers: Value| json!({ "spec": { "template": { "spec": { "containers": containers } } } });
        let two = wish(
            json!([{ "name": "web", "image": "web:1", "env": [{ "name": "A", "value": "1" }] }, { "name": "log", "image": "l" }]),
        );
        let one = wish(json!([{ "name": "web", "image": "web:2" }]));
        let live = apply(None, &two, &DEPLOYMENT, by("a", false)).unwrap();
        let next = apply(Some(&live), &one, &DEPLOYMENT, by("a", false)).unwrap();
        assert_eq!(
            next["spec"]["template"]["spec"]["containers"],
            json!([{ "name": "web", "image": "web:2" }])
        );
        let kept = apply(
            Some(&live),
            &wish(json!([{ "name": "log", "image": "l" }])),
            &DEPLOYMENT,
            by("b", false),
        )
        .unwrap();
        let next = apply(Some(&kept), &one, &DEPLOYMENT, by("a", false)).unwrap();
        assert_eq!(
            next["spec"]["template"]["spec"]["containers"]
                .as_array()
                .unwrap()
                .len(),
            2
        );
    }

    #[test]
    fn the_same_again_changes_nothing() {
        let wish = service(&json!({ "color": "blue" }));
        let live = apply(None, &wish, &SERVICE, by("a", false)).unwrap();
        let later = Applier {
            now: Duration::from_secs(60),
            ..by("a", false)
        };
        assert_eq!(apply(Some(&live), &wish, &SERVICE, later).unwrap(), live);
    }
}
