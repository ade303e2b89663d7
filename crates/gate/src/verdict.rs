//! Verdicts, and which of several counts.

use serde::{Serialize, Serializer};

/// What a rule, or the whole gate, says. The order is that of badness.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Verdict {
    /// Everything was measured, and good.
    Pass,
    /// Too little is known.
    Inconclusive,
    /// It could not be measured.
    Error,
    /// Something was measured, and bad.
    Fail,
}

impl Verdict {
    /// The worst of several; of none it is inconclusive, because nothing was measured.
    #[must_use]
    pub fn worst(verdicts: impl IntoIterator<Item = Self>) -> Self {
        verdicts.into_iter().max().unwrap_or(Self::Inconclusive)
    }

    /// The word for outputs and reports.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Pass => "pass",
            Self::Inconclusive => "inconclusive",
            Self::Error => "error",
            Self::Fail => "fail",
        }
    }
}

impl Serialize for Verdict {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.word())
    }
}

#[cfg(test)]
mod tests {
    use super::Verdict::{Error, Fail, Inconclusive, Pass};
    use super::*;

    #[test]
    fn the_worst_counts_and_nothing_is_no_pass() {
        assert_eq!(Verdict::worst([Pass, Inconclusive, Error, Fail]), Fail);
        assert_eq!(Verdict::worst([Error, Inconclusive]), Error);
        assert_eq!(Verdict::worst([Pass, Pass]), Pass);
        assert_eq!(Verdict::worst([]), Inconclusive);
    }
}
