//! The patches of a rolling deploy. Each has what was read as its condition, so that somebody else's change is never overwritten.
//! Pure.

use serde_json::{Value, json};

use super::images::Change;
use super::mark::{ANNOTATION, Mark};
use crate::object;

/// New images, and the note of who sets them.
#[must_use]
pub fn images(workload: &Value, changes: &[Change], mark: &Mark) -> Value {
    let mut operations = unchanged(workload);
    for change in changes.iter().filter(|change| change.old != change.new) {
        operations.push(json!({"op": "replace", "path": change.pointer, "value": change.new}));
    }
    operations.extend(noted(workload, mark));
    Value::Array(operations)
}

/// Another template, and the note of who sets it.
#[must_use]
pub fn template(workload: &Value, template: &Value, mark: &Mark) -> Value {
    let mut operations = unchanged(workload);
    operations.push(json!({"op": "replace", "path": "/spec/template", "value": template}));
    operations.extend(noted(workload, mark));
    Value::Array(operations)
}

/// Only the note.
#[must_use]
pub fn note(workload: &Value, mark: &Mark) -> Value {
    let mut operations = unchanged(workload);
    operations.extend(noted(workload, mark));
    Value::Array(operations)
}

/// It is the same object, with the template that was read.
fn unchanged(workload: &Value) -> Vec<Value> {
    vec![
        json!({"op": "test", "path": "/metadata/uid", "value": object::uid(workload)}),
        json!({"op": "test", "path": "/spec/template", "value": workload["spec"]["template"]}),
    ]
}

fn noted(workload: &Value, mark: &Mark) -> Vec<Value> {
    let mut operations = Vec::new();
    if workload
        .pointer("/metadata/annotations")
        .is_none_or(|notes| !notes.is_object())
    {
        // Adding the map would take away one that came meanwhile.
        let version = object::text(workload, "/metadata/resourceVersion");
        operations.push(json!({"op": "test", "path": "/metadata/resourceVersion", "value": version}));
        operations.push(json!({"op": "add", "path": "/metadata/annotations", "value": {}}));
    }
    let path = format!("/metadata/annotations/{}", object::token(ANNOTATION));
    operations.push(json!({"op": "add", "path": path, "value": mark.written()}));
    operations
}

#[cfg(test)]
mod tests {
    use gha::env::Env;
    use gha::trace::TraceId;
    use jiff::Timestamp;

    use super::*;
    use crate::rolling::mark::Phase;

    fn mark() -> Mark {
        let trace = TraceId::of(&Env::default(), [7; 16]);
        Mark::new(Phase::Rolling, trace, "", None, Timestamp::UNIX_EPOCH)
    }

    fn paths(patch: &Value) -> Vec<String> {
        let operations = patch.as_array().unwrap().iter();
        operations
            .map(|one| {
                format!(
                    "{} {}",
                    one["op"].as_str().unwrap(),
                    one["path"].as_str().unwrap()
                )
            })
            .collect()
    }

    #[test]
    fn what_was_read_is_the_condition() {
        let workload = json!({
            "metadata": {"uid": "u", "resourceVersion": "7", "annotations": {"a": "b"}},
            "spec": {"template": {"spec": {"containers": [{"name": "web", "image": "shop:1"}]}}},
        });
        let change = |new: &str| Change {
            container: "web".to_owned(),
            pointer: "/spec/template/spec/containers/0/image".to_owned(),
            old: "shop:1".to_owned(),
            new: new.to_owned(),
        };
        let patch = images(&workload, &[change("shop:2"), change("shop:1")], &mark());
        assert_eq!(
            paths(&patch),
            [
                "test /metadata/uid",
                "test /spec/template",
                "replace /spec/template/spec/containers/0/image",
                "add /metadata/annotations/deploy-actions~1rolling",
            ]
        );
    }

    #[test]
    fn a_map_of_annotations_is_made_only_where_there_certainly_is_none() {
        let workload = json!({"metadata": {"uid": "u", "resourceVersion": "7"}, "spec": {"template": {}}});
        assert_eq!(
            paths(&template(&workload, &json!({}), &mark())),
            [
                "test /metadata/uid",
                "test /spec/template",
                "replace /spec/template",
                "test /metadata/resourceVersion",
                "add /metadata/annotations",
                "add /metadata/annotations/deploy-actions~1rolling",
            ]
        );
    }
}
