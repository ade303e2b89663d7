//! Stopped tasks, and what their own description lacks: which of its containers it can't be without, where each writes its log,
//! and the last lines of that.

use std::collections::{BTreeMap, BTreeSet};

use gha::text;
use serde_json::Value;

use crate::api::tasks::Which;
use crate::api::{Api, Refused};
use crate::observed::{Container, LogStream, Task};
use crate::place::Place;
use crate::task_definition::{self, TaskDefinition};

/// How many lines of a log are shown.
const LINES: i32 = 20;

/// The most characters of a line.
const LINE: usize = 400;

/// The most tasks whose logs are read: others of the same deployment rarely say more.
const LOGS: usize = 3;

/// The stopped tasks of a deployment whose ARNs are not among those that were read, with what their task definition says.
/// One that is still stopping is among them, and has no exit codes yet.
///
/// # Errors
/// When they can't be asked.
pub async fn stopped(
    api: &Api,
    deployment: &str,
    definition: &TaskDefinition,
    read: &BTreeSet<String>,
) -> Result<Vec<Task>, Refused> {
    let mut arns = api.tasks_started_by(deployment, Which::Stopped).await?;
    arns.retain(|arn| !read.contains(arn));
    let mut tasks = api.tasks(&arns).await?;
    for task in &mut tasks {
        add(task, definition);
    }
    Ok(tasks)
}

/// Adds to each container what its task definition says of it.
pub fn add(task: &mut Task, definition: &TaskDefinition) {
    let id = task.id().to_owned();
    for container in &mut task.containers {
        let known = definition
            .containers()
            .find(|known| known.name() == Some(&container.name));
        let Some(known) = known else { continue };
        container.essential = Some(known.is_essential());
        container.log = log(known, &id);
    }
}

/// Where a container of a task writes its log: the driver `awslogs` with a prefix names streams
/// `prefix/container/task` (<https://docs.aws.amazon.com/AmazonECS/latest/developerguide/specify-log-config.html>).
fn log(container: task_definition::Container<'_>, task: &str) -> Option<LogStream> {
    let configuration = container.content().get("logConfiguration")?;
    let options = configuration.get("options")?;
    let option = |name: &str| options.get(name).and_then(Value::as_str);
    if configuration.get("logDriver").and_then(Value::as_str) != Some("awslogs") {
        return None;
    }
    Some(LogStream {
        group: option("awslogs-group")?.to_owned(),
        stream: format!(
            "{}/{}/{task}",
            option("awslogs-stream-prefix")?,
            container.name()?
        ),
    })
}

/// The last lines of containers that failed, by task and container; read once each.
#[derive(Debug, Default)]
pub struct Tails {
    read: BTreeMap<(String, String), Vec<String>>,
    is_refused: bool,
}

/// A container's last lines.
#[derive(Clone, Copy, Debug)]
pub struct Tail<'a> {
    /// The task.
    pub task: &'a str,
    /// The container.
    pub container: &'a str,
    /// The lines, inert.
    pub lines: &'a [String],
}

impl Tails {
    /// Reads the logs of a task's containers that failed, for the first tasks that come, and puts them into the task too.
    pub async fn read(&mut self, task: &mut Task, place: &Place<'_>) {
        let tasks = self
            .read
            .keys()
            .map(|(task, _)| task)
            .collect::<BTreeSet<_>>()
            .len();
        if tasks >= LOGS || self.is_refused {
            return;
        }
        let id = task.id().to_owned();
        let failed = |container: &&mut Container| container.exit_code.is_some_and(|code| code != 0);
        for container in task.containers.iter_mut().filter(failed) {
            let Some(stream) = &container.log else { continue };
            match place.api.log_tail(stream, LINES).await {
                Ok(lines) => {
                    let shown: Vec<String> = lines.iter().map(|line| inert(line, place)).collect();
                    tell(&id, &container.name, &shown, place);
                    container.log_tail = lines;
                    self.read.insert((id.clone(), container.name.clone()), shown);
                }
                Err(refused) => {
                    self.is_refused = true;
                    place.runner.warn(&format!(
                        "the log of a failed container can't be shown: {refused}"
                    ));
                    return;
                }
            }
        }
    }

    /// What was read.
    pub fn all(&self) -> impl Iterator<Item = Tail<'_>> {
        let filled = self.read.iter().filter(|(_, lines)| !lines.is_empty());
        filled.map(|((task, container), lines)| Tail {
            task,
            container,
            lines,
        })
    }
}

/// Shows a container's last lines in the log.
fn tell(task: &str, container: &str, lines: &[String], place: &Place<'_>) {
    if lines.is_empty() {
        return;
    }
    let (container, task) = (text::line(container), text::line(task));
    place
        .runner
        .info(&format!("the last lines of `{container}` in task {task}:"));
    place.runner.block(&lines.join("\n"), lines.len());
}

/// A line of a log as one that does nothing: it may hold anything.
fn inert(line: &str, place: &Place<'_>) -> String {
    text::cut(&text::visible(&place.runner.hide(line)), LINE)
}
