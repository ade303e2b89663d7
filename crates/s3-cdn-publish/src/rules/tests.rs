//! What files get, with and without rules, and what is wrong with rules.

use proptest::prelude::{any, prop_assert, proptest};

use super::*;

mod refused;

/// A file with every key.
const EXAMPLE: &str = include_str!("example.yml");

fn rules(text: &str) -> Rules {
    Rules::read(text.as_bytes(), "rules.yml").unwrap()
}

fn lines(lines: &[&str]) -> Result<Rules, LineError> {
    Rules::from_lines(&lines.iter().map(|line| (*line).to_owned()).collect::<Vec<_>>())
}

/// Key, type, `Cache-Control`, phase as one line.
fn treated(rules: &mut Rules, key: &str) -> String {
    let site = ["index.html", "app.js", "main.8f3b2c1d.js", "a.html"];
    let treatment = rules.treat(key, |other| site.contains(&other));
    let headers = &treatment.headers;
    let mut said = vec![
        treatment.phase.to_string(),
        headers.content_type.clone(),
        headers.cache_control.clone().unwrap_or_else(|| "-".to_owned()),
    ];
    said.extend(headers.content_encoding.clone());
    said.join(" | ")
}

#[test]
fn files_without_rules() {
    let mut rules = Rules::standard();
    for (key, expected) in [
        ("index.html", "index | text/html; charset=utf-8 | no-cache"),
        ("docs/index.html", "pages | text/html; charset=utf-8 | no-cache"),
        ("sw.js", "pages | text/javascript; charset=utf-8 | no-cache"),
        (
            "site.webmanifest",
            "pages | application/manifest+json; charset=utf-8 | no-cache",
        ),
        (
            "main.8f3b2c1d.js",
            "assets | text/javascript; charset=utf-8 | public, max-age=31536000, immutable",
        ),
        (
            "main.8f3b2c1d.js.br",
            "assets | text/javascript; charset=utf-8 | public, max-age=31536000, immutable | br",
        ),
        (
            "index.html.gz",
            "index | text/html; charset=utf-8 | no-cache | gzip",
        ),
        (
            "app.js",
            "others | text/javascript; charset=utf-8 | public, max-age=0, must-revalidate",
        ),
        (
            "app.js.gz",
            "others | text/javascript; charset=utf-8 | public, max-age=0, must-revalidate | gzip",
        ),
        (
            "other.js.gz",
            "others | application/gzip | public, max-age=0, must-revalidate",
        ),
        (
            "robots.txt",
            "others | text/plain; charset=utf-8 | public, max-age=0, must-revalidate",
        ),
        (
            ".well-known/a.8f3b2c1d.js",
            "others | text/javascript; charset=utf-8 | public, max-age=0, must-revalidate",
        ),
    ] {
        assert_eq!(treated(&mut rules, key), expected, "{key}");
    }
    assert!(rules.unused().is_empty());
}

#[test]
fn the_first_rule_that_matches_counts_alone() {
    let mut rules = rules(
        "rules:\n- match: 'a/**'\n  cache-control: no-store\n- match: ['**/*.js', '**/*.txt']\n  content-language: en\n",
    );
    let treatment = rules.treat("a/b.js", |_| false);
    assert_eq!(treatment.headers.cache_control.as_deref(), Some("no-store"));
    assert_eq!(treatment.headers.content_language, None);
    let treatment = rules.treat("b.js", |_| false);
    assert_eq!(treatment.headers.cache_control.as_deref(), Some(REVALIDATE));
    assert_eq!(treatment.headers.content_language.as_deref(), Some("en"));
}

#[test]
fn a_rule_says_what_never_changes() {
    let hashed = "assets | text/javascript; charset=utf-8";
    for (rule, key, expected, immutable) in [
        (
            "immutable: true",
            "app.js",
            format!("{hashed} | {IMMUTABLE}"),
            true,
        ),
        (
            "immutable: false",
            "main.8f3b2c1d.js",
            format!("others | text/javascript; charset=utf-8 | {REVALIDATE}"),
            false,
        ),
        (
            "cache-control: max-age=60, immutable",
            "app.js",
            format!("{hashed} | max-age=60, immutable"),
            true,
        ),
        (
            "cache-control: no-cache",
            "main.8f3b2c1d.js",
            format!("{hashed} | no-cache"),
            false,
        ),
        (
            "cache-control: none",
            "main.8f3b2c1d.js",
            format!("{hashed} | -"),
            false,
        ),
        (
            "phase: pages",
            "app.js",
            format!("pages | text/javascript; charset=utf-8 | {REVALIDATE}"),
            false,
        ),
        (
            "phase: assets",
            "index.html",
            "index | text/html; charset=utf-8 | no-cache".to_owned(),
            false,
        ),
        (
            "immutable: true",
            "a.html",
            format!("pages | text/html; charset=utf-8 | {IMMUTABLE}"),
            true,
        ),
        (
            "content-type: text/html",
            "about",
            "pages | text/html | no-cache".to_owned(),
            false,
        ),
    ] {
        let mut rules = rules(&format!("rules: {{match: '**', {}}}", quoted(rule)));
        assert_eq!(treated(&mut rules, key), expected, "{rule}");
        assert_eq!(rules.treat(key, |_| false).immutable, immutable, "{rule}");
    }
}

/// A key and its value for a map on one line.
fn quoted(pair: &str) -> String {
    let (key, value) = pair.split_once(": ").unwrap();
    match value {
        "true" | "false" => pair.to_owned(),
        _ => format!("{key}: '{value}'"),
    }
}

#[test]
fn an_encoding_by_rule_brings_the_plain_type() {
    let mut rules =
        rules("rules:\n- {match: '*.br', content-encoding: br}\n- {match: '*.gz', content-encoding: none}\n");
    let wasm = format!("others | application/wasm | {REVALIDATE} | br");
    assert_eq!(treated(&mut rules, "game.wasm.br"), wasm);
    let script = treated(&mut rules, "app.js.gz");
    assert_eq!(script, format!("others | application/gzip | {REVALIDATE}"));
}

#[test]
fn another_index_document_is_last() {
    let mut rules = Rules::standard().with_index("home.htm");
    assert_eq!(rules.treat("home.htm", |_| false).phase, Phase::Index);
    assert_eq!(rules.treat("index.html", |_| false).phase, Phase::Pages);
    assert_eq!(rules.treat("a/home.htm", |_| false).phase, Phase::Pages);
}

#[test]
fn equal_headers_are_one() {
    let mut rules = Rules::standard();
    let a = rules.treat("a.png", |_| false).headers;
    let b = rules.treat("b.png", |_| false).headers;
    assert!(Arc::ptr_eq(&a, &b));
}

#[test]
fn every_key_is_read() {
    let mut rules = rules(EXAMPLE);
    let headers = rules.treat("downloads/manual.pdf", |_| false).headers;
    let expected = Headers {
        content_type: "application/pdf".to_owned(),
        cache_control: Some("public, max-age=600".to_owned()),
        content_encoding: Some("gzip".to_owned()),
        content_disposition: Some("attachment".to_owned()),
        content_language: Some("de".to_owned()),
        website_redirect: Some("/new".to_owned()),
        metadata: [("cache-tag", "docs,manual"), ("version", "1.10")]
            .map(|(name, value)| (name.to_owned(), value.to_owned()))
            .into(),
        storage_class: Some("STANDARD_IA".to_owned()),
        encryption: Some(Encryption::Kms {
            key: Some("alias/site".to_owned()),
        }),
        acl: Some("public-read".to_owned()),
    };
    assert_eq!(*headers, expected);
    let treatment = rules.treat("vendor/x.js", |_| false);
    assert!(treatment.immutable && treatment.phase == Phase::Pages);
}

#[test]
fn patterns_that_decide_nothing_are_told() {
    let mut rules = rules("rules:\n- match: ['**/*.js', '*.nope']\n- match: 'a/*.js'\n- match: 'a/*.css'\n");
    for key in ["a/x.js", "a/x.css", "b"] {
        rules.treat(key, |_| false);
    }
    let told: Vec<String> = rules
        .unused()
        .iter()
        .map(|unused| format!("{} {} {}", unused.at, unused.pattern, unused.shadowed))
        .collect();
    assert_eq!(told, ["2:22 *.nope false", "3:10 a/*.js true"]);
}

#[test]
fn lines_are_rules() {
    let mut rules = lines(&["assets/** = public, max-age=31536000, immutable", "{a,b}.js=none"]).unwrap();
    let asset = rules.treat("assets/x.js", |_| false);
    assert!(asset.immutable && asset.phase == Phase::Assets);
    assert_eq!(rules.treat("b.js", |_| false).headers.cache_control, None);
    for (line, said) in [
        (
            "assets/**",
            "line 2: `assets/**` has no `=`; write `pattern = cache-control`",
        ),
        (
            "= no-cache",
            "line 2: a pattern is empty; `**` matches every file",
        ),
        (
            "a = max-age=1h",
            "line 2: `max-age=1h` needs a number of seconds, such as `max-age=600`",
        ),
        ("a =", "line 2: an empty value; leave the key out"),
    ] {
        assert_eq!(lines(&["ok = no-cache", line]).unwrap_err().to_string(), said);
    }
    assert!(lines(&["a=no-cache"; 501]).is_err());
}

/// The largest file that is taken builds, and a key is matched against all of it.
#[test]
fn many_hard_patterns_are_bearable() {
    let hard: String = (0..500)
        .map(|n| format!("- match: '**/*a*b*{{c,d{n}}}*/**/*e*{{f,g}}**'\n"))
        .collect();
    match Rules::read(format!("rules:\n{hard}").as_bytes(), "r") {
        Ok(mut rules) => {
            let key = "a/".repeat(500);
            assert_eq!(rules.treat(&key, |_| false).phase, Phase::Others);
        }
        Err(faults) => assert!(faults.to_string().contains("too large together"), "{faults}"),
    }
}

#[test]
fn the_schema_has_the_keys_that_are_read() {
    let schema = schema();
    let keys = |value: &serde_json::Value| -> Vec<String> {
        let properties = value["properties"].as_object().unwrap();
        for (key, property) in properties {
            assert!(property["description"].is_string(), "{key} has no description");
        }
        assert_eq!(value["additionalProperties"], false);
        properties.keys().cloned().collect()
    };
    assert_eq!(keys(&schema), file::KEYS);
    assert_eq!(keys(&schema["$defs"]["Rule"]), file::RULE_KEYS);
    assert!(!schema.to_string().contains("\"null\""));
    for key in file::RULE_KEYS {
        assert!(
            EXAMPLE.contains(&format!(" {key}:")),
            "the example has no `{key}`"
        );
    }
}

#[test]
fn the_published_schema_is_the_programs() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/s3-rules.schema.json");
    let published = std::fs::read_to_string(path).unwrap_or_default();
    let schema = serde_json::to_string_pretty(&schema()).unwrap() + "\n";
    let write =
        "make it anew: `cargo run -p s3-cdn-publish --example rules_schema > docs/s3-rules.schema.json`";
    assert!(published == schema, "{write}");
}

proptest! {
    #[test]
    fn no_file_panics(
        bytes in any::<Vec<u8>>(),
        near in "(rules|version|match|metadata|cache-tag|[-:{}\\[\\]\n\"'&*a ]){0,40}",
        value in any::<String>(),
        key in any::<String>(),
        at in 0..file::RULE_KEYS.len(),
    ) {
        let whole = format!("rules: {{match: '**', {}: {value:?}}}", file::RULE_KEYS[at]);
        for text in [&bytes[..], near.as_bytes(), whole.as_bytes()] {
            match Rules::read(text, "r") {
                Ok(mut rules) => {
                    let treatment = rules.treat(&key, |_| false);
                    let headers = format!("{:?}", treatment.headers);
                    prop_assert!(!headers.contains("\\r") && !headers.contains("\\n"));
                }
                Err(faults) => prop_assert!(faults.to_string().lines().count() <= 11),
            }
        }
        let _ = Rules::from_lines(&[value.clone(), near]);
        let _ = Rules::from_lines(&[format!("** = {value}")]);
    }

    #[test]
    fn the_index_document_of_the_root_is_last_and_alone(key in any::<String>(), phase in "assets|others|pages") {
        let mut rules = rules(&format!("rules: {{match: '**', phase: {phase}}}"));
        prop_assert!((rules.treat(&key, |_| true).phase == Phase::Index) == matches!(key.as_str(), "index.html" | "index.html.gz" | "index.html.br"));
        prop_assert!(rules.treat("index.html", |_| true).phase == Phase::Index);
    }
}
