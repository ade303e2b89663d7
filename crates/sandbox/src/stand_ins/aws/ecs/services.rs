//! Services: made, looked at, deleted.

use std::time::Duration;

use serde_json::{Map, Value, json};

use super::definitions::PAGES;
use super::service::Service;
use super::{Ecs, client_error, invalid, short};
use crate::stand_ins::aws::call::{Answer, Call};
use crate::stand_ins::aws::input::{Paging, list, text, texts};

/// How long `currentServiceDeployment` still names the deployment before.
const STALE: Duration = Duration::from_secs(3);
/// Members of `CreateService` that have a place of their own.
const OWN: [&str; 8] = [
    "cluster",
    "service",
    "serviceName",
    "taskDefinition",
    "desiredCount",
    "clientToken",
    "tags",
    "forceNewDeployment",
];

impl Ecs {
    pub(super) fn create_service(&mut self, call: &Call) -> Answer {
        let cluster = self.cluster_of(&call.input)?;
        let name = text(&call.input, "serviceName");
        if name.is_empty() {
            return Err(invalid("ServiceName cannot be empty."));
        }
        if self
            .service(&cluster, name)
            .is_some_and(|known| known.status != "INACTIVE")
        {
            return Err(invalid("Creation of service was not idempotent."));
        }
        let definition = self
            .active_definition(text(&call.input, "taskDefinition"))?
            .arn
            .clone();
        let arn = self.home.arn("ecs", &format!("service/{cluster}/{name}"));
        self.tags.insert(arn.clone(), list(&call.input, "tags").to_vec());
        let mut service = Service {
            arn,
            name: name.to_owned(),
            cluster,
            status: "ACTIVE",
            desired: call.input["desiredCount"].as_u64().unwrap_or(0),
            definition,
            given: given(&call.input),
            deployments: Vec::new(),
            events: Vec::new(),
            created: call.now,
            current: (String::new(), call.now, None),
            good: None,
            steady: false,
            number: 0,
        };
        if service.is_ours() {
            self.deploy(&mut service, call.now);
        }
        let shown = self.shown_service(&service, call.now);
        self.services.push(service);
        Ok(json!({ "service": shown }))
    }

    pub(super) fn describe_services(&self, call: &Call) -> Answer {
        let cluster = self.cluster_of(&call.input)?;
        let asked = texts(&call.input, "services");
        if asked.is_empty() {
            return Err(invalid("Services cannot be empty."));
        }
        if asked.len() > 10 {
            return Err(invalid("Services cannot have more than 10 elements."));
        }
        let with_tags = list(&call.input, "include").contains(&json!("TAGS"));
        let (mut services, mut failures) = (Vec::new(), Vec::new());
        for name in asked.into_iter().map(short) {
            let Some(found) = self.service(&cluster, name) else {
                let arn = self.home.arn("ecs", &format!("service/{cluster}/{name}"));
                failures.push(json!({ "arn": arn, "reason": "MISSING" }));
                continue;
            };
            let mut shown = self.shown_service(found, call.now);
            if with_tags {
                shown["tags"] = Value::Array(self.tags_of(&found.arn));
            }
            services.push(shown);
        }
        Ok(json!({ "services": services, "failures": failures }))
    }

    pub(super) fn list_services(&self, call: &Call) -> Answer {
        let cluster = self.cluster_of(&call.input)?;
        let found = self
            .services
            .iter()
            .filter(|service| service.cluster == cluster && service.status != "INACTIVE");
        let arns = found.map(|service| json!(service.arn)).collect();
        let pages = Paging { usual: 10, ..PAGES };
        Ok(pages.of(&call.input, "serviceArns", arns))
    }

    pub(super) fn delete_service(&mut self, call: &Call) -> Answer {
        let (_, at) = self.service_at(&call.input, text(&call.input, "service"))?;
        let service = &mut self.services[at];
        if service.desired > 0 && call.input["force"] != true {
            return Err(invalid(
                "The service cannot be stopped while it is scaled above 0.",
            ));
        }
        if service.status == "INACTIVE" {
            return Err(client_error("Service is not ACTIVE."));
        }
        service.desired = 0;
        service.status = "DRAINING";
        let shown = self.shown_service(&self.services[at], call.now);
        Ok(json!({ "service": shown }))
    }

    pub(super) fn shown_service(&self, service: &Service, now: Duration) -> Value {
        let (current, since, before) = &service.current;
        let stale = before.as_ref().filter(|_| now < *since + STALE);
        service.shown(&self.home, stale.unwrap_or(current), |deployment| {
            self.counts(&deployment.id)
        })
    }
}

/// What is shown as it was given.
pub(super) fn given(input: &Value) -> Map<String, Value> {
    let members = input.as_object().into_iter().flatten();
    let kept = members.filter(|(key, value)| !OWN.contains(&key.as_str()) && !value.is_null());
    kept.map(|(key, value)| (key.clone(), value.clone())).collect()
}
