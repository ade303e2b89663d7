//! Two runs of which one undoes what the other is still at.
//!
//! Neither a rule nor a tag can be written under a condition. So who undoes leaves a tag of its own, which the other one never
//! writes: it reads it with each look, once more between its tag and its weights, and ends. What it had written by then it
//! takes back. Who may not tag can't tell it.

use gha::duration;

use crate::shift::{Decision, Lock, Rule, Weights};
use crate::state::{Stage, State, TAG, UNDONE};

use super::drive::Drive;
use super::held::{self, Held, age};
use super::sides::weights;

impl Held<'_> {
    /// What is undone is another process's, which may be live. One that waits to be promoted has ended.
    pub(super) fn undoes(mut self, state: &State) -> Self {
        let may_live = !held::is_of(state, self.place.runner) && state.stage != Some(Stage::Paused);
        self.untold = Some(state.clone()).filter(|_| may_live);
        self.undoes = true;
        self
    }

    /// The weights that the run which this one undoes has noted by now.
    pub(super) fn noted(&self, seen: &State) -> Option<Weights> {
        (self.undoes && self.is_ours(seen)).then(|| weights(seen.wrote))
    }

    /// Leaves word for the run that is undone. Where that can't be done the way back is gone all the same.
    pub(super) async fn tell(&mut self) {
        let Some(state) = self.untold.take() else {
            return;
        };
        let told = self.place.api.tag(self.arn, &[(UNDONE, &state.identity())]).await;
        if let Err(refused) = told {
            let runner = self.place.runner;
            runner.warn(&format!(
                "run `{}` could not be told that it was undone; where it is still under way (it wrote its state {} ago), cancel \
                 it: {refused}",
                state.run,
                duration::display(age(&state, runner))
            ));
        }
    }

    /// Whether the lock still is this run's, and nobody undid what it did.
    pub(super) async fn still_holds(&self) -> Result<bool, String> {
        let tags = self.place.api.tags(self.arn).await;
        let tags = tags.map_err(|refused| refused.to_string())?;
        let state = tags.get(TAG).and_then(|value| value.parse::<State>().ok());
        let is_ours = state.is_some_and(|state| self.is_ours(&state));
        Ok(is_ours && !self.is_undone_by(tags.get(UNDONE)))
    }
}

impl Drive<'_> {
    /// Whether a deploy that has just noted that it waits to be promoted was undone before it did; then what it holds is given
    /// back.
    pub(super) async fn undone_meanwhile(&mut self) -> Option<Decision> {
        let facts = Box::pin(self.look()).await.ok()?;
        let is_as_left = facts.rule == Rule::Weights(self.state.weights());
        if facts.lock != Lock::Undone && (is_as_left || self.serves_both()) {
            return None;
        }
        if let Err(why) = self.held.release(false, false).await {
            let warning = format!("what this run held could not be given back: {why}");
            self.sides.place.runner.warn(&warning);
        }
        Some(Decision::ForeignChange {
            reason: "another run undid this deploy".to_owned(),
        })
    }
}
