//! The status of a commit, which stands beside it wherever GitHub shows it
//! (<https://docs.github.com/en/rest/commits/statuses#create-a-commit-status>).

use reqwest::Method;
use serde_json::{Value, json};

use super::{Repository, description, hint, run_page};
use crate::channel::{Call, Channel};
use crate::delivery::Answer;
use crate::message::Message;
use crate::phase::Phase;
use crate::state::Posted;

/// The name in results.
pub const NAME: &str = "github-status";

/// The status of a commit.
pub struct CommitStatus {
    /// Where.
    pub repository: Repository,
    /// The commit: that of the branch, not the one that GitHub made to try the merge.
    pub sha: String,
}

impl Channel for CommitStatus {
    fn name(&self) -> &'static str {
        NAME
    }

    fn github(&self) -> Option<&Repository> {
        Some(&self.repository)
    }

    fn calls(&self, message: &Message, _before: Option<&Posted>) -> Vec<Call> {
        let state = match message.phase {
            Phase::Started => "pending",
            Phase::Succeeded => "success",
            Phase::Failed | Phase::RolledBack => "failure",
            Phase::Cancelled => "error",
        };
        let mut payload =
            json!({"state": state, "context": context(message), "description": description(message)});
        if let Some(page) = run_page(message) {
            payload["target_url"] = page.into();
        }
        // The last of a context counts, so that one more changes nothing.
        vec![
            self.repository
                .call(Method::POST, &["statuses", &self.sha], payload)
                .repeatable(),
        ]
    }

    fn accepted(&self, _answer: &Answer) -> bool {
        true
    }

    fn hint(&self, body: &str) -> Option<&'static str> {
        hint(body, "give the job `permissions: statuses: write`")
    }

    fn asks(&self) -> Option<Call> {
        Some(self.repository.call(Method::GET, &[], Value::Null).repeatable())
    }
}

/// The name under which the last status counts: one for each thing and environment.
fn context(message: &Message) -> String {
    let environment = message.environment.as_deref();
    let parts = ["deploy"]
        .into_iter()
        .chain(message.service.as_deref())
        .chain(environment);
    let parts: Vec<String> = parts.map(gha::text::visible).collect();
    gha::text::cut(&parts.join("/"), 100)
}

#[cfg(test)]
mod tests {
    use super::super::tests::{line, repository};
    use super::*;
    use crate::cli::JobStatus;
    use crate::message::tests::{entry, message};

    #[test]
    fn the_commit_says_how_it_went() {
        let status = CommitStatus {
            repository: repository(),
            sha: "abc".to_owned(),
        };
        let long = "x".repeat(300);
        let failed = message(Some(JobStatus::Failure), vec![entry("gate", "failed", &long)]).unwrap();
        let calls = status.calls(&failed, None);
        assert_eq!(line(&calls[0]), "POST /statuses/abc");
        let payload = &calls[0].payload;
        assert_eq!(payload["state"], "failure");
        assert_eq!(payload["context"], "deploy/production");
        assert_eq!(
            payload["description"].as_str().unwrap().chars().count(),
            DESCRIPTION_LIMIT
        );
        assert_eq!(
            payload["target_url"],
            "https://github.com/acme/shop/actions/runs/7/attempts/1"
        );
        let good = message(Some(JobStatus::Success), vec![]).unwrap();
        assert_eq!(status.calls(&good, None)[0].payload["state"], "success");
        let stopped = message(Some(JobStatus::Cancelled), vec![]).unwrap();
        assert_eq!(status.calls(&stopped, None)[0].payload["state"], "error");
    }

    /// GitHub refuses more.
    const DESCRIPTION_LIMIT: usize = 140;
}
