//! Finds the workload that is rolled: the one that is named, the one of a manifest, or the one that a Service leads to.

use std::collections::BTreeSet;

use gha::{Exit, Failure, text};
use serde_json::Value;

use super::mark::{Mark, Phase};
use crate::api::{Kind, Refused, Which};
use crate::cli;
use crate::object;
use crate::place::Place;
use crate::workload::{NoWorkload, Sort, Workload};

/// Why there is no workload to roll. Nothing was changed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum FindError {
    /// A flag that names none.
    #[error("`--workload`: {0}")]
    Name(#[from] NoWorkload),
    /// Nothing names one.
    #[error("no workload is named")]
    Unnamed,
    /// More than one.
    #[error("{0} workloads are named, and one run rolls one")]
    Several(usize),
    /// A call failed.
    #[error(transparent)]
    Refused(#[from] Refused),
    /// It is not there.
    #[error("there is no {0} `{1}` in namespace `{2}`")]
    Missing(String, String, String),
    /// The Service selects nothing.
    #[error("Service `{0}` has no selector: which pods it leads to is not its own choice")]
    NoSelector(String),
    /// What it leads to is no one workload.
    #[error("Service `{0}` leads to {1}")]
    Unclear(String, String),
    /// What it is can't be rolled.
    #[error("`{0}` can't be rolled: {1}")]
    Obstacle(String, &'static str),
    /// A note on it that can't be acted on.
    #[error("`{0}`: {1}")]
    Mark(String, super::mark::MarkError),
}

impl FindError {
    /// What the run ends with.
    #[must_use]
    pub fn exit(&self) -> Exit {
        match self {
            Self::Refused(refused) if refused.is_access() || refused.may_pass() => Exit::Access,
            _ => Exit::Usage,
        }
    }

    fn help(&self) -> &'static str {
        match self {
            Self::Refused(refused) if refused.is_access() => {
                "check the credentials and the role: docs/k8s-blue-green.md has the least one for each command"
            }
            Self::Refused(refused) if refused.may_pass() => {
                "check the network, `HTTPS_PROXY` and the server, and run it again: nothing was changed"
            }
            Self::Missing(..) => "check `--workload`, `--service` and `--namespace`",
            Self::Several(_) => "run it once for each",
            Self::Obstacle(..) => "nothing was changed",
            Self::Mark(..) => "nothing was changed",
            Self::Name(_) | Self::Unnamed | Self::Refused(_) | Self::NoSelector(_) | Self::Unclear(..) => {
                "name it with `--workload deployment/web`"
            }
        }
    }
}

impl From<FindError> for Failure {
    fn from(error: FindError) -> Self {
        let (exit, help) = (error.exit(), error.help());
        Self::new(exit, error).help(help)
    }
}

/// The workload that flags name, or a manifest is of.
///
/// # Errors
/// When it is not one, or not clear.
pub async fn named(
    target: &cli::Target,
    manifest: Option<&Value>,
    place: &Place<'_>,
) -> Result<Workload, FindError> {
    match (target.workload.as_slice(), manifest) {
        ([], Some(manifest)) => Workload::of(manifest).ok_or(FindError::Unnamed),
        ([one], _) => Ok(Workload::parse(one)?),
        ([], None) => match target.service.as_slice() {
            [] => Err(FindError::Unnamed),
            services => behind(services, place).await,
        },
        (many, _) => Err(FindError::Several(many.len())),
    }
}

/// The workload behind a Service, where a rolling deploy to it did not end.
///
/// # Errors
/// When that can't be seen.
pub async fn unended_behind(service: &str, place: &Place<'_>) -> Result<Option<Workload>, FindError> {
    let named = behind(&[service.to_owned()], place).await?;
    let Some(object) = read(&named, place).await? else {
        return Ok(None);
    };
    let mark = Mark::on(&object).map_err(|error| FindError::Mark(named.to_string(), error))?;
    let is_open = mark.is_some_and(|mark| mark.phase != Phase::Done);
    Ok(is_open.then_some(named))
}

/// A workload as it is; nothing where there is none.
///
/// # Errors
/// When it can't be read.
pub async fn read(named: &Workload, place: &Place<'_>) -> Result<Option<Value>, Refused> {
    place
        .api
        .get(&named.sort.kind(), &place.namespace, &named.name)
        .await
}

/// The same, which must be there and in a state to be rolled.
///
/// # Errors
/// When it is not.
pub async fn there(named: &Workload, place: &Place<'_>) -> Result<Value, FindError> {
    let Some(found) = read(named, place).await? else {
        return Err(FindError::Missing(
            named.sort.kind().kind,
            text::line(&named.name),
            text::line(&place.namespace),
        ));
    };
    match super::progress::obstacle(named.sort, &found) {
        Some(obstacle) => Err(FindError::Obstacle(named.to_string(), obstacle)),
        None => Ok(found),
    }
}

/// The one workload that all the pods behind these Services belong to.
async fn behind(services: &[String], place: &Place<'_>) -> Result<Workload, FindError> {
    let names: Vec<String> = services.iter().map(|name| text::line(name)).collect();
    let shown = names.join("`, `");
    let mut found = BTreeSet::new();
    for name in services {
        let service = place.api.get(&Kind::service(), &place.namespace, name).await?;
        let missing = || {
            FindError::Missing(
                "Service".to_owned(),
                text::line(name),
                text::line(&place.namespace),
            )
        };
        let selector = object::labels_at(&service.ok_or_else(missing)?, "/spec/selector");
        if selector.is_empty() {
            return Err(FindError::NoSelector(text::line(name)));
        }
        let labels = object::written(&selector);
        let which = Which {
            labels: Some(&labels),
            ..Which::default()
        };
        let pods = place.api.list(&Kind::pod(), &place.namespace, &which).await?;
        for pod in pods
            .iter()
            .filter(|pod| !object::is_leaving(pod) && !is_over(pod))
        {
            found.insert(match object::owner(pod) {
                Some(owner) => (owner.kind, owner.name),
                None => ("Pod".to_owned(), object::name(pod).to_owned()),
            });
        }
    }
    let has_sets = found.iter().any(|(kind, _)| kind == "ReplicaSet");
    let sets = if has_sets {
        let (kind, all) = (Kind::replica_set(), Which::default());
        place.api.list(&kind, &place.namespace, &all).await?
    } else {
        Vec::new()
    };
    let mut workloads = BTreeSet::new();
    for (kind, name) in found {
        workloads.insert(match kind.as_str() {
            "ReplicaSet" => {
                let set = sets.iter().find(|set| object::name(set) == name);
                let owner = set.and_then(object::owner);
                owner.map_or((kind, name), |owner| (owner.kind, owner.name))
            }
            _ => (kind, name),
        });
    }
    let words: Vec<String> = workloads
        .iter()
        .map(|(kind, name)| format!("{} `{}`", text::line(kind), text::line(name)))
        .collect();
    match (workloads.pop_first(), workloads.is_empty()) {
        (None, _) => Err(FindError::Unclear(shown, "no pods".to_owned())),
        (Some((kind, name)), true) if Sort::of_kind(&kind).is_some() => Ok(Workload {
            sort: Sort::of_kind(&kind).unwrap_or(Sort::Deployment),
            name,
        }),
        _ => Err(FindError::Unclear(shown, format!("pods of {}", words.join(", ")))),
    }
}

fn is_over(pod: &Value) -> bool {
    matches!(object::text(pod, "/status/phase"), "Succeeded" | "Failed")
}
