//! What a new task definition changes, as a person wants to read it: per container, by name.
//!
//! Values of variables, secrets, labels and options are never shown, only that they changed: they may hold secrets. Shown
//! are images, sizes, commands and the settings of the task that are plain names.

use std::collections::BTreeSet;
use std::fmt;

use serde_json::{Map, Value};

use gha::{accounts, text};

use crate::task_definition::same::plain;
use crate::task_definition::{TaskDefinition, text as text_of};

/// Keys of a task definition whose values are shown.
const SHOWN_IN_TASK: [&str; 8] = [
    "cpu",
    "executionRoleArn",
    "family",
    "ipcMode",
    "memory",
    "networkMode",
    "pidMode",
    "taskRoleArn",
];

/// Keys of a container whose values are shown.
const SHOWN_IN_CONTAINER: [&str; 6] = ["command", "cpu", "entryPoint", "essential", "image", "memory"];

/// How much of a value is shown, in characters.
const SHOWN: usize = 160;

/// One thing that changes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Difference {
    /// The container, or the task as a whole.
    pub container: Option<String>,
    /// What changes, such as `image` or ``environment `PORT` ``; ready to be shown.
    pub what: String,
    /// How.
    pub how: How,
}

/// How a thing changes; the values are those that may be shown.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum How {
    /// It was not there.
    Added(Option<String>),
    /// It is there no more.
    Removed(Option<String>),
    /// From one value to another.
    Changed(Option<(String, String)>),
}

/// `web: image: nginx:1 → nginx:2`, one line.
impl fmt::Display for Difference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(container) = &self.container {
            write!(f, "{container}: ")?;
        }
        let what = &self.what;
        match &self.how {
            How::Added(None) => write!(f, "{what} added"),
            How::Added(Some(to)) => write!(f, "{what} added: {to}"),
            How::Removed(None) => write!(f, "{what} removed"),
            How::Removed(Some(from)) => write!(f, "{what} removed: {from}"),
            How::Changed(None) => write!(f, "{what} changed"),
            How::Changed(Some((from, to))) => write!(f, "{what}: {from} → {to}"),
        }
    }
}

/// What changes between two task definitions; nothing exactly where they are the same.
#[must_use]
pub fn differences(from: &TaskDefinition, to: &TaskDefinition) -> Vec<Difference> {
    let (from, to) = (plain(from), plain(to));
    let mut found = Vec::new();
    if from == to {
        return found;
    }
    for key in keys(&from, &to) {
        match key {
            "containerDefinitions" => {}
            "tags" => named(&mut found, None, "tag", "key", from.get(key), to.get(key)),
            _ => {
                let show = SHOWN_IN_TASK.contains(&key);
                single(&mut found, None, key, show, from.get(key), to.get(key));
            }
        }
    }
    containers(&mut found, &from, &to);
    if found.is_empty() {
        found.push(Difference {
            container: None,
            what: "`containerDefinitions`".to_owned(),
            how: How::Changed(None),
        });
    }
    found
}

/// The containers, by name. Where names are missing or stand twice, nobody can say which became which.
fn containers(found: &mut Vec<Difference>, from: &Map<String, Value>, to: &Map<String, Value>) {
    let (Some(from), Some(to)) = (by_name(from), by_name(to)) else {
        return;
    };
    for (name, container) in &from {
        let shown_name = Some(shown(name));
        match to.iter().find(|(other, _)| other == name) {
            Some((_, new)) => inside(found, shown_name, container, new),
            None => found.push(whole(name, How::Removed(image(container)))),
        }
    }
    for (name, container) in &to {
        if !from.iter().any(|(other, _)| other == name) {
            found.push(whole(name, How::Added(image(container))));
        }
    }
}

fn whole(name: &str, how: How) -> Difference {
    Difference {
        container: None,
        what: format!("container `{}`", shown(name)),
        how,
    }
}

fn image(container: &Map<String, Value>) -> Option<String> {
    container.get("image").map(written)
}

/// The containers and their names, where each has one of its own.
fn by_name(definition: &Map<String, Value>) -> Option<Vec<(&str, &Map<String, Value>)>> {
    let list = definition.get("containerDefinitions")?.as_array()?;
    let mut names = BTreeSet::new();
    list.iter()
        .map(|container| {
            let name = text_of(container, "name").filter(|name| names.insert(*name))?;
            Some((name, container.as_object()?))
        })
        .collect()
}

/// What changes inside a container.
fn inside(
    found: &mut Vec<Difference>,
    container: Option<String>,
    from: &Map<String, Value>,
    to: &Map<String, Value>,
) {
    for key in keys(from, to) {
        let (one, other) = (from.get(key), to.get(key));
        let container = container.clone();
        match key {
            "environment" => named(found, container, "environment", "name", one, other),
            "secrets" => named(found, container, "secret", "name", one, other),
            _ => {
                let show = SHOWN_IN_CONTAINER.contains(&key);
                single(found, container, key, show, one, other);
            }
        }
    }
}

/// A value that is compared as a whole.
fn single(
    found: &mut Vec<Difference>,
    container: Option<String>,
    key: &str,
    show: bool,
    from: Option<&Value>,
    to: Option<&Value>,
) {
    let value = |value: &Value| show.then(|| written(value));
    let how = match (from, to) {
        (from, to) if from == to => return,
        (None, Some(to)) => How::Added(value(to)),
        (Some(from), None) => How::Removed(value(from)),
        (Some(from), Some(to)) => How::Changed(value(from).zip(value(to))),
        (None, None) => return,
    };
    let what = if show {
        key.to_owned()
    } else {
        format!("`{}`", shown(key))
    };
    found.push(Difference { container, what, how });
}

/// Entries of a list that have names; their values are not shown.
fn named(
    found: &mut Vec<Difference>,
    container: Option<String>,
    kind: &str,
    key: &str,
    from: Option<&Value>,
    to: Option<&Value>,
) {
    let before = found.len();
    let mut push = |name: &str, how| {
        found.push(Difference {
            container: container.clone(),
            what: format!("{kind} `{}`", shown(name)),
            how,
        });
    };
    let (old, new) = (entries(from, key), entries(to, key));
    let names: BTreeSet<&str> = old.iter().chain(&new).map(|(name, _)| *name).collect();
    for name in names {
        let (old, new) = (of(&old, name), of(&new, name));
        match (old.is_empty(), new.is_empty()) {
            (true, _) => push(name, How::Added(None)),
            (_, true) => push(name, How::Removed(None)),
            _ if old != new => push(name, How::Changed(None)),
            _ => {}
        }
    }
    // Entries without a name, or something that is no list.
    if found.len() == before && from != to {
        single(found, container, &format!("{kind} entries"), false, from, to);
    }
}

/// The entries of a list with their names.
fn entries<'a>(list: Option<&'a Value>, key: &str) -> Vec<(&'a str, &'a Value)> {
    let list = list.and_then(Value::as_array);
    list.into_iter()
        .flatten()
        .filter_map(|entry| Some((text_of(entry, key)?, entry)))
        .collect()
}

fn of<'a>(entries: &[(&'a str, &'a Value)], name: &str) -> Vec<&'a Value> {
    entries
        .iter()
        .filter(|(other, _)| *other == name)
        .map(|(_, entry)| *entry)
        .collect()
}

/// The keys of both, those of the first in their order, then the others.
fn keys<'a>(one: &'a Map<String, Value>, other: &'a Map<String, Value>) -> Vec<&'a str> {
    let added = other.keys().filter(|key| !one.contains_key(*key));
    one.keys().chain(added).map(String::as_str).collect()
}

/// A value for a person: texts without quotes, everything else as JSON, without an account.
fn written(value: &Value) -> String {
    let value = match value {
        Value::String(text) => accounts::without(text),
        other => accounts::without(&other.to_string()),
    };
    shown(&value)
}

fn shown(foreign: &str) -> String {
    text::cut(&text::visible(foreign), SHOWN)
}
