//! The tag that holds the state of a deploy: this run's lock, and what anybody needs to undo it.
//!
//! ECS has no condition to tag under. So the tag is read with each look, and one that became another run's ends this one.

use std::time::Duration;

use jiff::Timestamp;

use gha::Runner;
use gha::trace::TraceId;

use crate::place::Place;
use crate::shift::{Lock, Weights};
use crate::state::{Run, Stage, State, Suspended, TAG, TRIED, UNDONE, identity};

use super::pins;
use super::sides::{Sides, pair};

/// How long a lock counts that its run does not renew.
pub(crate) const LASTS: Duration = Duration::from_secs(15 * 60);

/// How often a run renews it.
const RENEWED: Duration = Duration::from_secs(3 * 60);

/// The tag.
pub(crate) struct Held<'a> {
    pub(super) place: &'a Place<'a>,
    /// The side that is to get the new version.
    idle: &'a Place<'a>,
    pub(super) arn: &'a str,
    idle_arn: &'a str,
    /// The note on the idle side that an earlier run is over, until it is taken off.
    note: Option<State>,
    /// Whether the idle side has the tag of a try, from when it served.
    is_stale: bool,
    /// Whether what is brought has served before.
    pub(crate) returns: bool,
    /// The state as this run wrote it last, or found it.
    pub(crate) state: Option<State>,
    /// The state that the last look showed.
    seen: Option<State>,
    /// The tag that the last look showed of what was undone.
    pub(super) mark: Option<String>,
    /// The state of another run that is undone, and has not been told so yet.
    pub(super) untold: Option<State>,
    /// Whether what another run did is undone.
    pub(super) undoes: bool,
    /// When this run began its deploy: what tells its tags from those of others.
    began: Timestamp,
    /// A state of another run that this one may act on.
    taken: Option<(TraceId, Timestamp)>,
    /// Whether the lock is taken and scaling is pinned.
    claimed: bool,
    /// Whether this run tried to take it.
    pub(crate) touched: bool,
    /// Whether the tag is of somebody whose state can't be read, and nothing of it is this run's to give back.
    lost: bool,
    /// When stickiness was turned off, in this run.
    pub(crate) unstuck: Option<Duration>,
}

impl<'a> Held<'a> {
    /// Nothing is this run's yet.
    pub(crate) fn new(sides: &'a Sides<'a>) -> Self {
        Self {
            place: &sides.old.place,
            idle: &sides.new.place,
            arn: &sides.old.described.arn,
            idle_arn: &sides.new.described.arn,
            note: sides.note.clone(),
            is_stale: sides.tried[1].is_some(),
            returns: false,
            state: None,
            seen: sides.held.clone(),
            mark: None,
            untold: None,
            undoes: false,
            began: sides.place.runner.now(),
            taken: None,
            claimed: false,
            touched: false,
            lost: false,
            unstuck: None,
        }
    }

    /// What was found may be taken over; it is claimed anew.
    pub(crate) fn to_be_taken(sides: &'a Sides<'a>) -> Self {
        let taken = sides.held.as_ref().map(|state| (state.trace, state.began));
        Self {
            taken,
            ..Self::new(sides)
        }
    }

    /// What was found is acted on as it is.
    pub(crate) fn taken(sides: &'a Sides<'a>) -> Self {
        Self {
            state: sides.held.clone(),
            claimed: true,
            touched: true,
            ..Self::to_be_taken(sides)
        }
    }

    /// What a look at the tag shows; an error where this run's lock became another's.
    pub(crate) fn look(&mut self, seen: Option<State>, mark: Option<String>) -> Result<Lock, String> {
        (self.seen, self.mark) = (seen, mark);
        let is_others = |state: &State| state.stage != Some(Stage::Over) && !self.is_ours(state);
        if self.is_undone() && !self.seen.as_ref().is_some_and(is_others) {
            return Ok(Lock::Undone);
        }
        let Some(state) = &self.seen else {
            return Ok(Lock::Free);
        };
        if state.stage == Some(Stage::Over) {
            return Ok(Lock::Free);
        }
        if self.is_ours(state) {
            return Ok(if self.claimed { Lock::Ours } else { Lock::Free });
        }
        if self.claimed {
            return Err(format!("run `{}` took the lock", state.run));
        }
        Ok(Lock::Other {
            run: format!("run `{}`", state.run),
            age: age(state, self.place.runner),
        })
    }

    /// Whether the last look showed that another run undid what this one did.
    fn is_undone(&self) -> bool {
        self.is_undone_by(self.mark.as_ref())
    }

    pub(super) fn is_undone_by(&self, mark: Option<&String>) -> bool {
        let own = identity(&self.place.runner.trace(), self.began);
        self.touched && mark == Some(&own)
    }

    /// Whether the mark that the last look showed has been read by whom it was for.
    fn is_read(&self) -> bool {
        let told = self.taken.map(|(trace, began)| identity(&trace, began));
        self.mark.is_some() && self.mark != told
    }

    pub(super) fn is_ours(&self, state: &State) -> bool {
        is_of(state, self.place.runner) || self.taken == Some((state.trace, state.began))
    }

    /// The tag is not as this version writes it: somebody else's, and what it says of scaling with it.
    pub(crate) fn lost(&mut self) {
        self.lost = true;
    }

    /// What is left of a claim that was not finished is given back all the same; and what was to be taken over with it,
    /// because it says of weights that are given back.
    pub(crate) fn leaves(&mut self) {
        self.claimed |= self.touched || self.taken.is_some();
    }

    /// Takes the lock: writes the tag with what is needed to undo, then pins what scales the live side.
    pub(crate) async fn claim(&mut self, found: Before) -> Result<(), String> {
        self.touched = true;
        let runner = self.place.runner;
        // What this run wrote may not show yet, and what is read of scaling by now is its own pin.
        let left = self.state.clone().or(self.seen.clone());
        let known = |of: fn(&State) -> Option<Suspended>| left.as_ref().and_then(of);
        let scaling = scaling_of(self.place, known(|left| left.scaling)).await?;
        let idle_scaling = scaling_of(self.idle, known(|left| left.idle_scaling)).await?;
        // Who took the lock since the last look has pinned scaling perhaps, and what was read then is not what was before.
        let now = self.place.api.tags(self.arn).await;
        let now = now.map_err(|refused| refused.to_string())?.get(TAG).cloned();
        let is_now = |state: &Option<State>| state.as_ref().map(ToString::to_string) == now;
        let is_own = self.state.is_some() && is_now(&self.state);
        if !is_own && !is_now(&self.seen) {
            return Ok(());
        }
        let under_way = left.as_ref().filter(|left| left.stage != Some(Stage::Over));
        let state = State {
            run: run(runner),
            trace: runner.trace(),
            began: self.began,
            seen: runner.now(),
            before: under_way.map_or(pair(found.weights), |left| left.before),
            wrote: under_way.map_or(pair(found.weights), |left| left.wrote),
            step: under_way.map_or(0, |left| left.step),
            sticky: of_stickiness(left.as_ref())
                .or(of_stickiness(self.note.as_ref()))
                .or(found.sticky),
            scaling,
            idle_scaling,
            idle: under_way.and_then(|left| left.idle).or(Some(found.idle)),
            revision: found.revision.as_deref().and_then(number_of),
            stage: None,
        };
        let tried = found.revision.filter(|_| !self.returns);
        self.write_with(state, tried.as_deref()).await?;
        for (place, scaling) in [(self.place, scaling), (self.idle, idle_scaling)] {
            if scaling.is_some() {
                let pinned = pins::pin(&place.api, &place.service).await;
                pinned.map_err(|refused| refused.to_string())?;
            }
        }
        self.claimed = true;
        // What it said is in the state by now; what fails is tried again at the end.
        let _ = self.drop_note().await;
        Ok(())
    }

    /// Takes the note of an earlier run off the idle side.
    async fn drop_note(&mut self) -> Result<(), String> {
        if self.note.is_some() || self.is_stale {
            let untagged = self.place.api.untag(self.idle_arn, &[TAG, TRIED]).await;
            untagged.map_err(|refused| refused.to_string())?;
            (self.note, self.is_stale) = (None, false);
        }
        Ok(())
    }

    /// Notes the weights that are about to be written.
    pub(crate) async fn note(&mut self, weights: Weights) -> Result<(), String> {
        let Some(state) = self.state.clone() else {
            return Err("the lock is not taken".to_owned());
        };
        let wrote = pair(weights);
        let step = state.step.saturating_add(u8::from(wrote != state.wrote));
        self.write(State { wrote, step, ..state }).await
    }

    /// Notes where the run stays.
    pub(crate) async fn stay(&mut self, stage: Stage) -> Result<(), String> {
        match self.state.clone() {
            Some(state) if state.stage != Some(stage) => {
                let stage = Some(stage);
                self.write(State { stage, ..state }).await
            }
            _ => Ok(()),
        }
    }

    /// Renews the lock where it is due.
    pub(crate) async fn renew(&mut self) {
        let Some(state) = self.state.clone().filter(|_| self.claimed) else {
            return;
        };
        if age(&state, self.place.runner) < RENEWED {
            return;
        }
        if let Err(why) = self.write(state).await {
            self.place
                .runner
                .warn(&format!("the lock could not be renewed: {why}"));
        }
    }

    async fn write(&mut self, state: State) -> Result<(), String> {
        self.write_with(state, None).await
    }

    async fn write_with(&mut self, state: State, tried: Option<&str>) -> Result<(), String> {
        let state = State {
            seen: self.place.runner.now(),
            ..state
        };
        let value = state.to_string();
        let tried = tried.map(|tried| (TRIED, tried));
        let tags: Vec<_> = std::iter::once((TAG, value.as_str())).chain(tried).collect();
        let written = self.place.api.tag(self.arn, &tags).await;
        written.map_err(|refused| refused.to_string())?;
        self.state = Some(state);
        Ok(())
    }

    /// For how many seconds clients stayed with their target group, where stickiness was turned off, and whether all of them
    /// have forgotten it by now.
    pub(crate) fn stickiness(&self) -> Option<(u32, bool)> {
        let state = self
            .state
            .as_ref()
            .or(self.seen.as_ref())
            .or(self.note.as_ref())?;
        let seconds = state.sticky?;
        let runner = self.place.runner;
        let off = self
            .unstuck
            .map_or_else(|| age(state, runner), |at| runner.elapsed().saturating_sub(at));
        Some((seconds, off >= Duration::from_secs(u64::from(seconds))))
    }

    /// Lets scaling act again as before, and takes the tag off; with `sticky_later`, the tag stays as a note of the
    /// stickiness that is still to be turned on. A tag of another run stays; so does what was tried, unless it `serves`.
    pub(crate) async fn release(&mut self, sticky_later: bool, serves: bool) -> Result<(), String> {
        if self.lost || self.seen.as_ref().is_some_and(|seen| !self.is_ours(seen)) {
            return Ok(());
        }
        let Some(state) = self.state.clone().or(self.seen.clone()) else {
            return if sticky_later {
                Ok(())
            } else {
                self.drop_note().await
            };
        };
        for (place, scaling) in [(self.place, state.scaling), (self.idle, state.idle_scaling)] {
            let Place { api, service, .. } = place;
            if let Some(scaling) = scaling {
                let unpinned = pins::unpin(api, service, scaling).await;
                unpinned
                    .map_err(|refused| format!("scaling of `{service}` could not be resumed: {refused}"))?;
            }
        }
        self.drop_note().await?;
        if sticky_later {
            let over = State {
                stage: Some(Stage::Over),
                scaling: None,
                idle_scaling: None,
                ..state
            };
            return self.write(over).await;
        }
        let mut keys = vec![TAG];
        keys.extend(serves.then_some(TRIED));
        keys.extend(self.is_read().then_some(UNDONE));
        let untagged = self.place.api.untag(self.arn, &keys).await;
        untagged.map_err(|refused| refused.to_string())
    }
}

fn of_stickiness(state: Option<&State>) -> Option<u32> {
    state.and_then(|state| state.sticky)
}

/// What is suspended of a side's scaling before it is pinned: as an earlier run found it, else as it is.
async fn scaling_of(place: &Place<'_>, known: Option<Suspended>) -> Result<Option<Suspended>, String> {
    if known.is_some() {
        return Ok(known);
    }
    let service = &place.service;
    match place.api.scaling(service).await {
        Ok(scaling) => Ok(scaling),
        Err(refused) if refused.is_access() => {
            place.runner.warn(&format!(
                "scaling of `{service}` is not held still while traffic moves: {refused}"
            ));
            Ok(None)
        }
        Err(refused) => Err(refused.to_string()),
    }
}

/// What was there before this run changed anything.
#[derive(Clone, Debug)]
pub(crate) struct Before {
    pub(crate) weights: Weights,
    pub(crate) sticky: Option<u32>,
    /// How many tasks the new side had.
    pub(crate) idle: u32,
    /// The revision that the new side gets, by name.
    pub(crate) revision: Option<String>,
}

/// The number of a revision, from its ARN.
pub(crate) fn number_of(revision: &str) -> Option<u32> {
    revision.rsplit(':').next()?.parse().ok()
}

/// Whether a state is of this workflow run.
pub(crate) fn is_of(state: &State, runner: &Runner) -> bool {
    state.trace == runner.trace()
}

/// Whether a state is out of date: its run ended without a word.
pub(crate) fn is_expired(state: &State, runner: &Runner) -> bool {
    age(state, runner) >= LASTS
}

/// How old a state is. What is paused waits for somebody and does not grow old.
pub(crate) fn age(state: &State, runner: &Runner) -> Duration {
    if state.stage == Some(Stage::Paused) {
        return Duration::ZERO;
    }
    // A clock that runs ahead would hold the lock for ever.
    runner.now().duration_since(state.seen).unsigned_abs()
}

fn run(runner: &Runner) -> Run {
    let env = runner.env();
    let name = match (env.get("GITHUB_REPOSITORY"), env.get("GITHUB_RUN_ID")) {
        (repository, Some(id)) => {
            let attempt = env.get("GITHUB_RUN_ATTEMPT").unwrap_or("1");
            format!("{}:{id}.{attempt}", repository.unwrap_or_default())
        }
        _ => "local".to_owned(),
    };
    Run::new(&name)
}
