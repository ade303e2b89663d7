//! Why there is no way to a cluster, and what of it a person can do.

use aws::config::ConfigError;
use gha::edge::http::HttpError;
use gha::{Exit, Failure};

use super::fault::Fault;

/// Why there is no way to a cluster. Nothing was changed.
#[derive(Debug, thiserror::Error)]
pub enum AccessError {
    /// Nothing says where one is.
    #[error(
        "no cluster is known: there is no `--kubeconfig-file`, no input `kubeconfig`, no `KUBECONFIG`, no `~/.kube/config`, \
         and this is no pod"
    )]
    Nowhere,
    /// The secret with the kubeconfig could not be read; says itself why.
    #[error("{}", gha::failure::chain(.0.error.as_ref()))]
    Given(Failure),
    /// A kubeconfig that can't be read.
    #[error("failed to read {from}: {reason}")]
    Unreadable {
        /// Which one.
        from: String,
        /// Why.
        reason: String,
    },
    /// A file with a kubeconfig that is not there, or may not be read.
    #[error("failed to read {from}: {reason}")]
    NoFile {
        /// Which one.
        from: String,
        /// Why.
        reason: String,
    },
    /// A context that is not there.
    #[error("{from} has no context `{name}`{there}")]
    NoContext {
        /// Which kubeconfig.
        from: String,
        /// The context.
        name: String,
        /// Those that are there, in words.
        there: String,
    },
    /// No context is the current one.
    #[error("{from} has no `current-context`{there}")]
    NoCurrent {
        /// Which kubeconfig.
        from: String,
        /// The contexts that are there, in words.
        there: String,
    },
    /// A context that names what is not there.
    #[error("context `{context}` of {from} names {what} `{name}`, which is not there")]
    Dangling {
        /// Which kubeconfig.
        from: String,
        /// The context.
        context: String,
        /// `cluster` or `user`.
        what: &'static str,
        /// The name.
        name: String,
    },
    /// What a kubeconfig, or the environment, says of the way can't be used.
    #[error("{whose}: {reason}")]
    Setting {
        /// Whose setting it is.
        whose: String,
        /// What is wrong with it.
        reason: String,
    },
    /// The certificate authorities of the machine can't be used.
    #[error(transparent)]
    Authorities(#[from] HttpError),
    /// No client of AWS can be made.
    #[error(transparent)]
    AwsClient(#[from] ConfigError),
    /// There is no such EKS cluster, or it can't be used yet.
    #[error("{0}")]
    Eks(String),
    /// AWS does not say where an EKS cluster is.
    #[error("failed to find EKS cluster `{cluster}`: {reason}")]
    Aws {
        /// The cluster.
        cluster: String,
        /// Why.
        reason: String,
        /// Whether asking again may help.
        may_pass: bool,
    },
    /// There are no credentials.
    #[error("no credentials for {whose}: {reason}")]
    Credentials {
        /// Whose they would be.
        whose: String,
        /// Why there are none.
        reason: String,
        /// What to do, where whoever wrote the kubeconfig says so.
        hint: Option<String>,
    },
    /// The server does not take the credentials.
    #[error("the API server at `{server}` does not accept the credentials of {whose} (401){said}")]
    Denied {
        /// Its address.
        server: String,
        /// Whose they are.
        whose: String,
        /// Its own words, where it has any.
        said: String,
    },
    /// What answers is no API server.
    #[error(
        "`{server}`{through} answered ({status}), but not as a Kubernetes API server: is `{server}` its address?"
    )]
    Elsewhere {
        /// The address.
        server: String,
        /// The proxy on the way, in words.
        through: String,
        /// The status of the answer.
        status: u16,
    },
    /// The server can't be reached.
    #[error("failed to reach the API server at `{server}`{through}: {fault}")]
    Unreachable {
        /// Its address.
        server: String,
        /// The proxy on the way, in words.
        through: String,
        /// Why.
        fault: Fault,
        /// Where its certificate authorities are from.
        trust: String,
    },
}

impl AccessError {
    /// How the program ends.
    #[must_use]
    pub fn exit(&self) -> Exit {
        match self {
            Self::Given(failure) => failure.exit,
            Self::Aws { .. }
            | Self::Credentials { .. }
            | Self::Denied { .. }
            | Self::Elsewhere { .. }
            | Self::Unreachable { .. } => Exit::Access,
            _ => Exit::Usage,
        }
    }

    /// Whether asking again may help.
    #[must_use]
    pub fn may_pass(&self) -> bool {
        match self {
            Self::Unreachable { fault, .. } => fault.may_pass(),
            Self::Aws { may_pass, .. } => *may_pass,
            _ => false,
        }
    }

    /// What to do about it.
    #[must_use]
    pub fn help(&self) -> Option<String> {
        let help = match self {
            Self::Nowhere => {
                "pass a kubeconfig as the input `kubeconfig` or by `--kubeconfig-file`, or name an EKS cluster by `--eks-cluster`"
            }
            Self::Given(failure) => return failure.help.clone(),
            Self::Unreadable { .. } => {
                "it must be a kubeconfig as `kubectl config view --raw --flatten` prints it, or that in Base64"
            }
            Self::NoFile { .. } => {
                "name a file that is there and can be read, or pass the kubeconfig itself as the input `kubeconfig`"
            }
            Self::NoContext { .. } | Self::NoCurrent { .. } => "name one of them by `--context`",
            Self::Dangling { .. } => {
                "a kubeconfig that was cut together lacks it; `kubectl config view --raw --minify --flatten` prints a whole one"
            }
            Self::Setting { .. } | Self::Eks(_) => return None,
            Self::Aws { .. } => {
                "check the AWS credentials: all that they need is `eks:DescribeCluster` on this cluster (docs/k8s-blue-green.md)"
            }
            Self::Authorities(_) | Self::AwsClient(_) => "correct `SSL_CERT_FILE` or `SSL_CERT_DIR`",
            Self::Credentials { hint, .. } => return hint.clone(),
            Self::Denied { .. } => {
                "tokens end: make new ones in the same job, or use a kubeconfig whose credentials renew themselves (`exec`)"
            }
            Self::Elsewhere { .. } => {
                "correct `server` of the cluster in the kubeconfig; a login, a portal or a proxy may stand before it, too"
            }
            Self::Unreachable { fault, trust, .. } => return fault.help(trust),
        };
        Some(help.to_owned())
    }
}

impl From<AccessError> for Failure {
    fn from(error: AccessError) -> Self {
        match error {
            AccessError::Given(failure) => failure,
            error => {
                let (exit, help) = (error.exit(), error.help());
                let failure = Self::new(exit, error);
                match help {
                    Some(help) => failure.help(help),
                    None => failure,
                }
            }
        }
    }
}
