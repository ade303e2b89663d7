//! Conditions of a rule, as they are shown: with their values in both of the two places that the API has for them.

use serde_json::{Value, json};

use super::super::call::Refusal;
use super::super::input::{list, text};
use super::invalid;

/// Each field, and the member that holds its values in the newer form.
const FIELDS: [(&str, &str); 6] = [
    ("host-header", "HostHeaderConfig"),
    ("path-pattern", "PathPatternConfig"),
    ("source-ip", "SourceIpConfig"),
    ("http-request-method", "HttpRequestMethodConfig"),
    ("http-header", "HttpHeaderConfig"),
    ("query-string", "QueryStringConfig"),
];

/// Conditions as they are kept.
pub(super) fn accept(given: &[Value]) -> Result<Value, Refusal> {
    if given.is_empty() {
        return Err(invalid("A condition must be specified"));
    }
    let mut conditions = given.to_vec();
    for condition in &mut conditions {
        let field = text(condition, "Field").to_owned();
        let Some((_, config)) = FIELDS.iter().find(|(known, _)| *known == field) else {
            return Err(invalid(format!(
                "Condition field '{field}' must be one of the known ones"
            )));
        };
        let old = list(condition, "Values").to_vec();
        let new = list(&condition[config], "Values").to_vec();
        if old.is_empty() && new.is_empty() {
            return Err(invalid(format!("Condition '{field}' has no values")));
        }
        // The older form knows these two fields alone.
        if matches!(field.as_str(), "host-header" | "path-pattern") {
            let values = if new.is_empty() { old } else { new };
            condition[config] = json!({ "Values": values });
            condition["Values"] = Value::Array(values);
        }
        if let Some(condition) = condition.as_object_mut() {
            condition.retain(|_, value| !value.is_null());
        }
    }
    Ok(Value::Array(conditions))
}
