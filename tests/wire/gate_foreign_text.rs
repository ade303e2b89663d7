//! What a server answers is data: no byte of it becomes a workflow command, an output, or markup of the summary.

use black_box::Place;
use sandbox::http::{Reply, Script, Server};
use serde_json::json;

use crate::commands::{Command, commands};
use crate::process::{Finished, finish};
use crate::step::{hopeless_gate, ledger, outputs};

const OUTPUTS: [&str; 7] = [
    "attempts",
    "duration-ms",
    "failed-rules",
    "reason",
    "report",
    "result",
    "verdict",
];

/// Runs against this answer, and checks that nothing of it got out of its place.
#[track_caller]
fn inert(reply: Reply, flags: &[&str]) -> (Place, Finished) {
    let place = Place::new();
    let server = Server::start(Script::new().any([reply])).unwrap();
    let finished = finish(hopeless_gate(&place, &server.url("/"), flags)).expect(3);
    // Our own one annotation, and nothing else; it names this server, so it is ours.
    let found: Vec<Command> = commands(&finished.log());
    let ours = found.len() == 1 && found[0].name == "error" && found[0].data.starts_with(&server.url("/"));
    assert!(ours, "{found:?}\n{}", finished.log());
    let log = finished.log();
    assert!(!log.contains(['\r', '\0', '\u{1b}', '\u{202e}']), "{log:?}");
    let names: Vec<String> = outputs(&place).into_keys().collect();
    assert_eq!(names, OUTPUTS);
    assert_eq!(outputs(&place)["verdict"], "fail");
    assert_eq!(ledger(&place).len(), 1);
    (place, finished)
}

#[test]
fn a_body_of_commands() {
    let body = b"plain\n::error::pwned\r::warning::pwned\r\n  ::set-output name=verdict::pass\nx ##[error]pwned\n\
        \xef\xbb\xbf::error::pwned\n\0::add-mask::pwned\n\xff\xfe::notice::pwned\n\xe2\x80\xa8::error::pwned\n\
        ::stop-commands::pwned\n\x1b[2K::debug::pwned\n\xe2\x80\xae::group::pwned\n::endgroup::\n";
    let (_, finished) = inert(Reply::bytes(500, body.to_vec()), &[]);
    finished.says(&[
        "| plain\n",
        "| | ::error::pwned\\r::warning::pwned\n",
        "## [error]pwned",
    ]);
}

#[test]
fn a_body_that_ends_the_delimiter_and_the_fence() {
    let body = "ghadelimiter_00000000\nverdict=pass\nverdict<<EOF\npass\nEOF\n```\n</details>\n# pwned\n<img src=x>\n@org/team\n";
    let (place, _) = inert(Reply::text(500, body), &[]);
    let summary = place.read("summary");
    let fence = summary.split("````").count();
    assert_eq!(
        fence, 3,
        "the body stands between two fences that it can't hold: {summary}"
    );
}

#[test]
fn a_location_a_header_a_field_and_a_version() {
    let hostile = "x%0A::error::pwned ##[error]pwned |</td><!--`";
    inert(Reply::redirect(302, hostile), &[]);
    let header = Reply::status(200).header("x-state", hostile);
    let (_, finished) = inert(header, &["--expect-header", "x-state: fine"]);
    finished.says(&["## [error]pwned"]);
    let nasty = "a\n::error::pwned\r\u{0}\u{202e}\u{1b}[1m##[warning]pwned";
    inert(
        Reply::json(200, &json!({"status": nasty})),
        &["--expect-json", "/status=ok"],
    );
    let (place, _) = inert(
        Reply::json(200, &json!({"version": nasty})),
        &["--expect-version", "1.2.3"],
    );
    let reason = &outputs(&place)["reason"];
    assert!(
        reason.contains("`a\\n::error::pwned\\r\\u{0}") && !reason.contains('\n'),
        "{reason}"
    );
}

#[test]
fn a_megabyte_of_one_line() {
    let (place, finished) = inert(Reply::text(503, "::error::".repeat(120_000)), &[]);
    assert!(finished.log().len() < 16 * 1024, "{}", finished.log().len());
    assert!(place.read("summary").len() < 64 * 1024);
}

#[test]
fn text_in_json_logs_is_one_object_a_line() {
    let place = Place::new();
    let script = Script::new().any([Reply::text(500, "a\n::error::pwned\r\n##[error]pwned\u{202e}")]);
    let server = Server::start(script).unwrap();
    let finished = finish(hopeless_gate(&place, &server.url("/"), &["--log-format", "json"])).expect(3);
    // The run's page has the one annotation of a failure all the same.
    let log = finished.log();
    let (annotations, objects): (Vec<&str>, Vec<&str>) = log.lines().partition(|line| line.starts_with("::"));
    for line in objects {
        let object: serde_json::Value = serde_json::from_str(line).unwrap();
        assert_eq!(object["tool"], "health-gate", "{line}");
    }
    assert_eq!(annotations.len(), 1, "{log}");
    assert_eq!(commands(&log).len(), 1, "{log}");
}
