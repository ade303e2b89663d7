//! Label selectors of objects other than Services: labels and expressions
//! (<https://kubernetes.io/docs/reference/kubernetes-api/common-definitions/label-selector/>). Pure.

use serde_json::Value;

use crate::object::{Labels, entries, labels_at, text};

/// Whether a selector selects these labels. One that is there and empty selects everything; one that is not there, or has an
/// operator that is not known, nothing.
#[must_use]
pub fn selects(selector: &Value, labels: &Labels) -> bool {
    if !selector.is_object() {
        return false;
    }
    let mut wanted = labels_at(selector, "/matchLabels").into_iter();
    wanted.all(|(key, value)| labels.get(&key) == Some(&value))
        && entries(selector, "/matchExpressions")
            .iter()
            .all(|expression| holds(expression, labels))
}

fn holds(expression: &Value, labels: &Labels) -> bool {
    let there = labels.get(text(expression, "/key"));
    let among = || {
        let mut values = entries(expression, "/values").iter();
        there.is_some_and(|there| values.any(|value| value == there))
    };
    match text(expression, "/operator") {
        "In" => among(),
        "NotIn" => !among(),
        "Exists" => there.is_some(),
        "DoesNotExist" => there.is_none(),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::fixture::labels;

    #[test]
    fn labels_and_expressions_must_all_hold() {
        let pod = labels(&[("app", "web"), ("color", "blue")]);
        let cases = [
            (json!({}), true),
            (Value::Null, false),
            (json!({"matchLabels": {"app": "web"}}), true),
            (json!({"matchLabels": {"app": "web", "tier": "a"}}), false),
            (
                json!({"matchExpressions": [{"key": "color", "operator": "In", "values": ["green", "blue"]}]}),
                true,
            ),
            (
                json!({"matchExpressions": [{"key": "color", "operator": "NotIn", "values": ["blue"]}]}),
                false,
            ),
            (
                json!({"matchExpressions": [{"key": "tier", "operator": "NotIn", "values": ["a"]}]}),
                true,
            ),
            (
                json!({"matchExpressions": [{"key": "tier", "operator": "Exists"}]}),
                false,
            ),
            (
                json!({"matchExpressions": [{"key": "tier", "operator": "DoesNotExist"}]}),
                true,
            ),
            (
                json!({"matchExpressions": [{"key": "color", "operator": "Like", "values": ["blue"]}]}),
                false,
            ),
            (
                json!({"matchLabels": {"app": "web"}, "matchExpressions": [{"key": "tier", "operator": "Exists"}]}),
                false,
            ),
        ];
        for (selector, expected) in cases {
            assert_eq!(selects(&selector, &pod), expected, "{selector}");
        }
    }
}
