//! What has to be asked for: facts cost a request or a walk through history, so that only what is needed and not known
//! is asked.

use serde_json::Value;

use crate::cli::Metadata;
use crate::facts::Facts;
use crate::flavor::{Flavor, Latest};
use crate::request::Request;
use crate::subject;

/// What a request needs beside the event.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Needs {
    /// What labels say about the repository.
    pub(crate) repository: bool,
    /// The time of the commit.
    pub(crate) commit_date: bool,
    /// The names of all git tags.
    pub(crate) tags: bool,
    /// Distance and number of commits.
    pub(crate) history: bool,
}

impl Needs {
    /// What this request needs and this payload lacks. A wrong flavor needs nothing: it fails later, with its reason.
    pub(crate) fn of(request: &Request, facts: &Facts, metadata: Metadata) -> Self {
        let payload = &facts.payload;
        let latest = Flavor::read(&request.flavor).map(|flavor| flavor.latest(request.mode));
        let asks_for_run = request.mode.is_native() || request.version_sources().contains("workflow-run");
        let names_a_tag = asks_for_run && facts.event_name == "workflow_run";
        Self {
            repository: match metadata {
                Metadata::Api => true,
                Metadata::Auto => lacks_repository(payload),
                Metadata::Event | Metadata::None => false,
            },
            commit_date: request.mentions("commit_date") && subject::undated(facts, request).is_some(),
            tags: names_a_tag || latest.is_ok_and(|latest| latest == Latest::Highest),
            history: request.mentions_history(),
        }
    }
}

/// Whether the payload says nothing of something that a label needs; `null` is an answer.
fn lacks_repository(payload: &Value) -> bool {
    let about = &payload["repository"];
    ["name", "description", "html_url", "license", "default_branch"]
        .iter()
        .any(|key| about.get(key).is_none())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::mode::Mode;

    fn needs(request: &Request, payload: &Value, metadata: Metadata) -> Needs {
        let facts = Facts {
            event_name: "push".to_owned(),
            sha: "860c190".to_owned(),
            payload: payload.clone(),
            ..Facts::default()
        };
        Needs::of(request, &facts, metadata)
    }

    #[test]
    fn a_payload_that_says_all_leaves_nothing_to_ask() {
        let about = json!({"repository": {"name": "a", "description": null, "html_url": "https://x/a", "license": null,
            "default_branch": "main"}});
        let request = Request::default();
        for (payload, metadata, expected) in [
            (&about, Metadata::Auto, false),
            (&about, Metadata::Api, true),
            (&Value::Null, Metadata::Auto, true),
            (&json!({"repository": {"name": "a"}}), Metadata::Auto, true),
            (&Value::Null, Metadata::Event, false),
            (&Value::Null, Metadata::None, false),
        ] {
            assert_eq!(
                needs(&request, payload, metadata).repository,
                expected,
                "{payload} {metadata:?}"
            );
        }
    }

    #[test]
    fn what_costs_something_is_asked_when_it_is_used() {
        let with = |tags: &str, flavor: &str| {
            let request = Request {
                tags: tags.to_owned(),
                flavor: flavor.to_owned(),
                ..Request::default()
            };
            let needs = needs(&request, &Value::Null, Metadata::Event);
            (needs.commit_date, needs.tags, needs.history)
        };
        assert_eq!(with("", ""), (false, false, false));
        assert_eq!(
            with("type=raw,value={{commit_date 'YYYY'}}", ""),
            (true, false, false)
        );
        assert_eq!(with("", "latest=highest"), (false, true, false));
        assert_eq!(with("type=raw,value={{describe}}", ""), (false, false, true));
        let push = |id: &str| json!({"head_commit": {"id": id, "timestamp": "2024-01-01T00:00:00Z"}});
        let request = Request {
            labels: "d={{commit_date 'YYYY'}}".to_owned(),
            mode: Mode::Native,
            ..Request::default()
        };
        let of_this = needs(&request, &push("860c190"), Metadata::Event);
        assert!(!of_this.commit_date && of_this.tags);
        assert!(needs(&request, &push("other"), Metadata::Event).commit_date);
    }
}
