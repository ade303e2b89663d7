//! The kinds of what is applied, as the server's addresses have them: those that every server has are known, others are asked for
//! by discovery (<https://kubernetes.io/docs/concepts/overview/kubernetes-api/#discovery-api>), once a group and version.

use std::collections::HashMap;

use serde_json::Value;

use crate::api::{Api, Kind, Refused};
use crate::object;

/// What is known of the server's kinds.
#[derive(Debug, Default)]
pub struct Kinds {
    asked: HashMap<String, Option<Value>>,
}

impl Kinds {
    /// The kind of an object; none where the server has no such kind.
    ///
    /// # Errors
    /// When the server can't be asked.
    pub async fn of(&mut self, object: &Value, api: &Api) -> Result<Option<Kind>, Refused> {
        let api_version = object::text(object, "/apiVersion");
        let kind = object::text(object, "/kind");
        let is_it = |known: &Kind| known.kind == kind && known.api_version() == api_version;
        if let Some(known) = known().into_iter().find(is_it) {
            return Ok(Some(known));
        }
        if !self.asked.contains_key(api_version) {
            let root = if api_version.contains('/') { "apis" } else { "api" };
            let call = format!("ask for the kinds of `{}`", gha::text::line(api_version));
            let listed = match api.read(&call, &format!("/{root}/{api_version}")).await {
                Ok(listed) => Some(listed),
                Err(refused) if refused.is_missing() => None,
                Err(refused) => return Err(refused),
            };
            self.asked.insert(api_version.to_owned(), listed);
        }
        let listed = self.asked.get(api_version).and_then(Option::as_ref);
        Ok(listed.and_then(|listed| find(listed, api_version, kind)))
    }
}

/// The kind in a list of resources.
fn find(listed: &Value, api_version: &str, kind: &str) -> Option<Kind> {
    let (group, version) = api_version.split_once('/').unwrap_or(("", api_version));
    let resources = object::entries(listed, "/resources");
    // Parts of objects, such as `deployments/scale`, have kinds of their own.
    let is_it = |entry: &&Value| entry["kind"] == kind && !object::text(entry, "/name").contains('/');
    let found = resources.iter().find(is_it)?;
    let plural = object::text(found, "/name");
    (!plural.is_empty()).then(|| Kind {
        group: group.to_owned(),
        version: version.to_owned(),
        kind: kind.to_owned(),
        plural: plural.to_owned(),
        namespaced: found["namespaced"] == true,
    })
}

fn known() -> Vec<Kind> {
    let core = |kind: &str, plural: &str| Kind {
        kind: kind.to_owned(),
        plural: plural.to_owned(),
        ..Kind::service()
    };
    vec![
        core("ConfigMap", "configmaps"),
        core("Secret", "secrets"),
        core("ServiceAccount", "serviceaccounts"),
        Kind::service(),
        Kind::deployment(),
        Kind::stateful_set(),
        Kind::daemon_set(),
        Kind::job(),
        Kind::autoscaler(),
        Kind::disruption_budget(),
        Kind::ingress(),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_kind_is_found_among_resources_and_their_parts() {
        let listed = json!({"resources": [
            {"name": "widgets/scale", "kind": "Widget", "namespaced": true},
            {"name": "widgets", "kind": "Widget", "namespaced": true},
            {"name": "worlds", "kind": "World", "namespaced": false},
        ]});
        let found = find(&listed, "example.com/v1", "Widget").unwrap();
        assert_eq!(
            found.address("shop", "a"),
            "/apis/example.com/v1/namespaces/shop/widgets/a"
        );
        assert!(!find(&listed, "example.com/v1", "World").unwrap().namespaced);
        assert_eq!(find(&listed, "example.com/v1", "Other"), None);
        assert_eq!(find(&json!([1]), "v1", "X"), None);
    }
}
