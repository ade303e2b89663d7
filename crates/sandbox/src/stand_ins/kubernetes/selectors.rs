//! Label selectors, of requests and of objects, and field selectors.

use serde_json::{Map, Value};

use super::object;
use super::refusal::Refusal;

/// One demand on labels.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Demand {
    In(String, Vec<String>),
    NotIn(String, Vec<String>),
    Exists(String),
    Missing(String),
}

/// All demands on labels; without one everything fits.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Labels(Vec<Demand>);

/// All demands on fields: a path, a value, and whether it must be the value or must not.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Fields(Vec<(String, String, bool)>);

impl Labels {
    /// As a request writes it: `a=b,c!=d,e in (f,g),h notin (i),j,!k`.
    pub(crate) fn parse(written: &str) -> Result<Self, Refusal> {
        let mut demands = Vec::new();
        for part in split(written) {
            demands.push(
                demand(part)
                    .ok_or_else(|| Refusal::bad_request(format!("unable to parse requirement: {part}")))?,
            );
        }
        Ok(Self(demands))
    }

    /// As `spec.selector` of a workload writes it; none for nothing, which fits nothing.
    pub(crate) fn of_object(selector: &Value) -> Option<Self> {
        let mut demands = Vec::new();
        for (key, value) in object::map(selector, "/matchLabels").into_iter().flatten() {
            demands.push(Demand::In(key.clone(), vec![value.as_str()?.to_owned()]));
        }
        for expression in object::items(selector, "/matchExpressions") {
            let key = object::text(expression, "/key").to_owned();
            let values = object::items(expression, "/values").iter();
            let values = values.filter_map(Value::as_str).map(str::to_owned).collect();
            demands.push(match object::text(expression, "/operator") {
                "In" => Demand::In(key, values),
                "NotIn" => Demand::NotIn(key, values),
                "Exists" => Demand::Exists(key),
                "DoesNotExist" => Demand::Missing(key),
                _ => return None,
            });
        }
        (!demands.is_empty()).then_some(Self(demands))
    }

    /// As a Service writes it: a map. None for an empty one, which selects nothing.
    pub(crate) fn of_map(selector: Option<&Map<String, Value>>) -> Option<Self> {
        let selector = selector.filter(|selector| !selector.is_empty())?;
        let demands = selector
            .iter()
            .map(|(key, value)| Demand::In(key.clone(), vec![value.as_str().unwrap_or_default().to_owned()]));
        Some(Self(demands.collect()))
    }

    pub(crate) fn fit(&self, object: &Value) -> bool {
        self.fit_map(object::map(object, "/metadata/labels"))
    }

    pub(crate) fn fit_map(&self, labels: Option<&Map<String, Value>>) -> bool {
        let value = |key: &str| labels.and_then(|labels| labels.get(key)).and_then(Value::as_str);
        self.0.iter().all(|demand| match demand {
            Demand::In(key, values) => value(key).is_some_and(|value| values.iter().any(|one| one == value)),
            Demand::NotIn(key, values) => {
                value(key).is_none_or(|value| values.iter().all(|one| one != value))
            }
            Demand::Exists(key) => value(key).is_some(),
            Demand::Missing(key) => value(key).is_none(),
        })
    }

    /// As a scale's status writes it.
    pub(crate) fn written(&self) -> String {
        let demands = self.0.iter().map(|demand| match demand {
            Demand::In(key, values) if values.len() == 1 => format!("{key}={}", values.concat()),
            Demand::In(key, values) => format!("{key} in ({})", values.join(",")),
            Demand::NotIn(key, values) => format!("{key} notin ({})", values.join(",")),
            Demand::Exists(key) => key.clone(),
            Demand::Missing(key) => format!("!{key}"),
        });
        demands.collect::<Vec<_>>().join(",")
    }
}

impl Fields {
    /// As a request writes it: `metadata.name=web,status.phase!=Running`. Any field with a plain value can be asked for here; the
    /// real server has a list of its own for each kind.
    pub(crate) fn parse(written: &str) -> Result<Self, Refusal> {
        let mut demands = Vec::new();
        for part in written.split(',').filter(|part| !part.is_empty()) {
            let (path, value, wanted) = part
                .split_once("!=")
                .map(|(path, value)| (path, value, false))
                .or_else(|| part.split_once("==").map(|(path, value)| (path, value, true)))
                .or_else(|| part.split_once('=').map(|(path, value)| (path, value, true)))
                .ok_or_else(|| {
                    Refusal::bad_request(format!("invalid selector: '{part}'; can't understand '{part}'"))
                })?;
            demands.push((format!("/{}", path.replace('.', "/")), value.to_owned(), wanted));
        }
        Ok(Self(demands))
    }

    pub(crate) fn fit(&self, object: &Value) -> bool {
        self.0.iter().all(|(pointer, value, wanted)| {
            let found = match object.pointer(pointer) {
                Some(Value::String(text)) => text.clone(),
                None | Some(Value::Null) => String::new(),
                Some(other) => other.to_string(),
            };
            (found == *value) == *wanted
        })
    }
}

/// The parts between commas that are not in brackets.
fn split(written: &str) -> Vec<&str> {
    let mut parts = Vec::new();
    let (mut depth, mut from) = (0_usize, 0);
    for (at, character) in written.char_indices() {
        match character {
            '(' => depth += 1,
            ')' => depth = depth.saturating_sub(1),
            ',' if depth == 0 => {
                parts.push(&written[from..at]);
                from = at + 1;
            }
            _ => {}
        }
    }
    parts.push(&written[from..]);
    parts
        .into_iter()
        .map(str::trim)
        .filter(|part| !part.is_empty())
        .collect()
}

fn demand(part: &str) -> Option<Demand> {
    let list = |values: &str| {
        let values = values.trim().strip_prefix('(')?.strip_suffix(')')?;
        Some(values.split(',').map(|value| value.trim().to_owned()).collect())
    };
    let key = |key: &str| {
        let key = key.trim();
        let is_fit = !key.is_empty()
            && key
                .chars()
                .all(|one| one.is_ascii_alphanumeric() || "-_./".contains(one));
        is_fit.then(|| key.to_owned())
    };
    if let Some((name, values)) = part.split_once(" notin ") {
        return Some(Demand::NotIn(key(name)?, list(values)?));
    }
    if let Some((name, values)) = part.split_once(" in ") {
        return Some(Demand::In(key(name)?, list(values)?));
    }
    if let Some((name, value)) = part.split_once("!=") {
        return Some(Demand::NotIn(key(name)?, vec![value.trim().to_owned()]));
    }
    if let Some((name, value)) = part.split_once("==").or_else(|| part.split_once('=')) {
        return Some(Demand::In(key(name)?, vec![value.trim().to_owned()]));
    }
    match part.strip_prefix('!') {
        Some(name) => Some(Demand::Missing(key(name)?)),
        None => Some(Demand::Exists(key(part)?)),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn label_selectors_are_those_of_requests() {
        let object = json!({ "metadata": { "labels": { "app": "web", "color": "blue" } } });
        for (written, expected) in [
            ("", true),
            ("app=web", true),
            ("app==web,color!=green", true),
            ("app in (web, api),color notin (green)", true),
            ("app,!tier", true),
            ("color in (green,red)", false),
            ("tier", false),
            ("tier!=x", true),
            ("!app", false),
        ] {
            assert_eq!(
                Labels::parse(written).unwrap().fit(&object),
                expected,
                "{written}"
            );
        }
        assert!(Labels::parse("a b").is_err());
    }

    #[test]
    fn field_selectors_read_any_plain_field() {
        let object = json!({ "metadata": { "name": "web" }, "status": { "phase": "Running" } });
        for (written, expected) in [
            ("metadata.name=web", true),
            ("status.phase!=Running", false),
            ("spec.nodeName=", true),
        ] {
            assert_eq!(
                Fields::parse(written).unwrap().fit(&object),
                expected,
                "{written}"
            );
        }
    }
}
