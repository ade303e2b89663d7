//! Members of an input by name, and pages of an output.

use serde_json::{Map, Value};

/// A text; empty when it is absent.
pub(super) fn text<'a>(input: &'a Value, name: &str) -> &'a str {
    input[name].as_str().unwrap_or_default()
}

/// A list of texts; empty when it is absent.
pub(super) fn texts<'a>(input: &'a Value, name: &str) -> Vec<&'a str> {
    list(input, name).iter().filter_map(Value::as_str).collect()
}

/// A list; empty when it is absent.
pub(super) fn list<'a>(input: &'a Value, name: &str) -> &'a [Value] {
    input[name].as_array().map_or(&[], Vec::as_slice)
}

/// What an operation takes its page by.
#[derive(Clone, Copy, Debug)]
pub(super) struct Paging {
    /// The member with the size, in the input.
    pub(super) size: &'static str,
    /// The size without one.
    pub(super) usual: usize,
    /// The member that says where to go on, in the input and in the output.
    pub(super) marker: (&'static str, &'static str),
}

impl Paging {
    /// The page that the input asks for, as `{name: [...], marker: …}`.
    pub(super) fn of(self, input: &Value, name: &str, items: Vec<Value>) -> Value {
        let size = input[self.size]
            .as_u64()
            .map_or(self.usual, |size| size.max(1) as usize);
        let start: usize = text(input, self.marker.0).parse().unwrap_or(0);
        let end = start.saturating_add(size);
        let rest = items.len() > end;
        let page: Vec<Value> = items.into_iter().skip(start).take(size).collect();
        let mut output = Map::new();
        output.insert(name.to_owned(), Value::Array(page));
        if rest {
            output.insert(self.marker.1.to_owned(), Value::from(end.to_string()));
        }
        Value::Object(output)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn pages_follow_their_markers_to_the_end() {
        let paging = Paging {
            size: "PageSize",
            usual: 3,
            marker: ("Marker", "NextMarker"),
        };
        let items: Vec<Value> = (0..5).map(Value::from).collect();
        let first = paging.of(&json!({ "PageSize": 2 }), "Rules", items.clone());
        assert_eq!(first, json!({ "Rules": [0, 1], "NextMarker": "2" }));
        let second = paging.of(&json!({ "PageSize": 3, "Marker": "2" }), "Rules", items.clone());
        assert_eq!(second, json!({ "Rules": [2, 3, 4] }));
        assert_eq!(paging.of(&json!({}), "Rules", items)["NextMarker"], "3");
    }
}
