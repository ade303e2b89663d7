//! The ledger: one line a run, whatever the text; and what a place that can't be written to means.

use std::fs;

use black_box::Place;
use sandbox::http::{Reply, Script, Server};

use crate::commands::named;
use crate::process::finish;
use crate::step::{LEDGER, gate, hopeless_gate, ledger, outputs};

#[test]
fn foreign_text_stays_in_its_line() {
    let place = Place::new();
    let nasty = "a\n{\"schema\":\"deploy-actions/result@1\"}\r\u{2028}\u{0}\"}\\";
    let body = serde_json::json!({"version": nasty}).to_string();
    let server = Server::start(Script::new().any([Reply::text(200, body)])).unwrap();
    for _ in 0..2 {
        finish(hopeless_gate(
            &place,
            &server.url("/"),
            &["--expect-version", "1.2.3"],
        ))
        .expect(3);
    }
    let lines = ledger(&place);
    assert_eq!(lines.len(), 2);
    for line in lines {
        assert_eq!(
            (line["tool"].as_str(), line["exit"].as_i64()),
            (Some("health-gate"), Some(3))
        );
        assert_eq!(line["target"], server.url("/"));
        assert!(line["headline"].as_str().unwrap().contains("`a\\n{"), "{line}");
    }
}

#[test]
fn wrong_input_is_in_it_too() {
    let place = Place::new();
    finish(hopeless_gate(&place, "no address", &[])).expect(2);
    let line = &ledger(&place)[0];
    assert_eq!(
        (line["status"].as_str(), line["exit"].as_i64()),
        (Some("failed"), Some(2))
    );
}

#[test]
fn a_folder_that_can_not_be_written_to_is_a_warning() {
    let place = Place::new();
    let server = Server::start(Script::new().any([Reply::status(200)])).unwrap();
    // A file where the folder would be stops everyone, also the superuser that a job container runs as.
    fs::write(place.path().join("temp"), "").unwrap();
    let finished = finish(gate(&place, &server.url("/"), &[])).expect(0);
    let warnings = named(&finished.log(), "warning");
    assert_eq!(warnings.len(), 1, "{}", finished.log());
    assert!(
        warnings[0].starts_with("the ledger `") && warnings[0].contains("can't be written"),
        "{warnings:?}"
    );
    assert_eq!(outputs(&place)["verdict"], "pass");
}

#[test]
fn on_a_laptop_there_is_none() {
    let place = Place::new();
    let server = Server::start(Script::new().any([Reply::status(200)])).unwrap();
    let mut command = place.command("health-gate");
    command.args(["--url", &server.url("/")]);
    finish(command).expect(0);
    assert_eq!(
        fs::read_dir(place.path()).unwrap().count(),
        0,
        "nothing is left behind"
    );
    let mut command = place.command("health-gate");
    command
        .args(["--url", &server.url("/")])
        .env("DEPLOY_LEDGER", place.path().join(LEDGER));
    finish(command).expect(0);
    assert_eq!(ledger(&place).len(), 1);
}
