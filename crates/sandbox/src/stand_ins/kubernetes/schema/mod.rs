//! What the fields of objects are: what strategic merge, server-side apply and strict validation go by.

use std::collections::BTreeMap;
use std::sync::OnceLock;

pub(crate) mod strict;

/// What a field is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Field {
    Text,
    Whole,
    Number,
    Flag,
    /// A number or a text.
    Quantity,
    Any,
    /// A type, and whether it is applied whole.
    Struct(&'static str, bool),
    /// A map, and whether it is applied whole.
    Map(Box<Self>, bool),
    /// A list that is applied whole.
    List(Box<Self>),
    /// A list whose items are told apart by themselves.
    Set(Box<Self>),
    /// A list whose items are told apart by these keys; the first is the merge key of a strategic merge.
    Keyed(Box<Self>, Vec<&'static str>),
}

type Types = BTreeMap<&'static str, BTreeMap<&'static str, Field>>;

/// A field of a type.
pub(crate) fn field(type_name: &str, name: &str) -> Option<&'static Field> {
    types().get(type_name)?.get(name)
}

impl Field {
    /// What is below a name.
    pub(crate) fn below(&self, name: &str) -> &Self {
        match self {
            Self::Struct(type_name, _) => field(type_name, name).unwrap_or(&Self::Any),
            Self::Map(inner, _) => inner,
            _ => &Self::Any,
        }
    }

    fn read(written: &'static str) -> Self {
        let whole = written.ends_with('!');
        let bare = written.trim_end_matches('!');
        if let Some(inner) = bare.strip_prefix('{').and_then(|rest| rest.strip_suffix('}')) {
            return Self::Map(Box::new(Self::read(inner)), whole);
        }
        if let Some(inner) = bare.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')) {
            return match inner.split_once('|') {
                None => Self::List(Box::new(Self::read(inner))),
                Some((inner, "")) => Self::Set(Box::new(Self::read(inner))),
                Some((inner, keys)) => Self::Keyed(Box::new(Self::read(inner)), keys.split(',').collect()),
            };
        }
        match bare {
            "s" => Self::Text,
            "i" => Self::Whole,
            "n" => Self::Number,
            "b" => Self::Flag,
            "q" => Self::Quantity,
            "*" => Self::Any,
            name => Self::Struct(name, whole),
        }
    }
}

fn types() -> &'static Types {
    static TYPES: OnceLock<Types> = OnceLock::new();
    TYPES.get_or_init(|| {
        let lines = include_str!("kinds.txt").lines();
        let types = lines.filter(|line| !line.starts_with('#')).filter_map(|line| {
            let (name, fields) = line.split_once(' ')?;
            let fields = fields.split(' ').filter_map(|field| field.split_once(':'));
            Some((
                name,
                fields
                    .map(|(name, written)| (name, Field::read(written)))
                    .collect(),
            ))
        });
        types.collect()
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::stand_ins::kubernetes::kinds::KINDS;

    #[test]
    fn every_kind_has_a_type_and_every_type_is_there() {
        for kind in KINDS {
            assert!(types().contains_key(kind.type_name()), "{}", kind.kind);
        }
        fn leads_somewhere(field: &Field) -> bool {
            match field {
                Field::Struct(name, _) => types().contains_key(name),
                Field::Map(inner, _) | Field::List(inner) | Field::Set(inner) | Field::Keyed(inner, _) => {
                    leads_somewhere(inner)
                }
                _ => true,
            }
        }
        for (name, fields) in types() {
            for (field, kind) in fields {
                assert!(leads_somewhere(kind), "{name}.{field}");
            }
        }
    }

    #[test]
    fn the_selector_of_a_service_is_applied_whole_and_its_ports_are_not() {
        assert_eq!(
            field("ServiceSpec", "selector"),
            Some(&Field::Map(Box::new(Field::Text), true))
        );
        assert_eq!(
            field("DeploymentSpec", "selector"),
            Some(&Field::Struct("LabelSelector", true))
        );
        assert_eq!(
            field("ServiceSpec", "ports"),
            Some(&Field::Keyed(
                Box::new(Field::Struct("ServicePort", false)),
                vec!["port", "protocol"]
            ))
        );
    }
}
