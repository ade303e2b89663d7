//! What a run of `health-gate watch` leaves: outputs, summary, annotations, ledger, report and JUnit; and what happens
//! when a file can't be written.

use std::process::Command;

use black_box::Place;
use sandbox::http::{Reply, Script, Server};
use serde_json::{Value, json};

use crate::commands::named;
use crate::process::{Finished, finish};
use crate::step::{ledger, outputs, report, watch};

fn serve(status: u16) -> Server {
    Server::start(Script::new().any([Reply::text(status, "a < b & \"c\"")])).unwrap()
}

/// A short watch with three rules: two that fail and one that does not.
fn watched(place: &Place, server: &Server, flags: &[&str]) -> Finished {
    let rules = [
        "--duration",
        "1s",
        "--rate",
        "20/s",
        "--require",
        "count(bad) == 0",
        "--require",
        "count(5xx) < 3",
        "--require",
        "count(4xx) == 0",
    ];
    finish(watch(place, &server.url("/health"), &[&rules, flags].concat()))
}

#[test]
fn the_outputs() {
    let (place, server) = (Place::new(), serve(500));
    watched(&place, &server, &["--report", "report.json"]).expect(3);
    let outputs = outputs(&place);
    let names: Vec<&str> = outputs.keys().map(String::as_str).collect();
    assert_eq!(
        names,
        [
            "duration-ms",
            "error-rate",
            "failed-rules",
            "reason",
            "report",
            "result",
            "samples",
            "verdict"
        ],
        "without a good answer there is no latency, and without a wait no try"
    );
    assert_eq!(outputs["verdict"], "fail");
    assert_eq!(outputs["failed-rules"], "[\"count-bad\",\"count-5xx\"]");
    assert_eq!(outputs["report"], "report.json");
    let samples: u64 = outputs["samples"].parse().unwrap();
    let reason =
        format!("count-bad: {samples} of {samples} and not == 0 in the whole 1s; also failed: count-5xx");
    assert_eq!(outputs["reason"], reason);
    let took: u64 = outputs["duration-ms"].parse().unwrap();
    assert!(took >= 1000, "{took}");
}

#[test]
fn the_summary_has_the_verdict_first_then_the_rules_then_the_course() {
    let (place, server) = (Place::new(), serve(500));
    watched(&place, &server, &[]).expect(3);
    let summary = place.read("summary");
    let parts = [
        "### ❌ health-gate: fail",
        "count-bad: ",
        "| rule | value | limit | n | window | over time | verdict |",
        "| `count-bad` | ",
        "| `count-4xx` | ",
        "```mermaid\nxychart-beta\n",
    ];
    let mut rest = summary.as_str();
    for part in parts {
        let (_, after) = rest
            .split_once(part)
            .unwrap_or_else(|| panic!("no `{part}` there in {summary}"));
        rest = after;
    }
    let row = summary
        .lines()
        .find(|line| line.starts_with("| `count-bad`"))
        .unwrap();
    assert!(
        row.contains('█') && row.ends_with("| ❌ fail |"),
        "a line of blocks that grows: {row}"
    );
    assert!(
        summary.contains("| ✅ pass |"),
        "what held is there too: {summary}"
    );
}

#[test]
fn one_annotation_for_each_rule_that_failed() {
    let (place, server) = (Place::new(), serve(500));
    let finished = watched(&place, &server, &[]).expect(3);
    let (errors, warnings) = (named(&finished.log(), "error"), named(&finished.log(), "warning"));
    assert!(
        errors.len() == 1 && errors[0].starts_with(&format!("{}: count-bad: ", server.url("/health"))),
        "{errors:?}"
    );
    assert!(
        warnings.len() == 1 && warnings[0].starts_with("count-5xx: "),
        "{warnings:?}"
    );
    let place = Place::new();
    let finished = watched(&place, &serve(200), &[]).expect(0);
    assert_eq!(named(&finished.log(), "error"), [""; 0]);
    assert_eq!(named(&finished.log(), "warning"), [""; 0]);
}

#[test]
fn the_line_of_the_ledger() {
    let (place, server) = (Place::new(), serve(500));
    watched(&place, &server, &["--environment", "staging"]).expect(3);
    let lines = ledger(&place);
    assert_eq!(lines.len(), 1);
    let (line, outputs) = (&lines[0], outputs(&place));
    assert_eq!(
        (&line["status"], &line["exit"], &line["environment"]),
        (&json!("failed"), &json!(3), &json!("staging"))
    );
    assert_eq!(line["target"], server.url("/health"));
    let headline = format!("{} (staging): {}", server.url("/health"), outputs["reason"]);
    assert_eq!(line["headline"], headline.as_str());
    let facts = &line["facts"];
    assert_eq!(facts["verdict"], "fail");
    assert_eq!(facts["failed-rules"], json!(["count-bad", "count-5xx"]));
    assert_eq!(facts["samples"].to_string(), outputs["samples"]);
    assert_eq!(outputs["result"], serde_json::to_string(line).unwrap());
}

#[test]
fn the_report() {
    let (place, server) = (Place::new(), serve(500));
    watched(&place, &server, &[]).expect(3);
    let report = report(&place);
    assert_eq!(
        (&report["schema"], &report["verdict"]),
        (&json!("deploy-actions/health-gate@1"), &json!("fail"))
    );
    assert_eq!(report["reason"], outputs(&place)["reason"].as_str());
    let probe = &report["watch"]["probes"][0];
    assert_eq!(probe["samples"], server.requests().len());
    assert_eq!(probe["bad"], probe["samples"]);
    let rules = report["rules"].as_array().unwrap();
    let verdicts: Vec<&Value> = rules.iter().map(|rule| &rule["verdict"]).collect();
    assert_eq!(verdicts, ["fail", "fail", "pass"]);
    assert_eq!(rules[0]["require"]["value"], probe["samples"].as_f64().unwrap());
    assert!(!rules[0]["points"].as_array().unwrap().is_empty());
}

/// Python's parser is the judge.
#[test]
fn the_junit_file() {
    let (place, server) = (Place::new(), serve(500));
    watched(&place, &server, &["--junit", "junit.xml"]).expect(3);
    let script = "import sys, xml.etree.ElementTree as e\n\
        for c in e.parse(sys.argv[1]).getroot().iter('testcase'):\n    \
        print(c.get('classname'), c.get('name'), [f.tag for f in c])";
    let mut python = Command::new("python3");
    python.args(["-c", script]).arg(place.path().join("junit.xml"));
    let read = finish(python).expect(0).stdout;
    assert_eq!(
        read,
        "health-gate.watch count-bad ['failure']\nhealth-gate.watch count-5xx ['failure']\n\
        health-gate.watch count-4xx []\n"
    );
}

/// A folder that is not there is seen before anything is watched.
#[test]
fn a_file_whose_folder_is_not_there() {
    for flag in ["--report", "--junit"] {
        let (place, server) = (Place::new(), serve(200));
        let finished = watched(&place, &server, &[flag, "no-such-folder/file"]).expect(2);
        let errors = named(&finished.log(), "error").concat();
        assert!(
            errors.contains("`no-such-folder/file` can't be written"),
            "{errors}"
        );
        assert_eq!(server.requests().len(), 0, "{flag}");
    }
}

/// Who asked for a file does not get a green step without it; a verdict that is worse stays.
#[test]
fn a_file_that_can_not_be_written() {
    for flag in ["--report", "--junit"] {
        let place = Place::new();
        std::fs::create_dir(place.path().join("taken")).unwrap();
        let finished = watched(&place, &serve(200), &[flag, "taken"]).expect(2);
        let errors = named(&finished.log(), "error");
        assert!(errors.len() == 1 && errors[0].contains("`taken`"), "{errors:?}");
        assert_eq!(outputs(&place)["verdict"], "pass", "{flag}");
        let place = Place::new();
        std::fs::create_dir(place.path().join("taken")).unwrap();
        let finished = watched(&place, &serve(500), &[flag, "taken"]).expect(3);
        let warnings = named(&finished.log(), "warning").concat();
        assert!(warnings.contains("`taken`"), "{warnings}");
        assert_eq!(outputs(&place)["verdict"], "fail", "{flag}");
    }
}

/// The runner's own folder is a convenience, and not asked for.
#[test]
fn a_folder_of_the_runner_that_can_not_be_written_to_changes_no_verdict() {
    let (place, server) = (Place::new(), serve(200));
    let mut command = watch(
        &place,
        &server.url("/"),
        &[
            "--duration",
            "1s",
            "--rate",
            "10/s",
            "--require",
            "count(bad) == 0",
        ],
    );
    command.env("RUNNER_TEMP", "/proc/no-such-folder");
    finish(command).expect(0);
    let outputs = outputs(&place);
    assert_eq!(outputs["verdict"], "pass");
    assert!(!outputs.contains_key("report"), "{outputs:?}");
}
