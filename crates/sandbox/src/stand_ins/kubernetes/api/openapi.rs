//! `/openapi/v3` as far as clients look into it before they write: which kinds take `fieldValidation` and `dryRun`. It describes no
//! fields, so that `kubectl` goes by its own types.

use serde_json::{Map, Value, json};

use super::discovery;
use crate::stand_ins::kubernetes::object;

pub(super) fn index() -> Value {
    let mut paths = Map::new();
    let mut add = |path: String| {
        let url = format!("/openapi/v3/{path}?hash=0");
        paths.insert(path, json!({ "serverRelativeURL": url }));
    };
    add("api/v1".to_owned());
    for group in discovery::groups() {
        for version in discovery::versions(group) {
            add(format!("apis/{group}/{version}"));
        }
    }
    json!({ "paths": paths })
}

/// What one group and version takes: `apis/apps/v1`.
pub(super) fn group(path: &str) -> Option<Value> {
    let parts: Vec<&str> = path.split('/').collect();
    let (group, version) = match parts.as_slice() {
        ["api", version] => ("", *version),
        ["apis", group, version] => (*group, *version),
        _ => return None,
    };
    let served = discovery::served(group, version);
    if served.is_empty() {
        return None;
    }
    let mut document = json!({ "openapi": "3.0.0", "info": { "title": "Kubernetes", "version": "v1.36.0" }, "paths": {}, "components": { "schemas": {} } });
    for kind in served {
        let namespaced = if kind.namespaced {
            "namespaces/{namespace}/"
        } else {
            ""
        };
        let place = format!("/{path}/{namespaced}{}/{{name}}", kind.plural);
        let parameters = ["dryRun", "fieldManager", "fieldValidation", "force"]
            .map(|name| json!({ "name": name, "in": "query", "schema": { "type": "string", "uniqueItems": true } }));
        let action = json!({
            "operationId": format!("patch{}", kind.kind), "parameters": parameters, "responses": {},
            "x-kubernetes-action": "patch",
            "x-kubernetes-group-version-kind": { "group": group, "version": version, "kind": kind.kind },
        });
        object::put(&mut document, &["paths", &place, "patch"], action);
    }
    Some(document)
}
