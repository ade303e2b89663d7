//! Why an object of the manifests is not applied.

use crate::api::Refused;
use crate::error::Error;

/// Why an object was not applied. Those before it were.
#[derive(Debug, thiserror::Error)]
pub enum ApplyError {
    /// The server knows no such kind.
    #[error(
        "{from}: the cluster knows no kind `{kind}` of `{api_version}`; its definition may not be installed"
    )]
    Unknown {
        /// Where the object is from.
        from: String,
        /// Its kind.
        kind: String,
        /// Its version.
        api_version: String,
    },
    /// It is in no namespace.
    #[error(
        "{from}: {kind} `{name}` is in no namespace, so it is for who administers the cluster to apply; leave it out of this deploy"
    )]
    Wide {
        /// Where the object is from.
        from: String,
        /// Its kind.
        kind: String,
        /// Its name.
        name: String,
    },
    /// Somebody else has fields of it.
    #[error(
        "{from}: {kind} `{name}` has fields that {managers} manages, and they were left as they are: {said}"
    )]
    Conflict {
        /// Where the object is from.
        from: String,
        /// Its kind.
        kind: String,
        /// Its name.
        name: String,
        /// Who has them.
        managers: String,
        /// The server's own words, inert.
        said: String,
    },
    /// A call failed.
    #[error("{from}: {refused}")]
    Refused {
        /// Where the object is from.
        from: String,
        /// Why.
        refused: Refused,
    },
}

/// The end of a deploy whose manifests are not taken.
impl From<ApplyError> for Error {
    fn from(error: ApplyError) -> Self {
        match error {
            ApplyError::Refused { from, refused } => Self::Refused {
                what: format!("apply {from}"),
                refused,
            },
            other => Self::unfit(other.to_string()),
        }
    }
}
