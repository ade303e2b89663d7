//! Proxies: `HTTP_PROXY`, `HTTPS_PROXY`, `NO_PROXY`, and one that is wrong.

use std::fs;
use std::process::Command;

use black_box::Place;
use sandbox::http::{Proxy, Reply, Script, Server};

use crate::process::finish;
use crate::step::{gate, hopeless_gate, notify, outputs};

const NAME: &str = "deploy.example";

fn plain() -> (Server, Proxy) {
    let server = Server::start(Script::new().any([Reply::text(200, "ok")])).unwrap();
    let proxy = Proxy::start(server.address()).unwrap();
    (server, proxy)
}

/// A TLS server behind a proxy, and what a client needs to trust it.
fn secure(place: &Place, command: &mut Command) -> (Server, Proxy) {
    let server = Server::start_tls(&[NAME], Script::new().any([Reply::text(200, "ok")])).unwrap();
    let proxy = Proxy::start(server.address()).unwrap();
    fs::write(place.path().join("ca.pem"), server.ca_pem().unwrap()).unwrap();
    command
        .env("SSL_CERT_FILE", place.path().join("ca.pem"))
        .env("HTTPS_PROXY", proxy.url());
    (server, proxy)
}

#[test]
fn http_goes_through_its_proxy() {
    let (place, (server, proxy)) = (Place::new(), plain());
    let mut command = gate(&place, &format!("http://{NAME}/health"), &[]);
    command.env("HTTP_PROXY", proxy.url());
    finish(command).expect(0);
    let asked = &proxy.requests()[0];
    assert_eq!(
        (asked.method.as_str(), asked.path.as_str()),
        ("GET", "http://deploy.example/health")
    );
    assert_eq!(server.requests()[0].header("host"), Some(NAME));
}

#[test]
fn https_goes_through_a_tunnel() {
    let place = Place::new();
    let mut command = gate(&place, &format!("https://{NAME}/health"), &[]);
    let (server, proxy) = secure(&place, &mut command);
    finish(command).expect(0);
    let asked = &proxy.requests()[0];
    assert_eq!(
        (asked.method.as_str(), asked.path.as_str()),
        ("CONNECT", "deploy.example:443")
    );
    assert_eq!(server.requests().len(), 1);
}

#[test]
fn a_webhook_goes_through_a_tunnel() {
    let place = Place::new();
    let mut command = notify(&place, &["--allow-host", NAME]);
    command.env(
        "SLACK_WEBHOOK_URL",
        format!("https://{NAME}/services/T1/B1/0123456789abcdef"),
    );
    let (server, proxy) = secure(&place, &mut command);
    finish(command).expect(0);
    assert_eq!(outputs(&place)["delivered"], "true");
    assert_eq!((proxy.requests().len(), server.requests().len()), (1, 1));
}

#[test]
fn no_proxy_goes_straight_there() {
    let (place, (server, proxy)) = (Place::new(), plain());
    let mut command = gate(&place, &server.url("/health"), &[]);
    command
        .env("HTTP_PROXY", proxy.url())
        .env("NO_PROXY", "10.0.0.0/8,127.0.0.1");
    finish(command).expect(0);
    assert_eq!((proxy.requests().len(), server.requests().len()), (0, 1));
}

#[test]
fn the_names_in_small_letters_count_too() {
    let (place, (server, proxy)) = (Place::new(), plain());
    let mut command = gate(&place, &format!("http://{NAME}/health"), &[]);
    command.env("http_proxy", proxy.url());
    finish(command).expect(0);
    let mut command = gate(&place, &server.url("/health"), &[]);
    command
        .env("http_proxy", proxy.url())
        .env("no_proxy", "127.0.0.1");
    finish(command).expect(0);
    assert_eq!((proxy.requests().len(), server.requests().len()), (1, 2));
}

#[test]
fn a_proxy_that_is_not_there_is_the_reason() {
    let place = Place::new();
    let mut command = hopeless_gate(&place, "https://deploy.example/", &[]);
    command.env("HTTPS_PROXY", "http://user:s3cr3t-of-the-proxy@127.0.0.1:9");
    let finished = finish(command).expect(3);
    assert!(
        !finished.log().contains("s3cr3t-of-the-proxy"),
        "{}",
        finished.log()
    );
    assert!(
        outputs(&place)["reason"].contains("proxy"),
        "{:?}",
        outputs(&place)
    );
}

#[test]
fn credentials_reach_the_proxy_and_nothing_else() {
    let (place, (server, proxy)) = (Place::new(), plain());
    let mut command = gate(&place, &format!("http://{NAME}/health"), &[]);
    command.env("HTTP_PROXY", proxy.url().replace("http://", "http://user:pass@"));
    finish(command).expect(0);
    assert_eq!(
        proxy.requests()[0].header("proxy-authorization"),
        Some("Basic dXNlcjpwYXNz")
    );
    assert_eq!(server.requests()[0].header("proxy-authorization"), None);
}
