//! The probe against listeners of its own.

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpListener;

use super::*;

const LIMIT: Duration = Duration::from_secs(5);

/// Looks at a listener that expects these commands, and answers each.
async fn looked(change: impl FnOnce(Redis) -> Redis, talk: &[(&str, &str)]) -> Look {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let place = listener.local_addr().unwrap().to_string().parse().unwrap();
    let redis = change(Redis::new(place));
    let serve = async {
        let (mut stream, _) = listener.accept().await.unwrap();
        for (asked, answer) in talk {
            let mut buffer = vec![0; asked.len()];
            stream.read_exact(&mut buffer).await.unwrap();
            assert_eq!(String::from_utf8(buffer).unwrap(), *asked);
            stream.write_all(answer.as_bytes()).await.unwrap();
        }
        drop(stream);
        std::future::pending::<()>().await;
    };
    tokio::select! {
        look = redis.look(LIMIT) => look,
        () = serve => unreachable!(),
    }
}

const PING: &str = "*1\r\n$4\r\nPING\r\n";

#[tokio::test]
async fn one_that_answers_is_good() {
    let look = looked(|redis| redis, &[(PING, "+PONG\r\n")]).await;
    assert_eq!(look.finding, Finding::Good);
    assert!(look.phases.connect.is_some() && look.phases.first_byte.is_some());
}

#[tokio::test]
async fn password_ping_and_role_are_asked_in_turn() {
    let change = |redis: Redis| {
        redis
            .password(Some("joe".to_owned()), "hunter22".into())
            .role(Role::Master)
    };
    let look = looked(
        change,
        &[
            ("*3\r\n$4\r\nAUTH\r\n$3\r\njoe\r\n$8\r\nhunter22\r\n", "+OK\r\n"),
            (PING, "+PONG\r\n"),
            ("*1\r\n$4\r\nROLE\r\n", "*3\r\n$6\r\nmaster\r\n:0\r\n*0\r\n"),
        ],
    )
    .await;
    assert_eq!(look.finding, Finding::Good);
}

#[tokio::test]
async fn a_password_is_never_spoken_of_and_never_changes_the_verdict() {
    let change = |redis: Redis| redis.password(None, "hunter22".into());
    let auth = "*2\r\n$4\r\nAUTH\r\n$8\r\nhunter22\r\n";
    let echo = "-ERR unknown command 'AUTH', with args beginning with: 'hunter22'\r\n";
    let look = looked(change, &[(auth, echo)]).await;
    assert_eq!(
        look.finding,
        Finding::bad(
            FaultKind::Password,
            "answered `ERR unknown command 'AUTH', with args beginning with: '***'`"
        )
    );
    let look = looked(change, &[(auth, "you said hunter22")]).await;
    assert_eq!(
        look.finding,
        Finding::bad(FaultKind::Protocol, "answered `you said ***`, which is not Redis")
    );
    let redis = change(Redis::new("db:1".parse().unwrap()));
    assert!(!format!("{redis:?}{}", redis.target()).contains("hunter22"));

    let change = |redis: Redis| redis.password(None, "PONG".into());
    let auth = "*2\r\n$4\r\nAUTH\r\n$4\r\nPONG\r\n";
    let look = looked(change, &[(auth, "+OK\r\n"), (PING, "+PONG\r\n")]).await;
    assert_eq!(look.finding, Finding::Good);
}

#[tokio::test]
async fn one_that_refuses_before_it_is_asked_is_heard() {
    let refusal = "-ERR max number of clients reached\r\n";
    let look = looked(|redis| redis, &[("", refusal), (PING, "")]).await;
    assert_eq!(
        look.finding,
        Finding::bad(FaultKind::Full, "answered `ERR max number of clients reached`")
    );
}

#[tokio::test]
async fn what_is_not_redis_is_named() {
    for (answer, kind, reason) in [
        (
            "HTTP/1.1 400 Bad Request\r\n",
            FaultKind::Protocol,
            "answered `HTTP/1.1 400 Bad Request\\r\\n`, which is not Redis",
        ),
        (
            "\u{15}\u{3}\u{1}",
            FaultKind::Tls,
            "it wants TLS at this port and was asked without",
        ),
        ("+PON", FaultKind::Protocol, "answered `+PON`, which is not Redis"),
        (
            "",
            FaultKind::Connection,
            "it closed the connection without an answer; does it want TLS?",
        ),
    ] {
        let look = looked(|redis| redis, &[(PING, answer)]).await;
        assert_eq!(look.finding, Finding::bad(kind, reason));
    }
}

#[tokio::test]
async fn one_that_spoke_before_it_hung_up_does_not_want_tls() {
    let auth = "*2\r\n$4\r\nAUTH\r\n$8\r\nhunter22\r\n";
    let change = |redis: Redis| redis.password(None, "hunter22".into());
    let look = looked(change, &[(auth, "+OK\r\n"), (PING, "")]).await;
    let closed = "it closed the connection without an answer";
    assert_eq!(look.finding, Finding::bad(FaultKind::Connection, closed));
}

#[tokio::test]
async fn an_endless_line_is_read_to_its_limit() {
    let long = format!("+{}", "x".repeat(resp::REPLY_LIMIT));
    let look = looked(|redis| redis, &[(PING, &long)]).await;
    let fault = look.finding.fault().unwrap();
    assert_eq!(fault.kind, FaultKind::Protocol);
    assert!(fault.reason.len() < 200, "{}", fault.reason);
}

#[test]
fn the_target_is_named() {
    let place = "cache:6379".parse().unwrap();
    assert_eq!(Redis::new(place).target(), "redis cache:6379");
    assert!("slave".parse::<Role>().is_err());
}
