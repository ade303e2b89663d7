//! What a service does each second: it counts failures, keeps its deployments at their size, and ends what is done.
//!
//! The rules of a rolling deployment are those of
//! [rolling updates](https://docs.aws.amazon.com/AmazonECS/latest/developerguide/deployment-type-ecs.html): never more tasks than
//! `maximumPercent`, never fewer that serve than `minimumHealthyPercent`. Limits: how starts are slowed down after failures
//! is not written anywhere, and a guess here; a deployment that failed and is not taken back keeps what runs, and nothing is replaced.

use std::time::Duration;

use super::deployment::{Rollout, Status};
use super::service::Service;
use super::task::{Phase, Task};
use super::{Around, Ecs, breaker};

/// How long a task without any checks has to run to be taken as healthy.
const SETTLED: Duration = Duration::from_secs(10);
/// After so many failures in a row tasks are launched only after a pause, which grows with each so many more, up to the longest.
const PATIENCE: u64 = 10;
const PAUSE: Duration = Duration::from_secs(15);
const LONGEST: Duration = Duration::from_secs(300);

impl Ecs {
    /// One second of a service.
    pub(super) fn schedule(&mut self, service: &mut Service, now: Duration, around: &mut Around<'_>) {
        if service.status == "DRAINING" {
            self.drain(service, now);
        }
        if service.status != "ACTIVE" || !service.is_ours() || service.deployments.is_empty() {
            return;
        }
        self.begin(service, now);
        self.count_failures(service, now);
        self.note_health(service, now, around);
        self.go_back_if_due(service, now, around);
        self.shift_traffic(service, now, around);
        self.keep_size(service, now, around);
        self.drop_empty(service);
        self.finish(service, now, around);
    }

    /// How many tasks of a deployment serve.
    pub(super) fn serving(&self, deployment: &str, now: Duration, around: &Around<'_>) -> u64 {
        let tasks = self
            .tasks
            .iter()
            .filter(|task| task.deployment.as_deref() == Some(deployment));
        tasks.filter(|task| task.serves(now, around)).count() as u64
    }

    /// How many tasks of a deployment are to run.
    fn wanted(&self, deployment: &str) -> u64 {
        let tasks = self
            .tasks
            .iter()
            .filter(|task| task.deployment.as_deref() == Some(deployment));
        tasks.filter(|task| task.wanted()).count() as u64
    }

    /// The deployment's first second.
    fn begin(&mut self, service: &Service, now: Duration) {
        let arn = service.deployments[0].record.clone();
        if let Some(record) = self
            .record(&arn)
            .filter(|record| record.status == Status::Pending)
        {
            record.status = Status::InProgress;
            (record.started, record.updated) = (Some(now), now);
        }
    }

    /// The service is being deleted: all tasks stop, and then it is gone.
    fn drain(&mut self, service: &mut Service, now: Duration) {
        let mut left = false;
        for task in self
            .tasks
            .iter_mut()
            .filter(|task| task.service.as_ref() == Some(&service.name) && task.cluster == service.cluster)
        {
            task.stop(
                now,
                "ServiceSchedulerInitiated",
                "Service is being deleted",
                false,
            );
            left |= task.phase != Phase::Stopped;
        }
        if !left {
            service.status = "INACTIVE";
            service.deployments.clear();
        }
    }

    fn count_failures(&mut self, service: &mut Service, now: Duration) {
        for at in 0..service.deployments.len() {
            let id = service.deployments[at].id.clone();
            let failed = |task: &&mut Task| {
                !task.counted
                    && task.deployment.as_ref() == Some(&id)
                    && task.stop.as_ref().is_some_and(|stop| stop.failed)
            };
            let mut events = Vec::new();
            for task in self.tasks.iter_mut().filter(failed) {
                task.counted = true;
                let reason = task
                    .stop
                    .as_ref()
                    .map(|stop| stop.reason.clone())
                    .unwrap_or_default();
                events.push(match reason.strip_prefix("Task failed ") {
                    Some(checks) => format!("(task {}) failed {checks}.", task.id),
                    None => format!("has stopped 1 running tasks: (task {}).", task.id),
                });
            }
            let count = events.len() as u64;
            let deployment = &mut service.deployments[at];
            let before = deployment.failed;
            deployment.failed += count;
            if count > 0 && deployment.failed >= PATIENCE {
                deployment.placed_from = now
                    + (PAUSE * u32::try_from(deployment.failed / PATIENCE).unwrap_or(u32::MAX)).min(LONGEST);
            }
            let unsteady = (before < 3 && deployment.failed >= 3) || before / 10 < deployment.failed / 10;
            let record = deployment.record.clone();
            if at == 0
                && let Some(record) = self.record(&record)
            {
                record.failures += count;
            }
            for event in events {
                service.say(now, &event);
            }
            if unsteady {
                service.say(now, "is unable to consistently start tasks successfully. For more information, see the Troubleshooting section.");
            }
        }
    }

    /// A task that is seen healthy for the first time makes failures forgotten.
    fn note_health(&mut self, service: &mut Service, now: Duration, around: &Around<'_>) {
        let Some(primary) = service.deployments.first_mut() else {
            return;
        };
        let mut settled = false;
        for task in self
            .tasks
            .iter_mut()
            .filter(|task| !task.settled && task.deployment.as_ref() == Some(&primary.id))
        {
            let checked = !task.targets.is_empty() || task.health(now).is_some();
            let running = now.saturating_sub(task.times.started.unwrap_or(now));
            task.settled = task.serves(now, around) && (checked || running >= SETTLED);
            settled |= task.settled;
        }
        if settled {
            primary.failed = 0;
            let record = primary.record.clone();
            if let Some(record) = self
                .record(&record)
                .filter(|record| breaker::forgives(&record.configuration))
            {
                record.failures = 0;
            }
        }
    }

    /// Launches what is missing and stops what is too much.
    fn keep_size(&mut self, service: &mut Service, now: Duration, around: &Around<'_>) {
        let shifts = self.shifts(service);
        if !shifts {
            service.deployments[0].size = service.desired;
        }
        let id = service.deployments[0].id.clone();
        let failed = service.deployments[0].rollout == Rollout::Failed;
        let configuration = service.configuration();
        let percent = |key: &str, usual: u64| configuration[key].as_u64().unwrap_or(usual);
        let most = match shifts {
            true => u64::MAX,
            false => (service.desired * percent("maximumPercent", 200) / 100).max(1),
        };
        if !failed {
            let active: u64 = service
                .deployments
                .iter()
                .map(|deployment| self.wanted(&deployment.id))
                .sum();
            let missing = service.deployments[0].size.saturating_sub(self.wanted(&id));
            self.launch(service, 0, missing.min(most.saturating_sub(active)), now);
        }
        self.shrink(service, 0, now, around, u64::MAX);
        let least = (service.desired * percent("minimumHealthyPercent", 100)).div_ceil(100);
        for at in 1..service.deployments.len() {
            if shifts {
                let missing = service.deployments[at]
                    .size
                    .saturating_sub(self.wanted(&service.deployments[at].id));
                self.launch(service, at, missing, now);
                self.shrink(service, at, now, around, u64::MAX);
            } else if !failed {
                let serving: u64 = service
                    .deployments
                    .iter()
                    .map(|deployment| self.serving(&deployment.id, now, around))
                    .sum();
                service.deployments[at].size = 0;
                self.shrink(service, at, now, around, serving.saturating_sub(least));
                service.deployments[at].size = self.wanted(&service.deployments[at].id);
            }
        }
    }

    /// Stops a deployment's tasks above its size: first those that do not serve, then at most so many that do.
    fn shrink(
        &mut self,
        service: &mut Service,
        at: usize,
        now: Duration,
        around: &Around<'_>,
        mut spare: u64,
    ) {
        let deployment = &service.deployments[at];
        let mut excess = self.wanted(&deployment.id).saturating_sub(deployment.size);
        let reason = format!(
            "Scaling activity initiated by (deployment {})",
            service.deployments[0].id
        );
        let mut stopped = Vec::new();
        for serving in [false, true] {
            let tasks = self
                .tasks
                .iter_mut()
                .filter(|task| task.wanted() && task.deployment.as_ref() == Some(&deployment.id));
            for task in tasks {
                if excess == 0 || task.serves(now, around) != serving || (serving && spare == 0) {
                    continue;
                }
                excess -= 1;
                spare -= u64::from(serving);
                task.stop(now, "ServiceSchedulerInitiated", &reason, false);
                stopped.push(format!("(task {})", task.id));
            }
        }
        if !stopped.is_empty() {
            service.say(
                now,
                &format!(
                    "has stopped {} running tasks: {}.",
                    stopped.len(),
                    stopped.join(" ")
                ),
            );
        }
    }

    /// Forgets deployments that have no task left.
    fn drop_empty(&self, service: &mut Service) {
        let left = |id: &str| {
            let mut tasks = self.tasks.iter();
            tasks.any(|task| task.deployment.as_deref() == Some(id) && task.phase != Phase::Stopped)
        };
        let mut first = true;
        service
            .deployments
            .retain(|deployment| std::mem::take(&mut first) || left(&deployment.id) || deployment.size > 0);
    }

    /// Ends a deployment that has come to its size, and says when the service is steady.
    fn finish(&mut self, service: &mut Service, now: Duration, around: &Around<'_>) {
        let serving = self.serving(&service.deployments[0].id, now, around);
        let alone = service.deployments.len() == 1;
        let early = &service.configuration()["earlySuccessCriteria"];
        let percent = if early["enable"] == true {
            early["healthyPercent"].as_u64().unwrap_or(100)
        } else {
            100
        };
        let enough = serving * 100 >= service.desired * percent;
        let deferred = early["enable"] == true && early["sourceServiceRevisionCleanup"] == "DEFERRED";
        let shifts = self.shifts(service);
        let primary = &mut service.deployments[0];
        if primary.rollout == Rollout::InProgress && !shifts && enough && (alone || deferred) {
            let id = primary.id.clone();
            primary.settle(Rollout::Completed, format!("ECS deployment {id} completed."), now);
            service.good = Some(primary.revision.clone());
            let (arn, status) = match primary.back {
                true => (primary.record.clone(), Status::RollbackSuccessful),
                false => (primary.record.clone(), Status::Successful),
            };
            if let Some(record) = self.record(&arn) {
                record.status = status;
                (record.finished, record.updated) = (Some(now), now);
            }
            service.say(now, &format!("(deployment {id}) deployment completed."));
        }
        let completed = service.deployments[0].rollout == Rollout::Completed;
        let steady = completed && alone && serving == service.desired;
        if steady && !service.steady {
            service.say(now, "has reached a steady state.");
        }
        service.steady = steady;
    }
}
