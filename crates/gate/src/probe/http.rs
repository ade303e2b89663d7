//! An HTTP target: connected, answered in full, and as expected. Redirects are not followed.

use std::time::{Duration, Instant};

use reqwest::header::{CACHE_CONTROL, HeaderMap, HeaderName, HeaderValue};
use reqwest::{Client, Response, Url};

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
    let shown = match (text.find("://"), text.rfind('@')) {
        (Some(scheme), Some(at)) if scheme + 3 <= at => format!("{}***{}", &text[..scheme + 3], &text[at..]),
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
    #[must_use]
    pub fn new(client: Client, url: Url, traceparent: &str, expect: Expect) -> Self {
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
        }
    }

    async fn ask(&self) -> Result<Answer, reqwest::Error> {
        let started = Instant::now();
        let response = self
            .client
            .get(self.url.clone())
            .headers(self.headers.clone())
            .send()
            .await?;
        read(response, started).await
    }
}

impl Probe for Http {
    fn target(&self) -> &str {
        &self.shown
    }

    fn look(&self, _limit: Duration) -> Looking<'_> {
        Box::pin(async {
            match self.ask().await {
                Ok(answer) => Look {
                    finding: self.expect.judge(&answer),
                    status: Some(answer.status),
                    excerpt: Some(text::excerpt(&answer.body, EXCERPT)),
                },
                Err(error) => Look::without_answer(fault(error, self.proxy.as_deref())),
            }
        })
    }
}

/// Reads an answer, its body up to the limit.
async fn read(mut response: Response, started: Instant) -> Result<Answer, reqwest::Error> {
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
        took: started.elapsed(),
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
        ] {
            let error = address(text).expect_err(text).to_string();
            assert!(
                error.contains("is no address") && !error.contains("secret"),
                "{error}"
            );
        }
    }
}
