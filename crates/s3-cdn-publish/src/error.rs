//! What can be wrong before anything is changed, and what of it a person can do.

use aws::config::ConfigError;
use aws::reason::{Kind, Reason};
use gha::{Exit, Failure};

use crate::api::Refused;
use crate::keep::TooMany;
use crate::lock::LockError;
use crate::site::SiteError;
use crate::target::TooManyLooks;

/// Why nothing was done.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// No client.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// A call that failed.
    #[error("failed to {what}: {refused}")]
    Refused {
        /// What it was for.
        what: String,
        /// Why.
        refused: Refused,
    },
    /// Something else than S3 answers.
    #[error("{place} does not answer as S3: `s3:ListBucket` got {answer}")]
    NotS3 {
        /// What answers, in words.
        place: String,
        /// What it said, inert.
        answer: String,
    },
    /// A flag whose value can't be read.
    #[error("`--{flag}`: {reason}")]
    Flag {
        /// The flag.
        flag: &'static str,
        /// What is wrong.
        reason: String,
    },
    /// A run did not finish, and what it left must be in order first.
    #[error("a run did not finish, and what it left is in use: {0}")]
    Unfinished(String),
    /// What this program keeps in the bucket can't be used.
    #[error("{0}")]
    State(String),
    /// The lock can't be used.
    #[error(transparent)]
    Lock(#[from] LockError),
    /// Another run publishes.
    #[error("another run publishes to this bucket: {0}")]
    Locked(String),
    /// Another run has taken the lock.
    #[error("the lock is another's now: {0}")]
    Lost(String),
    /// Another run may have taken the lock.
    #[error("the lock could not be written for {0} s, and another run may have it")]
    Unkept(u64),
    /// Another run has published between two looks.
    #[error("another run published while this one looked")]
    Changed,
    /// The CDN can't be told.
    #[error("failed to read distribution `{id}`: {}", reason.text)]
    Cdn {
        /// Its id.
        id: String,
        /// Why.
        reason: Reason,
    },
    /// The CDN was not told.
    #[error("the CDN was not told what changed: {0}")]
    Invalidation(String),
    /// The CDN was told, and how it stands is not known.
    #[error("the CDN was told what changed, and has not said that it is done: {0}")]
    Unconfirmed(String),
    /// Files can't be published.
    #[error(transparent)]
    Site(#[from] SiteError),
    /// Rules that can't be read.
    #[error("{0}")]
    Rules(String),
    /// More would be deleted than is allowed.
    #[error(transparent)]
    TooMany(#[from] TooMany),
    /// `prune` would delete more than is allowed.
    #[error(transparent)]
    TooManyToPrune(TooMany),
    /// Too many different headers.
    #[error(transparent)]
    TooManyLooks(#[from] TooManyLooks),
    /// There is no such release.
    #[error("there is no release {what} to go back to{there}")]
    NoRelease {
        /// Which one.
        what: String,
        /// Which there are, in words.
        there: String,
    },
    /// A release that can't be brought back whole.
    #[error("release `{release}` can't be brought back: {missing} of its files are gone, such as `{such}`")]
    Gone {
        /// Its id.
        release: String,
        /// How many files are gone.
        missing: usize,
        /// The first.
        such: String,
    },
}

impl Error {
    /// A call that failed.
    pub fn refused(what: impl Into<String>) -> impl FnOnce(Refused) -> Self {
        let what = what.into();
        move |refused| Self::Refused { what, refused }
    }

    /// The exit code of a run that ends with it before anything was changed.
    #[must_use]
    pub fn exit(&self) -> Exit {
        match self {
            Self::Refused { refused, .. } => match refused.reason.kind {
                Kind::Access | Kind::Passing => Exit::Access,
                Kind::Question => Exit::Usage,
            },
            Self::Cdn { reason, .. } => match reason.kind {
                Kind::Access | Kind::Passing => Exit::Access,
                Kind::Question => Exit::Usage,
            },
            Self::NotS3 { .. } => Exit::Access,
            Self::Unconfirmed(_) => Exit::Inconclusive,
            Self::Unkept(_) => Exit::Failed,
            Self::Locked(_) | Self::Lost(_) | Self::Changed => Exit::Locked,
            Self::TooMany(_) | Self::TooManyToPrune(_) => Exit::Failed,
            Self::Unfinished(_)
            | Self::State(_)
            | Self::Lock(_)
            | Self::Gone { .. }
            | Self::Invalidation(_) => Exit::NeedsHuman,
            Self::Config(_)
            | Self::Site(_)
            | Self::Rules(_)
            | Self::Flag { .. }
            | Self::TooManyLooks(_)
            | Self::NoRelease { .. } => Exit::Usage,
        }
    }

    /// What to do.
    fn help(&self) -> Option<String> {
        let help = match self {
            Self::Config(_) => "check `SSL_CERT_FILE`, `HTTPS_PROXY` and `NO_PROXY`",
            Self::Refused { refused, .. } => return Some(advice(refused).to_owned()),
            Self::NotS3 { .. } => {
                "check `--endpoint-url` or `AWS_ENDPOINT_URL`: it is the address of the store's S3 API, and not of its console or of \
                 the site; without one, check the network and `HTTPS_PROXY`"
            }
            Self::State(_) | Self::Lock(_) => {
                "use the version that wrote it, or a newer one; if it is damaged, delete this object of `.deploy-actions/`: the \
                 next publish compares the files themselves"
            }
            Self::Unfinished(_) => "run `s3-cdn-publish recover`, or publish again",
            Self::Site(error) => return error.help().map(str::to_owned),
            Self::Locked(_) | Self::Changed => "wait until it has ended, and run it again",
            Self::Unkept(_) => "check the network, and run `s3-cdn-publish recover`, or publish again",
            Self::Lost(_) => "look at the other run; nothing more was written by this one",
            Self::TooMany(_) => {
                "check that the source is the whole site; if it is, allow it with `--max-delete`"
            }
            Self::TooManyToPrune(_) => {
                "check `--keep-releases` and `--grace`; if all that is to go, allow it with `--max-delete`"
            }
            Self::TooManyLooks(_) => "write the rules so that files share their headers",
            Self::NoRelease { .. } => "`s3-cdn-publish releases` lists them",
            Self::Gone { .. } => "publish that version again from its build",
            Self::Cdn { reason, .. } => match reason.kind {
                Kind::Access => denied(&reason.text),
                Kind::Question => {
                    "check `--distribution-id`: it is the id, such as `E2EXAMPLE`, not the domain name"
                }
                Kind::Passing => "check the network and `HTTPS_PROXY`, and run it again",
            },
            Self::Invalidation(reason) => denied_invalidation(reason),
            Self::Unconfirmed(_) => {
                "nothing more is owed; allow it more with `--wait-timeout`, or look at CloudFront"
            }
            Self::Flag { .. } | Self::Rules(_) => return None,
        };
        Some(help.to_owned())
    }
}

/// What to do about a call that failed.
#[must_use]
pub fn advice(refused: &Refused) -> &'static str {
    if refused.is("NoSuchBucket") {
        return "check `--bucket`, and with `--endpoint-url` that the bucket is there";
    }
    if refused.reason.text.contains("so write `--region ") {
        return "in a workflow that is the input `region`";
    }
    if refused.is("AccessControlListNotSupported") {
        return "the bucket takes no ACLs: take `acl` out of the rules";
    }
    match refused.reason.kind {
        Kind::Access => denied(&refused.reason.text),
        Kind::Question => "check bucket, prefix and region, and what the store says above",
        Kind::Passing => "check the network, `HTTPS_PROXY` and the region, and run it again",
    }
}

/// What to do about an invalidation that was not created.
fn denied_invalidation(reason: &str) -> &'static str {
    if reason.contains("access denied") {
        "allow `cloudfront:CreateInvalidation` on the distribution; then `s3-cdn-publish recover` or the next publish completes it"
    } else {
        "`s3-cdn-publish recover` or the next publish completes it"
    }
}

/// What to do about a permission that lacks. `reason` names the action.
#[must_use]
pub fn denied(reason: &str) -> &'static str {
    let actions = [
        (
            "access denied for `s3:ListBucket`",
            "allow `s3:ListBucket` on the bucket itself (`arn:aws:s3:::NAME`, without `/*`); docs/s3-cdn-publish.md has the policy",
        ),
        (
            "access denied for `s3:GetObject`",
            "allow `s3:GetObject` on the prefix with `*` behind it; docs/s3-cdn-publish.md has the policy",
        ),
        (
            "access denied for `s3:PutObject`",
            "allow `s3:PutObject` on the prefix with `*` behind it, `s3:PutObjectAcl` where rules have an `acl`, and with a key of \
             KMS `kms:GenerateDataKey` and `kms:Decrypt`; docs/s3-cdn-publish.md has the policy",
        ),
        (
            "access denied for `s3:DeleteObject`",
            "allow `s3:DeleteObject` on the prefix with `*` behind it; docs/s3-cdn-publish.md has the policy",
        ),
        (
            "access denied for `cloudfront:",
            "allow it on the distribution (`arn:aws:cloudfront::ACCOUNT:distribution/ID`); docs/s3-cdn-publish.md has the policy",
        ),
        (
            "no AWS credentials",
            "name a role with `--role-arn` in a job with `id-token: write`, or give credentials by environment or profile",
        ),
    ];
    actions
        .into_iter()
        .find(|(said, _)| reason.contains(said))
        .map_or(
            "check the credentials and the role's policy; docs/s3-cdn-publish.md has the least one",
            |(_, help)| help,
        )
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        let (exit, help) = (error.exit(), error.help());
        let failure = Self::new(exit, error);
        match help {
            Some(help) => failure.help(help),
            None => failure,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_permission_that_lacks_is_named_with_what_it_is_for() {
        for (reason, help) in [
            ("access denied for `s3:ListBucket`", "without `/*`"),
            ("access denied for `s3:GetObject`", "`s3:GetObject`"),
            ("access denied for `s3:PutObject`", "`kms:GenerateDataKey`"),
            ("access denied for `s3:DeleteObject`", "`s3:DeleteObject`"),
            (
                "access denied for `cloudfront:CreateInvalidation`",
                "on the distribution",
            ),
            ("no AWS credentials for `s3:ListBucket`: none", "`--role-arn`"),
            (
                "the credentials for `s3:ListBucket` have expired",
                "the least one",
            ),
        ] {
            assert!(denied(reason).contains(help), "{reason}: {}", denied(reason));
        }
    }
}
