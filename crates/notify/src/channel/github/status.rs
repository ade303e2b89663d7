//! The status of a commit, which stands beside it wherever GitHub shows it
//! (<https://docs.github.com/en/rest/commits/statuses#create-a-commit-status>).

use reqwest::Method;
use serde_json::{Value, json};

use super::{Repository, Run, description, hint, is_of_github, newer, run_of, run_page};
use crate::channel::{Call, Channel, Fate, Heard};
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
    /// The run that says it.
    pub run: Run,
}

impl Channel for CommitStatus {
    fn name(&self) -> &'static str {
        NAME
    }

    fn github(&self) -> Option<&Repository> {
        Some(&self.repository)
    }

    fn calls(&self, message: &Message, _before: Option<&Posted>) -> Vec<Call> {
        vec![self.say(message)]
    }

    fn turn(&self, message: &Message, _before: Option<&Posted>, heard: &[Heard]) -> Option<Call> {
        match heard {
            [] => Some(self.look()),
            [before] => (!self.is_late(message, before)).then(|| self.say(message)),
            _ => None,
        }
    }

    fn fate(&self, _before: Option<&Posted>, heard: &[Heard]) -> Fate {
        match heard.len() {
            2.. => Fate::Sent,
            _ => newer(),
        }
    }

    fn accepted(&self, answer: &Answer) -> bool {
        is_of_github(answer)
    }

    fn hint(&self, body: &str) -> Option<&'static str> {
        hint(body, "give the job `permissions: statuses: write`")
    }

    fn asks(&self) -> Option<Call> {
        Some(self.repository.call(Method::GET, &[], Value::Null).repeatable())
    }
}

impl CommitStatus {
    /// What was said before, the newest first.
    fn look(&self) -> Call {
        let path = ["commits", &self.sha, "statuses"];
        self.repository.get(&path, &[("per_page", "100")])
    }

    /// Whether a newer run has said something under the same name.
    fn is_late(&self, message: &Message, before: &Heard) -> bool {
        let context = context(message);
        let mut said = before.body.as_array().into_iter().flatten();
        let last = said.find(|status| status["context"] == context);
        let page = last.and_then(|status| status["target_url"].as_str());
        page.and_then(run_of)
            .is_some_and(|run| run.stays_before(self.run))
    }

    fn say(&self, message: &Message) -> Call {
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
        let path = ["statuses", &self.sha];
        self.repository.call(Method::POST, &path, payload).repeatable()
    }
}

/// The name under which the last status counts: one for each thing and environment.
fn context(message: &Message) -> String {
    let about = &message.about;
    let parts = ["deploy"]
        .into_iter()
        .chain(about.service.as_deref())
        .chain(about.environment.as_deref());
    let parts: Vec<String> = parts.map(gha::text::visible).collect();
    gha::text::cut(&parts.join("/"), 100)
}

#[cfg(test)]
mod tests {
    use super::super::tests::{heard, line, repository};
    use super::*;
    use crate::cli::JobStatus;
    use crate::message::tests::{entry, message};

    #[test]
    fn the_commit_says_how_it_went() {
        let status = CommitStatus {
            repository: repository(),
            sha: "abc".to_owned(),
            run: Run { id: 7, attempt: 1 },
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

    #[test]
    fn what_a_newer_run_said_stays() {
        let status = CommitStatus {
            repository: repository(),
            sha: "abc".to_owned(),
            run: Run { id: 7, attempt: 1 },
        };
        let good = message(Some(JobStatus::Success), vec![]).unwrap();
        let look = status.turn(&good, None, &[]).unwrap();
        assert_eq!(line(&look), "GET /commits/abc/statuses?per_page=100");
        let said = |context: &str, run: &str| {
            let page = format!("https://github.com/acme/shop/actions/runs/{run}");
            json!({"context": context, "target_url": page})
        };
        let ours = "deploy/production";
        for (before, says) in [
            (json!([]), true),
            (json!([said(ours, "6")]), true),
            (json!([said(ours, "7/attempts/1")]), true),
            (json!([said(ours, "7/attempts/2")]), false),
            (json!([said("deploy/staging", "9"), said(ours, "8")]), false),
            // The newest of a name counts.
            (json!([said(ours, "6"), said(ours, "8")]), true),
        ] {
            let heard = [heard(200, before.clone())];
            assert_eq!(status.turn(&good, None, &heard).is_some(), says, "{before}");
            assert!(says || status.fate(None, &heard) == newer());
        }
    }

    /// GitHub refuses more.
    const DESCRIPTION_LIMIT: usize = 140;
}
