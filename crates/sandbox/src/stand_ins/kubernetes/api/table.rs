//! Objects as tables, which `kubectl get` asks for.

use std::time::Duration;

use serde_json::{Value, json};

use super::columns;
use crate::http::Request;
use crate::stand_ins::kubernetes::ask::Ask;
use crate::stand_ins::kubernetes::object;

/// Whether a request asks for a table.
pub(crate) fn asked_for(request: &Request) -> bool {
    request
        .header("accept")
        .is_some_and(|accept| accept.contains("as=Table"))
}

/// The object or list as a table, where one is asked for.
pub(super) fn convert(object: Value, ask: &Ask, request: &Request, now: Duration) -> Value {
    if !asked_for(request) || !matches!(ask.verb, "get" | "list") || !ask.part.is_empty() {
        return object;
    }
    let items: Vec<&Value> = match object.get("items").and_then(Value::as_array) {
        Some(items) => items.iter().collect(),
        None => vec![&object],
    };
    let rows = items.iter().map(|item| row(item, ask, now)).collect();
    table(ask, rows, &object["metadata"], true)
}

/// An object of a watch as a table; the first one says the columns.
pub(crate) fn of_event(object: &Value, ask: &Ask, now: Duration, first: bool) -> Value {
    table(ask, vec![row(object, ask, now)], &object["metadata"], first)
}

fn table(ask: &Ask, rows: Vec<Value>, meta: &Value, with_columns: bool) -> Value {
    let definitions: Vec<Value> = columns::of(ask.kind.plural)
        .iter()
        .map(|(name, _)| json!({ "name": name, "type": "string", "format": if *name == "Name" { "name" } else { "" }, "description": "", "priority": 0 }))
        .collect();
    json!({
        "kind": "Table", "apiVersion": "meta.k8s.io/v1",
        "metadata": {
            "resourceVersion": meta["resourceVersion"].as_str().unwrap_or_default(),
            "continue": meta["continue"].as_str().unwrap_or_default(),
            "remainingItemCount": meta.get("remainingItemCount"),
        },
        "columnDefinitions": if with_columns { definitions } else { Vec::new() },
        "rows": rows,
    })
}

fn row(item: &Value, ask: &Ask, now: Duration) -> Value {
    let cells: Vec<String> = columns::of(ask.kind.plural)
        .iter()
        .map(|(_, cell)| cell(item, now))
        .collect();
    let object = match ask.query.text("includeObject") {
        "Object" => item.clone(),
        "None" => Value::Null,
        _ => {
            let mut meta = item["metadata"].clone();
            object::take(&mut meta, &["managedFields"]);
            json!({ "kind": "PartialObjectMetadata", "apiVersion": "meta.k8s.io/v1", "metadata": meta })
        }
    };
    json!({ "cells": cells, "object": object })
}
