//! The tasks of a deployment that fail, with their reasons: ECS goes on to start new ones for as long as nobody stops it.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use gha::text;

use crate::details::{self, Tails};
use crate::place::Place;
use crate::rolling::Limits;
use crate::stopped::{Severity, Stop, classify};
use crate::task_definition::TaskDefinition;

/// What is known of them.
#[derive(Debug, Default)]
pub struct Failing {
    /// The last lines of their containers.
    pub tails: Tails,
    stops: BTreeMap<String, Stop>,
    read: BTreeSet<String>,
    looked: Option<Duration>,
    is_refused: bool,
}

impl Failing {
    /// The tasks that failed.
    pub fn stops(&self) -> impl Iterator<Item = &Stop> {
        self.stops.values()
    }

    /// Looks at what stopped, if it is time to; gives the reason if these are too many.
    pub async fn look(
        &mut self,
        deployment: &str,
        definition: &TaskDefinition,
        place: &Place<'_>,
    ) -> Option<String> {
        let (now, limits) = (place.runner.elapsed(), Limits::default());
        let due = self
            .looked
            .is_none_or(|looked| now.saturating_sub(looked) >= limits.tasks_every);
        if due && !deployment.is_empty() {
            self.looked = Some(now);
            self.read(deployment, definition, place).await;
        }
        too_many(self.stops.values(), &limits)
    }

    async fn read(&mut self, deployment: &str, definition: &TaskDefinition, place: &Place<'_>) {
        let read = details::stopped(&place.api, deployment, definition, &self.read).await;
        let tasks = match read {
            Ok(tasks) => tasks,
            Err(refused) => {
                if !self.is_refused {
                    place.runner.warn(&format!(
                        "stopped tasks can't be read, so a failure will have no reason: {refused}"
                    ));
                }
                self.is_refused = true;
                return;
            }
        };
        for mut task in tasks {
            if !task.is_stopped() {
                continue;
            }
            self.read.insert(task.arn.clone());
            self.tails.read(&mut task, place).await;
            let stop = classify(&task);
            if matches!(stop.class.severity(), Severity::Fatal | Severity::Counted) {
                place.runner.info(&format!(
                    "task {} stopped: {}",
                    text::line(&stop.task),
                    stop.reason
                ));
                self.stops.insert(task.arn.clone(), stop);
            }
        }
    }
}

/// The reason, if these are too many.
fn too_many<'a>(stops: impl Iterator<Item = &'a Stop>, limits: &Limits) -> Option<String> {
    let stops: Vec<&Stop> = stops.collect();
    let fatal = stops
        .iter()
        .filter(|stop| stop.class.severity() == Severity::Fatal)
        .count();
    if fatal < limits.fatal_tasks && stops.len() < limits.failed_tasks {
        return None;
    }
    let first = stops
        .iter()
        .find(|stop| stop.class.severity() == Severity::Fatal)
        .or(stops.first())?;
    Some(format!("{} tasks failed: {}", stops.len(), first.reason))
}
