//! Access keys: who signed a request, and whether the cloud still takes it.
//!
//! Codes are those of JSON services
//! ([common errors](https://docs.aws.amazon.com/AmazonECS/latest/APIReference/CommonErrors.html)); the query format
//! writes its own for them.

use std::time::Duration;

use super::Asked;
use super::signature::Authorization;
use crate::http::Request;
use crate::stand_ins::aws::call::Refusal;

/// Who calls.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Identity {
    /// The account, twelve digits.
    pub account: String,
    /// The user or the session of a role.
    pub arn: String,
    /// Its unique id, such as `AROA…:session`.
    pub user_id: String,
}

/// A pair of keys as it is handed out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Key {
    /// The access key id.
    pub id: String,
    /// The secret of the pair.
    pub secret: String,
    /// What a temporary pair comes with.
    pub token: Option<String>,
    /// From when on it is refused.
    pub expires: Option<Duration>,
    /// Whose it is.
    pub identity: Identity,
}

/// All keys that the cloud knows.
#[derive(Clone, Debug)]
pub struct Keys {
    region: String,
    known: Vec<Key>,
    issued: u32,
}

impl Keys {
    /// No keys, for a cloud in this region.
    #[must_use]
    pub fn new(region: &str) -> Self {
        Self {
            region: region.to_owned(),
            known: Vec::new(),
            issued: 0,
        }
    }

    /// Adds a pair that never expires.
    #[must_use]
    pub fn with(mut self, id: &str, secret: &str, identity: Identity) -> Self {
        self.known.push(Key {
            id: id.to_owned(),
            secret: secret.to_owned(),
            token: None,
            expires: None,
            identity,
        });
        self
    }

    /// Makes a temporary pair.
    pub fn issue(&mut self, identity: Identity, expires: Duration) -> Key {
        self.issued += 1;
        let number = self.issued;
        let key = Key {
            id: format!("ASIASANDBOX{number:09}"),
            secret: format!("sandbox/secret/of/a/temporary/pair/{number:05}"),
            token: Some(format!("sandbox-session-token-{number:09}")),
            expires: Some(expires),
            identity,
        };
        self.known.push(key.clone());
        key
    }

    /// Lets the pair of that id be refused from a moment on, whatever it was before.
    pub fn expire(&mut self, id: &str, at: Duration) {
        for key in self.known.iter_mut().filter(|key| key.id == id) {
            key.expires = Some(at);
        }
    }

    /// The pair of that id.
    pub(crate) fn pair(&self, id: &str) -> Option<&Key> {
        self.known.iter().find(|key| key.id == id)
    }

    /// Who signed this request; none where the operation asks for no signature.
    ///
    /// # Errors
    /// When the signature is missing, wrong, of an unknown key, for another service or region, or expired.
    pub fn check(
        &self,
        request: &Request,
        asked: &Asked,
        now: Duration,
    ) -> Result<Option<Identity>, Refusal> {
        if asked.service == "sts" && asked.operation == "AssumeRoleWithWebIdentity" {
            return Ok(None);
        }
        self.signer(request, asked.service, now).map(Some)
    }

    /// Who signed a request to this service.
    ///
    /// # Errors
    /// As [`Keys::check`].
    pub(crate) fn signer(
        &self,
        request: &Request,
        service: &str,
        now: Duration,
    ) -> Result<Identity, Refusal> {
        let Some(given) = Authorization::of(request) else {
            return Err(refused(
                "MissingAuthenticationTokenException",
                "Missing Authentication Token",
            ));
        };
        let Some(key) = self.pair(given.key) else {
            return Err(invalid_token());
        };
        if request.header("x-amz-security-token") != key.token.as_deref() {
            return Err(invalid_token());
        }
        if let Some(fault) = self.scope_fault(&given, service) {
            return Err(refused("InvalidSignatureException", &fault));
        }
        let unsigned = request
            .headers
            .iter()
            .map(|(name, _)| name.as_str())
            .find(|name| (name.starts_with("x-amz-") || *name == "host") && !given.signs(name));
        if let Some(header) = unsigned {
            let message = format!("'{header}' must be a 'SignedHeader' in the AWS Authorization.");
            return Err(refused("InvalidSignatureException", &message));
        }
        if !given.is_by(&key.secret, request) {
            return Err(refused(
                "InvalidSignatureException",
                "The request signature we calculated does not match the signature you provided. Check your AWS Secret \
                 Access Key and signing method. Consult the service documentation for details.",
            ));
        }
        if key.expires.is_some_and(|expires| expires <= now) {
            return Err(refused(
                "ExpiredTokenException",
                "The security token included in the request is expired",
            ));
        }
        Ok(key.identity.clone())
    }

    fn scope_fault(&self, given: &Authorization<'_>, service: &str) -> Option<String> {
        let expected = match service {
            "cloudwatch" => "monitoring",
            other => other,
        };
        if given.service != expected {
            return Some(format!(
                "Credential should be scoped to correct service: '{expected}'."
            ));
        }
        // These are also global.
        let global = matches!(service, "sts" | "iam" | "cloudfront") && given.region == "us-east-1";
        (given.region != self.region && !global).then(|| {
            format!(
                "Credential should be scoped to a valid region, not '{}'.",
                given.region
            )
        })
    }
}

fn invalid_token() -> Refusal {
    refused(
        "UnrecognizedClientException",
        "The security token included in the request is invalid.",
    )
}

fn refused(code: &str, message: &str) -> Refusal {
    Refusal::new(code, message)
}
