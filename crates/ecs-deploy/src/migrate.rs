//! Runs a one-off task and waits for its end: a migration before the service changes, or a task of its own.

use std::time::Duration;

use gha::text;
use tokio::time::sleep;

use crate::api::services::Launch;
use crate::api::tasks::OneOff;
use crate::api::{DENIALS, Refused};
use crate::details;
use crate::migration::identity::{client_token, started_by};
use crate::migration::{Decision, Limits, Look, NotStarted, State, started};
use crate::observed::{LogStream, Task};
use crate::place::Place;
use crate::prepare::Revision;

/// The pauses before a task is started again whose answer was lost: its token makes that safe.
const PAUSES: [Duration; 4] = [
    Duration::from_secs(1),
    Duration::from_secs(2),
    Duration::from_secs(4),
    Duration::from_secs(8),
];

/// A one-off task.
#[derive(Clone, Copy, Debug)]
pub struct Migration<'a> {
    /// What it is called: `migration`, `task`.
    pub name: &'static str,
    /// Its revision.
    pub revision: &'a Revision,
    /// The container whose command is another, and the command.
    pub command: Option<(&'a str, &'a [String])>,
    /// Where it runs.
    pub launch: &'a Launch,
    /// How long it may take.
    pub limits: Limits,
}

/// How it ended.
#[derive(Clone, Debug)]
pub enum End {
    /// It did what it had to.
    Succeeded,
    /// It did not.
    Failed(String),
    /// ECS refused to start it.
    NotStarted(Refused),
    /// What became of it is not known.
    Unknown {
        /// Why, as one line.
        reason: String,
        /// Whether credentials or permissions were refused.
        denied: bool,
    },
}

/// How far a one-off task was begun, for a run that ends before it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Ran {
    asked: bool,
    arn: Option<String>,
}

impl Ran {
    /// What is left of it, to be put behind a sentence.
    #[must_use]
    pub fn left(&self) -> String {
        match &self.arn {
            Some(arn) => format!("; task {} goes on", id(arn)),
            None if self.asked => "; whether its task was started is not known".to_owned(),
            None => String::new(),
        }
    }
}

/// Follows a task's log as it grows.
struct Following {
    stream: LogStream,
    container: String,
    place: Option<String>,
}

impl Migration<'_> {
    /// Runs it. Dropped half way, it runs on; its token keeps a repeated call from starting another.
    pub async fn run(&self, ran: &mut Ran, place: &Place<'_>) -> End {
        ran.asked = true;
        let task = match self.start(place).await {
            Ok(task) => task,
            Err(end) => {
                ran.asked = matches!(end, End::Unknown { .. });
                return end;
            }
        };
        ran.arn = Some(task.clone());
        place
            .runner
            .info(&format!("{} runs as task {}", self.name, id(&task)));
        self.follow(&task, place).await
    }

    async fn start(&self, place: &Place<'_>) -> Result<String, End> {
        let env = place.runner.env();
        let of = |name| env.get(name).unwrap_or("local");
        let trace = place.runner.trace().to_string();
        let run = [
            of("GITHUB_REPOSITORY"),
            of("GITHUB_RUN_ID"),
            of("GITHUB_RUN_ATTEMPT"),
        ];
        let command = self
            .command
            .map(|(container, command)| format!("{container}:{command:?}"));
        let token = client_token(&[
            &trace,
            run[1],
            run[2],
            &place.cluster,
            &place.service,
            &self.revision.arn,
            command.as_deref().unwrap_or_default(),
        ]);
        let by = started_by(&run);
        let one_off = OneOff {
            task_definition: &self.revision.arn,
            launch: self.launch,
            client_token: &token,
            started_by: &by,
            command: self.command,
        };
        let mut pauses = PAUSES.into_iter();
        let answer = loop {
            let refused = match place.api.run_task(&one_off).await {
                Ok(answer) => break answer,
                Err(refused) if !refused.unknown => return Err(End::NotStarted(refused)),
                Err(refused) => refused,
            };
            let Some(pause) = pauses.next() else {
                let reason = refused.to_string();
                return Err(End::Unknown {
                    reason,
                    denied: false,
                });
            };
            sleep(pause).await;
        };
        let some = |text: String| Some(text).filter(|text| !text.is_empty());
        let failures: Vec<NotStarted> = answer
            .failures
            .into_iter()
            .map(|(reason, detail)| NotStarted {
                reason: some(reason),
                detail: some(detail),
            })
            .collect();
        started(&answer.tasks, &failures).map_err(End::Failed)
    }

    async fn follow(&self, arn: &str, place: &Place<'_>) -> End {
        let arns = [arn.to_owned()];
        let mut state = State::new(self.limits, place.runner.elapsed());
        let mut logs: Vec<Following> = Vec::new();
        let mut denials = 0;
        loop {
            let seen = place.api.tasks(&arns).await;
            denials = match &seen {
                Err(refused) if refused.is_access() => denials + 1,
                _ => 0,
            };
            let task = match seen {
                Err(refused) if denials >= DENIALS => {
                    return End::Unknown {
                        reason: refused.to_string(),
                        denied: true,
                    };
                }
                Ok(mut tasks) => Ok(tasks.pop().map(|mut task| {
                    details::add(&mut task, &self.revision.definition);
                    task
                })),
                Err(refused) => Err(refused.to_string()),
            };
            if let Ok(Some(task)) = &task {
                follow_logs(task, &mut logs);
                show_logs(&mut logs, place).await;
            }
            let look = match &task {
                Ok(Some(task)) => Look::Task(task),
                Ok(None) => Look::Missing,
                Err(why) => Look::Unreadable(why),
            };
            let (next, decision) = state.next(look, place.runner.elapsed());
            state = next;
            match decision {
                Decision::Wait { next } => {
                    place.runner.heartbeat(format!("the {} still runs", self.name));
                    sleep(next).await;
                }
                Decision::Stop { reason } => {
                    place
                        .runner
                        .warn(&format!("the {} is stopped: {reason}", self.name));
                    stop(arn, place).await;
                    sleep(self.limits.poll).await;
                }
                Decision::Succeeded { warnings } => {
                    for warning in warnings {
                        place.runner.warn(&warning);
                    }
                    return End::Succeeded;
                }
                Decision::Failed { reason } => return End::Failed(reason),
                Decision::Unknown { reason } => {
                    return End::Unknown {
                        reason,
                        denied: false,
                    };
                }
            }
        }
    }
}

/// Stops a task, which may be asked for more than once.
async fn stop(arn: &str, place: &Place<'_>) {
    for pause in PAUSES {
        match place.api.stop_task(arn, "it took too long").await {
            Err(refused) if refused.unknown || refused.may_pass() => sleep(pause).await,
            Err(refused) => {
                return place
                    .runner
                    .warn(&format!("failed to stop task {}: {refused}", id(arn)));
            }
            Ok(()) => return,
        }
    }
    place
        .runner
        .warn(&format!("task {} could not be stopped in time", id(arn)));
}

/// Begins with the logs of containers that are new.
fn follow_logs(task: &Task, logs: &mut Vec<Following>) {
    for container in &task.containers {
        let Some(stream) = &container.log else { continue };
        if logs.iter().all(|log| log.container != container.name) {
            logs.push(Following {
                stream: stream.clone(),
                container: container.name.clone(),
                place: None,
            });
        }
    }
}

/// Shows what is new in the logs. One that can't be read is told once and left.
async fn show_logs(logs: &mut Vec<Following>, place: &Place<'_>) {
    let mut refused_of = Vec::new();
    for (index, log) in logs.iter_mut().enumerate() {
        match place.api.log_since(&log.stream, log.place.as_deref()).await {
            Ok((lines, next)) => {
                log.place = next;
                for line in lines {
                    let line = text::visible(&place.runner.hide(&line));
                    place
                        .runner
                        .block(&format!("{}: {line}", text::line(&log.container)), 1);
                }
            }
            Err(refused) => {
                place.runner.warn(&format!(
                    "the log of `{}` can't be shown: {refused}",
                    text::line(&log.container)
                ));
                refused_of.push(index);
            }
        }
    }
    for index in refused_of.into_iter().rev() {
        logs.remove(index);
    }
}

/// The last part of a task's ARN, which the console shows.
fn id(arn: &str) -> String {
    text::line(arn.rsplit('/').next().unwrap_or(arn))
}
