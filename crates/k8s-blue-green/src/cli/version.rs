//! The flags of a new version: what it is, what is done before it comes up, and what judges it.

use std::time::Duration;

use clap::Args;

use super::times::some_time;

/// What the new version is.
#[derive(Clone, Debug, Default, Args)]
pub struct Version {
    /// Image, as `container=reference`; without `container=` for the only container, or for all of the same repository.
    #[arg(long, value_name = "IMAGE", help_heading = "Version")]
    pub image: Vec<String>,
    /// Manifests: a file, a folder, a glob, `-` for standard input, `kustomize:FOLDER` (by `kubectl kustomize`), or
    /// `helm:RELEASE CHART ARGUMENTS…` (by `helm template`).
    #[arg(long, value_name = "WHAT", help_heading = "Version")]
    pub manifests: Vec<String>,
    /// Number of pods of the new version [default: as many as the old one has].
    #[arg(long, value_name = "COUNT", value_parser = some_pods, help_heading = "Version")]
    pub replicas: Option<u32>,
}

/// What is done before the new version comes up.
#[derive(Clone, Debug, Default, Args)]
pub struct Migration {
    /// Job that must succeed first: `container=words` or `container=["a", "JSON list"]` for the new version's own container with
    /// another command, or `job/NAME` for a Job of the manifests.
    #[arg(long, value_name = "COMMAND", help_heading = "Migration")]
    pub migrate: Option<String>,
    /// Longest time for it.
    #[arg(long, value_name = "DURATION", default_value = "15m", value_parser = some_time, help_heading = "Migration")]
    pub migrate_timeout: Duration,
    /// Run a migration again that failed.
    #[arg(long, help_heading = "Migration")]
    pub retry_migration: bool,
}

/// What judges the new version.
#[derive(Clone, Debug, Default, Args)]
pub struct Gates {
    /// Gate that must say yes, else the old version comes back: a gate file of `health-gate`, or `PRESET URL [DURATION]`. What it
    /// waits for is asked before there is traffic; what it watches is watched while traffic moves.
    #[arg(long, value_name = "GATE", help_heading = "Gate")]
    pub gate: Vec<String>,
    /// Variable of the gate files, over what they say. `version`, `image`, `service`, `namespace`, `color` and `preview_url` are
    /// there without it.
    #[arg(long, value_name = "NAME=VALUE", help_heading = "Gate")]
    pub gate_var: Vec<String>,
    /// Command that must succeed before there is traffic; the new version is at `PREVIEW_URL`. No shell reads it.
    #[arg(long, value_name = "COMMAND", help_heading = "Gate")]
    pub smoke: Option<String>,
    /// Longest time for it.
    #[arg(long, value_name = "DURATION", default_value = "5m", value_parser = some_time, help_heading = "Gate")]
    pub smoke_timeout: Duration,
    /// Port of the Service that the preview leads to, by name or number [default: the first].
    #[arg(long, value_name = "PORT", help_heading = "Gate")]
    pub preview_port: Option<String>,
}

/// A number of pods that something can serve with.
fn some_pods(text: &str) -> Result<u32, String> {
    match text.parse() {
        Ok(0) => Err("must be at least 1: without pods nothing serves".to_owned()),
        Ok(count) => Ok(count),
        Err(_) => Err(format!("`{}` is no number of pods", gha::text::line(text))),
    }
}
