//! How a service goes back: because its circuit breaker tripped, a hook said so, or somebody stopped the deployment.
//!
//! The deployment that goes back takes over the old tasks that still run, and is its own entry of `deployments`; in the records
//! it belongs to the one that failed.

use std::time::Duration;

use super::deployment::{Deployment, Rollout, Status};
use super::service::Service;
use super::{Around, Ecs, breaker};

impl Ecs {
    /// Goes back if the breaker trips or somebody asked for it.
    pub(super) fn go_back_if_due(&mut self, service: &mut Service, now: Duration, around: &mut Around<'_>) {
        let primary = &service.deployments[0];
        if primary.rollout != Rollout::InProgress || primary.back {
            return;
        }
        let (id, desired) = (primary.id.clone(), service.desired);
        let arn = primary.record.clone();
        let Some(record) = self.record(&arn) else {
            return;
        };
        let configuration = record.configuration.clone();
        let alarms = configuration["alarms"].clone();
        let asked = alarms["alarmNames"]
            .as_array()
            .filter(|_| alarms["enable"] == true);
        let names = asked.into_iter().flatten().filter_map(serde_json::Value::as_str);
        record.alarms = names
            .filter(|name| around.metrics.alarm_state(name, now) == Some("ALARM"))
            .map(str::to_owned)
            .collect();
        let ringing = record.alarms.join(", ");
        if record.status == Status::RollbackRequested {
            self.go_back(service, now, around, "Service deployment rollback was requested.");
        } else if !ringing.is_empty() {
            service.say(
                now,
                &format!("(deployment {id}) deployment failed: alarm detected."),
            );
            let reason = format!("Service deployment failed: alarm detected: {ringing}.");
            match alarms["rollback"] == true {
                true => self.go_back(service, now, around, &reason),
                false => self.give_up(service, now, &reason, Status::Stopped),
            }
        } else if breaker::is_on(&configuration)
            && record.failures >= breaker::threshold(&configuration, desired)
        {
            record.tripped = true;
            service.say(
                now,
                &format!("(deployment {id}) deployment failed: tasks failed to start."),
            );
            let reason = "ECS deployment circuit breaker: tasks failed to start.";
            match breaker::takes_back(&configuration) {
                true => self.go_back(service, now, around, reason),
                false => self.give_up(service, now, reason, Status::Stopped),
            }
        }
    }

    /// Takes a service back to its last good revision.
    pub(super) fn go_back(
        &mut self,
        service: &mut Service,
        now: Duration,
        around: &mut Around<'_>,
        reason: &str,
    ) {
        let good = self
            .revisions
            .iter()
            .find(|revision| Some(&revision.arn) == service.good.as_ref())
            .cloned();
        let Some(good) = good else {
            return self.give_up(service, now, reason, Status::RollbackFailed);
        };
        self.restore_traffic(service, around, now);
        let id = format!("ecs-svc/{}", self.deployment_number());
        let failed = &mut service.deployments[0];
        let arn = failed.record.clone();
        failed.settle(
            Rollout::Failed,
            format!("{} Rolling back to deploymentId {id}.", reason.trim_end()),
            now,
        );
        for old in service.deployments.iter().filter(|old| old.revision == good.arn) {
            for task in self
                .tasks
                .iter_mut()
                .filter(|task| task.deployment.as_ref() == Some(&old.id))
            {
                task.deployment = Some(id.clone());
            }
        }
        service.deployments.retain(|old| old.revision != good.arn);
        let back = Deployment {
            reason: format!("ECS deployment {id} in progress."),
            id: id.clone(),
            definition: good.definition.clone(),
            revision: good.arn.clone(),
            record: arn.clone(),
            created: now,
            updated: now,
            size: service.desired,
            failed: 0,
            rollout: Rollout::InProgress,
            back: true,
            targets: good.targets,
            placed_from: now,
        };
        service.deployments.insert(0, back);
        service.definition = good.definition;
        service.say(now, &format!("rolling back to deployment {id}."));
        if let Some(record) = self.record(&arn) {
            record.status = Status::RollbackInProgress;
            record.reason = Some(reason.to_owned());
            record.rollback = Some((reason.to_owned(), now, good.arn));
            record.updated = now;
        }
    }

    /// The deployment failed, and nothing takes its place.
    fn give_up(&mut self, service: &mut Service, now: Duration, reason: &str, status: Status) {
        let primary = &mut service.deployments[0];
        primary.settle(Rollout::Failed, reason.to_owned(), now);
        let arn = primary.record.clone();
        if let Some(record) = self.record(&arn) {
            record.status = status;
            record.reason = Some(reason.to_owned());
            (record.stopped, record.finished, record.updated) = (Some(now), Some(now), now);
        }
    }
}
