//! TLS to Redis and PostgreSQL, against servers with a throw-away certificate.

use rustls::pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer};
use std::sync::Arc;
use std::time::Duration;

use rustls::server::WebPkiClientVerifier;
use rustls::{RootCertStore, ServerConfig};
use tokio::net::TcpListener;
use tokio_rustls::TlsAcceptor;

use super::*;
use crate::net::tls::Trust;
use crate::probe::postgres::{Encryption, Postgres};
use crate::probe::redis::Redis;
use crate::probe::{Look, Probe};

const LIMIT: Duration = Duration::from_secs(5);

/// A server's TLS for `localhost` and 127.0.0.1, and a client's trust in it. With `demands` it wants a certificate of the
/// client too.
fn tls(demands: bool) -> (TlsAcceptor, Trust) {
    let names = vec!["localhost".to_owned(), "127.0.0.1".to_owned()];
    let rcgen::CertifiedKey { cert, signing_key } = rcgen::generate_simple_self_signed(names).unwrap();
    let key = PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(signing_key.serialize_der()));
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let mut roots = RootCertStore::empty();
    roots.add(cert.der().clone()).unwrap();
    let server = ServerConfig::builder_with_provider(Arc::clone(&provider))
        .with_safe_default_protocol_versions()
        .unwrap();
    let server = if demands {
        let verifier = WebPkiClientVerifier::builder_with_provider(Arc::new(roots.clone()), provider);
        server.with_client_cert_verifier(verifier.build().unwrap())
    } else {
        server.with_no_client_auth()
    };
    let server = server.with_single_cert(vec![cert.der().clone()], key).unwrap();
    (TlsAcceptor::from(Arc::new(server)), Trust::of(roots).unwrap())
}

/// Looks at a server that answers one request in TLS; with `before`, after a request of 8 bytes that it answers in plain.
async fn looked(
    acceptor: &TlsAcceptor,
    before: Option<&[u8]>,
    answer: &[u8],
    probe: impl FnOnce(Place) -> Box<dyn Probe>,
) -> Look {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let probe = probe(listener.local_addr().unwrap().to_string().parse().unwrap());
    let serve = async {
        let (mut stream, _) = listener.accept().await.unwrap();
        if let Some(before) = before {
            stream.read_exact(&mut [0; 8]).await.unwrap();
            stream.write_all(before).await.unwrap();
        }
        if let Ok(mut stream) = acceptor.accept(stream).await {
            assert_eq!(stream.get_ref().1.alpn_protocol(), None);
            let _ = stream.read(&mut [0; 1024]).await.unwrap();
            stream.write_all(answer).await.unwrap();
        }
        std::future::pending::<()>().await;
    };
    tokio::select! {
        look = probe.look(LIMIT) => look,
        () = serve => unreachable!(),
    }
}

#[tokio::test]
async fn a_certificate_that_is_trusted_is_taken_and_another_is_not() {
    let ((acceptor, trusting), other) = (tls(false), Trust::nobody());
    let redis = |trust: &Trust| {
        let trust = trust.clone();
        |place| Box::new(Redis::new(place).tls(trust)) as Box<dyn Probe>
    };
    let postgres = |encryption| |place| Box::new(Postgres::new(place, encryption)) as Box<dyn Probe>;
    let asks = b"R\0\0\0\x17\0\0\0\x0aSCRAM-SHA-256\0\0";
    let untrusted = Finding::bad(
        FaultKind::Tls,
        "TLS failed: the certificate's authority is not trusted (UnknownIssuer): it is self-signed, for `localhost`, `127.0.0.1`",
    );

    let look = looked(&acceptor, None, b"+PONG\r\n", redis(&trusting)).await;
    assert_eq!(look.finding, Finding::Good);
    assert!(look.phases.tls.is_some() && look.days_left.is_some());
    let look = looked(&acceptor, None, b"+PONG\r\n", redis(&other)).await;
    assert_eq!(look.finding, untrusted);
    assert!(look.days_left.is_some());

    for encryption in [
        Encryption::Preferred,
        Encryption::Required,
        Encryption::Verified(trusting),
    ] {
        let look = looked(&acceptor, Some(b"S"), asks, postgres(encryption)).await;
        assert_eq!(look.finding, Finding::Good);
        assert!(look.phases.tls.is_some());
    }
    let look = looked(&acceptor, Some(b"S"), asks, postgres(Encryption::Verified(other))).await;
    assert_eq!(look.finding, untrusted);
}

#[tokio::test]
async fn a_port_without_tls_is_said_to_be() {
    let (_, trusting) = tls(false);
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let place = listener.local_addr().unwrap().to_string().parse().unwrap();
    let redis = Redis::new(place).tls(trusting);
    let serve = async {
        let (mut stream, _) = listener.accept().await.unwrap();
        stream.write_all(b"-ERR Protocol error\r\n").await.unwrap();
        std::future::pending::<()>().await;
    };
    tokio::select! {
        look = redis.look(LIMIT) => assert_eq!(
            look.finding,
            Finding::bad(FaultKind::Tls, "TLS failed: the server does not speak it at this port")
        ),
        () = serve => unreachable!(),
    }
}

#[tokio::test]
async fn a_client_certificate_that_is_demanded_after_the_handshake_is_the_reason() {
    let (acceptor, trust) = tls(true);
    let redis = |place| Box::new(Redis::new(place).tls(trust)) as Box<dyn Probe>;
    let look = looked(&acceptor, None, b"", redis).await;
    assert_eq!(
        look.finding,
        Finding::bad(
            FaultKind::Tls,
            "TLS failed: the server demands a client certificate"
        )
    );
}

#[tokio::test]
async fn one_that_waits_for_more_than_a_greeting_is_said_to_speak_no_tls() {
    let (_, trust) = tls(false);
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let place = listener.local_addr().unwrap().to_string().parse().unwrap();
    let redis = Redis::new(place).tls(trust);
    // The system accepts the connection; nobody answers.
    let look = redis.look(Duration::from_millis(100)).await;
    assert_eq!(
        look.finding,
        Finding::bad(
            FaultKind::Tls,
            "TLS failed: no answer within 100ms; does the server speak it at this port?"
        )
    );
}
