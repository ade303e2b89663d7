//! What stands of a deploy that did not go well, as far as its tools know. Pure.

use gha::ledger::Entry;
use gha::outcome::Status;

/// The tools that change what serves: what they leave behind is in their status.
const DEPLOY: [&str; 3] = ["ecs-deploy", "k8s-blue-green", "s3-cdn-publish"];

/// What stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Stands {
    /// What did before: each tool that deploys says so.
    Before,
    /// Something of the new version: a tool did its part, and nobody has taken that back.
    New,
    /// No tool of ours deployed, or one does not know.
    Unknown,
}

/// What stands, by the last entry of each tool and target.
pub(crate) fn stands(entries: &[Entry]) -> Stands {
    let any = |of: fn(&Entry) -> bool| entries.iter().any(of);
    if any(|entry| entry.status == Status::NeedsHuman) {
        return Stands::Unknown;
    }
    if any(|entry| entry.status == Status::Done && entry.undo.is_some()) {
        return Stands::New;
    }
    let mut deploys = entries
        .iter()
        .filter(|entry| DEPLOY.contains(&entry.tool.as_str()))
        .peekable();
    match deploys.peek().is_some() && deploys.all(left_before) {
        true => Stands::Before,
        false => Stands::Unknown,
    }
}

/// Whether somebody stopped the only deploys there were.
pub(crate) fn was_stopped(entries: &[Entry]) -> bool {
    let mut deploys = entries
        .iter()
        .filter(|entry| DEPLOY.contains(&entry.tool.as_str()))
        .peekable();
    deploys.peek().is_some() && deploys.all(|entry| entry.status == Status::Cancelled)
}

/// Whether a tool that deploys left what was there before.
fn left_before(entry: &Entry) -> bool {
    let left = [
        Status::RolledBack,
        Status::Failed,
        Status::Superseded,
        Status::Locked,
    ];
    left.contains(&entry.status)
}

/// Whether a tool did what it was asked for; that may be to bring back what served before.
pub(crate) fn went_well(entry: &Entry) -> bool {
    entry.status.is_good() || is_asked_way_back(entry)
}

/// Whether somebody had it bring back what served before: a deploy that gave up fails.
pub(crate) fn is_asked_way_back(entry: &Entry) -> bool {
    entry.status == Status::RolledBack && entry.exit == 0
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::message::tests::entry;

    fn left(tool: &str, status: &str) -> Entry {
        Entry {
            undo: None,
            ..entry(tool, status, "x")
        }
    }

    fn with_way_back(tool: &str, status: &str) -> Entry {
        Entry {
            undo: Some(format!("{tool} rollback")),
            ..left(tool, status)
        }
    }

    #[test]
    fn each_tool_knows_what_it_left() {
        let gate = || left("health-gate", "failed");
        for (entries, stood) in [
            (vec![], Stands::Unknown),
            (vec![gate()], Stands::Unknown),
            (vec![left("ecs-deploy", "failed")], Stands::Before),
            (
                vec![left("image-tag", "done"), left("k8s-blue-green", "rolled-back")],
                Stands::Before,
            ),
            (
                vec![left("ecs-deploy", "locked"), left("s3-cdn-publish", "superseded")],
                Stands::Before,
            ),
            // A first deploy has nothing to go back to.
            (vec![left("ecs-deploy", "done"), gate()], Stands::Unknown),
            (vec![left("ecs-deploy", "unchanged"), gate()], Stands::Unknown),
            (vec![left("ecs-deploy", "cancelled")], Stands::Unknown),
            (vec![left("ecs-deploy", "inconclusive")], Stands::Unknown),
            (
                vec![
                    with_way_back("ecs-deploy", "done"),
                    left("s3-cdn-publish", "failed"),
                ],
                Stands::New,
            ),
            (
                vec![
                    with_way_back("ecs-deploy", "done"),
                    left("s3-cdn-publish", "needs-human"),
                ],
                Stands::Unknown,
            ),
            // The way back from a way back leads forward.
            (vec![with_way_back("ecs-deploy", "rolled-back")], Stands::Before),
        ] {
            assert_eq!(stands(&entries), stood, "{entries:?}");
        }
    }

    #[test]
    fn a_way_back_that_was_asked_for_went_well() {
        let back = |exit| Entry {
            exit,
            ..left("ecs-deploy", "rolled-back")
        };
        assert!(went_well(&back(0)) && !went_well(&back(3)) && !went_well(&back(143)));
        assert!(went_well(&left("x", "unchanged")) && !went_well(&left("x", "failed")));
    }
}
