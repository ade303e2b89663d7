//! The probe against listeners of its own.

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};

use super::*;

const LIMIT: Duration = Duration::from_secs(5);

const ASKS: &[u8] = b"R\0\0\0\x17\0\0\0\x0aSCRAM-SHA-256\0\0";
const ADMITS: &[u8] = b"R\0\0\0\x08\0\0\0\0";
const READY: &[u8] = b"S\0\0\0\x0aa\0bcd\0Z\0\0\0\x05I";

fn error(code: &str) -> Vec<u8> {
    let body = format!("SFATAL\0C{code}\0Msorry\0\0");
    let length = u32::try_from(body.len() + 4).unwrap();
    [b"E", &length.to_be_bytes()[..], body.as_bytes()].concat()
}

/// Reads the message that opens a session.
async fn opened(stream: &mut TcpStream) -> Vec<u8> {
    let mut message = vec![0; 4];
    stream.read_exact(&mut message).await.unwrap();
    let length = u32::from_be_bytes(message[..].try_into().unwrap()) as usize;
    message.resize(length, 0);
    stream.read_exact(&mut message[4..]).await.unwrap();
    message
}

/// Looks at a server that answers the opening of a session; gives the look and what the server heard after that.
async fn answered(change: impl FnOnce(Postgres) -> Postgres, answer: &[u8]) -> (Look, Vec<u8>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let place = listener.local_addr().unwrap().to_string().parse().unwrap();
    let postgres = change(Postgres::new(place, Encryption::Off));
    let serve = async {
        let (mut stream, _) = listener.accept().await.unwrap();
        opened(&mut stream).await;
        stream.write_all(answer).await.unwrap();
        stream.shutdown().await.unwrap();
        let mut rest = Vec::new();
        stream.read_to_end(&mut rest).await.unwrap();
        rest
    };
    tokio::join!(postgres.look(LIMIT), serve)
}

/// What the server answers, whether room is asked for, and what is wrong then.
type Case = (Vec<u8>, bool, Option<(FaultKind, String)>);

#[tokio::test]
async fn ready_is_what_pg_isready_says() {
    let fatal = |kind, code: &str| {
        Some((
            kind,
            format!("the server does not accept connections: `sorry` ({code})"),
        ))
    };
    let cases: Vec<Case> = vec![
        (ASKS.to_vec(), false, None),
        ([ADMITS, READY].concat(), false, None),
        // After a request to authenticate `PQping` does not care how it goes on.
        (ADMITS.to_vec(), false, None),
        ([ADMITS, b"HTTP"].concat(), false, None),
        ([ADMITS, &error("57P03")].concat(), false, None),
        (error("28P01"), false, None),
        (error("3D000"), false, None),
        (error("53300"), false, None),
        (error("57P03"), false, fatal(FaultKind::NotReady, "57P03")),
        (error("53300"), true, fatal(FaultKind::Full, "53300")),
        (
            [ADMITS, &error("53300")].concat(),
            true,
            fatal(FaultKind::Full, "53300"),
        ),
        ([ADMITS, READY].concat(), true, None),
        (
            b"EFATAL: could not fork\n\0".to_vec(),
            false,
            Some((
                FaultKind::Protocol,
                "answered `EFATAL: could not fork\\n\\u{0}`, which is not PostgreSQL".to_owned(),
            )),
        ),
        (
            ASKS[..9].to_vec(),
            false,
            Some((
                FaultKind::Connection,
                "it closed the connection without a complete answer".to_owned(),
            )),
        ),
    ];
    for (answer, room, fault) in cases {
        let (look, _) = answered(|postgres| postgres.room(room), &answer).await;
        let expected = fault.map_or(Finding::Good, |(kind, reason)| Finding::bad(kind, reason));
        assert_eq!(look.finding, expected, "{answer:?}");
    }
}

#[tokio::test]
async fn a_good_server_that_refuses_is_quoted() {
    let (look, _) = answered(|postgres| postgres, &error("53300")).await;
    assert_eq!(look.excerpt.as_deref(), Some("`sorry` (53300)"));
}

#[tokio::test]
async fn a_session_is_ended_only_when_it_has_begun() {
    let (_, farewell) = answered(|postgres| postgres, &[ADMITS, READY].concat()).await;
    assert_eq!(farewell, wire::TERMINATE);
    let (_, farewell) = answered(|postgres| postgres, ASKS).await;
    assert_eq!(farewell, b"");
}

/// Looks at a server that answers the request for TLS, and then, on the same connection or the next, one in plain text.
async fn offering(encryption: Encryption, offer: &'static [u8], connections: usize) -> Finding {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let place = listener.local_addr().unwrap().to_string().parse().unwrap();
    let postgres = Postgres::new(place, encryption);
    let serve = async {
        for _ in 0..connections {
            let (mut stream, _) = listener.accept().await.unwrap();
            if opened(&mut stream).await == wire::SSL_REQUEST {
                stream.write_all(offer).await.unwrap();
                if offer != b"N" {
                    continue;
                }
                opened(&mut stream).await;
            }
            stream.write_all(ASKS).await.unwrap();
        }
        std::future::pending::<()>().await;
    };
    tokio::select! {
        look = postgres.look(LIMIT) => look.finding,
        () = serve => unreachable!(),
    }
}

#[tokio::test]
async fn tls_is_taken_or_left_as_libpq_does() {
    assert_eq!(offering(Encryption::Preferred, b"N", 1).await, Finding::Good);
    assert_eq!(
        offering(Encryption::Required, b"N", 1).await,
        Finding::bad(FaultKind::Tls, "the server does not offer TLS")
    );
    // It offers TLS and then does not speak it: asked again without where that is allowed.
    assert_eq!(offering(Encryption::Preferred, b"SHTTP", 2).await, Finding::Good);
    let finding = offering(Encryption::Required, b"SHTTP", 1).await;
    assert_eq!(finding.fault().unwrap().kind, FaultKind::Tls, "{finding:?}");
    let finding = offering(Encryption::Preferred, b"E", 1).await;
    assert_eq!(finding.fault().unwrap().kind, FaultKind::NotReady, "{finding:?}");
    assert_eq!(
        offering(Encryption::Preferred, b"HTTP/1.1 400", 1).await,
        Finding::bad(
            FaultKind::Protocol,
            "answered `HTTP/1.1 400`, which is not PostgreSQL"
        )
    );
}

#[test]
fn names_that_cannot_be_sent_are_refused() {
    let postgres = || Postgres::new("db:5432".parse().unwrap(), Encryption::default());
    assert_eq!(postgres().target(), "postgres db:5432");
    assert!(postgres().session("joe", "shop").is_ok());
    let long = "x".repeat(256);
    for (user, database) in [
        ("", "d"),
        ("u", ""),
        ("u\0", "d"),
        ("u", "d\0x"),
        (long.as_str(), "d"),
    ] {
        assert!(postgres().session(user, database).is_err());
    }
}
