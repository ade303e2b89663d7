//! A task's life, second by second: it is placed, pulled, started, checked, stopped.
//!
//! Limits: the container's own start time is none; a task is activated for a second; what ends a task is its essential
//! containers, its checks, or somebody who stops it.

use std::time::Duration;

use super::Around;
use super::images::Start;
use super::task::{Phase, Task};
use crate::stand_ins::aws::elb::State;

/// How long the network interface takes.
const PROVISIONING: Duration = Duration::from_secs(2);
/// How long it takes to register with load balancers and to clean up.
const MOMENT: Duration = Duration::from_secs(1);

impl Task {
    /// Moves it on to this second. `grace`: how long checks of a load balancer are not looked at after its start.
    pub(super) fn tick(&mut self, now: Duration, grace: Duration, around: &mut Around<'_>) {
        if self.phase == Phase::Running {
            self.run(now, grace, around);
        }
        let passed = now.saturating_sub(self.since);
        match self.phase {
            Phase::Provisioning | Phase::Pending | Phase::Activating if !self.wanted() => {
                self.enter(Phase::Deprovisioning, now);
            }
            Phase::Provisioning if passed >= PROVISIONING => {
                self.times.pulling = Some(now);
                self.enter(Phase::Pending, now);
            }
            Phase::Pending if passed >= self.pull() => self.start(now, around),
            Phase::Activating if passed >= MOMENT => {
                self.times.started = Some(now);
                self.enter(Phase::Running, now);
                self.register(now, around);
                self.say(now, around);
            }
            Phase::Running if !self.wanted() => {
                self.deregister(now, around);
                self.enter(Phase::Deactivating, now);
            }
            Phase::Deactivating if self.is_drained(now, around) => self.enter(Phase::Stopping, now),
            Phase::Stopping if passed >= self.leave() => {
                self.end(now);
                self.enter(Phase::Deprovisioning, now);
            }
            Phase::Deprovisioning if passed >= MOMENT => {
                self.times.executed.get_or_insert(now);
                self.times.stopped = Some(now);
                self.enter(Phase::Stopped, now);
            }
            _ => {}
        }
    }

    /// Whether it serves: it runs, and whatever checks there are have passed.
    pub(super) fn serves(&self, now: Duration, around: &Around<'_>) -> bool {
        let health = |(group, port): &(String, u16)| around.elb.health(group, &self.address, *port, now);
        let passes = |target| {
            health(target).is_none_or(|health| matches!(health.state, State::Healthy | State::Unused))
        };
        self.runs()
            && self.health(now).is_none_or(|health| health == "HEALTHY")
            && self.targets.iter().all(passes)
    }

    fn enter(&mut self, phase: Phase, now: Duration) {
        self.phase = phase;
        self.since = now;
    }

    fn pull(&self) -> Duration {
        self.containers
            .iter()
            .map(|container| container.behaviour.pull)
            .max()
            .unwrap_or_default()
    }

    /// Starts its containers, or fails to.
    fn start(&mut self, now: Duration, around: &Around<'_>) {
        let starts = self
            .containers
            .iter()
            .map(|container| container.behaviour.start.clone());
        if starts.clone().any(|start| start == Start::Sticks) {
            return;
        }
        let needed = self.containers.iter().filter(|container| !container.makes_group);
        let missing = needed
            .filter_map(|container| container.log.as_ref())
            .find(|(group, _)| !around.logs.has_group(group));
        let no_group = missing.map(|(group, _)| {
            format!(
                "ResourceInitializationError: failed to validate logger args: create stream has been retried 1 times: failed to \
                 create Cloudwatch log stream: operation error CloudWatch Logs: CreateLogStream, ResourceNotFoundException: The \
                 specified log group does not exist. ({group}) : exit status 1"
            )
        });
        let failures = self
            .containers
            .iter_mut()
            .filter_map(|container| match &container.behaviour.start {
                Start::Fails(reason) => {
                    let reason = reason.clone();
                    if !reason.starts_with("ResourceInitializationError") {
                        container.reason = Some(reason.clone());
                    }
                    Some(reason)
                }
                _ => None,
            });
        let failures: Vec<String> = no_group.into_iter().chain(failures).collect();
        match failures.into_iter().next() {
            Some(reason) => {
                self.stop(now, "TaskFailedToStart", reason, true);
                self.enter(Phase::Deprovisioning, now);
            }
            None => {
                self.times.pulled = Some(now);
                self.enter(Phase::Activating, now);
            }
        }
    }

    /// One second of running: lines, ends of containers, checks.
    fn run(&mut self, now: Duration, grace: Duration, around: &mut Around<'_>) {
        self.say(now, around);
        let running = now.saturating_sub(self.times.started.unwrap_or(now));
        let job = self.service.is_none();
        for container in self
            .containers
            .iter_mut()
            .filter(|container| container.exit.is_none())
        {
            let end = if job {
                &container.behaviour.job
            } else {
                &container.behaviour.exit
            };
            let Some(end) = end.as_ref().filter(|end| end.after <= running) else {
                continue;
            };
            container.exit = Some(end.code);
            container.reason.clone_from(&end.reason);
        }
        if self
            .containers
            .iter()
            .any(|container| container.essential && container.exit.is_some())
        {
            self.stop(
                now,
                "EssentialContainerExited",
                "Essential container in task exited",
                true,
            );
            self.deregister(now, around);
            self.enter(Phase::Stopping, now);
        } else if self.health(now) == Some("UNHEALTHY") {
            self.stop(
                now,
                "ServiceSchedulerInitiated",
                "Task failed container health checks",
                true,
            );
        } else if running >= grace
            && let Some(group) = self.failing_group(now, around)
        {
            let reason = format!("Task failed ELB health checks in (target-group {group})");
            self.stop(now, "ServiceSchedulerInitiated", reason, true);
        }
    }

    fn failing_group(&self, now: Duration, around: &Around<'_>) -> Option<String> {
        let fails = |(group, port): &&(String, u16)| {
            let health = around.elb.health(group, &self.address, *port, now);
            health.is_some_and(|health| health.state == State::Unhealthy)
        };
        self.targets.iter().find(fails).map(|(group, _)| group.clone())
    }

    fn say(&mut self, now: Duration, around: &mut Around<'_>) {
        let running = now.saturating_sub(self.times.started.unwrap_or(now));
        for container in &mut self.containers {
            let due = container.behaviour.lines.iter().skip(container.said);
            let due: Vec<&String> = due
                .take_while(|(at, _)| *at <= running)
                .map(|(_, line)| line)
                .collect();
            container.said += due.len();
            if let Some((group, stream)) = &container.log {
                for line in due {
                    around
                        .logs
                        .append(group, &format!("{stream}/{}", self.id), now, line);
                }
            }
        }
    }

    fn register(&self, now: Duration, around: &mut Around<'_>) {
        for (group, port) in &self.targets {
            let checks = self.containers.iter().find(|container| container.essential);
            let checks = checks
                .map(|container| container.behaviour.checks.clone())
                .unwrap_or_default();
            around.elb.register(group, &self.address, *port, checks, now);
        }
    }

    fn deregister(&self, now: Duration, around: &mut Around<'_>) {
        for (group, port) in &self.targets {
            around.elb.deregister(group, &self.address, *port, now);
        }
    }

    fn is_drained(&self, now: Duration, around: &Around<'_>) -> bool {
        let gone =
            |(group, port): &(String, u16)| around.elb.health(group, &self.address, *port, now).is_none();
        self.targets.iter().all(gone)
    }

    /// How long its containers take to end: none longer than its time-out.
    fn leave(&self) -> Duration {
        let running = self
            .containers
            .iter()
            .filter(|container| container.exit.is_none());
        running
            .map(|container| container.behaviour.leave.min(container.stop_timeout))
            .max()
            .unwrap_or_default()
    }

    fn end(&mut self, now: Duration) {
        self.times.executed = Some(now);
        for container in self
            .containers
            .iter_mut()
            .filter(|container| container.exit.is_none())
        {
            let killed = container.behaviour.leave > container.stop_timeout;
            container.exit = Some(if killed { 137 } else { 143 });
        }
    }
}
