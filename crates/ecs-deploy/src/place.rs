//! The service that is deployed to, and by what it is reached.

use std::time::Duration;

use aws::config::{self, Settings};
use aws::role;
use gha::{Runner, duration, text};
use jiff::Timestamp;

use crate::api::Api;
use crate::api::services::Described;
use crate::cli;
use crate::error::Error;
use crate::words::{Controller, ServiceStatus};

/// The longest that opening a connection may take.
const CONNECT: Duration = Duration::from_secs(5);

/// The longest that one attempt of a call may take.
const ATTEMPT: Duration = Duration::from_secs(20);

/// The longest that a call may take with all its attempts.
const CALL: Duration = Duration::from_secs(60);

/// How often a read is tried.
const ATTEMPTS: u32 = 4;

/// When the credentials of the environment end, where whoever put them there says so
/// (<https://docs.aws.amazon.com/sdkref/latest/guide/feature-process-credentials.html>).
const EXPIRATION: &str = "AWS_CREDENTIAL_EXPIRATION";

/// How many names are told of services that there are.
const CLOSE: usize = 3;

/// The service that is deployed to.
pub struct Place<'a> {
    /// The way to AWS.
    pub api: Api,
    /// The runner.
    pub runner: &'a Runner,
    /// The cluster's name.
    pub cluster: String,
    /// The service's name.
    pub service: String,
    /// The region, where a flag names it.
    pub region: Option<String>,
    /// The deployment environment, as the user calls it.
    pub environment: Option<String>,
    /// Whether the run takes a role of its own.
    takes_role: bool,
}

impl<'a> Place<'a> {
    /// The way to the service that the flags name.
    ///
    /// # Errors
    /// When no client can be made, or no region is known.
    pub async fn of(flags: &cli::Place, runner: &'a Runner) -> Result<Self, Error> {
        let settings = Settings {
            interface: runner.interface(),
            region: flags.region.as_deref(),
            endpoint: flags.endpoint_url.as_deref(),
            connect: CONNECT,
            attempt: ATTEMPT,
            call: CALL,
            attempts: ATTEMPTS,
        };
        let mut config = config::load(&settings).await?;
        if config.region().is_none() {
            return Err(Error::Flag {
                flag: "region",
                reason: "no region is known: name it here, in `AWS_REGION` or in the profile".to_owned(),
            });
        }
        if let Some(arn) = &flags.role_arn {
            let env = runner.env();
            let is_job = env.get("GITHUB_ACTIONS").is_some();
            if is_job && env.get("ACTIONS_ID_TOKEN_REQUEST_URL").is_none() {
                runner.info("this job may not ask for an OIDC token (`permissions: id-token: write`), so the role is taken by the credentials at hand");
            }
            config = role::assume(config, arn, runner).await?;
        }
        Ok(Self::with(Api::new(&config, &flags.cluster), flags, runner))
    }

    /// The same over a way that is there already.
    #[must_use]
    pub fn with(api: Api, flags: &cli::Place, runner: &'a Runner) -> Self {
        Self {
            api,
            runner,
            cluster: last(&flags.cluster),
            service: last(flags.service.as_deref().unwrap_or_default()),
            region: flags.region.clone(),
            environment: flags.environment.clone(),
            takes_role: flags.role_arn.is_some(),
        }
    }

    /// Another service of the same cluster.
    #[must_use]
    pub fn beside(&self, service: &str) -> Self {
        Self {
            api: self.api.clone(),
            runner: self.runner,
            cluster: self.cluster.clone(),
            service: service.to_owned(),
            region: self.region.clone(),
            environment: self.environment.clone(),
            takes_role: self.takes_role,
        }
    }

    /// What is acted on, for the ledger: no account's number is in it.
    #[must_use]
    pub fn target(&self) -> String {
        format!("{}/{}", self.cluster, self.service)
    }

    /// The flags that name this place, for a command line that goes on or undoes.
    #[must_use]
    pub fn flags(&self) -> String {
        let region = self.region.as_ref();
        let region = region.map(|region| format!(" --region {}", word(region)));
        format!(
            "--cluster {} --service {}{}",
            word(&self.cluster),
            word(&self.service),
            region.unwrap_or_default()
        )
    }

    /// The service as it is, which must be one that ECS deploys.
    ///
    /// # Errors
    /// When there is none, it is not active, or something else deploys it.
    pub async fn described(&self) -> Result<Described, Error> {
        let asked = self.api.service(&self.service).await;
        let found = asked.map_err(Error::refused(format!("read service `{}`", self.service)))?;
        let Some(described) = found else {
            return Err(Error::NoService {
                service: self.service.clone(),
                cluster: self.cluster.clone(),
                close: self.close().await,
            });
        };
        let service = &described.service;
        if service.status != ServiceStatus::Active {
            return Err(Error::NotActive {
                service: self.service.clone(),
                status: text::line(service.status.word()),
            });
        }
        if service.controller != Controller::Ecs {
            return Err(Error::Controller {
                service: self.service.clone(),
                controller: text::line(service.controller.word()),
            });
        }
        Ok(described)
    }

    /// Warns where the credentials end before the run may: those of the environment can't be renewed.
    pub fn warn_of_expiry(&self, longest: Duration) {
        let env = self.runner.env();
        let ends = env.get(EXPIRATION).and_then(|at| at.parse::<Timestamp>().ok());
        let ends = ends.filter(|_| env.get("AWS_SESSION_TOKEN").is_some() && !self.takes_role);
        let Some(ends) = ends else { return };
        let left = ends.duration_since(self.runner.now());
        let left = Duration::try_from(left).unwrap_or_default();
        if left < longest {
            self.runner.warn(&format!(
                "the credentials end in {}, and the run may take {}: give them a longer time, or let `--role-arn` take the role, \
                 which renews them",
                duration::display(left),
                duration::display(longest)
            ));
        }
    }

    /// Names of services that are close to the one that is not there.
    async fn close(&self) -> String {
        let Ok(mut names) = self.api.service_names().await else {
            return String::new();
        };
        names.sort_by_cached_key(|name| strsim::damerau_levenshtein(name, &self.service));
        let shown: Vec<String> = names
            .iter()
            .take(CLOSE)
            .map(|name| format!("`{}`", text::line(name)))
            .collect();
        if shown.is_empty() {
            return ", which has no services".to_owned();
        }
        format!("; there is {}", shown.join(", "))
    }
}

/// The name at the end of an ARN, or the name itself: an ARN holds the account's number.
fn last(name: &str) -> String {
    text::line(name.rsplit('/').next().unwrap_or(name))
}

/// A value as one word of a shell's command line.
fn word(value: &str) -> String {
    shlex::try_quote(value).map_or_else(|_| value.to_owned(), |quoted| quoted.into_owned())
}
