//! What is complete, and what is a failure, while our deployment is the latest.

use std::time::Duration;

use gha::duration::display;

use super::state::Complete;
use super::{Decision, State, Why, inert};
use crate::events;
use crate::observed::{Deployment, Service, ServiceDeployment, TargetHealth, revision_name};
use crate::stopped::{Class, Severity};
use crate::words::{RolloutState, TargetState};

impl State {
    /// Keeps our own count of what failed, from one that goes back.
    pub(super) fn count(&mut self, ours: &Deployment) {
        let more = match ours.failed.checked_sub(self.last_failed) {
            Some(more) => more,
            None => ours.failed,
        };
        self.failed_sum = self.failed_sum.saturating_add(more);
        self.last_failed = ours.failed;
    }

    pub(super) fn watch_placement(&mut self, ours: &Deployment, service: &Service, now: Duration) {
        let progress = ours.running > self.most_running;
        self.most_running = self.most_running.max(ours.running);
        if progress || ours.running >= ours.desired {
            self.short_since = None;
        }
        let newest = service.events.iter().find(|event| {
            let ours_began = ours.created_at.or(self.plan.created_at);
            events::is_about_placement(event) && event.created_at >= ours_began
        });
        let Some(event) = newest.filter(|event| self.placement.as_ref() != Some(&event.id)) else {
            return;
        };
        self.placement = Some(event.id.clone());
        if ours.running < ours.desired {
            self.short_of_room(&inert(&event.message), now);
        }
    }

    pub(super) fn short_of_room(&mut self, said: &str, now: Duration) {
        self.short_since.get_or_insert(now);
        self.tell(&format!("no room for a task: {said}"));
    }

    pub(super) fn watch_completion(&mut self, ours: &Deployment, service: &Service, now: Duration) {
        let wanted = self
            .complete
            .map_or(ours.desired, |complete| complete.tasks.min(ours.desired));
        let complete = match &ours.rollout_state {
            Some(state) => *state == RolloutState::Completed,
            None => service.deployments.len() == 1 && (self.complete.is_some() || ours.pending == 0),
        };
        // A deployment that was just made may not know yet how many tasks it wants.
        let knows = ours.desired > 0 || service.desired == 0;
        if !complete || !knows || ours.running < wanted {
            self.complete = None;
            return;
        }
        self.complete.get_or_insert(Complete {
            since: now,
            tasks: ours.desired,
        });
    }

    /// Whether stopped tasks are worth a look now.
    pub(super) fn wants_tasks(&mut self, now: Duration) -> Option<Decision> {
        let (ours, _) = self.last.as_ref()?;
        let counts = (ours.failed, ours.pending, ours.running);
        let changed = self.counts_read.replace(counts) != Some(counts);
        let old = self
            .tasks_read
            .is_none_or(|read| now.saturating_sub(read) >= self.plan.limits.tasks_every);
        let last_time = self.has_stayed();
        let wanted = old || (self.tasks_readable && (changed || last_time));
        wanted.then_some(Decision::FetchStopped)
    }

    /// Whether the deployment stayed complete for as long as it must.
    fn has_stayed(&self) -> bool {
        let stayed = |complete: Complete| self.last_look.saturating_sub(complete.since);
        self.complete
            .is_some_and(|complete| stayed(complete) >= self.plan.limits.stable_for)
    }

    /// What follows from all that is known.
    pub(super) fn judge(&mut self, now: Duration) -> Decision {
        let Some((ours, service_desired)) = self.last.clone() else {
            return self.wait(now);
        };
        if let Some(failed) = self.failed(&ours, now) {
            return failed;
        }
        match self.complete {
            Some(_) if self.has_stayed() && ours.desired == 0 && service_desired == 0 => {
                Decision::ScaledToZero
            }
            Some(_) if self.has_stayed() => Decision::Succeeded { tasks: ours.running },
            Some(Complete { since, .. }) => {
                let left = since
                    .saturating_add(self.plan.limits.stable_for)
                    .saturating_sub(now);
                let poll = match self.wait(now) {
                    Decision::Wait { next } => next,
                    _ => self.plan.limits.poll,
                };
                Decision::Steady {
                    since,
                    next: poll.min(left),
                }
            }
            None => self.wait(now),
        }
    }

    fn failed(&self, ours: &Deployment, now: Duration) -> Option<Decision> {
        let limits = &self.plan.limits;
        let failed = |why, reason: String, ours_to_roll_back| {
            Some(Decision::Failed {
                why,
                reason: format!("{reason}{}", self.because(ours, None)),
                ours_to_roll_back,
            })
        };
        let fatal = self
            .stops
            .values()
            .filter(|stop| stop.class.severity() == Severity::Fatal)
            .count();
        let unexplained = !self.tasks_readable
            && usize::try_from(self.failed_sum).unwrap_or(usize::MAX) >= limits.failed_tasks;
        if fatal >= limits.fatal_tasks || self.stops.len() >= limits.failed_tasks || unexplained {
            let count = self
                .stops
                .len()
                .max(if unexplained { self.failed_sum as usize } else { 0 });
            return failed(Why::Tasks, format!("{count} tasks failed"), true);
        }
        let short = self.short_since.map(|since| now.saturating_sub(since));
        if let Some(short) = short.filter(|short| *short >= limits.placement_timeout) {
            let reason = format!(
                "ECS found no room for {} of {} tasks for {}",
                ours.desired.saturating_sub(ours.running),
                ours.desired,
                display(short)
            );
            return failed(Why::Placement, reason, true);
        }
        let took = now.saturating_sub(self.plan.started);
        // What completed in time gets the time to show that it stays.
        let more = self
            .complete
            .map_or(Duration::ZERO, |_| limits.stable_for.saturating_mul(2));
        if took < limits.timeout.saturating_add(more) {
            return None;
        }
        let begun = format!(
            "`{}` is not complete after {}",
            inert(revision_name(&ours.task_definition)),
            display(took)
        );
        if ours.desired > 0 && ours.running >= ours.desired && self.complete.is_none() {
            let reason = format!(
                "{begun}: all its {} tasks run, and older ones have not stopped yet",
                ours.running
            );
            return failed(Why::Draining, reason, false);
        }
        let unhealthy = self
            .unhealthy
            .as_ref()
            .map(|unhealthy| format!("; {unhealthy}"))
            .unwrap_or_default();
        let reason = format!(
            "{begun}: {} of {} tasks run, {} are being started{unhealthy}",
            ours.running, ours.desired, ours.pending
        );
        failed(Why::Timeout, reason, true)
    }

    /// What is known of the reasons, to be put behind a sentence; empty where nothing is.
    pub(super) fn because(&self, ours: &Deployment, deployment: Option<&ServiceDeployment>) -> String {
        let mut text = String::new();
        let is_ours = ours.id == self.plan.deployment;
        let said = ours
            .reason
            .as_deref()
            .filter(|_| is_ours)
            .or(self.failed_reason.as_deref());
        let failed = matches!(ours.rollout_state, Some(RolloutState::Failed)) || self.failed_since.is_some();
        let rollback = deployment.and_then(|deployment| {
            let rollback = deployment
                .rollback
                .as_ref()
                .and_then(|rollback| rollback.reason.as_deref());
            rollback.or(deployment.reason.as_deref())
        });
        if let Some(said) = rollback.or(said.filter(|_| failed || !is_ours)) {
            text.push_str(&format!(": {}", inert(said)));
        }
        let count = self.stops.len();
        // A fatal one says more than the crashes that follow from it.
        let telling = self
            .stops
            .values()
            .max_by_key(|stop| stop.class.severity() == Severity::Fatal);
        if let Some(stop) = telling {
            let more = if count > 1 {
                format!(" (and {} more)", count - 1)
            } else {
                String::new()
            };
            text.push_str(&format!("; task `{}`: {}{more}", stop.task, stop.reason));
            let by_checks = self.stops.values().any(|stop| stop.class == Class::ElbHealth);
            if let Some(unhealthy) = self.unhealthy.as_ref().filter(|_| by_checks) {
                text.push_str(&format!("; {unhealthy}"));
            }
        }
        text
    }
}

/// What is wrong with the targets that are not healthy, if any is.
pub(super) fn unhealthy(targets: &[TargetHealth]) -> Option<String> {
    let bad: Vec<&TargetHealth> = targets
        .iter()
        .filter(|target| target.state == TargetState::Unhealthy)
        .collect();
    let first = bad.first()?;
    let mut why = inert(first.reason.as_deref().unwrap_or("no reason given"));
    if let Some(description) = &first.description {
        why = format!("{why}, {}", inert(description));
    }
    Some(format!(
        "{} of {} targets are unhealthy: {why}",
        bad.len(),
        targets.len()
    ))
}
