//! Objects of Kubernetes as JSON: what all of them have, read without a type that would drop what it does not know. Pure.

use std::collections::BTreeMap;

use serde_json::{Map, Value};

/// Labels, or a selector by equality.
pub type Labels = BTreeMap<String, String>;

/// Who made an object, and is responsible for it: its owner reference that is a controller.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Owner {
    /// Its kind.
    pub kind: String,
    /// Its name.
    pub name: String,
    /// Its unique id.
    pub uid: String,
}

/// The text at a path of keys; empty where there is none.
#[must_use]
pub fn text<'a>(object: &'a Value, pointer: &str) -> &'a str {
    object
        .pointer(pointer)
        .and_then(Value::as_str)
        .unwrap_or_default()
}

/// The whole number at a path of keys.
#[must_use]
pub fn number(object: &Value, pointer: &str) -> Option<u64> {
    object.pointer(pointer).and_then(Value::as_u64)
}

/// The entries of the list at a path of keys; none where there is no list.
#[must_use]
pub fn entries<'a>(object: &'a Value, pointer: &str) -> &'a [Value] {
    object
        .pointer(pointer)
        .and_then(Value::as_array)
        .map_or(&[], Vec::as_slice)
}

/// The texts of the map at a path of keys.
#[must_use]
pub fn labels_at(object: &Value, pointer: &str) -> Labels {
    let map = object.pointer(pointer).and_then(Value::as_object);
    map.into_iter()
        .flatten()
        .filter_map(|(key, value)| Some((key.clone(), value.as_str()?.to_owned())))
        .collect()
}

/// The map at a path of keys, which is made where it is missing; none where something else is in its place.
pub fn map_at<'a>(value: &'a mut Value, path: &[&str]) -> Option<&'a mut Map<String, Value>> {
    let mut at = value.as_object_mut()?;
    for key in path {
        let next = at.entry(*key).or_insert(Value::Null);
        if next.is_null() {
            *next = Value::Object(Map::new());
        }
        at = next.as_object_mut()?;
    }
    Some(at)
}

/// Its name.
#[must_use]
pub fn name(object: &Value) -> &str {
    text(object, "/metadata/name")
}

/// Its unique id.
#[must_use]
pub fn uid(object: &Value) -> &str {
    text(object, "/metadata/uid")
}

/// Its labels.
#[must_use]
pub fn labels(object: &Value) -> Labels {
    labels_at(object, "/metadata/labels")
}

/// One of its annotations.
#[must_use]
pub fn annotation<'a>(object: &'a Value, key: &str) -> Option<&'a str> {
    object.get("metadata")?.get("annotations")?.get(key)?.as_str()
}

/// Its controller.
#[must_use]
pub fn owner(object: &Value) -> Option<Owner> {
    let owners = entries(object, "/metadata/ownerReferences");
    let owner = owners.iter().find(|owner| owner["controller"] == true)?;
    Some(Owner {
        kind: text(owner, "/kind").to_owned(),
        name: text(owner, "/name").to_owned(),
        uid: text(owner, "/uid").to_owned(),
    })
}

/// Whether it is on its way out.
#[must_use]
pub fn is_leaving(object: &Value) -> bool {
    object
        .pointer("/metadata/deletionTimestamp")
        .is_some_and(|time| !time.is_null())
}

/// A condition of its status: whether it is `True`, its reason and its message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Condition<'a> {
    /// `True`, `False` or `Unknown`.
    pub status: &'a str,
    /// The word for why.
    pub reason: &'a str,
    /// Why, for people. Foreign.
    pub message: &'a str,
}

/// The condition of that type.
#[must_use]
pub fn condition<'a>(object: &'a Value, kind: &str) -> Option<Condition<'a>> {
    let conditions = entries(object, "/status/conditions");
    let found = conditions.iter().find(|condition| condition["type"] == kind)?;
    Some(Condition {
        status: text(found, "/status"),
        reason: text(found, "/reason"),
        message: text(found, "/message"),
    })
}

/// Whether all of a selector's labels are among these. An empty selector selects nothing, as a Service's does.
#[must_use]
pub fn selects(selector: &Labels, labels: &Labels) -> bool {
    !selector.is_empty() && selector.iter().all(|(key, value)| labels.get(key) == Some(value))
}

/// Foreign text for a sentence: one line, inert, at most 300 characters.
#[must_use]
pub fn shown(text: &str) -> String {
    gha::text::cut(&gha::text::line(text), 300)
}

/// Things by name, for a sentence: `` `a`, `b` and 3 more ``. Foreign names are inert, and at most six are told.
#[must_use]
pub fn listed<'a>(names: impl IntoIterator<Item = &'a str>) -> String {
    let names: Vec<String> = names
        .into_iter()
        .map(|name| format!("`{}`", shown(name)))
        .collect();
    let more = names.len().saturating_sub(6);
    let told = names[..names.len() - more].join(", ");
    if more == 0 {
        told
    } else {
        format!("{told} and {more} more")
    }
}

/// The labels that both have.
#[must_use]
pub fn common(one: &Labels, other: &Labels) -> Labels {
    let same = one.iter().filter(|(key, value)| other.get(*key) == Some(value));
    same.map(|(key, value)| (key.clone(), value.clone())).collect()
}

/// Labels as a person writes them: `app=web,color=blue`. It is the form that a label selector has in an address, too.
#[must_use]
pub fn written(labels: &Labels) -> String {
    let pairs: Vec<String> = labels
        .iter()
        .map(|(key, value)| format!("{key}={value}"))
        .collect();
    pairs.join(",")
}

/// A key as a token of a JSON pointer (<https://www.rfc-editor.org/rfc/rfc6901#section-3>).
#[must_use]
pub fn token(key: &str) -> String {
    key.replace('~', "~0").replace('/', "~1")
}

/// Any JSON whose keys are those that this program reads, so that what is of the wrong type is met everywhere.
#[cfg(test)]
pub(crate) fn any_json() -> impl proptest::strategy::Strategy<Value = Value> {
    use proptest::prelude::{Just, Strategy as _, any, prop_oneof};
    const KEYS: &str = include_str!("object/keys.txt");
    let keys: Vec<&'static str> = KEYS.split_whitespace().collect();
    let words = keys.clone();
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        proptest::sample::select(words).prop_map(Value::from),
        any::<String>().prop_map(Value::from),
    ];
    leaf.prop_recursive(7, 96, 6, move |inner| {
        let key = proptest::sample::select(keys.clone()).prop_map(str::to_owned);
        prop_oneof![
            proptest::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            proptest::collection::btree_map(key, inner, 0..6)
                .prop_map(|map| Value::Object(map.into_iter().collect())),
        ]
    })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn labels_of(pairs: &[(&str, &str)]) -> Labels {
        let pair = |(key, value): &(&str, &str)| ((*key).to_owned(), (*value).to_owned());
        pairs.iter().map(pair).collect()
    }

    #[test]
    fn a_selector_selects_by_all_of_its_labels_and_by_none_nothing() {
        let pod = labels_of(&[("app", "web"), ("color", "blue")]);
        assert!(selects(&labels_of(&[("app", "web")]), &pod));
        assert!(!selects(&labels_of(&[("app", "web"), ("color", "green")]), &pod));
        assert!(!selects(&Labels::new(), &pod));
    }

    #[test]
    fn what_is_not_there_is_empty() {
        let object = json!({"metadata": {"name": 5}});
        assert_eq!((name(&object), uid(&object)), ("", ""));
        assert!(owner(&object).is_none() && labels(&object).is_empty());
        assert!(condition(&object, "Available").is_none());
    }

    #[test]
    fn a_key_with_a_slash_is_one_token() {
        assert_eq!(token("deploy-actions/a~b"), "deploy-actions~1a~0b");
    }
}
