//! The files that a runner hands to a step: outputs that can't be written, and a summary that is nearly full.

use std::fs;

use black_box::Place;
use sandbox::http::{Reply, Script, Server};

use crate::commands::named;
use crate::process::finish;
use crate::step::{gate, hopeless_gate, outputs};

/// The runner drops the whole summary of a step above this many bytes (`FileCommandManager.cs` of
/// <https://github.com/actions/runner>).
const RUNNERS_LIMIT: usize = 1_048_576;

fn server() -> Server {
    Server::start(Script::new().any([Reply::text(200, "ok")])).unwrap()
}

#[test]
fn outputs_that_can_not_be_written_are_one_error() {
    let (place, server) = (Place::new(), server());
    fs::create_dir(place.path().join("output")).unwrap();
    let finished = finish(gate(&place, &server.url("/"), &[])).expect(2);
    let errors = named(&finished.log(), "error");
    assert_eq!(errors.len(), 1, "{}", finished.log());
    assert!(
        errors[0].contains("failed to write output `verdict`"),
        "{errors:?}"
    );
    assert!(errors[0].contains("`GITHUB_OUTPUT`"), "{errors:?}");
}

#[test]
fn a_verdict_is_told_though_its_outputs_can_not_be_written() {
    let place = Place::new();
    fs::create_dir(place.path().join("output")).unwrap();
    let finished = finish(hopeless_gate(&place, "http://127.0.0.1:9/", &[])).expect(3);
    let errors = named(&finished.log(), "error");
    assert_eq!(errors.len(), 1, "{}", finished.log());
    assert!(errors[0].contains("connection refused"), "{errors:?}");
    assert!(
        place.read("summary").contains("health-gate: fail"),
        "{}",
        place.read("summary")
    );
}

#[test]
fn outputs_are_added_to_those_of_others() {
    let (place, server) = (Place::new(), server());
    fs::write(place.path().join("output"), "earlier<<EOF\n1\nEOF\n").unwrap();
    finish(gate(&place, &server.url("/"), &[])).expect(0);
    let outputs = outputs(&place);
    assert_eq!(
        (outputs["earlier"].as_str(), outputs["verdict"].as_str()),
        ("1", "pass")
    );
}

#[test]
fn a_summary_that_is_nearly_full_gets_a_note() {
    let place = Place::new();
    let body = Reply::text(200, "x".repeat(400));
    let server = Server::start(Script::new().any([body])).unwrap();
    let earlier = "y".repeat(900 * 1024 - 500);
    fs::write(place.path().join("summary"), &earlier).unwrap();
    finish(gate(&place, &server.url("/"), &[])).expect(0);
    let summary = place.read("summary");
    assert!(
        summary.starts_with(&earlier) && summary.len() < RUNNERS_LIMIT,
        "{}",
        summary.len()
    );
    let added = &summary[earlier.len()..];
    assert!(
        added.contains("health-gate: pass") && added.contains("sections left out"),
        "{added}"
    );
}

#[test]
fn a_summary_that_is_full_is_left_alone() {
    let (place, server) = (Place::new(), server());
    let earlier = "y".repeat(RUNNERS_LIMIT - 10);
    fs::write(place.path().join("summary"), &earlier).unwrap();
    finish(gate(&place, &server.url("/"), &[])).expect(0);
    assert_eq!(place.read("summary").len(), earlier.len());
}

#[test]
fn a_summary_that_can_not_be_written_is_a_warning() {
    let (place, server) = (Place::new(), server());
    fs::create_dir(place.path().join("summary")).unwrap();
    let finished = finish(gate(&place, &server.url("/"), &[])).expect(0);
    let warnings = named(&finished.log(), "warning");
    assert!(
        warnings.len() == 1 && warnings[0].contains("the job summary can't be written"),
        "{warnings:?}"
    );
}

#[test]
fn a_label_with_quotes_and_blanks_reaches_the_next_step_whole() {
    let place = Place::new();
    let label = "title=\"a b\" %0A ::error::x $X 'q' `t` ghadelimiter_x";
    let mut command = place.step("image-tag");
    command.args(["--ref", "refs/heads/main", "--sha", "abc", "--labels", label]);
    let finished = finish(command).expect(0);
    assert!(
        outputs(&place)["labels"].lines().any(|line| line == label),
        "{}",
        outputs(&place)["labels"]
    );
    assert_eq!(named(&finished.log(), "error"), Vec::<String>::new());
}
