//! The switch: from both versions ready to the new one confirmed. It needs nothing but the Services and their states, so that
//! `promote` goes the same way from a fresh machine.

use std::time::Duration;

use gha::{duration, text};
use tokio::time::sleep;

use super::soak;
use super::stopped::Stopped;
use crate::api::{Kind, Which};
use crate::cli::{Switch, SwitchBy};
use crate::confirm::confirm;
use crate::error::Error;
use crate::front;
use crate::lead::Lead;
use crate::object::{self, Labels};
use crate::place::Place;
use crate::scaler;
use crate::side::{self, Size};
use crate::state::{Phase, State};
use crate::story::Story;

/// How long a Service may take to lead to the new version's pods alone.
const CONFIRM: Duration = Duration::from_secs(15);

/// How long a write is tried.
const PATIENCE: Duration = Duration::from_secs(30);

/// A Service whose new version is ready.
pub struct Ready {
    /// The Service.
    pub lead: Lead,
    /// Its state.
    pub state: State,
    /// The image of its new version's first container; empty where it is not known.
    pub image: String,
}

/// Switches all Services, in the order given.
///
/// # Errors
/// When one could not be switched: those before it have been.
pub async fn all(
    ready: &mut [Ready],
    flags: &Switch,
    warm_up: Duration,
    story: &mut Story,
    place: &Place<'_>,
) -> Result<(), Stopped> {
    for one in ready.iter_mut() {
        grown(one, warm_up, story, place).await?;
    }
    for one in ready.iter_mut() {
        switch(one, flags, story, place).await?;
    }
    for one in ready.iter_mut() {
        arrived(one, story, place).await?;
    }
    Ok(())
}

/// Gives the new version as many pods as the old one has by now: load may have grown since it was made.
pub(super) async fn grown(
    one: &mut Ready,
    limit: Duration,
    story: &mut Story,
    place: &Place<'_>,
) -> Result<(), Stopped> {
    let (old, new) = (&one.state.old.deployment, &one.state.new.deployment);
    let needed = match side::read(old, place).await? {
        Some(deployment) => Size::of(&deployment)
            .wanted
            .min(one.state.old.replicas.max(1) * 10),
        None => 0,
    };
    let Some(deployment) = side::read(new, place).await? else {
        return Err(Stopped::failed(format!(
            "Deployment `{}` is gone",
            text::line(new)
        )));
    };
    let wanted = one.state.new.replicas.max(1);
    let wanted = if one.state.new.replicas >= one.state.old.replicas {
        wanted.max(needed)
    } else {
        wanted
    };
    let size = Size::of(&deployment);
    if size.wanted < wanted {
        story.note(
            format!(
                "`{}` has {needed} pods by now; `{}` gets {wanted}",
                text::line(old),
                text::line(new)
            ),
            place,
        );
        let scaled = side::scale(new, &one.state.new.uid, wanted, PATIENCE, place).await;
        scaled.map_err(Error::refused(format!("scale Deployment `{}`", text::line(new))))?;
        one.state.new.replicas = wanted;
    }
    let seen = side::until_ready(new, wanted, limit, place).await;
    if seen.ready < wanted {
        return Err(Stopped::failed(format!(
            "{} of {wanted} pods of `{}` are ready, and none is to be missing when it gets the traffic",
            seen.ready,
            text::line(new)
        )));
    }
    Ok(())
}

async fn switch(
    one: &mut Ready,
    flags: &Switch,
    story: &mut Story,
    place: &Place<'_>,
) -> Result<(), Stopped> {
    let name = one.lead.name.clone();
    let both = object::common(&one.state.old.selector, &one.state.new.selector);
    let why = match flags.switch {
        // Pods that divide the traffic are behind it together already.
        _ if one.lead.selector() == both && one.state.canary.is_some() => None,
        SwitchBy::Atomic => None,
        SwitchBy::Overlap => Some("it was asked for".to_owned()),
        SwitchBy::Auto => in_front(&one.lead, place).await,
    };
    if let Some(why) = why {
        overlap(one, flags.overlap, &why, story, place).await?;
    }
    let (selector, state) = (
        one.state.new.selector.clone(),
        one.state.at_phase(Phase::Switched, place.runner.now()),
    );
    one.lead.turn(&selector, Some(&state), PATIENCE, place).await?;
    one.state = state;
    story.note(
        format!(
            "Service `{name}` leads to `{}` (`{}`)",
            text::line(&one.state.new.deployment),
            text::line(&object::written(&selector))
        ),
        place,
    );
    Ok(())
}

/// Has both versions behind the Service for a while.
async fn overlap(
    one: &mut Ready,
    time: Duration,
    why: &str,
    story: &mut Story,
    place: &Place<'_>,
) -> Result<(), Stopped> {
    let both = object::common(&one.state.old.selector, &one.state.new.selector);
    foreign(one, &both, place).await?;
    let state = one.state.at_phase(Phase::Overlap, place.runner.now());
    one.lead.turn(&both, Some(&state), PATIENCE, place).await?;
    one.state = state;
    story.note(
        format!(
            "Service `{}` leads to both versions for {}, because {why}",
            one.lead.name,
            duration::display(time)
        ),
        place,
    );
    let least = one.state.old.replicas.min(1) + one.state.new.replicas;
    confirm(&one.lead, &both, least, CONFIRM, place)
        .await
        .map_err(|why| Stopped::failed(why.to_string()))?;
    place.runner.heartbeat(format!(
        "Service `{}` leads to both versions for {}",
        text::line(&one.lead.name),
        duration::display(time)
    ));
    sleep(time).await;
    Ok(())
}

/// Refuses an overlap that would lead traffic to pods of neither version.
pub(super) async fn foreign(one: &Ready, both: &Labels, place: &Place<'_>) -> Result<(), Stopped> {
    let service = &one.lead.name;
    if both.is_empty() {
        return Err(Stopped::failed(format!(
            "Service `{service}` can't lead to both versions: their selectors have no label in common; use `--switch atomic`"
        )));
    }
    let written = object::written(both);
    let which = Which {
        labels: Some(&written),
        fields: None,
    };
    let pods = place.api.list(&Kind::pod(), &place.namespace, &which).await;
    let pods = pods.map_err(Error::refused(format!("read the pods of Service `{service}`")))?;
    let sides = [&one.state.old.selector, &one.state.new.selector];
    let strange = pods.iter().find(|pod| {
        let labels = object::labels(pod);
        !object::is_leaving(pod) && !sides.iter().any(|side| object::selects(side, &labels))
    });
    match strange {
        None => Ok(()),
        Some(pod) => Err(Stopped::failed(format!(
            "pod `{}` is of neither version and would get traffic of Service `{service}` while both serve; use `--switch atomic`, or \
             give it other labels than `{}`",
            text::line(object::name(pod)),
            text::line(&written)
        ))),
    }
}

/// What in front of the Service needs both versions behind it. What may not be read is taken as not there, and said.
pub(super) async fn in_front(lead: &Lead, place: &Place<'_>) -> Option<String> {
    let all = Which::default();
    let written = object::written(&lead.selector());
    let of_it = Which {
        labels: Some(&written),
        fields: None,
    };
    let (namespace, api) = (&place.namespace, &place.api);
    let mut unseen = Vec::new();
    let mut listed = |kind: Kind, found: Result<Vec<_>, crate::api::Refused>| match found {
        Ok(found) => found,
        Err(refused) if refused.is_missing() => Vec::new(),
        Err(_) => {
            unseen.push(kind.plural);
            Vec::new()
        }
    };
    let ingresses = listed(Kind::ingress(), api.list(&Kind::ingress(), namespace, &all).await);
    let routes = listed(
        Kind::http_route(),
        api.list(&Kind::http_route(), namespace, &all).await,
    );
    let pods = listed(Kind::pod(), api.list(&Kind::pod(), namespace, &of_it).await);
    if !unseen.is_empty() {
        place.runner.info(&format!(
            "whether a load balancer is in front of Service `{}` is not all known ({} can't be read); say it with `--switch`",
            lead.name,
            unseen.join(", ")
        ));
    }
    front::needs_overlap(&lead.object, &ingresses, &routes, &pods)
}

/// The traffic has arrived: the autoscaler follows it.
async fn arrived(one: &mut Ready, story: &mut Story, place: &Place<'_>) -> Result<(), Stopped> {
    let (selector, least) = (one.state.new.selector.clone(), one.state.new.replicas.max(1));
    if let Err(why) = confirm(&one.lead, &selector, least, CONFIRM, place).await {
        // Somebody who set the Service back meanwhile is no fault of the version.
        soak::ours(one, place).await?;
        return Err(Stopped::failed(why.to_string()));
    }
    if let Some(known) = &one.state.scaler {
        let sides = (&*one.state.old.deployment, &*one.state.new.deployment);
        let pointed = scaler::point(known, sides, Some(one.state.new.replicas), place).await;
        pointed.map_err(Error::refused(format!(
            "point autoscaler `{}` at the new version",
            known.name
        )))?;
        story.note(
            format!(
                "autoscaler `{}` scales `{}` now, with at least {} pods while it is watched",
                known.name,
                text::line(&one.state.new.deployment),
                one.state.new.replicas
            ),
            place,
        );
    }
    Ok(())
}
