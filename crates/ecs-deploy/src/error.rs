//! What can be wrong before anything is changed, and what of it a person can do.

use aws::config::ConfigError;
use aws::reason::Kind;
use gha::{Exit, Failure};

use crate::api::Refused;
use crate::rollback_target::TargetError;
use crate::task_definition::edit::EditError;
use crate::task_definition::read::ReadError;
use crate::task_definition::reference::ReferenceError;

/// Why nothing was done.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// No client.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// A call that failed before anything was changed.
    #[error("failed to {what}: {refused}")]
    Refused {
        /// What it was for.
        what: String,
        /// Why.
        refused: Refused,
    },
    /// A flag whose value can't be read.
    #[error("`--{flag}`: {reason}")]
    Flag {
        /// The flag.
        flag: &'static str,
        /// What is wrong.
        reason: String,
    },
    /// A change that can't be made to the task definition.
    #[error("`--{flag}`: {error}")]
    Edit {
        /// The flag.
        flag: &'static str,
        /// What is wrong.
        error: EditError,
    },
    /// A reference of a task definition that is none.
    #[error("`--task-definition`: {0}")]
    Reference(#[from] ReferenceError),
    /// A task definition that can't be read.
    #[error("the task definition of {from}: {error}")]
    Read {
        /// Where it is from.
        from: String,
        /// What is wrong.
        error: ReadError,
    },
    /// A file that can't be read.
    #[error("`--task-definition`: failed to read `{file}`: {error}")]
    File {
        /// Its path.
        file: String,
        /// Why.
        error: String,
    },
    /// There is no such task definition.
    #[error("there is no task definition `{0}`")]
    NoTaskDefinition(String),
    /// An image that no task could pull.
    #[error("{0}")]
    NoImage(String),
    /// There is no such service.
    #[error("there is no service `{service}` in cluster `{cluster}`{close}")]
    NoService {
        /// Its name.
        service: String,
        /// The cluster.
        cluster: String,
        /// Names that are close, in words.
        close: String,
    },
    /// The service is not active.
    #[error("service `{service}` is `{status}` and can't be deployed to")]
    NotActive {
        /// Its name.
        service: String,
        /// Its status.
        status: String,
    },
    /// The service is deployed by something else.
    #[error("service `{service}` is deployed by `{controller}`, which this version does not drive")]
    Controller {
        /// Its name.
        service: String,
        /// Its controller.
        controller: String,
    },
    /// The service is deployed in a way that this command does not follow.
    #[error("service `{service}` deploys by the strategy `{strategy}`, which this version does not drive")]
    Strategy {
        /// Its name.
        service: String,
        /// Its strategy.
        strategy: String,
    },
    /// Someone else deploys.
    #[error("another deployment of service `{service}` is under way: `{revision}`, {since}")]
    Busy {
        /// Its name.
        service: String,
        /// What is deployed.
        revision: String,
        /// Since when, in words.
        since: String,
    },
    /// What is to be deployed is there already, and failed.
    #[error(
        "service `{service}` has this content already, as `{revision}`, and its deployment failed; {serving}"
    )]
    FailedBefore {
        /// Its name.
        service: String,
        /// What failed.
        revision: String,
        /// What runs, in words.
        serving: String,
    },
    /// Nothing to go back to.
    #[error("`{service}` can't be rolled back: {error}")]
    Target {
        /// Its name.
        service: String,
        /// Why.
        error: TargetError,
    },
}

impl Error {
    /// A call that failed before anything was changed.
    pub fn refused(what: impl Into<String>) -> impl FnOnce(Refused) -> Self {
        let what = what.into();
        move |refused| Self::Refused { what, refused }
    }

    /// The exit code of a run that ends with it.
    #[must_use]
    pub fn exit(&self) -> Exit {
        match self {
            Self::Refused { refused, .. } => exit_of(refused),
            Self::Busy { .. } => Exit::Locked,
            Self::FailedBefore { .. } => Exit::NeedsHuman,
            _ => Exit::Usage,
        }
    }

    /// What to do.
    fn help(&self) -> Option<String> {
        let help = match self {
            Self::Config(_) => "check `SSL_CERT_FILE`, `HTTPS_PROXY` and `NO_PROXY`",
            Self::Refused { refused, .. } => return Some(advice(refused)),
            Self::NoService { .. } => "check `--cluster`, `--service` and `--region`",
            Self::NoTaskDefinition(_) => "check `--task-definition`, and `--region`",
            Self::NoImage(_) => {
                "check `--image`, and that the image was pushed to this repository of this region"
            }
            Self::NotActive { .. } => "create the service again, or deploy to another one",
            Self::Controller { .. } => {
                "use the deploy that made this service, or create one with the deployment controller `ECS`"
            }
            Self::Strategy { .. } => "set the service's deployment strategy to `ROLLING`",
            Self::Busy { .. } => {
                "wait until it has ended, take it back with `ecs-deploy rollback`, or deploy over it with `--replace`"
            }
            Self::FailedBefore { .. } => {
                "go back with `ecs-deploy rollback`, deploy another version, or try this one again with \
                 `--force-new-deployment`"
            }
            Self::Target { .. } => "name the revision with `--to family:revision`",
            _ => return None,
        };
        Some(help.to_owned())
    }
}

/// The exit code of a call that failed before anything was changed.
#[must_use]
pub fn exit_of(refused: &Refused) -> Exit {
    match refused.reason.kind {
        Kind::Access | Kind::Passing => Exit::Access,
        Kind::Question => Exit::Usage,
    }
}

/// What to do about a call that failed.
#[must_use]
pub fn advice(refused: &Refused) -> String {
    match refused.reason.kind {
        Kind::Access => {
            "check the credentials and the role's policy; docs/ecs-deploy.md has the least one for each command"
        }
        Kind::Question => "check cluster, service and region, and what ECS says above",
        Kind::Passing => "check the network, `HTTPS_PROXY` and the region, and run it again: nothing was changed",
    }
    .to_owned()
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
