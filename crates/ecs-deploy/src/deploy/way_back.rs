//! The way back of a deploy that failed or was cancelled, and what is said of it.

use std::pin::pin;
use std::time::Duration;

use gha::edge::cancel::Cancelled;
use gha::{Exit, Failure, text};
use tokio::time::timeout;

use crate::observed::revision_name;
use crate::place::Place;
use crate::rolling::Newer;
use crate::story::{Became, Story};
use crate::undo::{self, Begun, Earlier, LEAVE, Undone};

use super::ending::Ending;
use super::limits;
use super::ready::Target;

/// Why there is a way back.
struct Lead<'a> {
    /// The deploy's failure, if it failed.
    reason: Option<&'a str>,
    /// The signal, if one came.
    cancelled: Option<Cancelled>,
    /// `family:revision` of what is brought back.
    back: &'a str,
}

/// What a way back came to.
enum Came {
    To(Undone),
    /// A signal came while it was awaited.
    NotAwaited(Cancelled),
    /// A signal came while it was being begun, and no answer after it.
    Unknown(Cancelled),
}

impl Ending<'_> {
    fn earlier<'a>(&'a self, target: &'a Target) -> Earlier<'a> {
        Earlier {
            task_definition: &target.arn,
            definition: &target.definition,
            settings: &self.ready.settings_before,
            patience: self.flags.times.api_grace,
        }
    }

    /// Brings the earlier revision back and waits for it.
    pub(super) async fn roll_back(&self, reason: &str, story: &mut Story, place: &Place<'_>) -> Failure {
        let Some(target) = self.ready.earlier() else {
            return self.no_way_back(reason, story, place);
        };
        let back = text::line(revision_name(&target.arn));
        place.runner.goes_back();
        story.note(format!("going back to `{back}`"), place.runner);
        let cancel = place.runner.cancel();
        let mut beginning = pin!(undo::begin(&self.deployment.id, self.earlier(target), place));
        let (begun, cancelled) = match cancel.guard(&mut beginning).await {
            Ok(begun) => (Some(begun), None),
            Err(cancelled) => (timeout(LEAVE, beginning).await.ok(), Some(cancelled)),
        };
        let came = match (begun, cancelled) {
            (Some(Err(undone)), _) => Came::To(undone),
            (Some(Ok(begun)), None) => Box::pin(self.wait(&begun, target, place)).await,
            (Some(Ok(_)), Some(cancelled)) => Came::NotAwaited(cancelled),
            (None, cancelled) => cancelled.map_or(Came::To(Undone::Begun), Came::Unknown),
        };
        let lead = Lead {
            reason: Some(reason),
            cancelled,
            back: &back,
        };
        self.told(came, &lead, story, place)
    }

    /// What became of a way back that ECS was asked for by stopping its deployment.
    pub(super) fn undone(
        &self,
        undone: Undone,
        reason: &str,
        back: &str,
        story: &mut Story,
        place: &Place<'_>,
    ) -> Failure {
        let lead = Lead {
            reason: Some(reason),
            cancelled: None,
            back,
        };
        self.told(Came::To(undone), &lead, story, place)
    }

    /// Waits for a way back that ECS or someone else began.
    pub(super) async fn follow_back(
        &self,
        begun: Option<Begun>,
        newer: Option<Newer>,
        reason: &str,
        story: &mut Story,
        place: &Place<'_>,
    ) -> Failure {
        let target = self.ready.target.as_ref();
        let to = newer.as_ref().map(|newer| newer.task_definition.as_str());
        let to = to.or(target.map(|target| target.arn.as_str()));
        let back = to.map_or_else(
            || "the earlier revision".to_owned(),
            |to| text::line(revision_name(to)),
        );
        let came = match (begun, target) {
            (Some(begun), Some(target)) => Box::pin(self.wait(&begun, target, place)).await,
            _ => Came::To(Undone::Begun),
        };
        let lead = Lead {
            reason: Some(reason),
            cancelled: None,
            back: &back,
        };
        self.told(came, &lead, story, place)
    }

    async fn wait(&self, begun: &Begun, target: &Target, place: &Place<'_>) -> Came {
        let limits = limits(&self.flags.times, &begun.service);
        let waiting = undo::wait(begun, &target.definition, limits, place);
        let waited = place.runner.cancel().guard(Box::pin(waiting)).await;
        waited.map_or_else(Came::NotAwaited, Came::To)
    }

    /// A signal came: the way back begins at once, and nobody waits for it.
    pub(super) async fn leave(
        &self,
        cancelled: Cancelled,
        left: Duration,
        story: &mut Story,
        place: &Place<'_>,
    ) -> Failure {
        let Some(target) = self.ready.earlier() else {
            return self.no_way_back(&cancelled.to_string(), story, place);
        };
        let back = text::line(revision_name(&target.arn));
        let beginning = undo::begin(&self.deployment.id, self.earlier(target), place);
        let came = match timeout(left, beginning).await {
            Ok(Ok(_)) => Came::NotAwaited(cancelled),
            Ok(Err(undone)) => Came::To(undone),
            Err(_) => Came::Unknown(cancelled),
        };
        let lead = Lead {
            reason: None,
            cancelled: Some(cancelled),
            back: &back,
        };
        self.told(came, &lead, story, place)
    }

    /// The failure, with what is known of the way back.
    fn told(&self, came: Came, lead: &Lead<'_>, story: &mut Story, place: &Place<'_>) -> Failure {
        let back = lead.back;
        let signal = match &came {
            Came::NotAwaited(cancelled) | Came::Unknown(cancelled) => Some(*cancelled),
            Came::To(_) => lead.cancelled,
        };
        let status = format!("run `ecs-deploy status {}` to see it arrive", place.flags());
        let undo = story.undo(place).map(|undo| format!("run `{undo}`"));
        let (exit, became, what, help) = match came {
            Came::To(Undone::Restored { tasks: 0 }) => (
                Exit::Failed,
                Became::RolledBack,
                format!("`{back}` is back, with 0 tasks"),
                None,
            ),
            Came::To(Undone::Restored { .. }) => (
                Exit::Failed,
                Became::RolledBack,
                format!("`{back}` serves again"),
                None,
            ),
            Came::To(Undone::Begun) | Came::NotAwaited(_) => (
                Exit::Failed,
                Became::RolledBack,
                format!("`{back}` is on its way back"),
                Some(status),
            ),
            Came::To(Undone::Foreign(why)) => (
                Exit::Locked,
                Became::Superseded,
                format!("it was not rolled back, because {why}"),
                None,
            ),
            Came::To(Undone::Failed(trouble)) => {
                let serving = trouble.serving.as_ref();
                let serving = serving.map(|serving| format!("; {serving}")).unwrap_or_default();
                let what = format!("going back to `{back}` failed too ({}){serving}", trouble.why);
                (Exit::NeedsHuman, Became::Failed, what, undo)
            }
            Came::Unknown(_) => (
                Exit::NeedsHuman,
                Became::Failed,
                format!("whether `{back}` comes back is not known, for want of an answer"),
                undo,
            ),
        };
        if became != Became::Failed {
            story.can_undo = false;
            story.note(what.clone(), place.runner);
        }
        let failure = story.failure(
            signal.map_or(exit, |signal| signal.0.exit()),
            became,
            self.headline(signal, lead.reason, &what, place),
            place,
        );
        match help {
            Some(help) => failure.help(help),
            None => failure,
        }
    }

    fn headline(
        &self,
        signal: Option<Cancelled>,
        reason: Option<&str>,
        what: &str,
        place: &Place<'_>,
    ) -> String {
        let (name, service) = (self.name(), &place.service);
        match (signal, reason) {
            (None, reason) => format!(
                "deploying `{name}` to `{service}` failed, and {what}{}",
                reason.map(|reason| format!(": {reason}")).unwrap_or_default()
            ),
            (Some(signal), None) => {
                format!("{signal} while `{name}` was being deployed to `{service}`; {what}")
            }
            (Some(signal), Some(reason)) => {
                format!("{signal} after deploying `{name}` to `{service}` failed; {what}: {reason}")
            }
        }
    }
}
