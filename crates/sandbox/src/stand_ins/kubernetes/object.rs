//! Looking into objects and changing them by paths. What is not there reads as empty.

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use serde_json::{Map, Value, json};

/// What is at a path, written as a JSON pointer without escapes. A cluster looks so often that making each part a new text, as a
/// pointer with escapes needs, was a tenth of all its work.
pub(crate) fn at<'a>(object: &'a Value, path: &str) -> Option<&'a Value> {
    let mut parts = path.split('/').skip(1);
    parts.try_fold(object, |value, part| match value {
        Value::Object(fields) => fields.get(part),
        Value::Array(items) => items.get(part.parse::<usize>().ok()?),
        _ => None,
    })
}

/// The text at a path; empty where there is none.
pub(crate) fn text<'a>(object: &'a Value, path: &str) -> &'a str {
    at(object, path).and_then(Value::as_str).unwrap_or_default()
}

/// The whole number at a path.
pub(crate) fn number(object: &Value, path: &str) -> Option<i64> {
    at(object, path).and_then(Value::as_i64)
}

/// The same as a count, which is never below zero.
pub(crate) fn count(object: &Value, path: &str) -> Option<usize> {
    number(object, path).map(|number| usize::try_from(number).unwrap_or_default())
}

pub(crate) fn flag(object: &Value, path: &str) -> bool {
    at(object, path).and_then(Value::as_bool).unwrap_or_default()
}

/// The items at a path.
pub(crate) fn items<'a>(object: &'a Value, path: &str) -> &'a [Value] {
    at(object, path)
        .and_then(Value::as_array)
        .map(Vec::as_slice)
        .unwrap_or_default()
}

pub(crate) fn map<'a>(object: &'a Value, path: &str) -> Option<&'a Map<String, Value>> {
    at(object, path).and_then(Value::as_object)
}

/// Puts a value at a path and makes the maps that lead there; what is in their place and no map goes.
pub(crate) fn put(object: &mut Value, path: &[&str], value: Value) {
    let Some((first, rest)) = path.split_first() else {
        *object = value;
        return;
    };
    if !object.is_object() {
        *object = Value::Object(Map::new());
    }
    if let Value::Object(fields) = object {
        put(fields.entry(*first).or_insert(Value::Null), rest, value);
    }
}

/// Puts a value there unless there is one.
pub(crate) fn put_missing(object: &mut Value, path: &[&str], value: Value) {
    let there = path.iter().try_fold(&*object, |value, part| value.get(part));
    if there.is_none_or(Value::is_null) {
        put(object, path, value);
    }
}

/// Takes what is at a path away, and says what it was.
pub(crate) fn take(object: &mut Value, path: &[&str]) -> Option<Value> {
    let (first, rest) = path.split_first()?;
    let fields = object.as_object_mut()?;
    match rest {
        [] => fields.shift_remove(*first),
        rest => take(fields.get_mut(*first)?, rest),
    }
}

pub(crate) fn name(object: &Value) -> &str {
    text(object, "/metadata/name")
}

pub(crate) fn namespace(object: &Value) -> &str {
    text(object, "/metadata/namespace")
}

pub(crate) fn uid(object: &Value) -> &str {
    text(object, "/metadata/uid")
}

pub(crate) fn is_leaving(object: &Value) -> bool {
    !text(object, "/metadata/deletionTimestamp").is_empty()
}

pub(crate) fn annotation<'a>(object: &'a Value, key: &str) -> &'a str {
    map(object, "/metadata/annotations")
        .and_then(|all| all.get(key))
        .and_then(Value::as_str)
        .unwrap_or_default()
}

pub(crate) fn label<'a>(object: &'a Value, key: &str) -> &'a str {
    map(object, "/metadata/labels")
        .and_then(|all| all.get(key))
        .and_then(Value::as_str)
        .unwrap_or_default()
}

/// The one owner that has it in its care.
pub(crate) fn controller(object: &Value) -> Option<&Value> {
    items(object, "/metadata/ownerReferences")
        .iter()
        .find(|owner| flag(owner, "/controller"))
}

/// Whether this uid is that of its controller.
pub(crate) fn is_controlled_by(object: &Value, owner: &str) -> bool {
    controller(object).is_some_and(|found| text(found, "/uid") == owner)
}

/// What makes an object a controller's.
pub(crate) fn owner_reference(owner: &Value) -> Value {
    json!({
        "apiVersion": owner["apiVersion"], "kind": owner["kind"], "name": name(owner), "uid": uid(owner),
        "controller": true, "blockOwnerDeletion": true,
    })
}

/// A condition of a status by its type.
pub(crate) fn condition<'a>(object: &'a Value, kind: &str) -> Option<&'a Value> {
    items(object, "/status/conditions")
        .iter()
        .find(|condition| text(condition, "/type") == kind)
}

pub(crate) fn has_condition(object: &Value, kind: &str, status: &str) -> bool {
    condition(object, kind).is_some_and(|condition| text(condition, "/status") == status)
}

/// When the cluster's clock shows zero.
const BEGINNING: i64 = 1_767_225_600;

/// A moment of the cluster's clock, as times of objects are written.
pub(crate) fn moment(now: Duration) -> String {
    let seconds = i64::try_from(now.as_secs()).unwrap_or_default();
    Timestamp::from_second(BEGINNING.saturating_add(seconds))
        .unwrap_or_default()
        .to_string()
}

/// The same with parts of seconds.
pub(crate) fn precise_moment(now: Duration) -> String {
    let start = Timestamp::from_second(BEGINNING).unwrap_or_default();
    let micros = i64::try_from(now.as_micros()).unwrap_or_default();
    let moment = start
        .checked_add(SignedDuration::from_micros(micros))
        .unwrap_or_default();
    format!("{moment:.6}")
}

/// A time of an object on the cluster's clock; zero for one before its beginning.
pub(crate) fn since_beginning(written: &str) -> Option<Duration> {
    let moment: Timestamp = written.parse().ok()?;
    let micros = moment.as_microsecond() - BEGINNING * 1_000_000;
    Some(Duration::from_micros(u64::try_from(micros).unwrap_or_default()))
}

/// A number of objects from a count or a share of a whole, as `maxSurge` and `minAvailable` have them.
pub(crate) fn share(value: Option<&Value>, whole: usize, up: bool) -> Option<usize> {
    match value? {
        Value::Number(number) => number.as_u64().and_then(|number| usize::try_from(number).ok()),
        Value::String(text) => {
            let percent: usize = text.strip_suffix('%')?.parse().ok()?;
            let product = percent.saturating_mul(whole);
            Some(if up { product.div_ceil(100) } else { product / 100 })
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_put_and_taken_by_paths() {
        let mut object = json!({ "a": 1 });
        put(&mut object, &["b", "c"], json!(2));
        put_missing(&mut object, &["b", "c"], json!(3));
        put_missing(&mut object, &["b", "d"], json!(4));
        assert_eq!(object, json!({ "a": 1, "b": { "c": 2, "d": 4 } }));
        assert_eq!(take(&mut object, &["b", "c"]), Some(json!(2)));
        assert_eq!(take(&mut object, &["x", "c"]), None);
    }

    #[test]
    fn moments_are_written_and_read() {
        let now = Duration::from_millis(61_500);
        assert_eq!(moment(now), "2026-01-01T00:01:01Z");
        assert_eq!(precise_moment(now), "2026-01-01T00:01:01.500000Z");
        assert_eq!(since_beginning(&precise_moment(now)), Some(now));
    }

    #[test]
    fn shares_are_counts_or_percents() {
        for (value, up, expected) in [
            (json!(2), true, Some(2)),
            (json!("25%"), true, Some(2)),
            (json!("25%"), false, Some(1)),
            (json!("x"), true, None),
        ] {
            assert_eq!(share(Some(&value), 5, up), expected, "{value}");
        }
    }
}
