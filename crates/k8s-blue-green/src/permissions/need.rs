//! What a deploy can't do without, by its flags and by the objects that it touches. Pure.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use super::{BLUE_GREEN, DELETE, KEDA, MIGRATION, PREVIEW, ROLLING, Rule, canary};
use crate::api::Kind;
use crate::cli::{Deploy, Retire, Strategy};
use crate::route::Divider;

/// What server-side apply asks for, and what says what it changed.
const APPLIED: [&str; 2] = ["get", "patch"];

/// What is done with one object, whose name a Role may give.
const OF_ONE: [&str; 4] = ["get", "update", "patch", "delete"];

/// The objects that a deploy touches, as far as they are known.
#[derive(Debug, Default)]
pub struct Uses {
    /// Whether an autoscaler of KEDA goes with the traffic.
    pub keda: bool,
    /// Whether gates or a smoke command look at the preview.
    pub previews: bool,
    names: BTreeMap<(String, String), BTreeSet<String>>,
    applied: BTreeSet<(String, String)>,
}

impl Uses {
    /// An object that is read or changed.
    pub fn name(&mut self, kind: &Kind, name: &str) {
        let names = self.names.entry((kind.group.clone(), kind.plural.clone()));
        names.or_default().insert(name.to_owned());
    }

    /// An object that is applied.
    pub fn apply(&mut self, kind: &Kind, name: &str) {
        self.name(kind, name);
        self.applied.insert((kind.group.clone(), kind.plural.clone()));
    }
}

/// Something that an account must be allowed to do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Needed {
    /// The API group; empty for the first.
    pub group: String,
    /// The resource, as `pods/log`.
    pub resource: String,
    /// What is done with it.
    pub verb: &'static str,
    /// With which objects, where that is known and a Role may say it.
    pub names: Vec<String>,
}

/// As `patch services`.
impl fmt::Display for Needed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "`{} {}`", self.verb, self.resource)
    }
}

/// What a deploy can't do without.
#[must_use]
pub fn needed(flags: &Deploy, uses: &Uses) -> Vec<Needed> {
    let mut all: Vec<Needed> = Vec::new();
    let mut add = |group: &str, resource: &str, verb: &'static str| {
        let key = (group.to_owned(), resource.to_owned());
        let names = uses.names.get(&key).filter(|_| OF_ONE.contains(&verb));
        let needed = Needed {
            names: names.into_iter().flatten().cloned().collect(),
            group: key.0,
            resource: key.1,
            verb,
        };
        if !all.contains(&needed) {
            all.push(needed);
        }
    };
    for rule in rules(flags, uses) {
        rule.verbs
            .iter()
            .for_each(|verb| add(rule.group, rule.resource, verb));
    }
    for (group, plural) in &uses.applied {
        APPLIED.iter().for_each(|verb| add(group, plural, verb));
    }
    all
}

fn rules(flags: &Deploy, uses: &Uses) -> Vec<Rule> {
    let mut rules = Vec::new();
    match flags.strategy {
        Strategy::Rolling => {
            let named = |kind: &str| {
                let workloads = &flags.target.workload;
                let mut kinds = workloads.iter().filter_map(|named| named.split_once('/'));
                workloads.is_empty() && kind == "deployments"
                    || kinds.any(|(named, _)| kind.starts_with(&named.to_ascii_lowercase()))
            };
            rules.extend(ROLLING.iter().filter(|rule| {
                !matches!(rule.resource, "deployments" | "statefulsets" | "daemonsets")
                    || named(rule.resource)
            }));
        }
        Strategy::BlueGreen | Strategy::Canary => rules.extend(BLUE_GREEN),
    }
    let also = [
        (flags.migration.migrate.is_some(), MIGRATION),
        (uses.previews, PREVIEW),
        (uses.keda, KEDA),
        (flags.switch.retire == Retire::Delete, DELETE),
    ];
    for (_, more) in also.into_iter().filter(|(is_needed, _)| *is_needed) {
        rules.extend(more);
    }
    for divider in &flags.canary.route {
        if let Divider::Route(route) = divider {
            rules.extend(canary(route.provider));
        }
    }
    rules
}
