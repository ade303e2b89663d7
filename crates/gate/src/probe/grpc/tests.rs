use super::reply::state;
use super::*;
use crate::finding::Finding;
use crate::trouble::TroubleKind;
use proptest::prelude::{any, proptest};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpListener;

const LIMIT: Duration = Duration::from_secs(5);

fn options(address: impl ToString) -> GrpcOptions {
    GrpcOptions {
        address: address.to_string().parse().unwrap(),
        service: String::new(),
        authority: None,
        trust: None,
    }
}

fn reply(status: u32, message: &[u8]) -> Reply {
    Reply {
        http: 200,
        grpc: true,
        status: Some(status),
        message: None,
        body: frame(message),
    }
}

#[test]
fn judges_replies() {
    let said = |status| Reply {
        message: Some("no\n::error::".to_owned()),
        ..reply(status, b"")
    };
    let good = Ok(Finding::Good);
    let bad = |kind, reason: &str| Ok(Finding::bad(kind, reason));
    type Wanted = Result<Finding, (TroubleKind, &'static str)>;
    let cases: [(Reply, Wanted); 18] = [
        (reply(0, &[8, 1]), good.clone()),
        (reply(0, &[0x12, 2, 8, 2, 8, 1, 0x1d, 0, 0, 0, 0]), good),
        (reply(0, &[]), bad(FaultKind::NotReady, "is UNKNOWN")),
        (reply(0, &[8, 2]), bad(FaultKind::NotReady, "is NOT_SERVING")),
        (reply(0, &[8, 3]), bad(FaultKind::NotReady, "is SERVICE_UNKNOWN")),
        (
            reply(0, &[8, 9]),
            bad(FaultKind::NotReady, "is in the unknown state 9"),
        ),
        (
            reply(0, &[8]),
            bad(FaultKind::Protocol, "the answer's message can't be read"),
        ),
        (
            reply(0, &[0x12, 0xff, 1]),
            bad(FaultKind::Protocol, "the answer's message can't be read"),
        ),
        (
            Reply {
                body: vec![],
                ..reply(0, b"")
            },
            bad(FaultKind::Protocol, "the answer has no message"),
        ),
        (
            Reply {
                body: vec![1, 0, 0, 0, 0],
                ..reply(0, b"")
            },
            bad(
                FaultKind::Protocol,
                "the answer is compressed, which was not asked for",
            ),
        ),
        (
            Reply {
                body: vec![0, 0, 0, 0, 9, 8, 1],
                ..reply(0, b"")
            },
            bad(
                FaultKind::Protocol,
                "the answer's message has another length than it says",
            ),
        ),
        (
            said(5),
            bad(FaultKind::NotReady, "does not know the service `shop`"),
        ),
        (
            said(8),
            bad(FaultKind::Full, "answered RESOURCE_EXHAUSTED: `no\\n::error::`"),
        ),
        (
            said(14),
            bad(FaultKind::NotReady, "answered UNAVAILABLE: `no\\n::error::`"),
        ),
        (reply(99, b""), bad(FaultKind::Status, "answered status 99")),
        (
            Reply {
                http: 404,
                grpc: false,
                ..reply(0, &[8, 1])
            },
            bad(FaultKind::Protocol, "answered HTTP 404 and no gRPC"),
        ),
        (
            said(16),
            Err((
                TroubleKind::Access,
                "the health service answered UNAUTHENTICATED: `no\\n::error::`",
            )),
        ),
        (
            said(12),
            Err((
                TroubleKind::Question,
                "the server has no `grpc.health.v1.Health/Check` (UNIMPLEMENTED)",
            )),
        ),
    ];
    for (reply, wanted) in cases {
        match (reply.judge("shop"), wanted) {
            (Finding::Unmeasured(trouble), Err((kind, reason))) => {
                assert_eq!((trouble.kind, trouble.reason.as_str()), (kind, reason));
            }
            (found, wanted) => assert_eq!(Ok(found), wanted),
        }
    }
}

#[test]
fn writes_requests() {
    assert_eq!(frame(&request_message("")), [0, 0, 0, 0, 0]);
    assert_eq!(frame(&request_message("a")), [0, 0, 0, 0, 3, 0x0a, 1, b'a']);
    assert_eq!(request_message(&"a".repeat(300))[..4], [0x0a, 0xac, 2, b'a']);
}

#[test]
fn reads_authorities() {
    let grpc = |authority: Option<&str>, trust: Option<Trust>| {
        let authority = authority.map(str::to_owned);
        Grpc::new(GrpcOptions {
            authority,
            trust,
            ..options("api:50051")
        })
    };
    for (authority, trust, uri) in [
        (None, None, "http://api:50051/grpc.health.v1.Health/Check"),
        (
            Some("shop.example"),
            Some(Trust::nobody()),
            "https://shop.example/grpc.health.v1.Health/Check",
        ),
        (
            Some("[::1]:1"),
            None,
            "http://[::1]:1/grpc.health.v1.Health/Check",
        ),
    ] {
        let grpc = grpc(authority, trust).unwrap();
        assert_eq!(grpc.uri, uri);
        assert_eq!(grpc.target(), "grpc api:50051");
    }
    for authority in ["", "api:", ":80", "api:0", "user@api:1", "a b:1", "api:1/x"] {
        assert!(grpc(Some(authority), None).is_err(), "{authority}");
    }
    assert_eq!(
        grpc(Some("a\nb"), None).unwrap_err(),
        GrpcError::Authority("a\\nb".to_owned())
    );
    let unnameable = GrpcOptions {
        trust: Some(Trust::nobody()),
        ..options("a..b:1")
    };
    assert_eq!(
        Grpc::new(unnameable).unwrap_err(),
        GrpcError::ServerName("a..b".to_owned())
    );
}

proptest! {
    #[test]
    fn no_reply_panics(body in any::<Vec<u8>>(), status in any::<u32>(), message in any::<String>()) {
        let reply = Reply { http: 200, grpc: true, status: Some(status), message: Some(message), body };
        assert!(!reply.judge("x").text().contains('\n'));
        let _ = state(&reply.body);
    }
}

/// Looks at a server that answers one request with these headers, message and trailers.
async fn looked(
    service: &str,
    headers: &[(&'static str, &'static str)],
    message: Option<&[u8]>,
    trailers: &[(&'static str, &'static str)],
) -> (Look, Vec<u8>) {
    let map = |fields: &[(&'static str, &'static str)]| {
        let fields = fields
            .iter()
            .map(|(name, value)| (name.parse().unwrap(), value.parse().unwrap()));
        fields.collect::<HeaderMap>()
    };
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let probe = Grpc::new(GrpcOptions {
        service: service.to_owned(),
        authority: Some("shop.example".to_owned()),
        ..options(listener.local_addr().unwrap())
    })
    .unwrap();
    let serve = async {
        let (stream, _) = listener.accept().await.unwrap();
        let mut connection = h2::server::handshake(stream).await.unwrap();
        let mut asked = Vec::new();
        while let Some(request) = connection.accept().await {
            let (request, mut respond) = request.unwrap();
            assert_eq!(
                request.uri().to_string(),
                "http://shop.example/grpc.health.v1.Health/Check"
            );
            assert_eq!(request.headers()["te"], "trailers");
            assert_eq!(request.headers()["grpc-timeout"], "5000m");
            let mut response = hyper::Response::new(());
            *response.headers_mut() = map(headers);
            let mut body = respond.send_response(response, message.is_none()).unwrap();
            if let Some(message) = message {
                body.send_data(Bytes::copy_from_slice(message), trailers.is_empty())
                    .unwrap();
                if !trailers.is_empty() {
                    body.send_trailers(map(trailers)).unwrap();
                }
            }
            let mut sent = request.into_body();
            let read = async {
                while let Some(Ok(chunk)) = sent.data().await {
                    asked.extend_from_slice(&chunk);
                }
            };
            tokio::select! {
                () = read => {}
                _ = std::future::poll_fn(|context| connection.poll_closed(context)) => {}
            }
        }
        asked
    };
    tokio::join!(probe.look(LIMIT), serve)
}

const GRPC: (&str, &str) = ("content-type", "application/grpc");

#[tokio::test]
async fn asks_and_reads_the_trailers() {
    let (look, asked) = looked("shop", &[GRPC], Some(&frame(&[8, 1])), &[("grpc-status", "0")]).await;
    assert_eq!(look.finding, Finding::Good);
    assert_eq!(look.excerpt.as_deref(), Some("SERVING"));
    assert!(look.phases.connect.is_some() && look.phases.first_byte.is_some() && look.phases.tls.is_none());
    assert_eq!(asked, frame(b"\x0a\x04shop"));
    // Without trailers it is not known whether all went well.
    let (look, _) = looked("", &[GRPC], Some(&frame(&[8, 1])), &[]).await;
    assert_eq!(look.finding.text(), "the answer has no `grpc-status`");
    // Cut, and no more is read of it.
    let (look, _) = looked("", &[GRPC], Some(&[0; 60_000]), &[("grpc-status", "0")]).await;
    assert_eq!(look.finding.text(), "the answer has no `grpc-status`");
}

#[tokio::test]
async fn an_answer_of_trailers_only_counts() {
    let only = [
        GRPC,
        ("grpc-status", "14"),
        ("grpc-message", "shutting%20down%0A"),
    ];
    let (look, _) = looked("", &only, None, &[]).await;
    assert_eq!(look.finding.text(), "answered UNAVAILABLE: `shutting down\\n`");
    let (look, _) = looked("", &[("content-type", "text/html")], Some(b"<html>"), &[]).await;
    assert_eq!(look.finding.text(), "answered HTTP 200 and no gRPC");
}

#[tokio::test]
async fn another_protocol_is_told() {
    for (answer, kind) in [
        (
            &b"HTTP/1.1 400 Bad Request\r\nconnection: close\r\n\r\n"[..],
            FaultKind::Protocol,
        ),
        (&b"SSH-2.0-OpenSSH_9.2\r\n"[..], FaultKind::Protocol),
        (&b""[..], FaultKind::Connection),
    ] {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let probe = Grpc::new(options(listener.local_addr().unwrap())).unwrap();
        let serve = async {
            let (mut stream, _) = listener.accept().await.unwrap();
            let mut asked = [0; 24];
            stream.read_exact(&mut asked).await.unwrap();
            assert_eq!(&asked, b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n");
            stream.write_all(answer).await.unwrap();
        };
        let (look, ()) = tokio::join!(probe.look(LIMIT), serve);
        assert_eq!(
            look.finding.fault().map(|fault| fault.kind),
            Some(kind),
            "{look:?}"
        );
    }
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let probe = Grpc::new(options(listener.local_addr().unwrap())).unwrap();
    drop(listener);
    assert_eq!(probe.look(LIMIT).await.finding.text(), "connection refused");
}

#[tokio::test]
async fn tls_needs_a_trusted_certificate_and_http2() {
    let server = sandbox::http::Server::start_tls(&["localhost"], sandbox::http::Script::new()).unwrap();
    let look = async |trust: Trust| {
        let probe = Grpc::new(GrpcOptions {
            trust: Some(trust),
            ..options(server.address())
        });
        probe.unwrap().look(LIMIT).await
    };
    let stranger = look(Trust::nobody()).await;
    assert_eq!(
        stranger.finding.text(),
        "TLS failed: the certificate's authority is not trusted (UnknownIssuer): `sandbox throw-away CA`"
    );
    let mut roots = rustls::RootCertStore::empty();
    let pem = server.ca_pem().unwrap().as_bytes().to_vec();
    roots
        .add(rustls::pki_types::pem::PemObject::from_pem_slice(&pem).unwrap())
        .unwrap();
    let trusted = look(Trust::of(roots).unwrap()).await;
    assert_eq!(
        trusted.finding.fault().map(|fault| fault.kind),
        Some(FaultKind::Protocol),
        "{trusted:?}"
    );
    assert!(trusted.phases.tls.is_some());
}
