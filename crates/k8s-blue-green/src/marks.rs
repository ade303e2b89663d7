//! Marks of what this program makes. Pure.

use serde_json::Value;

use crate::api::MANAGER;
use crate::object::{self, Labels};
use crate::run::Run;

/// The annotation of all that this program makes.
pub const MANAGED_BY: &str = "deploy-actions/managed-by";

/// The annotation that names the run.
pub const RUN: &str = "deploy-actions/run";

/// The annotation that names the Service for which something was made.
pub const FOR: &str = "deploy-actions/service";

/// Whether this program made it.
#[must_use]
pub fn is_ours(object: &Value) -> bool {
    object::annotation(object, MANAGED_BY) == Some(MANAGER)
}

/// The annotations of what this program makes in a run, for a Service.
#[must_use]
pub fn marks(service: &str, run: &Run) -> Labels {
    [
        (MANAGED_BY, MANAGER),
        (FOR, service),
        (RUN, run.link.as_ref().unwrap_or(&run.name)),
    ]
    .map(|(key, value)| (key.to_owned(), value.to_owned()))
    .into()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn what_is_marked_is_ours() {
        let run = Run {
            name: "acme/shop/1".to_owned(),
            link: None,
            trace: "t".to_owned(),
        };
        assert!(!is_ours(&json!({"metadata": {"name": "web"}})));
        let object = json!({"metadata": {"name": "web", "annotations": marks("web", &run)}});
        assert!(is_ours(&object));
        assert_eq!(object["metadata"]["annotations"][RUN], "acme/shop/1");
    }
}
