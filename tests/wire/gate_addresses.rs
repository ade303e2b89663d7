//! `health-gate` and where it looks: names, loopback of both families, closed ports, plain TCP.

use std::io::{Read as _, Write as _};
use std::net::TcpListener;
use std::thread;

use black_box::Place;
use sandbox::http::{Reply, Script, Server};

use crate::process::finish;
use crate::step::{gate, hopeless_gate, outputs};

/// An address where nothing listens, though something did a moment ago.
fn closed() -> String {
    TcpListener::bind("127.0.0.1:0")
        .unwrap()
        .local_addr()
        .unwrap()
        .to_string()
}

#[test]
fn a_closed_port_is_a_refused_connection() {
    let place = Place::new();
    finish(hopeless_gate(&place, &format!("http://{}/", closed()), &[]))
        .expect(3)
        .says(&[
            "connection refused",
            "check that the service runs and listens there",
        ]);
}

#[test]
fn a_name_that_does_not_exist() {
    let place = Place::new();
    let url = "http://no-such-host.invalid/health";
    let flags = ["--timeout", "20s", "--interval", "30s", "--try-timeout", "20s"];
    let mut command = place.step("health-gate");
    command.args(["--url", url]).args(flags);
    finish(command)
        .expect(3)
        .says(&["the host's name can't be resolved", "check the host's name"]);
    let mut command = place.step("health-gate");
    command.args(["--tcp", "no-such-host.invalid:80"]).args(flags);
    finish(command)
        .expect(3)
        .says(&["the host's name can't be resolved"]);
}

#[test]
fn localhost_by_name() {
    let place = Place::new();
    let server = Server::start(Script::new().any([Reply::text(200, "ok")])).unwrap();
    let url = server.url("/health").replace("127.0.0.1", "localhost");
    finish(gate(&place, &url, &[])).expect(0);
    assert_eq!(
        server.requests()[0].header("host"),
        Some(format!("localhost:{}", server.address().port()).as_str())
    );
}

#[test]
fn loopback_of_the_newer_family() {
    let Ok(listener) = TcpListener::bind("[::1]:0") else {
        eprintln!("skipped: this machine has no IPv6 loopback");
        return;
    };
    let address = listener.local_addr().unwrap();
    let server = thread::spawn(move || {
        let (mut stream, _) = listener.accept().unwrap();
        let mut asked = Vec::new();
        let mut buffer = [0; 512];
        while !asked.ends_with(b"\r\n\r\n") {
            let count = stream.read(&mut buffer).unwrap();
            assert!(count > 0, "the request ended early");
            asked.extend_from_slice(&buffer[..count]);
        }
        stream
            .write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok")
            .unwrap();
        // The connection closes only after the second one, so that the first answer is surely read.
        listener.accept().unwrap();
    });
    let place = Place::new();
    finish(gate(
        &place,
        &format!("http://{address}/health"),
        &["--expect-body", "ok"],
    ))
    .expect(0);
    let mut command = place.step("health-gate");
    command.args(["--tcp", &address.to_string()]);
    finish(command).expect(0);
    server.join().unwrap();
    assert_eq!(outputs(&place)["verdict"], "pass");
}

#[test]
fn a_port_that_opens() {
    let place = Place::new();
    let server = Server::start(Script::new()).unwrap();
    let mut command = place.step("health-gate");
    command.args([
        "--tcp",
        &server.address().to_string(),
        "--success-threshold",
        "2",
        "--interval",
        "100ms",
    ]);
    finish(command).expect(0);
    assert_eq!(outputs(&place)["attempts"], "2");
    assert!(server.requests().is_empty(), "nothing is sent to a port");
}

#[test]
fn a_port_that_stays_closed() {
    let place = Place::new();
    let mut command = place.step("health-gate");
    command.args(["--tcp", &closed(), "--interval", "100ms", "--timeout", "500ms"]);
    finish(command).expect(3).says(&["connection refused"]);
    let attempts: u32 = outputs(&place)["attempts"].parse().unwrap();
    assert!((2..=5).contains(&attempts), "{attempts}");
}
