//! The scripted server and the proxy, judged by plain sockets and by Python's own HTTP client.

#![expect(clippy::unwrap_used, reason = "a helper of a test fails as the test does")]

use std::io::{ErrorKind, Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::process::{Command, Output};
use std::time::{Duration, Instant};

use sandbox::http::{Proxy, Reply, Script, Server};
use serde_json::json;

const SOON: Duration = Duration::from_secs(20);

fn send(address: SocketAddr, request: &str) -> TcpStream {
    let mut stream = TcpStream::connect(address).unwrap();
    stream.set_read_timeout(Some(SOON)).unwrap();
    stream.write_all(request.as_bytes()).unwrap();
    stream
}

fn get(server: &Server, path: &str) -> TcpStream {
    send(
        server.address(),
        &format!("GET {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"),
    )
}

/// Everything until the connection ends, and how it ended.
fn all(mut stream: TcpStream) -> (String, Option<ErrorKind>) {
    let mut bytes = Vec::new();
    let error = stream.read_to_end(&mut bytes).err().map(|error| error.kind());
    (String::from_utf8_lossy(&bytes).into_owned(), error)
}

fn serve(reply: Reply) -> Server {
    Server::start(Script::new().any([reply])).unwrap()
}

fn python(script: &str, args: &[&str], env: &[(&str, &str)]) -> Output {
    let mut command = Command::new("python3");
    command
        .args(["-c", script])
        .args(args)
        .env_remove("HTTP_PROXY")
        .env_remove("HTTPS_PROXY");
    command
        .env_remove("http_proxy")
        .env_remove("https_proxy")
        .env_remove("NO_PROXY")
        .env_remove("no_proxy");
    command.envs(env.iter().copied()).output().unwrap()
}

#[test]
fn replies_in_order_and_the_log() {
    let script = Script::new()
        .on(
            "/a",
            [
                Reply::status(503),
                Reply::json(200, &json!({"x": 1})).header("X-Y", "z"),
            ],
        )
        .on("POST /b", [Reply::text(201, "made")]);
    let server = Server::start(script).unwrap();
    assert!(all(get(&server, "/a?q=1")).0.starts_with("HTTP/1.1 503"));
    let (second, _) = all(get(&server, "/a"));
    assert!(
        second.starts_with("HTTP/1.1 200 OK\r\n") && second.ends_with("\r\n\r\n{\"x\":1}"),
        "{second}"
    );
    assert!(
        second.contains("x-y: z\r\n") && second.contains("content-length: 7\r\n"),
        "{second}"
    );
    let body = "POST /b HTTP/1.1\r\nHost: x\r\nX-Key: K\r\nTransfer-Encoding: chunked\r\nConnection: close\r\n\r\n\
                3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n";
    assert!(all(send(server.address(), body)).0.ends_with("made"));
    assert!(all(get(&server, "/none")).0.starts_with("HTTP/1.1 404"));
    let log = server.wait_for(4, SOON).unwrap();
    let lines: Vec<_> = log
        .iter()
        .map(|request| format!("{} {}", request.method, request.path))
        .collect();
    assert_eq!(lines, ["GET /a?q=1", "GET /a", "POST /b", "GET /none"]);
    assert_eq!(
        (log[2].text().as_str(), log[2].header("x-KEY")),
        ("abcde", Some("K"))
    );
    assert!(log[0].at <= log[3].at);
    assert_eq!(server.wait_for(5, Duration::from_millis(1)), None);
}

#[test]
fn a_reset_is_a_reset() {
    let server = serve(Reply::reset());
    assert_eq!(
        all(get(&server, "/")),
        (String::new(), Some(ErrorKind::ConnectionReset))
    );
}

#[test]
fn a_close_is_an_orderly_end() {
    let server = serve(Reply::close());
    assert_eq!(all(get(&server, "/")), (String::new(), None));
}

#[test]
fn a_cut_body_ends_early() {
    let server = serve(Reply::text(200, "0123456789").cut_after(4));
    let (text, _) = all(get(&server, "/"));
    assert!(
        text.contains("content-length: 10\r\n") && text.ends_with("\r\n\r\n0123"),
        "{text}"
    );
}

#[test]
fn an_endless_body_keeps_coming() {
    let server = serve(Reply::text(200, "tick").endless(Duration::from_millis(5)));
    let mut stream = get(&server, "/");
    let mut seen = String::new();
    let mut buffer = [0; 256];
    while seen.matches("tick").count() < 3 {
        let count = stream.read(&mut buffer).unwrap();
        assert!(count > 0, "it ended: {seen}");
        seen.push_str(&String::from_utf8_lossy(&buffer[..count]));
    }
}

#[test]
fn a_hang_lasts_until_the_server_goes() {
    let server = serve(Reply::hang());
    let mut stream = get(&server, "/");
    assert!(server.wait_for(1, SOON).is_some());
    stream.set_read_timeout(Some(Duration::from_millis(100))).unwrap();
    let kind = stream.read(&mut [0; 1]).unwrap_err().kind();
    assert!(
        matches!(kind, ErrorKind::WouldBlock | ErrorKind::TimedOut),
        "{kind:?}"
    );
    let started = Instant::now();
    drop(server);
    assert!(started.elapsed() < SOON);
    stream.set_read_timeout(Some(SOON)).unwrap();
    assert_eq!(stream.read(&mut [0; 1]).unwrap(), 0);
}

#[test]
fn a_delay_delays() {
    let server = serve(Reply::status(204).delay(Duration::from_millis(150)));
    let started = Instant::now();
    assert!(all(get(&server, "/")).0.starts_with("HTTP/1.1 204"));
    assert!(started.elapsed() >= Duration::from_millis(150));
}

const FETCH: &str = "import ssl, sys, urllib.request
context = ssl.create_default_context(cafile=sys.argv[2]) if len(sys.argv) > 2 else None
print(urllib.request.urlopen(sys.argv[1], timeout=20, context=context).read().decode())";

#[test]
fn tls_with_the_throw_away_authority() {
    let server = Server::start_tls(
        &["deploy.example"],
        Script::new().any([Reply::text(200, "secret")]),
    )
    .unwrap();
    let folder = tempfile::tempdir().unwrap();
    let ca = folder.path().join("ca.pem");
    std::fs::write(&ca, server.ca_pem().unwrap()).unwrap();
    let ca = ca.to_str().unwrap();
    let good = python(FETCH, &[&server.url("/"), ca], &[]);
    assert_eq!(String::from_utf8_lossy(&good.stdout), "secret\n", "{good:?}");
    let distrust = python(FETCH, &[&server.url("/")], &[]);
    assert!(
        String::from_utf8_lossy(&distrust.stderr).contains("CERTIFICATE_VERIFY_FAILED"),
        "{distrust:?}"
    );
    // And through the proxy, by a name that no resolver knows.
    let proxy = Proxy::start(server.address()).unwrap();
    let proxied = python(
        FETCH,
        &["https://deploy.example/x", ca],
        &[("HTTPS_PROXY", &proxy.url())],
    );
    assert_eq!(
        String::from_utf8_lossy(&proxied.stdout),
        "secret\n",
        "{proxied:?}"
    );
    let asked = &proxy.wait_for(1, SOON).unwrap()[0];
    assert_eq!(
        (asked.method.as_str(), asked.path.as_str()),
        ("CONNECT", "deploy.example:443")
    );
    assert_eq!(
        server.requests().last().unwrap().header("host"),
        Some("deploy.example")
    );
}

#[test]
fn the_absolute_form_through_the_proxy() {
    let server = serve(Reply::text(200, "plain"));
    let proxy = Proxy::start(server.address()).unwrap();
    let credentials = proxy.url().replace("http://", "http://user:pass@");
    let got = python(
        FETCH,
        &["http://deploy.example/x?y=1"],
        &[("HTTP_PROXY", &credentials)],
    );
    assert_eq!(String::from_utf8_lossy(&got.stdout), "plain\n", "{got:?}");
    let asked = &proxy.requests()[0];
    assert_eq!(
        (asked.method.as_str(), asked.path.as_str()),
        ("GET", "http://deploy.example/x?y=1")
    );
    assert_eq!(asked.header("proxy-authorization"), Some("Basic dXNlcjpwYXNz"));
    let arrived = &server.requests()[0];
    assert_eq!(
        (arrived.path.as_str(), arrived.header("host")),
        ("/x?y=1", Some("deploy.example"))
    );
    assert_eq!(arrived.header("proxy-authorization"), None);
    let direct = send(
        proxy.url().replace("http://", "").parse().unwrap(),
        "GET /x HTTP/1.0\r\n\r\n",
    );
    assert!(all(direct).0.contains("400 Bad Request"));
}

#[test]
fn bytes_that_are_no_answer() {
    let closed = serve(Reply::raw("SSH-2.0-x\r\n"));
    assert_eq!(all(get(&closed, "/")), ("SSH-2.0-x\r\n".to_owned(), None));
    let held = serve(Reply::raw_held("HTTP/1.1 200 OK\r\n"));
    let mut stream = get(&held, "/");
    let mut begin = [0; 17];
    stream.read_exact(&mut begin).unwrap();
    stream.set_read_timeout(Some(Duration::from_millis(50))).unwrap();
    let silence = stream.read(&mut begin).unwrap_err().kind();
    assert_eq!(silence, ErrorKind::WouldBlock, "it is open and says nothing");
    let endless = serve(Reply::raw_endless("a", "bc", Duration::ZERO));
    let mut many = vec![0; 100_001];
    get(&endless, "/").read_exact(&mut many).unwrap();
    assert!(many[0] == b'a' && many[1..].chunks(2).all(|pair| pair == b"bc"));
}
