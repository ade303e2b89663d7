//! YAML as a tree of texts with their places. A scalar is kept as it was written, so that `1.10` stays a version. Limits
//! keep a hostile file small: 1 MiB, 16 levels, few aliases.

use std::fmt;

use serde::de::{Deserialize, Deserializer, Error as _, MapAccess, SeqAccess, Visitor};
use serde_saphyr::budget::Budget;
use serde_saphyr::options::{AliasLimits, NonFiniteFloatPolicy, Options};
use serde_saphyr::{Location, Spanned};

use gha::faults::{Faults, Place};
use gha::text;

/// The largest file, in bytes.
const LARGEST: usize = 1024 * 1024;

/// The longest single value, in bytes.
const LONGEST_VALUE: usize = 16 * 1024;

/// How deep lists and maps may stand in each other.
const DEEPEST: usize = 16;

/// How much of a parser's message is shown, in characters.
const SHOWN: usize = 300;

/// A value and where it stands.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Node {
    pub(super) at: Place,
    pub(super) value: Value,
}

/// What stands there.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Value {
    /// Nothing, `null` or `~`.
    Null,
    /// Text, a number, or a truth value, as written.
    Scalar(String),
    /// A list.
    List(Vec<Node>),
    /// A map, in the order of the file.
    Map(Vec<(Key, Node)>),
}

/// A key of a map and where it stands.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Key {
    pub(super) at: Place,
    pub(super) name: String,
}

impl Node {
    /// What this is, for a message.
    pub(super) fn kind(&self) -> &'static str {
        match &self.value {
            Value::Null => "empty",
            Value::Scalar(_) => "a text",
            Value::List(_) => "a list",
            Value::Map(_) => "a map",
        }
    }
}

/// Reads a file.
///
/// # Errors
/// The first thing that is no YAML, or is over a limit.
pub(super) fn parse(name: &str, bytes: &[u8]) -> Result<Node, Faults> {
    let refuse = |at, reason: String| Err(Faults::one(name, at, reason));
    if bytes.len() > LARGEST {
        return refuse(Place::START, "the file is larger than 1 MiB".to_owned());
    }
    let source = match std::str::from_utf8(bytes) {
        Ok(source) => source.trim_start_matches('\u{feff}'),
        Err(error) => {
            let valid = String::from_utf8_lossy(&bytes[..error.valid_up_to()]);
            return refuse(Place::after(&valid), "the file is not UTF-8".to_owned());
        }
    };
    match serde_saphyr::from_str_with_options::<Spanned<Raw>>(source, options()) {
        Ok(raw) => Ok(node(raw, source)),
        Err(error) => {
            let error = error.without_snippet();
            let at = error.location().map_or(Place::START, |location| place(&location));
            refuse(at, message(error))
        }
    }
}

/// What the parser refuses, as one bounded line without the place that stands in front of it anyway.
fn message(error: &serde_saphyr::Error) -> String {
    use serde_saphyr::Error;
    match error {
        Error::DuplicateMappingKey { key: Some(key), .. } => {
            let key = text::cut(&text::visible(key), 80);
            format!("the key `{key}` stands here a second time")
        }
        Error::MultipleDocuments { .. } => "a second document begins here; a rules file is one".to_owned(),
        Error::Budget { .. }
        | Error::AliasReplayLimitExceeded { .. }
        | Error::AliasExpansionLimitExceeded { .. }
        | Error::AliasReplayStackDepthExceeded { .. }
        | Error::AliasReplayCounterOverflow { .. } => {
            "the file is over a limit: it is too long, too deep, or its aliases (`*name`) repeat too much"
                .to_owned()
        }
        other => {
            let said = other.to_string();
            let said = said
                .split_once(" at line ")
                .map_or(said.as_str(), |(said, _)| said);
            text::cut(&text::visible(said), SHOWN)
        }
    }
}

/// YAML 1.2, duplicate keys refused, everything bounded.
fn options() -> Options {
    let mut budget = Budget::default();
    budget.max_depth = DEEPEST;
    budget.flow_nesting_limit = DEEPEST;
    budget.max_nodes = 50_000;
    budget.max_events = 200_000;
    // One more than may be, so that the parser says so in its own words.
    budget.max_documents = 2;
    budget.max_aliases = 500;
    budget.max_anchors = 500;
    budget.max_recorded_anchor_events = 50_000;
    budget.max_merge_keys = 500;
    let mut aliases = AliasLimits::default();
    aliases.max_total_replayed_events = 10_000;
    aliases.max_replay_stack_depth = 8;
    let mut options = Options::default();
    options.budget = Some(budget);
    options.alias_limits = aliases;
    options.strict_booleans = true;
    options.non_finite_float_policy = NonFiniteFloatPolicy::AsString;
    options.with_snippet = false;
    options
}

/// What the parser hands over.
enum Raw {
    Null,
    Text(String),
    /// A plain scalar that YAML takes for a number or a truth value; its text is in the source.
    Typed,
    List(Vec<Spanned<Self>>),
    Map(Vec<(Spanned<String>, Spanned<Self>)>),
}

/// The tree, with the written text of every scalar.
fn node(raw: Spanned<Raw>, source: &str) -> Node {
    let value = match raw.value {
        Raw::Null => Value::Null,
        Raw::Text(text) => Value::Scalar(text),
        Raw::Typed => Value::Scalar(written(&raw.defined, source)),
        Raw::List(items) => Value::List(items.into_iter().map(|item| node(item, source)).collect()),
        Raw::Map(pairs) => Value::Map(
            pairs
                .into_iter()
                .map(|(key, value)| {
                    let at = place(&key.referenced);
                    (Key { at, name: key.value }, node(value, source))
                })
                .collect(),
        ),
    };
    Node {
        at: place(&raw.referenced),
        value,
    }
}

/// A place as the parser gives it; it has none for what is not in the text.
fn place(location: &Location) -> Place {
    Place {
        line: location.line().max(1),
        column: location.column().max(1),
    }
}

/// The text of a plain scalar in the source.
fn written(location: &Location, source: &str) -> String {
    let span = location.span();
    let range = span
        .byte_offset()
        .zip(span.byte_len())
        .and_then(|(start, length)| {
            let start = usize::try_from(start).ok()?;
            Some(start..start.checked_add(usize::try_from(length).ok()?)?)
        });
    let found = range.and_then(|range| source.get(range)).unwrap_or_default();
    found.trim().to_owned()
}

impl<'de> Deserialize<'de> for Raw {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(RawVisitor)
    }
}

struct RawVisitor;

impl<'de> Visitor<'de> for RawVisitor {
    type Value = Raw;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a value")
    }

    fn visit_unit<E>(self) -> Result<Raw, E> {
        Ok(Raw::Null)
    }

    fn visit_bool<E>(self, _: bool) -> Result<Raw, E> {
        Ok(Raw::Typed)
    }

    fn visit_i64<E>(self, _: i64) -> Result<Raw, E> {
        Ok(Raw::Typed)
    }

    fn visit_u64<E>(self, _: u64) -> Result<Raw, E> {
        Ok(Raw::Typed)
    }

    fn visit_i128<E>(self, _: i128) -> Result<Raw, E> {
        Ok(Raw::Typed)
    }

    fn visit_u128<E>(self, _: u128) -> Result<Raw, E> {
        Ok(Raw::Typed)
    }

    fn visit_f64<E>(self, _: f64) -> Result<Raw, E> {
        Ok(Raw::Typed)
    }

    fn visit_str<E: serde::de::Error>(self, text: &str) -> Result<Raw, E> {
        if text.len() > LONGEST_VALUE {
            let length = text.len();
            return Err(E::custom(format!(
                "a value of {length} bytes is over the limit of 16 KiB"
            )));
        }
        Ok(Raw::Text(text.to_owned()))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Raw, A::Error> {
        let mut list = Vec::new();
        while let Some(item) = items.next_element()? {
            list.push(item);
        }
        Ok(Raw::List(list))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut pairs: A) -> Result<Raw, A::Error> {
        let mut map = Vec::new();
        while let Some(pair) = pairs.next_entry::<Spanned<String>, _>()? {
            if pair.0.value.len() > LONGEST_VALUE {
                return Err(A::Error::custom("a key is over the limit of 16 KiB"));
            }
            map.push(pair);
        }
        Ok(Raw::Map(map))
    }
}
