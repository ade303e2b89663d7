//! The probe against listeners of its own.

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream, UnixListener};

use super::*;

const LIMIT: Duration = Duration::from_secs(5);

/// Looks at a listener that serves one connection as `serve` says.
async fn looked<F: Future<Output = ()>>(
    change: impl FnOnce(Tcp) -> Tcp,
    limit: Duration,
    serve: impl FnOnce(TcpStream) -> F,
) -> Look {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let tcp = change(listener.local_addr().unwrap().to_string().parse().unwrap());
    let serve = async {
        let (stream, _) = listener.accept().await.unwrap();
        serve(stream).await;
        std::future::pending::<()>().await;
    };
    tokio::select! {
        look = tcp.look(limit) => look,
        () = serve => unreachable!(),
    }
}

fn expecting(written: &str) -> impl FnOnce(Tcp) -> Tcp {
    let pattern = pattern(written).unwrap();
    |tcp| tcp.expect(pattern)
}

#[tokio::test]
async fn an_open_port_is_good_and_a_closed_one_is_refused() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let tcp: Tcp = listener.local_addr().unwrap().to_string().parse().unwrap();
    let look = tcp.look(LIMIT).await;
    assert_eq!(look.finding, Finding::Good);
    assert!(look.phases.connect.is_some() && look.excerpt.is_none());
    drop(listener);
    assert_eq!(
        tcp.look(LIMIT).await.finding,
        Finding::bad(FaultKind::Connection, "connection refused")
    );
}

#[tokio::test]
async fn a_name_that_is_none_is_said_to_be() {
    let tcp: Tcp = "no-such-host.invalid:80".parse().unwrap();
    let look = tcp.look(LIMIT).await;
    assert_eq!(look.finding.fault().unwrap().kind, FaultKind::Name);
    assert!(
        look.finding
            .text()
            .starts_with("the host's name can't be resolved: "),
        "{}",
        look.finding.text()
    );
}

#[tokio::test]
async fn a_socket_is_a_target_too() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("db.sock");
    let tcp: Tcp = format!("unix:{}", path.display()).parse().unwrap();
    let missing = tcp.look(LIMIT).await.finding;
    assert!(
        missing.text().starts_with("could not connect: No such file"),
        "{missing:?}"
    );
    let listener = UnixListener::bind(&path).unwrap();
    assert_eq!(tcp.look(LIMIT).await.finding, Finding::Good);
    drop(listener);
    assert_eq!(tcp.look(LIMIT).await.finding.text(), "connection refused");
}

#[tokio::test]
async fn what_is_sent_arrives_and_the_answer_matches_across_reads() {
    // Bytes that are no text do not match a plain `.`, which stands for a character.
    let change = |tcp: Tcp| {
        tcp.send("PING\\r\\n".parse().unwrap())
            .expect(pattern(r"^\+PO(?s-u:.)*NG\r\n").unwrap())
    };
    let look = looked(change, LIMIT, async |mut stream| {
        let mut asked = [0; 6];
        stream.read_exact(&mut asked).await.unwrap();
        for part in [&b"+P"[..], b"O", b"\xff", b"NG\r\n"] {
            stream.write_all(part).await.unwrap();
            tokio::task::yield_now().await;
        }
        std::future::pending::<()>().await;
    })
    .await;
    assert_eq!(look.finding, Finding::Good);
    assert!(look.phases.first_byte.is_some());
}

#[tokio::test]
async fn another_answer_is_named() {
    let say = |said: &'static [u8]| {
        async move |mut stream: TcpStream| {
            stream.write_all(said).await.unwrap();
        }
    };
    let look = looked(expecting("^220 "), LIMIT, say(b"554 \x1b[31mno\r\n")).await;
    assert_eq!(
        look.finding,
        Finding::bad(
            FaultKind::Content,
            "it closed the connection after `554 \\u{1b}[31mno\\r\\n`, expected `^220 `"
        )
    );
    let look = looked(expecting("^220 "), LIMIT, say(b"")).await;
    assert_eq!(
        look.finding.text(),
        "it closed the connection and said nothing, expected `^220 `"
    );
}

#[tokio::test]
async fn an_endless_answer_is_read_to_its_limit() {
    let look = looked(expecting("^220 "), LIMIT, async |mut stream| {
        while stream.write_all(&[b'x'; 4096]).await.is_ok() {}
    })
    .await;
    assert!(
        look.finding
            .text()
            .starts_with("it went on over 64 KiB after `xxx"),
        "{:?}",
        look.finding
    );
    assert_eq!(look.finding.fault().unwrap().kind, FaultKind::Content);
    assert!(look.excerpt.unwrap().chars().count() <= EXCERPT);
}

#[tokio::test]
async fn one_that_stays_silent_is_slow_and_what_it_said_is_told() {
    let limit = Duration::from_millis(100);
    let look = looked(expecting("^220 "), limit, async |stream| {
        let _held = stream;
        std::future::pending::<()>().await;
    })
    .await;
    let hung = look.finding.fault().unwrap();
    assert_eq!(hung.kind, FaultKind::Slow);
    assert!(
        hung.reason
            .starts_with("no complete answer within 100ms (connected in ")
            && hung.reason.ends_with(", waiting for an answer)"),
        "{hung:?}"
    );
    let look = looked(expecting("^220 "), limit, async |mut stream| {
        stream.write_all(b"22").await.unwrap();
        std::future::pending::<()>().await;
    })
    .await;
    assert_eq!(
        look.finding,
        Finding::bad(
            FaultKind::Slow,
            "said `22` and nothing more within 100ms, expected `^220 `"
        )
    );
}

#[tokio::test]
async fn a_known_secret_that_is_echoed_is_hidden() {
    let mut masker = Masker::default();
    masker.add("hunter22");
    let change = |tcp: Tcp| {
        tcp.send("AUTH hunter22\\r\\n".parse().unwrap())
            .expect(pattern("^OK").unwrap())
            .masking(masker)
    };
    let look = looked(change, LIMIT, async |mut stream| {
        let mut asked = [0; 15];
        stream.read_exact(&mut asked).await.unwrap();
        stream.write_all(b"unknown: ").await.unwrap();
        stream.write_all(&asked).await.unwrap();
    })
    .await;
    assert!(
        look.finding.text().contains("unknown: AUTH ***"),
        "{:?}",
        look.finding
    );
    assert!(!format!("{look:?}").contains("hunter22"));
}

#[test]
fn patterns_that_are_none_are_refused() {
    for (written, part) in [("(", "unclosed group"), ("(?:a{999}){999}", "too large")] {
        let error = pattern(written).unwrap_err().to_string();
        assert!(error.contains(part) && !error.contains('\n'), "{error}");
    }
}
