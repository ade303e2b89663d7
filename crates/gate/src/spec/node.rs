//! YAML as a tree of texts with their places. Types come later: a scalar is kept as it was written, so that `1.10` stays
//! a version and an error can quote it. Limits keep a hostile file small: 1 MiB, 32 levels, few aliases.

use std::fmt;

use serde::de::{Deserialize, Deserializer, Error as _, MapAccess, SeqAccess, Visitor};
use serde_saphyr::budget::Budget;
use serde_saphyr::options::{AliasLimits, NonFiniteFloatPolicy, Options};
use serde_saphyr::{Location, Spanned};

use crate::spec::fault::{Faults, Place};

mod refused;

/// The largest file, in bytes.
const LARGEST: usize = 1024 * 1024;

/// The longest single value, in bytes.
pub(crate) const LONGEST_VALUE: usize = 16 * 1024;

/// How deep lists and maps may stand in each other.
const DEEPEST: usize = 32;

/// How many keys, values, lists and maps there may be.
const MOST_NODES: usize = 50_000;

/// How many anchors, aliases and merge keys there may be of each.
const MOST_ANCHORS: usize = 500;

/// A value and where it stands.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Node {
    pub(crate) at: Place,
    pub(crate) value: Value,
}

/// What stands there.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Value {
    /// Nothing, `null` or `~`.
    Null,
    /// Text, a number, or a truth value, as written.
    Scalar(String),
    /// Text with a variable in it whose value is not known; why was told.
    Unknown,
    /// A list.
    List(Vec<Node>),
    /// A map, in the order of the file.
    Map(Vec<(Key, Node)>),
}

/// A key of a map and where it stands.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Key {
    pub(crate) at: Place,
    pub(crate) name: String,
}

impl Node {
    /// The value of a key, where this is a map that has it.
    pub(crate) fn get_mut(&mut self, name: &str) -> Option<&mut Self> {
        let Value::Map(pairs) = &mut self.value else {
            return None;
        };
        pairs
            .iter_mut()
            .find_map(|(key, value)| (key.name == name).then_some(value))
    }
}

/// Reads a file.
///
/// # Errors
/// The first thing that is no YAML, or is over a limit.
pub(crate) fn parse(name: &str, bytes: &[u8]) -> Result<Node, Faults> {
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
            refuse(at, refused::message(error))
        }
    }
}

/// YAML 1.2, duplicate keys refused, everything bounded.
fn options() -> Options {
    let mut budget = Budget::default();
    budget.max_depth = DEEPEST;
    budget.flow_nesting_limit = DEEPEST;
    budget.max_nodes = MOST_NODES;
    budget.max_events = 200_000;
    // One more than may be, so that the parser says so in its own words.
    budget.max_documents = 2;
    budget.max_aliases = MOST_ANCHORS;
    budget.max_anchors = MOST_ANCHORS;
    budget.max_recorded_anchor_events = 50_000;
    budget.max_merge_keys = MOST_ANCHORS;
    let mut aliases = AliasLimits::default();
    aliases.max_total_replayed_events = 2_000;
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
            return Err(E::custom(format!(
                "a value of {} bytes is over the limit of 16 KiB",
                text.len()
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

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::{any, proptest};

    fn tree(source: &str) -> String {
        shape(&parse("gate.yml", source.as_bytes()).unwrap())
    }

    /// The tree with places, as one line.
    fn shape(node: &Node) -> String {
        let inside = match &node.value {
            Value::Null => "null".to_owned(),
            Value::Scalar(text) => format!("{text:?}"),
            Value::Unknown => "unknown".to_owned(),
            Value::List(items) => format!("[{}]", items.iter().map(shape).collect::<Vec<_>>().join(" ")),
            Value::Map(pairs) => {
                let pairs: Vec<_> = pairs
                    .iter()
                    .map(|(key, value)| format!("{}@{}:{}", key.name, key.at, shape(value)))
                    .collect();
                format!("{{{}}}", pairs.join(" "))
            }
        };
        format!("{inside}@{}", node.at)
    }

    fn refused(source: &[u8]) -> String {
        parse("gate.yml", source).unwrap_err().to_string()
    }

    #[test]
    fn scalars_stay_as_written_and_know_their_place() {
        assert_eq!(
            tree("a: 1.10\nb: [on, true, 0x10, ~]\n"),
            r#"{a@1:1:"1.10"@1:4 b@2:1:["on"@2:5 "true"@2:9 "0x10"@2:15 null@2:21]@2:4}@1:1"#
        );
        assert_eq!(
            tree("ü: 'ä'\nc: 1e3 # number\r\nd: |\n  x\n"),
            r#"{ü@1:1:"ä"@1:4 c@2:1:"1e3"@2:4 d@3:1:"x\n"@4:3}@1:1"#
        );
        assert_eq!(
            tree("a: .nan\nb: no\nc: 1_000"),
            r#"{a@1:1:".nan"@1:4 b@2:1:"no"@2:4 c@3:1:"1_000"@3:4}@1:1"#
        );
    }

    #[test]
    fn windows_files_and_byte_order_marks_are_read() {
        assert_eq!(tree("\u{feff}a: 1\r\nb: 2\r\n"), tree("a: 1\nb: 2\n"));
    }

    #[test]
    fn aliases_stand_where_they_are_used() {
        let read = tree("a: &x 5\nb: *x\n");
        assert_eq!(read, r#"{a@1:1:"5"@1:7 b@2:1:"5"@2:4}@1:1"#);
    }

    #[test]
    fn what_is_no_yaml_is_told_with_its_place() {
        for (source, start, words) in [
            (
                &b"a: 1\na: 2\n"[..],
                "gate.yml:2:1: ",
                "the key `a` stands here a second time",
            ),
            (b"a: [1\n", "gate.yml:", ""),
            (b"a:\n\tb: 1\n", "gate.yml:2:", "tab"),
            (b"a: 1\n---\nb: 2\n", "gate.yml:3:1: ", "a second document"),
            (b"a: 1\nb: \xff\n", "gate.yml:2:4: ", "not UTF-8"),
            (b"a: *nope\n", "gate.yml:1:4: ", ""),
        ] {
            let said = refused(source);
            assert!(
                said.starts_with(start) && said.contains(words) && !said.contains('\n'),
                "{said}"
            );
        }
    }

    #[test]
    fn hostile_files_end_early() {
        let laughs: String = (1..30).fold("a0: &a0 [lol, lol]\n".to_owned(), |text, n| {
            let before = n - 1;
            text + &format!("a{n}: &a{n} [*a{before}, *a{before}, *a{before}, *a{before}]\n")
        });
        let deep = format!("{}{}", "[".repeat(100_000), "]".repeat(100_000));
        let blocks: String = (0..200).map(|n| format!("{}a:\n", " ".repeat(n))).collect();
        let aliases = format!("a: &a x\nb: [{}]\n", "*a,".repeat(3_000));
        let scalar = format!("a: {}\n", "x".repeat(20_000));
        let many = format!("a: [{}]\n", "1,".repeat(60_000));
        let copies = format!("a: &a [{}]\nb: [{}]", "x,".repeat(1000), "*a,".repeat(400));
        for source in [laughs, deep, blocks, aliases, scalar, many, copies] {
            let said = refused(source.as_bytes());
            assert!(said.contains("limit") || said.contains("nest"), "{said}");
            assert!(said.len() < 500 && !said.contains('\n'), "{said}");
        }
        assert!(refused(&vec![b'a'; LARGEST + 1]).contains("larger than 1 MiB"));
    }

    proptest! {
        #[test]
        fn nothing_panics(bytes in any::<Vec<u8>>(), text in "[a-c0-2:\\-\\[\\]{}&*<|>'\"#~ \n\t]{0,80}") {
            let _ = parse("f", &bytes);
            let _ = parse("f", text.as_bytes());
        }
    }
}
