//! Which operation a request asks CloudFront for.

use crate::http::Request;
use crate::stand_ins::aws::hosting::address;
use crate::stand_ins::aws::hosting::answered::{Refused, refused};

/// A request that was understood.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Ask {
    pub(crate) operation: &'static str,
    pub(crate) distribution: String,
    /// An id; empty where none is asked for.
    pub(crate) invalidation: String,
    pub(crate) query: Vec<(String, String)>,
}

impl Ask {
    /// Reads it.
    ///
    /// # Errors
    /// For an operation that has no stand-in.
    pub(crate) fn of(head: &Request) -> Result<Self, Refused> {
        let unknown = || {
            refused(
                404,
                "UnknownOperationException",
                "There is no stand-in for this operation.",
            )
        };
        let (path, query) = address::split(&head.path);
        let path = address::decoded(path).ok_or_else(unknown)?;
        let words: Vec<&str> = path.trim_matches('/').split('/').collect();
        let (operation, distribution, invalidation) = match (head.method.as_str(), &words[..]) {
            ("GET", ["2020-05-31", "distribution", id]) => ("GetDistribution", *id, ""),
            ("GET", ["2020-05-31", "distribution", id, "config"]) => ("GetDistributionConfig", *id, ""),
            ("GET", ["2020-05-31", "distribution", id, "invalidation"]) => ("ListInvalidations", *id, ""),
            ("POST", ["2020-05-31", "distribution", id, "invalidation"]) => ("CreateInvalidation", *id, ""),
            ("GET", ["2020-05-31", "distribution", id, "invalidation", one]) => {
                ("GetInvalidation", *id, *one)
            }
            _ => return Err(unknown()),
        };
        Ok(Self {
            operation,
            distribution: distribution.to_owned(),
            invalidation: invalidation.to_owned(),
            query: address::pairs(query).ok_or_else(unknown)?,
        })
    }

    /// The value of a name in the query.
    pub(crate) fn query(&self, name: &str) -> Option<&str> {
        let found = self.query.iter().find(|(known, _)| known == name);
        found.map(|(_, value)| value.as_str())
    }
}
