//! Which revision to go back to: the last one that is known to have served, never simply the one with the number before.
//! That one may have failed, or belong to someone else.

use gha::text;
use jiff::Timestamp;

use crate::observed::{Deployment, Service, revision_name};
use crate::words::{RolloutState, ServiceDeploymentStatus};

/// A service deployment of the past, with what was read of its revision.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Past {
    /// The ARN of its task definition.
    pub task_definition: String,
    /// How it ended.
    pub status: ServiceDeploymentStatus,
    /// When it was created.
    pub created_at: Option<Timestamp>,
    /// The versions that its images carry (tags, digests), and its `version` tag.
    pub versions: Vec<String>,
}

/// A revision to go back to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Target {
    /// Its ARN, or `family:revision` where a person named it and it never was deployed here.
    pub task_definition: String,
    /// How it is known to be good.
    pub evidence: Evidence,
}

/// How a revision is known to be good.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Evidence {
    /// Its rolling deployment is complete, as the service shows now.
    Completed,
    /// A service deployment of it was successful, created at this time.
    Successful(Option<Timestamp>),
    /// It is not: a person named it.
    Named,
}

/// Why no revision was found.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum TargetError {
    /// A text that is neither a revision nor a version that served.
    #[error("no successful deployment of `{wanted}` is known; the latest are {}", known(.latest))]
    Unknown {
        /// What was wanted.
        wanted: String,
        /// `family:revision` of the latest that were successful.
        latest: Vec<String>,
    },
    /// A number that is a revision, and the version of another one.
    #[error("`{wanted}` is revision `{revision}` and also the version of `{version}`; write one of the two")]
    Ambiguous {
        /// What was wanted.
        wanted: String,
        /// `family:revision` of the revision.
        revision: String,
        /// `family:revision` of the version.
        version: String,
    },
    /// A revision of another family.
    #[error("`{wanted}` is of another family than the service's `{family}`")]
    Family {
        /// What was wanted.
        wanted: String,
        /// The family of the service's task definition.
        family: String,
    },
    /// Nothing but the current revision ever was successful.
    #[error("no earlier successful deployment is known; ECS keeps about three months of them")]
    Nothing,
}

fn known(latest: &[String]) -> String {
    if latest.is_empty() {
        return "none".to_owned();
    }
    let quoted: Vec<String> = latest.iter().map(|name| format!("`{name}`")).collect();
    quoted.join(", ")
}

/// The revision to go back to if the deploy that is about to begin fails: what is complete now, else what was successful
/// last. `None` where nothing ever was, as at a first deploy.
#[must_use]
pub fn at_start(service: &Service, history: &[Past]) -> Option<Target> {
    let serving = |deployment: &&Deployment| match &deployment.rollout_state {
        Some(state) => *state == RolloutState::Completed,
        None => {
            service.deployments.len() == 1
                && deployment.running > 0
                && deployment.running >= deployment.desired
        }
    };
    let primary = service.primary().filter(serving);
    let completed = primary.or_else(|| {
        let earlier = service.deployments.iter().filter(serving);
        earlier.max_by_key(|deployment| deployment.created_at)
    });
    completed
        .map(|deployment| Target {
            task_definition: deployment.task_definition.clone(),
            evidence: Evidence::Completed,
        })
        .or_else(|| successful(history).next().map(target))
}

/// The revision before the current one: the latest successful other one.
///
/// # Errors
/// When there is none.
pub fn before(current: &str, history: &[Past]) -> Result<Target, TargetError> {
    successful(history)
        .find(|past| past.task_definition != current)
        .map(target)
        .ok_or(TargetError::Nothing)
}

/// Whether the latest deployment brings an earlier revision back ([`brings_back`]): of what it replaces, and of what the
/// records say, because a deployment that failed may have no tasks left and be gone from the service.
#[must_use]
pub fn is_coming_back(service: &Service, history: &[Past]) -> bool {
    let Some(primary) = service.primary() else {
        return false;
    };
    let coming = primary.task_definition.as_str();
    let beside = service
        .deployments
        .iter()
        .map(|deployment| deployment.task_definition.as_str());
    primary.rollout_state == Some(RolloutState::InProgress)
        && brings_back(coming, beside.chain(recorded_before(coming, history)), history)
}

/// Whether a deployment brings an earlier revision back: one that was successful before and is older than what it
/// replaces. A deploy brings a newer one.
pub fn brings_back<'a>(coming: &str, replaced: impl IntoIterator<Item = &'a str>, history: &[Past]) -> bool {
    let Some((of, number)) = revision(coming) else {
        return false;
    };
    let newer = |replaced: &str| {
        revision(replaced).is_some_and(|(family, replaced)| family == of && replaced > number)
    };
    replaced.into_iter().any(newer) && successful(history).any(|past| past.task_definition == coming)
}

/// What the record of the service deployment before this one brings. One that was rolled back is over: what comes after it
/// replaces what came back.
fn recorded_before<'a>(coming: &str, history: &'a [Past]) -> Option<&'a str> {
    let mut newest_first = newest_first(history);
    let latest = newest_first.next()?;
    let before = if latest.task_definition == coming {
        newest_first.next()?
    } else {
        latest
    };
    let is_over = before.status == ServiceDeploymentStatus::RollbackSuccessful;
    (!is_over).then_some(before.task_definition.as_str())
}

/// Whether ECS says that it takes the latest deployment, of this revision, back.
#[must_use]
pub fn is_taken_back(task_definition: &str, history: &[Past]) -> bool {
    use ServiceDeploymentStatus::{RollbackInProgress, RollbackRequested};
    newest_first(history).next().is_some_and(|latest| {
        latest.task_definition == task_definition
            && matches!(latest.status, RollbackRequested | RollbackInProgress)
    })
}

/// The revision that a person means: `41`, `web:41`, an ARN, or a version, which is the newest successful revision that
/// carries it.
///
/// # Errors
/// When it is unknown, ambiguous, or of another family than `current`.
pub fn named(wanted: &str, current: &str, history: &[Past]) -> Result<Target, TargetError> {
    let wanted = wanted.trim();
    let shown = || text::line(&text::cut(wanted, 200));
    let name = |past: &Past| text::line(revision_name(&past.task_definition));
    let family = family(current);
    let carrier = successful(history).find(|past| past.versions.iter().any(|version| version == wanted));
    let revision = match revision(wanted) {
        Some((Some(of), _)) if of != family && carrier.is_none() => {
            return Err(TargetError::Family {
                wanted: shown(),
                family: text::line(family),
            });
        }
        Some((Some(of), number)) if of == family => Some(number),
        Some((None, number)) => Some(number),
        _ => None,
    };
    let Some(number) = revision else {
        return carrier.map(target).ok_or_else(|| TargetError::Unknown {
            wanted: shown(),
            latest: latest(history, 5),
        });
    };
    let full = format!("{family}:{number}");
    let deployed = successful(history).find(|past| revision_name(&past.task_definition) == full);
    // A bare number is a revision's as well as a build's.
    if let Some(carrier) = carrier.filter(|carrier| revision_name(&carrier.task_definition) != full) {
        return Err(TargetError::Ambiguous {
            wanted: shown(),
            revision: text::line(&full),
            version: name(carrier),
        });
    }
    Ok(deployed.map_or(
        Target {
            task_definition: full,
            evidence: Evidence::Named,
        },
        target,
    ))
}

/// Successful deployments, newest first.
fn successful(history: &[Past]) -> impl Iterator<Item = &Past> {
    newest_first(history).filter(|past| past.status == ServiceDeploymentStatus::Successful)
}

/// The names of the newest revisions that were successful, each once.
fn latest(history: &[Past], most: usize) -> Vec<String> {
    let mut names: Vec<String> = Vec::new();
    for past in successful(history) {
        let name = text::line(revision_name(&past.task_definition));
        if names.len() < most && !names.contains(&name) {
            names.push(name);
        }
    }
    names
}

fn newest_first(history: &[Past]) -> impl Iterator<Item = &Past> {
    let mut newest_first: Vec<&Past> = history.iter().collect();
    newest_first.sort_by_key(|past| std::cmp::Reverse(past.created_at));
    newest_first.into_iter()
}

fn target(past: &Past) -> Target {
    Target {
        task_definition: past.task_definition.clone(),
        evidence: Evidence::Successful(past.created_at),
    }
}

fn family(task_definition: &str) -> &str {
    let name = revision_name(task_definition);
    name.rsplit_once(':').map_or(name, |(family, _)| family)
}

/// A family, where one is named, and a revision.
fn revision(wanted: &str) -> Option<(Option<&str>, u32)> {
    let name = revision_name(wanted);
    let (family, number) = match name.rsplit_once(':') {
        Some((family, number)) => (Some(family), number),
        None => (None, name),
    };
    let digits = !number.is_empty() && number.bytes().all(|byte| byte.is_ascii_digit());
    let number = number.parse().ok().filter(|number| digits && *number > 0)?;
    Some((family, number))
}

#[cfg(test)]
mod tests;
