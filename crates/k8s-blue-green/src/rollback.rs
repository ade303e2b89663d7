//! The command `rollback`: the traffic moves back to the version before, from any machine. Its first write moves the traffic, and it
//! asks no lock for it: who undoes wins over who deploys, whose next write finds another state than it left.

use std::time::Duration;

use gha::outcome::Outcome;
use gha::{Exit, Failure, text};

use crate::back::{Came, How, tidy, traffic};
use crate::blue_green::stopped::Stopped;
use crate::cli;
use crate::error::Error;
use crate::lead::Lead;
use crate::migrate::{Asking, Terms};
use crate::migration::job::Way;
use crate::place::Place;
use crate::report;
use crate::side;
use crate::state::{Phase, State};
use crate::story::{Became, Story, conclude};

/// How long the write that moves the traffic is tried while the API server does not answer.
const PATIENCE: Duration = Duration::from_secs(120);

/// How long a migration down may take.
const MIGRATES: Duration = Duration::from_secs(15 * 60);

/// Runs the command.
///
/// # Errors
/// When there is nothing to go back to, or it could not be done.
pub async fn at(flags: &cli::Rollback, place: &Place<'_>) -> Result<Outcome, Failure> {
    let mut story = Story::of(&flags.target.service);
    let ended = Box::pin(all(flags, &mut story, place)).await;
    let ended = ended.map_err(|failure| story.complete(failure, place));
    conclude(&ended, place);
    report::summary(&ended, &story, place);
    ended
}

async fn all(flags: &cli::Rollback, story: &mut Story, place: &Place<'_>) -> Result<Outcome, Failure> {
    if flags.target.service.is_empty() {
        return Err(Error::Flag {
            flag: "service",
            reason: "name the Service whose traffic is to go back".to_owned(),
        }
        .into());
    }
    let asking = Asking::of("migrate-down", flags.migrate_down.as_ref())?;
    let how = How {
        run: None,
        even_done: true,
        patience: PATIENCE,
        revival: flags.times.timeout,
        keeps_new: false,
    };
    let mut leads = Vec::new();
    for name in &flags.target.service {
        leads.push(Lead::read(name, place).await?);
    }
    know(&leads, story, place);
    let going = async {
        migrated_down(asking.as_ref(), &leads, flags, story, place).await?;
        let mut came = Vec::new();
        for lead in leads.iter_mut().rev() {
            came.push((lead.name.clone(), traffic(lead, &how, story, place).await));
        }
        Ok::<_, Stopped>(came)
    };
    let came = match place.runner.cancel().guard(going).await {
        Ok(Ok(came)) => came,
        Ok(Err(stopped)) => {
            let headline = format!("{}; no traffic was moved", stopped.reason());
            return Err(story.failure(stopped.exit(), Became::Failed, headline, place));
        }
        Err(cancelled) => {
            let headline = format!(
                "{cancelled} while the traffic was going back; `k8s-blue-green status` shows where it is"
            );
            return Err(story.failure(cancelled.0.exit(), Became::Failed, headline, place));
        }
    };
    for (lead, (_, came)) in leads.iter_mut().rev().zip(&came) {
        if let Ok(came) = came {
            tidy(lead, came, &how, story, place).await;
        }
    }
    know(&leads, story, place);
    told(came, story, place)
}

/// Runs the migration down, in the version that is left, while it still has the traffic.
async fn migrated_down(
    asking: Option<&Asking>,
    leads: &[Lead],
    flags: &cli::Rollback,
    story: &mut Story,
    place: &Place<'_>,
) -> Result<(), Stopped> {
    let (Some(asking), Some(lead)) = (asking, leads.first()) else {
        return Ok(());
    };
    let Some(state) = lead.state()? else { return Ok(()) };
    if state.phase == Phase::RolledBack {
        return Ok(());
    }
    let name = &state.new.deployment;
    let Some(left) = side::read(name, place).await? else {
        return Err(Stopped::failed(format!(
            "Deployment `{}` is gone, so that there is nothing to migrate down in",
            text::line(name)
        )));
    };
    let terms = Terms {
        way: Way::Down,
        limit: MIGRATES,
        retry: true,
        api_grace: flags.times.api_grace,
    };
    asking.run(None, (&lead.name, &left), &terms, story, place).await
}

/// What it came to, of all Services.
fn told(
    came: Vec<(String, Result<Came, Error>)>,
    story: &Story,
    place: &Place<'_>,
) -> Result<Outcome, Failure> {
    let (mut back, mut already) = (Vec::new(), Vec::new());
    let mut failed: Option<(String, Error)> = None;
    for (service, came) in came {
        match came {
            Ok(Came::Back(state) | Came::Undone(state)) => back.push((service, state)),
            Ok(Came::Nothing(Some(state))) if state.phase == Phase::RolledBack => {
                already.push((service, state));
            }
            Ok(Came::Nothing(_)) => {
                let error = Error::Unfit {
                    reason: format!(
                        "nothing is known of a version before the one that Service `{service}` leads to"
                    ),
                    help: Some(
                        "deploy the version that you want again; a rolling deploy is taken back by `--workload`".to_owned(),
                    ),
                };
                failed.get_or_insert((service, error));
            }
            Err(error) => {
                failed.get_or_insert((service, error));
            }
        }
    }
    if let Some((service, error)) = failed {
        if back.is_empty() {
            return Err(error.into());
        }
        let others: Vec<String> = back.iter().map(|(service, _)| format!("`{service}`")).collect();
        let headline = format!(
            "{} went back, and Service `{service}` did not: {error}",
            others.join(", ")
        );
        return Err(story.failure(Exit::NeedsHuman, Became::Failed, headline, place));
    }
    let words = |all: &[(String, State)]| {
        let each = all.iter().map(|(service, state)| {
            format!(
                "Service `{service}` leads to `{}`",
                text::line(&state.serving().deployment)
            )
        });
        each.collect::<Vec<_>>().join(", ")
    };
    if back.is_empty() {
        let headline = format!("{} already; nothing to do", words(&already));
        place.runner.info(&headline);
        return Ok(story.outcome(Became::Unchanged, headline, place));
    }
    let headline = format!("{} again", words(&back));
    place.runner.info(&headline);
    Ok(story.outcome(Became::RolledBack, headline, place))
}

/// Writes what is known of who serves.
pub(crate) fn know(leads: &[Lead], story: &mut Story, place: &Place<'_>) {
    let states: Vec<State> = leads
        .iter()
        .filter_map(|lead| lead.state().ok().flatten())
        .collect();
    story.know("service", story.targets.join("\n"), place);
    let Some(state) = states.first() else { return };
    let (live, other) = if *state.serving() == state.new {
        (&state.new, &state.old)
    } else {
        (&state.old, &state.new)
    };
    story.know("live-color", text::line(&live.color), place);
    story.know("previous-color", text::line(&other.color), place);
    story.know("revision", text::line(&live.deployment), place);
}

/// The command line that moves the traffic of these Services back.
#[must_use]
pub fn line(services: &[String], place: &Place<'_>) -> String {
    let services: String = services
        .iter()
        .map(|name| format!(" --service {}", gha::reproduce::quote(name)))
        .collect();
    format!("k8s-blue-green rollback{services}{}", place.again())
}

/// The same where a run goes back by itself: what it left, or what one of that name left.
pub(crate) fn own(run: Option<String>) -> How {
    How {
        run,
        even_done: false,
        patience: PATIENCE,
        revival: Duration::from_secs(10 * 60),
        keeps_new: false,
    }
}
