//! What is live: the Deployments whose pods a Service leads to, found by who owns the pods, never by names or by labels of
//! Deployments. Pure.

use std::collections::BTreeMap;

use serde_json::Value;

use crate::color::{self, Color, HASH};
use crate::object::{self, Labels, labels, labels_at, name, number, owner, selects, text, uid};

mod error;

pub use error::{Candidate, Foreign, LiveError};

/// A pod.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct PodId {
    /// Its name.
    pub name: String,
    /// Its unique id.
    pub uid: String,
}

/// A ReplicaSet that has pods here.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Revision {
    /// Its name.
    pub name: String,
    /// Its unique id.
    pub uid: String,
    /// The hash of its template, by which its pods are labelled; empty where it has none.
    pub hash: String,
    /// How many of the pods are its own.
    pub pods: usize,
}

/// A Deployment and its pods that a selector selects.
#[derive(Clone, Debug, PartialEq)]
pub struct Side {
    /// The Deployment, whole.
    pub deployment: Value,
    /// Its pods, by name.
    pub pods: Vec<PodId>,
    /// How many of them are ready.
    pub ready: usize,
    /// Its ReplicaSets that have pods here.
    pub revisions: Vec<Revision>,
}

impl Side {
    /// The Deployment's name.
    #[must_use]
    pub fn name(&self) -> &str {
        name(&self.deployment)
    }

    /// The Deployment's unique id.
    #[must_use]
    pub fn uid(&self) -> &str {
        uid(&self.deployment)
    }

    /// The colour that its pods have.
    #[must_use]
    pub fn color(&self, label: &str) -> Option<Color> {
        let of_pods = labels_at(&self.deployment, "/spec/template/metadata/labels");
        of_pods.get(label).and_then(|value| Color::of(value))
    }
}

/// What a Service leads to, and nothing else.
#[derive(Clone, Debug, PartialEq)]
pub struct Live {
    /// The Service's name.
    pub service: String,
    /// Its selector, as it is.
    pub selector: Labels,
    /// The label that tells the colours apart.
    pub label: String,
    /// The colour that the selector names; none before the first deploy.
    pub color: Option<Color>,
    /// The Deployment and its pods.
    pub side: Side,
}

impl Live {
    /// The selector without colour and revision: what pods of both colours have.
    #[must_use]
    pub fn base(&self) -> Labels {
        base_of(&self.selector, &self.label)
    }

    /// The selector that leads to one colour.
    #[must_use]
    pub fn selector_of(&self, color: Color) -> Labels {
        let mut selector = self.base();
        selector.insert(self.label.clone(), color.as_str().to_owned());
        selector
    }

    /// The hash of the only revision that has pods; none while there are several.
    #[must_use]
    pub fn hash(&self) -> Option<&str> {
        match &self.side.revisions[..] {
            [only] if !only.hash.is_empty() => Some(&only.hash),
            _ => None,
        }
    }

    /// The colour of the next version.
    #[must_use]
    pub fn next(&self) -> Color {
        Color::next(self.color, self.side.name())
    }
}

/// A selector without colour and revision.
#[must_use]
pub fn base_of(selector: &Labels, label: &str) -> Labels {
    let mut base = selector.clone();
    base.remove(label);
    base.remove(HASH);
    base
}

/// What is live behind a Service, of all pods, ReplicaSets and Deployments of its namespace, or of those that matter. The pods must
/// be read first: an owner that is read later knows all that it owned.
///
/// # Errors
/// When it is not exactly one Deployment.
pub fn of(
    service: &Value,
    label: &str,
    pods: &[Value],
    replica_sets: &[Value],
    deployments: &[Value],
) -> Result<Live, LiveError> {
    let selector = selector_of(service)?;
    let called = name(service);
    let service = object::shown(called);
    let color = color::named(&selector, label).map_err(|why| LiveError::Color {
        service: service.clone(),
        why,
    })?;
    let mut sides = behind(&selector, pods, replica_sets, deployments).map_err(|pods| {
        let service = service.clone();
        LiveError::Foreign { service, pods }
    })?;
    let side = match sides.pop() {
        None => {
            return Err(LiveError::Nothing {
                selector: object::shown(&object::written(&selector)),
                candidates: candidates(&selector, deployments),
                service,
            });
        }
        Some(only) if sides.is_empty() => only,
        Some(last) => {
            sides.push(last);
            return Err(LiveError::Several { service, sides });
        }
    };
    if let Some(selected) = color
        && side.color(label) != color
    {
        return Err(LiveError::OtherColor {
            service,
            label: object::shown(label),
            selected,
            deployment: object::shown(side.name()),
        });
    }
    Ok(Live {
        service: called.to_owned(),
        selector,
        label: label.to_owned(),
        color,
        side,
    })
}

/// The selector of a Service that leads to pods.
///
/// # Errors
/// When it leads to none by itself.
pub fn selector_of(service: &Value) -> Result<Labels, LiveError> {
    if text(service, "/spec/type") == "ExternalName" {
        return Err(LiveError::ExternalName(object::shown(name(service))));
    }
    let selector = labels_at(service, "/spec/selector");
    if selector.is_empty() {
        return Err(LiveError::NoSelector(object::shown(name(service))));
    }
    Ok(selector)
}

/// The Deployments whose pods a selector selects, by name; a pod that leaves or has finished is none.
///
/// # Errors
/// The pods that belong to no Deployment, by name.
pub fn behind(
    selector: &Labels,
    pods: &[Value],
    replica_sets: &[Value],
    deployments: &[Value],
) -> Result<Vec<Side>, Vec<Foreign>> {
    let of_uid = |objects: &[Value]| -> BTreeMap<String, usize> {
        let all = objects.iter().enumerate();
        all.map(|(nth, object)| (uid(object).to_owned(), nth)).collect()
    };
    let (sets, owners) = (of_uid(replica_sets), of_uid(deployments));
    let mut sides: BTreeMap<usize, Side> = BTreeMap::new();
    let mut foreign = Vec::new();
    for pod in pods
        .iter()
        .filter(|pod| runs(pod) && selects(selector, &labels(pod)))
    {
        match owners_of(pod, replica_sets, &sets, &owners) {
            Ok((set, deployment)) => {
                let side = sides.entry(deployment).or_insert_with(|| Side {
                    deployment: deployments[deployment].clone(),
                    pods: Vec::new(),
                    ready: 0,
                    revisions: Vec::new(),
                });
                add(side, pod, &replica_sets[set]);
            }
            Err(of) => foreign.push(Foreign {
                pod: name(pod).to_owned(),
                of,
            }),
        }
    }
    if !foreign.is_empty() {
        foreign.sort_by(|one, other| one.pod.cmp(&other.pod));
        return Err(foreign);
    }
    let mut sides: Vec<Side> = sides.into_values().collect();
    for side in &mut sides {
        side.pods.sort();
    }
    sides.sort_by(|one, other| one.name().cmp(other.name()));
    Ok(sides)
}

/// Whether a pod counts: it neither leaves nor has it finished.
#[must_use]
pub fn runs(pod: &Value) -> bool {
    !object::is_leaving(pod) && !matches!(text(pod, "/status/phase"), "Succeeded" | "Failed")
}

/// Whether a pod is ready.
#[must_use]
pub fn is_ready(pod: &Value) -> bool {
    object::condition(pod, "Ready").is_some_and(|ready| ready.status == "True")
}

/// The ReplicaSet and the Deployment of a pod by their places, or whose it is instead.
fn owners_of(
    pod: &Value,
    replica_sets: &[Value],
    sets: &BTreeMap<String, usize>,
    deployments: &BTreeMap<String, usize>,
) -> Result<(usize, usize), String> {
    let told = |owner: &object::Owner| {
        format!(
            "of {} `{}`",
            object::shown(&owner.kind),
            object::shown(&owner.name)
        )
    };
    let owner_of_pod = owner(pod).ok_or_else(|| "of nobody".to_owned())?;
    if owner_of_pod.kind != "ReplicaSet" {
        return Err(told(&owner_of_pod));
    }
    let Some(set) = sets.get(&owner_of_pod.uid) else {
        return Err(format!("{}, which is gone", told(&owner_of_pod)));
    };
    let Some(owner_of_set) = owner(&replica_sets[*set]) else {
        return Err(format!("{}, which no deployment owns", told(&owner_of_pod)));
    };
    if owner_of_set.kind != "Deployment" {
        return Err(told(&owner_of_set));
    }
    match deployments.get(&owner_of_set.uid) {
        Some(deployment) => Ok((*set, *deployment)),
        None => Err(format!("{}, which is gone", told(&owner_of_set))),
    }
}

fn add(side: &mut Side, pod: &Value, replica_set: &Value) {
    side.pods.push(PodId {
        name: name(pod).to_owned(),
        uid: uid(pod).to_owned(),
    });
    side.ready += usize::from(is_ready(pod));
    let set = uid(replica_set);
    match side.revisions.iter_mut().find(|revision| revision.uid == set) {
        Some(revision) => revision.pods += 1,
        None => side.revisions.push(Revision {
            name: name(replica_set).to_owned(),
            uid: set.to_owned(),
            hash: labels(replica_set).get(HASH).cloned().unwrap_or_default(),
            pods: 1,
        }),
    }
}

fn candidates(selector: &Labels, deployments: &[Value]) -> Vec<Candidate> {
    let would = |deployment: &&Value| {
        // A revision's hash is on its pods alone.
        let mut without_hash = selector.clone();
        without_hash.remove(HASH);
        selects(
            &without_hash,
            &labels_at(deployment, "/spec/template/metadata/labels"),
        )
    };
    let all = deployments.iter().filter(would);
    all.map(|deployment| Candidate {
        name: name(deployment).to_owned(),
        uid: uid(deployment).to_owned(),
        replicas: number(deployment, "/spec/replicas").unwrap_or(1),
    })
    .collect()
}

#[cfg(test)]
mod tests;
