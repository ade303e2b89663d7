//! The deployment of a commit to an environment, as GitHub shows it
//! (<https://docs.github.com/en/rest/deployments>). A job with `environment:` has one already, which GitHub itself brings to an end when
//! the job ends: that one is left alone.

use reqwest::Method;
use serde_json::{Value, json};

use super::{Repository, Run, description, hint, is_of_github, key, listed, newer, run_of, run_page};
use crate::channel::{Call, Channel, Fate, Heard};
use crate::delivery::Answer;
use crate::message::Message;
use crate::phase::Phase;
use crate::state::Posted;

/// The name in results.
pub const NAME: &str = "github-deployment";

/// What is kept with a deployment of ours, so that it is found again.
const BY: &str = "deploy-actions/notify";

/// The most deployments of a commit to an environment that are looked at, the newest first.
const MOST: usize = 5;

/// A deployment.
pub struct Deployment {
    /// Where.
    pub repository: Repository,
    /// The commit.
    pub sha: String,
    /// The environment.
    pub environment: String,
    /// What is deployed where, so that two services of one commit have one each.
    pub about: String,
    /// The run that deploys.
    pub run: Run,
}

impl Channel for Deployment {
    fn name(&self) -> &'static str {
        NAME
    }

    fn github(&self) -> Option<&Repository> {
        Some(&self.repository)
    }

    fn place(&self) -> &str {
        &self.environment
    }

    /// Where there is none yet.
    fn calls(&self, message: &Message, before: Option<&Posted>) -> Vec<Call> {
        match before.and_then(|before| before.id.parse().ok()) {
            Some(id) => vec![self.status(message, id)],
            None => vec![self.create(message)],
        }
    }

    fn turn(&self, message: &Message, before: Option<&Posted>, heard: &[Heard]) -> Option<Call> {
        if let Some(id) = before.and_then(|before| before.id.parse().ok()) {
            return heard.is_empty().then(|| self.status(message, id));
        }
        match self.found(heard) {
            Err(call) => Some(*call),
            Ok((Found::Job | Found::Newer, _)) => None,
            Ok((Found::Ours(id), rest)) => rest.is_empty().then(|| self.status(message, id)),
            Ok((Found::None, [])) => Some(self.create(message)),
            Ok((Found::None, [created])) => Some(self.status(message, created.body["id"].as_u64()?)),
            Ok((Found::None, _)) => None,
        }
    }

    fn posted(&self, before: Option<&Posted>, heard: &[Heard]) -> Option<Posted> {
        if let Some(before) = before {
            return Some(before.clone());
        }
        let id = match self.found(heard).ok()? {
            (Found::Ours(id), [_, ..]) => id,
            (Found::None, [created, ..]) => created.body["id"].as_u64()?,
            _ => return None,
        };
        Some(Posted {
            channel: NAME.to_owned(),
            to: self.environment.clone(),
            place: self.repository.name.clone(),
            id: id.to_string(),
        })
    }

    fn fate(&self, before: Option<&Posted>, heard: &[Heard]) -> Fate {
        match self.found(heard) {
            _ if before.is_some() => Fate::Updated,
            Ok((Found::Job, _)) => Fate::Left(
                "the job's own `environment` has a deployment, which GitHub ends with the job".to_owned(),
            ),
            Ok((Found::Newer, _)) => newer(),
            Ok((Found::Ours(_), _)) => Fate::Updated,
            _ => Fate::Sent,
        }
    }

    fn accepted(&self, answer: &Answer) -> bool {
        // 202 means that GitHub merged the default branch instead, which we do not ask for.
        is_of_github(answer) && !matches!(answer, Answer::Status { code: 202, .. })
    }

    fn hint(&self, body: &str) -> Option<&'static str> {
        hint(body, "give the job `permissions: deployments: write`")
    }

    fn asks(&self) -> Option<Call> {
        Some(self.repository.get(&["deployments"], &[("per_page", "1")]))
    }
}

/// What there is for this commit and environment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Found {
    /// One that the job's `environment` made.
    Job,
    /// One of ours, of which a newer run has told.
    Newer,
    /// One of ours.
    Ours(u64),
    /// Nothing.
    None,
}

impl Deployment {
    /// What there is, and what was heard after that was known; or the next question.
    fn found<'a>(&self, heard: &'a [Heard]) -> Result<(Found, &'a [Heard]), Box<Call>> {
        let query = [
            ("sha", self.sha.as_str()),
            ("environment", &self.environment),
            ("per_page", "30"),
        ];
        let first = self.repository.get(&["deployments"], &query);
        let (deployments, mut heard) = listed(first, heard)?;
        let mut ours = None;
        for deployment in deployments.into_iter().take(MOST) {
            let Some(id) = deployment["id"].as_u64() else {
                continue;
            };
            let path = ["deployments", &id.to_string(), "statuses"];
            let (statuses, rest) = listed(self.repository.get(&path, &[("per_page", "30")]), heard)?;
            heard = rest;
            if self.is_ours(deployment) {
                let last = statuses.first().and_then(|status| status["log_url"].as_str());
                if last
                    .and_then(run_of)
                    .is_some_and(|run| run.stays_before(self.run))
                {
                    return Ok((Found::Newer, heard));
                }
                ours = ours.or(Some(id));
                continue;
            }
            if statuses.into_iter().any(|status| self.is_of_run(status)) {
                return Ok((Found::Job, heard));
            }
        }
        Ok((ours.map_or(Found::None, Found::Ours), heard))
    }

    /// Whether GitHub wrote a status for a job of this run.
    fn is_of_run(&self, status: &Value) -> bool {
        let page = status["log_url"].as_str().or(status["target_url"].as_str());
        page.and_then(run_of).is_some_and(|run| run.id == self.run.id)
    }

    /// Whether this run made it, in whichever job. GitHub gives the payload back as it was sent, older servers as text.
    fn is_ours(&self, deployment: &Value) -> bool {
        let payload = &deployment["payload"];
        let as_text = payload
            .as_str()
            .and_then(|text| serde_json::from_str::<Value>(text).ok());
        let payload = as_text.as_ref().unwrap_or(payload);
        payload["by"] == BY && payload["about"] == key(&self.about) && payload["run"] == self.run.id
    }

    fn create(&self, message: &Message) -> Call {
        let payload = json!({
            "ref": self.sha,
            "environment": self.environment,
            "description": description(message),
            // What is deployed is this commit, not what a merge would make of it; and what it must pass was asked before.
            "auto_merge": false,
            "required_contexts": [],
            "payload": {"by": BY, "about": key(&self.about), "run": self.run.id},
        });
        self.repository.call(Method::POST, &["deployments"], payload)
    }

    fn status(&self, message: &Message, id: u64) -> Call {
        let state = match message.phase {
            Phase::Started => "in_progress",
            Phase::Succeeded => "success",
            Phase::Failed | Phase::RolledBack => "failure",
            Phase::Cancelled => "error",
        };
        let mut payload = json!({"state": state, "description": description(message)});
        if let Some(page) = run_page(message) {
            payload["log_url"] = page.into();
        }
        let path = ["deployments", &id.to_string(), "statuses"];
        self.repository.call(Method::POST, &path, payload).repeatable()
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::{heard, line, repository};
    use super::*;
    use crate::cli::JobStatus;
    use crate::message::tests::message;

    fn channel() -> Deployment {
        Deployment {
            repository: repository(),
            sha: "abc".to_owned(),
            environment: "production".to_owned(),
            about: "acme/shop/production".to_owned(),
            run: Run { id: 7, attempt: 1 },
        }
    }

    /// What is done with these answers, what is kept, and what became of it.
    fn told(before: Option<&Posted>, answers: &[Value]) -> (Vec<String>, Option<Posted>, Fate) {
        let (channel, message) = (channel(), message(Some(JobStatus::Success), vec![]).unwrap());
        let (mut lines, mut all) = (Vec::new(), Vec::new());
        while let Some(call) = channel.turn(&message, before, &all) {
            lines.push(line(&call));
            all.push(heard(200, answers[all.len()].clone()));
        }
        (lines, channel.posted(before, &all), channel.fate(before, &all))
    }

    const LIST: &str = "GET /deployments?sha=abc&environment=production&per_page=30";

    #[test]
    fn a_deployment_is_made_and_brought_to_an_end() {
        let (lines, posted, fate) = told(None, &[json!([]), json!({"id": 9}), json!({})]);
        assert_eq!(lines, [LIST, "POST /deployments", "POST /deployments/9/statuses"]);
        assert_eq!(
            (posted.as_ref().map(|posted| posted.id.as_str()), fate),
            (Some("9"), Fate::Sent)
        );
        let (lines, kept, fate) = told(posted.as_ref(), &[json!({})]);
        assert_eq!(lines, ["POST /deployments/9/statuses"]);
        assert_eq!((kept, fate), (posted, Fate::Updated));
        let message = message(Some(JobStatus::Failure), vec![]).unwrap();
        let status = channel().status(&message, 9).payload;
        assert_eq!(
            (&status["state"], &status["log_url"]),
            (
                &json!("failure"),
                &json!("https://github.com/acme/shop/actions/runs/7/attempts/1")
            )
        );
        let created = channel().create(&message).payload;
        assert_eq!(
            (&created["auto_merge"], &created["required_contexts"]),
            (&json!(false), &json!([]))
        );
    }

    #[test]
    fn that_of_the_jobs_environment_is_left_alone() {
        let theirs = json!([{"id": 3, "payload": {}}]);
        let of_run = json!([{"log_url": "https://github.com/acme/shop/actions/runs/7/job/1"}]);
        let (lines, posted, fate) = told(None, &[theirs.clone(), of_run]);
        assert_eq!(lines, [LIST, "GET /deployments/3/statuses?per_page=30"]);
        assert!(posted.is_none() && matches!(fate, Fate::Left(_)));
        // That of another run, whose number only begins alike, is none of ours.
        let of_other = json!([{"log_url": "https://github.com/acme/shop/actions/runs/70/job/1"}]);
        let (lines, ..) = told(None, &[theirs, of_other, json!({"id": 9}), json!({})]);
        assert_eq!(lines[2..], ["POST /deployments", "POST /deployments/9/statuses"]);
    }

    #[test]
    fn that_of_another_run_or_service_is_left_alone() {
        for (about, run) in [("acme/shop/web/production", 7), ("acme/shop/production", 6)] {
            let payload = json!({"by": BY, "about": key(about), "run": run});
            let there = json!([{"id": 4, "payload": payload}]);
            let (lines, ..) = told(None, &[there, json!([]), json!({"id": 9}), json!({})]);
            assert_eq!(lines[2..], ["POST /deployments", "POST /deployments/9/statuses"]);
        }
    }

    #[test]
    fn one_of_ours_is_used_again() {
        let ours = json!({"by": BY, "about": key("acme/shop/production"), "run": 7});
        for payload in [ours.clone(), json!(ours.to_string())] {
            let (lines, posted, fate) = told(
                None,
                &[json!([{"id": 4, "payload": payload}]), json!([]), json!({})],
            );
            let look = "GET /deployments/4/statuses?per_page=30";
            assert_eq!(lines, [LIST, look, "POST /deployments/4/statuses"]);
            assert_eq!((posted.unwrap().id.as_str(), fate), ("4", Fate::Updated));
        }
    }
}
