//! Ways to a target: names with other addresses, every address, redirects, proxies.

use super::*;
use crate::net::resolve::Addresses;
use gha::edge::http::Via;
use sandbox::http::Proxy;

#[tokio::test]
async fn a_name_that_leads_elsewhere_keeps_its_name() {
    let server = serve_tls(Reply::text(200, "ok"));
    let port = server.address().port();
    let at = |written: String| Network {
        overrides: vec![written.parse().unwrap()],
        ..network(trust(&server))
    };
    let over = at(format!("new.example:{port}:127.0.0.1"));
    let look = probe_over(over, &format!("https://new.example:{port}/"))
        .look(LIMIT)
        .await;
    assert_eq!(look.finding, Finding::Good);
    assert_eq!(
        server.requests()[0].header("host"),
        Some(format!("new.example:{port}").as_str())
    );
    let over = at(format!("old.example:{port}:127.0.0.1"));
    let look = probe_over(over, &format!("https://old.example:{port}/"))
        .look(LIMIT)
        .await;
    let reason =
        "TLS failed: the certificate is for `127.0.0.1`, `localhost`, `new.example`, not for `old.example`";
    is_bad(&look, FaultKind::Tls, reason);
    let plain = serve(Reply::status(200));
    let look = probe(&plain.url("/").replace("http:", "https:"))
        .look(LIMIT)
        .await;
    is_bad(
        &look,
        FaultKind::Tls,
        "TLS failed: the server does not speak it at this port",
    );
}

#[tokio::test]
async fn every_address_must_be_good_where_that_is_asked() {
    let server = serve(Reply::status(200));
    let port = server.address().port();
    let over = |addresses| Network {
        overrides: vec![format!("a.example:{port}:127.0.0.1,127.0.0.2").parse().unwrap()],
        addresses,
        ..network(Trust::nobody())
    };
    let url = format!("http://a.example:{port}/");
    let first = probe_over(over(Addresses::First), &url).look(LIMIT).await;
    assert_eq!(first.finding, Finding::Good);
    let all = probe_over(over(Addresses::All), &url).look(LIMIT).await;
    is_bad(&all, FaultKind::Connection, "at `127.0.0.2`: connection refused");
}

#[tokio::test]
async fn redirects_are_followed_where_that_is_asked_and_secrets_stay() {
    let end = serve(Reply::text(503, "sign in"));
    let script = Script::new()
        .on("/health", [Reply::redirect(302, "/login?code=s3cret")])
        .any([Reply::redirect(301, &end.url("/end"))]);
    let start = Server::start(script).unwrap();
    let url = start.url("/health").replace("//", "//user:pass@");
    let probe = || probe(&url).header("x-api-key", "s3cret").unwrap();
    let look = probe().look(LIMIT).await;
    is_bad(
        &look,
        FaultKind::Redirect,
        "answered 302 to `/login`, expected 2xx",
    );
    let short = probe().follow(1).look(LIMIT).await;
    let reason = format!(
        "answered 301 to `{}`, expected 2xx (after 302 to `/login`)",
        end.url("/end")
    );
    is_bad(&short, FaultKind::Redirect, &reason);
    assert!(end.requests().is_empty());
    let all = probe().follow(5).look(LIMIT).await;
    let path = format!("302 to `/login`, 301 to `{}`", end.url("/end"));
    is_bad(
        &all,
        FaultKind::Status,
        &format!("answered 503, expected 2xx (after {path})"),
    );
    let header = |server: &Server, name: &str| {
        let requests = server.requests();
        requests.last().unwrap().header(name).map(str::to_owned)
    };
    for name in ["authorization", "x-api-key"] {
        assert!(
            header(&start, name).is_some() && header(&end, name).is_none(),
            "{name}"
        );
    }
    assert_eq!(header(&end, "traceparent").as_deref(), Some("trace"));
}

fn through(proxy: SocketAddr, scheme: &str, trust: Trust) -> Network {
    let mut credentials = HeaderValue::from_static("Basic dXNlcjpwYXNz");
    credentials.set_sensitive(true);
    Network {
        proxies: Proxies::Always(Via {
            host: proxy.ip().to_string(),
            port: proxy.port(),
            scheme: scheme.to_owned(),
            credentials: Some(credentials),
        }),
        ..network(trust)
    }
}

#[tokio::test]
async fn proxies_pass_it_on_and_have_reasons_of_their_own() {
    let secure = serve_tls(Reply::text(200, "ok"));
    let proxy = Proxy::start(secure.address()).unwrap();
    let at: SocketAddr = proxy.url().trim_start_matches("http://").parse().unwrap();
    let look = probe_over(through(at, "http", trust(&secure)), "https://new.example/")
        .look(LIMIT)
        .await;
    assert_eq!(look.finding, Finding::Good);
    assert!(look.days_left.is_some() && look.phases.connect.is_some());
    let asked = &proxy.requests()[0];
    assert_eq!(
        (asked.method.as_str(), asked.path.as_str()),
        ("CONNECT", "new.example:443")
    );
    assert_eq!(asked.header("proxy-authorization"), Some("Basic dXNlcjpwYXNz"));
    assert_eq!(secure.requests()[0].header("proxy-authorization"), None);

    let plain = serve(Reply::text(200, "ok"));
    let proxy = Proxy::start(plain.address()).unwrap();
    let at = proxy.url().trim_start_matches("http://").parse().unwrap();
    let look = probe_over(through(at, "http", Trust::nobody()), "http://new.example/x")
        .look(LIMIT)
        .await;
    assert_eq!(look.finding, Finding::Good);
    assert_eq!(proxy.requests()[0].path, "http://new.example/x");

    for (status, tls, answered) in [
        (407, true, "it answered 407 and wants credentials"),
        (407, false, "it answered 407 and wants credentials"),
        (502, true, "it answered 502"),
    ] {
        let refusing = async |mut stream: tokio::net::TcpStream| {
            let answer = format!("HTTP/1.1 {status} No\r\ncontent-length: 0\r\n\r\n");
            stream.write_all(answer.as_bytes()).await.unwrap();
        };
        let url = if tls {
            "https://new.example/"
        } else {
            "http://new.example/"
        };
        let at = Cell::new(at);
        let look = async |address| {
            at.set(address);
            probe_over(through(address, "http", Trust::nobody()), url)
                .look(LIMIT)
                .await
        };
        let look = played(refusing, look).await;
        let fault = look.finding.fault().unwrap();
        assert_eq!(fault.kind, FaultKind::Proxy);
        assert!(
            fault.reason.contains("did not let the request through") && fault.reason.ends_with(answered),
            "{}",
            fault.reason
        );
    }
    let look = probe_over(through(at, "socks5", Trust::nobody()), "http://a.example/")
        .look(LIMIT)
        .await;
    is_bad(
        &look,
        FaultKind::Proxy,
        &format!(
            "the proxy `{at}` did not let the request through: it is a `socks5` proxy, and only HTTP ones are used"
        ),
    );
}
