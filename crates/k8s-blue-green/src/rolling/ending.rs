//! How a rolling deploy ends, once the workload was changed.

use std::time::Duration;

use gha::edge::cancel::Cancelled;
use gha::outcome::Outcome;
use gha::{Exit, Failure};
use serde_json::Value;
use tokio::time::timeout;

use super::follow::{Decision, Why};
use super::mark::{Mark, Phase};
use super::story::{Became, Story};
use super::undo::{self, Back, Undone};
use super::{limits, patch};
use crate::cli::{self, Undo};
use crate::diagnose::{self, About};
use crate::object;
use crate::place::Place;
use crate::pods::counted;
use crate::workload::Workload;

/// How long a server is asked again that can be read and does not take a write: a webhook may be coming back.
pub(super) const UNWILLING: Duration = Duration::from_secs(30);

/// How long the last note may take: it is a courtesy.
const LAST_NOTE: Duration = Duration::from_secs(10);

/// A change that was done.
pub(super) struct Rolled {
    /// The workload.
    pub(super) named: Workload,
    /// As it was after the change.
    pub(super) object: Value,
    /// The template before; none where it is new, or not known.
    pub(super) earlier: Option<Value>,
    /// The note on it.
    pub(super) mark: Mark,
    /// The name of the revision that it is at, once its controller has made one.
    pub(super) reached: Option<String>,
}

impl Rolled {
    /// It serves.
    pub(super) async fn serves(
        &self,
        object: &Value,
        pods: u64,
        story: &mut Story,
        place: &Place<'_>,
    ) -> Outcome {
        let done = self.mark.in_phase(Phase::Done).with(self.reached.as_deref());
        if !note(&self.named, object, &done, place).await {
            place.runner.info("that the deploy is over could not be noted on the workload; `recover` of this run would take it back");
        }
        let what = story
            .revision
            .clone()
            .unwrap_or_else(|| object::name(object).to_owned());
        if pods == 0 {
            place
                .runner
                .warn(&format!("`{}` has no pods: nothing was verified", self.named));
        }
        let headline = if pods == 0 {
            format!(
                "`{}` is at `{what}` and has no pods; nothing was verified",
                self.named
            )
        } else {
            format!("`{}` runs `{what}` with {}", self.named, counted(pods))
        };
        story.note(headline.clone(), place.runner);
        story.outcome(Became::Deployed, headline, place)
    }

    /// The rollout ended otherwise.
    pub(super) async fn failed(
        &self,
        decision: Decision,
        flags: &cli::Deploy,
        story: &mut Story,
        place: &Place<'_>,
    ) -> Failure {
        match decision {
            Decision::Failed {
                why: why @ (Why::Unreadable | Why::Access),
                reason,
            } => self.lost_sight(why, &reason, story, place),
            Decision::Failed { reason, .. } => {
                let cause = match place.runner.cancel().guard(self.why(story, place)).await {
                    Ok(cause) => cause,
                    Err(cancelled) => {
                        return self
                            .cancelled(cancelled, flags.ends.on_cancel, story, place)
                            .await;
                    }
                };
                let reason = joined(cause, reason);
                self.refused(Exit::Failed, &reason, flags, story, place).await
            }
            Decision::Foreign(why) => self.foreign(&why, story, place),
            Decision::Ready(_) | Decision::Wait(_) => {
                let headline = format!("how the rollout of `{}` goes is not known", self.named);
                story.failure(Exit::Bug, Became::Failed, headline, place)
            }
        }
    }

    /// It is not to stay: its pods fail, or what judges it says no.
    pub(super) async fn refused(
        &self,
        exit: Exit,
        reason: &str,
        flags: &cli::Deploy,
        story: &mut Story,
        place: &Place<'_>,
    ) -> Failure {
        story.note(reason.to_owned(), place.runner);
        let named = &self.named;
        let name = story
            .revision
            .clone()
            .unwrap_or_else(|| "the new version".to_owned());
        if flags.ends.on_failure == Undo::Leave {
            let headline =
                format!("deploying `{name}` to `{named}` failed, and it was left as it is: {reason}");
            let failure = story.failure(Exit::NeedsHuman, Became::Failed, headline, place);
            return match story.undo(place) {
                Some(undo) => failure.help(format!("run `{undo}`, or deploy a version that works")),
                None => failure.help("deploy a version that works"),
            };
        }
        let Some(earlier) = &self.earlier else {
            let headline =
                format!("deploying `{name}` to `{named}` failed, and there is no earlier version: {reason}");
            story.can_undo = false;
            let failure = story.failure(Exit::NeedsHuman, Became::Failed, headline, place);
            return failure.help("deploy a version that works, or delete it");
        };
        let mark = self
            .mark
            .in_phase(Phase::Undoing)
            .without(self.reached.as_deref());
        let back = self.back(earlier, &mark);
        place.runner.goes_back();
        // Not dropped at a signal: it is what a signal would begin.
        let mut beginning = Box::pin(undo::begin(back, flags.times.api_grace, place));
        let begun = match place.runner.cancel().guard(&mut beginning).await {
            Ok(begun) => begun,
            Err(cancelled) => match timeout(undo::LEAVE, &mut beginning).await {
                Ok(Ok(_)) => return self.on_its_way(cancelled, reason, story, place),
                Ok(Err(unsent)) => return self.stuck(&undo::undone(&unsent), reason, story, place),
                Err(_) => return self.unknown(cancelled, story, place),
            },
        };
        let begun = match begun {
            Ok(begun) => begun,
            Err(unsent) => return self.stuck(&undo::undone(&unsent), reason, story, place),
        };
        story.note(
            format!("the earlier version of `{named}` is brought back"),
            place.runner,
        );
        let (undone, at) = undo::wait(named, &begun, limits(&flags.times), place).await;
        match undone {
            Undone::Restored(pods) => {
                let done = mark.in_phase(Phase::Done);
                note(named, &begun, &done, place).await;
                story.can_undo = false;
                story.previous = story.revision.take();
                let to = at.unwrap_or_else(|| "the earlier version".to_owned());
                story.revision = Some(to.clone());
                let headline = format!(
                    "deploying `{name}` to `{named}` failed, and `{to}` is back with {}: {reason}",
                    counted(pods)
                );
                story.failure(exit, Became::RolledBack, headline, place).help(
                    "mend what the reason says and deploy again; ConfigMaps and Secrets were not brought back",
                )
            }
            Undone::Begun(cancelled) => self.on_its_way(cancelled, reason, story, place),
            other => self.stuck(&other, reason, story, place),
        }
    }

    /// A signal came while the version was rolled out or judged.
    pub(super) async fn cancelled(
        &self,
        cancelled: Cancelled,
        on_cancel: Undo,
        story: &mut Story,
        place: &Place<'_>,
    ) -> Failure {
        let exit = cancelled.0.exit();
        if on_cancel == Undo::Leave {
            let headline = format!(
                "{cancelled} while `{}` replaces its pods; it was left to go on",
                self.named
            );
            return story.failure(exit, Became::Failed, headline, place);
        }
        let Some(earlier) = &self.earlier else {
            let headline = format!(
                "{cancelled}; there is no earlier version of `{}`, and it was left to go on",
                self.named
            );
            return story.failure(exit, Became::Failed, headline, place);
        };
        let mark = self
            .mark
            .in_phase(Phase::Undoing)
            .without(self.reached.as_deref());
        let begun = timeout(
            undo::LEAVE / 2,
            undo::begin(self.back(earlier, &mark), undo::LEAVE / 2, place),
        )
        .await;
        match begun {
            Ok(Ok(_)) => self.on_its_way(cancelled, "it was cancelled", story, place),
            Ok(Err(unsent)) => match undo::undone(&unsent) {
                Undone::Foreign(why) => self.foreign(&why, story, place),
                _ => self.unknown(cancelled, story, place),
            },
            Err(_) => self.unknown(cancelled, story, place),
        }
    }

    fn back<'a>(&'a self, earlier: &'a Value, mark: &'a Mark) -> Back<'a> {
        Back {
            named: &self.named,
            object: &self.object,
            template: earlier,
            mark,
        }
    }

    fn on_its_way(
        &self,
        cancelled: Cancelled,
        reason: &str,
        story: &mut Story,
        place: &Place<'_>,
    ) -> Failure {
        let back = story.previous.take();
        let what = back
            .clone()
            .map_or("the earlier version".to_owned(), |back| format!("`{back}`"));
        let because = if reason == "it was cancelled" {
            String::new()
        } else {
            format!(": {reason}")
        };
        let headline = format!(
            "{cancelled}; {what} of `{}` is on its way back{because}",
            self.named
        );
        story.can_undo = false;
        story.previous = story.revision.take();
        story.revision = back;
        story.failure(cancelled.0.exit(), Became::RolledBack, headline, place)
    }

    fn unknown(&self, cancelled: Cancelled, story: &Story, place: &Place<'_>) -> Failure {
        let headline = format!(
            "{cancelled}; whether the earlier version of `{}` comes back is not known",
            self.named
        );
        let failure = story.failure(cancelled.0.exit(), Became::Failed, headline, place);
        let recover = format!(
            "k8s-blue-green recover --workload {}{}",
            self.named,
            place.again()
        );
        failure.help(format!("run `{recover}`: it takes back what was changed"))
    }

    fn stuck(&self, undone: &Undone, reason: &str, story: &mut Story, place: &Place<'_>) -> Failure {
        let (exit, became, why) = match undone {
            Undone::Foreign(why) => (Exit::Locked, Became::Superseded, why),
            Undone::Failed(why) => (Exit::NeedsHuman, Became::Failed, why),
            Undone::Restored(_) | Undone::Begun(_) => {
                return self.lost_sight(Why::Unreadable, reason, story, place);
            }
        };
        let headline = format!(
            "deploying to `{}` failed, and the earlier version could not be brought back, because {why}: {reason}",
            self.named
        );
        if exit == Exit::Locked {
            story.can_undo = false;
        }
        let failure = story.failure(exit, became, headline, place);
        match story.undo(place) {
            Some(undo) => failure.help(format!("run `{undo}`, or deploy a version that works")),
            None => failure.help("nothing of somebody else's was changed; look at the workload"),
        }
    }

    fn foreign(&self, why: &str, story: &mut Story, place: &Place<'_>) -> Failure {
        story.can_undo = false;
        let headline = format!(
            "`{}` was taken over while this run deployed to it: {why}; it was left alone",
            self.named
        );
        story.failure(Exit::Locked, Became::Superseded, headline, place)
    }

    /// The rollout goes on, and nobody can look: no word on how it goes.
    fn lost_sight(&self, why: Why, reason: &str, story: &mut Story, place: &Place<'_>) -> Failure {
        story.note(reason.to_owned(), place.runner);
        let headline = format!(
            "the rollout of `{}` goes on, and how it goes is not known: {reason}",
            self.named
        );
        let exit = match why {
            Why::Access => Exit::Access,
            _ => Exit::NeedsHuman,
        };
        let failure = story.failure(exit, Became::Failed, headline, place);
        match story.undo(place) {
            Some(undo) => failure.help(format!(
                "run the deploy again to follow it, or `{undo}` to take it back"
            )),
            None => failure.help("run the deploy again to follow it"),
        }
    }

    /// Why its pods fail: read now, while they are there. Shown at once.
    async fn why(&self, story: &mut Story, place: &Place<'_>) -> Option<String> {
        let about = About {
            workloads: vec![(self.named.sort.kind(), self.named.name.clone())],
            services: story.services.clone(),
        };
        let facts = diagnose::collect(place, &about).await;
        let findings = diagnose::findings(&facts, place.runner.now());
        place
            .runner
            .group(&format!("why `{}` does not come up", self.named));
        findings.lines().iter().for_each(|line| place.runner.info(line));
        place.runner.end_group();
        let cause = findings.cause();
        story.findings = Some(findings);
        cause
    }
}

/// Notes on a workload how far a deploy is; whether that was done.
pub(super) async fn note(named: &Workload, object: &Value, mark: &Mark, place: &Place<'_>) -> bool {
    let operations = patch::note(object, mark);
    let kind = named.sort.kind();
    let noted = place
        .api
        .patch(&kind, &place.namespace, &named.name, &operations, false);
    matches!(timeout(LAST_NOTE, noted).await, Ok(Ok(_)))
}

/// A signal came before anything was changed.
pub(super) fn cancelled_before(cancelled: Cancelled, story: &Story, place: &Place<'_>) -> Failure {
    let what = story
        .workload
        .as_ref()
        .map_or("nothing".to_owned(), |workload| format!("`{workload}`"));
    let not = if story.workload.is_some() { " not" } else { "" };
    let headline = format!("{cancelled}; {what} was{not} changed");
    story.failure(cancelled.0.exit(), Became::Failed, headline, place)
}

/// What was found says more than what was counted; a deadline says when.
fn joined(cause: Option<String>, reason: String) -> String {
    match cause {
        Some(cause) if reason.contains(&cause) => reason,
        Some(cause) if reason.starts_with("pod `") => cause,
        Some(cause) => format!("{cause} ({reason})"),
        None => reason,
    }
}
