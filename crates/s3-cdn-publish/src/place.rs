//! The bucket that is published to, and by what it is reached.

use std::time::Duration;

use aws::config::{self, SdkConfig, Settings};
use aws::role;
use gha::reproduce::quote;
use gha::{Runner, text};

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
        let is_elsewhere = config.endpoint_url().is_some();
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
    /// When bucket or prefix are none.
    pub fn with(config: SdkConfig, flags: &'a cli::Place, runner: &'a Runner) -> Result<Self, Error> {
        let prefix = prefix(&flags.prefix)?;
        let bucket = Bucket::new(
            &config,
            Reach {
                bucket: name(&flags.bucket)?,
                prefix: &prefix,
                path_style: config.endpoint_url().is_some(),
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

/// A bucket's name, also where it is written as an address.
fn name(said: &str) -> Result<&str, Error> {
    let name = said.strip_prefix("s3://").unwrap_or(said).trim_end_matches('/');
    let why = if name.is_empty() {
        "it is empty; write for example `--bucket www-example-com`".to_owned()
    } else if name.starts_with("arn:") {
        return Ok(name);
    } else if let Some((bucket, folder)) = name.split_once('/') {
        format!(
            "a folder of the bucket is named by `--prefix`; write `--bucket {} --prefix {}`",
            quote(&text::line(bucket)),
            quote(&text::line(folder))
        )
    } else if name
        .chars()
        .any(|c| !(c.is_ascii_alphanumeric() || matches!(c, '-' | '.' | '_')))
    {
        "a bucket's name is of letters, digits, `-` and `.`; write for example `--bucket www-example-com`"
            .to_owned()
    } else {
        return Ok(name);
    };
    Err(Error::Flag {
        flag: "bucket",
        reason: why,
    })
}

/// A prefix as keys begin with it: empty, or ending in `/` and beginning with none.
fn prefix(said: &str) -> Result<String, Error> {
    let bare = said.trim_matches('/');
    let is_odd = bare
        .split('/')
        .any(|part| matches!(part, "." | ".." | ".deploy-actions"));
    if is_odd || bare.contains("//") || bare.chars().any(char::is_control) {
        return Err(Error::Flag {
            flag: "prefix",
            reason:
                "a folder such as `app` or `sites/app` is expected, without `.`, `..` and `.deploy-actions`"
                    .to_owned(),
        });
    }
    Ok(if bare.is_empty() {
        String::new()
    } else {
        format!("{bare}/")
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bucket_and_a_prefix_are_read_as_people_write_them() {
        assert_eq!(name("s3://site/").unwrap(), "site");
        assert_eq!(name("site.example.com").unwrap(), "site.example.com");
        for wrong in ["", "s3://", "site/folder", "a b", "a?b"] {
            assert!(name(wrong).is_err(), "{wrong}");
        }
        for (said, prefix_of) in [
            ("", ""),
            ("/", ""),
            ("site", "site/"),
            ("/a/b/", "a/b/"),
            ("é x", "é x/"),
        ] {
            assert_eq!(prefix(said).unwrap(), prefix_of);
        }
        for wrong in ["..", "a/../b", "a//b", "a\nb", ".deploy-actions"] {
            assert!(prefix(wrong).is_err(), "{wrong}");
        }
    }
}
