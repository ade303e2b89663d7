//! Deployments that shift traffic: the course of their stages, played on the load balancer's rules.

use std::time::Duration;

use super::deployment::{Rollout, Status};
use super::service::Service;
use super::stages::Turn;
use super::{Around, Ecs};

impl Ecs {
    /// Whether a service is in the course of a strategy that shifts traffic.
    pub(super) fn shifts(&self, service: &Service) -> bool {
        let Some(primary) = service.deployments.first() else {
            return false;
        };
        let record = self.records.iter().find(|record| record.arn == primary.record);
        let running =
            record.is_some_and(|record| record.course.is_some() && record.status == Status::InProgress);
        running && !primary.back && primary.rollout == Rollout::InProgress
    }

    /// One second of the course, if there is one.
    pub(super) fn shift_traffic(&mut self, service: &mut Service, now: Duration, around: &mut Around<'_>) {
        if !self.shifts(service) {
            return;
        }
        let primary = &service.deployments[0];
        let (id, arn, desired) = (primary.id.clone(), primary.record.clone(), service.desired);
        let healthy = self.serving(&id, now, around) >= desired;
        let cleaned = service.deployments.len() == 1;
        let good = service.good.clone();
        let Some(record) = self.record(&arn) else {
            return;
        };
        let configuration = record.configuration.clone();
        let Some(course) = &mut record.course else {
            return;
        };
        // What a deployment left behind that this one took the place of.
        let anew = !course.scales();
        let turn = course.tick(now, &configuration, healthy, cleaned);
        let (scales, cleans, weights) = (course.scales(), course.cleans(), course.weights());
        record.updated = now;
        for (at, deployment) in service.deployments.iter_mut().enumerate() {
            let serves = Some(&deployment.revision) == good.as_ref();
            let has = if at == 0 { scales } else { serves && !cleans };
            deployment.size = if has { desired } else { 0 };
        }
        if anew {
            self.apply(service, (0.0, 0.0), around, now);
        }
        match turn {
            Turn::Wait => {}
            Turn::Shift => self.apply(service, weights, around, now),
            Turn::Back(reason) => self.go_back(service, now, around, &reason),
            Turn::Done => self.succeed(service, now),
        }
    }

    /// Gives all traffic back to what served before.
    pub(super) fn restore_traffic(&mut self, service: &Service, around: &mut Around<'_>, now: Duration) {
        let arn = service.deployments[0].record.clone();
        let course = self.record(&arn).and_then(|record| record.course.as_mut());
        let Some(course) = course else {
            return;
        };
        course.back();
        self.apply(service, (0.0, 0.0), around, now);
    }

    /// Sets the weights of the service's rules: percentages of the new revision, production and test.
    fn apply(
        &self,
        service: &Service,
        (production, test): (f64, f64),
        around: &mut Around<'_>,
        now: Duration,
    ) {
        let good = self
            .revisions
            .iter()
            .find(|revision| Some(&revision.arn) == service.good.as_ref());
        let old = good.and_then(|revision| revision.targets.first());
        let new = self
            .revisions
            .iter()
            .find(|revision| revision.arn == service.deployments[0].revision);
        let new = new.and_then(|revision| revision.targets.first());
        let (Some((old, _)), Some((new, _))) = (old, new) else {
            return;
        };
        for (kind, weight) in [("productionListenerRule", production), ("testListenerRule", test)] {
            let share = weight_of(weight);
            for rule in service.rules(kind) {
                around.elb.shift(&rule, &[(old, 100 - share), (new, share)], now);
            }
        }
    }

    fn succeed(&mut self, service: &mut Service, now: Duration) {
        let primary = &mut service.deployments[0];
        let id = primary.id.clone();
        primary.settle(Rollout::Completed, format!("ECS deployment {id} completed."), now);
        service.good = Some(primary.revision.clone());
        let arn = primary.record.clone();
        service.say(now, &format!("(deployment {id}) deployment completed."));
        if let Some(record) = self.record(&arn) {
            record.status = Status::Successful;
            (record.finished, record.updated) = (Some(now), now);
        }
    }
}

/// A percentage as a weight: parts of a percent are rounded, but never to nothing or all.
fn weight_of(percent: f64) -> u32 {
    (0..=100_u32)
        .find(|weight| f64::from(*weight) >= percent)
        .unwrap_or(100)
        .min(if percent < 100.0 { 99 } else { 100 })
}
