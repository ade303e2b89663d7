//! The four kinds of patches.

pub(crate) mod apply;
pub(crate) mod owned;
pub(crate) mod strategic;

use serde_json::Value;

use super::kinds::Kind;
use super::refusal::Refusal;

/// A patch by its content type, without server-side apply.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Style {
    Json,
    Merge,
    Strategic,
    Apply,
}

impl Style {
    pub(crate) fn of(content_type: &str, kind: &Kind) -> Result<Self, Refusal> {
        let style = match content_type.split(';').next().unwrap_or_default().trim() {
            "application/json-patch+json" => Self::Json,
            "application/merge-patch+json" => Self::Merge,
            "application/strategic-merge-patch+json" if !kind.custom => Self::Strategic,
            "application/apply-patch+yaml" => Self::Apply,
            _ => {
                let mut accepted = vec!["application/json-patch+json", "application/merge-patch+json"];
                if !kind.custom {
                    accepted.push("application/strategic-merge-patch+json");
                }
                accepted.push("application/apply-patch+yaml");
                let message = format!(
                    "the body of the request was in an unknown format - accepted media types include: {}",
                    accepted.join(", ")
                );
                return Err(Refusal::new(415, "UnsupportedMediaType", message));
            }
        };
        Ok(style)
    }
}

/// A JSON patch ([RFC 6902](https://www.rfc-editor.org/rfc/rfc6902)). All that can go wrong is answered alike.
pub(crate) fn json(object: &Value, patch: &Value) -> Result<Value, Refusal> {
    let patch: json_patch::Patch = serde_json::from_value(patch.clone())
        .map_err(|error| Refusal::bad_request(format!("error decoding patch: {error}")))?;
    let mut patched = object.clone();
    json_patch::patch(&mut patched, &patch).map_err(|_| Refusal::unpatchable())?;
    Ok(patched)
}

/// A merge patch ([RFC 7386](https://www.rfc-editor.org/rfc/rfc7386)).
pub(crate) fn merge(object: &Value, patch: &Value) -> Value {
    let mut patched = object.clone();
    json_patch::merge(&mut patched, patch);
    patched
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::stand_ins::kubernetes::kinds;

    #[test]
    fn a_failed_test_and_a_missing_path_read_the_same() {
        let object = json!({ "spec": { "selector": { "app": "x", "color": "blue" } } });
        let selector = |color: &str| json!([{ "op": "test", "path": "/spec/selector", "value": { "color": color, "app": "x" } }]);
        assert!(json(&object, &selector("blue")).is_ok());
        let failed = json(&object, &selector("green")).unwrap_err();
        let missing = json(
            &object,
            &json!([{ "op": "add", "path": "/metadata/annotations/a", "value": "b" }]),
        )
        .unwrap_err();
        assert_eq!((failed.code, failed.reason.as_str()), (422, "Invalid"));
        assert_eq!(failed, missing);
    }

    #[test]
    fn custom_objects_have_no_strategic_merge() {
        let route = kinds::named("httproutes").unwrap();
        let refusal = Style::of("application/strategic-merge-patch+json", route).unwrap_err();
        assert_eq!(refusal.code, 415);
    }
}
