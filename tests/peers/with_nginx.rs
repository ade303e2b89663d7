//! nginx: what the gate makes of the answers of a real web server. Its certificates are in the next file.

use std::time::{Duration, Instant};

use sandbox::peers::certificate::{Certificate, Valid};
use sandbox::peers::{Nginx, Place, web};

use crate::gate::{check, url, wait_tcp, wait_url, watch};

fn site(server: &str) -> (Nginx, Place) {
    let place = Place::new().unwrap();
    (Nginx::start(&place, server).unwrap(), place)
}

/// The requests that it answered, as its log has them. A line is written after the answer, so the last ones may be missing
/// yet: a request by the test itself comes after them, and is waited for.
fn requests(nginx: &Nginx, place: &Place) -> Vec<String> {
    let log = place.path().join("access.log");
    web::get(nginx.address(), "/the-end").unwrap();
    let until = Instant::now() + Duration::from_secs(60);
    loop {
        assert!(Instant::now() < until, "nginx logged nothing");
        let text = std::fs::read_to_string(&log).unwrap_or_default();
        if text.contains("/the-end") {
            let lines = text.lines().filter(|line| !line.contains("/the-end"));
            return lines.map(str::to_owned).collect();
        }
        std::thread::yield_now();
    }
}

#[test]
fn an_answer_of_200_passes() {
    let (nginx, _place) = site("return 200 \"ready\\n\";");
    let answer = web::get(nginx.address(), "/health").unwrap();
    assert_eq!((answer.status, answer.body.as_str()), (200, "ready\n"));
    wait_url(&url("http", nginx.address(), "/health"))
        .with(&["--expect-body", "ready"])
        .passes();
    wait_tcp(nginx.address()).passes();
}

#[test]
fn an_answer_of_503_fails_with_its_status() {
    let (nginx, _place) = site("return 503;");
    let health = url("http", nginx.address(), "/health");
    wait_url(&health).fails().says(&["503"]);
    // To a port it is as good as any.
    wait_tcp(nginx.address()).passes();
    // Watched, it is over as soon as the limit is reached.
    let seen = watch("10m", &["--url", &health, "--abort", "count(5xx) >= 10"])
        .ends(3)
        .says(&["count-5xx"]);
    assert_eq!(seen.report["verdict"], "fail", "{:#}", seen.report);
}

#[test]
fn a_redirect_is_followed_where_that_is_asked_for() {
    let server = "access_log access.log;
        location = /login { return 200 \"please log in\\n\"; }
        location = /a { return 302 /b; }
        location = /b { return 302 /login; }
        location = /loop { return 302 /loop; }
        location / { return 302 /login; }";
    let (nginx, place) = site(server);
    let address = |path| url("http", nginx.address(), path);
    wait_url(&address("/health")).fails().says(&["302", "/login"]);
    wait_url(&address("/health"))
        .with(&["--expect-status", "302"])
        .passes();
    let asked = requests(&nginx, &place);
    assert!(!asked.is_empty());
    // A page to log in at is not what was asked for, and was not even looked at.
    assert!(
        asked.iter().all(|line| line.contains("GET /health HTTP/1.1")),
        "{asked:#?}"
    );

    check(&["--url", &address("/a"), "--follow", "2"]).ends(0);
    check(&["--url", &address("/a"), "--follow", "1"]).ends(3);
    check(&["--url", &address("/loop"), "--follow", "10"]).ends(3);
    let asked = requests(&nginx, &place);
    let count = |path: &str| asked.iter().filter(|line| line.contains(path)).count();
    assert_eq!((count("GET /login"), count("GET /loop")), (1, 11), "{asked:#?}");
}

#[test]
fn a_slow_body_ends_with_the_try() {
    // At 100 bytes a second this takes 100 seconds, and the short one two.
    let place = Place::new().unwrap();
    place.write("slow.txt", "x".repeat(10_000)).unwrap();
    place.write("late.txt", "x".repeat(300)).unwrap();
    let server = "root .; location / { limit_rate 100; }";
    let nginx = Nginx::start(&place, server).unwrap();
    wait_url(&url("http", nginx.address(), "/slow.txt"))
        .with(&["--expect-body", "ready", "--try-timeout", "400ms"])
        .fails()
        .says(&["400ms"]);
    let late = url("http", nginx.address(), "/late.txt");
    check(&["--url", &late, "--try-timeout", "30s"]).ends(0);
    check(&["--url", &late, "--try-timeout", "30s", "--max-latency", "500ms"])
        .ends(3)
        .says(&["500ms"]);
}

#[test]
fn a_compressed_and_chunked_body_is_read_as_text() {
    let place = Place::new().unwrap();
    let page = format!("{} ready", "x".repeat(5_000));
    place.write("page.txt", page).unwrap();
    let nginx = Nginx::start(&place, "root .; gzip on; gzip_types *; gzip_min_length 1;").unwrap();
    wait_url(&url("http", nginx.address(), "/page.txt"))
        .with(&["--expect-body", "ready"])
        .passes();
}

#[test]
fn over_tls_it_is_asked_by_http_2() {
    let place = Place::new().unwrap();
    let certificate = Certificate::signed(Valid::Now).unwrap();
    certificate.write(&place).unwrap();
    let server = "access_log access.log; return 200 \"ready\\n\";";
    let nginx = Nginx::start_tls(&place, server).unwrap();
    check(&[
        "--url",
        &url("https", nginx.address(), "/"),
        "--expect-body",
        "ready",
    ])
    .trusting(certificate.authority())
    .ends(0);
    // Without TLS it is told that this port wants it.
    check(&["--url", &url("http", nginx.address(), "/")])
        .ends(3)
        .says(&["400"]);
    let asked = requests(&nginx, &place);
    assert!(asked[0].contains("\"GET / HTTP/2.0\" 200"), "{asked:#?}");
}

#[test]
fn an_upstream_that_is_gone_is_a_502() {
    let (upstream, _its_place) = site("return 200 \"ready\\n\";");
    let (nginx, _place) = site(&format!(
        "location / {{ proxy_pass http://{}; }}",
        upstream.address()
    ));
    let health = url("http", nginx.address(), "/");
    check(&["--url", &health, "--expect-body", "ready"]).ends(0);
    drop(upstream);
    check(&["--url", &health]).ends(3).says(&["502"]);
}

#[test]
fn one_that_falls_back_has_to_prove_itself_anew() {
    let (nginx, place) = site("root .; location / { if (-f $document_root/up) { return 200; } return 503; }");
    place.write("up", "").unwrap();
    let steady = ["--success-threshold", "40", "--timeout", "60s"];
    let health = url("http", nginx.address(), "/");
    let mut waiting = wait_url(&health).with(&steady).start();
    waiting.wait_for(", 1 in a row");
    std::fs::remove_file(place.path().join("up")).unwrap();
    waiting.wait_for("503");
    place.write("up", "").unwrap();
    waiting.wait_for(", 1 in a row");
    waiting.wait_for(", 40 in a row");
    let seen = waiting.ends(0);
    assert_eq!(seen.report["wait"]["targets"][0]["flaps"], 1, "{:#}", seen.report);

    // Watched, it has failed for as long as nothing was good in between.
    let mut watching = watch("10m", &["--url", &health, "--abort", "failing for 1s"]).start();
    watching.wait_for("good");
    std::fs::remove_file(place.path().join("up")).unwrap();
    watching.wait_for("503");
    watching.ends(3).says(&["failing"]);
}
