//! What a canary needs before it gets a part of the traffic: its Service, the subsets of a mesh, and routes that lead to it with the
//! weight 0.

use gha::text;
use serde_json::Value;

use super::PATIENCE;
use super::climb::{CONFIRM, both, lead, listed};
use super::shift::{self, Ready};
use super::stopped::Stopped;
use crate::api::Kind;
use crate::canary::division::Division;
use crate::canary::mesh::{self, Mesh};
use crate::canary::{Plan, undo};
use crate::confirm::confirm;
use crate::error::Error;
use crate::lead::Lead;
use crate::marks::marks;
use crate::object::{self, Labels};
use crate::place::Place;
use crate::put::put;
use crate::route::canary_service;
use crate::run::Run;
use crate::side;
use crate::state::State;
use crate::story::Story;

/// Checks what divides the traffic before anything is changed.
pub(super) async fn fits(
    service: &str,
    state: &State,
    new: &Value,
    place: &Place<'_>,
) -> Result<(), Stopped> {
    let divisions = undo::divisions(service, state, place).await?;
    if let Some(mesh) = Mesh::of(&divisions, place).await? {
        let writes = mesh.writes(&pods_of(new), &Labels::new());
        writes.map_err(|error| Error::unfit(error.to_string()))?;
    }
    for division in divisions {
        let read = division.read(place).await?;
        if let Some(keeps) = read.keeps {
            place.runner.warn(&format!("`{}`: {keeps}", division.route));
        }
    }
    Ok(())
}

/// Makes the canary's Service, and leads the routes to it with the weight 0.
pub(super) async fn enter(
    one: &Ready,
    plan: &Plan,
    divisions: &[Division],
    story: &mut Story,
    place: &Place<'_>,
) -> Result<(), Stopped> {
    if plan.by_pods() {
        return shift::foreign(one, &both(one), place).await;
    }
    let run = Run::of(place.runner);
    let marks = marks(&one.lead.name, &run);
    let sides = plan.sides(&one.lead.name, &place.namespace);
    let service = canary_service::of(&one.lead.object, &sides, &one.state.new.selector, &marks);
    let there = put(&Kind::service(), &service, place).await?;
    let canary = Lead {
        name: sides.canary,
        object: there,
    };
    confirm(&canary, &one.state.new.selector, 1, CONFIRM, place)
        .await
        .map_err(|why| Stopped::failed(why.to_string()))?;
    opened(one, divisions, &marks, place).await?;
    for division in divisions {
        division
            .enter(plan.header.as_ref(), &marks, PATIENCE, place)
            .await?;
        division.taken(place).await?;
    }
    let always = plan.header.as_ref().map(|header| {
        format!(
            "; requests with `{}` always reach the new version",
            text::line(&header.to_string())
        )
    });
    story.note(
        format!(
            "{} {} to `{}` with the weight 0{}",
            listed(divisions),
            lead(divisions),
            text::line(&canary.name),
            always.unwrap_or_default()
        ),
        place,
    );
    Ok(())
}

/// Sees to it that the subsets of a mesh to which routes lead take the new version's pods.
pub(super) async fn opened(
    one: &Ready,
    divisions: &[Division],
    marks: &Labels,
    place: &Place<'_>,
) -> Result<(), Stopped> {
    if !divisions.iter().any(|division| division.of_mesh().is_some()) {
        return Ok(());
    }
    let name = &one.state.new.deployment;
    let Some(new) = side::read(name, place).await? else {
        let name = text::line(name);
        return Err(Stopped::failed(format!("Deployment `{name}` is gone")));
    };
    mesh::enter(divisions, &pods_of(&new), marks, PATIENCE, place).await?;
    Ok(())
}

/// The labels of the pods of a Deployment.
fn pods_of(deployment: &Value) -> Labels {
    object::labels_at(deployment, "/spec/template/metadata/labels")
}
