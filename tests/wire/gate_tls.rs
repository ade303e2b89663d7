//! TLS with a private certificate authority, given by `SSL_CERT_FILE`, and without it.

use std::fs;

use black_box::Place;
use sandbox::http::{Proxy, Reply, Script, Server};

use crate::process::finish;
use crate::step::{gate, hopeless_gate};

fn server() -> Server {
    Server::start_tls(&[], Script::new().any([Reply::text(200, "ok")])).unwrap()
}

#[test]
fn a_private_authority_is_trusted_where_it_is_named() {
    let (place, server) = (Place::new(), server());
    fs::write(place.path().join("ca.pem"), server.ca_pem().unwrap()).unwrap();
    let mut command = gate(&place, &server.url("/health"), &["--expect-body", "ok"]);
    command.env("SSL_CERT_FILE", place.path().join("ca.pem"));
    finish(command).expect(0);
    assert_eq!(server.requests().len(), 1);
}

#[test]
fn an_unknown_authority_is_refused_with_a_reason() {
    let (place, server) = (Place::new(), server());
    finish(hopeless_gate(&place, &server.url("/health"), &[]))
        .expect(3)
        .says(&[
            "TLS failed",
            "certificate",
            "`SSL_CERT_FILE` is for an authority that is not trusted",
        ]);
    assert!(server.requests().is_empty());
}

#[test]
fn another_host_than_the_certificate_names_is_refused() {
    let place = Place::new();
    let server = server();
    fs::write(place.path().join("ca.pem"), server.ca_pem().unwrap()).unwrap();
    let proxy = Proxy::start(server.address()).unwrap();
    let mut command = hopeless_gate(&place, "https://elsewhere.example/health", &[]);
    command
        .env("SSL_CERT_FILE", place.path().join("ca.pem"))
        .env("HTTPS_PROXY", proxy.url());
    finish(command).expect(3).says(&["TLS failed"]);
    assert!(server.requests().is_empty());
}

#[test]
fn plain_http_behind_https_is_a_tls_failure() {
    let place = Place::new();
    let server = Server::start(Script::new().any([Reply::text(200, "ok")])).unwrap();
    let url = server.url("/health").replace("http://", "https://");
    finish(hopeless_gate(&place, &url, &[]))
        .expect(3)
        .says(&["TLS failed"]);
}

#[test]
fn a_named_file_that_is_not_there_is_an_error() {
    let (place, server) = (Place::new(), server());
    let mut command = gate(&place, &server.url("/health"), &[]);
    command.env("SSL_CERT_FILE", place.path().join("no-such-file.pem"));
    finish(command).expect(2).says(&[
        "certificate authorities",
        "no-such-file.pem",
        "check `SSL_CERT_FILE`",
    ]);
    assert!(server.requests().is_empty());
}

#[test]
fn a_named_file_without_certificates_is_an_error() {
    let (place, server) = (Place::new(), server());
    // Trusting the built-in authorities instead would be a surprise.
    fs::write(place.path().join("ca.pem"), "this is no certificate\n").unwrap();
    let mut command = hopeless_gate(&place, &server.url("/health"), &[]);
    command.env("SSL_CERT_FILE", place.path().join("ca.pem"));
    finish(command)
        .expect(2)
        .says(&["certificate authorities", "check `SSL_CERT_FILE`"]);
}
