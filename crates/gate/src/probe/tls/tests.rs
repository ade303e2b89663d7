use super::*;
use std::sync::Arc;

use hyper::server::conn::http2;
use hyper::service::service_fn;
use hyper::{Request, Response, Version};
use hyper_util::rt::TokioIo;
use rcgen::{CertificateParams, DnType, KeyPair, date_time_ymd};
use rustls::pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer};
use rustls::server::WebPkiClientVerifier;
use rustls::{RootCertStore, ServerConfig, SupportedProtocolVersion};
use tokio::net::TcpListener;
use tokio_rustls::TlsAcceptor;

use crate::expect::Expect;
use crate::net::proxy::Proxies;
use crate::net::tls::Trust;
use crate::probe::http::{Http, address};

const LIMIT: Duration = Duration::from_secs(5);

/// A server's certificate that signs itself, and who trusts it.
struct Own {
    certificate: CertificateDer<'static>,
    key: PrivateKeyDer<'static>,
    trust: Trust,
}

fn own(params: CertificateParams) -> Own {
    let key = KeyPair::generate().unwrap();
    let certificate = params.self_signed(&key).unwrap().der().clone();
    let mut roots = RootCertStore::empty();
    roots.add(certificate.clone()).unwrap();
    Own {
        certificate,
        key: PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(key.serialize_der())),
        trust: Trust::of(roots).unwrap(),
    }
}

fn params() -> CertificateParams {
    let mut params = CertificateParams::new(vec!["localhost".to_owned(), "127.0.0.1".to_owned()]).unwrap();
    params.distinguished_name.push(DnType::CommonName, "own");
    params
}

/// A server with this certificate, which may demand one of the client.
fn config(own: &Own, versions: &[&'static SupportedProtocolVersion], demands: bool) -> ServerConfig {
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let builder = ServerConfig::builder_with_provider(Arc::clone(&provider))
        .with_protocol_versions(versions)
        .unwrap();
    let mut roots = RootCertStore::empty();
    roots.add(own.certificate.clone()).unwrap();
    let builder = if demands {
        let verifier = WebPkiClientVerifier::builder_with_provider(Arc::new(roots), provider);
        builder.with_client_cert_verifier(verifier.build().unwrap())
    } else {
        builder.with_no_client_auth()
    };
    builder
        .with_single_cert(vec![own.certificate.clone()], own.key.clone_key())
        .unwrap()
}

fn network(trust: &Trust) -> Network {
    Network {
        proxies: Proxies::None,
        ..Network::new(trust.clone())
    }
}

/// Looks at a server of this configuration, which serves HTTP/2 once the handshake is done.
async fn looked(config: ServerConfig, look: impl AsyncFnOnce(HostPort) -> Look) -> Look {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let at = listener.local_addr().unwrap().to_string().parse().unwrap();
    let acceptor = TlsAcceptor::from(Arc::new(config));
    let serve = async {
        loop {
            let (stream, _) = listener.accept().await.unwrap();
            let Ok(stream) = acceptor.accept(stream).await else {
                continue;
            };
            let service = service_fn(async |request: Request<hyper::body::Incoming>| {
                let seen = request.version() == Version::HTTP_2 && request.headers().get("host").is_none();
                let authority = request.uri().authority().map(ToString::to_string);
                let text = format!("{seen} {}", authority.unwrap_or_default());
                Ok::<_, std::convert::Infallible>(Response::new(text))
            });
            let builder = http2::Builder::new(hyper_util::rt::TokioExecutor::new());
            let _ = builder.serve_connection(TokioIo::new(stream), service).await;
        }
    };
    tokio::select! {
        look = look(at) => look,
        () = serve => unreachable!("the server goes on"),
    }
}

/// The TLS probe's look at a server of this configuration.
async fn tls(config: ServerConfig, trust: &Trust, protocols: &[&str]) -> Look {
    let protocols = protocols.iter().map(|name| (*name).to_owned()).collect();
    looked(config, async |at| {
        Tls::new(network(trust), at)
            .protocols(protocols)
            .look(LIMIT)
            .await
    })
    .await
}

#[tokio::test]
async fn a_certificate_that_is_accepted_is_good() {
    let own = own(params());
    let look = tls(config(&own, rustls::ALL_VERSIONS, false), &own.trust, &[]).await;
    assert_eq!(look.finding, Finding::Good);
    assert!(look.days_left.unwrap() > 1000 && look.phases.tls.is_some());
    let excerpt = look.excerpt.unwrap();
    assert!(
        excerpt.starts_with("certificate for `localhost`, `127.0.0.1`, signed by `own`, until "),
        "{excerpt}"
    );
}

#[tokio::test]
async fn a_server_that_demands_a_client_certificate_is_good() {
    for version in [&rustls::version::TLS12, &rustls::version::TLS13] {
        let own = own(params());
        let look = tls(config(&own, &[version], true), &own.trust, &[]).await;
        assert_eq!(look.finding, Finding::Good);
        assert!(
            look.excerpt
                .unwrap()
                .ends_with("; it asks for a client certificate")
        );
        let nobody = Trust::nobody();
        let look = tls(config(&own, &[version], true), &nobody, &[]).await;
        assert!(
            look.finding.text().contains("it is self-signed"),
            "{}",
            look.finding.text()
        );
        assert!(look.days_left.is_some());
    }
}

#[tokio::test]
async fn http_where_a_client_certificate_is_demanded_says_so() {
    for version in [&rustls::version::TLS12, &rustls::version::TLS13] {
        let own = own(params());
        let mut config = config(&own, &[version], true);
        config.alpn_protocols = vec![b"h2".to_vec()];
        let look = looked(config, async |at| http(&own.trust, &at).look(LIMIT).await).await;
        assert_eq!(
            look.finding.text(),
            "TLS failed: the server demands a client certificate"
        );
        assert!(look.days_left.is_some());
    }
}

#[tokio::test]
async fn an_ended_or_early_certificate_has_its_day() {
    for (from, to, says, ended) in [
        (
            (2020, 1, 1),
            (2021, 1, 1),
            "TLS failed: the certificate ended on 2021-01-01, ",
            true,
        ),
        (
            (2990, 1, 1),
            (2999, 1, 1),
            "TLS failed: the certificate is not valid before 2990-01-01",
            false,
        ),
    ] {
        let mut params = params();
        params.not_before = date_time_ymd(from.0, from.1, from.2);
        params.not_after = date_time_ymd(to.0, to.1, to.2);
        let own = own(params);
        let look = tls(config(&own, rustls::ALL_VERSIONS, false), &own.trust, &[]).await;
        assert!(look.finding.text().starts_with(says), "{}", look.finding.text());
        assert_eq!(look.days_left.unwrap() < 0, ended);
    }
}

#[tokio::test]
async fn a_thousand_names_are_one_short_line() {
    let names: Vec<String> = (0..1000).map(|number| format!("host-{number}.example")).collect();
    let own = own(CertificateParams::new(names).unwrap());
    let look = tls(config(&own, rustls::ALL_VERSIONS, false), &own.trust, &[]).await;
    assert_eq!(
        look.finding.text(),
        "TLS failed: the certificate is for `host-0.example`, `host-1.example`, `host-2.example` and 997 more, not for `127.0.0.1`"
    );
}

#[tokio::test]
async fn protocols_must_be_agreed_on() {
    let own = own(params());
    let agreed = |protocol: &[u8]| {
        let mut config = config(&own, rustls::ALL_VERSIONS, false);
        config.alpn_protocols = vec![protocol.to_vec()];
        config
    };
    let look = tls(agreed(b"h2"), &own.trust, &["h2"]).await;
    assert_eq!(look.finding, Finding::Good);
    let look = tls(agreed(b"smtp"), &own.trust, &["h2"]).await;
    assert_eq!(
        look.finding.text(),
        "TLS failed: the server speaks none of the protocols that were offered"
    );
    let look = tls(
        config(&own, rustls::ALL_VERSIONS, false),
        &own.trust,
        &["h2", "h3"],
    )
    .await;
    assert_eq!(
        look.finding.text(),
        "TLS works, and the server agreed to none of `h2`, `h3`"
    );
}

fn http(trust: &Trust, at: &HostPort) -> Http {
    let url = address(&format!("https://{at}/health")).unwrap();
    let expect = Expect {
        status: "2xx".parse().unwrap(),
        body: vec!["true 127.0.0.1:".to_owned()],
        matches: vec![],
        json: vec![],
        headers: vec![],
        version: None,
    };
    Http::new(
        network(trust),
        url,
        "tests",
        "",
        expect,
        gha::mask::Masker::default(),
    )
}

#[tokio::test]
async fn http2_is_spoken_where_it_is_agreed_on() {
    let own = own(params());
    let mut config = config(&own, rustls::ALL_VERSIONS, false);
    config.alpn_protocols = vec![b"h2".to_vec()];
    let look = looked(config, async |at| http(&own.trust, &at).look(LIMIT).await).await;
    assert_eq!(look.finding, Finding::Good, "{:?}", look.excerpt);
    assert!(look.phases.first_byte.is_some());
}
