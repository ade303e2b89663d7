//! The order in which a site's files become visible. Between two phases is a barrier: nothing of the next one is sent
//! before all of this one is there, so that whoever gets a page gets all that it refers to.

use std::fmt;

use serde::{Deserialize, Serialize};

/// When a file is sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Phase {
    /// Files whose name has a hash of their content: nothing refers to them yet.
    Assets,
    /// What pages refer to by a name that stays.
    Others,
    /// What visitors begin with: HTML, service workers, web manifests.
    Pages,
    /// The index document of the root.
    Index,
}

impl Phase {
    /// All of them, in their order.
    pub const ALL: [Self; 4] = [Self::Assets, Self::Others, Self::Pages, Self::Index];

    /// Its name.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Assets => "assets",
            Self::Others => "others",
            Self::Pages => "pages",
            Self::Index => "index",
        }
    }

    /// The phase of this name.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|phase| phase.as_str() == name)
    }
}

impl fmt::Display for Phase {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_referred_to_comes_before_what_refers() {
        assert!(Phase::ALL.is_sorted());
        for phase in Phase::ALL {
            assert_eq!(Phase::named(&phase.to_string()), Some(phase));
        }
        assert_eq!(Phase::named("Pages"), None);
    }
}
