//! What a plan does, by name: what a person looks at before it is done. Pure.

use gha::text;
use serde_json::{Map, Value, json};

use crate::diff::{Diff, Step};
use crate::plan::Plan;
use crate::target::Target;

/// The name of the group of what is deleted.
pub const DELETED: &str = "deleted";

/// How many names of a group are shown.
pub const SHOWN: usize = 20;

/// How many names of a group a result object has.
const TOLD: usize = 1000;

/// Files to which the same happens.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Group {
    /// What happens to them.
    pub title: &'static str,
    /// Its name in a result object.
    pub name: &'static str,
    /// What stands before each of them.
    pub mark: char,
    /// The first of their keys, inert.
    pub keys: Vec<String>,
    /// How many there are.
    pub count: usize,
}

/// The groups of a plan that are not empty. `current` is the id of the release that is current before it.
#[must_use]
pub fn of(target: &Target, diff: &Diff, plan: &Plan, current: &str) -> Vec<Group> {
    let stepped = |step: Step| {
        let found = diff.found.iter().zip(&target.items);
        found
            .filter(move |(found, _)| found.step == step)
            .map(|(_, item)| item.key.as_ref())
    };
    let deleted = plan.deletes.iter().map(|row| row.key.as_ref());
    let leaving = plan.kept.iter().filter(|row| {
        row.retired
            .as_ref()
            .is_some_and(|retired| retired.last == current)
    });
    let mut groups = vec![
        group("added", "added", '+', stepped(Step::Add)),
        group("changed", "changed", '~', stepped(Step::Replace)),
        group("get other headers", "headers", 'h', stepped(Step::Headers)),
        group("deleted", DELETED, '-', deleted),
        group(
            "leave the site and stay in the bucket for now",
            "leaving",
            '.',
            leaving.map(|row| row.key.as_ref()),
        ),
    ];
    groups.retain(|group| group.count > 0);
    groups
}

/// A group of paths, such as those of an invalidation.
#[must_use]
pub fn paths(items: &[String]) -> Option<Group> {
    let group = group("invalidated", "paths", '/', items.iter().map(String::as_str));
    (group.count > 0).then_some(group)
}

fn group<'a>(
    title: &'static str,
    name: &'static str,
    mark: char,
    keys: impl Iterator<Item = &'a str>,
) -> Group {
    let mut group = Group {
        title,
        name,
        mark,
        keys: Vec::new(),
        count: 0,
    };
    for key in keys {
        if group.keys.len() < TOLD {
            group.keys.push(text::line(key));
        }
        group.count += 1;
    }
    group
}

impl Group {
    /// A line for each of the first files, and one for how many more there are.
    #[must_use]
    pub fn lines(&self) -> Vec<String> {
        let shown = self.keys.iter().take(SHOWN);
        let mut lines: Vec<String> = match self.mark {
            '/' => shown.map(|path| format!("  {path}")).collect(),
            mark => shown.map(|key| format!("{mark} {key}")).collect(),
        };
        let more = self.count.saturating_sub(lines.len());
        if more > 0 {
            lines.push(format!("  and {more} more"));
        }
        lines
    }

    /// What happens to how many.
    #[must_use]
    pub fn title(&self) -> String {
        format!("{}: {}", self.title, self.count)
    }
}

/// The groups as a value: names to lists of keys, each with at most a thousand.
#[must_use]
pub fn value(groups: &[Group]) -> Value {
    let all = groups
        .iter()
        .map(|group| (group.name.to_owned(), json!(group.keys)));
    Value::Object(all.collect::<Map<String, Value>>())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::diff::Found;
    use crate::etag::Etag;
    use crate::manifest::{Retired, Row};
    use crate::target::{Item, Looks};

    fn row(key: &str, last: &str) -> Row {
        Row {
            key: key.into(),
            sha256: None,
            size: 1,
            look: 0,
            etag: Etag::new("e"),
            retired: Some(Retired {
                last: last.to_owned(),
                at: jiff::Timestamp::UNIX_EPOCH,
            }),
        }
    }

    fn of_steps(steps: &[(String, Step)], deletes: Vec<Row>, kept: Vec<Row>) -> Vec<Group> {
        let items = steps.iter().map(|(key, _)| Item {
            key: key.as_str().into(),
            size: 1,
            sha256: [0; 32],
            look: 0,
            etag: None,
        });
        let target = Target {
            items: items.collect(),
            looks: Looks::default(),
        };
        let diff = Diff {
            found: steps
                .iter()
                .map(|(_, step)| Found {
                    step: *step,
                    etag: None,
                    size: 0,
                })
                .collect(),
            ..Diff::default()
        };
        let plan = Plan {
            deletes,
            kept,
            ..Plan::default()
        };
        of(&target, &diff, &plan, "now")
    }

    #[test]
    fn each_file_is_in_the_group_of_what_happens_to_it() {
        let steps = [
            ("a".to_owned(), Step::Add),
            ("b".to_owned(), Step::Replace),
            ("c".to_owned(), Step::Headers),
            ("d".to_owned(), Step::Nothing),
            ("e".to_owned(), Step::Adopt),
        ];
        let kept = vec![row("leaves", "now"), row("left-before", "earlier")];
        let groups = of_steps(&steps, vec![row("gone", "earlier")], kept);
        let shown: Vec<(String, Vec<String>)> = groups
            .iter()
            .map(|group| (group.title(), group.lines()))
            .collect();
        let expected = [
            ("added: 1", "+ a"),
            ("changed: 1", "~ b"),
            ("get other headers: 1", "h c"),
            ("deleted: 1", "- gone"),
            ("leave the site and stay in the bucket for now: 1", ". leaves"),
        ];
        let expected = expected.map(|(title, line)| (title.to_owned(), vec![line.to_owned()]));
        assert_eq!(shown, expected);
        assert_eq!(
            value(&groups),
            json!({"added": ["a"], "changed": ["b"], "headers": ["c"], "deleted": ["gone"], "leaving": ["leaves"]})
        );
    }

    #[test]
    fn a_long_group_is_cut_and_counted() {
        let steps: Vec<(String, Step)> = (0..2345)
            .map(|number| (format!("{number:04}"), Step::Add))
            .collect();
        let groups = of_steps(&steps, Vec::new(), Vec::new());
        let [group] = groups.as_slice() else {
            panic!("{groups:?}")
        };
        assert_eq!(group.lines().len(), SHOWN + 1);
        assert_eq!(group.lines().last().unwrap(), "  and 2325 more");
        assert_eq!(value(&groups)["added"].as_array().unwrap().len(), TOLD);
    }

    #[test]
    fn names_can_do_nothing() {
        let steps = [("a\n::error::b\u{1b}[31m".to_owned(), Step::Add)];
        let groups = of_steps(&steps, Vec::new(), Vec::new());
        let line = &groups[0].lines()[0];
        assert!(!line.contains(['\n', '\u{1b}']), "{line:?}");
        assert_eq!(paths(&[]), None);
        assert_eq!(
            paths(&["/a".to_owned()]).map(|group| group.lines()),
            Some(vec!["  /a".to_owned()])
        );
    }
}
