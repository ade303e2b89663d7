//! The workloads that are rolled: which kinds there are, how they are named, and which pods are theirs. Pure.

use std::fmt;

use gha::text;
use serde_json::Value;

use crate::api::Kind;
use crate::object;

/// Kinds of workloads that replace their pods themselves.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Sort {
    /// Pods that are alike and replaceable.
    Deployment,
    /// Pods with names of their own.
    StatefulSet,
    /// A pod a node.
    DaemonSet,
}

impl Sort {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Deployment, Self::StatefulSet, Self::DaemonSet];

    /// Its kind of objects.
    #[must_use]
    pub fn kind(self) -> Kind {
        match self {
            Self::Deployment => Kind::deployment(),
            Self::StatefulSet => Kind::stateful_set(),
            Self::DaemonSet => Kind::daemon_set(),
        }
    }

    /// The kind of the objects that hold its earlier templates.
    #[must_use]
    pub fn history(self) -> Kind {
        match self {
            Self::Deployment => Kind::replica_set(),
            Self::StatefulSet | Self::DaemonSet => Kind::controller_revision(),
        }
    }

    /// The word for it on a command line.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Deployment => "deployment",
            Self::StatefulSet => "statefulset",
            Self::DaemonSet => "daemonset",
        }
    }

    /// The one whose objects have this `kind`.
    #[must_use]
    pub fn of_kind(kind: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|sort| sort.kind().kind == kind)
    }
}

/// A workload.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Workload {
    /// Its kind.
    pub sort: Sort,
    /// Its name.
    pub name: String,
}

/// What is no name of a workload.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` names no workload: write `deployment/NAME`, `statefulset/NAME` or `daemonset/NAME`")]
pub struct NoWorkload(String);

impl Workload {
    /// Reads `deployment/web`, with the short and plural words of `kubectl` for the kinds.
    ///
    /// # Errors
    /// When it is none of them.
    pub fn parse(text: &str) -> Result<Self, NoWorkload> {
        let none = || NoWorkload(text::cut(&text::line(text), 100));
        let (kind, name) = text.trim().split_once('/').ok_or_else(none)?;
        let sort = match kind.to_ascii_lowercase().as_str() {
            "deployment" | "deployments" | "deploy" | "deployment.apps" => Sort::Deployment,
            "statefulset" | "statefulsets" | "sts" | "statefulset.apps" => Sort::StatefulSet,
            "daemonset" | "daemonsets" | "ds" | "daemonset.apps" => Sort::DaemonSet,
            _ => return Err(none()),
        };
        if name.is_empty() || name.contains('/') {
            return Err(none());
        }
        Ok(Self {
            sort,
            name: name.to_owned(),
        })
    }

    /// The workload that an object is.
    #[must_use]
    pub fn of(object: &Value) -> Option<Self> {
        Some(Self {
            sort: Sort::of_kind(object::text(object, "/kind"))?,
            name: Some(object::name(object))
                .filter(|name| !name.is_empty())?
                .to_owned(),
        })
    }
}

impl fmt::Display for Workload {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.sort.word(), text::line(&self.name))
    }
}

/// The label selector of a workload, as it has to be in an address
/// (<https://kubernetes.io/docs/concepts/overview/working-with-objects/labels/#label-selectors>); empty where it selects nothing.
#[must_use]
pub fn selector(workload: &Value) -> String {
    let mut parts = Vec::new();
    let labels = object::labels_at(workload, "/spec/selector/matchLabels");
    if !labels.is_empty() {
        parts.push(object::written(&labels));
    }
    for rule in object::entries(workload, "/spec/selector/matchExpressions") {
        let key = object::text(rule, "/key");
        let values: Vec<&str> = object::entries(rule, "/values")
            .iter()
            .filter_map(Value::as_str)
            .collect();
        match object::text(rule, "/operator") {
            "In" => parts.push(format!("{key} in ({})", values.join(","))),
            "NotIn" => parts.push(format!("{key} notin ({})", values.join(","))),
            "Exists" => parts.push(key.to_owned()),
            "DoesNotExist" => parts.push(format!("!{key}")),
            _ => {}
        }
    }
    parts.join(",")
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn names_are_read_as_kubectl_writes_them() {
        for (text, shown) in [
            ("deployment/web", "deployment/web"),
            ("deploy/web", "deployment/web"),
            ("StatefulSet/db", "statefulset/db"),
            ("daemonset.apps/agent", "daemonset/agent"),
        ] {
            assert_eq!(Workload::parse(text).unwrap().to_string(), shown);
        }
        for text in ["web", "pod/web", "deployment/", "deployment/a/b", ""] {
            assert!(Workload::parse(text).is_err(), "{text}");
        }
    }

    #[test]
    fn a_selector_has_both_forms() {
        let workload = json!({"spec": {"selector": {
            "matchLabels": {"app": "web"},
            "matchExpressions": [
                {"key": "tier", "operator": "In", "values": ["a", "b"]},
                {"key": "old", "operator": "DoesNotExist"},
            ],
        }}});
        assert_eq!(selector(&workload), "app=web,tier in (a,b),!old");
        assert_eq!(selector(&json!({})), "");
    }
}
