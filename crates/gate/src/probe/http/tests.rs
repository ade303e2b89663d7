//! The probe against servers of this process.

use super::*;
use std::cell::Cell;
use std::io::{BufReader, Write as _};
use std::net::SocketAddr;

use flate2::Compression;
use flate2::write::GzEncoder;
use rustls::RootCertStore;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject as _;
use sandbox::http::{Reply, Script, Server};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpListener;

use crate::net::proxy::Proxies;
use crate::net::tls::Trust;

mod faults;
mod ways;

const LIMIT: Duration = Duration::from_secs(5);

fn expect() -> Expect {
    Expect {
        status: "2xx".parse().unwrap(),
        body: vec![],
        matches: vec![],
        json: vec![],
        headers: vec![],
        version: None,
    }
}

fn network(trust: Trust) -> Network {
    Network {
        proxies: Proxies::None,
        ..Network::new(trust)
    }
}

fn probe_over(network: Network, url: &str) -> Http {
    let url = address(url).unwrap();
    Http::new(network, url, "tests", "trace", expect(), Masker::default())
}

fn probe(url: &str) -> Http {
    probe_over(network(Trust::nobody()), url)
}

fn trust(server: &Server) -> Trust {
    let pem = BufReader::new(server.ca_pem().unwrap().as_bytes());
    let mut roots = RootCertStore::empty();
    for certificate in CertificateDer::pem_reader_iter(pem) {
        roots.add(certificate.unwrap()).unwrap();
    }
    Trust::of(roots).unwrap()
}

fn serve(reply: Reply) -> Server {
    Server::start(Script::new().any([reply])).unwrap()
}

fn serve_tls(reply: Reply) -> Server {
    Server::start_tls(&["new.example"], Script::new().any([reply])).unwrap()
}

#[track_caller]
fn is_bad(look: &Look, kind: FaultKind, reason: &str) {
    let fault = look.finding.fault().expect("it is bad");
    assert_eq!((fault.kind, fault.reason.as_str()), (kind, reason));
}

/// Listens, and answers each connection with what `play` writes once a request came.
async fn played(
    play: impl AsyncFn(tokio::net::TcpStream),
    look: impl AsyncFnOnce(SocketAddr) -> Look,
) -> Look {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let serve = async {
        loop {
            let (mut stream, _) = listener.accept().await.unwrap();
            let mut buffer = [0; 4096];
            assert!(stream.read(&mut buffer).await.unwrap() > 0, "a request came");
            play(stream).await;
        }
    };
    tokio::select! {
        look = look(address) => look,
        () = serve => unreachable!("the server goes on"),
    }
}

#[tokio::test]
async fn every_look_may_meet_another_instance() {
    let opened = Cell::new(0);
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let probe = probe(&format!("http://{}/", listener.local_addr().unwrap()));
    let serve = async {
        loop {
            let (mut stream, _) = listener.accept().await.unwrap();
            opened.set(opened.get() + 1);
            let mut buffer = [0; 4096];
            while let Ok(1..) = stream.read(&mut buffer).await {
                let answer = b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok";
                stream.write_all(answer).await.unwrap();
            }
        }
    };
    let look = async {
        for _ in 0..3 {
            assert_eq!(probe.look(LIMIT).await.finding, Finding::Good);
        }
    };
    tokio::select! {
        () = look => {}
        () = serve => {}
    }
    assert_eq!(opened.get(), 3);
}

#[tokio::test]
async fn what_is_sent() {
    let server = serve(Reply::status(204));
    let url = server.url("/a?b=c#d").replace("//", "//user:p%40ss@");
    let probe = probe(&url)
        .method(Method::POST)
        .header("X-Api-Key", "s3cret")
        .unwrap()
        .header("cache-control", "max-age=1")
        .unwrap()
        .body("hello");
    let look = probe.look(LIMIT).await;
    assert_eq!((look.finding, look.status), (Finding::Good, Some(204)));
    assert!(look.phases.connect.is_some() && look.phases.first_byte.is_some());
    assert!(look.phases.dns.is_none() && look.phases.tls.is_none() && look.days_left.is_none());
    let request = &server.requests()[0];
    assert_eq!(
        (request.method.as_str(), request.path.as_str()),
        ("POST", "/a?b=c")
    );
    assert_eq!(request.body, b"hello");
    for (name, value) in [
        ("host", server.address().to_string().as_str()),
        ("user-agent", "tests"),
        ("traceparent", "trace"),
        ("x-api-key", "s3cret"),
        ("cache-control", "max-age=1"),
        ("authorization", "Basic dXNlcjpwQHNz"),
        ("content-length", "5"),
    ] {
        assert_eq!(request.header(name), Some(value), "{name}");
    }
    assert_eq!(probe.target(), server.url("/a?…"));
}

#[test]
fn a_header_that_cannot_be_sent_is_refused_without_its_value() {
    for (name, value) in [
        ("a b", "s3cret"),
        ("x", "s3cret\r\n"),
        ("Host", "s3cret"),
        ("content-length", "s3cret"),
    ] {
        let refused = probe("http://a.example/").header(name, value).err().unwrap();
        assert!(!refused.to_string().contains("s3cret"), "{refused}");
    }
}

#[tokio::test]
async fn certificates_count_their_days_accepted_or_not() {
    let server = serve_tls(Reply::text(200, "ok"));
    let look = probe_over(network(trust(&server)), &server.url("/"))
        .look(LIMIT)
        .await;
    assert_eq!(look.finding, Finding::Good);
    assert!(look.days_left.unwrap() > 1000 && look.phases.tls.is_some());

    let refused = probe(&server.url("/")).min_days(1_000_000).look(LIMIT).await;
    let reason =
        "TLS failed: the certificate's authority is not trusted (UnknownIssuer): `sandbox throw-away CA`";
    is_bad(&refused, FaultKind::Tls, reason);
    assert_eq!(refused.days_left, look.days_left);
    assert!(refused.phases.tls.is_some());

    let soon = probe_over(network(trust(&server)), &server.url("/")).min_days(1_000_000);
    let soon = soon.look(LIMIT).await;
    let fault = soon.finding.fault().unwrap();
    assert!(
        fault.reason.ends_with("; at least 1000000 days are expected"),
        "{}",
        fault.reason
    );
    assert_eq!((fault.kind, soon.status), (FaultKind::Tls, Some(200)));
}

#[tokio::test]
async fn a_packed_body_is_judged_unpacked() {
    let mut packed = GzEncoder::new(Vec::new(), Compression::fast());
    packed.write_all(b"all is well").unwrap();
    let reply = Reply::bytes(200, packed.finish().unwrap()).header("content-encoding", "gzip");
    let server = serve(reply);
    let mut probe = probe(&server.url("/"));
    probe.expect.body = vec!["is well".to_owned()];
    let look = probe.look(LIMIT).await;
    assert_eq!(
        (look.finding, look.excerpt.as_deref()),
        (Finding::Good, Some("all is well"))
    );
    assert_eq!(server.requests()[0].header("accept-encoding"), Some("gzip"));
    let liar = serve(Reply::text(200, "plain").header("content-encoding", "gzip"));
    let look = self::probe(&liar.url("/")).look(LIMIT).await;
    assert_eq!(
        look.finding.fault().map(|fault| fault.kind),
        Some(FaultKind::Protocol)
    );
}

#[tokio::test]
async fn what_is_masked_is_not_repeated() {
    let mut masker = Masker::default();
    masker.add("s3cret-value");
    let server = serve(Reply::text(500, "you sent s3cret-value"));
    let url = address(&server.url("/")).unwrap();
    let probe = Http::new(network(Trust::nobody()), url, "tests", "", expect(), masker);
    assert_eq!(probe.look(LIMIT).await.excerpt.as_deref(), Some("you sent ***"));
}
