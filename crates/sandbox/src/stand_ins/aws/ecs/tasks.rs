//! Tasks as they are asked for, looked at and stopped.

use std::time::Duration;

use serde_json::{Value, json};

use super::definitions::PAGES;
use super::task::Task;
use super::{Ecs, UNSEEN, invalid, short};
use crate::stand_ins::aws::call::{Answer, Call, Refusal};
use crate::stand_ins::aws::input::{text, texts};

/// The most tasks of one `RunTask`.
const MOST: u64 = 10;

impl Ecs {
    pub(super) fn run_task(&mut self, call: &Call) -> Answer {
        let cluster = self.cluster_of(&call.input)?;
        let token = text(&call.input, "clientToken").to_owned();
        if token.len() > 64 {
            return Err(invalid("clientToken must have at most 64 characters."));
        }
        if let Some((input, tasks)) = self.tokens.get(&token).filter(|_| !token.is_empty()) {
            return match *input == call.input {
                true => Ok(json!({ "tasks": self.shown_tasks(tasks, call.now), "failures": [] })),
                false => Err(Refusal::new(
                    "ConflictException",
                    "The clientToken was used for a request with other parameters.",
                )),
            };
        }
        let count = call.input["count"].as_u64().unwrap_or(1);
        if !(1..=MOST).contains(&count) {
            return Err(invalid("count must be between 1 and 10"));
        }
        if text(&call.input, "startedBy").len() > 128 {
            return Err(invalid("startedBy must have at most 128 characters."));
        }
        let definition = self.active_definition(text(&call.input, "taskDefinition"))?;
        let (arn, family) = (
            definition.arn.clone(),
            text(&json!(definition.shown), "family").to_owned(),
        );
        if let Some((_, reason)) = self.unplaced(&arn) {
            let failure = json!({ "arn": self.cluster_arn(&cluster), "reason": reason });
            return Ok(json!({ "tasks": [], "failures": [failure] }));
        }
        let given = call.input.as_object().cloned().unwrap_or_default();
        let mut arns = Vec::new();
        for _ in 0..count {
            let mut task = self.new_task(&cluster, &arn, &given, call.now);
            let group = text(&call.input, "group");
            task.group = if group.is_empty() {
                format!("family:{family}")
            } else {
                group.to_owned()
            };
            task.started_by = call.input["startedBy"].as_str().map(str::to_owned);
            arns.push(task.arn.clone());
            self.tasks.push(task);
        }
        let tasks = self.shown_tasks(&arns, call.now);
        if !token.is_empty() {
            self.tokens.insert(token, (call.input.clone(), arns));
        }
        Ok(json!({ "tasks": tasks, "failures": [] }))
    }

    pub(super) fn stop_task(&mut self, call: &Call) -> Answer {
        let cluster = self.cluster_of(&call.input)?;
        let id = short(text(&call.input, "task"));
        let reason = text(&call.input, "reason");
        let reason = if reason.is_empty() {
            "Task stopped by user"
        } else {
            reason
        };
        let found = self
            .tasks
            .iter_mut()
            .chain(&mut self.ended)
            .find(|task| task.cluster == cluster && task.id == id);
        let Some(task) = found else {
            return Err(invalid("The referenced task was not found."));
        };
        // Stopping what has stopped changes nothing.
        task.stop(call.now, "UserInitiated", reason, false);
        Ok(json!({ "task": task.shown(&self.home, call.now) }))
    }

    pub(super) fn describe_tasks(&self, call: &Call) -> Answer {
        let cluster = self.cluster_of(&call.input)?;
        let asked = texts(&call.input, "tasks");
        if asked.is_empty() || asked.len() > 100 {
            return Err(invalid("Tasks must have 1 to 100 elements."));
        }
        let (mut tasks, mut failures) = (Vec::new(), Vec::new());
        for name in asked {
            let id = short(name);
            match self.seen(&cluster, call.now).find(|task| task.id == id) {
                Some(task) => tasks.push(task.shown(&self.home, call.now)),
                None => {
                    let arn = self.home.arn("ecs", &format!("task/{cluster}/{id}"));
                    failures.push(json!({ "arn": arn, "reason": "MISSING" }));
                }
            }
        }
        Ok(json!({ "tasks": tasks, "failures": failures }))
    }

    pub(super) fn list_tasks(&self, call: &Call) -> Answer {
        let cluster = self.cluster_of(&call.input)?;
        let input = &call.input;
        let service = short(text(input, "serviceName"));
        if !service.is_empty() && self.service(&cluster, service).is_none() {
            return Err(Refusal::new("ServiceNotFoundException", "Service not found."));
        }
        let stopped = text(input, "desiredStatus") == "STOPPED";
        let (by, family) = (text(input, "startedBy"), text(input, "family"));
        let fits = |task: &&Task| {
            task.wanted() != stopped
                && (service.is_empty() || task.service.as_deref() == Some(service))
                && (by.is_empty() || task.started_by.as_deref() == Some(by))
                && (family.is_empty() || short(&task.definition).split(':').next() == Some(family))
        };
        let arns = self
            .seen(&cluster, call.now)
            .filter(fits)
            .map(|task| json!(task.arn))
            .collect();
        Ok(PAGES.of(input, "taskArns", arns))
    }

    /// The tasks of a cluster that questions find.
    fn seen(&self, cluster: &str, now: Duration) -> impl Iterator<Item = &Task> {
        let tasks = self.tasks.iter().chain(&self.ended);
        tasks.filter(move |task| task.cluster == cluster && now >= task.times.created + UNSEEN)
    }

    fn shown_tasks(&self, arns: &[String], now: Duration) -> Vec<Value> {
        let tasks = self
            .tasks
            .iter()
            .chain(&self.ended)
            .filter(|task| arns.contains(&task.arn));
        tasks.map(|task| task.shown(&self.home, now)).collect()
    }
}
