//! The command `status`: what serves, what is being deployed, what ECS said last, and why tasks stopped.

use gha::outcome::Outcome;
use gha::{Failure, Runner, Status, accounts, text};
use serde_json::{Value, json};

use crate::api::tasks::Which;
use crate::cli;
use crate::error::Error;
use crate::events::Shown;
use crate::native_deploy;
use crate::observed::{Deployment, Service, revision_name};
use crate::place::Place;
use crate::serving;
use crate::stopped::{Severity, classify};
use crate::weighted;
use crate::words::RolloutState;

/// How many messages of the service are shown.
const EVENTS: usize = 10;

/// How many stopped tasks are looked at.
const TASKS: usize = 20;

/// Runs the command.
///
/// # Errors
/// When the service can't be read.
pub async fn run(flags: &cli::Status, runner: &Runner) -> Result<Outcome, Failure> {
    let place = Place::of(&flags.place, runner).await?;
    at(flags, &place).await
}

/// The same for a service that is reached already.
///
/// # Errors
/// When the service can't be read.
pub async fn at(flags: &cli::Status, place: &Place<'_>) -> Result<Outcome, Failure> {
    let looking = async {
        if flags.traffic.traffic_rule.is_some() {
            weighted::status::pair(&flags.traffic, place).await
        } else {
            service(place).await
        }
    };
    let ended = place.runner.cancel().guard(Box::pin(looking)).await;
    ended.unwrap_or_else(|cancelled| Err(cancelled.into()))
}

/// Says how one service is.
pub(crate) async fn service(place: &Place<'_>) -> Result<Outcome, Failure> {
    let asked = place.api.service(&place.service).await;
    let found = asked.map_err(Error::refused(format!("read service `{}`", place.service)))?;
    let Some(described) = found else {
        // The words for a service that is not there are the same for every command.
        let _ = place.described().await?;
        return Ok(Outcome::new(Status::Unchanged, "no service"));
    };
    let service = &described.service;
    let headline = headline(service, place);
    place.runner.info(&headline);
    for deployment in &service.deployments {
        let line = format!(
            "{}: {} {}, {} of {} running, {} pending, {} failed{}",
            text::line(revision_name(&deployment.task_definition)),
            text::line(&deployment.status.word().to_lowercase()),
            serving::rollout(deployment),
            deployment.running,
            deployment.desired,
            deployment.pending,
            deployment.failed,
            deployment
                .reason
                .as_ref()
                .map(|reason| format!(": {}", text::line(reason)))
                .unwrap_or_default(),
        );
        place.runner.info(&accounts::without(&line));
    }
    let weight = native_deploy::status::show(service, place).await;
    let lines = Shown::default().fresh(&service.events).lines;
    for line in lines.iter().skip(lines.len().saturating_sub(EVENTS)) {
        let at = line.at.map(|at| format!("{at:.0} ")).unwrap_or_default();
        place
            .runner
            .info(&format!("ECS: {at}{}", accounts::without(&line.text)));
    }
    stops(place).await;
    let mut outcome = Outcome::new(Status::Unchanged, headline)
        .target(place.target())
        .fact("service", service.status.word())
        .fact("desired", service.desired)
        .fact("running", service.running)
        .fact("deployments", deployments(service));
    if let Some(weight) = weight {
        outcome = outcome.fact("live-weight", weight.to_string());
    }
    Ok(Outcome {
        dry_run: true,
        ..outcome
    })
}

/// The deployments as values, the latest first.
fn deployments(service: &Service) -> Vec<Value> {
    let value = |deployment: &Deployment| {
        json!({
            "task-definition": text::line(revision_name(&deployment.task_definition)),
            "place": text::line(deployment.status.word()),
            "rollout": deployment.rollout_state.as_ref().map(|state| text::line(state.word())),
            "desired": deployment.desired,
            "running": deployment.running,
            "pending": deployment.pending,
            "failed": deployment.failed,
        })
    };
    service.deployments.iter().map(value).collect()
}

/// What serves first, then what is on its way.
fn headline(service: &Service, place: &Place<'_>) -> String {
    let coming = service.primary().map(|primary| {
        let name = text::line(revision_name(&primary.task_definition));
        let state = serving::rollout(primary);
        if service.deployments.len() == 1 && primary.rollout_state == Some(RolloutState::Completed) {
            format!("`{name}` is complete")
        } else {
            let (running, desired) = (primary.running, primary.desired);
            format!(
                "`{name}` is {state}, {running} of {desired}, {} pending",
                primary.pending
            )
        }
    });
    format!(
        "service `{}` is {}: {}, {} wanted{}",
        place.service,
        text::line(&service.status.word().to_lowercase()),
        serving::running(service),
        service.desired,
        coming.map(|coming| format!("; {coming}")).unwrap_or_default(),
    )
}

/// Why tasks stopped within the last hour, which is as long as ECS remembers.
async fn stops(place: &Place<'_>) {
    let listed = place.api.tasks_of_service(&place.service, Which::Stopped).await;
    let read = match listed {
        Ok(arns) => place.api.tasks(&arns[..arns.len().min(TASKS)]).await,
        Err(refused) => Err(refused),
    };
    match read {
        Ok(tasks) => {
            for stop in tasks.iter().filter(|task| task.is_stopped()).map(classify) {
                if stop.class.severity() != Severity::Ignored {
                    let line = format!("task {} stopped: {}", text::line(&stop.task), stop.reason);
                    place.runner.info(&accounts::without(&line));
                }
            }
        }
        Err(refused) => place
            .runner
            .warn(&format!("stopped tasks can't be shown: {refused}")),
    }
}
