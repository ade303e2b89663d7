//! Where the new pods can be: volumes that one node or one pod may have, ports of nodes, and pods that keep away from each other.

use std::collections::BTreeSet;

use serde_json::Value;

use super::{Around, Concern};
use crate::label_selector;
use crate::object::{entries, labels_at, name, number, shown, text};

pub(super) fn concerns(around: &Around<'_>) -> Vec<Concern> {
    let mut concerns = volumes(around);
    concerns.extend(apart(around));
    concerns
}

/// Claims that two versions can't have at the same time
/// (<https://kubernetes.io/docs/concepts/storage/persistent-volumes/#access-modes>).
fn volumes(around: &Around<'_>) -> Vec<Concern> {
    let called = shown(name(around.new));
    let volumes = entries(around.new, "/spec/template/spec/volumes").iter();
    let wanted: BTreeSet<&str> = volumes
        .map(|volume| text(volume, "/persistentVolumeClaim/claimName"))
        .filter(|claim| !claim.is_empty())
        .collect();
    let of_claim = |wanted: &str| {
        let shown = shown(wanted);
        let claim = around
            .claims
            .and_then(|claims| claims.iter().find(|claim| name(claim) == wanted));
        let Some(claim) = claim else {
            return Some(Concern::warning(format!(
                "deployment `{called}` mounts the claim `{shown}`, of which it is not known whether two versions can have it"
            )));
        };
        let modes: Vec<&str> = entries(claim, "/spec/accessModes")
            .iter()
            .filter_map(Value::as_str)
            .collect();
        if modes.contains(&"ReadWriteOncePod") {
            return Some(Concern::refusal(format!(
                "deployment `{called}` mounts the claim `{shown}`, which one pod alone may have (`ReadWriteOncePod`): the new \
                 version could not start while the old one runs"
            )));
        }
        if !modes.contains(&"ReadWriteOnce") || modes.contains(&"ReadWriteMany") {
            return None;
        }
        let text = format!(
            "deployment `{called}` mounts the claim `{shown}`, which one node alone may have (`ReadWriteOnce`)"
        );
        // Several pods share it already, so they are on its node, and the new ones are sent there too.
        Some(if around.live.side.pods.len() > 1 {
            Concern::warning(format!(
                "{text}: the new version has to fit on the node of the old one"
            ))
        } else {
            Concern::refusal(format!(
                "{text}: both versions would write to it, or the new one could not start"
            ))
        })
    };
    wanted.into_iter().filter_map(of_claim).collect()
}

/// Pods of which a node takes one only, of both versions together.
fn apart(around: &Around<'_>) -> Vec<Concern> {
    let spec = |pointer: &str| format!("/spec/template/spec/{pointer}");
    let containers = entries(around.new, &spec("containers"));
    let ports = containers
        .iter()
        .flat_map(|container| entries(container, "/ports"));
    let is_of_host = around.new.pointer(&spec("hostNetwork")) == Some(&Value::Bool(true));
    let host_ports: Vec<u64> = ports
        .filter_map(|port| {
            number(port, "/hostPort").or_else(|| number(port, "/containerPort").filter(|_| is_of_host))
        })
        .filter(|port| *port != 0)
        .collect();
    let (own, live) = (
        labels_at(around.new, "/spec/template/metadata/labels"),
        labels_at(&around.live.side.deployment, "/spec/template/metadata/labels"),
    );
    let terms = spec("affinity/podAntiAffinity/requiredDuringSchedulingIgnoredDuringExecution");
    let keeps_away = |labels| {
        entries(around.new, &terms).iter().any(|term| {
            text(term, "/topologyKey") == "kubernetes.io/hostname"
                && label_selector::selects(&term["labelSelector"], labels)
        })
    };
    let (from_own, from_live) = (keeps_away(&own), keeps_away(&live));
    let why = match host_ports.first() {
        Some(port) => format!("takes port {port} of its node"),
        None if from_own || from_live => {
            "keeps away from other pods on its node (a required anti-affinity)".to_owned()
        }
        None => return Vec::new(),
    };
    let of_live = u64::try_from(around.live.side.pods.len()).unwrap_or(u64::MAX);
    // Where they keep away from the old version's pods alone, several new ones may share a node.
    let of_new = if host_ports.is_empty() && !from_own {
        1
    } else {
        around.wanted()
    };
    let of_live = if host_ports.is_empty() && !from_live {
        0
    } else {
        of_live
    };
    let needed = of_live.saturating_add(of_new);
    let called = shown(name(around.new));
    let text = format!("each pod of deployment `{called}` {why}, so that both versions need {needed} nodes");
    match around.nodes {
        Some(nodes) if nodes < needed => vec![Concern::refusal(format!("{text}, and there are {nodes}"))],
        Some(_) => Vec::new(),
        None => vec![Concern::warning(text)],
    }
}
