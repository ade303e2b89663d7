//! What `--manifests` gives to deploy, as a list of objects. All of it is read and judged before anything is applied. What is
//! rendered is rendered by the user's own `kubectl`, `kustomize` or `helm`; no shell reads their arguments.

use std::fmt;
use std::path::Path;
use std::time::Duration;

use gha::edge::cancel::Cancelled;
use gha::edge::process::{Finished, ProcessError, capture};
use gha::{Runner, text};
use serde_json::Value;

mod files;
mod objects;
mod scalar;
mod source;
mod yaml;

use objects::Objects;
use source::Source;

/// The longest that a program may take to render manifests; charts may be fetched for it.
const RENDERS: Duration = Duration::from_secs(5 * 60);

/// How many faults are told; the rest is counted.
const TOLD: usize = 10;

/// How much is told of what a program says, in characters.
const SAID: usize = 600;

/// Where an object is from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Origin {
    /// The file, or the value of the flag.
    pub source: String,
    /// Which of its documents that are not empty, from 1.
    pub document: usize,
    /// The line on which the document begins, from 1.
    pub line: u64,
}

/// An object that was given.
#[derive(Clone, Debug, PartialEq)]
pub struct Manifest {
    /// The object, without what only a server gives it. It has `apiVersion`, `kind` and `metadata.name`.
    pub object: Value,
    /// Where it is from.
    pub from: Origin,
}

/// Why there are no manifests. Nothing was applied.
#[derive(Debug, thiserror::Error)]
pub enum ManifestsError {
    /// A value that names nothing.
    #[error("`--manifests {value}`: {reason}")]
    Value {
        /// The value, inert.
        value: String,
        /// What is wrong.
        reason: String,
    },
    /// What is wrong with what was read: a line each.
    #[error("{}", told(.0))]
    Faults(Vec<String>),
    /// A program that renders did not.
    #[error("`{program}` failed to render the manifests: {reason}")]
    Rendering {
        /// The program and its first arguments.
        program: String,
        /// Why.
        reason: String,
    },
    /// The run was cancelled.
    #[error(transparent)]
    Cancelled(#[from] Cancelled),
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let source = text::cut(&text::line(&self.source), 200);
        write!(f, "{source}:{} (document {})", self.line, self.document)
    }
}

/// Reads all that the values of `--manifests` name, for a namespace.
///
/// # Errors
/// When something can't be read or can't be applied; all faults are told.
pub async fn gather(
    values: &[String],
    namespace: &str,
    runner: &Runner,
) -> Result<Vec<Manifest>, ManifestsError> {
    let mut objects = Objects::of(namespace);
    for value in values {
        let refuse = |reason: String| ManifestsError::Value {
            value: text::cut(&text::line(value), 120),
            reason,
        };
        let source = Source::parse(value).map_err(|reason| refuse(reason.to_owned()))?;
        match source {
            Source::Path(path) => {
                for file in files::named(&path).map_err(refuse)? {
                    let name = file.display().to_string();
                    let bytes = files::read(&file).map_err(|error| ManifestsError::Value {
                        value: text::cut(&text::line(&name), 120),
                        reason: error.to_string(),
                    })?;
                    take(&bytes, &name, &mut objects);
                }
            }
            Source::Input => {
                // On a thread of its own, so that a signal is heard while standard input is awaited.
                let read = tokio::task::spawn_blocking(|| files::limited(std::io::stdin().lock()));
                let read = runner.cancel().guard(read).await?;
                let bytes = read.unwrap_or_else(|error| Err(std::io::Error::other(error)));
                let bytes = bytes.map_err(|error| refuse(error.to_string()))?;
                take(&bytes, "standard input", &mut objects);
            }
            Source::Kustomize(folder) => {
                let bytes = kustomized(&folder, runner).await?;
                take(&bytes, value, &mut objects);
            }
            Source::Helm(words) => {
                let mut arguments = vec!["template".to_owned()];
                arguments.extend(words);
                arguments.extend(["--namespace".to_owned(), namespace.to_owned()]);
                let bytes = rendered("helm", &arguments, runner).await?;
                take(&bytes, "helm template", &mut objects);
            }
        }
    }
    match objects.faults.is_empty() {
        true => Ok(objects.found),
        false => Err(ManifestsError::Faults(objects.faults)),
    }
}

/// Takes the object of a kind and name out of those that were given, so that it is not applied with the others.
pub fn take_out(manifests: &mut Vec<Manifest>, kind: &str, name: &str) -> Option<Manifest> {
    let is_it = |manifest: &Manifest| {
        crate::object::text(&manifest.object, "/kind") == kind
            && crate::object::name(&manifest.object) == name
    };
    let at = manifests.iter().position(is_it)?;
    Some(manifests.remove(at))
}

fn take(bytes: &[u8], source: &str, objects: &mut Objects<'_>) {
    let at = |document, line| Origin {
        source: source.to_owned(),
        document,
        line,
    };
    match yaml::documents(bytes) {
        Ok(documents) => {
            for (index, document) in documents.into_iter().enumerate() {
                objects.add(document.value, &at(index + 1, document.line));
            }
        }
        Err(fault) => {
            let source = text::cut(&text::line(source), 200);
            objects
                .faults
                .push(format!("{source}:{}: {}", fault.line, text::line(&fault.reason)));
        }
    }
}

/// By `kubectl kustomize`, or by `kustomize build` where there is no `kubectl`.
async fn kustomized(folder: &str, runner: &Runner) -> Result<Vec<u8>, ManifestsError> {
    let arguments = ["kustomize".to_owned(), folder.to_owned()];
    match run("kubectl", &arguments, runner).await {
        Err(ProcessError::Start(_, error)) if error.kind() == std::io::ErrorKind::NotFound => {
            let arguments = ["build".to_owned(), folder.to_owned()];
            rendered("kustomize", &arguments, runner).await
        }
        ended => printed("kubectl", &arguments, ended, runner),
    }
}

async fn rendered(program: &str, arguments: &[String], runner: &Runner) -> Result<Vec<u8>, ManifestsError> {
    printed(program, arguments, run(program, arguments, runner).await, runner)
}

async fn run(program: &str, arguments: &[String], runner: &Runner) -> Result<Finished, ProcessError> {
    capture(program, arguments, Path::new("."), RENDERS, runner.cancel()).await
}

fn printed(
    program: &str,
    arguments: &[String],
    ended: Result<Finished, ProcessError>,
    runner: &Runner,
) -> Result<Vec<u8>, ManifestsError> {
    // The arguments behind the first ones may hold a secret: `--set password=…`.
    let shown: Vec<&str> = arguments.iter().take(3).map(String::as_str).collect();
    let refuse = |reason: String| ManifestsError::Rendering {
        program: text::cut(&text::line(&format!("{program} {}", shown.join(" "))), 120),
        reason,
    };
    let finished = match ended {
        Ok(finished) => finished,
        Err(ProcessError::Cancelled(cancelled)) => return Err(cancelled.into()),
        Err(ProcessError::Start(_, error)) if error.kind() == std::io::ErrorKind::NotFound => {
            return Err(refuse(format!(
                "`{program}` is not there; install it in a step before, or give rendered files"
            )));
        }
        Err(error) => return Err(refuse(gha::failure::chain(&error))),
    };
    if finished.code != Some(0) {
        let how = finished
            .code
            .map_or_else(|| "was killed".to_owned(), |code| format!("exit code {code}"));
        let said = runner.hide(&String::from_utf8_lossy(&finished.stderr));
        let said = text::cut(&text::line(said.trim()), SAID);
        return Err(refuse(format!("{how}: {said}")));
    }
    Ok(finished.stdout)
}

fn told(faults: &[String]) -> String {
    let mut lines: Vec<String> = faults.iter().take(TOLD).cloned().collect();
    if let Some(more @ 1..) = faults.len().checked_sub(TOLD) {
        lines.push(format!("and {more} more"));
    }
    lines.join("\n")
}

#[cfg(test)]
mod tests;
