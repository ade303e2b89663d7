//! From the tree to typed keys. Reading never stops at a fault: what can't be read is told and left out, so that one run
//! shows everything that is wrong.

use std::borrow::Cow;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};

use gha::env::Env;
use gha::text;

use crate::spec::fault::{Faults, Place};
use crate::spec::names::nearest;
use crate::spec::node::{Key, Node, Value};

/// How many entries a list or a map of names may have.
const LONGEST: usize = 500;

/// What reading needs and fills.
pub(crate) struct Context<'a> {
    pub(crate) env: &'a Env,
    pub(crate) faults: Faults,
    /// How many texts were read whose reading takes long.
    pub(crate) costly: u32,
    /// Whether the tool tells of a service on ECS.
    pub(crate) tells_ecs: bool,
}

impl Context<'_> {
    /// Whether a list or a map of names has a bearable length.
    fn bearable(&mut self, node: &Node, key: &str, length: usize) -> bool {
        let reason = match length {
            0 => format!(
                "`{key}` is an empty {}; fill it or leave it out",
                node.kind().trim_start_matches("a ")
            ),
            1..=LONGEST => return true,
            _ => format!("`{key}` has {length} entries, and may have {LONGEST}"),
        };
        self.faults.add(node.at, reason);
        false
    }
}

/// Something that a node is read into. `key` is the key it stands under, for messages.
pub(crate) trait Read: Sized {
    /// The value; `None` where a fault was told.
    fn read(node: &Node, key: &str, context: &mut Context<'_>) -> Option<Self>;
}

/// The keys of a map, each taken once.
pub(crate) struct Keys<'n> {
    pairs: &'n [(Key, Node)],
}

/// The keys that stand in a map, whether or not they could be read.
#[derive(Clone, Debug, Default)]
pub(crate) struct Given {
    /// Where the map stands.
    pub(crate) at: Place,
    keys: Vec<(&'static str, Place)>,
}

impl<'n> Keys<'n> {
    /// The keys of a node that is a map; all of them must be known.
    pub(crate) fn of(
        node: &'n Node,
        key: &str,
        known: &[&'static str],
        context: &mut Context<'_>,
    ) -> (Option<Self>, Given) {
        let mut given = Given {
            at: node.at,
            keys: Vec::new(),
        };
        let Value::Map(pairs) = &node.value else {
            let what = if key.is_empty() {
                "a gate file"
            } else {
                &format!("`{key}`")
            };
            let listed: Vec<String> = known.iter().take(6).map(|known| format!("`{known}`")).collect();
            let reason = format!(
                "{what} is {}, expected a map with keys such as {}",
                node.kind(),
                listed.join(", ")
            );
            context.faults.add(node.at, reason);
            return (None, given);
        };
        for (written, value) in pairs {
            match known.iter().find(|known| **known == written.name) {
                Some(known) => given.keys.push((known, value.at)),
                None => {
                    let hint = nearest(&written.name, known.iter().copied());
                    let place = if key.is_empty() {
                        String::new()
                    } else {
                        format!(" in `{key}`")
                    };
                    let name = text::cut(&written.name, 80);
                    context
                        .faults
                        .add(written.at, format!("unknown key `{name}`{place}{hint}"));
                }
            }
        }
        (Some(Self { pairs }), given)
    }

    /// Reads the value of a key, where it is given.
    pub(crate) fn take<T: Read>(&self, name: &'static str, context: &mut Context<'_>) -> Option<T> {
        let (_, node) = self.pairs.iter().find(|(key, _)| key.name == name)?;
        if node.value == Value::Null {
            context.faults.add(
                node.at,
                format!("`{name}` has no value; give one or leave the key out"),
            );
            return None;
        }
        T::read(node, name, context)
    }
}

impl Given {
    /// No key, at a place.
    pub(crate) fn at(at: Place) -> Self {
        Self { at, keys: Vec::new() }
    }

    /// Whether a key stands there.
    pub(crate) fn has(&self, name: &str) -> bool {
        self.keys.iter().any(|(key, _)| *key == name)
    }

    /// Where a key's value stands; the map's place where it is not given.
    pub(crate) fn place(&self, name: &str) -> Place {
        self.keys
            .iter()
            .find_map(|(key, at)| (*key == name).then_some(*at))
            .unwrap_or(self.at)
    }

    /// The keys that stand there.
    pub(crate) fn names(&self) -> impl Iterator<Item = &'static str> {
        self.keys.iter().map(|(key, _)| *key)
    }

    /// Tells which keys do not belong to the kind of thing that the map stands for. `known` says what each key belongs to;
    /// one that is not in it belongs to all. `what` is the word for the thing, such as `target`.
    pub(crate) fn fit(&self, known: &[(&str, &[&str])], what: &str, kind: &str, faults: &mut Faults) {
        for (given, at) in &self.keys {
            let kinds = known
                .iter()
                .find(|(key, _)| key == given)
                .map(|(_, kinds)| *kinds);
            if let Some(kinds) = kinds.filter(|kinds| !kinds.contains(&kind)) {
                let kinds: Vec<String> = kinds.iter().map(|kind| format!("`{kind}`")).collect();
                let reason = format!(
                    "`{given}` belongs to {}, and this {what} is `{kind}`",
                    kinds.join(" and ")
                );
                faults.add(*at, reason);
            }
        }
    }

    /// Tells that a key is missing, where it is.
    pub(crate) fn need(&self, name: &str, of: &str, faults: &mut Faults) {
        if !self.has(name) {
            faults.add(self.at, format!("{of} needs `{name}`"));
        }
    }
}

/// Declares the keys of a map: a struct whose fields are all optional, its reader, and its schema. Keys that Rust
/// reserves are written raw: `r#type`.
macro_rules! keys {
    ($(#[$meta:meta])* $name:ident { $($(#[$field_meta:meta])* $field:ident: $type:ty,)* }) => {
        #[derive(Clone, Debug, schemars::JsonSchema)]
        #[schemars(deny_unknown_fields)]
        $(#[$meta])*
        pub(crate) struct $name {
            #[schemars(skip)]
            pub(crate) given: $crate::spec::file::read::Given,
            $($(#[$field_meta])* pub(crate) $field: Option<$type>,)*
        }

        impl $crate::spec::file::read::Read for $name {
            fn read(
                node: &$crate::spec::node::Node,
                key: &str,
                context: &mut $crate::spec::file::read::Context<'_>,
            ) -> Option<Self> {
                let known = [$(stringify!($field).trim_start_matches("r#"),)*];
                let (keys, given) = $crate::spec::file::read::Keys::of(node, key, &known, context);
                let keys = keys?;
                Some(Self {
                    given,
                    $($field: keys.take(stringify!($field).trim_start_matches("r#"), context),)*
                })
            }
        }
    };
}
pub(crate) use keys;

impl Node {
    /// What this is, for a message.
    pub(crate) fn kind(&self) -> &'static str {
        match &self.value {
            Value::Null => "empty",
            Value::Scalar(_) | Value::Unknown => "a text",
            Value::List(_) => "a list",
            Value::Map(_) => "a map",
        }
    }
}

impl<T: Read> Read for Box<T> {
    fn read(node: &Node, key: &str, context: &mut Context<'_>) -> Option<Self> {
        T::read(node, key, context).map(Self::new)
    }
}

/// A list. Items that can't be read are left out.
impl<T: Read> Read for Vec<T> {
    fn read(node: &Node, key: &str, context: &mut Context<'_>) -> Option<Self> {
        let Value::List(items) = &node.value else {
            context
                .faults
                .add(node.at, format!("`{key}` is {}, expected a list", node.kind()));
            return None;
        };
        if !context.bearable(node, key, items.len()) {
            return None;
        }
        Some(
            items
                .iter()
                .filter_map(|item| T::read(item, key, context))
                .collect(),
        )
    }
}

/// One, or a list of them.
#[derive(Clone, Debug)]
pub(crate) struct Many<T>(pub(crate) Vec<T>);

impl<T: Read> Read for Many<T> {
    fn read(node: &Node, key: &str, context: &mut Context<'_>) -> Option<Self> {
        match &node.value {
            Value::List(_) => Vec::read(node, key, context).map(Self),
            _ => T::read(node, key, context).map(|one| Self(vec![one])),
        }
    }
}

impl<T: JsonSchema> JsonSchema for Many<T> {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        format!("Many{}", T::schema_name()).into()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        let one = generator.subschema_for::<T>();
        json_schema!({"anyOf": [one, {"type": "array", "items": one, "minItems": 1}]})
    }
}

/// A map of names that the file chooses, in the order of the file. A name whose value can't be read stays known.
#[derive(Clone, Debug)]
pub(crate) struct Named<T>(pub(crate) Vec<(Key, Option<T>)>);

impl<T: Read> Read for Named<T> {
    fn read(node: &Node, key: &str, context: &mut Context<'_>) -> Option<Self> {
        let Value::Map(pairs) = &node.value else {
            context.faults.add(
                node.at,
                format!("`{key}` is {}, expected a map of names", node.kind()),
            );
            return None;
        };
        if !context.bearable(node, key, pairs.len()) {
            return None;
        }
        let read = |(name, value): &(Key, Node)| (name.clone(), T::read(value, &name.name, context));
        Some(Self(pairs.iter().map(read).collect()))
    }
}

impl<T> Named<T> {
    /// The names whose values could be read.
    pub(crate) fn read(&self) -> impl Iterator<Item = (&Key, &T)> {
        self.0
            .iter()
            .filter_map(|(name, value)| Some((name, value.as_ref()?)))
    }
}

impl<T: JsonSchema> JsonSchema for Named<T> {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        format!("Named{}", T::schema_name()).into()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        let one = generator.subschema_for::<T>();
        json_schema!({"type": "object", "additionalProperties": one, "minProperties": 1})
    }
}

/// A text, or a map that says more.
#[derive(Clone, Debug)]
pub(crate) enum TextOr<S, M> {
    /// The short form.
    Text(S),
    /// The long one.
    Map(M),
}

impl<S: Read, M: Read> Read for TextOr<S, M> {
    fn read(node: &Node, key: &str, context: &mut Context<'_>) -> Option<Self> {
        match &node.value {
            Value::Map(_) => M::read(node, key, context).map(Self::Map),
            _ => S::read(node, key, context).map(Self::Text),
        }
    }
}

impl<S: JsonSchema, M: JsonSchema> JsonSchema for TextOr<S, M> {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        format!("{}Or{}", S::schema_name(), M::schema_name()).into()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        let (text, map) = (generator.subschema_for::<S>(), generator.subschema_for::<M>());
        json_schema!({"anyOf": [text, map]})
    }
}
