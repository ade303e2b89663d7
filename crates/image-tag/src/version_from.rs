//! The `version-from` input: where a version comes from when the ref is no tag.

use serde_json::Value;

use crate::error::{Error, Input, shown};
use crate::event_ref;
use crate::facts::Facts;
use crate::list;
use crate::tag_prefix;

const SOURCES: &str = "`release`, `workflow-run`, `dispatch:NAME`, `describe`";

/// One place to look for a version.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Source {
    /// The release's `tag_name`.
    Release,
    /// The tag whose run this one follows.
    WorkflowRun,
    /// An input of `workflow_dispatch`, or a key of a `repository_dispatch` payload.
    Dispatch(String),
    /// `git describe --tags`.
    Describe,
}

/// A version that does not come from the ref.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Found {
    /// The version without the prefix of tags.
    pub(crate) text: String,
    /// Where it is from, for people.
    pub(crate) place: String,
}

/// The first version that one of the sources has.
pub(crate) fn find(sources: &str, facts: &Facts, prefix: &str) -> Result<Option<Found>, Error> {
    let sources = read(sources)?;
    Ok(sources.iter().find_map(|source| look(source, facts, prefix)))
}

fn read(input: &str) -> Result<Vec<Source>, Error> {
    let records = list::records(input).map_err(|source| Error::List {
        input: Input::VersionFrom,
        source,
    })?;
    let fields = records.iter().flat_map(|record| &record.fields);
    fields
        .map(|field| match field.split_once(':') {
            None if field == "release" => Ok(Source::Release),
            None if field == "workflow-run" => Ok(Source::WorkflowRun),
            None if field == "describe" => Ok(Source::Describe),
            Some(("dispatch", name)) if !name.is_empty() => Ok(Source::Dispatch(name.to_owned())),
            _ => Err(Error::Word {
                input: Input::VersionFrom,
                word: shown(field),
                known: SOURCES,
            }),
        })
        .collect()
}

fn look(source: &Source, facts: &Facts, prefix: &str) -> Option<Found> {
    let payload = &facts.payload;
    let found = |text: &str, place: String| Found {
        text: text.to_owned(),
        place,
    };
    let tag = |value: &Value, place: &str| {
        let tag = tag_prefix::strip(value.as_str()?, prefix)?;
        Some(found(tag, place.to_owned()))
    };
    match source {
        Source::Release if matches!(payload["action"].as_str(), Some("deleted" | "unpublished")) => None,
        Source::Release => tag(&payload["release"]["tag_name"], "the release's tag"),
        Source::WorkflowRun => {
            let run = &payload["workflow_run"];
            let own = run["event"] == "push" && event_ref::is_run_of_here(facts);
            // A branch may be called `v9.9.9`. Only what is known to be a tag is one.
            let is_tag = facts.has_tag(run["head_branch"].as_str().unwrap_or_default());
            tag(&run["head_branch"], "the tag of the run before").filter(|_| own && is_tag)
        }
        Source::Dispatch(name) => {
            let given = [&payload["inputs"][name], &payload["client_payload"][name]]
                .into_iter()
                .find_map(|value| value.as_str().map(str::trim).filter(|text| !text.is_empty()))?;
            let text = tag_prefix::strip(given, prefix).unwrap_or(given);
            Some(found(
                text,
                format!("the input `{}` of the dispatch", shown(name)),
            ))
        }
        Source::Describe => {
            let history = facts.history.as_ref()?;
            history.tag.as_ref()?;
            let text = tag_prefix::strip(&history.describe, prefix)?;
            Some(found(text, "`git describe --tags`".to_owned()))
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::facts::History;

    fn found(sources: &str, payload: Value, prefix: &str) -> Option<String> {
        let facts = Facts {
            payload,
            history: Some(History {
                tag: Some("v1.0.0".to_owned()),
                distance: 3,
                commit_count: 9,
                describe: "v1.0.0-3-g860c190".to_owned(),
            }),
            tags: Some(vec!["v1.2.3".to_owned()]),
            ..Facts::default()
        };
        find(sources, &facts, prefix).unwrap().map(|found| found.text)
    }

    #[test]
    fn first_source_that_knows_one() {
        let run = |repository: &str, branch: &str| {
            json!({"repository": {"full_name": "org/app"}, "workflow_run": {"event": "push", "head_branch": branch,
                "head_repository": {"full_name": repository}}})
        };
        for (sources, payload, prefix, expected) in [
            ("", json!({"release": {"tag_name": "v1"}}), "", None),
            ("release", json!({"release": {"tag_name": "v1"}}), "", Some("v1")),
            (
                "release",
                json!({"release": {"tag_name": "web/v1"}}),
                "api/",
                None,
            ),
            (
                "release",
                json!({"release": {"tag_name": "api/v1"}}),
                "api/",
                Some("v1"),
            ),
            ("workflow-run", run("org/app", "v1.2.3"), "", Some("v1.2.3")),
            ("workflow-run", run("org/app", "main"), "", None),
            ("workflow-run", run("org/app", "v9.9.9"), "", None),
            ("workflow-run", run("evil/app", "v1.2.3"), "", None),
            (
                "dispatch:version",
                json!({"inputs": {"version": " 1.2.3 "}}),
                "",
                Some("1.2.3"),
            ),
            (
                "dispatch:version",
                json!({"inputs": {"version": "api/1.2.3"}}),
                "api/",
                Some("1.2.3"),
            ),
            (
                "dispatch:v",
                json!({"client_payload": {"v": "1.2.3"}}),
                "",
                Some("1.2.3"),
            ),
            ("dispatch:version", json!({"inputs": {"version": ""}}), "", None),
            (
                "release\ndispatch:version,describe",
                json!({}),
                "",
                Some("v1.0.0-3-g860c190"),
            ),
        ] {
            assert_eq!(found(sources, payload, prefix).as_deref(), expected, "{sources}");
        }
    }

    #[test]
    fn unknown_source_says_which_there_are() {
        for sources in ["tag", "dispatch:", "dispatch", "release:x"] {
            let error = find(sources, &Facts::default(), "").unwrap_err();
            assert!(error.to_string().contains("`workflow-run`"), "{error}");
        }
    }
}
