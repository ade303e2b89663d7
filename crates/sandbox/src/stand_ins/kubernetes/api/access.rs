//! Reviews: who one is and what one may do.

use serde_json::{Value, json};

use super::Outcome;
use crate::stand_ins::kubernetes::ask::Ask;
use crate::stand_ins::kubernetes::auth::User;
use crate::stand_ins::kubernetes::object;
use crate::stand_ins::kubernetes::refusal::Refusal;

pub(super) fn review(ask: &Ask, body: &Value, user: &User) -> Result<Outcome, Refusal> {
    if ask.verb != "create" {
        return Err(Refusal::method_not_allowed());
    }
    let spec = body.get("spec").cloned().unwrap_or_else(|| json!({}));
    let status = match ask.kind.kind {
        "SelfSubjectAccessReview" => access(&spec, user),
        "SelfSubjectRulesReview" => rules(&spec, user),
        _ => json!({ "userInfo": { "username": user.name, "groups": ["system:authenticated"] } }),
    };
    let answer = json!({
        "kind": ask.kind.kind, "apiVersion": ask.kind.api_version(), "metadata": { "creationTimestamp": null },
        "spec": spec, "status": status,
    });
    Ok(Outcome::Object(201, answer, Vec::new()))
}

fn access(spec: &Value, user: &User) -> Value {
    let asked = |field: &str| object::text(spec, &format!("/resourceAttributes/{field}")).to_owned();
    if spec.get("resourceAttributes").is_none() {
        // What is no resource is what the server says about itself.
        return json!({ "allowed": true });
    }
    let resource = match asked("subresource").as_str() {
        "" => asked("resource"),
        part => format!("{}/{part}", asked("resource")),
    };
    let allowed = user.role.allows(
        &asked("verb"),
        &asked("group"),
        &resource,
        &asked("namespace"),
        &asked("name"),
    );
    match allowed {
        true => json!({ "allowed": true, "reason": "RBAC: allowed by the script of a test" }),
        false => json!({ "allowed": false }),
    }
}

fn rules(spec: &Value, user: &User) -> Value {
    json!({
        "resourceRules": user.role.listed(object::text(spec, "/namespace")),
        "nonResourceRules": [{ "verbs": ["get"], "nonResourceURLs": ["/api", "/api/*", "/apis", "/apis/*", "/healthz", "/version"] }],
        "incomplete": false,
    })
}
