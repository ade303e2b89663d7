//! Asking the server what an account may do, and the Role of what it may not.

use futures_util::stream::{self, StreamExt as _, TryStreamExt as _};
use gha::text;
use serde_json::{Value, json};

use super::{Needed, Uses, needed};
use crate::api::Refused;
use crate::cli::Deploy;
use crate::place::Place;

/// The name of the Role that is printed: another than any that is likely to be there, which `kubectl apply` would take the place of.
pub const ROLE: &str = "k8s-blue-green-missing";

/// How many questions are under way at a time.
const AT_ONCE: usize = 8;

/// Asks the server for each permission that a deploy needs; gives those that are not there.
///
/// # Errors
/// When it can't be asked.
pub async fn missing(flags: &Deploy, uses: &Uses, place: &Place<'_>) -> Result<Vec<Needed>, Refused> {
    let answers: Vec<Option<Needed>> = stream::iter(needed(flags, uses))
        .map(|one| async move { Ok::<_, Refused>((!allowed(&one, place).await?).then_some(one)) })
        .buffered(AT_ONCE)
        .try_collect()
        .await?;
    Ok(answers.into_iter().flatten().collect())
}

/// Whether it is allowed with all objects, or with each of those that are named.
async fn allowed(one: &Needed, place: &Place<'_>) -> Result<bool, Refused> {
    if asked(one, "", place).await? {
        return Ok(true);
    }
    for name in &one.names {
        if !asked(one, name, place).await? {
            return Ok(false);
        }
    }
    Ok(!one.names.is_empty())
}

async fn asked(one: &Needed, name: &str, place: &Place<'_>) -> Result<bool, Refused> {
    let (resource, sub) = one.resource.split_once('/').unwrap_or((&one.resource, ""));
    let question = json!({
        "apiVersion": "authorization.k8s.io/v1", "kind": "SelfSubjectAccessReview",
        "spec": {"resourceAttributes": {
            "namespace": place.namespace, "verb": one.verb, "group": one.group, "resource": resource, "subresource": sub,
            "name": name,
        }},
    });
    let path = "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews";
    let answer = place.api.review(path, &question).await?;
    Ok(answer.pointer("/status/allowed") == Some(&Value::Bool(true)))
}

/// The Role of what is missing, as YAML that `kubectl apply` takes.
#[must_use]
pub fn role(missing: &[Needed], namespace: &str) -> String {
    let mut rules: Vec<(&str, &str, Vec<&str>)> = Vec::new();
    for one in missing {
        match rules
            .iter_mut()
            .find(|(group, resource, _)| (*group, *resource) == (&*one.group, &*one.resource))
        {
            Some((_, _, verbs)) => verbs.push(one.verb),
            None => rules.push((&one.group, &one.resource, vec![one.verb])),
        }
    }
    let mut role = format!(
        "apiVersion: rbac.authorization.k8s.io/v1\nkind: Role\nmetadata:\n  name: {ROLE}\n  namespace: {}\nrules:\n",
        text::line(namespace)
    );
    for (group, resource, verbs) in rules {
        let verbs: Vec<String> = verbs.iter().map(|verb| format!("\"{verb}\"")).collect();
        role.push_str(&format!(
            "  - apiGroups: [\"{group}\"]\n    resources: [\"{resource}\"]\n    verbs: [{}]\n",
            verbs.join(", ")
        ));
    }
    role
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_role_has_a_rule_for_each_resource() {
        let missing = |group: &str, resource: &str, verb| Needed {
            group: group.to_owned(),
            resource: resource.to_owned(),
            verb,
            names: Vec::new(),
        };
        let role = role(
            &[
                missing("", "services", "get"),
                missing("", "services", "patch"),
                missing("apps", "deployments", "get"),
            ],
            "shop",
        );
        assert_eq!(
            role,
            "apiVersion: rbac.authorization.k8s.io/v1\nkind: Role\nmetadata:\n  name: k8s-blue-green-missing\n  namespace: shop\n\
             rules:\n  \
             - apiGroups: [\"\"]\n    resources: [\"services\"]\n    verbs: [\"get\", \"patch\"]\n  \
             - apiGroups: [\"apps\"]\n    resources: [\"deployments\"]\n    verbs: [\"get\"]\n"
        );
    }
}
