//! Servers that mean harm: each costs bounded time and memory, and has one clear line.

use std::fs;
use std::net::TcpListener;
use std::process::{Command, Stdio};
use std::time::Duration;

use black_box::Place;
use sandbox::http::{Reply, Script, Server};
use serde_json::json;

use crate::commands::named;
use crate::process::{DEADLINE, Running, finish};
use crate::step::{gate, hopeless_gate, outputs};

/// What a hostile answer may cost beside an ordinary one, in KiB. The whole of a program that ships stays under 50 MB with
/// that; the one under test is not optimised, and its code alone takes twice as much.
const MOST_KIB: u64 = 24 * 1024;

/// Much longer than the time of the gates here.
const SOON: Duration = Duration::from_secs(10);

/// The one line of a gate that meets only this.
#[track_caller]
fn line(reply: Reply, flags: &[&str]) -> String {
    let server = Server::start(Script::new().any([reply])).unwrap();
    let line = line_of(&server.url("/"), flags);
    assert!(!server.requests().is_empty());
    line
}

#[track_caller]
fn line_of(url: &str, flags: &[&str]) -> String {
    let place = Place::new();
    let finished = finish(hopeless_gate(&place, url, flags)).expect(3);
    assert!(finished.took < SOON, "{:?}", finished.took);
    assert!(finished.log().len() < 16 * 1024, "{}", finished.log());
    assert_eq!(named(&finished.log(), "error").len(), 1, "{}", finished.log());
    assert!(!finished.log().contains("panicked"), "{}", finished.log());
    let reason = outputs(&place)["reason"].clone();
    assert!(reason.len() < 700 && !reason.contains('\n'), "{reason}");
    reason
}

/// What the first looks at this cost in memory beside looks at an ordinary answer, in KiB.
#[track_caller]
fn memory(reply: Reply, looks: usize, flags: &[&str]) -> u64 {
    let ordinary = peak(Reply::text(500, "ready"), looks, &["--try-timeout", "5s"]);
    peak(reply, looks, flags).saturating_sub(ordinary)
}

/// The most memory that a gate has held after its first looks at this, in KiB. Looks go on until it is stopped, so it is
/// read from a process that lives.
#[track_caller]
fn peak(reply: Reply, looks: usize, flags: &[&str]) -> u64 {
    let place = Place::new();
    let server = Server::start(Script::new().any([reply])).unwrap();
    let mut command = place.step("health-gate");
    command.args([
        "wait",
        "--url",
        &server.url("/"),
        "--interval",
        "100ms",
        "--timeout",
        "10m",
    ]);
    command.args(flags);
    let running = Running::start(command);
    // The next request shows that the look before is over.
    assert!(server.wait_for(looks + 1, DEADLINE).is_some());
    peak_of(running)
}

/// The most memory that it has held, in KiB; it is ended.
#[track_caller]
fn peak_of(running: Running) -> u64 {
    let status = fs::read_to_string(format!("/proc/{}/status", running.pid())).unwrap();
    let peak = status
        .lines()
        .find_map(|line| line.strip_prefix("VmHWM:"))
        .unwrap();
    let peak = peak.trim().trim_end_matches(" kB").parse().unwrap();
    running.signal(rustix::process::Signal::TERM);
    running.finish().expect(143);
    peak
}

/// As much as goes through the wire in the time of a look, which on loopback is more than a gigabyte.
#[test]
fn a_body_of_gigabytes() {
    let body = || Reply::bytes(200, vec![b'x'; 1 << 20]).endless(Duration::ZERO);
    let reason = line(body(), &["--expect-body", "ready", "--try-timeout", "500ms"]);
    assert!(
        reason.contains("the body does not contain `ready`") || reason.contains("no complete answer within"),
        "{reason}"
    );
    let more = memory(body(), 2, &["--expect-body", "ready", "--try-timeout", "1s"]);
    assert!(more < MOST_KIB, "{more} KiB");
    let announced = Reply::raw_endless(
        "HTTP/1.1 200 OK\r\nContent-Length: 1073741824\r\n\r\n",
        vec![b'x'; 1 << 20],
        Duration::ZERO,
    );
    let more = memory(announced, 2, &["--expect-json", ".ready", "--try-timeout", "1s"]);
    assert!(more < MOST_KIB, "{more} KiB");
}

/// Hundreds of looks at a target that sends as much as is read of a body, and then hangs.
#[test]
fn many_large_bodies_at_once() {
    let large = || {
        let mut begin = b"HTTP/1.1 200 OK\r\nContent-Length: 1073741824\r\n\r\n".to_vec();
        begin.extend(vec![b'x'; 1 << 20]);
        Reply::raw_held(begin)
    };
    let flags = ["--expect-body", "ready", "--try-timeout", "2s", "--rate", "100/s"];
    let small = watched(Reply::text(500, "ready"), &flags);
    let more = watched(large(), &flags).saturating_sub(small);
    // 200 are under way at once, each with its connection's buffers; eight of them hold a body.
    assert!(more < 3 * MOST_KIB, "{more} KiB");
}

/// The most memory that a watch has held after 300 looks at this, in KiB.
#[track_caller]
fn watched(reply: Reply, flags: &[&str]) -> u64 {
    let place = Place::new();
    let server = Server::start(Script::new().any([reply])).unwrap();
    let mut command = place.step("health-gate");
    command.args(["watch", "--url", &server.url("/"), "--duration", "10m"]);
    command.args(["--require", "error_rate < 100%"]).args(flags);
    let running = Running::start(command);
    assert!(server.wait_for(300, DEADLINE).is_some());
    peak_of(running)
}

#[test]
fn headers_without_end() {
    let one = || {
        Reply::raw_endless(
            "HTTP/1.1 200 OK\r\n",
            "x-pad: 0123456789abcdef\r\n".repeat(200),
            Duration::ZERO,
        )
    };
    let reason = line(one(), &["--try-timeout", "5s"]);
    assert!(reason.contains("the answer's head is over 64 KiB"), "{reason}");
    let more = memory(one(), 3, &[]);
    assert!(more < MOST_KIB, "{more} KiB");
    let long = || Reply::raw_endless("HTTP/1.1 200 OK\r\nx-pad: ", "x".repeat(4096), Duration::ZERO);
    let reason = line(long(), &["--try-timeout", "5s"]);
    assert!(reason.contains("the answer's head is over 64 KiB"), "{reason}");
    let more = memory(long(), 3, &[]);
    assert!(more < MOST_KIB, "{more} KiB");
}

#[test]
fn interim_answers_without_end() {
    let flood = || {
        let many = "HTTP/1.1 103 Early Hints\r\nlink: </a.css>\r\n\r\n".repeat(100);
        Reply::raw_endless("", many, Duration::ZERO)
    };
    let reason = line(flood(), &["--try-timeout", "300ms"]);
    assert!(!reason.contains("good"), "{reason}");
    let more = memory(flood(), 2, &["--try-timeout", "300ms"]);
    assert!(more < MOST_KIB, "{more} KiB");
}

/// 10 MiB of zeros in about 10 KiB: nobody asked for it, and it is not unpacked.
#[test]
fn a_body_that_is_packed() {
    let mut gzip = Command::new("sh");
    gzip.args(["-c", "head -c 104857600 /dev/zero | gzip -9"])
        .stdout(Stdio::piped());
    let bomb = gzip.output().unwrap().stdout;
    assert!(bomb.len() < 200_000, "{}", bomb.len());
    let reply = || Reply::bytes(200, bomb.clone()).header("content-encoding", "gzip");
    let reason = line(reply(), &["--expect-body", "ready"]);
    assert!(reason.contains("the body does not contain `ready`"), "{reason}");
    let more = memory(reply(), 3, &["--expect-body", "ready"]);
    assert!(more < MOST_KIB, "{more} KiB");
}

#[test]
fn a_drop_at_a_time() {
    let slow = Reply::raw_endless("HTTP/1.1 200 OK\r\nx-pad: ", "x", Duration::from_millis(20));
    let reason = line(slow, &["--try-timeout", "300ms"]);
    assert!(reason.contains("no complete answer within"), "{reason}");
    let silent = Reply::raw_held("HTTP/1.1 200 OK\r\nContent-Le");
    let reason = line(silent, &["--try-timeout", "300ms"]);
    assert!(reason.contains("no complete answer within"), "{reason}");
}

#[test]
fn an_answer_that_is_no_http() {
    for said in [
        "SSH-2.0-OpenSSH_9.2p1 Debian-2\r\n",
        "\0\u{1}\u{2}\u{3}\u{4}\u{5}",
        "HTTP/9.9 200 OK\r\n\r\n",
        "HTTP/1.1 200 OK\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\nhello",
        "HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n",
        "HTTP/1.1 200 OK\r\nContent-Length: 99999999999999999999\r\n\r\n",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzzz\r\n",
        "HTTP/1.1 200 OK\r\nx: a\r\n b\r\n: c\r\n\r\n",
        "HTTP/1.1 2000 OK\r\n\r\n",
        "",
    ] {
        let reason = line(Reply::raw(said), &["--expect-body", "never-there"]);
        assert!(reason.starts_with("not ready after "), "{said:?}: {reason}");
        assert!(!reason.contains("hyper"), "{said:?}: {reason}");
    }
}

#[test]
fn a_length_that_is_wrong() {
    let short = Reply::raw("HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nready");
    let reason = line(short, &["--expect-body", "ready"]);
    assert!(reason.contains("the connection broke"), "{reason}");
    // What is over the length is no part of the answer.
    let long = Reply::raw("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nready");
    let reason = line(long, &["--expect-body", "ready"]);
    assert!(reason.contains("the body does not contain `ready`"), "{reason}");
}

/// The kernel takes the connection, and nobody ever takes it from the kernel.
#[test]
fn a_server_that_never_accepts() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}/", listener.local_addr().unwrap());
    let reason = line_of(&url, &["--try-timeout", "200ms"]);
    assert!(reason.contains("no complete answer within"), "{reason}");
    let reason = line_of(&url.replace("http", "https"), &["--try-timeout", "200ms"]);
    assert!(reason.contains("the TLS handshake goes on"), "{reason}");
}

/// Three good ones in a row do not come from a service that is bad every third time.
#[test]
fn a_service_that_flaps() {
    let server = Server::start_with({
        let count = std::sync::atomic::AtomicUsize::new(0);
        move |_| match count.fetch_add(1, std::sync::atomic::Ordering::Relaxed) % 3 {
            2 => Reply::reset(),
            _ => Reply::status(200),
        }
    })
    .unwrap();
    let place = Place::new();
    let mut command = place.step("health-gate");
    command.args(["wait", "--url", &server.url("/"), "--interval", "100ms"]);
    command.args(["--timeout", "2s", "--success-threshold", "3"]);
    finish(command).expect(3);
    let reason = &outputs(&place)["reason"];
    assert!(reason.contains("fell back"), "{reason}");
}

/// Behind a load balancer the old and the new version answer by turns for a while.
#[test]
fn a_switch_of_versions_that_goes_back_and_forth() {
    let version = |version: &str| Reply::json(200, &json!({ "version": version }));
    let script = Script::new().any([
        version("1.2.2").times(3),
        version("1.2.3").times(2),
        version("1.2.2"),
        version("1.2.3"),
    ]);
    let (place, server) = (Place::new(), Server::start(script).unwrap());
    let flags = ["--expect-version", "1.2.3", "--success-threshold", "3"];
    finish(gate(&place, &server.url("/"), &flags)).expect(0);
    assert_eq!(outputs(&place)["attempts"], "9");
    let switched = Server::start_with(move |request| {
        let new = request.at > Duration::from_millis(600);
        version(if new { "1.2.3" } else { "1.2.2" })
    })
    .unwrap();
    let place = Place::new();
    finish(gate(&place, &switched.url("/"), &flags)).expect(0);
    assert!(switched.requests().last().unwrap().at > Duration::from_millis(600));
    let old = Script::new().any([version("1.2.2")]);
    let old = Server::start(old).unwrap();
    let reason = line_of(&old.url("/"), &["--expect-version", "1.2.3"]);
    assert!(
        reason.contains("serves version `1.2.2`, expected `1.2.3`"),
        "{reason}"
    );
}

#[test]
fn a_certificate_with_a_thousand_names() {
    let names: Vec<String> = (0..1000)
        .map(|n| format!("service-{n}.region.example.com"))
        .collect();
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    let server = Server::start_tls(&names, Script::new().any([Reply::status(200)])).unwrap();
    let place = Place::new();
    fs::write(place.path().join("ca.pem"), server.ca_pem().unwrap()).unwrap();
    let with_ca = |mut command: Command| {
        command.env("SSL_CERT_FILE", place.path().join("ca.pem"));
        command
    };
    finish(with_ca(gate(&place, &server.url("/"), &[]))).expect(0);
    let port = server.address().port();
    let other = format!("https://other.example.com:{port}/");
    let resolve = format!("other.example.com:{port}:127.0.0.1");
    let finished = finish(with_ca(hopeless_gate(&place, &other, &["--resolve", &resolve]))).expect(3);
    let reason = &outputs(&place)["reason"];
    assert!(
        reason.contains("other.example.com") && reason.len() < 500,
        "{reason}"
    );
    assert!(
        finished.log().matches("service-").count() < 30,
        "{}",
        finished.log()
    );
}
