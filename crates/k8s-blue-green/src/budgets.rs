//! What disruption budgets mean for a deploy. They govern evictions alone, never what a deploy takes away itself; but one that was
//! made for one Deployment means something else beside two of them. Pure.

use serde_json::Value;

use crate::label_selector::selects;
use crate::object::{Labels, annotation, labels_at, name, shown};

/// What a budget does here.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Effect {
    /// No pod may be evicted, so that no node can be emptied.
    Blocks,
    /// It counts the pods of both colours as one.
    CountsBoth,
    /// The new version's pods are in no budget.
    LeavesOut,
}

/// What a budget does, in words.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Note {
    /// Its name.
    pub name: String,
    /// What.
    pub effect: Effect,
    /// For people.
    pub text: String,
}

/// The annotation of what this program made itself.
const MANAGED: &str = "deploy-actions/managed-by";

/// What budgets of the namespace do to a deploy from one Deployment to another of so many pods.
#[must_use]
pub fn notes(budgets: &[Value], live: &Value, new: &Value, replicas: u64) -> Vec<Note> {
    let of_pods = |deployment: &Value| labels_at(deployment, "/spec/template/metadata/labels");
    let (old, new) = (of_pods(live), of_pods(new));
    let covered = |budget: &Value, labels: &Labels| selects(&budget["spec"]["selector"], labels);
    let is_covered = budgets.iter().any(|budget| covered(budget, &new));
    let mut notes = Vec::new();
    for budget in budgets
        .iter()
        .filter(|budget| annotation(budget, MANAGED).is_none())
    {
        let (of_old, of_new) = (covered(budget, &old), covered(budget, &new));
        let mut note = |effect, text: String| {
            let name = shown(name(budget));
            let text = format!("disruption budget `{name}` {text}");
            notes.push(Note { name, effect, text });
        };
        let rule = rule(budget);
        if of_new && blocks(budget, replicas) {
            note(
                Effect::Blocks,
                format!(
                    "lets none of {replicas} pods be evicted (`{rule}`): a node under them can't be emptied"
                ),
            );
        }
        if of_old && of_new {
            note(
                Effect::CountsBoth,
                format!(
                    "counts the pods of both versions while both run (`{rule}`): what it lets go may all be of the one that serves"
                ),
            );
        }
        if of_old && !of_new && !is_covered {
            note(
                Effect::LeavesOut,
                format!(
                    "is for the old version's pods alone (`{rule}`): the new version's may all be evicted at once"
                ),
            );
        }
    }
    notes
}

/// The rule, as it stands there.
fn rule(budget: &Value) -> String {
    for key in ["minAvailable", "maxUnavailable"] {
        match &budget["spec"][key] {
            Value::Null => {}
            Value::String(value) => return format!("{key}: {}", shown(value)),
            value => return format!("{key}: {}", shown(&value.to_string())),
        }
    }
    "no rule".to_owned()
}

/// Whether a rule lets no pod go of so many that are all healthy. Shares are rounded up, both of them
/// (<https://kubernetes.io/docs/tasks/run-application/configure-pdb/#rounding-logic-when-specifying-percentages>).
fn blocks(budget: &Value, replicas: u64) -> bool {
    let amount = |value: &Value| match value {
        Value::String(share) => {
            let share: u64 = share.strip_suffix('%')?.parse().ok()?;
            Some(share.checked_mul(replicas)?.div_ceil(100))
        }
        number => number.as_u64(),
    };
    let spec = &budget["spec"];
    amount(&spec["minAvailable"]).is_some_and(|least| least >= replicas)
        || amount(&spec["maxUnavailable"]) == Some(0)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::proptest;
    use serde_json::json;

    use super::*;
    use crate::fixture::deployment;
    use crate::object::any_json;

    fn budget(selector: Value, key: &str, value: Value) -> Value {
        json!({"metadata": {"name": "web"}, "spec": {"selector": selector, key: value}})
    }

    fn effects(budgets: &[Value], replicas: u64) -> Vec<Effect> {
        let blue = deployment("web-blue", 1, &[("app", "web"), ("color", "blue")]);
        let green = deployment("web-green", 1, &[("app", "web"), ("color", "green")]);
        let notes = notes(budgets, &blue, &green, replicas);
        notes.into_iter().map(|note| note.effect).collect()
    }

    #[test]
    fn what_a_budget_does_to_two_colours() {
        let both = || json!({"matchLabels": {"app": "web"}});
        let one = |color: &str| json!({"matchLabels": {"app": "web", "color": color}});
        use Effect::{Blocks, CountsBoth, LeavesOut};
        let cases: [(Value, &str, Value, u64, &[Effect]); 12] = [
            (both(), "minAvailable", json!("50%"), 4, &[CountsBoth]),
            (both(), "minAvailable", json!(4), 4, &[Blocks, CountsBoth]),
            (both(), "minAvailable", json!(3), 4, &[CountsBoth]),
            (both(), "minAvailable", json!("100%"), 4, &[Blocks, CountsBoth]),
            (both(), "minAvailable", json!("80%"), 4, &[Blocks, CountsBoth]),
            (both(), "maxUnavailable", json!(0), 4, &[Blocks, CountsBoth]),
            (both(), "maxUnavailable", json!("10%"), 4, &[CountsBoth]),
            (one("blue"), "minAvailable", json!(1), 4, &[LeavesOut]),
            (one("green"), "minAvailable", json!(1), 4, &[]),
            (one("green"), "minAvailable", json!(1), 1, &[Blocks]),
            (
                json!({"matchLabels": {"app": "other"}}),
                "minAvailable",
                json!("100%"),
                4,
                &[],
            ),
            (Value::Null, "maxUnavailable", json!(0), 4, &[]),
        ];
        for (selector, key, value, replicas, expected) in cases {
            let budget = budget(selector, key, value);
            assert_eq!(
                effects(std::slice::from_ref(&budget), replicas),
                expected,
                "{budget}"
            );
        }
        let each = ["blue", "green"].map(|color| budget(one(color), "minAvailable", json!(1)));
        assert_eq!(effects(&each, 4), []);
    }

    #[test]
    fn a_note_names_the_budget_and_its_rule() {
        let budget = budget(json!({}), "minAvailable", json!("100%"));
        let web = deployment("web", 1, &[("app", "web")]);
        let notes = notes(&[budget], &web, &web, 3);
        assert_eq!(
            notes[0].text,
            "disruption budget `web` lets none of 3 pods be evicted (`minAvailable: 100%`): a node under them can't be emptied"
        );
    }

    proptest! {
        #[test]
        fn nothing_foreign_panics(budget in any_json(), live in any_json(), new in any_json()) {
            let _ = notes(&[budget], &live, &new, u64::MAX);
        }
    }
}
