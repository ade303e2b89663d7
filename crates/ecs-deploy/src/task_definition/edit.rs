//! Changes to a task definition, each written as one line: image, environment, secret, CPU, memory, command.
//!
//! A line that names no container is for the only one there is. Nothing else of the task definition is touched.
//! Values of the environment are never in an error: they may be secrets.

use std::fmt;

use serde_json::{Map, Value, json};

use gha::image::ImageError;
use gha::text;

use crate::task_definition::{TaskDefinition, text as text_of};

mod line;

/// One change.
#[derive(Clone, PartialEq, Eq)]
pub struct Edit {
    /// The container; none is the only one there is, or the task for CPU and memory.
    container: Option<String>,
    change: Change,
}

#[derive(Clone, PartialEq, Eq)]
enum Change {
    Image(String),
    Environment { name: String, value: String },
    Secret { name: String, reference: String },
    Size { key: &'static str, amount: Amount },
    Command(Vec<String>),
}

/// CPU or memory: the text for a task, and the number for a container.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Amount {
    Task(String),
    Container(u32),
}

/// Why a change can't be read or made.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum EditError {
    /// A container that is not there.
    #[error("no container `{asked}`; the task definition has {there}")]
    NoContainer {
        /// The name that was given.
        asked: String,
        /// The names that there are.
        there: String,
    },
    /// No container was named, and there is not one.
    #[error("{what} names no container; the task definition has {there}, so write {example}")]
    Unnamed {
        /// Which change.
        what: String,
        /// The names that there are.
        there: String,
        /// The line with a container.
        example: &'static str,
    },
    /// Two containers of one name.
    #[error("the task definition has the container `{0}` more than once")]
    Twice(String),
    /// Another kind of value than the change is for.
    #[error("`{key}` of container `{container}` is no list")]
    NotAList {
        /// The key.
        key: &'static str,
        /// The container.
        container: String,
    },
    /// Not a reference.
    #[error(transparent)]
    Image(#[from] ImageError),
    /// Not a variable. The line is not shown: it may be a part of a secret that has several lines.
    #[error("a line {0}; write `NAME=value`, or `container:NAME=value`")]
    Variable(&'static str),
    /// Not a reference of a secret. What was given is not shown: it may be the secret itself.
    #[error(
        "what is given for the secret `{0}` is neither an ARN nor the name of a parameter; the secret's own value has no place here"
    )]
    Secret(String),
    /// Not an amount.
    #[error("`{given}` is no {key} of a {of}; write {example}")]
    Size {
        /// What was given.
        given: String,
        /// CPU or memory.
        key: &'static str,
        /// Task or container.
        of: &'static str,
        /// How it is written.
        example: &'static str,
    },
    /// Not a command.
    #[error("the command `{given}` {why}")]
    Command {
        /// What was given.
        given: String,
        /// What is wrong.
        why: &'static str,
    },
}

/// Shows what is changed, not to which value.
impl fmt::Debug for Edit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let container = self.container.as_deref().unwrap_or("-");
        write!(f, "Edit({container}: {})", self.change.what())
    }
}

impl Change {
    /// The change, as a reason names it.
    fn what(&self) -> String {
        match self {
            Self::Image(image) => format!("the image `{}`", shown(image)),
            Self::Environment { name, .. } => format!("the variable `{}`", shown(name)),
            Self::Secret { name, .. } => format!("the secret `{}`", shown(name)),
            Self::Size { key, .. } => format!("`{key}`"),
            Self::Command(_) => "the command".to_owned(),
        }
    }

    fn example(&self) -> &'static str {
        match self {
            Self::Image(_) => "`container=image`",
            Self::Environment { .. } => "`container:NAME=value`",
            Self::Secret { .. } => "`container:NAME=reference`",
            Self::Size { .. } => "`container=amount`",
            Self::Command(_) => "`container=command`",
        }
    }
}

impl TaskDefinition {
    /// Makes a change.
    ///
    /// # Errors
    /// When the container is not there, or is not the only one where none was named. Nothing is changed then.
    pub fn apply(&mut self, edit: &Edit) -> Result<(), EditError> {
        if let Change::Size {
            key,
            amount: Amount::Task(amount),
        } = &edit.change
        {
            self.content.insert((*key).to_owned(), json!(amount));
            return Ok(());
        }
        let (name, there) = (self.container_of(edit)?, self.names());
        let mut found = self
            .containers_mut()
            .filter(|container| container.get("name").and_then(Value::as_str) == Some(&name));
        let container = found.next().ok_or_else(|| EditError::NoContainer {
            asked: shown(&name),
            there,
        })?;
        if found.next().is_some() {
            return Err(EditError::Twice(shown(&name)));
        }
        change(container, &name, &edit.change)
    }

    /// The container and the words of a command that one task gets in place of its own; nothing is changed.
    ///
    /// # Errors
    /// When the line is no command, or its container is not there.
    pub fn command_of(&self, line: &str) -> Result<(String, Vec<String>), EditError> {
        let edit = Edit::command(line)?;
        let name = self.container_of(&edit)?;
        if !self.containers().any(|container| container.name() == Some(&name)) {
            return Err(EditError::NoContainer {
                asked: shown(&name),
                there: self.names(),
            });
        }
        match edit.change {
            Change::Command(words) => Ok((name, words)),
            other => Err(EditError::Command {
                given: other.what(),
                why: "is no command",
            }),
        }
    }

    /// The container that a change is for.
    fn container_of(&self, edit: &Edit) -> Result<String, EditError> {
        if let Some(name) = &edit.container {
            return Ok(name.clone());
        }
        let mut names = self.containers().map(|container| container.name());
        match (names.next(), names.next()) {
            (Some(Some(only)), None) => Ok(only.to_owned()),
            _ => Err(EditError::Unnamed {
                what: edit.change.what(),
                there: self.names(),
                example: edit.change.example(),
            }),
        }
    }

    /// The names of the containers, for a reason.
    fn names(&self) -> String {
        let names: Vec<String> = self
            .containers()
            .take(20)
            .map(|container| format!("`{}`", shown(container.name().unwrap_or_default())))
            .collect();
        if names.is_empty() {
            "no container".to_owned()
        } else {
            names.join(", ")
        }
    }
}

fn change(container: &mut Map<String, Value>, name: &str, change: &Change) -> Result<(), EditError> {
    match change {
        Change::Image(image) => set(container, "image", json!(image)),
        Change::Command(words) => set(container, "command", json!(words)),
        Change::Size { key, amount } => match amount {
            Amount::Container(amount) => set(container, key, json!(amount)),
            Amount::Task(amount) => set(container, key, json!(amount)),
        },
        // One name can't be in both lists
        // (<https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_ContainerDefinition.html>).
        Change::Environment {
            name: variable,
            value,
        } => {
            lists(container, name)?;
            take_from(container, "secrets", variable);
            put_into(container, "environment", variable, "value", value);
        }
        Change::Secret {
            name: variable,
            reference,
        } => {
            lists(container, name)?;
            take_from(container, "environment", variable);
            put_into(container, "secrets", variable, "valueFrom", reference);
        }
    }
    Ok(())
}

fn set(container: &mut Map<String, Value>, key: &str, value: Value) {
    container.insert(key.to_owned(), value);
}

/// Refuses a container whose variables are no lists.
fn lists(container: &Map<String, Value>, name: &str) -> Result<(), EditError> {
    let wrong = ["environment", "secrets"].into_iter().find(|key| {
        container
            .get(*key)
            .is_some_and(|value| !value.is_array() && !value.is_null())
    });
    match wrong {
        None => Ok(()),
        Some(key) => Err(EditError::NotAList {
            key,
            container: shown(name),
        }),
    }
}

/// Takes every entry of a variable out of a list.
fn take_from(container: &mut Map<String, Value>, list: &str, variable: &str) {
    if let Some(Value::Array(entries)) = container.get_mut(list) {
        entries.retain(|entry| text_of(entry, "name") != Some(variable));
    }
}

/// Sets a variable in a list: in the place of its first entry, else at the end.
fn put_into(container: &mut Map<String, Value>, list: &str, variable: &str, key: &str, value: &str) {
    let slot = container.entry(list).or_insert_with(|| json!([]));
    if slot.is_null() {
        *slot = json!([]);
    }
    let Value::Array(entries) = slot else { return };
    let is_it = |entry: &Value| text_of(entry, "name") == Some(variable);
    let Some(first) = entries.iter().position(is_it) else {
        entries.push(json!({"name": variable, key: value}));
        return;
    };
    entries[first][key] = json!(value);
    let mut at = 0;
    entries.retain(|entry| {
        at += 1;
        at - 1 <= first || !is_it(entry)
    });
}

fn shown(foreign: &str) -> String {
    text::cut(&text::visible(foreign), 120)
}
