//! The configuration of an AWS client: region, credentials, time limits, and the way to the network.
//!
//! Credentials come from where the AWS CLI finds them: the environment, a profile, the OIDC token of a workflow, the role
//! of a container or a machine. A profile of IAM Identity Center (`sso_session`) is the exception: export it by
//! `aws configure export-credentials`. A proxy must not stand before the machine's own address for credentials: with
//! `HTTP_PROXY`, name `169.254.169.254` in `NO_PROXY`.

use std::time::Duration;

pub use aws_config::SdkConfig;
use aws_config::retry::RetryConfig;
use aws_config::timeout::TimeoutConfig;
use aws_config::{AppName, BehaviorVersion, Region};
use aws_smithy_http_client::proxy::ProxyConfig;
use aws_smithy_http_client::tls::rustls_provider::CryptoMode;
use aws_smithy_http_client::tls::{Provider, TlsContext};
use aws_smithy_http_client::{Builder, Connector};
use aws_smithy_runtime_api::client::http::SharedHttpClient;
use aws_smithy_runtime_api::client::runtime_components::RuntimeComponents;
use aws_types::service_config::ServiceConfigKey;
use gha::edge::http::HttpError;
use gha::interface::Interface;

use crate::trust;

/// What a tool says of its clients. What it leaves out comes from the environment and the profile, as for the AWS CLI.
#[derive(Clone, Debug)]
pub struct Settings<'a> {
    /// The tool, for the user agent.
    pub interface: &'a Interface,
    /// Such as `eu-west-1`.
    pub region: Option<&'a str>,
    /// Where the services are instead; `AWS_ENDPOINT_URL` and `AWS_ENDPOINT_URL_CLOUDWATCH` and its kin otherwise
    /// (<https://docs.aws.amazon.com/sdkref/latest/guide/feature-ss-endpoints.html>).
    pub endpoint: Option<&'a str>,
    /// The longest that opening a connection may take.
    pub connect: Duration,
    /// The longest that one attempt may take.
    pub attempt: Duration,
    /// The longest that a call may take with all its attempts.
    pub call: Duration,
    /// How often a call is tried at most, the first time included.
    pub attempts: u32,
}

/// Why there is no configuration.
#[derive(Debug, thiserror::Error)]
#[error("failed to set up the AWS client")]
pub struct ConfigError(#[from] HttpError);

/// The configuration for the clients of all services. Credentials are asked for by the first call and not here.
///
/// # Errors
/// When the certificate authorities can't be used.
pub async fn load(settings: &Settings<'_>) -> Result<SdkConfig, ConfigError> {
    let mut loader = aws_config::defaults(BehaviorVersion::v2026_01_12())
        .http_client(http_client()?)
        .retry_config(RetryConfig::standard().with_max_attempts(settings.attempts))
        .timeout_config(timeouts(settings));
    if let Ok(name) = AppName::new(format!("deploy-actions-{}", settings.interface.name)) {
        loader = loader.app_name(name);
    }
    if let Some(region) = settings.region {
        loader = loader.region(Region::new(region.to_owned()));
    }
    if let Some(endpoint) = settings.endpoint {
        loader = loader.endpoint_url(endpoint);
    }
    Ok(loader.load().await)
}

/// A configuration with the credentials and the way to the network of another, and these times; region and address as far
/// as they are said.
#[must_use]
pub fn narrowed(config: &SdkConfig, settings: &Settings<'_>) -> SdkConfig {
    let mut builder = config
        .to_builder()
        .retry_config(RetryConfig::standard().with_max_attempts(settings.attempts))
        .timeout_config(timeouts(settings));
    if let Some(region) = settings.region {
        builder = builder.region(Region::new(region.to_owned()));
    }
    if let Some(endpoint) = settings.endpoint {
        builder = builder.endpoint_url(endpoint);
    }
    builder.build()
}

/// Where a service is instead of AWS, if somebody says so: by a flag, for this service, or for all. `service` is its id in the
/// SDK, such as `S3` (<https://docs.aws.amazon.com/sdkref/latest/guide/feature-ss-endpoints.html>).
#[must_use]
pub fn endpoint(config: &SdkConfig, service: &str) -> Option<String> {
    let all = || config.endpoint_url().map(str::to_owned);
    if config.get_origin("endpoint_url").is_client_config() {
        return all();
    }
    let key = ServiceConfigKey::builder()
        .service_id(service)
        .env("AWS_ENDPOINT_URL")
        .profile("endpoint_url")
        .build();
    let own = key.ok().zip(config.service_config());
    own.and_then(|(key, known)| known.load_config(key)).or_else(all)
}

fn timeouts(settings: &Settings<'_>) -> TimeoutConfig {
    TimeoutConfig::builder()
        .connect_timeout(settings.connect)
        .operation_attempt_timeout(settings.attempt)
        .operation_timeout(settings.call)
        .build()
}

/// The way to the network: rustls with ring, the machine's authorities, `HTTPS_PROXY` and `NO_PROXY`.
fn http_client() -> Result<SharedHttpClient, HttpError> {
    let trust = trust::store()?;
    // Building fails for no input of today's version; without a context nobody would be trusted, so it is not hidden.
    let tls = TlsContext::builder()
        .with_trust_store(trust)
        .build()
        .map_err(|error| HttpError::Tls(rustls::Error::General(error.to_string())))?;
    Ok(
        Builder::new().build_with_connector_fn(move |settings, components| {
            let mut builder = Connector::builder()
                .tls_provider(Provider::Rustls(CryptoMode::Ring))
                .tls_context(tls.clone())
                .proxy_config(ProxyConfig::from_env());
            builder.set_connector_settings(settings.cloned());
            builder.set_sleep_impl(components.and_then(RuntimeComponents::sleep_impl));
            builder.build()
        }),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    const TOOL: Interface = Interface::named("health-gate");

    #[tokio::test]
    async fn what_a_tool_says_is_in_the_configuration() {
        let settings = Settings {
            interface: &TOOL,
            region: Some("eu-west-1"),
            endpoint: Some("http://127.0.0.1:9/base"),
            connect: Duration::from_secs(1),
            attempt: Duration::from_secs(2),
            call: Duration::from_secs(3),
            attempts: 2,
        };
        let config = load(&settings).await.unwrap();
        assert_eq!(
            config.region().map(ToString::to_string).as_deref(),
            Some("eu-west-1")
        );
        assert_eq!(config.endpoint_url(), Some("http://127.0.0.1:9/base"));
        assert_eq!(config.retry_config().map(RetryConfig::max_attempts), Some(2));
        let timeouts = config.timeout_config().unwrap();
        assert_eq!(timeouts.connect_timeout(), Some(Duration::from_secs(1)));
        assert_eq!(timeouts.operation_attempt_timeout(), Some(Duration::from_secs(2)));
        assert_eq!(timeouts.operation_timeout(), Some(Duration::from_secs(3)));
        assert_eq!(
            config.app_name().map(ToString::to_string).as_deref(),
            Some("deploy-actions-health-gate")
        );
        let other = Settings {
            region: Some("eu-north-1"),
            endpoint: None,
            attempts: 1,
            ..settings
        };
        let narrow = narrowed(&config, &other);
        assert_eq!(
            narrow.region().map(ToString::to_string).as_deref(),
            Some("eu-north-1")
        );
        assert_eq!(narrow.endpoint_url(), Some("http://127.0.0.1:9/base"));
        assert_eq!(narrow.retry_config().map(RetryConfig::max_attempts), Some(1));
    }
}
