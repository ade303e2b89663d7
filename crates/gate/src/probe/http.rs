//! An HTTP target: connected, answered in full, and as expected. Redirects are not followed.

use std::time::Duration;

use reqwest::header::{CACHE_CONTROL, HeaderMap, HeaderName, HeaderValue};
use reqwest::{Client, Response, Url};

use gha::mask::Masker;
use gha::text;

use crate::answer::{Answer, BODY_LIMIT};
use crate::expect::Expect;
use crate::finding::{FaultKind, Finding};
use crate::probe::{Look, Looking, Probe};

/// How much of a body is shown, in characters.
const EXCERPT: usize = 512;

/// An HTTP target.
pub struct Http {
    client: Client,
    url: Url,
    shown: String,
    proxy: Option<String>,
    headers: HeaderMap,
    expect: Expect,
    masker: Masker,
}

/// The text is no address of an HTTP target.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
#[error("`{0}` is no address with `https://` or `http://` in front")]
pub struct AddressError(String);

/// Reads an address.
///
/// # Errors
/// When it is no `http` or `https` address with a host.
pub fn address(text: &str) -> Result<Url, AddressError> {
    let refuse = || AddressError(text::cut(&text::visible(&without_credentials(text)), 200));
    let url = Url::parse(text.trim()).map_err(|_| refuse())?;
    let usable = matches!(url.scheme(), "http" | "https") && url.has_host();
    if usable { Ok(url) } else { Err(refuse()) }
}

/// An address as text, valid or not, without what could be a password before its `@` or a token in its query.
fn without_credentials(text: &str) -> String {
    let (text, query) = text
        .split_once(['?', '#'])
        .map_or((text, ""), |(text, _)| (text, "?…"));
    let start = text.find("://").map_or(0, |scheme| scheme + 3);
    let shown = match text.rfind('@') {
        Some(at) if start <= at => format!("{}***{}", &text[..start], &text[at..]),
        _ => text.to_owned(),
    };
    format!("{shown}{query}")
}

/// The address for people: without user, password, and the values of its query, any of which may be a secret.
#[must_use]
pub fn shown(url: &Url) -> String {
    let mut shown = url.clone();
    // Both fail only for addresses that can hold neither.
    let _ = shown.set_username("");
    let _ = shown.set_password(None);
    shown.set_fragment(None);
    let query = url.query().is_some_and(|query| !query.is_empty());
    shown.set_query(None);
    format!("{shown}{}", if query { "?…" } else { "" })
}

impl Http {
    /// A target at `url`. `traceparent` is sent with every request, so that the target's own traces can be joined.
    /// `client` must not keep connections: behind a balancer every try would meet the same instance. What `masker` knows
    /// is hidden in all that is said about an answer.
    #[must_use]
    pub fn new(client: Client, url: Url, traceparent: &str, expect: Expect, masker: Masker) -> Self {
        let mut headers = HeaderMap::new();
        headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-cache"));
        if let Ok(value) = HeaderValue::from_str(traceparent) {
            headers.insert(HeaderName::from_static("traceparent"), value);
        }
        Self {
            client,
            shown: shown(&url),
            proxy: gha::edge::http::proxy(&url),
            url,
            headers,
            expect,
            masker,
        }
    }

    async fn ask(&self) -> Result<Answer, reqwest::Error> {
        let response = self
            .client
            .get(self.url.clone())
            .headers(self.headers.clone())
            .send()
            .await?;
        read(response).await
    }

    /// What an answer tells. It is judged as it is, and spoken of as masked.
    fn seen(&self, answer: &Answer) -> Look {
        let masked = self.masked(answer);
        let finding = match (self.expect.judge(answer), self.expect.judge(&masked)) {
            (Finding::Good, _) => Finding::Good,
            (Finding::Bad(_), Finding::Bad(fault)) => Finding::Bad(fault),
            (Finding::Bad(fault), Finding::Good) => Finding::bad(fault.kind, "the answer is not as expected"),
        };
        let excerpt = Some(text::excerpt(&masked.body, EXCERPT));
        Look {
            finding,
            status: Some(answer.status),
            excerpt,
        }
    }

    /// An answer with every known secret in it hidden, before anything of it is cut.
    fn masked(&self, answer: &Answer) -> Answer {
        if self.masker.is_empty() {
            return answer.clone();
        }
        let hide = |(name, value): &(String, String)| (name.clone(), self.masker.hide(value));
        Answer {
            headers: answer.headers.iter().map(hide).collect(),
            body: self
                .masker
                .hide(&String::from_utf8_lossy(&answer.body))
                .into_bytes(),
            ..answer.clone()
        }
    }
}

impl Probe for Http {
    fn target(&self) -> &str {
        &self.shown
    }

    fn look(&self, _limit: Duration) -> Looking<'_> {
        Box::pin(async {
            match self.ask().await {
                Ok(answer) => self.seen(&answer),
                Err(error) => Look::without_answer(fault(error, self.proxy.as_deref())),
            }
        })
    }
}

/// Reads an answer, its body up to the limit.
async fn read(mut response: Response) -> Result<Answer, reqwest::Error> {
    let status = response.status().as_u16();
    let header = |(name, value): (&HeaderName, &HeaderValue)| {
        (
            name.as_str().to_owned(),
            String::from_utf8_lossy(value.as_bytes()).into_owned(),
        )
    };
    let headers = response.headers().iter().map(header).collect();
    let (mut body, mut cut) = (Vec::new(), false);
    while let Some(chunk) = response.chunk().await? {
        let room = BODY_LIMIT - body.len();
        body.extend_from_slice(&chunk[..chunk.len().min(room)]);
        if chunk.len() > room {
            cut = true;
            break;
        }
    }
    Ok(Answer {
        status,
        headers,
        body,
        cut,
    })
}

/// What a failed request says about the target, or about the proxy on the way.
fn fault(error: reqwest::Error, proxy: Option<&str>) -> Finding {
    let (connect, timeout) = (error.is_connect(), error.is_timeout());
    let reason = gha::edge::http::reason(error);
    let lower = reason.to_ascii_lowercase();
    let says = |words: &[&str]| words.iter().any(|word| lower.contains(word));
    // A certificate's names are in its reason, so it is asked for before names are.
    if says(&["invalidcontenttype"]) {
        Finding::bad(
            FaultKind::Tls,
            "TLS failed: the server does not speak it at this port",
        )
    } else if says(&["certificate", "tls", "handshake"]) {
        Finding::bad(
            FaultKind::Tls,
            format!("TLS failed: {}", certificate_reason(&reason)),
        )
    } else if timeout && !connect {
        Finding::bad(FaultKind::Slow, reason)
    } else if let Some(proxy) = proxy.filter(|_| connect || says(&["tunnel"])) {
        Finding::bad(
            FaultKind::Proxy,
            format!("the proxy `{proxy}` did not let the request through: {reason}"),
        )
    } else if let Some(cause) = lower
        .starts_with("dns error")
        .then(|| reason.rsplit(": ").next().unwrap_or_default())
    {
        Finding::bad(
            FaultKind::Name,
            format!("the host's name can't be resolved: {cause}"),
        )
    } else if says(&["refused"]) {
        Finding::bad(FaultKind::Connection, "connection refused")
    } else if connect {
        Finding::bad(FaultKind::Connection, format!("could not connect: {reason}"))
    } else {
        Finding::bad(FaultKind::Connection, format!("the connection broke: {reason}"))
    }
}

/// The commonest refusals of a certificate in words; the library's own for the others.
fn certificate_reason(reason: &str) -> String {
    let words = [
        (
            "UnknownIssuer",
            "the certificate's authority is not trusted (UnknownIssuer)",
        ),
        (
            "CaUsedAsEndEntity",
            "the server shows an authority's own certificate, not one signed by it (CaUsedAsEndEntity)",
        ),
    ];
    let known = words.into_iter().find(|(name, _)| reason.contains(name));
    known.map_or_else(|| reason.to_owned(), |(_, words)| words.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::cell::Cell;
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
    use tokio::net::TcpListener;

    #[test]
    fn an_address_is_shown_without_secrets() {
        let url = address("https://user:pass@example.com:8443/health?token=secret#x").unwrap();
        assert_eq!(shown(&url), "https://example.com:8443/health?…");
        for text in [
            "",
            "example.com/health",
            "ftp://example.com",
            "file:///etc/passwd",
            "http://",
            "https://u:secret@",
            "example.com/?token=secret",
            "user:secret@example.com",
        ] {
            let error = address(text).expect_err(text).to_string();
            assert!(
                error.contains("is no address") && !error.contains("secret"),
                "{error}"
            );
        }
    }

    /// Answers each request on each connection, keeping it open as most servers do; gives how many were opened.
    async fn served(looks: usize, builder: reqwest::ClientBuilder) -> usize {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = address(&format!("http://{}/", listener.local_addr().unwrap())).unwrap();
        let expect = Expect {
            status: "2xx".parse().unwrap(),
            body: vec![],
            json: vec![],
            headers: vec![],
            version: None,
        };
        let probe = Http::new(
            builder.no_proxy().build().unwrap(),
            url,
            "",
            expect,
            Masker::default(),
        );
        let opened = Cell::new(0);
        let serve = async {
            loop {
                let (mut stream, _) = listener.accept().await.unwrap();
                opened.set(opened.get() + 1);
                let mut buffer = [0; 4096];
                while let Ok(1..) = stream.read(&mut buffer).await {
                    stream
                        .write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok")
                        .await
                        .unwrap();
                }
            }
        };
        let look = async {
            for _ in 0..looks {
                assert_eq!(probe.look(Duration::from_secs(5)).await.finding, Finding::Good);
            }
        };
        tokio::select! {
            () = look => {}
            () = serve => {}
        }
        opened.get()
    }

    #[tokio::test]
    async fn every_look_may_meet_another_instance() {
        let builder = |interface| gha::edge::http::builder(interface, false, Duration::from_secs(5)).unwrap();
        let interface = gha::interface::Interface::named("demo");
        assert_eq!(served(3, builder(&interface)).await, 3);
    }
}
