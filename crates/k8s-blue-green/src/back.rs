//! The way back: what a Service's own state says is undone, from whatever machine. Its first write moves the traffic; all else
//! follows. It needs nothing of the run that deployed.

use std::time::Duration;

use gha::{duration, text};
use tokio::time::{Instant, sleep, timeout};

use crate::api::{Kind, Refused, Still};
use crate::canary::undo;
use crate::color::preview;
use crate::confirm::confirm;
use crate::error::Error;
use crate::lead::Lead;
use crate::object;
use crate::place::Place;
use crate::run::Run;
use crate::scaler;
use crate::side::{self, Size};
use crate::state::{Phase, Side, State};
use crate::story::Story;

/// How long a Service may take to lead to the old version's pods alone.
const CONFIRM: Duration = Duration::from_secs(15);

/// How long the pods of the new version may take to end, where the Service can be widened only then.
const ENDS: Duration = Duration::from_secs(90);

/// How long the proxies of the nodes may take to follow what the API says: until then requests still reach the pods that lost the
/// traffic (kube-proxy syncs at least each second; large clusters take longer).
pub const PROPAGATION: Duration = Duration::from_secs(5);

/// How long a write that is not the traffic's is tried.
const TIDY: Duration = Duration::from_secs(10);

/// From one try of such a write to the next.
const AGAIN: Duration = Duration::from_millis(500);

/// How the way back is gone.
#[derive(Clone, Debug)]
pub struct How {
    /// The run whose deploy may be undone; any run's, where none is named.
    pub run: Option<String>,
    /// Whether a deploy that is over is undone too.
    pub even_done: bool,
    /// How long the write that moves the traffic is tried.
    pub patience: Duration,
    /// How long the old version may take to be ready where it has no pods.
    pub revival: Duration,
    /// Whether the new version keeps its pods: for a person who wants to look at them.
    pub keeps_new: bool,
}

/// What the way back came to, of one Service.
#[derive(Clone, Debug)]
pub enum Came {
    /// The traffic moved back.
    Back(State),
    /// The traffic had not moved; what was prepared is undone.
    Undone(State),
    /// There was nothing to undo.
    Nothing(Option<State>),
}

/// Moves the traffic of one Service back, where its state says that it moved. Nothing else is tidied up.
///
/// # Errors
/// When there is nothing to go back to, somebody else changed the Service, or it can't be written.
pub async fn traffic(
    lead: &mut Lead,
    how: &How,
    story: &mut Story,
    place: &Place<'_>,
) -> Result<Came, Error> {
    place.runner.goes_back();
    let Some(state) = lead.state()? else {
        return Ok(Came::Nothing(None));
    };
    if how.run.as_ref().is_some_and(|run| *run != state.run) {
        return Ok(Came::Nothing(Some(state)));
    }
    match state.phase {
        Phase::Done if !how.even_done => return Ok(Came::Nothing(Some(state))),
        Phase::RolledBack => return Ok(Came::Nothing(Some(state))),
        Phase::Preparing | Phase::Prepared => {
            let undone = taken_back(&state, place);
            lead.turn(&lead.selector(), Some(&undone), how.patience, place)
                .await?;
            return Ok(Came::Undone(undone));
        }
        Phase::Canary | Phase::Overlap | Phase::Switched | Phase::Done => {}
    }
    let service = lead.name.clone();
    let now = lead.selector();
    let ours = [
        &state.new.selector,
        &state.old.selector,
        &object::common(&state.old.selector, &state.new.selector),
    ];
    if !ours.contains(&&now) {
        return Err(Error::Foreign {
            what: format!(
                "the selector of Service `{service}` (`{}` now)",
                text::line(&object::written(&now))
            ),
        });
    }
    can_serve(&service, &state.old, how, story, place).await?;
    undo::withdraw(&service, &state, how.patience, place).await?;
    let back = taken_back(&state, place);
    lead.turn(&state.old.selector, Some(&back), how.patience, place)
        .await?;
    story.note(
        format!(
            "Service `{service}` leads to `{}` again (`{}`)",
            text::line(&state.old.deployment),
            text::line(&object::written(&state.old.selector))
        ),
        place,
    );
    Ok(Came::Back(back))
}

/// The state of a deploy that is undone, by this run.
fn taken_back(state: &State, place: &Place<'_>) -> State {
    let run = Run::of(place.runner);
    State {
        run: run.name,
        link: run.link,
        trace: run.trace,
        retire_after: None,
        ..state.at_phase(Phase::RolledBack, place.runner.now())
    }
}

/// Makes sure that the old version has pods to serve with; without any, going back to it would be an outage.
async fn can_serve(
    service: &str,
    old: &Side,
    how: &How,
    story: &mut Story,
    place: &Place<'_>,
) -> Result<(), Error> {
    let name = text::line(&old.deployment);
    let found = side::read(&old.deployment, place).await;
    let gone = |what: String| Error::Unfit {
        reason: format!("Service `{service}` can't go back: {what}; its traffic was not moved"),
        help: Some("deploy the old version again, as a new one".to_owned()),
    };
    let Some(deployment) = found? else {
        return Err(gone(format!("Deployment `{name}` is gone")));
    };
    if !old.uid.is_empty() && object::uid(&deployment) != old.uid {
        return Err(gone(format!(
            "Deployment `{name}` was made anew since, and what it holds is not known"
        )));
    }
    let size = Size::of(&deployment);
    if size.ready > 0 && size.wanted >= old.replicas {
        return Ok(());
    }
    let wanted = old.replicas.max(1);
    if size.wanted < wanted {
        story.note(
            format!("`{name}` has {} pods; it is scaled to {wanted}", size.wanted),
            place,
        );
        let scaled = side::scale(&old.deployment, &old.uid, wanted, how.patience, place).await;
        scaled.map_err(Error::refused(format!("scale Deployment `{name}`")))?;
    }
    if size.ready > 0 {
        return Ok(());
    }
    story.note(
        format!(
            "`{name}` has no ready pod, so going back waits for them, for up to {}",
            duration::display(how.revival)
        ),
        place,
    );
    let revived = side::until_ready(&old.deployment, wanted, how.revival, place).await;
    if revived.ready == 0 {
        return Err(gone(format!("no pod of Deployment `{name}` became ready")));
    }
    Ok(())
}

/// What follows when the traffic is where it was: the autoscaler, the pods of the new version, the preview. What can't be tidied up
/// is said, and changes nothing of what serves.
pub async fn tidy(lead: &mut Lead, came: &Came, how: &How, story: &mut Story, place: &Place<'_>) {
    let (state, moved) = match came {
        Came::Back(state) => (state, true),
        Came::Undone(state) => (state, false),
        Came::Nothing(_) => return,
    };
    if let Some(known) = &state.scaler {
        let sides = (&*state.new.deployment, &*state.old.deployment);
        if let Err(refused) = scaler::point(known, sides, known.min, place).await {
            place.runner.warn(&format!(
                "autoscaler `{}` was not given back to `{}`: {refused}",
                known.name, state.old.deployment
            ));
        }
    }
    if moved && let Err(why) = confirm(lead, &state.old.selector, 1, CONFIRM, place).await {
        place.runner.warn(&why.to_string());
    }
    if !how.keeps_new {
        if moved {
            sleep(PROPAGATION).await;
        }
        // Pods to which a route still leads, be it with the weight 0, are kept.
        let Some(state) = without_canary(lead, state, place).await else {
            return;
        };
        retire_new(&state, place).await;
        drop_preview(&lead.name, place).await;
        widen(lead, &state, story, place).await;
    }
}

/// Takes away what a canary needed, when it has no traffic any more, and says so in the state.
pub async fn without_canary(lead: &mut Lead, state: &State, place: &Place<'_>) -> Option<State> {
    if state.canary.is_none() {
        return Some(state.clone());
    }
    if !undo::leave(&lead.name, state, place).await {
        return None;
    }
    let left = State {
        canary: None,
        at: place.runner.now(),
        ..state.clone()
    };
    let selector = lead.selector();
    match lead.turn(&selector, Some(&left), TIDY, place).await {
        Ok(()) => Some(left),
        Err(error) => {
            place.runner.warn(&error.to_string());
            None
        }
    }
}

/// Takes the pods of the new version away; the Deployment stays for a look at it.
pub async fn retire_new(state: &State, place: &Place<'_>) {
    let new = &state.new;
    if let Err(refused) = side::scale(&new.deployment, &new.uid, 0, TIDY, place).await {
        place.runner.warn(&format!(
            "Deployment `{}` still has pods: {refused}",
            text::line(&new.deployment)
        ));
    }
}

/// Deletes the Service by which the new version was looked at.
pub async fn drop_preview(service: &str, place: &Place<'_>) {
    drop_made(&preview(service), place).await;
}

/// Deletes a Service that this program made; says whether it is gone, and else why.
pub async fn drop_made(name: &str, place: &Place<'_>) -> bool {
    let began = Instant::now();
    loop {
        match dropped(name, place).await {
            Ok(()) => return true,
            Err(refused) if (refused.may_pass() || refused.unknown) && began.elapsed() < TIDY => {
                sleep(AGAIN).await;
            }
            Err(refused) => {
                place
                    .runner
                    .warn(&format!("Service `{name}` is still there: {refused}"));
                return false;
            }
        }
    }
}

async fn dropped(name: &str, place: &Place<'_>) -> Result<(), Refused> {
    let kind = Kind::service();
    let Some(found) = place.api.get(&kind, &place.namespace, name).await? else {
        return Ok(());
    };
    if !crate::marks::is_ours(&found) {
        return Ok(());
    }
    let still = Still {
        uid: Some(object::uid(&found)),
        version: None,
    };
    place.api.delete(&kind, &place.namespace, name, &still).await
}

/// A Service that was narrowed to one ReplicaSet selects as it did before, when no pod of the new version is left that it would
/// select then: narrowed, the next change of the Deployment by hand would leave it without pods.
async fn widen(lead: &mut Lead, state: &State, story: &mut Story, place: &Place<'_>) {
    let Some(wide) = &state.old.unnarrowed else { return };
    let left = side::until_gone(&state.new.deployment, ENDS, place).await;
    let narrowed = format!(
        "Service `{}` still selects the one ReplicaSet `{}`; `k8s-blue-green recover` widens it again",
        lead.name,
        text::line(&object::written(&state.old.selector))
    );
    if left.there > 0 {
        place.runner.warn(&narrowed);
        return;
    }
    let mut old = state.old.clone();
    old.selector = wide.clone();
    old.unnarrowed = None;
    let widened = State {
        old,
        at: place.runner.now(),
        ..state.clone()
    };
    let name = lead.name.clone();
    match lead.turn(wide, Some(&widened), TIDY, place).await {
        Ok(()) => story.note(
            format!(
                "Service `{name}` selects `{}` as before",
                text::line(&object::written(wide))
            ),
            place,
        ),
        Err(error) => place.runner.warn(&format!("{narrowed}: {error}")),
    }
}

/// Moves all back within a moment, because a signal came: the traffic first, then what there is time for.
pub async fn at_once(
    leads: &mut [Lead],
    left: Duration,
    story: &mut Story,
    place: &Place<'_>,
) -> Vec<Result<Came, Error>> {
    // One that does not answer must not take the time of those after it.
    let left = left / u32::try_from(leads.len().max(1)).unwrap_or(u32::MAX);
    let how = How {
        run: Some(Run::of(place.runner).name),
        even_done: false,
        patience: left,
        revival: Duration::ZERO,
        keeps_new: false,
    };
    let mut ended = Vec::new();
    for lead in leads.iter_mut().rev() {
        let moving = async {
            lead.look(place).await?;
            traffic(lead, &how, story, place).await
        };
        ended.push(match timeout(left, moving).await {
            Ok(came) => came,
            Err(_) => Err(Error::unfit(format!(
                "whether Service `{}` went back is not known: there was no answer in {}",
                lead.name,
                duration::display(left)
            ))),
        });
    }
    ended.reverse();
    ended
}
