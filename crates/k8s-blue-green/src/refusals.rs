//! What is looked at before anything is changed: why a second colour can't come up beside the live one, or what a person should know
//! of it. Pure.

use serde_json::Value;

use crate::live::Live;
use crate::object::{entries, name, number, shown, text};

mod neighbours;
mod placement;
mod room;
mod subsets;

pub use subsets::Meshed;

/// How bad it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Grade {
    /// The deploy would fail, or do harm.
    Refusal,
    /// It may go well.
    Warning,
}

/// Something that stands in the way, or may.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Concern {
    /// How bad it is.
    pub grade: Grade,
    /// For people. Foreign text in it is inert.
    pub text: String,
}

impl Concern {
    fn refusal(text: String) -> Self {
        let grade = Grade::Refusal;
        Self { grade, text }
    }

    fn warning(text: String) -> Self {
        let grade = Grade::Warning;
        Self { grade, text }
    }
}

/// What a deploy meets. What could not be read is not there, and not judged.
#[derive(Clone, Copy, Debug)]
pub struct Around<'a> {
    /// The Service.
    pub service: &'a Value,
    /// What it leads to.
    pub live: &'a Live,
    /// The other colour's Deployment, with its images and its number of pods.
    pub new: &'a Value,
    /// How many pods of the other colour there are already.
    pub there: u64,
    /// All Services of the namespace.
    pub services: &'a [Value],
    /// The names of the Services that are switched by this deploy, and of those that it makes.
    pub together: &'a [String],
    /// The volume claims of the namespace.
    pub claims: Option<&'a [Value]>,
    /// Its quotas.
    pub quotas: &'a [Value],
    /// What a mesh leads to the Service.
    pub mesh: Meshed<'a>,
    /// How many nodes take pods.
    pub nodes: Option<u64>,
}

impl Around<'_> {
    /// How many pods the new version has.
    fn wanted(&self) -> u64 {
        number(self.new, "/spec/replicas").unwrap_or(1)
    }

    /// How many pods of it are still to be made.
    fn still_to_make(&self) -> u64 {
        self.wanted().saturating_sub(self.there)
    }
}

/// All that stands in the way or may, refusals first.
#[must_use]
pub fn preflight(around: &Around<'_>) -> Vec<Concern> {
    let mut concerns = of_service(around.service);
    concerns.extend(of_live(around.live));
    concerns.extend(of_probes(around.new));
    concerns.extend(placement::concerns(around));
    concerns.extend(room::concerns(around));
    concerns.extend(neighbours::concerns(around));
    concerns.extend(subsets::concerns(around));
    concerns.sort_by_key(|concern| concern.grade);
    concerns
}

fn of_service(service: &Value) -> Vec<Concern> {
    let mut concerns = Vec::new();
    let called = shown(name(service));
    if text(service, "/spec/clusterIP") == "None" {
        concerns.push(Concern::warning(format!(
            "service `{called}` has no address of its own: clients find the new version when they ask DNS again, so that the \
             switch and the way back take as long as they keep what they were told"
        )));
    }
    if service["spec"]["publishNotReadyAddresses"] == true {
        concerns.push(Concern::warning(format!(
            "service `{called}` leads to pods that are not ready as well (`publishNotReadyAddresses`)"
        )));
    }
    concerns
}

fn of_live(live: &Live) -> Vec<Concern> {
    let wanted = number(&live.side.deployment, "/spec/replicas").unwrap_or(1);
    let ready = live.side.ready;
    let is_whole = u64::try_from(ready).is_ok_and(|ready| ready >= wanted);
    let called = shown(live.side.name());
    let mut concerns = Vec::new();
    if !is_whole {
        concerns.push(Concern::warning(format!(
            "{ready} of {wanted} pods of the live deployment `{called}` are ready: the way back leads to no more than these"
        )));
    }
    if live.side.deployment["spec"]["paused"] == true {
        concerns.push(Concern::warning(format!(
            "the live deployment `{called}` is paused; the new one is not"
        )));
    }
    concerns
}

fn of_probes(new: &Value) -> Vec<Concern> {
    let containers = entries(new, "/spec/template/spec/containers");
    let has_probe = containers
        .iter()
        .any(|container| container["readinessProbe"].is_object() || container["startupProbe"].is_object());
    if has_probe || containers.is_empty() {
        return Vec::new();
    }
    vec![Concern::warning(format!(
        "no container of deployment `{}` has a readiness probe: its pods get requests as soon as they run",
        shown(name(new))
    ))]
}

#[cfg(test)]
mod tests;
