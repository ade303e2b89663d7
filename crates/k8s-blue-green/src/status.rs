//! The command `status`: what serves, what is under way, and how the way back is. Nothing is changed.

use gha::outcome::Outcome;
use gha::{Failure, Status, text};
use jiff::Timestamp;
use serde_json::{Value, json};

use crate::api::Kind;
use crate::canary::undo;
use crate::cli;
use crate::error::Error;
use crate::lead::{Lead, managers};
use crate::lock;
use crate::object;
use crate::place::Place;
use crate::rollback;
use crate::side::{self, Size};
use crate::state::{Phase, Side, State};

/// Runs the command.
///
/// # Errors
/// When a Service can't be read.
pub async fn at(flags: &cli::Status, place: &Place<'_>) -> Result<Outcome, Failure> {
    let looking = Box::pin(all(flags, place));
    let ended = place.runner.cancel().guard(looking).await;
    ended.unwrap_or_else(|cancelled| Err(cancelled.into()))
}

async fn all(flags: &cli::Status, place: &Place<'_>) -> Result<Outcome, Failure> {
    let services = &flags.target.service;
    if services.is_empty() {
        return Err(Error::Flag {
            flag: "service",
            reason: "name the Service whose traffic is asked about".to_owned(),
        }
        .into());
    }
    let (mut headlines, mut facts) = (Vec::new(), Vec::new());
    for name in services {
        let lead = Lead::read(name, place).await?;
        let state = lead.state()?;
        let headline = headline(&lead, state.as_ref());
        place.runner.info(&headline);
        let mut fact = json!({
            "service": text::line(name),
            "selector": text::line(&object::written(&lead.selector())),
        });
        if let Some(state) = &state {
            for line in lines(&lead, state, place).await {
                place.runner.info(&line);
            }
            fact["phase"] = serde_json::to_value(state.phase).unwrap_or_default();
            fact["live"] = json!(text::line(&state.serving().deployment));
            fact["run"] = json!(text::line(&state.run));
        }
        locked(name, place).await;
        headlines.push(headline);
        facts.push(fact);
    }
    Ok(Outcome {
        dry_run: true,
        ..Outcome::new(Status::Unchanged, headlines.join("; "))
            .target(place.target(&services.join(",")))
            .fact("services", facts)
    })
}

fn headline(lead: &Lead, state: Option<&State>) -> String {
    let selector = text::line(&object::written(&lead.selector()));
    let name = text::line(&lead.name);
    match state {
        None => format!("Service `{name}` selects `{selector}`; this program has not deployed to it"),
        Some(state) if lead.is_as_left() => {
            let (old, new) = (
                text::line(&state.old.deployment),
                text::line(&state.new.deployment),
            );
            let to = match lead.selector() == state.serving().selector {
                true => format!("`{}`", text::line(&state.serving().deployment)),
                false => format!("`{old}` and `{new}`"),
            };
            format!("Service `{name}` leads to {to}: {}", state.phase.words())
        }
        Some(state) => {
            let by = managers(&lead.object);
            format!(
                "Service `{name}` selects `{selector}`, which is not what the deploy of run `{}` left{}",
                text::line(&state.run),
                if by.is_empty() {
                    String::new()
                } else {
                    format!("; {by} wrote it")
                }
            )
        }
    }
}

/// The sides, the run, and the way back.
async fn lines(lead: &Lead, state: &State, place: &Place<'_>) -> Vec<String> {
    let mut lines = Vec::new();
    for (what, side) in [("old", &state.old), ("new", &state.new)] {
        lines.push(format!("{what}: {}", of_side(side, place).await));
    }
    let link = state.link.as_ref().map(|link| format!(" ({})", text::line(link)));
    lines.push(format!(
        "run `{}`{}, at {:.0}",
        text::line(&state.run),
        link.unwrap_or_default(),
        state.at
    ));
    lines.extend(canary(lead, state, place).await);
    if let Some(until) = state.retire_after {
        lines.push(format!("the side without traffic is kept until {until:.0}"));
    }
    if state.phase != Phase::RolledBack {
        let services = [lead.name.clone()];
        lines.push(format!("the way back: {}", rollback::line(&services, place)));
    }
    lines
}

/// What a canary has, and what its routes give it.
async fn canary(lead: &Lead, state: &State, place: &Place<'_>) -> Vec<String> {
    let Some(canary) = &state.canary else {
        return Vec::new();
    };
    let waits = if state.waits() {
        ", and waits to be promoted"
    } else {
        ""
    };
    let mut lines = vec![format!(
        "canary: {} of the traffic is asked for{waits}; steps `{}`",
        text::line(canary.weight.as_deref().unwrap_or("0%")),
        text::line(&canary.steps)
    )];
    let divisions = match undo::divisions(&lead.name, state, place).await {
        Ok(divisions) => divisions,
        Err(error) => return vec![error.to_string()],
    };
    for division in divisions {
        let route = text::line(&division.route.to_string());
        lines.push(match division.read(place).await {
            Ok(read) => format!("`{route}` gives the new version {:.1} %", read.percent()),
            Err(error) => format!("`{route}`: {error}"),
        });
    }
    lines
}

async fn of_side(side: &Side, place: &Place<'_>) -> String {
    let name = text::line(&side.deployment);
    let said = match side::read(&side.deployment, place).await {
        Ok(Some(deployment)) => {
            let size = Size::of(&deployment);
            format!(
                "{} of {} pods are ready; {}",
                size.ready,
                size.wanted,
                images(&deployment)
            )
        }
        Ok(None) => "it is not there".to_owned(),
        Err(error) => error.to_string(),
    };
    let color = if side.color.is_empty() {
        String::new()
    } else {
        format!(" ({})", text::line(&side.color))
    };
    format!("`{name}`{color}: {said}")
}

/// The images of a Deployment's containers.
fn images(deployment: &Value) -> String {
    let containers = object::entries(deployment, "/spec/template/spec/containers").iter();
    let each: Vec<String> = containers
        .map(|container| format!("`{}`", text::line(object::text(container, "/image"))))
        .collect();
    each.join(", ")
}

/// Who holds the lock.
async fn locked(service: &str, place: &Place<'_>) {
    let lease = place
        .api
        .get(&Kind::lease(), &place.namespace, &lock::name(service))
        .await;
    let Ok(Some(lease)) = lease else { return };
    let holder = object::text(&lease, "/spec/holderIdentity");
    if holder.is_empty() {
        return;
    }
    let renewed: Option<Timestamp> = object::text(&lease, "/spec/renewTime").parse().ok();
    let renewed = renewed
        .map(|at| format!(", renewed at {at:.0}"))
        .unwrap_or_default();
    place
        .runner
        .info(&format!("run `{}` holds the lock{renewed}", text::line(holder)));
}
