//! GitHub's REST API for one repository: what it is, its commits, its tags; or refusals and faults in their place.
//!
//! Answers follow <https://docs.github.com/en/rest>, version 2022-11-28, with all fields that GitHub's description of the API
//! calls required.

use std::collections::VecDeque;
use std::io;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use percent_encoding::percent_decode_str;
use serde_json::{Value, json};

use crate::http::{Reply, Request, Server};

pub mod records;

/// The repository there is.
pub const REPOSITORY: &str = "org/shop";

/// The commit there is.
pub const COMMIT: &str = "7c1f0f2e6bb1a2f7c0d9b2f8e5a4c3d2e1f00112";

/// A GitHub with one repository; stops when dropped.
#[derive(Debug)]
pub struct GitHub {
    server: Server,
    state: Arc<Mutex<State>>,
}

#[derive(Debug)]
struct State {
    token: String,
    repository: Value,
    commit_date: Value,
    tags: Vec<String>,
    page: usize,
    empty: bool,
    replies: VecDeque<Reply>,
}

impl GitHub {
    /// A GitHub that knows this token.
    ///
    /// # Errors
    /// When no port can be bound.
    pub fn open(token: &str) -> io::Result<Self> {
        let state = Arc::new(Mutex::new(State {
            token: token.to_owned(),
            repository: repository(),
            commit_date: json!("2023-11-14T22:13:20Z"),
            tags: Vec::new(),
            page: usize::MAX,
            empty: false,
            replies: VecDeque::new(),
        }));
        let kept = Arc::clone(&state);
        let server = Server::start_with(move |request| lock(&kept).answer(request))?;
        Ok(Self { server, state })
    }

    /// Says this about the repository too; `null` takes a field away from what a reader can use.
    #[must_use]
    pub fn about(self, field: &str, value: Value) -> Self {
        lock(&self.state).repository[field] = value;
        self
    }

    /// The time of [`COMMIT`] by its committer.
    #[must_use]
    pub fn committed(self, date: &str) -> Self {
        lock(&self.state).commit_date = Value::from(date);
        self
    }

    /// Has these tags.
    #[must_use]
    pub fn tagged<'a>(self, tags: impl IntoIterator<Item = &'a str>) -> Self {
        lock(&self.state).tags.extend(tags.into_iter().map(str::to_owned));
        self
    }

    /// Gives so many tags a page; without this all at once, as the real one does.
    #[must_use]
    pub fn paged(self, size: usize) -> Self {
        lock(&self.state).page = size.max(1);
        self
    }

    /// Has no commit at all.
    #[must_use]
    pub fn empty(self) -> Self {
        lock(&self.state).empty = true;
        self
    }

    /// Answers the next request this way, whatever it asks; several of these are used up one after the other.
    #[must_use]
    pub fn replying(self, reply: Reply) -> Self {
        lock(&self.state).replies.push_back(reply);
        self
    }

    /// Its address, for `GITHUB_API_URL`: with a path, as GitHub Enterprise Server has one.
    #[must_use]
    pub fn api(&self) -> String {
        self.server.url("/api/v3")
    }

    /// What it was asked.
    #[must_use]
    pub fn requests(&self) -> Vec<Request> {
        self.server.requests()
    }

    /// The requests once there are `count`; none when that takes longer than `timeout`.
    #[must_use]
    pub fn wait_for(&self, count: usize, timeout: Duration) -> Option<Vec<Request>> {
        self.server.wait_for(count, timeout)
    }
}

/// A refusal in GitHub's words.
#[must_use]
pub fn refusal(status: u16, message: &str) -> Reply {
    let body = json!({"message": message, "documentation_url": "https://docs.github.com/rest", "status": status.to_string()});
    Reply::json(status, &body)
}

impl State {
    fn answer(&mut self, request: &Request) -> Reply {
        if let Some(reply) = self.replies.pop_front() {
            return reply;
        }
        if request.method != "GET" {
            return refusal(404, "Not Found");
        }
        if request.header("authorization") != Some(&format!("Bearer {}", self.token)) {
            return refusal(401, "Bad credentials");
        }
        if request.header("user-agent").is_none() {
            return Reply::text(403, "Request forbidden by administrative rules.");
        }
        let path = request.path_only().strip_prefix("/api/v3").unwrap_or_default();
        let parts: Vec<String> = path
            .split('/')
            .map(|part| percent_decode_str(part).decode_utf8_lossy().into_owned())
            .collect();
        let parts: Vec<&str> = parts.iter().map(String::as_str).collect();
        match parts[..] {
            ["", "repos", "org", "shop"] => Reply::json(200, &self.repository),
            ["", "repos", "org", "shop", ..] if self.empty => refusal(409, "Git Repository is empty."),
            ["", "repos", "org", "shop", "commits", sha] => self.commit(sha),
            // One part, in which slashes are encoded.
            ["", "repos", "org", "shop", "git", "matching-refs", name] => self.refs(name, request),
            _ => refusal(404, "Not Found"),
        }
    }

    /// A commit by its hash, or by a tag: all tags are at the one commit.
    fn commit(&self, asked: &str) -> Reply {
        let asked = percent_decode_str(asked).decode_utf8_lossy();
        let sha = match asked.strip_prefix("tags/") {
            Some(tag) if self.tags.iter().any(|known| known == tag) => COMMIT,
            _ => &asked,
        };
        if sha != COMMIT {
            return refusal(422, &format!("No commit found for SHA: {sha}"));
        }
        let url = format!("https://api.github.com/repos/{REPOSITORY}/commits/{COMMIT}");
        let person = json!({"name": "Ann", "email": "ann@example.com", "date": self.commit_date});
        let commit = json!({
            "url": url, "sha": COMMIT, "node_id": "C_1", "html_url": url, "comments_url": url,
            "commit": {
                "url": url, "author": {"name": "Ann", "email": "ann@example.com", "date": "2001-01-01T00:00:00Z"}, "committer": person,
                "message": "A change", "comment_count": 0, "tree": {"sha": COMMIT, "url": url},
            },
            "author": null, "committer": null, "parents": [],
        });
        Reply::json(200, &commit)
    }

    fn refs(&self, name: &str, request: &Request) -> Reply {
        let begin = format!("refs/{name}");
        let names = self.tags.iter().map(|tag| format!("refs/tags/{tag}"));
        let found: Vec<String> = names.filter(|name| name.starts_with(&begin)).collect();
        let page: usize = request
            .path
            .split_once("page=")
            .and_then(|(_, page)| page.parse().ok())
            .unwrap_or(1);
        let from = self.page.saturating_mul(page.saturating_sub(1)).min(found.len());
        let to = self.page.saturating_add(from).min(found.len());
        let refs: Vec<Value> = found[from..to].iter().map(|name| self.reference(name)).collect();
        let reply = Reply::json(200, &Value::from(refs));
        if to == found.len() {
            return reply;
        }
        let host = request.header("host").unwrap_or_default();
        let link = format!(
            "<http://{host}{}?page={}>; rel=\"next\"",
            request.path_only(),
            page + 1
        );
        reply.header("link", &link)
    }

    fn reference(&self, name: &str) -> Value {
        let url = format!("https://api.github.com/repos/{REPOSITORY}/git/{name}");
        json!({"ref": name, "node_id": "REF_1", "url": url, "object": {"type": "commit", "sha": COMMIT, "url": url}})
    }
}

/// A repository with all fields that there must be; those that nobody here reads are made by their names.
fn repository() -> Value {
    let api = format!("https://api.github.com/repos/{REPOSITORY}");
    let mut repository = json!({
        "id": 1, "node_id": "R_1", "name": "shop", "full_name": REPOSITORY, "private": false, "fork": false,
        "owner": owner(), "url": api, "html_url": "https://github.com/org/shop", "description": "A shop",
        "license": {"key": "apache-2.0", "name": "Apache License 2.0", "spdx_id": "Apache-2.0", "url": null, "node_id": "L_1"},
        "default_branch": "main", "language": "Rust", "homepage": null, "mirror_url": null, "archived": false, "disabled": false,
        "git_url": "git://github.com/org/shop.git", "ssh_url": "git@github.com:org/shop.git",
        "clone_url": "https://github.com/org/shop.git", "svn_url": "https://github.com/org/shop",
        "created_at": "2020-01-01T00:00:00Z", "updated_at": "2023-11-14T22:13:20Z", "pushed_at": "2023-11-14T22:13:20Z",
    });
    let lists = "archive assignees blobs branches collaborators comments commits compare contents contributors deployments \
                 downloads events forks git_commits git_refs git_tags hooks issue_comment issue_events issues keys labels \
                 languages merges milestones notifications pulls releases stargazers statuses subscribers subscription tags \
                 teams trees";
    for list in lists.split_whitespace() {
        repository[format!("{list}_url")] = Value::from(format!("{api}/{list}"));
    }
    let counts = "forks forks_count open_issues open_issues_count size stargazers_count watchers watchers_count network_count \
                  subscribers_count";
    for count in counts.split_whitespace() {
        repository[count] = Value::from(0);
    }
    for feature in ["issues", "projects", "wiki", "pages", "discussions"] {
        repository[format!("has_{feature}")] = Value::from(false);
    }
    repository
}

/// The repository's owner.
fn owner() -> Value {
    let api = "https://api.github.com/users/org";
    let mut owner = json!({
        "login": "org", "id": 1, "node_id": "O_1", "type": "Organization", "site_admin": false, "gravatar_id": "",
        "avatar_url": "https://avatars.githubusercontent.com/u/1", "url": api, "html_url": "https://github.com/org",
    });
    let lists = "events followers following gists organizations received_events repos starred subscriptions";
    for list in lists.split_whitespace() {
        owner[format!("{list}_url")] = Value::from(format!("{api}/{list}"));
    }
    owner
}

fn lock(state: &Mutex<State>) -> MutexGuard<'_, State> {
    state.lock().unwrap_or_else(PoisonError::into_inner)
}
