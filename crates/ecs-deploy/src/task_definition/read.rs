//! Task definitions read: from a file of JSON or YAML, and from the body of a `DescribeTaskDefinition` answer.
//!
//! A file may be what `aws ecs describe-task-definition` printed, with its `taskDefinition` around it and its read-only
//! keys in it. Both kinds go through one visitor, which refuses a key that stands twice: one of the two values would
//! be lost. Limits: 1 MiB, and in YAML 64 levels and few aliases.

use std::fmt;

use serde::de::{Deserialize, Deserializer, Error as _, MapAccess, SeqAccess, Visitor};
use serde_json::{Map, Number, Value};
use serde_saphyr::budget::Budget;
use serde_saphyr::options::{AliasLimits, NonFiniteFloatPolicy, Options};

use gha::text;

use crate::task_definition::{TaskDefinition, numbers};

/// The largest file or body, in bytes. ECS takes 64 KiB
/// (<https://docs.aws.amazon.com/AmazonECS/latest/developerguide/service-quotas.html>).
const LARGEST: usize = 1024 * 1024;

/// How deep lists and maps may stand in each other in YAML.
const DEEPEST: usize = 64;

/// How much of a parser's message or a foreign key is shown, in characters.
const SHOWN: usize = 200;

/// Why a task definition can't be read.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum ReadError {
    /// Over the limit.
    #[error("the task definition has {0} bytes, more than 1 MiB")]
    TooLarge(usize),
    /// Not text.
    #[error("the task definition is not UTF-8 after byte {0}")]
    NotUtf8(usize),
    /// Not JSON.
    #[error("the task definition is no JSON: {0}")]
    Json(String),
    /// Not YAML.
    #[error("the task definition is neither JSON nor YAML: {0}")]
    Yaml(String),
    /// Not a map.
    #[error("the task definition is {0}, not a map of keys")]
    NotAMap(&'static str),
    /// A number that can't be held.
    #[error("the number `{0}` of the task definition can't be kept exactly")]
    Number(String),
    /// An answer without it.
    #[error("the answer of `ecs:DescribeTaskDefinition` has no `taskDefinition`")]
    NotDescribed,
    /// No containers.
    #[error("the task definition has no `containerDefinitions`; its keys are {0}")]
    NoContainers(String),
}

impl TaskDefinition {
    /// Reads a file: JSON where its first character is `{`, else YAML.
    ///
    /// # Errors
    /// When it is neither, or has no list of containers.
    pub fn from_file(bytes: &[u8]) -> Result<Self, ReadError> {
        let source = source(bytes)?;
        let value = if source.trim_start().starts_with('{') {
            json(source)?
        } else {
            yaml(source)?
        };
        let map = map(value)?;
        with_containers(unwrapped(map))
    }

    /// Reads the body of a `DescribeTaskDefinition` answer, with the tags that stand beside the task definition.
    ///
    /// # Errors
    /// When it is no JSON of that shape.
    pub fn from_described(body: &[u8]) -> Result<Self, ReadError> {
        let map = map(json(source(body)?)?)?;
        if !map.get("taskDefinition").is_some_and(Value::is_object) {
            return Err(ReadError::NotDescribed);
        }
        with_containers(unwrapped(map))
    }
}

/// The task definition inside the answer's `taskDefinition`, or the map itself. An empty list of tags is how the
/// answer says that there are none, and is left out.
fn unwrapped(mut map: Map<String, Value>) -> Map<String, Value> {
    if map.contains_key("containerDefinitions") {
        return map;
    }
    match map.shift_remove("taskDefinition") {
        Some(Value::Object(mut inner)) => {
            let tags = map
                .shift_remove("tags")
                .filter(|tags| *tags != Value::Array(vec![]));
            if let Some(tags) = tags.filter(|tags| !tags.is_null()) {
                inner.entry("tags").or_insert(tags);
            }
            inner
        }
        Some(other) => {
            map.insert("taskDefinition".to_owned(), other);
            map
        }
        None => map,
    }
}

/// A task definition, if it has a list of containers; without one the file is something else.
fn with_containers(map: Map<String, Value>) -> Result<TaskDefinition, ReadError> {
    if map.get("containerDefinitions").is_some_and(Value::is_array) {
        return Ok(TaskDefinition::new(map));
    }
    let keys: Vec<String> = map
        .keys()
        .take(12)
        .map(|key| format!("`{}`", shown(key, 40)))
        .collect();
    Err(ReadError::NoContainers(if keys.is_empty() {
        "none".to_owned()
    } else {
        keys.join(", ")
    }))
}

/// The bytes as text, without a byte order mark.
fn source(bytes: &[u8]) -> Result<&str, ReadError> {
    if bytes.len() > LARGEST {
        return Err(ReadError::TooLarge(bytes.len()));
    }
    std::str::from_utf8(bytes)
        .map(|text| text.trim_start_matches('\u{feff}'))
        .map_err(|error| ReadError::NotUtf8(error.valid_up_to()))
}

/// A JSON text as a value that holds all of it.
fn json(source: &str) -> Result<Value, ReadError> {
    let Exact(value) =
        serde_json::from_str(source).map_err(|error| ReadError::Json(shown(&error.to_string(), SHOWN)))?;
    match numbers::lost(source, &value) {
        Some(number) => Err(ReadError::Number(text::cut(number, 80))),
        None => Ok(value),
    }
}

/// A YAML text as a value.
fn yaml(source: &str) -> Result<Value, ReadError> {
    let Exact(value) = serde_saphyr::from_str_with_options(source, options()).map_err(|error| {
        let error = error.without_snippet().to_string();
        ReadError::Yaml(shown(&error, SHOWN))
    })?;
    Ok(value)
}

/// YAML 1.2, everything bounded; what is a number only by some reading of YAML, such as `007`, stays text.
fn options() -> Options {
    let mut budget = Budget::default();
    budget.max_depth = DEEPEST;
    budget.flow_nesting_limit = DEEPEST;
    budget.max_nodes = 50_000;
    budget.max_events = 200_000;
    budget.max_documents = 2;
    budget.max_aliases = 500;
    budget.max_anchors = 500;
    budget.max_recorded_anchor_events = 50_000;
    budget.max_merge_keys = 500;
    let mut aliases = AliasLimits::default();
    aliases.max_total_replayed_events = 20_000;
    aliases.max_replay_stack_depth = 8;
    let mut options = Options::default();
    options.budget = Some(budget);
    options.alias_limits = aliases;
    options.strict_booleans = true;
    options.leading_zero_numbers_as_strings = true;
    options.underscored_numbers_as_strings = true;
    options.non_finite_float_policy = NonFiniteFloatPolicy::AsString;
    options.with_snippet = false;
    options
}

/// The keys of a value.
fn map(value: Value) -> Result<Map<String, Value>, ReadError> {
    Err(ReadError::NotAMap(match value {
        Value::Object(map) => return Ok(map),
        Value::Null => "empty",
        Value::Bool(_) => "a truth value",
        Value::Number(_) => "a number",
        Value::String(_) => "a text",
        Value::Array(_) => "a list",
    }))
}

/// Foreign text for a reason.
fn shown(foreign: &str, max: usize) -> String {
    text::cut(&text::visible(foreign), max)
}

/// A value of which no key stood twice.
struct Exact(Value);

impl<'de> Deserialize<'de> for Exact {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(ExactVisitor).map(Self)
    }
}

struct ExactVisitor;

impl<'de> Visitor<'de> for ExactVisitor {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a value")
    }

    fn visit_unit<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_bool<E>(self, value: bool) -> Result<Value, E> {
        Ok(Value::Bool(value))
    }

    fn visit_i64<E>(self, value: i64) -> Result<Value, E> {
        Ok(Value::from(value))
    }

    fn visit_u64<E>(self, value: u64) -> Result<Value, E> {
        Ok(Value::from(value))
    }

    fn visit_f64<E: serde::de::Error>(self, value: f64) -> Result<Value, E> {
        let number = Number::from_f64(value).ok_or_else(|| E::custom("a number that is not finite"))?;
        Ok(Value::Number(number))
    }

    fn visit_str<E>(self, value: &str) -> Result<Value, E> {
        Ok(Value::String(value.to_owned()))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Value, A::Error> {
        let mut list = Vec::new();
        while let Some(Exact(item)) = items.next_element()? {
            list.push(item);
        }
        Ok(Value::Array(list))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut pairs: A) -> Result<Value, A::Error> {
        let mut map = Map::new();
        while let Some(key) = pairs.next_key::<String>()? {
            if map.contains_key(&key) {
                return Err(A::Error::custom(format!(
                    "the key `{}` stands here a second time",
                    shown(&key, 80)
                )));
            }
            let Exact(value) = pairs.next_value()?;
            map.insert(key, value);
        }
        Ok(Value::Object(map))
    }
}
