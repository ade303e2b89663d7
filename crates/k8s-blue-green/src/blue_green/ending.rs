//! How a deploy ends that did not go well: the traffic is where it was before, or the message says where it is and what to run.

use std::time::Duration;

use gha::edge::cancel::Cancelled;
use gha::{Exit, Failure, text};
use serde_json::Value;
use tokio::time::timeout;

use super::stopped::Stopped;
use crate::api::Kind;
use crate::back::{self, Came, tidy, traffic};
use crate::cli::Undo;
use crate::diagnose::{self, About};
use crate::error::Error;
use crate::lead::Lead;
use crate::place::Place;
use crate::rollback::{know, line, own};
use crate::run::Run;
use crate::state::{Phase, State};
use crate::story::{Became, Story};

/// How long a cancelled run may take to bring the traffic back.
const LEAVE: Duration = Duration::from_millis(3000);

/// How long it may then take to take the new version's pods away.
const TIDY: Duration = Duration::from_millis(1000);

/// The end of a deploy that stopped by itself.
pub(super) async fn stopped(
    stopped: Stopped,
    services: &[String],
    undo: Undo,
    story: &mut Story,
    place: &Place<'_>,
) -> Failure {
    let reason = stopped.reason();
    if stopped.is_foreign() {
        return superseded(&stopped, services, undo, story, place).await;
    }
    if undo == Undo::Leave {
        return left(&stopped, services, story, place).await;
    }
    let came = taken_back(services, |_| true, story, place).await;
    story.undo = None;
    if let Some((name, error)) = came
        .iter()
        .find_map(|(name, came)| Some((name, came.as_ref().err()?)))
    {
        if matches!(error, Error::Foreign { .. }) {
            let headline = format!("{reason}; {error}");
            return story.failure(Exit::Locked, Became::Superseded, headline, place);
        }
        let headline = format!(
            "{reason}; and Service `{}` did not go back: {error}",
            text::line(name)
        );
        let failure = story.failure(Exit::NeedsHuman, Became::Failed, headline, place);
        return failure.help(format!("run `{}`", line(services, place)));
    }
    let back = came.iter().find_map(|(_, came)| match came {
        Ok(Came::Back(state)) => Some(state),
        _ => None,
    });
    let undone = came.iter().find_map(|(_, came)| match came {
        Ok(Came::Undone(state)) => Some(state),
        _ => None,
    });
    match (back, undone) {
        (Some(state), _) => {
            let headline = format!(
                "{reason}; `{}` has the traffic again",
                text::line(&state.old.deployment)
            );
            story.failure(after(&stopped), Became::RolledBack, headline, place)
        }
        (None, Some(state)) => {
            let headline = format!(
                "{reason}; no traffic had moved, `{}` serves",
                text::line(&state.old.deployment)
            );
            story.failure(after(&stopped), Became::Failed, headline, place)
        }
        (None, None) => match stopped {
            Stopped::Error(error) => (*error).into(),
            Stopped::Failed { exit, reason } => story.failure(exit, Became::Failed, reason, place),
        },
    }
}

/// Takes back what this run did to these Services, the last one first: the traffic of all of them, then all else.
async fn taken_back<'a>(
    services: &'a [String],
    concerns: impl Fn(&Lead) -> bool,
    story: &mut Story,
    place: &Place<'_>,
) -> Vec<(&'a String, Result<Came, Error>)> {
    let how = own(Some(Run::of(place.runner).name));
    let (mut leads, mut came) = (Vec::new(), Vec::new());
    for name in services.iter().rev() {
        let mut lead = match Lead::read(name, place).await {
            Ok(lead) if concerns(&lead) => lead,
            Ok(_) => continue,
            // What is gone leads nowhere.
            Err(Error::NoService { .. }) => continue,
            Err(error) => {
                came.push((name, Err(error)));
                continue;
            }
        };
        match traffic(&mut lead, &how, story, place).await {
            Ok(one) => leads.push((name, lead, one)),
            Err(error) => came.push((name, Err(error))),
        }
    }
    for (name, mut lead, one) in leads {
        explained(&one, name, story, place).await;
        tidy(&mut lead, &one, &how, story, place).await;
        know(std::slice::from_ref(&lead), story, place);
        came.push((name, Ok(one)));
    }
    came
}

/// The end of a deploy whose Service somebody else changed. That one is theirs; of several, the others go back, as they are
/// switched all or none. Where another run took the lock, it does that.
async fn superseded(
    stopped: &Stopped,
    services: &[String],
    undo: Undo,
    story: &mut Story,
    place: &Place<'_>,
) -> Failure {
    let mut reason = stopped.reason();
    let is_ours = matches!(stopped, Stopped::Error(error) if matches!(**error, Error::Foreign { .. }));
    if is_ours && services.len() > 1 && undo == Undo::Rollback {
        for (name, came) in taken_back(services, Lead::is_as_left, story, place).await {
            let name = text::line(name);
            match came {
                Ok(Came::Back(state)) => {
                    let old = text::line(&state.old.deployment);
                    reason += &format!("; Service `{name}` leads to `{old}` again");
                }
                Ok(_) => {}
                Err(error) => reason += &format!("; and Service `{name}` did not go back: {error}"),
            }
        }
    }
    story.undo = None;
    let failure = story.failure(Exit::Locked, Became::Superseded, reason, place);
    failure.help(format!(
        "`k8s-blue-green status{}` shows what serves",
        again(services, place)
    ))
}

/// Says why the new version's pods are not well, while they are there to be asked.
async fn explained(came: &Came, service: &str, story: &mut Story, place: &Place<'_>) {
    let (Came::Back(state) | Came::Undone(state)) = came else {
        return;
    };
    let about = About {
        workloads: vec![(Kind::deployment(), state.new.deployment.clone())],
        services: vec![service.to_owned()],
    };
    let facts = diagnose::collect(place, &about).await;
    let findings = diagnose::findings(&facts, place.runner.now());
    place
        .runner
        .group(&format!("why `{}` failed", text::line(&state.new.deployment)));
    findings.lines().iter().for_each(|line| place.runner.info(line));
    place.runner.end_group();
    story.findings = Some(findings);
}

/// The exit code where all was undone: what was wrong is not the flags any more.
fn after(stopped: &Stopped) -> Exit {
    match stopped.exit() {
        Exit::Inconclusive => Exit::Inconclusive,
        Exit::Access => Exit::Access,
        _ => Exit::Failed,
    }
}

/// A failure that is left as it is, because that was asked for.
async fn left(stopped: &Stopped, services: &[String], story: &mut Story, place: &Place<'_>) -> Failure {
    let mut moved = false;
    for name in services {
        if let Ok(lead) = Lead::read(name, place).await
            && let Ok(Some(state)) = lead.state()
            && state.run == Run::of(place.runner).name
        {
            moved |= has_moved(&state);
            know(std::slice::from_ref(&lead), story, place);
        }
    }
    let reason = stopped.reason();
    let (exit, where_) = if moved {
        (
            Exit::NeedsHuman,
            "the new version has traffic, as `--on-failure leave` asks",
        )
    } else {
        (
            after(stopped),
            "no traffic moved, and the new version's pods stay, as `--on-failure leave` asks",
        )
    };
    let failure = story.failure(exit, Became::Failed, format!("{reason}; {where_}"), place);
    failure.help(format!(
        "`k8s-blue-green recover{}` undoes it",
        again(services, place)
    ))
}

fn has_moved(state: &State) -> bool {
    matches!(
        state.phase,
        Phase::Canary | Phase::Overlap | Phase::Switched | Phase::Done
    )
}

/// The end of a deploy that a signal ended.
pub(super) async fn cancelled(
    cancelled: Cancelled,
    services: &[String],
    undo: Undo,
    story: &mut Story,
    place: &Place<'_>,
) -> Failure {
    let exit = cancelled.0.exit();
    let recover = format!(
        "`k8s-blue-green recover{}` undoes what is left",
        again(services, place)
    );
    if undo == Undo::Leave {
        let headline = format!("{cancelled}; everything is left as it is, as `--on-cancel leave` asks");
        return story.failure(exit, Became::Failed, headline, place).help(recover);
    }
    let unread = |name: &String| Lead {
        name: name.clone(),
        object: Value::Null,
    };
    let mut leads: Vec<Lead> = services.iter().map(unread).collect();
    let came = back::at_once(&mut leads, LEAVE, story, place).await;
    know(&leads, story, place);
    let states: Vec<State> = came
        .iter()
        .filter_map(|came| match came {
            Ok(Came::Back(state) | Came::Undone(state)) => Some(state.clone()),
            _ => None,
        })
        .collect();
    // What there is no time for is left to the step that recovers; and pods that had traffic a moment ago are still reached.
    let moved = came.iter().any(|came| matches!(came, Ok(Came::Back(_))));
    let tidying = async {
        for state in &states {
            back::retire_new(state, place).await;
        }
    };
    let is_tidy = !moved
        && timeout(TIDY, tidying).await.is_ok()
        && states.iter().all(|state| state.old.unnarrowed.is_none());
    if let Some(error) = came.iter().find_map(|came| came.as_ref().err()) {
        let headline = format!("{cancelled}; {error}");
        return story.failure(exit, Became::Failed, headline, place).help(recover);
    }
    let is_done = leads.iter().any(|lead| {
        lead.state()
            .is_ok_and(|state| state.is_some_and(|state| state.phase == Phase::Done))
    });
    let serves = states.first().map(|state| text::line(&state.old.deployment));
    let (became, headline) = match (moved, serves) {
        (true, Some(old)) => (
            Became::RolledBack,
            format!("{cancelled}; `{old}` has the traffic again"),
        ),
        (_, Some(old)) => (
            Became::Failed,
            format!("{cancelled}; no traffic had moved, `{old}` serves"),
        ),
        _ if is_done => (
            Became::Deployed,
            format!("{cancelled} when the new version had the traffic for good"),
        ),
        _ => (Became::Failed, format!("{cancelled}; nothing was changed")),
    };
    if became != Became::Deployed {
        story.undo = None;
    }
    let failure = story.failure(exit, became, headline, place);
    if is_tidy { failure } else { failure.help(recover) }
}

fn again(services: &[String], place: &Place<'_>) -> String {
    let services: String = services
        .iter()
        .map(|name| format!(" --service {}", gha::reproduce::quote(name)))
        .collect();
    services + &place.again()
}
