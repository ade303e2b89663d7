//! The new version comes up beside the old one, without traffic: state, migration, Deployment, preview, and the wait for its pods.

use std::collections::BTreeMap;
use std::time::Duration;

use gha::text;
use serde_json::Value;

use super::PATIENCE;
use super::around;
use super::entry;
use super::look::Found;
use super::shift::Ready;
use super::stopped::Stopped;
use crate::api::Kind;
use crate::apply::{self, How};
use crate::canary::Plan;
use crate::cli::{Deploy, Retire};
use crate::color;
use crate::confirm::confirm;
use crate::copy::{self, Make};
use crate::error::Error;
use crate::image;
use crate::manifests::Manifest;
use crate::marks::marks;
use crate::migrate::{Asking, Terms};
use crate::migration::job::Way;
use crate::object;
use crate::place::Place;
use crate::pods::counted;
use crate::put::put;
use crate::rollback::know;
use crate::run::Run;
use crate::scaler;
use crate::scaling;
use crate::side::Size;
use crate::state::{Canary, Phase, Side, State};
use crate::story::Story;
use crate::up;

/// How long a Service that is narrowed may take to lead to the same pods again.
const NARROWED: Duration = Duration::from_secs(15);

/// Brings the new version of each Service up.
pub(super) async fn bring(
    found: Vec<Found>,
    given: &[Manifest],
    migration: Option<(&Asking, Option<&Manifest>)>,
    flags: &Deploy,
    canary: Option<&Canary>,
    story: &mut Story,
    place: &Place<'_>,
) -> Result<Vec<Ready>, Stopped> {
    let run = Run::of(place.runner);
    let mut made = Vec::new();
    for one in &found {
        made.push(free(one, flags, &run, place).await?);
        for change in &one.images {
            place.runner.info(&change.to_string());
        }
    }
    let (mut states, mut firsts) = (Vec::new(), Vec::new());
    for (one, new) in found.iter().zip(&made) {
        around::heeded(one, new, flags, place).await?;
        let state = state(one, new, flags, canary, &run, place);
        entry::fits(&one.lead.name, &state, new, place).await?;
        firsts.push(first(one, &state)?);
        states.push(state);
    }
    let mut ready = Vec::new();
    for (one, state) in found.iter().zip(states) {
        ready.push(announced(one, state, story, place).await?);
    }
    for (new, first) in made.iter_mut().zip(&firsts) {
        new["spec"]["replicas"] = (*first).into();
    }
    let leads: Vec<_> = ready.iter().map(|one| one.lead.clone()).collect();
    know(&leads, story, place);
    applied(given, &found, flags, story, place).await?;
    if let (Some((asking, job)), Some(new), Some(one)) = (migration, made.first(), found.first()) {
        let terms = Terms {
            way: Way::Up,
            limit: flags.migration.migrate_timeout,
            retry: flags.migration.retry_migration,
            api_grace: flags.times.api_grace,
        };
        asking
            .run(job, (&one.lead.name, new), &terms, story, place)
            .await?;
    }
    let mut brought: BTreeMap<String, u64> = BTreeMap::new();
    for ((one, new), first) in ready.iter_mut().zip(&made).zip(&firsts) {
        let name = object::name(new).to_owned();
        if !brought.contains_key(&name) {
            let there = put(&Kind::deployment(), new, place).await?;
            story.note(
                format!("`{}` comes up with {}", text::line(&name), counted(*first)),
                place,
            );
            brought.insert(name.clone(), *first);
            object::uid(&there).clone_into(&mut one.state.new.uid);
        }
        let preview = copy::preview_service(
            &one.lead.object,
            &one.state.new.selector,
            &color::preview(&one.lead.name),
            &marks(&one.lead.name, &run),
        );
        put(&Kind::service(), &preview, place).await?;
        let address = preview_url(&preview, place);
        story.know("preview-url", address, place);
    }
    for (one, first) in ready.iter().zip(&firsts) {
        let side = Side {
            replicas: *first,
            ..one.state.new.clone()
        };
        up::wait(&one.lead.name, &side, &flags.times, place).await?;
        story.note(
            format!(
                "`{}` is ready with {}, and every port of Service `{}` leads to it",
                text::line(&one.state.new.deployment),
                counted(*first),
                one.lead.name
            ),
            place,
        );
    }
    Ok(ready)
}

/// Applies what the manifests have beside the Deployments.
async fn applied(
    given: &[Manifest],
    found: &[Found],
    flags: &Deploy,
    story: &mut Story,
    place: &Place<'_>,
) -> Result<(), Stopped> {
    if given.is_empty() {
        return Ok(());
    }
    let how = How {
        dry_run: false,
        services: &flags.target.service,
        annotations: &[],
    };
    let changes = apply::apply(given, how, place).await.map_err(Error::from)?;
    for change in &changes {
        story.note(change.line(false), place);
    }
    for one in found {
        for touched in apply::touched(&changes, &one.live.side.deployment["spec"]["template"]) {
            place.runner.warn(&format!(
                "{touched} changed, and the old version uses it too: going back does not bring its old content back"
            ));
        }
    }
    Ok(())
}

/// The Deployment of the new version, where its name is free or holds what this may be put over.
pub(super) async fn free(
    one: &Found,
    flags: &Deploy,
    run: &Run,
    place: &Place<'_>,
) -> Result<Value, Stopped> {
    let color = one.live.next();
    let name = color::name(one.live.side.name(), color);
    let replicas = scaling::replicas(
        flags.version.replicas,
        &one.live.side.deployment,
        one.live.side.ready,
        one.scaler.as_ref(),
    );
    let make = Make {
        name: &name,
        label: &one.live.label,
        color,
        base: &one.live.base(),
        replicas,
        marks: &marks(&one.lead.name, run),
    };
    let mut new = copy::of(&one.from, &make).map_err(|error| Error::unfit(error.to_string()))?;
    image::apply(&mut new["spec"]["template"], &one.wanted)
        .map_err(|error| Error::unfit(error.to_string()))?;
    let there = place.api.get(&Kind::deployment(), &place.namespace, &name).await;
    let there = there.map_err(Error::refused(format!("read Deployment `{name}`")))?;
    if let Some(there) = there {
        let (theirs, ours) = (
            object::labels_at(&there, "/spec/selector/matchLabels"),
            object::labels_at(&new, "/spec/selector/matchLabels"),
        );
        if theirs != ours {
            return Err(Error::Unfit {
                reason: format!(
                    "Deployment `{name}` is there and selects `{}`, not `{}`: a selector can't be changed",
                    object::shown(&object::written(&theirs)),
                    object::shown(&object::written(&ours))
                ),
                help: Some(format!(
                    "delete it, if nothing needs it: `kubectl delete deployment {name} --namespace {}`",
                    gha::reproduce::quote(&place.namespace)
                )),
            }
            .into());
        }
    }
    Ok(new)
}

/// How many pods the new version comes up with: all that it needs, or what a canary's first step needs.
pub(super) fn first(one: &Found, state: &State) -> Result<u64, Stopped> {
    let full = state.new.replicas;
    let Some(canary) = &state.canary else {
        return Ok(full);
    };
    let plan = Plan::of(canary)?;
    let old = Size::of(&one.live.side.deployment).wanted;
    plan.fits(old)?;
    let first = plan.steps.as_slice().first();
    Ok(match first {
        Some(step) => plan.pods(step.weight, old, full)?,
        None => full,
    })
}

/// The state of a deploy that begins.
pub(super) fn state(
    one: &Found,
    new: &Value,
    flags: &Deploy,
    canary: Option<&Canary>,
    run: &Run,
    place: &Place<'_>,
) -> State {
    let color = one.live.next();
    let live = &one.live.side;
    let old = Side {
        selector: one.narrowed.clone(),
        deployment: live.name().to_owned(),
        uid: live.uid().to_owned(),
        color: one.live.color.map(|color| color.to_string()).unwrap_or_default(),
        replicas: object::number(&live.deployment, "/spec/replicas").unwrap_or(1),
        unnarrowed: one.unnarrowed.clone(),
    };
    State {
        v: State::schema(),
        phase: Phase::Preparing,
        run: run.name.clone(),
        link: run.link.clone(),
        trace: run.trace.clone(),
        at: place.runner.now(),
        new: Side {
            selector: one.live.selector_of(color),
            deployment: object::name(new).to_owned(),
            uid: String::new(),
            color: color.to_string(),
            replicas: object::number(new, "/spec/replicas").unwrap_or(1),
            unnarrowed: None,
        },
        old,
        scaler: one.scaler.as_ref().map(scaler::kept),
        canary: canary.cloned(),
        retire_after: None,
        retire_by_deleting: flags.switch.retire == Retire::Delete,
    }
}

/// Says on the Service that a deploy is under way, and narrows it to what is live: from here on anybody can undo it.
async fn announced(
    one: &Found,
    state: State,
    story: &mut Story,
    place: &Place<'_>,
) -> Result<Ready, Stopped> {
    let mut lead = one.lead.clone();
    lead.turn(&one.narrowed, Some(&state), PATIENCE, place).await?;
    if one.narrowed != one.live.selector {
        story.note(
            format!(
                "Service `{}` is narrowed to the pods that it leads to (`{}`); none of them restarts",
                lead.name,
                text::line(&object::written(&one.narrowed))
            ),
            place,
        );
        let least = u64::try_from(one.live.side.ready).unwrap_or(u64::MAX);
        let same = confirm(&lead, &one.narrowed, least, NARROWED, place).await;
        same.map_err(|why| Stopped::failed(why.to_string()))?;
    }
    let image = one.images.first().map(|change| change.new.clone());
    Ok(Ready {
        lead,
        state,
        image: image.unwrap_or_default(),
    })
}

/// Where the new version is before it has traffic, inside the cluster.
fn preview_url(preview: &Value, place: &Place<'_>) -> String {
    let port = object::entries(preview, "/spec/ports").first();
    let port = port.and_then(|port| port["port"].as_u64()).unwrap_or(80);
    let name = object::name(preview);
    text::line(&format!("http://{name}.{}.svc:{port}", place.namespace))
}

/// Writes what is known when the traffic has moved.
pub(super) fn know_switched(ready: &[Ready], story: &mut Story, place: &Place<'_>) {
    let leads: Vec<_> = ready.iter().map(|one| one.lead.clone()).collect();
    know(&leads, story, place);
    story.know("live-weight", "100", place);
}
