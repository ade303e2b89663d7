//! The first look: what each Service leads to, and what an earlier deploy left.

use serde_json::Value;

use super::stopped::Stopped;
use crate::adoption;
use crate::api::{Kind, Which};
use crate::back::{Came, tidy, traffic, without_canary};
use crate::cli::Deploy;
use crate::color;
use crate::error::Error;
use crate::image::{self, Change, Wanted};
use crate::lead::Lead;
use crate::live::{self, Live};
use crate::manifests::{Manifest, take_out};
use crate::object::{self, Labels};
use crate::place::Place;
use crate::rollback::own;
use crate::run::Run;
use crate::scaler;
use crate::state::{Phase, State};
use crate::story::Story;

/// A Service and what it leads to.
pub(super) struct Found {
    pub(super) lead: Lead,
    pub(super) live: Live,
    /// The selector that leads to what is live, and to nothing that another Deployment makes.
    pub(super) narrowed: Labels,
    /// The selector that was there before it was narrowed.
    pub(super) unnarrowed: Option<Labels>,
    /// What the new version is made from: the manifest's Deployment, else what is live.
    pub(super) from: Value,
    /// What images are wanted.
    pub(super) wanted: Vec<Wanted>,
    /// The images, before and after.
    pub(super) images: Vec<Change>,
    /// The autoscaler of what is live.
    pub(super) scaler: Option<Value>,
}

/// Looks at all Services.
pub(super) async fn look(
    flags: &Deploy,
    given: &mut Vec<Manifest>,
    story: &mut Story,
    place: &Place<'_>,
) -> Result<Vec<Found>, Stopped> {
    let wanted = wanted(flags)?;
    let mut found = Vec::new();
    for name in &flags.target.service {
        found.push(one(name, &wanted, flags, given, story, place).await?);
    }
    Ok(found)
}

/// The images that are asked for.
pub(super) fn wanted(flags: &Deploy) -> Result<Vec<Wanted>, Error> {
    let parse = |value: &String| {
        Wanted::parse(value).map_err(|error| Error::Flag {
            flag: "image",
            reason: error.to_string(),
        })
    };
    flags.version.image.iter().map(parse).collect()
}

async fn one(
    name: &str,
    wanted: &[Wanted],
    flags: &Deploy,
    given: &mut Vec<Manifest>,
    story: &mut Story,
    place: &Place<'_>,
) -> Result<Found, Stopped> {
    let mut lead = Lead::read(name, place).await?;
    let earlier = settled(&mut lead, story, place).await?;
    found(lead, earlier, wanted, flags, given, place).await
}

/// What a Service leads to, and what the new version is made from. Nothing is changed.
pub(super) async fn found(
    lead: Lead,
    earlier: Option<State>,
    wanted: &[Wanted],
    flags: &Deploy,
    given: &mut Vec<Manifest>,
    place: &Place<'_>,
) -> Result<Found, Stopped> {
    let label = color::label(flags.switch.color_label.as_deref(), &lead.selector());
    let label = label.map_err(|error| Error::Flag {
        flag: "color-label",
        reason: error.to_string(),
    })?;
    let (pods, sets, deployments) = behind(&lead, place).await?;
    let live = live::of(&lead.object, &label, &pods, &sets, &deployments).map_err(|error| Error::Unfit {
        help: Some(error.help().to_owned()),
        reason: error.to_string(),
    })?;
    let narrowed =
        adoption::selector(&live, &pods, &sets).map_err(|error| Error::unfit(error.to_string()))?;
    let unnarrowed = if narrowed == live.selector {
        // An earlier run that narrowed it did not come to the end.
        earlier
            .filter(|state| state.old.selector == live.selector)
            .and_then(|state| state.old.unnarrowed)
    } else {
        Some(live.selector.clone())
    };
    let from = made_from(&live, given)?;
    let mut template = from["spec"]["template"].clone();
    let images = image::apply(&mut template, wanted).map_err(|error| Error::Flag {
        flag: "image",
        reason: error.to_string(),
    })?;
    let scaler = scaler::find(live.side.name(), place).await?;
    Ok(Found {
        lead,
        live,
        narrowed,
        unnarrowed,
        from,
        wanted: wanted.to_vec(),
        images,
        scaler,
    })
}

/// The Deployment of the manifests whose pods the Service would select, taken out of them; without manifests what is live.
fn made_from(live: &Live, given: &mut Vec<Manifest>) -> Result<Value, Error> {
    if given.is_empty() {
        return Ok(live.side.deployment.clone());
    }
    let base = live.base();
    let is_it = |manifest: &&Manifest| {
        let labels = object::labels_at(&manifest.object, "/spec/template/metadata/labels");
        manifest.object["kind"] == "Deployment" && object::selects(&base, &labels)
    };
    let names: Vec<String> = given
        .iter()
        .filter(is_it)
        .map(|manifest| object::name(&manifest.object).to_owned())
        .collect();
    match &names[..] {
        [name] => Ok(take_out(given, "Deployment", name)
            .map(|manifest| manifest.object)
            .unwrap_or_default()),
        [] => Ok(live.side.deployment.clone()),
        several => Err(Error::Flag {
            flag: "manifests",
            reason: format!(
                "several Deployments have pods that Service `{}` would select: {}",
                live.service,
                object::listed(several.iter().map(String::as_str))
            ),
        }),
    }
}

/// Why a deploy that waits to be promoted is not this run's to undo; nothing where it does not wait, or is its own.
pub(super) fn of_another(lead: &Lead, state: &State, place: &Place<'_>) -> Option<Error> {
    let is_theirs = state.waits() && state.run != Run::of(place.runner).name;
    is_theirs.then(|| Error::Locked {
        service: lead.name.clone(),
        by: format!(
            "run `{}`, whose new version `{}` waits to be promoted or rolled back,",
            object::shown(&state.run),
            object::shown(&state.new.deployment)
        ),
    })
}

/// Brings to an end what an earlier run left: this run has the lock, so nobody else does.
async fn settled(lead: &mut Lead, story: &mut Story, place: &Place<'_>) -> Result<Option<State>, Stopped> {
    let Some(state) = lead.state()? else {
        return Ok(None);
    };
    if let Some(error) = of_another(lead, &state, place) {
        return Err(error.into());
    }
    match state.phase {
        Phase::RolledBack if state.canary.is_some() => {
            tidy(lead, &Came::Back(state), &own(None), story, place).await;
            return Ok(lead.state()?);
        }
        Phase::Done if state.canary.is_some() => {
            without_canary(lead, &state, place).await;
            return Ok(lead.state()?);
        }
        Phase::Done | Phase::RolledBack | Phase::Preparing => return Ok(Some(state)),
        Phase::Prepared if state.run == Run::of(place.runner).name => return Ok(Some(state)),
        Phase::Prepared | Phase::Canary | Phase::Overlap | Phase::Switched => {}
    }
    story.note(
        format!(
            "run `{}` did not finish its deploy to Service `{}`; it is undone first",
            object::shown(&state.run),
            lead.name
        ),
        place,
    );
    let how = own(None);
    let came = traffic(lead, &how, story, place).await?;
    tidy(lead, &came, &how, story, place).await;
    match came {
        Came::Back(state) | Came::Undone(state) => Ok(Some(state)),
        Came::Nothing(state) => Ok(state),
    }
}

/// The pods that a Service selects, with the ReplicaSets and Deployments behind them. Pods come first: an owner that is read later
/// knows all that it owned.
async fn behind(lead: &Lead, place: &Place<'_>) -> Result<(Vec<Value>, Vec<Value>, Vec<Value>), Error> {
    let selector = object::written(&lead.selector());
    let which = Which {
        labels: Some(&selector)
            .filter(|selector| !selector.is_empty())
            .map(String::as_str),
        fields: None,
    };
    let all = Which::default();
    let pods = listed(&Kind::pod(), &which, lead, place).await?;
    let sets = listed(&Kind::replica_set(), &all, lead, place).await?;
    let deployments = listed(&Kind::deployment(), &all, lead, place).await?;
    Ok((pods, sets, deployments))
}

async fn listed(kind: &Kind, which: &Which<'_>, lead: &Lead, place: &Place<'_>) -> Result<Vec<Value>, Error> {
    let listed = place.api.list(kind, &place.namespace, which).await;
    listed.map_err(Error::refused(format!(
        "read the {} behind Service `{}`",
        kind.plural, lead.name
    )))
}

/// What is live already, where all of it is what was asked for.
pub(super) fn unchanged(found: &[Found], flags: &Deploy) -> Option<String> {
    let is_same = |one: &Found| one.images.iter().all(Change::is_none);
    let is_asked = flags.version.manifests.is_empty() && flags.version.replicas.is_none();
    if !is_asked || !found.iter().all(is_same) {
        return None;
    }
    let live: Vec<String> = found
        .iter()
        .map(|one| format!("`{}`", object::shown(one.live.side.name())))
        .collect();
    Some(live.join(" and "))
}
