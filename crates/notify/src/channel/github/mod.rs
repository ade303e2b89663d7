//! GitHub, four ways: the status of the commit, a comment on the pull request, the deployment, and a section of the release notes
//! (<https://docs.github.com/en/rest>). Each is a receiver of its own; octocrab sends what they say.

use gha::context::Context;
use gha::text;
use reqwest::{Method, Url};
use secrecy::SecretString;
use serde_json::Value;
use sha2::{Digest as _, Sha256};

use crate::channel::{Call, Fate, Heard};
use crate::delivery::Answer;
use crate::message::Message;

pub mod comment;
pub mod deployment;
pub mod release_notes;
pub mod status;

pub use comment::Comment;
pub use deployment::Deployment;
pub use release_notes::ReleaseNotes;
pub use status::CommitStatus;

/// Longest description of statuses, in characters.
const DESCRIPTION: usize = 140;

/// The most pages of a list that are read; a hundred of a hundred are more than a person reads.
const PAGES: usize = 100;

/// A repository, and who we are there.
#[derive(Clone, Debug)]
pub struct Repository {
    /// Where the API is: `https://api.github.com`, or `https://HOST/api/v3` on GitHub Enterprise Server.
    pub api: Url,
    /// `owner/name`.
    pub name: String,
    /// The token.
    pub token: SecretString,
}

impl Repository {
    /// A request about it; what stands between the slashes of `path` is a part of a path each.
    fn call(&self, method: Method, path: &[&str], payload: Value) -> Call {
        let mut url = self.api.clone();
        if let Ok(mut parts) = url.path_segments_mut() {
            let name = self.name.split('/');
            parts.pop_if_empty().push("repos").extend(name).extend(path);
        }
        Call {
            method,
            ..Call::post(url, payload)
        }
    }

    fn get(&self, path: &[&str], query: &[(&str, &str)]) -> Call {
        let mut call = self.call(Method::GET, path, Value::Null).repeatable();
        if !query.is_empty() {
            call.url.query_pairs_mut().extend_pairs(query);
        }
        call
    }
}

/// A run of a workflow: a later one has a greater number, a later attempt of it too.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Run {
    /// The run's id.
    pub id: u64,
    /// Its attempt, from 1.
    pub attempt: u64,
}

impl Run {
    /// Whether what this run wrote stays before `ours`: a greater number, or a later attempt. Who runs an old run again means it, and outside
    /// of a run the last one counts.
    fn stays_before(self, ours: Self) -> bool {
        let is_later = self.id > ours.id && ours.attempt <= 1;
        ours.id != 0 && (is_later || self.id == ours.id && self.attempt > ours.attempt)
    }

    /// That of this process; zeros outside of one.
    #[must_use]
    pub fn of(context: &Context) -> Self {
        Self {
            id: context.run_id.parse().unwrap_or_default(),
            attempt: context.run_attempt.parse().unwrap_or_default(),
        }
    }
}

/// The commit that a reader looks at: on a pull request the head of its branch, not the one that GitHub made to try the merge; after
/// another workflow the one that it ran for.
#[must_use]
pub fn commit(context: &Context) -> &str {
    let of = |pointer| context.payload_text(pointer);
    let head = of("/pull_request/head/sha").or_else(|| of("/workflow_run/head_sha"));
    head.unwrap_or(&context.sha)
}

/// Whether the event names a commit at all: a comment does not, and the run has that of the default branch.
#[must_use]
pub fn has_commit(context: &Context) -> bool {
    context.event_name != "issue_comment"
}

/// The pull request that the run is about.
#[must_use]
pub fn pull_request(context: &Context) -> Option<u64> {
    let number = |pointer: &str| context.payload.pointer(pointer).and_then(Value::as_u64);
    // A comment on an issue is no comment on a pull request.
    let commented = context
        .payload
        .pointer("/issue/pull_request")
        .and_then(|_| number("/issue/number"));
    // One of another repository has the same number as one of this.
    let home = number("/repository/id");
    let is_ours = number("/workflow_run/pull_requests/0/base/repo/id").is_none_or(|base| Some(base) == home);
    let later = || number("/workflow_run/pull_requests/0/number").filter(|_| is_ours);
    number("/pull_request/number").or(commented).or_else(later)
}

/// The tag of the release that the run is about.
#[must_use]
pub fn tag(context: &Context) -> Option<String> {
    let released = context.payload_text("/release/tag_name");
    let tag = released.or_else(|| context.git_ref.strip_prefix("refs/tags/"));
    tag.filter(|tag| !tag.is_empty()).map(str::to_owned)
}

/// The run of a page of GitHub, by its address.
fn run_of(page: &str) -> Option<Run> {
    let (_, rest) = page.split_once("/actions/runs/")?;
    let mut parts = rest.split('/');
    let id = parts.next()?.parse().ok()?;
    let attempt = match (parts.next(), parts.next()) {
        (Some("attempts"), Some(attempt)) => attempt.parse().ok()?,
        _ => 1,
    };
    Some(Run { id, attempt })
}

/// The first line of what we write into a text, which no reader sees.
fn mark(key: &str, run: Run) -> String {
    format!("{MARK} {key} run={} attempt={} -->", run.id, run.attempt)
}

/// With what every mark begins.
const MARK: &str = "<!-- deploy-actions/notify";

/// The run that wrote this mark about this key.
fn marked(line: &str, key: &str) -> Option<Run> {
    let rest = line.strip_prefix(MARK)?.strip_prefix(' ')?.strip_suffix(" -->")?;
    let mut words = rest.split(' ');
    let is_about = words.next() == Some(key);
    let mut number = |name: &str| words.next()?.strip_prefix(name)?.parse().ok();
    let run = Run {
        id: number("run=")?,
        attempt: number("attempt=")?,
    };
    is_about.then_some(run)
}

/// Why something is left out.
fn newer() -> Fate {
    Fate::Left("a newer run has told more since".to_owned())
}

/// Whether an answer is one of GitHub's: a page of a portal in between is not.
fn is_of_github(answer: &Answer) -> bool {
    match answer {
        Answer::Status { code: 204, .. } => true,
        Answer::Status { body, .. } => serde_json::from_str::<Value>(body).is_ok(),
        Answer::NotSent(_) | Answer::Unknown(_) => false,
    }
}

/// What to do about a refusal.
fn hint(body: &str, permission: &'static str) -> Option<&'static str> {
    let body: Value = serde_json::from_str(body).ok()?;
    let said = body["message"].as_str()?;
    if said.contains("not accessible by") {
        return Some(permission);
    }
    (said == "Bad credentials").then_some("check `github-token`; in a workflow it is `${{ github.token }}`")
}

/// What is deployed where, as a word that no text can break.
fn key(about: &str) -> String {
    let digest: [u8; 32] = Sha256::digest(about).into();
    digest.iter().take(8).map(|byte| format!("{byte:02x}")).collect()
}

/// The first line as a description.
fn description(message: &Message) -> String {
    text::cut(&message.headline, DESCRIPTION)
}

/// The page of the run, for who wants to know more.
fn run_page(message: &Message) -> Option<&str> {
    message.links.first().map(|link| link.url.as_str())
}

/// All entries of a list that may have several pages, and what was heard after it; or the call that asks for the next page.
fn listed(first: Call, heard: &[Heard]) -> Result<(Vec<&Value>, &[Heard]), Box<Call>> {
    let mut entries = Vec::new();
    for (nth, page) in heard.iter().enumerate() {
        entries.extend(page.body.as_array().into_iter().flatten());
        let next = page.next.as_ref().filter(|_| nth + 1 < PAGES);
        let Some(next) = next else {
            return Ok((entries, &heard[nth + 1..]));
        };
        if nth + 1 == heard.len() {
            let url = next.clone();
            return Err(Box::new(Call { url, ..first }));
        }
    }
    Err(Box::new(first))
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use serde_json::json;

    pub(crate) fn repository() -> Repository {
        Repository {
            api: Url::parse("https://ghe.example.com/api/v3").unwrap(),
            name: "acme/shop".to_owned(),
            token: "ghs_secret".to_owned().into(),
        }
    }

    /// An answer.
    pub(crate) fn heard(code: u16, body: Value) -> Heard {
        Heard {
            code,
            body,
            next: None,
        }
    }

    /// A call as a line: what is done where.
    pub(crate) fn line(call: &Call) -> String {
        let query = call.url.query().map(|query| format!("?{query}"));
        let path = call.url.path().replace("/api/v3/repos/acme/shop", "");
        format!("{} {path}{}", call.method, query.unwrap_or_default())
    }

    #[test]
    fn the_event_says_what_a_run_is_about() {
        let of = |git_ref: &str, payload: Value| {
            let env = [("GITHUB_REF", git_ref), ("GITHUB_SHA", "merge")]
                .into_iter()
                .collect();
            let context = Context::of(&env, Some(Ok(payload.to_string().into_bytes())));
            (commit(&context).to_owned(), pull_request(&context), tag(&context))
        };
        let head = json!({"pull_request": {"number": 7, "head": {"sha": "head"}}});
        assert_eq!(of("refs/pull/7/merge", head), ("head".to_owned(), Some(7), None));
        let merge = || "merge".to_owned();
        let comment = json!({"issue": {"number": 8, "pull_request": {}}});
        assert_eq!(of("refs/heads/main", comment), (merge(), Some(8), None));
        assert_eq!(of("refs/heads/main", json!({"issue": {"number": 8}})).1, None);
        let later = json!({"workflow_run": {"head_sha": "branch", "pull_requests": [{"number": 9}]}});
        assert_eq!(of("refs/heads/main", later), ("branch".to_owned(), Some(9), None));
        let foreign = json!({"id": 1});
        let foreign = json!({"repository": {"id": 2}, "workflow_run": {"pull_requests": [{"number": 9, "base": {"repo": foreign}}]}});
        assert_eq!(of("refs/heads/main", foreign).1, None);
        assert_eq!(of("refs/tags/v1/2", json!({})).2.as_deref(), Some("v1/2"));
        assert_eq!(
            of("refs/heads/main", json!({"release": {"tag_name": "v3"}}))
                .2
                .as_deref(),
            Some("v3")
        );
    }

    #[test]
    fn a_run_is_known_by_its_page_and_by_its_mark() {
        let run = |id, attempt| Some(Run { id, attempt });
        for (page, expected) in [
            (
                "https://github.com/acme/shop/actions/runs/7/attempts/2",
                run(7, 2),
            ),
            ("https://github.com/acme/shop/actions/runs/7/job/12", run(7, 1)),
            ("https://github.com/acme/shop/actions/runs/7", run(7, 1)),
            ("https://github.com/acme/shop/actions/runs/x", None),
            ("https://ci.example.com/7", None),
        ] {
            assert_eq!(run_of(page), expected, "{page}");
        }
        for (theirs, ours, stays) in [
            ((8, 1), (7, 1), true),
            ((7, 2), (7, 1), true),
            ((7, 1), (7, 1), false),
            ((6, 9), (7, 1), false),
            // The old run was run again, to go back to what it deployed.
            ((8, 1), (7, 2), false),
            ((8, 1), (0, 1), false),
        ] {
            let run = |(id, attempt)| Run { id, attempt };
            assert_eq!(run(theirs).stays_before(run(ours)), stays, "{theirs:?} {ours:?}");
        }
        let written = mark("k", Run { id: 7, attempt: 2 });
        assert_eq!(marked(&written, "k"), run(7, 2));
        assert_eq!(marked(&written, "l"), None);
        assert_eq!(marked("<!-- deploy-actions/notify k -->", "k"), None);
    }

    #[test]
    fn a_part_of_a_path_stays_one() {
        let call = repository().get(&["releases", "tags", "v1/../2 ?#"], &[("a", "b&c")]);
        let expected =
            "https://ghe.example.com/api/v3/repos/acme/shop/releases/tags/v1%2F..%2F2%20%3F%23?a=b%26c";
        assert_eq!(call.url.as_str(), expected);
    }

    #[test]
    fn a_list_goes_on_where_an_answer_says_so() {
        let first = || repository().get(&["issues", "7", "comments"], &[("per_page", "100")]);
        assert_eq!(
            line(&listed(first(), &[]).unwrap_err()),
            "GET /issues/7/comments?per_page=100"
        );
        let next = Url::parse("https://ghe.example.com/api/v3/repositories/1/comments?page=2").unwrap();
        let page = |next: Option<&Url>, id: u64| Heard {
            next: next.cloned(),
            ..heard(200, json!([{"id": id}]))
        };
        assert_eq!(listed(first(), &[page(Some(&next), 1)]).unwrap_err().url, next);
        let pages = [page(Some(&next), 1), page(None, 2), heard(201, Value::Null)];
        let (entries, rest) = listed(first(), &pages).ok().unwrap();
        assert_eq!((entries.len(), rest.len()), (2, 1));
        // One that leads in a circle ends.
        let circle = vec![page(Some(&next), 1); PAGES + 1];
        assert_eq!(listed(first(), &circle).ok().unwrap().1.len(), 1);
    }

    #[test]
    fn a_refusal_says_what_to_do() {
        let said = |message: &str| hint(&json!({"message": message}).to_string(), "grant it");
        assert_eq!(said("Resource not accessible by integration"), Some("grant it"));
        assert!(said("Bad credentials").unwrap().contains("github.token"));
        assert_eq!(said("Validation Failed"), None);
        assert_eq!(hint("<html>", "x"), None);
    }
}
