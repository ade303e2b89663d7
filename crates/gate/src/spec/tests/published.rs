//! The published schema: what it takes, and what it refuses.

use serde_json::{Value, json};

use super::EXAMPLE;
use super::validator::faults;
use crate::spec::schema;

fn example() -> Value {
    let mut options = serde_saphyr::options::Options::default();
    // As editors read YAML: `off` is a text.
    options.strict_booleans = true;
    serde_saphyr::from_str_with_options(EXAMPLE, options).unwrap()
}

/// The example with one value changed.
fn with(pointer: &str, change: impl FnOnce(&mut Value)) -> Value {
    let mut file = example();
    change(file.pointer_mut(pointer).unwrap());
    file
}

#[test]
fn every_key_is_described_and_no_other_allowed() {
    let schema = schema();
    assert_eq!(schema["$schema"], "https://json-schema.org/draft/2020-12/schema");
    assert!(
        !schema.to_string().contains("\"null\""),
        "a key may be left out, not be empty"
    );
    let definitions = schema["$defs"].as_object().unwrap();
    for (name, definition) in definitions.iter().chain([(&"file".to_owned(), &schema)]) {
        for (key, property) in definition["properties"].as_object().unwrap() {
            assert!(
                property["description"].is_string(),
                "{name}.{key} has no description"
            );
        }
        assert!(definition["description"].is_string(), "{name} has no description");
        assert_eq!(definition["additionalProperties"], false, "{name}");
    }
}

#[test]
fn it_takes_the_file_with_every_key() {
    let schema = schema();
    assert_eq!(faults(&schema, &example()), Vec::<String>::new());
    let small = json!({"version": 1, "wait": {"targets": [{"tcp": "db:1"}]}});
    assert_eq!(faults(&schema, &small), Vec::<String>::new());
}

/// Files that reading refuses too.
fn refused() -> Vec<(&'static str, Value)> {
    let drop_key = |file: &mut Value, key: &str| drop(file.as_object_mut().unwrap().remove(key));
    vec![
        ("unknown key", with("", |file| file["wiat"] = json!({}))),
        (
            "unknown key of a target",
            with("/wait/targets/0", |target| target["metod"] = json!("GET")),
        ),
        (
            "unknown key of a clause",
            with("/watch/rules/0/abort", |clause| clause["windw"] = json!("60s")),
        ),
        ("empty key", with("/wait", |wait| wait["timeout"] = Value::Null)),
        ("bare number", with("/wait", |wait| wait["timeout"] = json!(5))),
        (
            "text for a number",
            with("/watch/rules/0", |rule| rule["max_errors"] = json!("many")),
        ),
        (
            "two kinds",
            with("/wait/targets/1", |target| target["http"] = json!("https://x")),
        ),
        (
            "no kind",
            with("/wait/targets/1", |target| *target = json!({"name": "x"})),
        ),
        (
            "key of another kind",
            with("/wait/targets/1", |target| target["record"] = json!("A")),
        ),
        (
            "tls kind with a setting",
            with("/wait/targets/2", |target| target["tls"] = json!(true)),
        ),
        (
            "a probe's key",
            with("/wait/targets/1", |target| target["rate"] = json!("1/s")),
        ),
        (
            "a wait's key",
            with("/watch/probe", |probe| probe["interval"] = json!("1s")),
        ),
        (
            "key of another source",
            with("/sources/prom", |source| source["region"] = json!("eu-west-1")),
        ),
        (
            "unknown source",
            with("/sources/prom", |source| source["type"] = json!("prometeus")),
        ),
        (
            "two subjects",
            with("/watch/rules/0", |rule| rule["from"] = json!("probe")),
        ),
        ("no targets", with("/wait", |wait| wait["targets"] = json!([]))),
        ("no duration", with("/watch", |watch| drop_key(watch, "duration"))),
        ("no version", with("", |file| drop_key(file, "version"))),
        ("another version", with("", |file| file["version"] = json!(2))),
        (
            "unknown preset",
            with("/watch", |watch| watch["preset"] = json!("cannary")),
        ),
        ("nothing to do", json!({"version": 1})),
    ]
}

#[test]
fn it_refuses_what_reading_refuses() {
    let schema = schema();
    for (what, file) in refused() {
        assert!(!faults(&schema, &file).is_empty(), "{what}");
        // JSON is YAML.
        assert!(super::spec(&file.to_string()).is_err(), "{what}");
    }
}
