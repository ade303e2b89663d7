//! What a shift writes. Each write is after a look that showed what it stands on, and the rule is read once more right
//! before it is written.

use std::time::Duration;

use gha::text;

use crate::actions::{Sticky, traffic, with_weights};
use crate::api::rules::Rule as ElbRule;
use crate::observed::revision_name;
use crate::shift::{Gate, Rule, Weights};

use super::drive::Drive;
use super::held::Before;
use super::new_side::scale;
use super::sides::{pair, weights};

impl Drive<'_> {
    /// What is there before this run changes anything.
    pub(super) fn before(&self) -> Before {
        Before {
            weights: self.plan.before,
            sticky: self.sides.sticky,
            idle: self.last.as_ref().map_or(0, |[_, new]| new.desired),
            revision: self
                .new
                .version
                .as_ref()
                .map(|version| revision_name(&version.arn).to_owned()),
        }
    }

    /// How long the step of a gate lasts.
    pub(super) fn hold_of(&self, gate: Gate) -> Option<Duration> {
        match gate {
            Gate::Before => None,
            Gate::During(step) => self.plan.rungs.get(step).map(|rung| rung.hold),
        }
    }

    /// Brings the new version to the new side.
    pub(super) async fn prepare(&mut self, tasks: u32) -> Result<(), String> {
        let known = self.new.deployment().map(str::to_owned);
        self.new.bring(tasks).await?;
        let deployment = self.new.deployment().map(str::to_owned);
        if deployment != known && deployment.is_some() {
            self.story.deployment = deployment;
            let name = self
                .new
                .version
                .as_ref()
                .map(|version| text::line(revision_name(&version.arn)));
            let line = format!(
                "`{}` is being brought to `{}` with {tasks} tasks",
                name.unwrap_or_default(),
                self.sides.new.place.service
            );
            self.story.note(line, self.sides.place.runner);
            self.story.publish(&self.sides.place);
        }
        Ok(())
    }

    /// Writes weights, if the rule still has those that were seen. Whether it came to be is for the next look.
    pub(super) async fn write(&mut self, to: Weights, expected: Weights) -> Result<(), String> {
        let back = to == self.plan.before;
        if back {
            self.sides.place.runner.goes_back();
        } else {
            self.held.note(to).await?;
        }
        let api = &self.sides.place.api;
        // Who undid this deploy since the last look may have taken off the tag that is there again by now.
        let (rule, holds) = tokio::join!(api.rule(&self.sides.rule), async {
            if back {
                Ok(true)
            } else {
                self.held.still_holds().await
            }
        });
        let rule = rule.map_err(|refused| refused.to_string())?;
        let (Some(rule), true) = (rule, holds?) else {
            return Ok(());
        };
        let actions = rule.actions();
        if self.found.seen(&actions) != Rule::Weights(expected) {
            return Ok(());
        }
        let groups = self.found.groups().clone();
        let now = traffic(&actions, &groups).map_err(|error| error.to_string())?;
        // The side that gets nothing more is scaled down, and who sticks to it would get errors from then on.
        let whole = back || to.old == 0;
        let sticky = if whole { Sticky::Off } else { Sticky::Keep };
        if let (true, Some(seconds)) = (whole, now.sticky) {
            self.found.may_stick(seconds);
            self.held.unstuck = Some(self.now());
        }
        let edited = with_weights(&actions, &groups, pair(to), sticky).map_err(|error| error.to_string())?;
        api.set_rule(&rule, &edited)
            .await
            .map_err(|refused| refused.to_string())
    }

    /// Scales the old side to nothing.
    pub(super) async fn retire_old(&mut self) -> Result<(), String> {
        let place = &self.sides.old.place;
        let (rule, holds) = tokio::join!(place.api.rule(&self.sides.rule), self.held.still_holds());
        let rule = rule.map_err(|refused| refused.to_string())?;
        let serves = |rule: &ElbRule| self.found.seen(&rule.actions()) == Rule::Weights(self.state.weights());
        // Where traffic came back to it, the next look says so.
        if !holds? || !rule.as_ref().is_some_and(serves) {
            return Ok(());
        }
        scale(place, 0).await?;
        self.story
            .note(format!("`{}` is scaled to 0", place.service), place.runner);
        Ok(())
    }

    /// Gives back what was held: stickiness, scaling, the tag.
    pub(crate) async fn release(&mut self) -> Result<(), String> {
        let mut later = false;
        if let Some((seconds, is_forgotten)) = self.held.stickiness() {
            later = !self.stick(seconds, is_forgotten).await?;
        }
        let serves = self.state.cause().is_none() && self.state.weights().old == 0;
        self.held.release(later, serves).await
    }

    /// Turns stickiness on again, where it was turned off and no client knows the other side any more; whether nothing of it
    /// is left to be done.
    async fn stick(&mut self, seconds: u32, is_forgotten: bool) -> Result<bool, String> {
        let api = &self.sides.place.api;
        let rule = api
            .rule(&self.sides.rule)
            .await
            .map_err(|refused| refused.to_string())?;
        let Some(rule) = rule else { return Ok(true) };
        let actions = rule.actions();
        let groups = self.found.groups().clone();
        let Ok(now) = traffic(&actions, &groups) else {
            return Ok(true);
        };
        if now.sticky.is_some() || self.found.seen(&actions) != Rule::Weights(weights(now.weights)) {
            return Ok(true);
        }
        if !is_forgotten {
            let service = &self.sides.place.service;
            self.sides.place.runner.warn(&format!(
                "the stickiness of the rule stays off until clients have forgotten the other side, in {seconds}s; then \
                 `ecs-deploy recover` for `{service}` or the next deploy turns it on"
            ));
            return Ok(false);
        }
        self.found.may_stick(seconds);
        let edited = with_weights(&actions, &groups, now.weights, Sticky::On(seconds));
        let edited = edited.map_err(|error| error.to_string())?;
        let written = api.set_rule(&rule, &edited).await;
        written.map(|()| true).map_err(|refused| refused.to_string())
    }
}
