//! One pod on its node.

use std::time::Duration;

use serde_json::Value;

use super::behaviour::Behaviour;
use super::container::{Note, Run, State};
use crate::stand_ins::kubernetes::object;

/// A pod that a node has.
#[derive(Clone, Debug)]
pub(crate) struct Pod {
    pub(super) begun: Duration,
    pub(super) address: String,
    pub(super) inits: Vec<Run>,
    pub(super) containers: Vec<Run>,
    /// Since when it is asked to end.
    pub(super) leaving: Option<Duration>,
    /// The version that was seen last, so that one that did not change needs no look.
    pub(super) seen: String,
    was_ready: Vec<bool>,
}

impl Pod {
    pub(super) fn new(
        pod: &Value,
        address: String,
        now: Duration,
        behaviour: impl Fn(&str) -> Behaviour,
    ) -> Self {
        let policy = object::text(pod, "/spec/restartPolicy");
        let runs = |pointer: &str, policy: &str, is_to_end: bool| -> Vec<Run> {
            object::items(pod, pointer)
                .iter()
                .map(|container| Run::new(behaviour(object::text(container, "/image")), policy, is_to_end))
                .collect()
        };
        let of_inits = if policy == "Never" { "Never" } else { "OnFailure" };
        Self {
            begun: now,
            address,
            inits: runs("/spec/initContainers", of_inits, true),
            containers: runs("/spec/containers", policy, false),
            leaving: None,
            seen: String::new(),
            was_ready: Vec::new(),
        }
    }

    /// When it is to be looked at again.
    pub(super) fn due(&self, pod_grace: Duration) -> Option<Duration> {
        if let Some(leaving) = self.leaving {
            return Some(leaving + self.leave(pod_grace));
        }
        self.inits
            .iter()
            .chain(&self.containers)
            .filter_map(|run| run.due)
            .min()
    }

    /// How long it takes to end.
    pub(super) fn leave(&self, grace: Duration) -> Duration {
        let runs = self
            .containers
            .iter()
            .filter(|run| matches!(run.state, State::Running(_)));
        runs.map(|run| run.behaviour.leave)
            .max()
            .unwrap_or_default()
            .min(grace)
    }

    /// Does all that is due; the notes of it.
    pub(super) fn step(&mut self, pod: &Value, now: Duration) -> Vec<Note> {
        let mut notes = Vec::new();
        let mut before_is_done = true;
        for (run, spec) in self
            .inits
            .iter_mut()
            .zip(object::items(pod, "/spec/initContainers"))
        {
            if before_is_done {
                run.begin(now);
                notes.extend(all_steps(run, spec, now));
            }
            before_is_done &= run.is_over() == Some(true);
        }
        if before_is_done {
            for (run, spec) in self
                .containers
                .iter_mut()
                .zip(object::items(pod, "/spec/containers"))
            {
                run.begin(now);
                notes.extend(all_steps(run, spec, now));
            }
        }
        notes.extend(self.probed(pod, now));
        notes
    }

    /// What a probe says when a container that was ready is not any more, or one that runs never was.
    fn probed(&mut self, pod: &Value, now: Duration) -> Vec<Note> {
        let ready: Vec<bool> = self.containers.iter().map(|run| run.is_ready(now)).collect();
        let was = std::mem::replace(&mut self.was_ready, ready);
        let mut notes = Vec::new();
        for (at, (run, spec)) in self
            .containers
            .iter()
            .zip(object::items(pod, "/spec/containers"))
            .enumerate()
        {
            let runs = matches!(run.state, State::Running(_));
            let was_ready = was.get(at).copied().unwrap_or_default();
            let is_ready = self.was_ready.get(at).copied().unwrap_or_default();
            let never = run.behaviour.ready.is_none();
            if runs && !is_ready && (was_ready || never) && spec.get("readinessProbe").is_some() {
                let words = "Readiness probe failed: HTTP probe failed with statuscode: 503".to_owned();
                notes.push(("Warning", "Unhealthy", words));
            }
        }
        notes
    }
}

fn all_steps(run: &mut Run, spec: &Value, now: Duration) -> Vec<Note> {
    let (name, image) = (object::text(spec, "/name"), object::text(spec, "/image"));
    let mut notes = Vec::new();
    while run.due.is_some_and(|due| due <= now) {
        notes.extend(run.step(now, name, image));
    }
    notes
}
