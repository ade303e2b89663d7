//! The crashes of the new version as a metric: how many tasks that its deployment started have failed, since it began.
//!
//! ECS forgets a stopped task after about an hour, so what was seen is kept. Tasks that were stopped by the service, by a
//! person or by their host have not failed.

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;

use aws::reason::Kind;
use gate::source::{Asking, Query, Question, Reading, Source};
use gate::spec::sources::EcsMetric;
use gate::trouble::Trouble;
use gha::accounts;
use jiff::Timestamp;

use super::Candidate;
use crate::api::tasks::Which;
use crate::api::{Api, Refused};
use crate::details;
use crate::observed::Task;
use crate::stopped::{self, Severity, Stop};
use crate::task_definition::TaskDefinition;

/// How many reasons are told beside the count.
const TOLD: usize = 3;

/// Who starts no task.
const NOBODY: &str = "ecs-deploy";

/// What is known of the new version's tasks. Its copies are one.
#[derive(Clone)]
pub struct Crashes {
    api: Api,
    service: String,
    seen: Rc<RefCell<Seen>>,
}

#[derive(Default)]
struct Seen {
    /// The deployment whose tasks count, and what they are.
    of: Option<(String, TaskDefinition)>,
    failed: BTreeMap<String, Stop>,
    /// Tasks that were read to the end.
    read: BTreeSet<String>,
    latest: Option<String>,
}

impl Crashes {
    /// None yet, of a service whose new version is not known.
    pub(super) fn new(api: &Api, service: &str) -> Self {
        Self {
            api: api.clone(),
            service: service.to_owned(),
            seen: Rc::default(),
        }
    }

    /// From now on the tasks of this version count. What was seen of the same deployment stays.
    pub(super) fn begin(&self, candidate: &Candidate<'_>) {
        let mut seen = self.seen.borrow_mut();
        if seen
            .of
            .as_ref()
            .is_some_and(|(known, _)| known == candidate.deployment)
        {
            return;
        }
        *seen = Seen {
            of: Some((candidate.deployment.to_owned(), candidate.definition.clone())),
            ..Seen::default()
        };
    }

    /// The failed task that was seen last.
    #[must_use]
    pub fn latest(&self) -> Option<Stop> {
        let seen = self.seen.borrow();
        seen.failed.get(seen.latest.as_ref()?).cloned()
    }

    async fn count(&self) -> Result<Reading, Trouble> {
        let of = self.seen.borrow().of.clone();
        let Some((deployment, definition)) = of else {
            // Before there is a new version it only shows whether tasks may be read: of a name that starts none, because a
            // service that is not there is told better elsewhere.
            let listed = self.api.tasks_started_by(NOBODY, Which::Stopped).await;
            return listed.map(|_| Reading::number(0.0)).map_err(trouble);
        };
        let read = self.seen.borrow().read.clone();
        let tasks = details::stopped(&self.api, &deployment, &definition, &read).await;
        let tasks = tasks.map_err(trouble)?;
        let mut seen = self.seen.borrow_mut();
        seen.take(&tasks);
        Ok(seen.reading())
    }
}

impl Seen {
    fn take(&mut self, tasks: &[Task]) {
        // One that is still stopping has no exit codes yet.
        for task in tasks.iter().filter(|task| task.is_stopped()) {
            let stop = stopped::classify(task);
            if self.read.insert(task.arn.clone())
                && matches!(stop.class.severity(), Severity::Fatal | Severity::Counted)
            {
                self.latest = Some(task.arn.clone());
                self.failed.insert(task.arn.clone(), stop);
            }
        }
    }

    fn reading(&self) -> Reading {
        let count = u32::try_from(self.failed.len()).unwrap_or(u32::MAX);
        let stops = self.failed.values().take(TOLD);
        let notes = stops.map(|stop| accounts::without(&format!("task {}: {}", stop.task, stop.reason)));
        Reading {
            notes: notes.collect(),
            ..Reading::number(f64::from(count))
        }
    }
}

/// Tells the crashes to rules.
pub(super) struct CrashSource {
    crashes: Crashes,
    shown: String,
}

impl CrashSource {
    pub(super) fn of(crashes: &Crashes) -> Self {
        Self {
            crashes: crashes.clone(),
            shown: format!("ECS service {}", gha::text::line(&crashes.service)),
        }
    }
}

impl Source for CrashSource {
    fn shown(&self) -> &str {
        &self.shown
    }

    fn accepts(&self, query: &Query) -> Result<(), String> {
        match query {
            Query::Text(text) if text == EcsMetric::Crashes.word() => Ok(()),
            _ => Err(format!("ECS answers `{}` only", EcsMetric::Crashes.word())),
        }
    }

    fn ask<'a>(&'a self, questions: &'a [Question], _at: Timestamp) -> Asking<'a> {
        Box::pin(async move {
            let counted = self.crashes.count().await;
            let answer = |question: &Question| match self.accepts(&question.query) {
                Ok(()) => counted.clone(),
                Err(reason) => Err(Trouble::question(reason)),
            };
            questions.iter().map(answer).collect()
        })
    }
}

/// Why a call failed, as trouble.
fn trouble(refused: Refused) -> Trouble {
    let text = refused.reason.text;
    match refused.reason.kind {
        Kind::Passing => Trouble::passing(text),
        Kind::Question => Trouble::question(text),
        Kind::Access => Trouble::access(text),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::observed::Container;
    use crate::words::StopCode;
    use gate::source::Value;

    fn task(name: &str, status: &str, code: &str, exit: i64) -> Task {
        Task {
            arn: format!("arn:aws:ecs:eu-central-1:123456789012:task/prod/{name}"),
            started_by: Some("ecs-svc/2".to_owned()),
            last_status: status.to_owned(),
            stop_code: Some(StopCode::of(code)),
            stopped_reason: None,
            containers: vec![Container {
                name: "app".to_owned(),
                exit_code: Some(exit),
                reason: None,
                essential: Some(true),
                image: None,
                log: None,
                log_tail: Vec::new(),
            }],
            stopped_at: None,
        }
    }

    #[test]
    fn only_what_failed_is_a_crash_and_each_counts_once() {
        let mut seen = Seen::default();
        let crashed = task("a", "STOPPED", "EssentialContainerExited", 1);
        let scaled = task("b", "STOPPED", "ServiceSchedulerInitiated", 143);
        let stopping = task("c", "STOPPING", "EssentialContainerExited", 1);
        let by_hand = task("d", "STOPPED", "UserInitiated", 137);
        seen.take(&[crashed.clone(), scaled, stopping, by_hand]);
        seen.take(&[crashed]);
        assert_eq!(seen.reading().value, Value::Number(1.0));
        seen.take(&[task("c", "STOPPED", "EssentialContainerExited", 139)]);
        let reading = seen.reading();
        assert_eq!(reading.value, Value::Number(2.0));
        assert_eq!(reading.notes.len(), 2);
        assert!(reading.notes[0].starts_with("task a: container `app` ended with exit code 1"));
        assert!(seen.latest.as_ref().is_some_and(|arn| arn.ends_with("/c")));
    }
}
