//! A cancelled `health-gate` in the midst of a file, a watch, or a program that it runs: what was seen until then is
//! written, and nothing is left running.

use std::fs;
use std::path::Path;
use std::time::{Duration, Instant};

use black_box::Place;
use rustix::process::Signal;
use sandbox::http::{Reply, Script, Server};
use serde_json::json;

use crate::process::{DEADLINE, Running};
use crate::signals::wait_until;
use crate::step::{ledger, outputs, report, watch, with_file};

/// The contract's time for an end.
const CONTRACT: Duration = Duration::from_secs(5);

/// Cancels a run, and checks what every cancelled run leaves.
#[track_caller]
fn cancel(place: &Place, running: Running, signal: Signal) {
    let sent = Instant::now();
    running.signal(signal);
    let finished = running.finish();
    assert!(sent.elapsed() < CONTRACT, "{:?}", sent.elapsed());
    let (code, name) = if signal == Signal::INT {
        (130, "SIGINT")
    } else {
        (143, "SIGTERM")
    };
    finished.expect(code);
    let outputs = outputs(place);
    assert_eq!(outputs["verdict"], "inconclusive");
    assert!(
        outputs["reason"].starts_with(&format!("cancelled by {name} ")),
        "{outputs:?}"
    );
    assert_eq!(outputs["failed-rules"], "[]");
    assert_eq!(report(place)["verdict"], "inconclusive");
    assert!(place.read("junit.xml").ends_with("</testsuites>\n"));
    assert!(
        place.read("summary").contains("⚠️ health-gate: inconclusive"),
        "{}",
        place.read("summary")
    );
    let line = ledger(place).pop().unwrap();
    assert_eq!(
        (&line["status"], &line["exit"]),
        (&json!("cancelled"), &json!(code))
    );
}

#[test]
fn in_the_midst_of_a_watch() {
    for signal in [Signal::INT, Signal::TERM] {
        let place = Place::new();
        let server = Server::start(Script::new().any([Reply::status(200)])).unwrap();
        let flags = [
            "--duration",
            "10m",
            "--rate",
            "20/s",
            "--require",
            "count(bad) == 0",
            "--junit",
            "junit.xml",
        ];
        let running = Running::start(watch(&place, &server.url("/"), &flags));
        assert!(server.wait_for(10, DEADLINE).is_some());
        cancel(&place, running, signal);
        assert_eq!(report(&place)["watch"]["complete"], false);
        assert!(outputs(&place)["reason"].ends_with(" of watching"));
        let samples: usize = outputs(&place)["samples"].parse().unwrap();
        assert!(samples >= 9, "what was seen is not lost: {samples}");
    }
}

#[test]
fn in_the_midst_of_a_wait_for_several() {
    for signal in [Signal::INT, Signal::TERM] {
        let place = Place::new();
        let script = Script::new()
            .on("/a", [Reply::status(200)])
            .on("/b", [Reply::hang()]);
        let server = Server::start(script).unwrap();
        let file = format!(
            "version: 1
wait:
  timeout: 5m
  interval: 100ms
  try_timeout: 2m
  targets: [{{ name: a, http: '{}' }}, {{ name: b, http: '{}' }}]
watch: {{ duration: 5m, probe: {{ http: '{0}' }}, preset: steady }}
",
            server.url("/a"),
            server.url("/b")
        );
        let running = Running::start(with_file(&place, "run", &file, &["--junit", "junit.xml"]));
        assert!(server.wait_for(4, DEADLINE).is_some());
        cancel(&place, running, signal);
        let report = report(&place);
        let targets = report["wait"]["targets"].as_array().unwrap();
        assert_eq!(targets.len(), 2);
        assert_eq!(report["watch"], json!(null));
    }
}

#[test]
fn between_the_wait_and_the_end_of_the_watch() {
    let place = Place::new();
    let script = Script::new()
        .on("/a", [Reply::status(200)])
        .on("/b", [Reply::hang()]);
    let server = Server::start(script).unwrap();
    let file = format!(
        "version: 1
wait: {{ timeout: 5m, interval: 100ms, targets: [{{ name: a, http: '{}' }}] }}
watch: {{ duration: 5m, probe: {{ http: '{}' }}, preset: steady }}
",
        server.url("/a"),
        server.url("/b")
    );
    let running = Running::start(with_file(&place, "run", &file, &["--junit", "junit.xml"]));
    assert!(server.wait_for(2, DEADLINE).is_some());
    cancel(&place, running, Signal::TERM);
    let report = report(&place);
    assert_eq!(report["wait"]["targets"][0]["ready"], true);
    assert!(report["watch"].is_object());
}

/// A program with a child of its own that would outlive it.
const PROGRAM: &str = "#!/bin/sh\nsleep 600 &\necho $$ $! > pids.new\nmv pids.new pids\nwait\n";

#[test]
fn nothing_of_a_program_that_was_run_is_left() {
    for name in ["wait", "watch"] {
        let place = Place::new();
        let script = place.path().join("check.sh");
        fs::write(&script, PROGRAM).unwrap();
        make_executable(&script);
        let mut command = place.step("health-gate");
        command.args([
            name,
            "--exec",
            "./check.sh",
            "--try-timeout",
            "5m",
            "--junit",
            "junit.xml",
        ]);
        if name == "watch" {
            command.args([
                "--duration",
                "10m",
                "--rate",
                "1/m",
                "--require",
                "count(bad) == 0",
            ]);
        }
        let running = Running::start(command);
        let pids = place.path().join("pids");
        wait_until("the program runs", || pids.exists());
        let pids = place.read("pids");
        assert_eq!(pids.split_whitespace().filter(|pid| runs(pid)).count(), 2);
        cancel(&place, running, Signal::TERM);
        for pid in pids.split_whitespace() {
            // The group is killed; the last of it is gone when the kernel has come to it.
            wait_until("the program is gone", || !runs(pid));
        }
    }
}

/// Whether a process runs; one that is dead and not yet waited for does not.
fn runs(pid: &str) -> bool {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
    let state = stat.rsplit(") ").next().and_then(|rest| rest.chars().next());
    !matches!(state, None | Some('Z' | 'X'))
}

fn make_executable(path: &Path) {
    use std::os::unix::fs::PermissionsExt as _;
    fs::set_permissions(path, fs::Permissions::from_mode(0o755)).unwrap();
}
