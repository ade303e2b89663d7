//! Servers that hang, flood, or speak something else.

use super::*;
use tokio::time::Instant;

#[tokio::test]
async fn a_look_that_hangs_says_where() {
    let limit = Duration::from_millis(150);
    let says = async |reply: Reply| {
        let server = serve(reply);
        // As the engine runs it.
        let look = probe(&server.url("/"));
        let look = tokio::time::timeout(limit, look.look(limit)).await.unwrap();
        let fault = look.finding.fault().unwrap().clone();
        assert_eq!(fault.kind, FaultKind::Slow);
        fault.reason
    };
    let reason = says(Reply::hang()).await;
    assert!(
        reason.starts_with("no complete answer within 150ms (connected in "),
        "{reason}"
    );
    assert!(reason.ends_with(", waiting for the first byte)"), "{reason}");
    let reason = says(Reply::text(200, "ok").endless(Duration::from_millis(20))).await;
    assert!(reason.contains(", the body goes on after "), "{reason}");
}

#[tokio::test]
async fn a_head_without_end_is_bounded() {
    let reasons = [
        (
            "HTTP/1.1 100 Continue\r\n\r\n",
            "",
            "the answer's head does not end within 256 KiB",
        ),
        (
            "x-more: and more\r\n",
            "HTTP/1.1 200 OK\r\n",
            "the answer's head is over 64 KiB or 256 fields",
        ),
    ];
    for (flood, first, reason) in reasons {
        let begin = Instant::now();
        let flooding = async |mut stream: tokio::net::TcpStream| {
            let mut sent = stream.write_all(first.as_bytes()).await;
            let many = flood.repeat(1000);
            while sent.is_ok() {
                sent = stream.write_all(many.as_bytes()).await;
            }
        };
        let look = async |address| probe(&format!("http://{address}/")).look(LIMIT).await;
        is_bad(&played(flooding, look).await, FaultKind::Protocol, reason);
        assert!(begin.elapsed() < LIMIT);
    }
}

#[tokio::test]
async fn what_is_no_http_is_named() {
    let ssh = async |mut stream: tokio::net::TcpStream| {
        stream.write_all(b"SSH-2.0-OpenSSH_9.2\r\n").await.unwrap();
    };
    let look = played(ssh, async |address| {
        probe(&format!("http://{address}/")).look(LIMIT).await
    })
    .await;
    let fault = look.finding.fault().unwrap();
    assert_eq!(fault.kind, FaultKind::Protocol);
    assert!(
        fault.reason.starts_with("the answer is not HTTP: "),
        "{}",
        fault.reason
    );
}

#[tokio::test]
async fn a_dropped_look_leaves_nothing_behind() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let probe = probe(&format!("http://{}/", listener.local_addr().unwrap()));
    let looking = probe.look(LIMIT);
    let hung = async {
        let (mut stream, _) = listener.accept().await.unwrap();
        let mut buffer = [0; 4096];
        assert!(stream.read(&mut buffer).await.unwrap() > 0);
        stream
    };
    let mut stream = tokio::select! {
        stream = hung => stream,
        look = looking => unreachable!("{look:?}"),
    };
    assert_eq!(
        stream.read(&mut [0; 16]).await.unwrap(),
        0,
        "the connection was closed with the look"
    );
}

#[tokio::test]
async fn a_good_answer_that_is_late_is_bad() {
    let server = serve(Reply::text(200, "ok").delay(Duration::from_millis(30)));
    let late = probe(&server.url("/"))
        .max_latency(Duration::from_millis(20))
        .look(LIMIT)
        .await;
    let fault = late.finding.fault().unwrap();
    assert!(
        fault.reason.starts_with("the answer took ") && fault.reason.ends_with(", expected at most 20ms")
    );
    assert_eq!((fault.kind, late.status), (FaultKind::Slow, Some(200)));
    assert!(late.phases.first_byte.unwrap() >= Duration::from_millis(30));
    let in_time = probe(&server.url("/")).max_latency(LIMIT).look(LIMIT).await;
    assert_eq!(in_time.finding, Finding::Good);
}
