//! A role taken for a run: by the OIDC token of a workflow, which AWS trusts without any key in a secret, or else by the
//! credentials at hand.
//!
//! A workflow's token is asked for anew each time credentials are about to end, so that a wait may be longer than they
//! live. <https://docs.github.com/en/actions/how-tos/secure-your-work/security-harden-deployments/oidc-in-aws>

use std::fmt;
use std::time::{Duration, SystemTime};

use aws_config::SdkConfig;
use aws_config::sts::AssumeRoleProvider;
use aws_credential_types::Credentials;
use aws_credential_types::provider::error::CredentialsError;
use aws_credential_types::provider::{ProvideCredentials, Result, SharedCredentialsProvider, future};
use gha::Runner;
use gha::edge::http::{self, HttpError};
use gha::edge::oidc::{OidcError, Tokens};
use gha::edge::runner::Masks;
use secrecy::ExposeSecret as _;

use crate::config::ConfigError;

/// Whom a token for AWS is meant for.
const AUDIENCE: &str = "sts.amazonaws.com";

/// The longest that opening a connection to the runner's service may take.
const CONNECT: Duration = Duration::from_secs(5);

/// The longest name of a session (<https://docs.aws.amazon.com/STS/latest/APIReference/API_AssumeRole.html>).
const SESSION: usize = 64;

/// The configuration with the credentials of a role, which are asked for by the first call and not here.
///
/// # Errors
/// When no HTTP client can be made.
pub async fn assume(
    config: SdkConfig,
    arn: &str,
    runner: &Runner,
) -> std::result::Result<SdkConfig, ConfigError> {
    let session = session_name(runner);
    let provider = match offered(runner)? {
        Some(tokens) => SharedCredentialsProvider::new(ByWorkflow {
            client: aws_sdk_sts::Client::new(&config),
            tokens,
            masks: runner.masks(),
            arn: arn.to_owned(),
            session,
        }),
        None => SharedCredentialsProvider::new(
            AssumeRoleProvider::builder(arn)
                .configure(&config)
                .session_name(session)
                .build()
                .await,
        ),
    };
    Ok(config.into_builder().credentials_provider(provider).build())
}

/// The tokens of a workflow whose job may have them.
fn offered(runner: &Runner) -> std::result::Result<Option<Tokens>, HttpError> {
    let client = http::client(runner.interface(), false, CONNECT)?;
    Ok(Tokens::offered(runner, client).ok())
}

/// How the session is named in the account's logs.
fn session_name(runner: &Runner) -> String {
    let run = runner.env().get("GITHUB_RUN_ID").unwrap_or("local");
    let name = format!("{}-{run}", runner.interface().name);
    let allowed = |letter: &char| letter.is_ascii_alphanumeric() || "+=,.@_-".contains(*letter);
    name.chars().filter(allowed).take(SESSION).collect()
}

/// A role by a workflow's token.
struct ByWorkflow {
    client: aws_sdk_sts::Client,
    tokens: Tokens,
    masks: Masks,
    arn: String,
    session: String,
}

impl fmt::Debug for ByWorkflow {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("ByWorkflow")
            .field("session", &self.session)
            .finish_non_exhaustive()
    }
}

impl ByWorkflow {
    async fn credentials(&self) -> Result {
        let token = self.tokens.token(AUDIENCE).await.map_err(|error| match error {
            OidcError::Request(_) => CredentialsError::provider_error(error),
            _ => CredentialsError::invalid_configuration(error),
        })?;
        let answer = self
            .client
            .assume_role_with_web_identity()
            .role_arn(&self.arn)
            .role_session_name(&self.session)
            .web_identity_token(token.expose_secret())
            .send()
            .await
            .map_err(CredentialsError::provider_error)?;
        let none = || {
            CredentialsError::provider_error(
                "the answer to `sts:AssumeRoleWithWebIdentity` holds no credentials",
            )
        };
        let given = answer.credentials.ok_or_else(none)?;
        self.masks.mask(given.secret_access_key());
        self.masks.mask(given.session_token());
        let ends = SystemTime::try_from(*given.expiration()).ok();
        Ok(Credentials::new(
            given.access_key_id,
            given.secret_access_key,
            Some(given.session_token),
            ends,
            "the workflow's role",
        ))
    }
}

impl ProvideCredentials for ByWorkflow {
    fn provide_credentials<'a>(&'a self) -> future::ProvideCredentials<'a>
    where
        Self: 'a,
    {
        future::ProvideCredentials::new(self.credentials())
    }
}
