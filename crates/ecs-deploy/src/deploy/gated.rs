//! The gates of a deploy whose deployment is complete: while they judge the new version, the service is looked at too. A no
//! takes the earlier version back, and so does a gate that could not say.

use gha::{Exit, Failure};

use crate::cli::Undo;
use crate::follow::Followed;
use crate::gates::Gates;
use crate::place::Place;
use crate::rolling::{Decision, Why};
use crate::shift::GateSays;
use crate::story::{Became, Story};
use crate::task_definition::TaskDefinition;

use super::ending::Ending;

/// What a deployment came to, with its gates.
pub(super) enum Judged {
    Decided(Decision),
    Refused(GateSays),
}

/// Runs the gates where the new version serves.
pub(super) async fn judged(
    decision: Decision,
    gates: &Gates,
    followed: &mut Followed,
    definition: &TaskDefinition,
    place: &Place<'_>,
) -> Judged {
    let serves = matches!(
        decision,
        Decision::Succeeded { .. }
            | Decision::Failed {
                why: Why::Draining,
                ..
            }
    );
    if !serves || gates.is_empty() {
        return Judged::Decided(decision);
    }
    tokio::select! {
        biased;
        ended = followed.stay(definition, place) => Judged::Decided(ended),
        says = gates.run(place, None) => match says {
            GateSays::Pass => Judged::Decided(decision),
            says => Judged::Refused(says),
        },
    }
}

impl Ending<'_> {
    /// What becomes of a version that its gates refuse.
    pub(super) async fn refused(&self, says: GateSays, story: &mut Story, place: &Place<'_>) -> Failure {
        let (reason, exit) = match says {
            GateSays::Fail(why) => (format!("the gate said no: {why}"), Exit::Failed),
            GateSays::Inconclusive(why) => (format!("the gate could not say: {why}"), Exit::Inconclusive),
            GateSays::Pass | GateSays::Running => ("the gate said nothing".to_owned(), Exit::Inconclusive),
        };
        story.note(reason.clone(), place.runner);
        if self.flags.ends.on_failure == Undo::Leave {
            let name = self.name();
            let headline = format!("{reason}; `{name}` was left on `{}` as it is", place.service);
            return story.failure(Exit::NeedsHuman, Became::Failed, headline, place);
        }
        let mut failure = Box::pin(self.roll_back(&reason, story, place)).await;
        if failure.exit == Exit::Failed {
            failure.exit = exit;
        }
        failure
    }
}
