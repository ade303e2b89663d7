//! Where a kubeconfig is: the file that is named, the secret, the files of `KUBECONFIG`, or the user's own. Its secrets are masked
//! before anything is done with it.

use std::path::{Path, PathBuf};

use gha::{Runner, text};
use kube::config::Kubeconfig;
use secrecy::ExposeSecret as _;

use super::error::AccessError;
use super::{decoded, kubeconfig, secrets};
use crate::cli;

/// The most that is read of a kubeconfig.
const LARGEST: u64 = 16 * 1024 * 1024;

/// The kubeconfig and its name for people: the one that is named, else the secret, else those of `KUBECONFIG`, else the user's
/// own. Its secrets are masked.
pub(super) async fn found(
    flags: &cli::Place,
    runner: &Runner,
) -> Result<Option<(Kubeconfig, String)>, AccessError> {
    let is_stream = |path: &Path| path.as_os_str() == "-";
    let named = flags.kubeconfig_file.as_deref();
    if let Some(path) = named.filter(|path| !is_stream(path)) {
        let from = format!(
            "`--kubeconfig-file` `{}`",
            text::line(&path.display().to_string())
        );
        let config = of_file(path, &from, runner).await?;
        let missing = || no_file(&from, "it is not there");
        return Ok(Some((config.ok_or_else(missing)?, from)));
    }
    let given = runner
        .secret(&cli::KUBECONFIG, named)
        .await
        .map_err(AccessError::Given)?;
    if let Some(content) = given {
        let from = if named.is_some() {
            "standard input"
        } else {
            "the secret `kubeconfig`"
        };
        let config = kubeconfig::read(content.expose_secret(), from)?;
        mask(&config, runner);
        return Ok(Some((config, from.to_owned())));
    }
    if let Some(list) = runner.env().get("KUBECONFIG") {
        return of_list(list, runner).await.map(Some);
    }
    let Some(home) = runner.env().get("HOME") else {
        return Ok(None);
    };
    let from = "`~/.kube/config`".to_owned();
    let path = Path::new(home).join(".kube/config");
    let config = of_file(&path, &from, runner).await?;
    // An empty one says nothing; a pod's image may have it.
    let config = config.filter(|config| !config.contexts.is_empty() || !config.clusters.is_empty());
    Ok(config.map(|config| (config, from)))
}

/// The kubeconfigs of a list as one, as kubectl merges them; those that are not there count for nothing
/// (<https://kubernetes.io/docs/concepts/configuration/organize-cluster-access-kubeconfig/#merging-kubeconfig-files>).
async fn of_list(list: &str, runner: &Runner) -> Result<(Kubeconfig, String), AccessError> {
    let from = "`KUBECONFIG`".to_owned();
    let paths: Vec<PathBuf> = std::env::split_paths(list)
        .filter(|path| !path.as_os_str().is_empty())
        .collect();
    let mut merged: Option<Kubeconfig> = None;
    for path in &paths {
        let one = format!("`KUBECONFIG` `{}`", text::line(&path.display().to_string()));
        let Some(config) = of_file(path, &one, runner).await? else {
            continue;
        };
        let whole = match merged.take() {
            Some(before) => before.merge(config),
            None => Ok(config),
        };
        merged = Some(
            whole.map_err(|_| unreadable(&one, "it is of another kind or version than those before it"))?,
        );
    }
    let missing = || {
        let names: Vec<String> = paths
            .iter()
            .map(|path| format!("`{}`", text::line(&path.display().to_string())))
            .collect();
        no_file(&from, &format!("there is no {}", names.join(", ")))
    };
    let merged = merged.ok_or_else(missing)?;
    Ok((merged, from))
}

/// A kubeconfig of a file, masked; `None` where there is no such file.
async fn of_file(path: &Path, from: &str, runner: &Runner) -> Result<Option<Kubeconfig>, AccessError> {
    let owned = path.to_owned();
    // On a thread of its own, so that a signal is heard while a pipe is awaited.
    let read = tokio::task::spawn_blocking(move || bytes_of(&owned)).await;
    let content = match read.unwrap_or_else(|error| Err(std::io::Error::other(error))) {
        Ok(bytes) => String::from_utf8(bytes).map_err(|_| unreadable(from, "it is not UTF-8 text"))?,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(no_file(from, &text::line(&error.to_string()))),
    };
    let mut config = kubeconfig::read(&content, from)?;
    mask(&config, runner);
    // What it names is looked for beside it, wherever we are.
    let folder = std::path::absolute(path).ok();
    if let Some(folder) = folder.as_deref().and_then(Path::parent) {
        kubeconfig::rooted(&mut config, folder);
    }
    Ok(Some(config))
}

fn bytes_of(path: &Path) -> std::io::Result<Vec<u8>> {
    use std::io::Read as _;
    let mut bytes = Vec::new();
    let file = std::fs::File::open(path)?;
    file.take(LARGEST + 1).read_to_end(&mut bytes)?;
    if bytes.len() as u64 > LARGEST {
        return Err(std::io::Error::other("it is too large"));
    }
    Ok(bytes)
}

fn no_file(from: &str, reason: &str) -> AccessError {
    AccessError::NoFile {
        from: from.to_owned(),
        reason: reason.to_owned(),
    }
}

fn unreadable(from: &str, reason: &str) -> AccessError {
    AccessError::Unreadable {
        from: from.to_owned(),
        reason: reason.to_owned(),
    }
}

/// Hides the secrets of a kubeconfig, and the keys in their plain form.
fn mask(config: &Kubeconfig, runner: &Runner) {
    for secret in secrets::values(config) {
        runner.mask(&secret);
        if let Some(plain) = decoded(&secret).and_then(|bytes| String::from_utf8(bytes).ok())
            && plain.contains("PRIVATE KEY")
        {
            runner.mask(&plain);
        }
    }
}
