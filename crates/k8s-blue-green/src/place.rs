//! The namespace that is deployed to, and by what it is reached.

use gha::{Runner, text};

use crate::access::{self, AccessError};
use crate::api::Api;
use crate::cli;

/// The namespace that is deployed to.
pub struct Place<'a> {
    /// The way to the cluster.
    pub api: Api,
    /// The runner.
    pub runner: &'a Runner,
    /// The namespace.
    pub namespace: String,
    /// The flags that name it, for a command line that goes on or undoes.
    pub flags: cli::Place,
}

impl<'a> Place<'a> {
    /// The namespace that the flags name, by the way that they name.
    ///
    /// # Errors
    /// When there is no way to the cluster.
    pub async fn of(flags: &cli::Place, runner: &'a Runner) -> Result<Self, AccessError> {
        let reached = access::client(flags, runner).await?;
        runner.info(&format!(
            "cluster {}, as {}, namespace `{}`",
            reached.server,
            reached.who,
            text::line(flags.namespace.as_deref().unwrap_or(&reached.namespace))
        ));
        Ok(Self::with(
            Api::new(reached.client),
            &reached.namespace,
            flags,
            runner,
        ))
    }

    /// A namespace over a way that is there already; `default` is the namespace where the flags name none.
    #[must_use]
    pub fn with(api: Api, default: &str, flags: &cli::Place, runner: &'a Runner) -> Self {
        let namespace = flags.namespace.as_deref().unwrap_or(default);
        Self {
            api,
            runner,
            namespace: namespace.to_owned(),
            flags: flags.clone(),
        }
    }

    /// What is acted on, for the ledger: `namespace/service`.
    #[must_use]
    pub fn target(&self, name: &str) -> String {
        text::line(&format!("{}/{name}", self.namespace))
    }

    /// The flags that name this place, for a command line.
    #[must_use]
    pub fn again(&self) -> String {
        let namespace = ("namespace", Some(&self.namespace));
        let others = [
            ("context", self.flags.context.as_ref()),
            ("eks-cluster", self.flags.eks_cluster.as_ref()),
            ("region", self.flags.region.as_ref()),
            ("role-arn", self.flags.role_arn.as_ref()),
        ];
        let words = std::iter::once(namespace).chain(others);
        words
            .filter_map(|(flag, value)| Some(format!(" --{flag} {}", gha::reproduce::quote(value?))))
            .collect()
    }
}
