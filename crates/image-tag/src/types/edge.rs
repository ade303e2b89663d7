//! `type=edge`: the last commit of one branch, the default one unless another is named.

use super::{Answer, Event};
use crate::attributes::Attributes;
use crate::error::shown;
use crate::warning::Warning;

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Edge {
    branch: Option<String>,
}

impl Edge {
    pub(super) fn read(attributes: &mut Attributes) -> Self {
        Self {
            branch: attributes.take("branch").filter(|branch| !branch.is_empty()),
        }
    }

    pub(super) fn answer(&self, event: &Event<'_>, warnings: &mut Vec<Warning>) -> Answer {
        let Some(branch) = event.subject.branch() else {
            return Answer::Nothing("the ref is not a branch".into());
        };
        let default = &event.subject.facts.repository.default_branch;
        let wanted = self.branch.as_ref().unwrap_or(default);
        if wanted.is_empty() {
            warnings.push(Warning::NoDefaultBranch);
            return Answer::Nothing("the default branch is not known".into());
        }
        if wanted != branch {
            return Answer::Nothing(format!("the ref is another branch than `{}`", shown(wanted)).into());
        }
        Answer::Tag {
            text: "edge".to_owned(),
            latest: false,
        }
    }
}
