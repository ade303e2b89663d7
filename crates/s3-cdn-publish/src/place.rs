//! The bucket that is published to, and by what it is reached.

use std::time::Duration;

use aws::config::{self, SdkConfig, Settings};
use aws::role;
use gha::Runner;
use gha::reproduce::quote;

use crate::api::{Bucket, Reach};
use crate::cli;
use crate::error::Error;

/// The longest that opening a connection may take.
const CONNECT: Duration = Duration::from_secs(5);

/// The longest that one attempt of a call may take.
const ATTEMPT: Duration = Duration::from_secs(20);

/// The longest that a call may take with all its attempts.
const CALL: Duration = Duration::from_secs(90);

/// How often a read is tried.
const ATTEMPTS: u32 = 5;

/// The region that stores behind an endpoint are signed for where none is named: they do not look at it, or want this one.
const ANY_REGION: &str = "us-east-1";

/// What the SDK calls the service.
const S3: &str = "S3";

/// The bucket that is published to.
pub struct Place<'a> {
    /// The way to it.
    pub bucket: Bucket,
    /// The way to AWS, for CloudFront.
    pub config: SdkConfig,
    /// The runner.
    pub runner: &'a Runner,
    /// The flags that named it.
    pub flags: &'a cli::Place,
}

impl<'a> Place<'a> {
    /// The way to the bucket that the flags name.
    ///
    /// # Errors
    /// When no client can be made, or no region is known.
    pub async fn of(flags: &'a cli::Place, runner: &'a Runner) -> Result<Self, Error> {
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
        let is_elsewhere = config::endpoint(&config, S3).is_some();
        if config.region().is_none() {
            if !is_elsewhere {
                return Err(Error::Flag {
                    flag: "region",
                    reason: "no region is known: name the bucket's, such as `--region eu-west-1`, here, in `AWS_REGION` or in the profile"
                        .to_owned(),
                });
            }
            let anywhere = Settings {
                region: Some(ANY_REGION),
                ..settings
            };
            config = config::narrowed(&config, &anywhere);
        }
        if let Some(arn) = &flags.role_arn {
            let env = runner.env();
            if env.in_runner() && env.get("ACTIONS_ID_TOKEN_REQUEST_URL").is_none() {
                runner.info("this job may not ask for an OIDC token (`permissions: id-token: write`), so the role is taken by the credentials at hand");
            }
            config = role::assume(config, arn, runner).await?;
        }
        Self::with(config, flags, runner)
    }

    /// The same over a way to AWS that is there already.
    ///
    /// # Errors
    /// When no bucket of AWS has such a name.
    pub fn with(config: SdkConfig, flags: &'a cli::Place, runner: &'a Runner) -> Result<Self, Error> {
        let endpoint = config::endpoint(&config, S3);
        if endpoint.is_none() {
            let region = config.region().map(ToString::to_string);
            let fits = flags.bucket.of_aws(region.as_deref());
            fits.map_err(|reason| Error::Flag {
                flag: "bucket",
                reason,
            })?;
        }
        let bucket = Bucket::new(
            &config,
            Reach {
                bucket: flags.bucket.as_str(),
                prefix: flags.prefix.as_str(),
                endpoint: endpoint.as_deref(),
            },
        );
        Ok(Self {
            bucket,
            config,
            runner,
            flags,
        })
    }

    /// What is acted on, for the ledger.
    #[must_use]
    pub fn target(&self) -> String {
        format!("s3://{}/{}", self.bucket.name(), self.bucket.prefix())
    }

    /// The flags that name this place, for a command line that goes on or undoes.
    #[must_use]
    pub fn words(&self) -> String {
        let mut words = vec![format!("--bucket {}", quote(self.bucket.name()))];
        let optional = [
            (
                "prefix",
                Some(self.bucket.prefix()).filter(|prefix| !prefix.is_empty()),
            ),
            ("distribution-id", self.flags.distribution_id.as_deref()),
            ("region", self.flags.region.as_deref()),
            ("endpoint-url", self.flags.endpoint_url.as_deref()),
        ];
        for (flag, value) in optional {
            words.extend(value.map(|value| format!("--{flag} {}", quote(value))));
        }
        words.join(" ")
    }
}
