//! What of the rule is this run's: its weights, and its stickiness where that was turned off. All else is someone else's and
//! must stay as it was found.

use serde_json::Value;

use crate::actions::{Groups, Sticky, foreign_changes, traffic, with_weights};
use crate::shift::Rule;

use super::sides::weights;

/// The rule as it was found.
#[derive(Clone, Debug)]
pub(crate) struct Found {
    groups: Groups,
    actions: Vec<Value>,
    /// The stickiness that may be on or off by now, because this deploy turned it off.
    sticky: Option<u32>,
}

impl Found {
    pub(crate) fn new(groups: Groups, actions: Vec<Value>) -> Self {
        Self {
            groups,
            actions,
            sticky: None,
        }
    }

    pub(crate) fn groups(&self) -> &Groups {
        &self.groups
    }

    /// From now on stickiness may be on, for so many seconds, or off.
    pub(crate) fn may_stick(&mut self, seconds: u32) {
        self.sticky = Some(seconds);
    }

    /// What a look at the rule shows.
    pub(crate) fn seen(&self, actions: &[Value]) -> Rule {
        let now = match traffic(actions, &self.groups) {
            Ok(now) => now,
            Err(error) => return Rule::Foreign(error.to_string()),
        };
        let stickiness: &[Sticky] = match self.sticky {
            None => &[Sticky::Keep],
            Some(seconds) => &[Sticky::Keep, Sticky::Off, Sticky::On(seconds)],
        };
        let mut fewest: Option<Vec<String>> = None;
        for sticky in stickiness {
            // With the same weights on both, what differs is not of this run.
            let same = |actions: &[Value], sticky| with_weights(actions, &self.groups, now.weights, sticky);
            let changes = match (same(&self.actions, *sticky), same(actions, Sticky::Keep)) {
                (Ok(ours), Ok(theirs)) => foreign_changes(&ours, &theirs),
                (Err(error), _) | (_, Err(error)) => vec![error.to_string()],
            };
            if changes.is_empty() {
                return Rule::Weights(weights(now.weights));
            }
            // What the right guess at the stickiness leaves is what somebody changed.
            if fewest.as_ref().is_none_or(|fewest| changes.len() < fewest.len()) {
                fewest = Some(changes);
            }
        }
        Rule::Foreign(fewest.unwrap_or_default().join("; "))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::shift::Weights;
    use serde_json::json;

    fn found() -> Found {
        let groups = Groups {
            old: "a".to_owned(),
            new: "b".to_owned(),
        };
        Found::new(groups, actions("a", 100, 0, Some(600)))
    }

    fn actions(first: &str, old: u16, new: u16, sticky: Option<u32>) -> Vec<Value> {
        let sticky = sticky.map_or(
            json!({"Enabled": false}),
            |seconds| json!({"Enabled": true, "DurationSeconds": seconds}),
        );
        vec![
            json!({"Type": "authenticate-oidc", "Order": 1, "AuthenticateOidcConfig": {"is": first}}),
            json!({"Type": "forward", "Order": 2, "ForwardConfig": {
                "TargetGroups": [{"TargetGroupArn": "a", "Weight": old}, {"TargetGroupArn": "b", "Weight": new}],
                "TargetGroupStickinessConfig": sticky,
            }}),
        ]
    }

    #[test]
    fn weights_are_ours_and_the_rest_is_not() {
        let found = found();
        let seen = found.seen(&actions("a", 90, 10, Some(600)));
        assert_eq!(seen, Rule::Weights(Weights { old: 90, new: 10 }));
        for foreign in [
            actions("b", 90, 10, Some(600)),
            actions("a", 90, 10, Some(60)),
            actions("a", 90, 10, None),
            vec![json!({"Type": "redirect"})],
        ] {
            assert!(matches!(found.seen(&foreign), Rule::Foreign(_)), "{foreign:?}");
        }
    }

    #[test]
    fn stickiness_is_ours_once_it_was_turned_off() {
        let mut found = found();
        found.may_stick(600);
        for sticky in [Some(600), None] {
            let seen = found.seen(&actions("a", 0, 100, sticky));
            assert_eq!(seen, Rule::Weights(Weights { old: 0, new: 100 }));
        }
        let foreign = found.seen(&actions("a", 0, 100, Some(60)));
        assert!(matches!(foreign, Rule::Foreign(_)));
        for sticky in [Some(600), None] {
            let Rule::Foreign(why) = found.seen(&actions("b", 0, 100, sticky)) else {
                panic!("another action is foreign");
            };
            assert!(!why.contains("stickiness"), "{why}");
        }
    }
}
