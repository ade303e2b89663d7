//! The attributes of one `tags` rule, taken out one by one, so that what is left was meant for nobody.

use std::collections::BTreeMap;

use crate::error::{Error, Input, shown};
use crate::list;

#[derive(Debug)]
pub(crate) struct Attributes {
    entry: String,
    values: BTreeMap<String, String>,
}

impl Attributes {
    /// Of an attribute that is given twice, the last counts. A field without a key is the `value`.
    pub(crate) fn read(record: &list::Record) -> Self {
        let mut values = BTreeMap::new();
        for field in &record.fields {
            let (key, value) = list::key_and_value(field);
            values.insert(key.unwrap_or_else(|| "value".to_owned()), value.to_owned());
        }
        Self {
            entry: shown(&record.text()),
            values,
        }
    }

    /// The rule as written, cut for messages.
    pub(crate) fn entry(&self) -> String {
        self.entry.clone()
    }

    pub(crate) fn take(&mut self, key: &str) -> Option<String> {
        self.values.remove(key)
    }

    pub(crate) fn required(&mut self, key: &'static str, example: &'static str) -> Result<String, Error> {
        self.take(key).ok_or_else(|| Error::MissingAttribute {
            input: Input::Tags,
            entry: self.entry(),
            key,
            example,
        })
    }

    pub(crate) fn wrong_value(&self, key: &'static str, value: &str, allowed: &'static str) -> Error {
        Error::AttributeValue {
            input: Input::Tags,
            entry: self.entry(),
            key,
            value: shown(value),
            allowed,
        }
    }

    /// What nobody took; an empty field, as after a last comma, is nothing.
    pub(crate) fn unused(self) -> Vec<String> {
        self.values
            .into_iter()
            .filter(|(key, value)| key != "value" || !value.is_empty())
            .map(|(key, _)| key)
            .collect()
    }
}
