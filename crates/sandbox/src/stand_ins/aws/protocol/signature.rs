//! [Signature Version 4](https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-create-signed-request.html) in the
//! `Authorization` header, checked from what arrived.
//!
//! Limits: no presigned addresses, no chunked bodies, no SigV4A. The date is not compared with the cloud's clock, which
//! may be compressed.

use std::fmt::Write as _;

use hmac::{Hmac, KeyInit as _, Mac as _};
use sha2::{Digest as _, Sha256};

use crate::http::Request;

/// The `Authorization` header, apart.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Authorization<'a> {
    /// The access key id.
    pub(crate) key: &'a str,
    /// `20261122`.
    date: &'a str,
    /// The region that was signed for.
    pub(crate) region: &'a str,
    /// The service that was signed for, as SigV4 names it.
    pub(crate) service: &'a str,
    signed: Vec<&'a str>,
    signature: &'a str,
}

impl<'a> Authorization<'a> {
    /// Takes it from a request; none where there is none or it is another scheme's.
    pub(crate) fn of(request: &'a Request) -> Option<Self> {
        let parts = request
            .header("authorization")?
            .strip_prefix("AWS4-HMAC-SHA256 ")?;
        let part = |name: &str| {
            parts
                .split(',')
                .find_map(|part| part.trim().strip_prefix(name)?.strip_prefix('='))
        };
        let scope: Vec<&str> = part("Credential")?.split('/').collect();
        let [key, date, region, service, "aws4_request"] = scope[..] else {
            return None;
        };
        Some(Self {
            key,
            date,
            region,
            service,
            signed: part("SignedHeaders")?.split(';').collect(),
            signature: part("Signature")?,
        })
    }

    /// Whether a header is among those that were signed.
    pub(crate) fn signs(&self, header: &str) -> bool {
        self.signed.contains(&header)
    }

    /// The headers that were signed, in their order.
    pub(crate) fn signed(&self) -> &[&'a str] {
        &self.signed
    }

    /// Whether the request was signed with this secret.
    pub(super) fn is_by(&self, secret: &str, request: &Request) -> bool {
        self.signed_by(secret, request, &self.canonical(request))
    }

    /// The same for a service with a canonical form of its own, which is given.
    pub(crate) fn signed_by(&self, secret: &str, request: &Request, canonical: &str) -> bool {
        let scope = format!("{}/{}/{}/aws4_request", self.date, self.region, self.service);
        let time = request.header("x-amz-date").unwrap_or_default();
        let text = format!(
            "AWS4-HMAC-SHA256\n{time}\n{scope}\n{}",
            hash(canonical.as_bytes())
        );
        let mut key = format!("AWS4{secret}").into_bytes();
        for part in [self.date, self.region, self.service, "aws4_request"] {
            key = keyed(&key, part);
        }
        time.starts_with(self.date) && hex(&keyed(&key, &text)) == self.signature
    }

    fn canonical(&self, request: &Request) -> String {
        let (path, query) = request.path.split_once('?').unwrap_or((&request.path, ""));
        let mut pairs: Vec<String> = query
            .split('&')
            .filter(|pair| !pair.is_empty())
            .map(|pair| {
                if pair.contains('=') {
                    pair.to_owned()
                } else {
                    format!("{pair}=")
                }
            })
            .collect();
        pairs.sort();
        let mut headers = String::new();
        for name in &self.signed {
            let values = request
                .headers
                .iter()
                .filter(|(known, _)| known.eq_ignore_ascii_case(name))
                .map(|(_, value)| value.split_whitespace().collect::<Vec<_>>().join(" "));
            // Nothing can fail in memory.
            let _ = writeln!(headers, "{name}:{}", values.collect::<Vec<_>>().join(","));
        }
        [
            request.method.as_str(),
            path,
            &pairs.join("&"),
            &headers,
            &self.signed.join(";"),
            &hash(&request.body),
        ]
        .join("\n")
    }
}

fn keyed(key: &[u8], text: &str) -> Vec<u8> {
    // A key of any length is one to HMAC.
    let Ok(mut mac) = Hmac::<Sha256>::new_from_slice(key) else {
        return Vec::new();
    };
    mac.update(text.as_bytes());
    mac.finalize().into_bytes().to_vec()
}

fn hash(bytes: &[u8]) -> String {
    hex(&Sha256::digest(bytes))
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut text, byte| {
        // Nothing can fail in memory.
        let _ = write!(text, "{byte:02x}");
        text
    })
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    /// `get-vanilla-query-order-key-case` and `post-x-www-form-urlencoded` of
    /// [AWS' own test suite](https://github.com/smithy-lang/smithy-rs/tree/main/aws/rust-runtime/aws-sigv4/aws-signing-test-suite).
    const SECRET: &str = "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY";

    fn request(
        method: &str,
        path: &str,
        headers: &[(&str, &str)],
        body: &str,
        authorization: &str,
    ) -> Request {
        let mut all = vec![
            ("authorization", authorization),
            ("host", "example.amazonaws.com"),
            ("x-amz-date", "20150830T123600Z"),
        ];
        all.extend_from_slice(headers);
        Request {
            method: method.to_owned(),
            path: path.to_owned(),
            headers: all
                .into_iter()
                .map(|(name, value)| (name.to_owned(), value.to_owned()))
                .collect(),
            body: body.as_bytes().to_vec(),
            at: Duration::ZERO,
        }
    }

    const QUERY: &str = "AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20150830/us-east-1/service/aws4_request, SignedHeaders=host;x-amz-date, Signature=b97d918cfa904a5beff61c982a1b6f458b799221646efd99d3219ec94cdf2500";
    const FORM: &str = "AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20150830/us-east-1/service/aws4_request, SignedHeaders=content-length;content-type;host;x-amz-content-sha256;x-amz-date, Signature=d3875051da38690788ef43de4db0d8f280229d82040bfac253562e56c3f20e0b";

    #[test]
    fn signatures_of_the_test_suite_of_aws_hold_and_no_others() {
        let query = request("GET", "/?Param2=value2&Param1=value1", &[], "", QUERY);
        let form = request(
            "POST",
            "/",
            &[
                ("content-type", "application/x-www-form-urlencoded"),
                ("content-length", "13"),
                (
                    "x-amz-content-sha256",
                    "9095672bbd1f56dfc5b65f3e153adc8731a4a654192329106275f4c7b24d0b6e",
                ),
            ],
            "Param1=value1",
            FORM,
        );
        for right in [&query, &form] {
            let authorization = Authorization::of(right).unwrap();
            assert_eq!(authorization.key, "AKIDEXAMPLE");
            assert!(authorization.is_by(SECRET, right));
            assert!(!authorization.is_by("another", right));
        }
        let changed = Request {
            body: b"Param1=value2".to_vec(),
            ..form.clone()
        };
        assert!(!Authorization::of(&changed).unwrap().is_by(SECRET, &changed));
        let changed = Request {
            path: "/other".to_owned(),
            ..form
        };
        assert!(!Authorization::of(&changed).unwrap().is_by(SECRET, &changed));
    }

    #[test]
    fn what_is_no_authorization_is_none() {
        for text in [
            "",
            "Bearer x",
            "AWS4-HMAC-SHA256 Credential=a/b, SignedHeaders=, Signature=",
            "AWS4-HMAC-SHA256 ",
        ] {
            assert_eq!(
                Authorization::of(&request("GET", "/", &[], "", text)),
                None,
                "{text}"
            );
        }
    }
}
