//! The controllers: each looks at the world and does what is next; together they are asked until nothing changes.

mod budgets;
mod daemonsets;
mod deployments;
pub(crate) mod endpoints;
mod garbage;
mod jobs;
mod pods;
mod quotas;
mod replicasets;
mod revisions;
mod rollout;
mod routes;
mod scalers;
mod statefulsets;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::time::Duration;

use super::kubelet;
use super::store::Key;
use super::world::World;

/// What controllers keep in mind and do not write down.
#[derive(Clone, Debug, Default)]
pub(crate) struct Memory {
    /// Names of events by the uid, reason and words that they are about.
    pub(crate) events: BTreeMap<(String, String, String), String>,
    /// Until when a controller that was refused a pod waits, by its object's uid.
    pub(crate) refused: BTreeMap<String, Duration>,
    pub(crate) endpoints: endpoints::Lagging,
    /// Which routes wait to be taken, since when.
    pub(crate) routes: BTreeMap<Key, Duration>,
}

/// Asks each once; when the next thing is due.
pub(crate) fn run(world: &mut World) -> Option<Duration> {
    garbage::run(world);
    let due = [
        scalers::run(world),
        deployments::run(world),
        replicasets::run(world),
        statefulsets::run(world),
        daemonsets::run(world),
        jobs::run(world),
        kubelet::run(world),
        endpoints::run(world),
        routes::run(world),
    ];
    budgets::run(world);
    quotas::run(world);
    due.into_iter().flatten().filter(|due| *due > world.now).min()
}
