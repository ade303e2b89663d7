//! The command `gc`: old versions whose time is over are retired, so that no run has to wait for that.

use gha::outcome::Outcome;
use gha::{Failure, Status, text};

use crate::api::{Kind, Which};
use crate::cli;
use crate::error::Error;
use crate::lead::Lead;
use crate::object;
use crate::place::Place;
use crate::retire::{is_due, retire};
use crate::state::State;

/// Runs the command.
///
/// # Errors
/// When the Services can't be read.
pub async fn at(flags: &cli::Gc, place: &Place<'_>) -> Result<Outcome, Failure> {
    let working = Box::pin(all(flags, place));
    let ended = place.runner.cancel().guard(working).await;
    ended.unwrap_or_else(|cancelled| Err(cancelled.into()))
}

async fn all(flags: &cli::Gc, place: &Place<'_>) -> Result<Outcome, Failure> {
    let mut leads = Vec::new();
    if flags.service.is_empty() {
        let services = place
            .api
            .list(&Kind::service(), &place.namespace, &Which::default())
            .await
            .map_err(Error::refused("read the Services"))?;
        leads.extend(services.into_iter().map(|object| Lead {
            name: object::name(&object).to_owned(),
            object,
        }));
    } else {
        for name in &flags.service {
            leads.push(Lead::read(name, place).await?);
        }
    }
    let mut done = Vec::new();
    let mut failed = None;
    for lead in &mut leads {
        match one(lead, flags.dry_run, place).await {
            Ok(Some(line)) => {
                place.runner.info(&line);
                done.push(line);
            }
            Ok(None) => {}
            // One that can't be retired keeps none of the others.
            Err(error) => {
                place
                    .runner
                    .warn(&format!("Service `{}`: {error}", text::line(&lead.name)));
                failed.get_or_insert(error);
            }
        }
    }
    if let Some(error) = failed {
        return Err(error.into());
    }
    let headline = match (done.len(), flags.dry_run) {
        (0, _) => format!(
            "nothing is to be retired in namespace `{}`",
            text::line(&place.namespace)
        ),
        (_, true) => format!("{} to be retired", count(done.len())),
        (_, false) => format!("{} retired", count(done.len())),
    };
    place.runner.info(&headline);
    let status = if done.is_empty() {
        Status::Unchanged
    } else {
        Status::Done
    };
    Ok(Outcome {
        dry_run: flags.dry_run,
        ..Outcome::new(status, headline)
            .target(place.target(&flags.service.join(",")))
            .fact("retired", done)
    })
}

async fn one(lead: &mut Lead, dry_run: bool, place: &Place<'_>) -> Result<Option<String>, Error> {
    let Some(state) = lead.state()? else {
        return Ok(None);
    };
    if !dry_run {
        return retire(lead, place).await;
    }
    Ok(is_due(&state, lead, place).then(|| would(&state)))
}

fn would(state: &State) -> String {
    let what = if state.retire_by_deleting {
        "deleted"
    } else {
        "scaled to no pods"
    };
    format!(
        "Deployment `{}` would be {what}",
        text::line(&state.old.deployment)
    )
}

fn count(count: usize) -> String {
    match count {
        1 => "1 old version is".to_owned(),
        count => format!("{count} old versions are"),
    }
}
