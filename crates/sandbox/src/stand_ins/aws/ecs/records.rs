//! Service deployments: listed, described, stopped, continued.

use serde_json::{Value, json};
use std::time::Duration;

use super::breaker::threshold;
use super::definitions::PAGES;
use super::deployment::{Record, Status};
use super::{Ecs, short};
use crate::stand_ins::aws::call::{Answer, Call, Refusal};
use crate::stand_ins::aws::input::{Paging, list, text, texts};

/// How much later than `UpdateService` a new one is listed.
const UNLISTED: Duration = Duration::from_secs(2);

impl Ecs {
    pub(super) fn list_records(&self, call: &Call) -> Answer {
        let (_, at) = self.service_at(&call.input, text(&call.input, "service"))?;
        let arn = &self.services[at].arn;
        let statuses = list(&call.input, "status");
        let bound = |name: &str| call.input["createdAt"][name].as_f64();
        let (after, before) = (bound("after"), bound("before"));
        let fits = |record: &&Record| {
            let created = self.home.time(record.created);
            record.service == *arn
                && call.now >= record.created + UNLISTED
                && (statuses.is_empty() || statuses.contains(&json!(record.status.name())))
                && after.is_none_or(|after| created >= after)
                && before.is_none_or(|before| created <= before)
        };
        let records = self
            .records
            .iter()
            .rev()
            .filter(fits)
            .map(|record| record.brief(&self.home))
            .collect();
        let pages = Paging { usual: 20, ..PAGES };
        Ok(pages.of(&call.input, "serviceDeployments", records))
    }

    pub(super) fn describe_records(&self, call: &Call) -> Answer {
        let asked = texts(&call.input, "serviceDeploymentArns");
        if asked.is_empty() || asked.len() > 20 {
            return Err(super::invalid(
                "serviceDeploymentArns must have 1 to 20 elements.",
            ));
        }
        let (mut found, mut failures) = (Vec::new(), Vec::new());
        for arn in asked {
            match self.records.iter().find(|known| known.arn == arn) {
                Some(record) => found.push(self.shown_record(record)),
                None => failures.push(json!({ "arn": arn, "reason": "MISSING" })),
            }
        }
        Ok(json!({ "serviceDeployments": found, "failures": failures }))
    }

    /// Stops a deployment by going back, which needs no circuit breaker.
    pub(super) fn stop_record(&mut self, call: &Call) -> Answer {
        let arn = text(&call.input, "serviceDeploymentArn");
        if text(&call.input, "stopType") == "ABORT" {
            return Err(super::invalid("Stop type ABORT is not supported."));
        }
        let record = self.record_mut(arn)?;
        match record.status {
            Status::Pending | Status::InProgress => {
                record.status = Status::RollbackRequested;
                record.reason = Some("Service deployment rollback was requested.".to_owned());
                record.updated = call.now;
            }
            // A second request changes nothing.
            Status::RollbackRequested | Status::RollbackInProgress => {}
            status => {
                let message = format!(
                    "ServiceDeployment {arn} can't be stopped: its status is {}",
                    status.name()
                );
                return Err(Refusal::new("ConflictException", message));
            }
        }
        Ok(json!({ "serviceDeploymentArn": arn }))
    }

    pub(super) fn continue_record(&mut self, call: &Call) -> Answer {
        let (arn, hook) = (
            text(&call.input, "serviceDeploymentArn"),
            text(&call.input, "hookId"),
        );
        let on = text(&call.input, "action") != "ROLLBACK";
        let record = self.record_mut(arn)?;
        let resumed = record
            .course
            .as_mut()
            .is_some_and(|course| course.resume(hook, on));
        match resumed && record.status == Status::InProgress {
            true => Ok(json!({ "serviceDeploymentArn": arn })),
            false => Err(super::invalid(format!(
                "Lifecycle hook {hook} is not awaiting an action."
            ))),
        }
    }

    pub(super) fn record(&mut self, arn: &str) -> Option<&mut Record> {
        self.records.iter_mut().find(|known| known.arn == arn)
    }

    fn record_mut(&mut self, arn: &str) -> Result<&mut Record, Refusal> {
        let missing = || {
            Refusal::new(
                "ServiceDeploymentNotFoundException",
                "ServiceDeployment not found.",
            )
        };
        self.record(arn).ok_or_else(missing)
    }

    fn shown_record(&self, record: &Record) -> Value {
        let service = self.services.iter().find(|service| service.arn == record.service);
        let desired = service.map_or(0, |service| service.desired);
        let threshold = threshold(&record.configuration, desired);
        record.shown(&self.home, threshold, |arn| self.revision_summary(arn))
    }

    /// Where a service is, by cluster and name or ARN.
    pub(super) fn service_at(&self, input: &Value, name: &str) -> Result<(String, usize), Refusal> {
        // An ARN names the cluster too, but the input's cluster is what counts.
        let cluster = match (text(input, "cluster"), name.rsplit('/').nth(1)) {
            ("", Some(of_arn)) => self.cluster_of(&json!({ "cluster": of_arn }))?,
            _ => self.cluster_of(input)?,
        };
        let name = short(name);
        let at = self
            .services
            .iter()
            .rposition(|service| service.cluster == cluster && service.name == name);
        let at = at.ok_or_else(|| Refusal::new("ServiceNotFoundException", "Service not found."))?;
        Ok((cluster, at))
    }
}
