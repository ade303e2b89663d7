//! Documents of YAML or JSON as JSON, with the line on which each begins. Scalars are read as Kubernetes reads them
//! ([`super::scalar`]); keys that stand twice are refused. Limits keep a hostile file small: 8 MiB, 48 levels, few aliases.
//! Pure.

use serde::de::{Deserialize, Deserializer, MapAccess, SeqAccess, Visitor};
use serde_json::{Map, Value};
use serde_saphyr::budget::Budget;
use serde_saphyr::options::{AliasLimits, NonFiniteFloatPolicy, Options};
use serde_saphyr::{Location, Spanned};
use std::fmt;

use gha::text;

use super::scalar;

/// The most that is read of one file, in bytes: a chart's definitions of custom resources have some MiB.
pub(super) const LARGEST: usize = 8 * 1024 * 1024;

/// How deep lists and maps may stand in each other. Definitions of custom resources are deeper, which are not for this program.
const DEEPEST: usize = 48;

/// How many keys, values, lists and maps there may be.
const MOST_NODES: usize = 400_000;

/// How many anchors, aliases and merge keys there may be of each.
const MOST_ANCHORS: usize = 2_000;

/// How many documents there may be.
const MOST_DOCUMENTS: usize = 2_000;

/// How much of a parser's message is shown, in characters.
const SHOWN: usize = 300;

/// A document.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Document {
    /// The line of its first key, from 1.
    pub(super) line: u64,
    pub(super) value: Value,
}

/// What is wrong, and where.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Fault {
    /// From 1.
    pub(super) line: u64,
    pub(super) reason: String,
}

/// Reads a file; documents that are empty are left out.
pub(super) fn documents(bytes: &[u8]) -> Result<Vec<Document>, Fault> {
    let refuse = |line, reason: &str| {
        let reason = reason.to_owned();
        Err(Fault { line, reason })
    };
    if bytes.len() > LARGEST {
        return refuse(1, "it is larger than 8 MiB");
    }
    let source = match std::str::from_utf8(bytes) {
        Ok(source) => source.trim_start_matches('\u{feff}'),
        Err(error) => return refuse(lines(&bytes[..error.valid_up_to()]), "it is not UTF-8"),
    };
    if source.trim_start().starts_with('{')
        && let Some(documents) = json(source)
    {
        return Ok(documents);
    }
    let read = serde_saphyr::from_multiple_with_options::<Spanned<Raw>>(source, options());
    let read = read.map_err(|error| {
        let error = error.without_snippet();
        let line = error.location().map_or(1, |location| location.line().max(1));
        Fault {
            line,
            reason: reason(error, source),
        }
    })?;
    let document = |raw: Spanned<Raw>| {
        let line = raw.referenced.line().max(1);
        let value = value(raw, source)?;
        Ok((!value.is_null()).then_some(Document { line, value }))
    };
    read.into_iter()
        .filter_map(|raw| document(raw).transpose())
        .collect()
}

/// Objects of JSON, one behind the other, as `kubectl get -o json` and other programs print them.
fn json(source: &str) -> Option<Vec<Document>> {
    let mut stream = serde_json::Deserializer::from_str(source).into_iter::<Value>();
    let mut documents = Vec::new();
    loop {
        let from = source.get(stream.byte_offset()..)?;
        let begins = source.len() - from.trim_start().len();
        let Some(value) = stream.next() else { break };
        let line = lines(source.get(..begins)?.as_bytes());
        documents.push(Document {
            line,
            value: value.ok()?,
        });
        if documents.len() > MOST_DOCUMENTS {
            return None;
        }
    }
    Some(documents)
}

/// The line on which a text ends.
fn lines(text: &[u8]) -> u64 {
    let ends = text.iter().filter(|byte| **byte == b'\n').count();
    u64::try_from(ends).unwrap_or(u64::MAX).saturating_add(1)
}

fn options() -> Options {
    let mut budget = Budget::default();
    budget.max_depth = DEEPEST;
    budget.flow_nesting_limit = DEEPEST;
    budget.max_nodes = MOST_NODES;
    budget.max_events = 2 * MOST_NODES;
    budget.max_documents = MOST_DOCUMENTS;
    budget.max_aliases = MOST_ANCHORS;
    budget.max_anchors = MOST_ANCHORS;
    budget.max_recorded_anchor_events = 100_000;
    budget.max_merge_keys = MOST_ANCHORS;
    budget.max_total_scalar_bytes = LARGEST;
    let mut aliases = AliasLimits::default();
    aliases.max_total_replayed_events = 100_000;
    aliases.max_replay_stack_depth = 16;
    let mut options = Options::default();
    options.budget = Some(budget);
    options.alias_limits = aliases;
    // All that Kubernetes may take for a number or a truth value, to look at how it is written.
    options.legacy_octal_numbers = true;
    options.strict_booleans = false;
    options.non_finite_float_policy = NonFiniteFloatPolicy::PassThrough;
    options.with_snippet = false;
    options
}

fn reason(error: &serde_saphyr::Error, source: &str) -> String {
    use serde_saphyr::Error;
    if source.contains("{{") {
        return "this is a template that is not rendered (`{{`); render it first, a chart by `helm:RELEASE CHART`"
            .to_owned();
    }
    match error {
        Error::DuplicateMappingKey { key: Some(key), .. } => {
            format!(
                "the key `{}` stands here a second time",
                text::cut(&text::visible(key), 80)
            )
        }
        Error::Budget { breach, .. } => {
            format!("it is over a limit: {}", cut(&format!("{breach:?}")))
        }
        Error::AliasReplayLimitExceeded { .. }
        | Error::AliasExpansionLimitExceeded { .. }
        | Error::AliasReplayStackDepthExceeded { .. }
        | Error::AliasReplayCounterOverflow { .. } => {
            "it is over a limit: its aliases (`*name`) repeat too much; write out what they stand for"
                .to_owned()
        }
        Error::UnknownAnchor { .. } => "no anchor (`&name`) stands before this alias (`*name`)".to_owned(),
        Error::AliasError { error, .. } => reason(error, source),
        other => {
            let said = other.to_string();
            cut(said
                .split_once(" at line ")
                .map_or(said.as_str(), |(said, _)| said))
        }
    }
}

fn cut(said: &str) -> String {
    text::cut(&text::visible(said), SHOWN)
}

/// What the parser hands over.
enum Raw {
    Null,
    Text(String),
    /// A plain scalar that may be a number or a truth value; its text is in the source.
    Typed,
    List(Vec<Spanned<Self>>),
    Map(Vec<(Spanned<String>, Spanned<Self>)>),
}

fn value(raw: Spanned<Raw>, source: &str) -> Result<Value, Fault> {
    Ok(match raw.value {
        Raw::Null => Value::Null,
        Raw::Text(text) => Value::String(text),
        Raw::Typed => {
            let written = written(&raw.defined, source);
            scalar::resolve(written).map_err(|error| Fault {
                line: raw.referenced.line().max(1),
                reason: format!("`{}` {error}", text::cut(&text::visible(written), 40)),
            })?
        }
        Raw::List(items) => Value::Array(
            items
                .into_iter()
                .map(|item| value(item, source))
                .collect::<Result<_, _>>()?,
        ),
        Raw::Map(pairs) => {
            let mut map = Map::with_capacity(pairs.len());
            for (key, held) in pairs {
                let line = key.referenced.line().max(1);
                let name = key_name(key, source, line)?;
                let shown = text::cut(&text::visible(&name), 80);
                if map.insert(name, value(held, source)?).is_some() {
                    let reason = format!("the key `{shown}` stands here a second time");
                    return Err(Fault { line, reason });
                }
            }
            Value::Object(map)
        }
    })
}

/// A key as a text: plain truth values and whole numbers become the texts that Kubernetes makes of them.
fn key_name(key: Spanned<String>, source: &str, line: u64) -> Result<String, Fault> {
    if written(&key.defined, source) != key.value {
        return Ok(key.value);
    }
    match scalar::resolve(&key.value) {
        Ok(Value::Bool(truth)) => Ok(truth.to_string()),
        Ok(Value::Number(number)) if !number.is_f64() => Ok(number.to_string()),
        Ok(Value::String(text)) => Ok(text),
        _ => Err(Fault {
            line,
            reason: format!(
                "the key `{}` is no text; put it in quotes",
                text::cut(&text::visible(&key.value), 80)
            ),
        }),
    }
}

/// The text of a plain scalar in the source.
fn written<'a>(location: &Location, source: &'a str) -> &'a str {
    let span = location.span();
    let range = span
        .byte_offset()
        .zip(span.byte_len())
        .and_then(|(start, length)| {
            let start = usize::try_from(start).ok()?;
            Some(start..start.checked_add(usize::try_from(length).ok()?)?)
        });
    range
        .and_then(|range| source.get(range))
        .unwrap_or_default()
        .trim()
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

    fn visit_str<E>(self, text: &str) -> Result<Raw, E> {
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
            map.push(pair);
        }
        Ok(Raw::Map(map))
    }
}

#[cfg(test)]
mod tests;
