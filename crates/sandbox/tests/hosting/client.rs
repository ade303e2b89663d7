//! A client without a socket, which signs its requests itself.

use std::time::Duration;

use hmac::{Hmac, KeyInit as _, Mac as _};
use sandbox::http::Request;
use sandbox::stand_ins::aws::{Clock, Heard, Hosting};
use sha2::{Digest as _, Sha256};

const DAY: &str = "20260101";
const TIME: &str = "20260101T000000Z";

/// What was answered.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) body: String,
    pub(crate) delay: Duration,
}

impl Answer {
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        let found = self.headers.iter().find(|(known, _)| known == name);
        found.map(|(_, value)| value.as_str())
    }

    /// The text of the first element of that name.
    pub(crate) fn element(&self, name: &str) -> Option<&str> {
        let (_, rest) = self.body.split_once(&format!("<{name}>"))?;
        rest.split_once(&format!("</{name}>")).map(|(text, _)| text)
    }

    /// The texts of all elements of that name.
    pub(crate) fn elements(&self, name: &str) -> Vec<&str> {
        let tag = format!("<{name}>");
        let pieces = self.body.split(&tag[..]).skip(1);
        pieces
            .map(|piece| piece.split("</").next().unwrap_or_default())
            .collect()
    }

    /// Status and code of a refusal.
    pub(crate) fn refusal(&self) -> (u16, &str) {
        (self.status, self.element("Code").unwrap_or_default())
    }
}

/// A hosting with one bucket, `site`, on a clock that stands.
pub(crate) fn hosting() -> Hosting {
    let hosting = Hosting::unheard(Clock::manual());
    hosting.stock(|stock| stock.s3.create("site"));
    hosting
}

/// Asks S3 for something: `PUT /site/key`.
pub(crate) fn s3(hosting: &Hosting, line: &str, headers: &[(&str, &str)], body: &[u8]) -> Answer {
    heard(hosting.hear(&signed(hosting, "s3", line, headers, body)))
}

/// Asks `CloudFront`.
pub(crate) fn cloudfront(hosting: &Hosting, line: &str, body: &str) -> Answer {
    heard(hosting.hear(&signed(hosting, "cloudfront", line, &[], body.as_bytes())))
}

pub(crate) fn heard(heard: Heard) -> Answer {
    let Heard::Answer {
        status,
        headers,
        body,
        delay,
    } = heard
    else {
        panic!("no answer: {heard:?}");
    };
    Answer {
        status,
        headers,
        body: String::from_utf8(body).unwrap(),
        delay,
    }
}

/// A request that is signed for where the hosting is; a header `region` signs for another region.
pub(crate) fn signed(
    hosting: &Hosting,
    service: &str,
    line: &str,
    headers: &[(&str, &str)],
    body: &[u8],
) -> Request {
    let environment = hosting.environment();
    let known = |name: &str| {
        let found = environment.iter().find(|(known, _)| *known == name);
        found.unwrap().1.clone()
    };
    let (method, path) = line.split_once(' ').unwrap();
    let elsewhere = headers.iter().find(|(name, _)| *name == "region");
    let region = match (service, elsewhere) {
        ("cloudfront", _) => "us-east-1".to_owned(),
        (_, Some((_, region))) => (*region).to_owned(),
        _ => known("AWS_REGION"),
    };
    let (hash, length) = (hex(&Sha256::digest(body)), body.len().to_string());
    let mut all: Vec<(String, String)> = headers
        .iter()
        .filter(|(name, _)| *name != "region")
        .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
        .collect();
    for (name, value) in [
        ("host", "store"),
        ("x-amz-date", TIME),
        ("x-amz-content-sha256", &hash),
        ("content-length", &length),
    ] {
        if !all.iter().any(|(known, _)| known == name) {
            all.push((name.to_owned(), value.to_owned()));
        }
    }
    all.sort();
    let hash = all
        .iter()
        .find(|(name, _)| name == "x-amz-content-sha256")
        .unwrap()
        .1
        .clone();
    let names: Vec<&str> = all.iter().map(|(name, _)| name.as_str()).collect();
    let names = names.join(";");
    let lines: String = all
        .iter()
        .map(|(name, value)| format!("{name}:{value}\n"))
        .collect();
    let (bare, query) = path.split_once('?').unwrap_or((path, ""));
    let mut pairs: Vec<String> = query
        .split('&')
        .filter(|pair| !pair.is_empty())
        .map(|pair| match pair.contains('=') {
            true => pair.to_owned(),
            false => format!("{pair}="),
        })
        .collect();
    pairs.sort();
    let canonical = format!("{method}\n{bare}\n{}\n{lines}\n{names}\n{hash}", pairs.join("&"));
    let scope = format!("{DAY}/{region}/{service}/aws4_request");
    let text = format!(
        "AWS4-HMAC-SHA256\n{TIME}\n{scope}\n{}",
        hex(&Sha256::digest(canonical))
    );
    let first = format!("AWS4{}", known("AWS_SECRET_ACCESS_KEY")).into_bytes();
    let parts = [DAY, &region, service, "aws4_request", &text];
    let signature = hex(&parts.iter().fold(first, |key, part| keyed(&key, part)));
    let authorization = format!(
        "AWS4-HMAC-SHA256 Credential={}/{scope}, SignedHeaders={names}, Signature={signature}",
        known("AWS_ACCESS_KEY_ID")
    );
    all.push(("authorization".to_owned(), authorization));
    Request {
        method: method.to_owned(),
        path: path.to_owned(),
        headers: all,
        body: body.to_vec(),
        at: Duration::ZERO,
    }
}

fn keyed(key: &[u8], text: &str) -> Vec<u8> {
    let mut mac = Hmac::<Sha256>::new_from_slice(key).unwrap();
    mac.update(text.as_bytes());
    mac.finalize().into_bytes().to_vec()
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
