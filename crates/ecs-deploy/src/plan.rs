//! The command `plan`: what a deploy would change, and with which calls. Nothing is changed.

use std::time::Duration;

use gha::outcome::Outcome;
use gha::{Failure, Runner, Status, accounts, text};

use crate::api::services::Update;
use crate::cli::Plan;
use crate::deploy::settings;
use crate::history::{self, Depth};
use crate::native_deploy::settings::wanted;
use crate::observed::revision_name;
use crate::place::Place;
use crate::prepare::{self, Wanted};
use crate::rollback_target::at_start;
use crate::weighted;

/// Runs the command.
///
/// # Errors
/// When the flags are wrong, or the service can't be deployed to.
pub async fn run(flags: &Plan, runner: &Runner) -> Result<Outcome, Failure> {
    let place = Place::of(&flags.place, runner).await?;
    Box::pin(at(flags, &place)).await
}

/// The same for a service that is reached already.
///
/// # Errors
/// When the flags are wrong, or the service can't be deployed to.
pub async fn at(flags: &Plan, place: &Place<'_>) -> Result<Outcome, Failure> {
    let working = async {
        if flags.traffic.traffic_rule.is_some() {
            weighted::plan::pair(flags, place).await
        } else {
            plan(flags, place).await
        }
    };
    let ended = place.runner.cancel().guard(Box::pin(working)).await;
    ended.unwrap_or_else(|cancelled| Err(cancelled.into()))
}

async fn plan(flags: &Plan, place: &Place<'_>) -> Result<Outcome, Failure> {
    let mut update = settings(&flags.settings)?;
    let described = place.described().await?;
    let set = &described.configuration;
    update.configuration = wanted(&flags.strategy, set, &described.service, false, Duration::ZERO)?.change;
    let wanted = prepare::wanted(&place.api, &flags.version, &described.service).await?;
    for warning in crate::task_definition::keys::warnings(&wanted.definition) {
        place.runner.warn(&warning);
    }
    wanted.notes.iter().for_each(|note| place.runner.info(note));
    let history = history::read(Depth::Revisions, place).await;
    let back = at_start(&described.service, &history);
    let mut lines: Vec<String> = wanted.differences().iter().map(ToString::to_string).collect();
    lines.extend(calls(&wanted, &update));
    match &back {
        Some(target) => {
            let name = text::line(revision_name(&target.task_definition));
            lines.push(format!("a failure goes back to `{name}`"));
        }
        None => {
            lines.push("a failure has nothing to go back to: no revision is known to have served".to_owned());
        }
    }
    let headline = if wanted.is_current() && update == Update::default() {
        format!(
            "service `{}` has this content already; a deploy would change nothing",
            place.service
        )
    } else {
        format!("a deploy would change service `{}`", place.service)
    };
    place.runner.info(&headline);
    for line in &lines {
        place.runner.info(&accounts::without(line));
    }
    Ok(Outcome {
        dry_run: true,
        ..Outcome::new(Status::Unchanged, headline).target(place.target())
    })
}

/// The calls that change something.
fn calls(wanted: &Wanted, update: &Update) -> Vec<String> {
    let mut calls = Vec::new();
    match &wanted.known {
        Some(known) => calls.push(format!(
            "`{}` has this content; no revision is registered",
            text::line(revision_name(known))
        )),
        None => calls.push("call: ecs:RegisterTaskDefinition".to_owned()),
    }
    if !wanted.is_current() || *update != Update::default() {
        let with = [
            (!wanted.is_current(), "taskDefinition"),
            (update.desired.is_some(), "desiredCount"),
            (update.force.is_some(), "forceNewDeployment"),
            (update.propagate_tags.is_some(), "propagateTags"),
            (update.managed_tags.is_some(), "enableECSManagedTags"),
            (update.capacity.is_some(), "capacityProviderStrategy"),
            (update.configuration.is_some(), "deploymentConfiguration"),
        ];
        let with: Vec<&str> = with
            .into_iter()
            .filter_map(|(is, name)| is.then_some(name))
            .collect();
        calls.push(format!("call: ecs:UpdateService with {}", with.join(", ")));
    }
    calls
}
