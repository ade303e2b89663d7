//! `health-gate check`, `validate` and `schema`: one look at everything, a file that is read, and the form of files.

use std::io::Write as _;
use std::net::TcpListener;
use std::thread;

use black_box::Place;
use sandbox::http::{Reply, Script, Server};
use serde_json::{Value, json};

use crate::process::finish;
use crate::step::{outputs, report, with_file};

fn serve(script: Script) -> Server {
    Server::start(script).unwrap()
}

#[test]
fn every_target_of_a_file_is_looked_at_once() {
    let script = Script::new()
        .on("/good", [Reply::status(200)])
        .on("/bad", [Reply::status(500)])
        .on("/hang", [Reply::hang()]);
    let (place, server) = (Place::new(), serve(script));
    let file = format!(
        "version: 1
wait:
  timeout: 5m
  success_threshold: 3
  targets:
    - {{ name: good, http: '{0}' }}
    - {{ name: bad, http: '{1}' }}
    - {{ name: hang, http: '{2}', try_timeout: 300ms }}
watch:
  duration: 5m
  probes: {{ watched: {{ http: '{0}' }} }}
  preset: steady
",
        server.url("/good"),
        server.url("/bad"),
        server.url("/hang")
    );
    let file = file.replace(", try_timeout: 300ms", "");
    finish(with_file(&place, "check", &file, &["--try-timeout", "300ms"])).expect(3);
    let report = report(&place);
    let targets = report["wait"]["targets"].as_array().unwrap();
    let states: Vec<(&str, bool)> = targets
        .iter()
        .map(|target| {
            (
                target["name"].as_str().unwrap(),
                target["ready"].as_bool().unwrap(),
            )
        })
        .collect();
    assert_eq!(
        states,
        [("good", true), ("bad", false), ("hang", false), ("watched", true)]
    );
    assert_eq!(outputs(&place)["attempts"], "4");
    assert_eq!(outputs(&place)["failed-rules"], "[\"bad\",\"hang\"]");
    assert_eq!(server.requests().len(), 4, "each one once");
    let summary = place.read("summary");
    for text in [
        "`good` | ✅ ready",
        "`bad` | ❌ not ready",
        "`hang` | ❌ not ready",
    ] {
        assert!(summary.contains(text), "{summary}");
    }
}

#[test]
fn one_target_of_flags() {
    let server = serve(Script::new().any([Reply::status(200).times(1), Reply::status(503)]));
    for code in [0, 3] {
        let place = Place::new();
        let mut command = place.step("health-gate");
        command.args(["check", "--url", &server.url("/")]);
        finish(command).expect(code);
        assert_eq!(outputs(&place)["attempts"], "1");
    }
    // Another kind of target: whoever connects is greeted.
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap().to_string();
    let greeter = thread::spawn(move || {
        let (mut stream, _) = listener.accept().unwrap();
        stream.write_all(b"220 mail\r\n").unwrap();
    });
    let place = Place::new();
    let mut command = place.step("health-gate");
    command.args(["check", "--tcp", &address, "--expect-body", "^220 "]);
    finish(command).expect(0);
    greeter.join().unwrap();
}

#[test]
fn a_target_that_cannot_be_asked_is_no_bad_one() {
    let server = serve(
        Script::new()
            .on("/good", [Reply::status(200)])
            .on("/bad", [Reply::status(500)]),
    );
    for (path, code, verdict) in [("/good", 2, "error"), ("/bad", 3, "fail")] {
        let place = Place::new();
        let file = format!(
            "version: 1\nwait: {{ targets: [{{ name: none, exec: ./no-such-program }}, {{ http: '{}' }}] }}\n",
            server.url(path)
        );
        finish(with_file(&place, "check", &file, &[])).expect(code);
        assert_eq!(outputs(&place)["verdict"], verdict);
    }
}

#[test]
fn a_probe_of_a_target_s_name_is_looked_at_where_it_is_another() {
    let script = Script::new()
        .on("/ready", [Reply::status(200)])
        .on("/deep", [Reply::status(500)]);
    let (place, server) = (Place::new(), serve(script));
    let file = format!(
        "version: 1
wait: {{ targets: [{{ name: api, http: '{0}' }}] }}
watch: {{ duration: 5m, preset: steady, probes: {{ api: {{ http: '{1}' }} }} }}
",
        server.url("/ready"),
        server.url("/deep")
    );
    finish(with_file(&place, "check", &file, &[])).expect(3);
    assert_eq!(outputs(&place)["failed-rules"], "[\"api (2)\"]");
}

#[test]
fn a_file_without_a_target_is_no_pass() {
    let (place, server) = (Place::new(), serve(Script::new()));
    let file = with_source(&server);
    let file: String = file
        .lines()
        .filter(|line| !line.starts_with("wait:"))
        .map(|line| format!("{line}\n"))
        .collect();
    finish(with_file(&place, "check", &file, &[]))
        .expect(2)
        .says(&["nothing in this file can be looked at once"]);
    assert_eq!(server.requests(), []);
}

/// A file with a source; `{}` are the addresses of the source and the target.
fn with_source(server: &Server) -> String {
    format!(
        "version: 1
sources: {{ stats: {{ type: http_json, url: '{}', value: .errors }} }}
wait: {{ targets: [{{ http: '{}' }}] }}
watch: {{ duration: 5m, rules: [{{ name: errors, value: {{ source: stats }}, require: '< 100' }}] }}
",
        server.url("/stats"),
        server.url("/ready")
    )
}

#[test]
fn a_file_is_read_and_nothing_is_looked_at() {
    let (place, server) = (Place::new(), serve(Script::new()));
    finish(with_file(&place, "validate", &with_source(&server), &[]))
        .expect(0)
        .says(&["the gate file is good", "rule errors: require < 100"]);
    assert_eq!(server.requests(), []);
    let broken = with_source(&server).replace("'< 100'", "'~ 100'");
    finish(with_file(&place, "validate", &broken, &[]))
        .expect(2)
        .says(&["gate.yml:4:"]);
    assert_eq!(server.requests(), []);
}

#[test]
fn each_source_is_asked_once_on_request() {
    for (reply, code, said) in [
        (Reply::json(200, &json!({"errors": 42})), 0, ": 42"),
        (Reply::json(200, &json!({})), 0, ": no data"),
        (Reply::status(401), 7, "answered 401"),
        (Reply::status(400), 2, "answered 400"),
        (Reply::status(503), 4, "answered 503"),
    ] {
        let (place, server) = (Place::new(), serve(Script::new().on("/stats", [reply])));
        finish(with_file(&place, "validate", &with_source(&server), &["--ask"]))
            .expect(code)
            .says(&["stats, `.errors` over 5m: ", said]);
        let asked: Vec<String> = server
            .requests()
            .into_iter()
            .map(|request| request.path)
            .collect();
        assert!(
            !asked.is_empty() && asked.iter().all(|path| path == "/stats"),
            "{asked:?}"
        );
    }
}

#[test]
fn the_form_of_files_is_a_json_schema() {
    let place = Place::new();
    let mut command = place.command("health-gate");
    command.arg("schema");
    let finished = finish(command).expect(0);
    assert_eq!(finished.stderr, "");
    let schema: Value = serde_json::from_str(&finished.stdout).unwrap();
    assert_eq!(schema["$schema"], "https://json-schema.org/draft/2020-12/schema");
    for key in [
        "version", "vars", "sources", "wait", "watch", "compare", "timeout",
    ] {
        assert!(!schema["properties"][key].is_null(), "{key}");
    }
    assert_eq!(schema["additionalProperties"], false);
}
