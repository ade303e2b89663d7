//! Why there is no one Deployment behind a Service, in words.

use super::Side;
use crate::color::{Color, ColorError};
use crate::object;

/// A pod that no Deployment is responsible for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Foreign {
    /// The pod.
    pub pod: String,
    /// Whose it is, in words.
    pub of: String,
}

/// A Deployment that the selector would lead to if it had pods.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Candidate {
    /// Its name.
    pub name: String,
    /// Its unique id.
    pub uid: String,
    /// How many pods it wants.
    pub replicas: u64,
}

/// Why there is no one Deployment that is live.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum LiveError {
    /// The Service selects nothing by itself.
    #[error("service `{0}` has no selector: its endpoints are made by somebody else")]
    NoSelector(String),
    /// The Service is a name for another host.
    #[error("service `{0}` is of type `ExternalName`: it is a name for another host and leads to no pods")]
    ExternalName(String),
    /// The colours are not known.
    #[error("service `{service}`: {why}")]
    Color {
        /// The Service.
        service: String,
        /// Why.
        why: ColorError,
    },
    /// Pods that a switch would cut off.
    #[error("service `{service}` leads to {}, which a switch would cut off", pods_told(.pods))]
    Foreign {
        /// The Service.
        service: String,
        /// The pods.
        pods: Vec<Foreign>,
    },
    /// Nothing runs behind it.
    #[error("nothing runs behind service `{service}`: no pod has the labels `{selector}`{}", candidates_told(.candidates))]
    Nothing {
        /// The Service.
        service: String,
        /// The selector, as a person writes it.
        selector: String,
        /// What could run there.
        candidates: Vec<Candidate>,
    },
    /// Several Deployments are behind it: an overlap of ours that was not finished, or a selector that is too wide.
    #[error("service `{service}` leads to pods of several Deployments: {}", sides_told(.sides))]
    Several {
        /// The Service.
        service: String,
        /// The Deployments.
        sides: Vec<Side>,
    },
    /// The selector names a colour, and the pods another Deployment's.
    #[error(
        "service `{service}` selects `{label}={selected}`, but its deployment `{deployment}` does not give its pods that label"
    )]
    OtherColor {
        /// The Service.
        service: String,
        /// The label.
        label: String,
        /// The colour of the selector.
        selected: Color,
        /// The Deployment.
        deployment: String,
    },
}

impl LiveError {
    /// What a person can do about it.
    #[must_use]
    pub fn help(&self) -> &'static str {
        match self {
            Self::NoSelector(_) | Self::ExternalName(_) => {
                "give the service a selector that matches the pods of one deployment"
            }
            Self::Color { .. } => "name the label that tells the colours apart with `--color-label`",
            Self::Foreign { .. } => {
                "narrow the service's selector, or the labels of these pods, so that only one deployment is behind it"
            }
            Self::Nothing { .. } => {
                "bring a first version up behind the service (`kubectl scale`, or `--strategy rolling`), then deploy again"
            }
            Self::Several { .. } => {
                "finish or undo an interrupted deploy with `recover`, or narrow the selector to one deployment"
            }
            Self::OtherColor { .. } => {
                "mend the labels of the deployment's pod template, or name another label with `--color-label`"
            }
        }
    }
}

fn pods_told(pods: &[Foreign]) -> String {
    let told: Vec<String> = pods
        .iter()
        .take(6)
        .map(|foreign| format!("pod `{}` {}", object::shown(&foreign.pod), foreign.of))
        .collect();
    let more = pods.len().saturating_sub(told.len());
    let told = told.join(", ");
    if more == 0 {
        told
    } else {
        format!("{told} and {more} more")
    }
}

fn candidates_told(candidates: &[Candidate]) -> String {
    let told = candidates.iter().take(6).map(|candidate| {
        let Candidate { name, replicas, .. } = candidate;
        format!(
            "; deployment `{}` would, and wants {replicas} pods",
            object::shown(name)
        )
    });
    told.collect()
}

fn sides_told(sides: &[Side]) -> String {
    let told = sides.iter().take(6).map(|side| {
        let (all, ready) = (side.pods.len(), side.ready);
        format!("`{}` ({all} pods, {ready} ready)", object::shown(side.name()))
    });
    told.collect::<Vec<_>>().join(", ")
}
