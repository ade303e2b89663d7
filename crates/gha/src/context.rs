//! The event that started the run: `GITHUB_*` and the payload, as typed values
//! (<https://docs.github.com/en/actions/reference/workflows-and-actions/contexts#github-context>).

use serde_json::Value;

use crate::env::Env;
use crate::links::GitHub;

/// What the runner says about the run. Absent variables are empty strings: on a laptop most are.
#[derive(Clone, Debug, PartialEq)]
pub struct Context {
    /// `push`, `pull_request`, `release`, …
    pub event_name: String,
    /// The full ref, `refs/heads/main`, `refs/tags/v1.2.3`, `refs/pull/7/merge`.
    pub git_ref: String,
    /// The commit; on `pull_request` the merge commit.
    pub sha: String,
    /// `owner/name`.
    pub repository: String,
    /// Who started the run.
    pub actor: String,
    /// The workflow's name.
    pub workflow: String,
    /// The job's id.
    pub job: String,
    /// The run's number, the same for all attempts.
    pub run_id: String,
    /// Counts re-runs, from 1.
    pub run_attempt: String,
    /// The addresses of this GitHub.
    pub github: GitHub,
    /// The webhook payload; `null` where there is none.
    pub payload: Value,
    /// What was missing or broken, for the log. A payload that can't be read fails nothing by itself.
    pub warnings: Vec<String>,
}

/// The head commit as the payload of a push tells it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Commit {
    /// The whole message. Foreign text.
    pub message: String,
    /// The author's login, or the name where there is no login. Foreign text.
    pub author: String,
}

impl Context {
    /// Reads the context. `payload` is the content of the file that `GITHUB_EVENT_PATH` names, `None` where the
    /// variable is absent, `Err` with the reason where the file can't be read.
    #[must_use]
    pub fn of(env: &Env, payload: Option<Result<Vec<u8>, String>>) -> Self {
        let text = |name| env.get(name).unwrap_or_default().to_owned();
        let mut warnings = Vec::new();
        let payload = match payload {
            None => Value::Null,
            Some(Err(reason)) => {
                warnings.push(format!(
                    "the event's payload can't be read ({reason}); going on without it"
                ));
                Value::Null
            }
            Some(Ok(bytes)) => serde_json::from_slice(&bytes).unwrap_or_else(|error| {
                warnings.push(format!(
                    "the event's payload is not JSON ({error}); going on without it"
                ));
                Value::Null
            }),
        };
        if !(payload.is_null() || payload.is_object()) {
            warnings.push("the event's payload is not a JSON object; going on without it".to_owned());
        }
        Self {
            event_name: text("GITHUB_EVENT_NAME"),
            git_ref: text("GITHUB_REF"),
            sha: text("GITHUB_SHA"),
            repository: text("GITHUB_REPOSITORY"),
            actor: text("GITHUB_ACTOR"),
            workflow: text("GITHUB_WORKFLOW"),
            job: text("GITHUB_JOB"),
            run_id: text("GITHUB_RUN_ID"),
            run_attempt: env.get("GITHUB_RUN_ATTEMPT").unwrap_or("1").to_owned(),
            github: GitHub::of(env),
            payload: if payload.is_object() { payload } else { Value::Null },
            warnings,
        }
    }

    /// A string of the payload, by JSON pointer.
    #[must_use]
    pub fn payload_text(&self, pointer: &str) -> Option<&str> {
        self.payload
            .pointer(pointer)
            .and_then(Value::as_str)
            .filter(|text| !text.is_empty())
    }

    /// The commit whose message a reader wants to see: the pushed head, or the pull request's title and author.
    #[must_use]
    pub fn commit(&self) -> Option<Commit> {
        let found = |message, author: &[&str]| {
            Some(Commit {
                message: self.payload_text(message)?.to_owned(),
                author: author
                    .iter()
                    .find_map(|pointer| self.payload_text(pointer))
                    .unwrap_or_default()
                    .to_owned(),
            })
        };
        found(
            "/head_commit/message",
            &["/head_commit/author/username", "/head_commit/author/name"],
        )
        .or_else(|| found("/pull_request/title", &["/pull_request/user/login"]))
    }

    /// The page of this attempt; `None` outside a run.
    #[must_use]
    pub fn run_url(&self) -> Option<String> {
        let known = !self.repository.is_empty() && !self.run_id.is_empty();
        known.then(|| self.github.run(&self.repository, &self.run_id, &self.run_attempt))
    }

    /// The page of the commit; `None` where repository or commit is unknown.
    #[must_use]
    pub fn commit_url(&self) -> Option<String> {
        let known = !self.repository.is_empty() && !self.sha.is_empty();
        known.then(|| self.github.commit(&self.repository, &self.sha))
    }

    /// The first seven characters of the commit, as people quote it.
    #[must_use]
    pub fn short_sha(&self) -> String {
        self.sha.chars().take(7).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::{any, proptest};

    fn env() -> Env {
        [
            ("GITHUB_REPOSITORY", "acme/shop"),
            ("GITHUB_SHA", "0123456789abcdef"),
            ("GITHUB_RUN_ID", "7"),
        ]
        .into_iter()
        .collect()
    }

    #[test]
    fn a_push_has_a_commit() {
        let payload =
            br#"{"head_commit":{"message":"fix: x\n\nlong","author":{"name":"Ada L","username":"ada"}}}"#;
        let context = Context::of(&env(), Some(Ok(payload.to_vec())));
        assert_eq!(
            context.commit(),
            Some(Commit {
                message: "fix: x\n\nlong".to_owned(),
                author: "ada".to_owned()
            })
        );
        assert_eq!(
            context.run_url().as_deref(),
            Some("https://github.com/acme/shop/actions/runs/7/attempts/1")
        );
        assert_eq!(context.short_sha(), "0123456");
        assert!(context.warnings.is_empty());
    }

    #[test]
    fn a_broken_payload_is_a_warning() {
        for payload in [
            Ok(b"{".to_vec()),
            Ok(b"[1]".to_vec()),
            Ok(vec![0xff]),
            Err("no such file".to_owned()),
        ] {
            let context = Context::of(&env(), Some(payload));
            assert_eq!(context.warnings.len(), 1);
            assert_eq!(context.payload, Value::Null);
            assert_eq!(context.commit(), None);
        }
        assert!(Context::of(&env(), None).warnings.is_empty());
        assert_eq!(Context::of(&Env::default(), None).run_url(), None);
    }

    proptest! {
        #[test]
        fn no_payload_panics(bytes in any::<Vec<u8>>()) {
            let _ = Context::of(&env(), Some(Ok(bytes))).commit();
        }
    }
}
