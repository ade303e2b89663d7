//! From a checked gate file to probes and sources that can be asked: secrets are read and hidden here, clients made. It
//! touches no network.

use std::cell::OnceCell;

use gha::Runner;
use gha::edge::http::{self, HttpError, Url};
use gha::mask::Masker;
use secrecy::{ExposeSecret as _, SecretString};
use serde_json::Value;

use crate::expression::Expression;
use crate::net::tls::Trust;
use crate::source::Source;
use crate::spec::Spec;
use crate::spec::fault::Place;
use crate::spec::secret::SecretName;
use crate::spec::sources::EcsMetric;
use crate::spec::target::Filter;

mod program;
mod secrets;
mod sources;
mod targets;

/// Why something can't be made from what was asked for.
#[derive(Debug, thiserror::Error)]
pub enum SetupError {
    /// The client can't be made.
    #[error(transparent)]
    Http(#[from] HttpError),
    /// An expression is none, or a program is not there.
    #[error("line {}, column {}: {reason}", place.line, place.column)]
    Placed {
        /// Where it stands; line 0 on the command line.
        place: Place,
        /// Why.
        reason: String,
    },
    /// A setting of a target or source can't be used.
    #[error("`{name}`: {reason}")]
    Setting {
        /// The target or source.
        name: String,
        /// Why.
        reason: String,
    },
    /// A variable with a secret is not set.
    #[error("the environment variable `{0}` is not set or empty")]
    Secret(String),
    /// Metrics of AWS can't be asked.
    #[cfg(feature = "cloudwatch")]
    #[error(transparent)]
    Aws(#[from] aws::config::ConfigError),
}

/// Makes probes and sources.
pub struct Setup<'a> {
    runner: &'a Runner,
    variables: Vec<(String, Value)>,
    masker: Masker,
    trust: OnceCell<Trust>,
    #[cfg(feature = "cloudwatch")]
    aws: Option<aws::config::SdkConfig>,
    ecs: Option<&'a dyn Fn(EcsMetric) -> Box<dyn Source>>,
}

impl<'a> Setup<'a> {
    /// Hides every secret that a gate file names or holds, and makes ready to build from it.
    #[must_use]
    pub fn new(spec: &Spec, runner: &'a Runner) -> Self {
        secrets::hide(spec, runner);
        let variables = spec
            .vars
            .iter()
            .map(|(name, value)| (name.clone(), Value::String(value.clone())))
            .collect();
        Self {
            runner,
            variables,
            masker: runner.writer().masker().clone(),
            trust: OnceCell::new(),
            #[cfg(feature = "cloudwatch")]
            aws: None,
            ecs: None,
        }
    }

    /// The same with a configuration of AWS that is there already: its credentials are those of the tool, and its region
    /// and address count where a source names none.
    #[cfg(feature = "cloudwatch")]
    #[must_use]
    pub fn with_aws(self, config: &aws::config::SdkConfig) -> Self {
        Self {
            aws: Some(config.clone()),
            ..self
        }
    }

    /// The same in a tool that tells of a service on ECS.
    #[must_use]
    pub fn with_ecs(self, source: &'a dyn Fn(EcsMetric) -> Box<dyn Source>) -> Self {
        Self {
            ecs: Some(source),
            ..self
        }
    }

    /// A condition with the file's variables.
    fn expression(&self, filter: &Filter) -> Result<Expression, SetupError> {
        let variables: Vec<(&str, Value)> = self
            .variables
            .iter()
            .map(|(name, value)| (name.as_str(), value.clone()))
            .collect();
        Expression::condition(&filter.text, &variables).map_err(|error| SetupError::Placed {
            place: filter.at,
            reason: error.to_string(),
        })
    }

    /// The value of a secret.
    fn secret(&self, name: &SecretName) -> Result<SecretString, SetupError> {
        match self.runner.env().get(&name.name) {
            Some(value) => Ok(SecretString::from(value.to_owned())),
            None => Err(SetupError::Secret(name.name.clone())),
        }
    }

    /// Headers with their secret values.
    fn headers(&self, named: &[(String, SecretName)]) -> Result<Vec<(String, SecretString)>, SetupError> {
        named
            .iter()
            .map(|(header, name)| Ok((header.clone(), self.secret(name)?)))
            .collect()
    }

    /// Whose certificates are trusted for an address. Where no TLS is spoken the authorities are not read, which takes
    /// longer than all the rest of a look at a neighbour.
    fn trust(&self, secure: bool) -> Result<Trust, SetupError> {
        if !secure {
            return Ok(Trust::nobody());
        }
        if let Some(trust) = self.trust.get() {
            return Ok(trust.clone());
        }
        let trust = Trust::system()?;
        Ok(self.trust.get_or_init(|| trust).clone())
    }

    /// Whether requests to an address may need TLS.
    fn speaks_tls(&self, url: &Url) -> bool {
        http::speaks_tls([url], self.runner.env())
    }
}

/// A value that goes into a request.
fn exposed(secret: &SecretString) -> &str {
    secret.expose_secret()
}

/// A setting that can't be used.
fn setting(name: &str, reason: impl std::fmt::Display) -> SetupError {
    SetupError::Setting {
        name: gha::text::cut(&gha::text::visible(name), 100),
        reason: reason.to_string(),
    }
}
