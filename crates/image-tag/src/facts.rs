//! What is known about the run: plain values, read by the edge from a runner's environment, a payload file, a checkout
//! or flags. Nothing here decides on a tag.

use jiff::Timestamp;
use serde_json::Value;

/// The event that is built for.
#[derive(Debug, Clone, Default)]
pub struct Facts {
    /// Name of the event in GitHub's words, such as `push`.
    pub event_name: String,
    /// Full ref, such as `refs/heads/main`; empty when the event has none.
    pub git_ref: String,
    /// Full commit hash.
    pub sha: String,
    /// Head commit of a pull request's branch where the payload does not hold it.
    pub head_sha: String,
    /// The branch a pull request goes to where the payload does not hold it.
    pub base_ref: String,
    /// Another CI system than GitHub's runs this.
    pub of_other_ci: bool,
    /// The ref was named by hand or read from a checkout, so that the event has no say in it.
    pub ref_given: bool,
    /// The same for the commit.
    pub sha_given: bool,
    /// The event's payload; [`Value::Null`] when there is none
    /// (<https://docs.github.com/en/webhooks/webhook-events-and-payloads>).
    pub payload: Value,
    /// What labels say about the repository.
    pub repository: Repository,
    /// The time of the run.
    pub now: Timestamp,
    /// The commit's time where the payload does not hold it; the time of the run is the last resort.
    pub commit_date: Option<Timestamp>,
    /// The names of the repository's git tags; `None` when they are not known, or not all.
    pub tags: Option<Vec<String>>,
    /// Where the commit stands in its history; `None` when nobody asked or it is not known.
    pub history: Option<History>,
}

/// What labels say about a repository. Empty text is text that is not known.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Repository {
    /// `owner/name`.
    pub full_name: String,
    /// Name without the owner.
    pub name: String,
    /// The one-line description.
    pub description: String,
    /// Address of its page.
    pub html_url: String,
    /// SPDX identifier of its licence.
    pub license: String,
    /// The branch that is checked out when none is named.
    pub default_branch: String,
}

/// Where a commit stands in its history, as `git describe --tags` and `git rev-list --count` tell it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct History {
    /// The nearest tag before the commit; `None` when there is none.
    pub tag: Option<String>,
    /// Commits since that tag, or all when there is none.
    pub distance: u64,
    /// Commits up to and with this one.
    pub commit_count: u64,
    /// `v1.2.3-4-gabcdef0`, or the tag alone on its own commit, or a short hash when there is no tag.
    pub describe: String,
}

impl Facts {
    /// Whether a name is known to be that of a git tag.
    pub(crate) fn has_tag(&self, name: &str) -> bool {
        self.tags.iter().flatten().any(|tag| tag == name)
    }
}

impl Repository {
    /// Reads a `repository` object as GitHub's payloads and API have it; `full_name` (`owner/name`) and `server_url`
    /// stand in where it is silent.
    #[must_use]
    pub fn from_json(about: &Value, full_name: &str, server_url: &str) -> Self {
        let known = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        let or = |value: String, other: &str| if value.is_empty() { other.to_owned() } else { value };
        let full_name = or(full_name.to_owned(), &known(&about["full_name"]));
        let page = match (full_name.as_str(), server_url.trim_end_matches('/')) {
            ("", _) | (_, "") => String::new(),
            (name, server) => format!("{server}/{name}"),
        };
        Self {
            name: or(
                known(&about["name"]),
                full_name.rsplit('/').next().unwrap_or_default(),
            ),
            description: known(&about["description"]),
            html_url: or(known(&about["html_url"]), &page),
            license: known(&about["license"]["spdx_id"]),
            default_branch: known(&about["default_branch"]),
            full_name,
        }
    }

    /// The same with every gap filled from another source.
    #[must_use]
    pub fn or(self, other: Self) -> Self {
        let or = |own: String, other: String| if own.is_empty() { other } else { own };
        Self {
            full_name: or(self.full_name, other.full_name),
            name: or(self.name, other.name),
            description: or(self.description, other.description),
            html_url: or(self.html_url, other.html_url),
            license: or(self.license, other.license),
            default_branch: or(self.default_branch, other.default_branch),
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn repository_without_a_payload_is_made_from_its_name() {
        let repository = Repository::from_json(&Value::Null, "org/app", "https://git.example/");
        assert_eq!(repository.name, "app");
        assert_eq!(repository.html_url, "https://git.example/org/app");
        assert_eq!(repository.description, "");
    }

    #[test]
    fn repository_of_the_payload_wins() {
        let about = json!({"name": "App", "full_name": "org/App", "html_url": "https://x/org/App",
            "description": "it", "license": {"spdx_id": "MIT"}, "default_branch": "main"});
        let repository = Repository::from_json(&about, "", "https://github.com");
        assert_eq!(repository.full_name, "org/App");
        assert_eq!(repository.name, "App");
        assert_eq!(repository.html_url, "https://x/org/App");
        assert_eq!(repository.license, "MIT");
    }

    #[test]
    fn gaps_are_filled_and_nothing_else() {
        let one = Repository {
            name: "App".to_owned(),
            ..Repository::default()
        };
        let other = Repository {
            name: "other".to_owned(),
            license: "MIT".to_owned(),
            ..Repository::default()
        };
        let both = one.or(other);
        assert_eq!((both.name.as_str(), both.license.as_str()), ("App", "MIT"));
    }
}
