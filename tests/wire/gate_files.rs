//! `health-gate run -f`: waiting for several targets and then watching, variables, times, and files with faults, for
//! which nothing is looked at.

use std::io::Write as _;
use std::process::Stdio;
use std::time::Duration;

use black_box::Place;
use sandbox::http::{Reply, Script, Server};
use serde_json::json;

use crate::process::{Finished, finish};
use crate::step::{ledger, outputs, report, with_file};

fn serve(script: Script) -> Server {
    Server::start(script).unwrap()
}

fn run(place: &Place, file: &str, flags: &[&str]) -> Finished {
    finish(with_file(place, "run", file, flags))
}

/// How often a path was asked for.
fn asked(server: &Server, path: &str) -> usize {
    let requests = server.requests();
    requests.iter().filter(|request| request.path == path).count()
}

#[test]
fn waits_and_then_watches() {
    let script = Script::new()
        .on("/ready", [Reply::status(503).times(3), Reply::status(200)])
        .on("/live", [Reply::status(200)]);
    let (place, server) = (Place::new(), serve(script));
    let file = format!(
        "version: 1
wait: {{ timeout: 20s, interval: 100ms, targets: [{{ http: '{0}' }}] }}
watch:
  duration: 1s
  interval: 200ms
  probe: {{ http: '{1}', rate: 20/s }}
  rules: [{{ name: alive, from: probe, require: count(bad) == 0 }}]
",
        server.url("/ready"),
        server.url("/live")
    );
    run(&place, &file, &[]).expect(0);
    let outputs = outputs(&place);
    assert_eq!(
        (outputs["verdict"].as_str(), outputs["attempts"].as_str()),
        ("pass", "4")
    );
    assert!(
        outputs["reason"].starts_with("ready after 4 tries in ")
            && outputs["reason"].contains("; 1 rule held for "),
        "{outputs:?}"
    );
    let order: Vec<String> = server
        .requests()
        .into_iter()
        .map(|request| request.path)
        .collect();
    assert_eq!(order[..4], ["/ready"; 4]);
    assert!(order[4..].iter().all(|path| path == "/live"), "{order:?}");
    assert_eq!(outputs["samples"], (order.len() - 4).to_string());
}

#[test]
fn what_does_not_get_ready_is_not_watched() {
    let (place, server) = (Place::new(), serve(Script::new().any([Reply::status(503)])));
    let file = format!(
        "version: 1
wait: {{ timeout: 500ms, interval: 100ms, targets: [{{ http: '{0}' }}] }}
watch: {{ duration: 10m, probe: {{ http: '{1}' }}, preset: steady }}
",
        server.url("/ready"),
        server.url("/live")
    );
    run(&place, &file, &[]).expect(3);
    assert_eq!(asked(&server, "/live"), 0);
    assert!(
        outputs(&place)["reason"].starts_with("not ready after "),
        "{:?}",
        outputs(&place)
    );
    assert_eq!(report(&place)["watch"], json!(null));
}

/// A file that waits for `/a` and `/b`.
fn two(server: &Server, until: &str, timeout: &str) -> String {
    format!(
        "version: 1
wait:
  timeout: {timeout}
  interval: 100ms
  until: {until}
  targets: [{{ name: a, http: '{}' }}, {{ name: b, http: '{}' }}]
",
        server.url("/a"),
        server.url("/b")
    )
}

#[test]
fn all_targets_must_be_ready_at_the_same_moment() {
    let never = Script::new()
        .on("/a", [Reply::status(200).times(2), Reply::status(503)])
        .on("/b", [Reply::status(503).times(4), Reply::status(200)]);
    let (place, server) = (Place::new(), serve(never));
    run(&place, &two(&server, "all", "2s"), &[]).expect(3);
    let reason = &outputs(&place)["reason"];
    assert!(
        reason.starts_with("a is not ready after ") && reason.contains("answered 503"),
        "{reason}"
    );
    assert_eq!(outputs(&place)["failed-rules"], "[\"a\"]");
    let at_last = Script::new()
        .on(
            "/a",
            [
                Reply::status(200).times(2),
                Reply::status(503).times(6),
                Reply::status(200),
            ],
        )
        .on("/b", [Reply::status(503).times(4), Reply::status(200)]);
    let (place, server) = (Place::new(), serve(at_last));
    run(&place, &two(&server, "all", "30s"), &[]).expect(0);
    assert_eq!(asked(&server, "/a"), 9, "{:?}", outputs(&place));
    let targets = &report(&place)["wait"]["targets"];
    assert_eq!(
        (&targets[0]["flaps"], &targets[1]["flaps"]),
        (&json!(1), &json!(0))
    );
}

#[test]
fn any_one_target_is_enough_where_the_file_says_so() {
    let script = Script::new()
        .on("/a", [Reply::status(503)])
        .on("/b", [Reply::status(503).times(2), Reply::status(200)]);
    let (place, server) = (Place::new(), serve(script));
    run(&place, &two(&server, "any", "30s"), &[]).expect(0);
    assert_eq!(outputs(&place)["verdict"], "pass");
    assert_eq!(asked(&server, "/b"), 3);
}

/// Each fault is a line with its place, and the file does nothing.
#[test]
fn faults_are_told_with_line_and_column_and_nothing_is_looked_at() {
    let server = serve(Script::new().any([Reply::status(200)]));
    let url = server.url("/");
    for (file, faults) in [
        (
            format!("version: 1\nwait:\n  timeout: 30\n  targets: [{{ http: '{url}' }}]\n"),
            &["gate.yml:3:12: `timeout`: `30` has no unit"][..],
        ),
        (
            format!("version: 1\nwait:\n  timeout: 5s\n  retries: 3\n  targets: [{{ htpt: '{url}' }}]\n"),
            &[
                "gate.yml:4:3: unknown key `retries` in `wait`",
                "gate.yml:5:15: unknown key `htpt` in `target`; did you mean `http`?",
            ],
        ),
        (
            format!("version: 1\nwait: {{ targets: [{{ http: '{url}', expect: {{ status: [ }} }}] }}\n"),
            &["gate.yml:2:"],
        ),
        (
            format!("version: 1\nwait: {{ targets: [{{ http: '{url}' }}] }}\nwait: {{}}\n"),
            &["gate.yml:3:1: "],
        ),
        (
            format!("version: 9\nwait: {{ targets: [{{ http: '{url}' }}] }}\n"),
            &["gate.yml:1:10: "],
        ),
        (
            format!(
                "version: 1\nwait: {{ targets: [{{ http: '{url}' }}] }}\nwatch:\n  duration: 1m\n  \
                 probe: {{ http: '{url}' }}\n  rules: [{{ name: a, from: probe, require: p95 < 3 }}]\n"
            ),
            &["gate.yml:6:44: `p95 < 3` compares a latency with a number that has no unit"],
        ),
        (
            format!(
                "version: 1\nwait:\n  targets:\n    - http: '{url}'\n      expect: {{ json: '.status ==' }}\n"
            ),
            &["gate.yml:5:23: "],
        ),
        (String::new(), &["gate.yml:1:1: "]),
    ] {
        let place = Place::new();
        let finished = run(&place, &file, &[]).expect(2);
        assert!(finished.took < Duration::from_secs(10), "{:?}", finished.took);
        finished.says(faults);
        assert!(!outputs(&place).contains_key("verdict"));
        assert_eq!(ledger(&place)[0]["exit"], 2);
    }
    assert_eq!(server.requests(), [], "nothing was looked at");
}

#[test]
fn variables_come_from_the_file_the_environment_and_the_command_line() {
    let server = serve(Script::new().any([Reply::status(200)]));
    let file = "version: 1
vars: { base: '${BASE}', path: ready, other: '${NOT_SET:-kept}' }
wait: { timeout: 5s, targets: [{ http: '{{base}}/{{path}}?{{other}}' }] }
";
    let place = Place::new();
    let mut command = with_file(&place, "run", file, &["--var", "path=live"]);
    command.env("BASE", server.url(""));
    finish(command).expect(0);
    assert_eq!(server.requests()[0].path, "/live?kept");

    let place = Place::new();
    run(&place, file, &[])
        .expect(2)
        .says(&["gate.yml:2:15: ", "`BASE`"]);
    let mut unknown = with_file(&place, "run", file, &["--var", "psth=live"]);
    unknown.env("BASE", server.url(""));
    finish(unknown).expect(2).says(&["`psth`"]);
    run(&place, file, &["--var", "path"])
        .expect(2)
        .says(&["`--var`: what is given is no name and value"]);
    assert_eq!(server.requests().len(), 1);
}

#[test]
fn standard_input_is_a_file() {
    let (place, server) = (Place::new(), serve(Script::new().any([Reply::status(200)])));
    let mut command = place.step("health-gate");
    command.args(["run", "-f", "-"]).stdin(Stdio::piped());
    let (read, mut write) = std::io::pipe().unwrap();
    command.stdin(read);
    let file = format!(
        "version: 1\nwait: {{ targets: [{{ http: '{}' }}] }}\n",
        server.url("/")
    );
    write.write_all(file.as_bytes()).unwrap();
    drop(write);
    finish(command).expect(0);
    assert_eq!(server.requests().len(), 1);
}

#[test]
fn a_file_that_is_not_there() {
    let place = Place::new();
    let mut command = place.step("health-gate");
    command.args(["run", "-f", "no-such-file.yml"]);
    finish(command)
        .expect(2)
        .says(&["failed to read the gate file `no-such-file.yml`: "]);
}

#[test]
fn the_time_for_all_of_it() {
    let server = serve(
        Script::new()
            .on("/stats", [Reply::hang()])
            .any([Reply::status(200)]),
    );
    let file = format!(
        "version: 1
timeout: 2s
sources: {{ stats: {{ type: http_json, url: '{0}', value: .n }} }}
wait: {{ timeout: 1s, interval: 100ms, targets: [{{ http: '{1}' }}] }}
watch: {{ duration: 1s, interval: 200ms, rules: [{{ name: n, value: {{ source: stats }}, require: '< 1' }}] }}
",
        server.url("/stats"),
        server.url("/")
    );
    let place = Place::new();
    let finished = run(&place, &file, &[]).expect(4);
    assert!(finished.took < Duration::from_secs(8), "{:?}", finished.took);
    let outputs = outputs(&place);
    assert_eq!(outputs["verdict"], "inconclusive");
    assert!(
        outputs["reason"].contains("the time for the whole command, 2s, was over"),
        "{outputs:?}"
    );
    let place = Place::new();
    run(&place, &file, &["--timeout", "1s"])
        .expect(2)
        .says(&["`--timeout`"]);
}

#[test]
fn what_an_inconclusive_verdict_does() {
    let server = serve(Script::new().any([Reply::status(200)]));
    let file = format!(
        "version: 1
watch:
  duration: 1s
  warmup: 500ms
  interval: 200ms
  probe: {{ http: '{}', rate: 1/m }}
  rules: [{{ name: alive, from: probe, require: count(bad) == 0 }}]
on_inconclusive: fail
",
        server.url("/")
    );
    for (flags, code) in [(&[][..], 3), (&["--on-inconclusive", "report"], 4)] {
        let place = Place::new();
        run(&place, &file, flags).expect(code);
        assert_eq!(outputs(&place)["verdict"], "inconclusive");
    }
}
