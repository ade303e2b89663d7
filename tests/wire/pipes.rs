//! A reader that leaves early, as `head` does and a runner after a cancel: no panic, and the same exit code.

use std::process::{Command, Stdio};

use black_box::Place;
use sandbox::http::{Reply, Script, Server};

use crate::step::{gate, hopeless_gate, outputs};

/// Runs with both streams closed by their reader before the first line, and gives the exit code.
fn unread(mut command: Command) -> Option<i32> {
    let (reader, writer) = std::io::pipe().unwrap();
    command
        .stdin(Stdio::null())
        .stdout(writer.try_clone().unwrap())
        .stderr(writer);
    drop(reader);
    let mut child = command.spawn().unwrap();
    // The command holds our own ends of the pipe.
    drop(command);
    child.wait().unwrap().code()
}

#[test]
fn a_gate_ends_as_it_would() {
    let place = Place::new();
    let server = Server::start(Script::new().any([Reply::status(503).times(2), Reply::status(200)])).unwrap();
    assert_eq!(unread(gate(&place, &server.url("/"), &[])), Some(0));
    assert_eq!(outputs(&place)["verdict"], "pass");
    let broken = Server::start(Script::new().any([Reply::text(503, "down")])).unwrap();
    assert_eq!(unread(hopeless_gate(&place, &broken.url("/"), &[])), Some(3));
    assert_eq!(outputs(&place)["verdict"], "fail");
}

#[test]
fn help_and_tags_end_as_they_would() {
    let place = Place::new();
    for (name, words, code) in [
        ("notify", vec!["--help"], 0),
        ("image-tag", vec!["--ref", "refs/heads/main", "--sha", "abc"], 0),
        (
            "image-tag",
            vec!["--ref", "refs/heads/main", "--sha", "abc", "--output", "json"],
            0,
        ),
        ("image-tag", vec!["--no-such-flag"], 2),
        ("health-gate", vec!["--describe"], 0),
    ] {
        let mut command = place.step(name);
        command.args(&words);
        assert_eq!(unread(command), Some(code), "{name} {words:?}");
    }
}
