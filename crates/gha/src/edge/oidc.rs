//! OIDC: a token with which a cloud knows this run
//! (<https://docs.github.com/en/actions/reference/security/oidc>).

use std::time::Duration;

use reqwest::{Client, StatusCode, Url};
use secrecy::{ExposeSecret as _, SecretString};
use serde::Deserialize;

use crate::edge::http;
use crate::edge::runner::{Masks, Runner};
use crate::env::Env;

/// The longest that one request may take; GitHub answers in well under a second.
const TRY: Duration = Duration::from_secs(10);

/// Why there is no token.
#[derive(Debug, thiserror::Error)]
pub enum OidcError {
    /// The runner offers none.
    #[error("this job may not ask for an OIDC token; add `permissions: id-token: write` to it")]
    NotOffered,
    /// The runner's address is none.
    #[error("`ACTIONS_ID_TOKEN_REQUEST_URL` is not an address")]
    Address,
    /// The request failed.
    #[error("failed to ask for an OIDC token: {0}")]
    Request(String),
    /// The answer was a refusal.
    #[error("failed to ask for an OIDC token: the runner's service answered {0}")]
    Refused(StatusCode),
    /// The answer was no token.
    #[error("failed to ask for an OIDC token: the answer holds none")]
    Answer,
}

/// Where tokens of this run come from. It owns what it needs, so that it can be asked again when a token has ended.
#[derive(Clone, Debug)]
pub struct Tokens {
    url: Url,
    bearer: SecretString,
    client: Client,
    masks: Masks,
}

impl Tokens {
    /// What the runner offers this job.
    ///
    /// # Errors
    /// When the job may not have a token.
    pub fn offered(runner: &Runner, client: Client) -> Result<Self, OidcError> {
        let (url, bearer) = request(runner.env())?;
        let masks = runner.masks();
        Ok(Self {
            url,
            bearer,
            client,
            masks,
        })
    }

    /// Asks for a token for `audience`, and masks it.
    ///
    /// # Errors
    /// When the service does not give one.
    pub async fn token(&self, audience: &str) -> Result<SecretString, OidcError> {
        let failed = |error| OidcError::Request(http::reason(error));
        let mut url = self.url.clone();
        url.query_pairs_mut().append_pair("audience", audience);
        let answer = self
            .client
            .get(url)
            .bearer_auth(self.bearer.expose_secret())
            .timeout(TRY)
            .send()
            .await
            .map_err(failed)?;
        if !answer.status().is_success() {
            return Err(OidcError::Refused(answer.status()));
        }
        let body = answer.bytes().await.map_err(failed)?;
        let token = parse(&body).ok_or(OidcError::Answer)?;
        self.masks.mask(token.expose_secret());
        Ok(token)
    }
}

/// The request's address and its bearer token.
fn request(env: &Env) -> Result<(Url, SecretString), OidcError> {
    let offered = (
        env.get("ACTIONS_ID_TOKEN_REQUEST_URL"),
        env.get("ACTIONS_ID_TOKEN_REQUEST_TOKEN"),
    );
    let (Some(url), Some(bearer)) = offered else {
        return Err(OidcError::NotOffered);
    };
    let url = Url::parse(url).map_err(|_| OidcError::Address)?;
    Ok((url, SecretString::from(bearer)))
}

/// The token of an answer.
fn parse(body: &[u8]) -> Option<SecretString> {
    #[derive(Deserialize)]
    struct Answer {
        value: String,
    }
    let answer: Answer = serde_json::from_slice(body).ok()?;
    Some(answer.value)
        .filter(|value| !value.is_empty())
        .map(SecretString::from)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::edge::testing::{INTERFACE, runner};
    use sandbox::http::{Reply, Script, Server};

    #[test]
    fn a_job_without_the_permission_is_offered_none() {
        assert!(matches!(request(&Env::default()), Err(OidcError::NotOffered)));
        let env: Env = [
            ("ACTIONS_ID_TOKEN_REQUEST_URL", "no address"),
            ("ACTIONS_ID_TOKEN_REQUEST_TOKEN", "bearer"),
        ]
        .into_iter()
        .collect();
        assert!(matches!(request(&env), Err(OidcError::Address)));
    }

    #[test]
    fn only_a_token_is_a_token() {
        assert_eq!(
            parse(br#"{"value":"t"}"#).map(|t| t.expose_secret().to_owned()),
            Some("t".to_owned())
        );
        for body in [&b""[..], b"{}", b"{\"value\":\"\"}", b"[]", b"\xff"] {
            assert!(parse(body).is_none());
        }
    }

    #[tokio::test]
    async fn a_token_is_asked_for_as_documented_and_masked() {
        let answer = serde_json::json!({"count": 9, "value": "header.payload.signature"});
        let server =
            Server::start(Script::new().any([Reply::json(200, &answer), Reply::status(403)])).unwrap();
        let url = server.url("/token?api-version=2.0");
        let (runner, log) = runner(&[
            ("GITHUB_ACTIONS", "true"),
            ("ACTIONS_ID_TOKEN_REQUEST_URL", &url),
            ("ACTIONS_ID_TOKEN_REQUEST_TOKEN", "the-bearer"),
        ]);
        let client = http::client(&INTERFACE, false, TRY).unwrap();
        let tokens = Tokens::offered(&runner, client).unwrap();
        let given = tokens.token("sts.amazonaws.com&x").await.unwrap();
        assert_eq!(given.expose_secret(), "header.payload.signature");
        assert!(
            log.text().contains("::add-mask::header.payload.signature\n"),
            "{}",
            log.text()
        );
        let request = &server.requests()[0];
        assert_eq!(
            request.path,
            "/token?api-version=2.0&audience=sts.amazonaws.com%26x"
        );
        assert_eq!(request.header("authorization"), Some("Bearer the-bearer"));

        let refused = tokens.token("x").await.unwrap_err().to_string();
        assert!(
            refused.contains("403") && !refused.contains("the-bearer"),
            "{refused}"
        );
    }
}
