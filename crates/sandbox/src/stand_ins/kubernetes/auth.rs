//! Who asks, by a token or a client certificate, and what they may do: roles as a test scripts them.

use serde_json::{Value, json};

use super::ask::Ask;
use super::refusal::Refusal;
use crate::http::Request;

/// The token of the administrator.
pub(crate) const ADMIN_TOKEN: &str = "sandbox-admin-token";
/// The header in which a connection says whose certificate it was opened with; one that a client sends is dropped.
pub(crate) const CERTIFICATE: &str = "x-sandbox-certificate-of";

/// Somebody who may ask.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct User {
    pub(crate) name: String,
    pub(crate) token: String,
    pub(crate) role: Role,
}

/// What somebody may do: the sum of its rules.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Role(Vec<Rule>);

#[derive(Clone, Debug, PartialEq, Eq)]
struct Rule {
    group: String,
    resources: Vec<String>,
    verbs: Vec<String>,
    names: Vec<String>,
    namespace: Option<String>,
}

/// All users.
#[derive(Clone, Debug)]
pub(crate) struct Users(Vec<User>);

impl User {
    /// Somebody with a name, as a service account's or a certificate's common name, and a token. May do nothing yet.
    #[must_use]
    pub fn new(name: &str, token: &str) -> Self {
        Self {
            name: name.to_owned(),
            token: token.to_owned(),
            role: Role::nothing(),
        }
    }

    /// What they may do.
    #[must_use]
    pub fn role(mut self, role: Role) -> Self {
        self.role = role;
        self
    }
}

impl Role {
    /// May do nothing.
    #[must_use]
    pub fn nothing() -> Self {
        Self::default()
    }

    /// May do everything.
    #[must_use]
    pub fn everything() -> Self {
        Self::nothing().rule("*", "*", &["*"])
    }

    /// May do these verbs with resources of a group, `services` or `deployments/scale` or several with commas between them, in all
    /// namespaces. `*` is any.
    #[must_use]
    pub fn rule(mut self, group: &str, resources: &str, verbs: &[&str]) -> Self {
        self.0.push(Rule {
            group: group.to_owned(),
            resources: resources.split(',').map(|one| one.trim().to_owned()).collect(),
            verbs: verbs.iter().map(|&verb| verb.to_owned()).collect(),
            names: Vec::new(),
            namespace: None,
        });
        self
    }

    /// The last rule is for this namespace alone.
    #[must_use]
    pub fn within(mut self, namespace: &str) -> Self {
        if let Some(rule) = self.0.last_mut() {
            rule.namespace = Some(namespace.to_owned());
        }
        self
    }

    /// The last rule is for objects of this name alone.
    #[must_use]
    pub fn for_name(mut self, name: &str) -> Self {
        if let Some(rule) = self.0.last_mut() {
            rule.names.push(name.to_owned());
        }
        self
    }

    pub(crate) fn allows(
        &self,
        verb: &str,
        group: &str,
        resource: &str,
        namespace: &str,
        name: &str,
    ) -> bool {
        let is = |known: &str, asked: &str| known == "*" || known == asked;
        self.0.iter().any(|rule| {
            is(&rule.group, group)
                && rule.verbs.iter().any(|known| is(known, verb))
                && rule.resources.iter().any(|known| is(known, resource))
                && rule.namespace.as_deref().is_none_or(|known| known == namespace)
                && (rule.names.is_empty() || rule.names.iter().any(|known| known == name))
        })
    }

    /// Its rules in a namespace, as a review lists them.
    pub(crate) fn listed(&self, namespace: &str) -> Vec<Value> {
        let rules = self.0.iter();
        let rules = rules.filter(|rule| rule.namespace.as_deref().is_none_or(|known| known == namespace));
        rules
            .map(|rule| {
                let mut listed =
                    json!({ "verbs": rule.verbs, "apiGroups": [rule.group], "resources": rule.resources });
                if !rule.names.is_empty() {
                    super::object::put(&mut listed, &["resourceNames"], json!(rule.names));
                }
                listed
            })
            .collect()
    }
}

impl Users {
    pub(crate) fn new() -> Self {
        let admin = User::new("kubernetes-admin", ADMIN_TOKEN).role(Role::everything());
        Self(vec![admin])
    }

    /// Takes somebody in; in place of one of the same name.
    pub(crate) fn allow(&mut self, user: User) {
        self.0.retain(|known| known.name != user.name);
        self.0.push(user);
    }

    pub(crate) fn named(&self, name: &str) -> Option<&User> {
        self.0.iter().find(|user| user.name == name)
    }

    /// Who asks.
    pub(crate) fn of(&self, request: &Request) -> Result<User, Refusal> {
        let token = request
            .header("authorization")
            .and_then(|value| value.strip_prefix("Bearer "));
        let found = match token {
            Some(token) => self
                .0
                .iter()
                .find(|user| !user.token.is_empty() && user.token == token.trim()),
            None => request.header(CERTIFICATE).and_then(|name| self.named(name)),
        };
        found.cloned().ok_or_else(Refusal::unauthorized)
    }
}

/// Refuses what a role does not allow.
pub(crate) fn check(user: &User, ask: &Ask) -> Result<(), Refusal> {
    // Everybody may ask what they may do.
    if ask.kind.plural.starts_with("selfsubject") {
        return Ok(());
    }
    let resource = ask.resource();
    if user
        .role
        .allows(ask.verb, ask.kind.group, &resource, &ask.namespace, &ask.name)
    {
        return Ok(());
    }
    Err(denied(user, ask))
}

/// The words of a refusal.
pub(crate) fn denied(user: &User, ask: &Ask) -> Refusal {
    let place = match ask.namespace.as_str() {
        "" => " at the cluster scope".to_owned(),
        namespace => format!(" in the namespace \"{namespace}\""),
    };
    let what = match ask.name.as_str() {
        "" => ask.kind.qualified(),
        name => format!("{} \"{name}\"", ask.kind.qualified()),
    };
    let message = format!(
        "{what} is forbidden: User \"{}\" cannot {} resource \"{}\" in API group \"{}\"{place}",
        user.name,
        ask.verb,
        ask.resource(),
        ask.kind.group
    );
    Refusal::new(403, "Forbidden", message).about(ask.kind, &ask.name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_role_allows_the_sum_of_its_rules() {
        let role = Role::nothing()
            .rule("", "services,pods", &["get", "list"])
            .within("shop")
            .rule("apps", "deployments", &["*"])
            .for_name("web");
        for (verb, group, resource, namespace, name, expected) in [
            ("get", "", "services", "shop", "web", true),
            ("get", "", "services", "other", "web", false),
            ("patch", "", "services", "shop", "web", false),
            ("get", "", "pods/log", "shop", "web", false),
            ("patch", "apps", "deployments", "other", "web", true),
            ("patch", "apps", "deployments", "other", "api", false),
        ] {
            assert_eq!(
                role.allows(verb, group, resource, namespace, name),
                expected,
                "{verb} {resource}"
            );
        }
    }
}
