//! The command `verify`: whether a deploy with these flags could work. What it needs is asked for, as far as the policy lets
//! it be asked; nothing is changed, and all that is wrong is told at once.
//!
//! Limits: that a role may do what it must is not asked, only that it is there; other registries than ECR's are not asked.

use gha::outcome::Outcome;
use gha::{Failure, Runner, text};

use crate::cli::{Deploy, Verify};
use crate::deploy::settings;
use crate::error::Error;
use crate::gates::Gates;
use crate::observed::revision_name;
use crate::place::Place;
use crate::prepare;
use crate::task_definition::{TaskDefinition, keys};
use checks::{Check, Found};

mod checks;
mod service;
mod things;

/// Runs the command.
///
/// # Errors
/// When something is wrong.
pub async fn run(flags: &Verify, runner: &Runner) -> Result<Outcome, Failure> {
    let place = Place::of(&flags.deploy.place, runner).await?;
    Box::pin(at(flags, &place)).await
}

/// The same for a service that is reached already.
///
/// # Errors
/// When something is wrong.
pub async fn at(flags: &Verify, place: &Place<'_>) -> Result<Outcome, Failure> {
    let working = Box::pin(verify(&flags.deploy, place));
    let ended = place.runner.cancel().guard(working).await;
    ended.unwrap_or_else(|cancelled| Err(cancelled.into()))
}

async fn verify(flags: &Deploy, place: &Place<'_>) -> Result<Outcome, Failure> {
    let mut checks = Vec::new();
    if let Err(error) = settings(&flags.settings) {
        checks.push(Check::new(
            "settings of the service",
            "",
            Failure::from(error).into(),
        ));
    }
    let is_weighted = flags.traffic.traffic_rule.is_some();
    let known = if is_weighted {
        Box::pin(service::two(flags, place, &mut checks)).await
    } else {
        service::one(flags, place, &mut checks).await
    };
    service::groups(&known, place, &mut checks).await;
    let own = known
        .live
        .as_ref()
        .map(|live| live.service.task_definition.as_deref());
    if let Some(definition) = definition(flags, own.map(Option::unwrap_or_default), place, &mut checks).await
    {
        service::receives(&definition, &known.balancers, &mut checks);
        let arn = known.live.as_ref().map(|live| live.arn.as_str());
        things::of(&definition, arn, &place.api, &mut checks).await;
    }
    if !flags.gates.gate.is_empty() || !flags.gates.gate_var.is_empty() {
        let found = gates(flags, place).await;
        checks.push(Check::new("gates", flags.gates.gate.join(", "), found));
    }
    let (place, target) = target(flags, place);
    checks::conclude(&checks, &target, &place)
}

/// The task definition as a deploy would register it. `own` names the service's, where there is a service.
async fn definition(
    flags: &Deploy,
    own: Option<&str>,
    place: &Place<'_>,
    checks: &mut Vec<Check>,
) -> Option<TaskDefinition> {
    const WHAT: &str = "task definition";
    let asked = flags.version.task_definition.as_deref();
    let on = asked
        .or(own)
        .map(revision_name)
        .map(text::line)
        .unwrap_or_default();
    let current = match own {
        Some(own) => match prepare::described(&place.api, own).await {
            Ok(current) => Some(current),
            Err(error) => {
                checks.push(Check::new(WHAT, revision_name(own), Failure::from(error).into()));
                return None;
            }
        },
        None => None,
    };
    let read = match prepare::definition(&place.api, &flags.version, current.as_ref()).await {
        Ok(Some(definition)) => definition,
        Ok(None) => {
            let found = Found::NotAsked("it is the service's own, and the service is not known".to_owned());
            checks.push(Check::new(WHAT, on, found));
            return None;
        }
        Err(error) => {
            checks.push(Check::new(WHAT, on, Failure::from(error).into()));
            return None;
        }
    };
    for warning in keys::warnings(&read) {
        place.runner.warn(&warning);
    }
    checks.push(Check::new(WHAT, on, whole(&read)));
    if let Some(line) = &flags.migrate {
        let found = match read.command_of(line) {
            Ok((container, _)) => Found::Well(format!("it runs in container `{container}`")),
            Err(error) => {
                let flag = "migrate";
                Failure::from(Error::Edit { flag, error }).into()
            }
        };
        checks.push(Check::new("migration", "", found));
    }
    Some(read)
}

/// Whether it has what no registration does without
/// (<https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_RegisterTaskDefinition.html>).
fn whole(definition: &TaskDefinition) -> Found {
    let count = definition.containers().count();
    let is_named = |name: Option<&str>| name.is_some_and(|name| !name.is_empty());
    let lacks = if !is_named(definition.family()) {
        Some("it has no `family`".to_owned())
    } else if count == 0 {
        Some("it has no containers".to_owned())
    } else {
        let unnamed = definition
            .containers()
            .any(|container| !is_named(container.name()));
        let bare = definition
            .containers()
            .find(|container| !is_named(container.image()));
        let bare = bare.map(|container| {
            format!(
                "container `{}` has no image",
                container.name().unwrap_or_default()
            )
        });
        bare.or_else(|| unnamed.then(|| "a container has no name".to_owned()))
    };
    match lacks {
        Some(why) => Found::wrong(why, "complete the task definition"),
        None if count == 1 => Found::Well("1 container".to_owned()),
        None => Found::Well(format!("{count} containers")),
    }
}

fn weighted_gates(flags: &Deploy, gates: &Gates, place: &Place<'_>) -> Result<(), Failure> {
    match flags.traffic.traffic_rule {
        Some(_) => crate::weighted::verify::gates(flags, gates, place),
        None => Ok(()),
    }
}

/// Reads the gates, and asks each of their sources once.
async fn gates(flags: &Deploy, place: &Place<'_>) -> Found {
    let asked = match Gates::of(&flags.gates, place) {
        Ok(gates) => match weighted_gates(flags, &gates, place) {
            Ok(()) => gates.preflight(place).await,
            refused => refused,
        },
        Err(failure) => Err(failure),
    };
    match asked {
        Ok(()) => Found::Well(String::new()),
        Err(failure) => failure.into(),
    }
}

/// What a deploy would change, and its name in words.
fn target<'a>(flags: &Deploy, place: &Place<'a>) -> (Place<'a>, String) {
    let traffic = &flags.traffic;
    match (
        &traffic.traffic_rule,
        &traffic.blue_service,
        &traffic.green_service,
    ) {
        (Some(_), Some(blue), Some(green)) => (
            place.beside(&format!("{}+{}", text::line(blue), text::line(green))),
            format!("services `{}` and `{}`", text::line(blue), text::line(green)),
        ),
        _ => (
            place.beside(&place.service),
            format!("service `{}`", place.service),
        ),
    }
}
