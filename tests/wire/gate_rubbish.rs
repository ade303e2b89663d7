//! Files that are no gate files, and some that mean harm: exit 2, few lines, soon, and nothing is looked at.

use std::fmt::Write as _;
use std::fs;
use std::time::Duration;

use black_box::Place;

use crate::commands::named;
use crate::process::finish;

#[track_caller]
fn refused(name: &str, content: &[u8]) -> String {
    let place = Place::new();
    fs::write(place.path().join("gate.yml"), content).unwrap();
    let mut command = place.step("health-gate");
    command.args(["run", "-f", "gate.yml"]);
    let finished = finish(command);
    let log = finished.log();
    assert_eq!(finished.code, Some(2), "{name}: {log}");
    assert!(
        finished.took < Duration::from_secs(10),
        "{name}: {:?}",
        finished.took
    );
    assert!(!log.contains("panicked"), "{name}: {log}");
    assert!(
        log.lines().count() <= 15 && log.len() < 8 * 1024,
        "{name}: {} lines, {} bytes: {log}",
        log.lines().count(),
        log.len()
    );
    let errors = named(&log, "error");
    assert!(
        errors.len() == 1 && errors[0].starts_with("gate.yml:"),
        "{name}: {errors:?}"
    );
    assert!(!log.contains(['\0', '\u{1b}', '\u{202e}']), "{name}: {log:?}");
    log
}

/// Each list holds the one before nine times.
fn laughs() -> String {
    let mut file = "version: 1\nvars:\n  a0: &a0 [lol]\n".to_owned();
    for level in 1..20 {
        let before = format!("*a{},", level - 1).repeat(9);
        writeln!(file, "  a{level}: &a{level} [{before}]").unwrap();
    }
    file
}

/// One variable, filled in again and again.
fn filled() -> String {
    let body = "'{{v}}',".repeat(1_000);
    format!(
        "version: 1\nvars: {{ v: {} }}\nwait: {{ targets: [{{ http: 'http://127.0.0.1:9/', expect: {{ body: [{body}] }} }}] }}\n",
        "x".repeat(15_000)
    )
}

#[test]
fn bombs() {
    refused("a billion laughs", laughs().as_bytes());
    refused("a variable filled in a thousand times", filled().as_bytes());
    refused("lists in lists", "[".repeat(200_000).as_bytes());
    refused("maps in maps", "{a: ".repeat(100_000).as_bytes());
    refused("dashes", "- ".repeat(200_000).as_bytes());
    let indented: String = (0..2000)
        .map(|level| format!("{}a:\n", " ".repeat(level % 300)))
        .collect();
    refused("steps", indented.as_bytes());
    refused("question marks", "? ".repeat(100_000).as_bytes());
    refused("anchors", "&a ".repeat(100_000).as_bytes());
    let keys: String = (0..60_000).map(|key| format!("k{key}: 1\n")).collect();
    refused("keys", keys.as_bytes());
    refused(
        "merges",
        format!("a: &a {{b: 1}}\nc: {{{}}}\n", "<<: *a, ".repeat(20_000)).as_bytes(),
    );
    refused("documents", "---\nversion: 1\n".repeat(10_000).as_bytes());
    refused("large", &vec![b'#'; 3 << 20]);
    let targets = "{ tcp: 'x:1' },".repeat(5_000);
    refused(
        "targets",
        format!("version: 1\nwait: {{ targets: [{targets}] }}\n").as_bytes(),
    );
    refused(
        "itself",
        b"version: 1\nvars: { a: '{{b}}', b: '{{a}}' }\nwait: { targets: [{ tcp: '{{a}}:1' }] }\n",
    );
    let pattern = format!("(a{{1000}}){{1000}}{}", "(b*)*".repeat(50));
    refused(
        "pattern",
        format!(
            "version: 1\nwait: {{ targets: [{{ http: 'http://x/', expect: {{ matches: '{pattern}' }} }}] }}\n"
        )
        .as_bytes(),
    );
}

#[test]
fn rubbish() {
    refused("nothing", b"");
    refused("a space", b" \n\n");
    refused("a comment", b"# nothing\n");
    refused("zeros", &[0; 4096]);
    refused("bytes", &(0..=255).cycle().take(10_000).collect::<Vec<u8>>());
    refused("no UTF-8", b"version: 1\nwait: \xff\xfe\n");
    refused(
        "UTF-16",
        &"version: 1\n"
            .encode_utf16()
            .flat_map(u16::to_le_bytes)
            .collect::<Vec<u8>>(),
    );
    refused("a word", b"hello");
    refused("a list", b"- a\n- b\n");
    refused("JSON", b"{\"version\": 1, \"wait\": {\"targets\": [}}");
    refused("a program", b"#!/bin/sh\nrm -rf /\n");
    refused("tags", b"version: !!python/object/apply:os.system ['id']\n");
    refused("tabs", b"version: 1\nwait:\n\ttargets: []\n");
    refused(
        "an open quote",
        format!("version: 1\nwait: '{}", "x".repeat(500_000)).as_bytes(),
    );
    refused("a long key", format!("{}: 1\n", "k".repeat(500_000)).as_bytes());
    refused(
        "a long value",
        format!("version: {}\n", "9".repeat(500_000)).as_bytes(),
    );
    let log = refused(
        "commands",
        b"version: 1\n\"::error::pwned\\n##[error]pwned\\e[1m\\u202e\": 1\n",
    );
    assert_eq!(named(&log, "error").len(), 1, "{log}");
}
