//! The way to an EKS cluster by the AWS credentials at hand, as `aws eks update-kubeconfig` and `aws eks get-token` make it,
//! without that program.
//!
//! A token is the address of a signed question to STS, who one is, and the cluster's name is signed with it
//! (<https://github.com/kubernetes-sigs/aws-iam-authenticator#api-authorization-from-outside-a-cluster>). It is signed anew long
//! before it ends. Limits: no dual-stack addresses; `AWS_ENDPOINT_URL_STS` changes nothing, as the cluster takes STS' own hosts
//! only.

use std::fmt;
use std::time::{Duration, SystemTime};

use aws::config::SdkConfig;
use aws::reason::{self, Kind};
use aws::signed_call::{self, EKS, Question, STS};
use aws_credential_types::Credentials;
use aws_credential_types::provider::ProvideCredentials as _;
use aws_sigv4::http_request::{SignableBody, SignableRequest, SignatureLocation, SigningSettings, sign};
use aws_sigv4::sign::v4;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use gha::edge::environment;
use gha::text;
use kube::config::Cluster;
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use secrecy::SecretString;
use serde_json::Value;

use super::error::AccessError;
use super::token::Fresh;

/// How long the address itself may be used; the cluster takes a token for longer.
const ADDRESS: Duration = Duration::from_secs(60);

/// How long a cluster takes a token, a minute less than it says
/// (<https://github.com/kubernetes-sigs/aws-iam-authenticator/blob/master/pkg/token/token.go>).
const TAKEN: Duration = Duration::from_secs(14 * 60);

/// How long one is used here.
const USED: Duration = Duration::from_secs(10 * 60);

/// The header that names the cluster, and is signed.
const CLUSTER: &str = "x-k8s-aws-id";

/// Where a cluster is, in the form of a kubeconfig.
///
/// # Errors
/// When there is none of that name, it has no address yet, or AWS does not answer.
pub(super) async fn find(config: &SdkConfig, region: &str, name: &str) -> Result<Cluster, AccessError> {
    let path = Value::from(format!(
        "/clusters/{}",
        utf8_percent_encode(name, NON_ALPHANUMERIC)
    ));
    let question = Question {
        service: EKS,
        operation: "DescribeCluster",
        region,
        input: &path,
    };
    let asked = signed_call::ask(config, question).await;
    let answer = asked.map_err(|error| {
        use aws_smithy_types::error::metadata::ProvideErrorMetadata as _;
        if error.code() == Some("ResourceNotFoundException") {
            let (name, region) = (text::line(name), text::line(region));
            return AccessError::Eks(format!("there is no EKS cluster `{name}` in `{region}`"));
        }
        let reason = reason::of(&question.call(), &error);
        AccessError::Aws {
            cluster: text::line(name),
            may_pass: reason.kind == Kind::Passing,
            reason: reason.text,
        }
    })?;
    described(&answer, name)
}

/// Where the answer says that a cluster is.
fn described(answer: &Value, name: &str) -> Result<Cluster, AccessError> {
    let cluster = &answer["cluster"];
    let said = |value: &Value| value.as_str().filter(|text| !text.is_empty()).map(str::to_owned);
    let name = text::line(name);
    let Some(endpoint) = said(&cluster["endpoint"]) else {
        let status = text::cut(&text::line(cluster["status"].as_str().unwrap_or("unknown")), 40);
        return Err(AccessError::Eks(format!(
            "EKS cluster `{name}` has no address yet: its status is `{status}`"
        )));
    };
    let Some(authority) = said(&cluster["certificateAuthority"]["data"]) else {
        return Err(AccessError::Eks(format!(
            "EKS cluster `{name}` has no certificate authority yet"
        )));
    };
    Ok(Cluster {
        server: Some(endpoint),
        certificate_authority_data: Some(authority),
        ..Cluster::default()
    })
}

/// Signs tokens for a cluster.
pub(super) struct Signer {
    config: SdkConfig,
    region: String,
    cluster: String,
}

impl fmt::Debug for Signer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Signer")
            .field("cluster", &self.cluster)
            .finish_non_exhaustive()
    }
}

impl Signer {
    /// Signs by the credentials of a configuration.
    #[must_use]
    pub(super) fn new(config: &SdkConfig, region: &str, cluster: &str) -> Self {
        Self {
            config: config.clone(),
            region: region.to_owned(),
            cluster: cluster.to_owned(),
        }
    }

    /// A new token.
    ///
    /// # Errors
    /// When there are no credentials; why, in words.
    pub(super) async fn token(&self) -> Result<Fresh, String> {
        let provider = self.config.credentials_provider();
        let provider = provider.ok_or_else(|| "there are no AWS credentials".to_owned())?;
        let credentials = provider
            .provide_credentials()
            .await
            .map_err(|error| format!("no AWS credentials for a token of EKS: {}", why(&error)))?;
        let now = match self.config.time_source() {
            Some(clock) => clock.now(),
            None => SystemTime::from(environment::now()),
        };
        let is_fips = self.config.use_fips().unwrap_or_default();
        let (host, region) = signed_call::address(STS, &self.region, is_fips);
        let signed = token(&credentials, &host, &region, &self.cluster, now);
        Ok(Fresh {
            token: SecretString::from(signed.ok_or_else(|| "the credentials of AWS can't sign".to_owned())?),
            good_for: Some(USED),
            ends_in: Some(TAKEN),
        })
    }
}

/// Why there are no credentials.
fn why(error: &aws_credential_types::provider::error::CredentialsError) -> String {
    let innermost = crate::api::refused::innermost(error);
    gha::accounts::without(&innermost)
}

/// A token, if the credentials can sign one. `host` is the address of STS in a region.
fn token(
    credentials: &Credentials,
    host: &str,
    region: &str,
    cluster: &str,
    now: SystemTime,
) -> Option<String> {
    let question = format!("{host}/?Action=GetCallerIdentity&Version=2011-06-15");
    let mut settings = SigningSettings::default();
    settings.signature_location = SignatureLocation::QueryParams;
    settings.expires_in = Some(ADDRESS);
    let identity = credentials.clone().into();
    let parameters = v4::SigningParams::builder()
        .identity(&identity)
        .region(region)
        .name("sts")
        .time(now)
        .settings(settings)
        .build()
        .ok()?
        .into();
    let named = [(CLUSTER, cluster)];
    let body = SignableBody::Bytes(&[]);
    let request = SignableRequest::new("GET", question.as_str(), named.into_iter(), body).ok()?;
    let (signed, _) = sign(request, &parameters).ok()?.into_parts();
    let mut address = question;
    for (name, value) in signed.params() {
        address.push_str(&format!("&{name}={}", utf8_percent_encode(value, &PLAIN)));
    }
    Some(format!("k8s-aws-v1.{}", URL_SAFE_NO_PAD.encode(address)))
}

/// What a value of a signed query has as it is
/// (<https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-create-signed-request.html>).
const PLAIN: percent_encoding::AsciiSet = NON_ALPHANUMERIC
    .remove(b'-')
    .remove(b'_')
    .remove(b'.')
    .remove(b'~');

#[cfg(test)]
mod tests {
    use proptest::prelude::{any, proptest};
    use serde_json::json;

    use super::*;

    const HOST: &str = "https://sts.eu-west-1.amazonaws.com";

    fn signed(session: Option<&str>, cluster: &str) -> String {
        let secret = "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY";
        let credentials = Credentials::new("AKIDEXAMPLE", secret, session.map(str::to_owned), None, "test");
        let now = SystemTime::UNIX_EPOCH + Duration::from_secs(1_767_225_600);
        let token = token(&credentials, HOST, "eu-west-1", cluster, now).unwrap();
        let address = URL_SAFE_NO_PAD
            .decode(token.strip_prefix("k8s-aws-v1.").unwrap())
            .unwrap();
        String::from_utf8(address).unwrap()
    }

    /// The parameters of an address in the order of their names; STS does not look at the order that they have.
    fn sorted(address: &str) -> Vec<&str> {
        let mut parts: Vec<&str> = address.split(['?', '&']).collect();
        parts.sort_unstable();
        parts
    }

    /// What botocore's `SigV4QueryAuth` makes of the same.
    #[test]
    fn a_token_is_what_botocore_signs() {
        let common = "https://sts.eu-west-1.amazonaws.com/?Action=GetCallerIdentity&Version=2011-06-15&X-Amz-Algorithm=AWS4-HMAC-SHA256\
            &X-Amz-Credential=AKIDEXAMPLE%2F20260101%2Feu-west-1%2Fsts%2Faws4_request&X-Amz-Date=20260101T000000Z&X-Amz-Expires=60\
            &X-Amz-SignedHeaders=host%3Bx-k8s-aws-id";
        for (session, rest) in [
            (
                None,
                "&X-Amz-Signature=9d98badd14728c6bf01213a6b804fad517918549ee874f03fa2c13b44b82a0b9",
            ),
            (
                Some("session/token+x=="),
                "&X-Amz-Security-Token=session%2Ftoken%2Bx%3D%3D\
                 &X-Amz-Signature=0c503b35b819a275fce248110d76253c50046e39ba179a854a63626b47c94d17",
            ),
        ] {
            assert_eq!(
                sorted(&signed(session, "production")),
                sorted(&format!("{common}{rest}"))
            );
        }
    }

    #[test]
    fn the_cluster_s_name_is_signed() {
        assert_ne!(signed(None, "production"), signed(None, "staging"));
    }

    #[test]
    fn a_cluster_that_is_being_made_has_no_address() {
        let there = json!({"cluster": {"endpoint": "https://x", "certificateAuthority": {"data": "eA=="}}});
        assert_eq!(
            described(&there, "x").unwrap().server.as_deref(),
            Some("https://x")
        );
        for (answer, words) in [
            (
                json!({"cluster": {"status": "CREATING"}}),
                "EKS cluster `x` has no address yet: its status is `CREATING`",
            ),
            (
                json!({"cluster": {"endpoint": "https://x"}}),
                "EKS cluster `x` has no certificate authority yet",
            ),
            (
                json!([]),
                "EKS cluster `x` has no address yet: its status is `unknown`",
            ),
        ] {
            assert_eq!(described(&answer, "x").unwrap_err().to_string(), words);
        }
    }

    proptest! {
        #[test]
        fn no_name_panics(cluster in any::<String>()) {
            let credentials = Credentials::new("A", "B", None, None, "test");
            let _ = token(&credentials, HOST, "eu-west-1", &cluster, SystemTime::UNIX_EPOCH);
        }
    }
}
