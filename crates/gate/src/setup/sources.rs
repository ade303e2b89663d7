//! Metric sources from a gate file.

use std::time::Duration;

use gha::edge::http::{self, Url};
use secrecy::SecretString;

use crate::setup::{Setup, SetupError, exposed, program, setting};
use crate::source::Source;
use crate::source::compose::ComposeSource;
use crate::source::datadog::{self, Datadog};
use crate::source::exec::ExecSource;
use crate::source::http_json::HttpJson;
use crate::source::prometheus::{self, Prometheus};
use crate::spec::sources::{Credentials, Kind, Source as Named};

/// How long connecting to a source may take.
const CONNECT: Duration = Duration::from_secs(5);

impl Setup<'_> {
    /// A metric source.
    ///
    /// # Errors
    /// When a setting can't be used, or the certificate authorities can't be read.
    pub async fn source(&self, source: &Named) -> Result<Box<dyn Source>, SetupError> {
        let name = source.name.as_str();
        Ok(match &source.kind {
            Kind::Prometheus {
                url,
                credentials,
                headers,
                offset,
            } => {
                let options = prometheus::Options {
                    url: url.url().clone(),
                    credentials: self.credentials(name, credentials.as_ref())?,
                    headers: self.headers(headers)?,
                    offset: *offset,
                    timeout: source.timeout,
                };
                let client = self.client(url.url())?;
                Box::new(Prometheus::new(client, options).map_err(|error| setting(name, error))?)
            }
            Kind::Datadog {
                site,
                url,
                api_key,
                app_key,
            } => {
                let url = match url {
                    Some(url) => url.url().clone(),
                    None => datadog::site(site).map_err(|error| setting(name, error))?,
                };
                let client = self.client(&url)?;
                let options = datadog::Options {
                    url,
                    api_key: self.secret(api_key)?,
                    application_key: self.secret(app_key)?,
                    offset: Duration::ZERO,
                    timeout: source.timeout,
                };
                Box::new(Datadog::new(client, options).map_err(|error| setting(name, error))?)
            }
            // Where the number stands is part of each rule's query.
            Kind::HttpJson { url, headers, .. } => {
                let client = self.client(url.url())?;
                let headers = self.headers(headers)?;
                let source = HttpJson::new(client, &with_window(url.url()), &headers, self.masker.clone());
                Box::new(source.map_err(|error| setting(name, error))?)
            }
            Kind::Exec {
                program: name,
                at,
                args,
                ..
            } => {
                let path = self.runner.env().get("PATH").unwrap_or_default();
                program::there(name, path).map_err(|reason| SetupError::Placed { place: *at, reason })?;
                Box::new(ExecSource::new(name, args, self.masker.clone()))
            }
            Kind::Compose { project, socket } => {
                let compose = self.compose_of(name, project, socket.as_deref(), &[], &[])?;
                Box::new(ComposeSource::new(compose))
            }
            #[cfg(feature = "cloudwatch")]
            Kind::CloudWatch {
                region,
                endpoint,
                offset,
            } => {
                let endpoint = endpoint.as_ref().map(|endpoint| endpoint.url().to_string());
                let settings = aws::config::Settings {
                    interface: self.runner.interface(),
                    region: region.as_deref(),
                    endpoint: endpoint.as_deref(),
                    connect: CONNECT,
                    attempt: source.timeout,
                    call: source.timeout,
                    // What fails is asked again by the observation.
                    attempts: 1,
                };
                let config = match &self.aws {
                    Some(config) => aws::config::narrowed(config, &settings),
                    None => aws::config::load(&settings).await?,
                };
                Box::new(crate::source::cloudwatch::CloudWatch::new(&config, *offset))
            }
            Kind::Ecs { metric } => {
                let offered = self.ecs.map(|source| source(*metric));
                offered.ok_or_else(|| setting(name, "this program deploys nothing to ECS"))?
            }
            #[cfg(not(feature = "cloudwatch"))]
            Kind::CloudWatch { .. } => return Err(setting(name, "this program asks no CloudWatch")),
        })
    }

    fn client(&self, url: &Url) -> Result<reqwest::Client, SetupError> {
        Ok(http::client(
            self.runner.interface(),
            self.speaks_tls(url),
            CONNECT,
        )?)
    }

    fn credentials(
        &self,
        name: &str,
        credentials: Option<&Credentials>,
    ) -> Result<prometheus::Credentials, SetupError> {
        Ok(match credentials {
            None => prometheus::Credentials::None,
            Some(Credentials::Bearer(token)) => prometheus::Credentials::Bearer(self.secret(token)?),
            Some(Credentials::Basic(pair)) => {
                let pair = self.secret(pair)?;
                let (user, password) = exposed(&pair)
                    .split_once(':')
                    .ok_or_else(|| setting(name, "`basic_env` must hold `user:password`"))?;
                prometheus::Credentials::Basic {
                    user: user.to_owned(),
                    password: SecretString::from(password.to_owned()),
                }
            }
        })
    }
}

/// An address with its `{{window}}` as it was written: reading it as an address encodes the braces of its path
/// (<https://url.spec.whatwg.org/#path-percent-encode-set>).
fn with_window(url: &Url) -> String {
    url.as_str().replace("%7B%7Bwindow%7D%7D", "{{window}}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_window_anywhere_in_an_address_can_be_filled_in() {
        for written in [
            "https://stats.example/last/{{window}}/errors",
            "https://stats.example/last?range={{window}}",
            "https://stats.example/{{window}}?range={{window}}&q=%7B1%7D",
        ] {
            assert_eq!(with_window(&Url::parse(written).unwrap()), written);
        }
    }
}
