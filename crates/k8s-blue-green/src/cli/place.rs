//! The flags that say where: the cluster, and what of it is deployed to.

use std::path::PathBuf;

use clap::Args;

/// The cluster.
#[derive(Clone, Debug, Default, Args)]
pub struct Place {
    /// Namespace [default: the context's, else `default`].
    #[arg(long, value_name = "NAME", help_heading = "Cluster")]
    pub namespace: Option<String>,
    /// Context of the kubeconfig [default: its current one].
    #[arg(long, value_name = "NAME", help_heading = "Cluster")]
    pub context: Option<String>,
    /// File with a kubeconfig; `-` is standard input [default: `KUBECONFIG`, else `~/.kube/config`, else the pod's own account].
    #[arg(long, value_name = "FILE", help_heading = "Cluster")]
    pub kubeconfig_file: Option<PathBuf>,
    /// EKS cluster, reached by the AWS credentials at hand, without a kubeconfig.
    #[arg(long, value_name = "NAME", conflicts_with_all = ["context", "kubeconfig_file"], help_heading = "Cluster")]
    pub eks_cluster: Option<String>,
    /// Region of the EKS cluster [default: the environment's or the profile's].
    #[arg(
        long,
        value_name = "REGION",
        requires = "eks_cluster",
        help_heading = "Cluster"
    )]
    pub region: Option<String>,
    /// Role to take for the EKS cluster: by the workflow's OIDC token where the job may have one, else by the credentials at hand.
    #[arg(
        long,
        value_name = "ARN",
        value_parser = aws::flags::role_arn,
        requires = "eks_cluster",
        help_heading = "Cluster"
    )]
    pub role_arn: Option<String>,
    /// Name of the deployment environment, for the ledger and messages.
    #[arg(long, value_name = "NAME", help_heading = "Result")]
    pub environment: Option<String>,
}

/// What is deployed to.
#[derive(Clone, Debug, Default, Args)]
pub struct Target {
    /// Service whose traffic moves. Several are switched in the order given, all or none.
    #[arg(long, value_name = "NAME", help_heading = "Target")]
    pub service: Vec<String>,
    /// Workload of a rolling deploy, as `deployment/web`, `statefulset/db` or `daemonset/agent` [default: what the Service leads to].
    #[arg(long, value_name = "KIND/NAME", help_heading = "Target")]
    pub workload: Vec<String>,
}
