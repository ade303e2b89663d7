//! What GitHub shows of a deploy, as it is written and read by its REST API: comments on a pull request over pages, statuses of commits,
//! deployments with theirs, and releases. It keeps what it is given, and refuses what GitHub's description of the API refuses.

use std::collections::VecDeque;
use std::io;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use serde_json::{Value, json};

use super::{REPOSITORY, refusal};
use crate::http::{Reply, Request, Server};

/// Who a token is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Who {
    /// That of a workflow, which may not ask who it is.
    Workflow,
    /// That of a person with this login.
    Person(&'static str),
    /// That of a fork's workflow: it may read.
    Fork,
}

/// What goes wrong with a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// It is refused with 500, and not heeded.
    Broken,
    /// It is refused with 429 for no time at all.
    Limited,
    /// The connection breaks before it is heeded.
    Reset,
    /// It is heeded, and the connection breaks before the answer.
    Lost,
}

impl Fault {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::Broken, Self::Limited, Self::Reset, Self::Lost];
}

/// A repository's records; stops when dropped.
#[derive(Debug)]
pub struct Records {
    server: Server,
    state: Arc<Mutex<State>>,
}

#[derive(Debug)]
struct State {
    token: String,
    who: Who,
    page: usize,
    next: u64,
    comments: Vec<Value>,
    statuses: Vec<Value>,
    deployments: Vec<Value>,
    releases: Vec<Value>,
    /// What comes in between: another run's comment, just before the next one is taken.
    race: Option<Value>,
    /// How many requests there were, and the one with which something goes wrong, from 0.
    count: usize,
    fault: Option<(usize, Fault)>,
    replies: VecDeque<Reply>,
}

impl Records {
    /// Records that this token writes.
    ///
    /// # Errors
    /// When no port can be bound.
    pub fn open(token: &str, who: Who) -> io::Result<Self> {
        let state = Arc::new(Mutex::new(State {
            token: token.to_owned(),
            who,
            page: 100,
            next: 1,
            comments: Vec::new(),
            statuses: Vec::new(),
            deployments: Vec::new(),
            releases: Vec::new(),
            race: None,
            count: 0,
            fault: None,
            replies: VecDeque::new(),
        }));
        let kept = Arc::clone(&state);
        let server = Server::start_with(move |request| lock(&kept).receive(request))?;
        Ok(Self { server, state })
    }

    /// Gives at most so many entries of a list a page.
    #[must_use]
    pub fn paged(self, size: usize) -> Self {
        lock(&self.state).page = size.max(1);
        self
    }

    /// Somebody has commented.
    #[must_use]
    pub fn commented(self, login: &str, body: &str) -> Self {
        lock(&self.state).comment(login, body);
        self
    }

    /// Another run comments just before ours is taken.
    #[must_use]
    pub fn racing(self, login: &str, body: &str) -> Self {
        lock(&self.state).race = Some(json!([login, body]));
        self
    }

    /// Lets something go wrong with the request that has this number, from 0.
    #[must_use]
    pub fn faulty(self, nth: usize, fault: Fault) -> Self {
        lock(&self.state).fault = Some((nth, fault));
        self
    }

    /// Has a deployment of a job of this run, as GitHub makes them for `environment:`.
    #[must_use]
    pub fn deploying(self, sha: &str, environment: &str, run: &str) -> Self {
        let mut state = lock(&self.state);
        let page = format!("https://github.com/{REPOSITORY}/actions/runs/{run}/job/1");
        let mut deployment = json!({"sha": sha, "environment": environment, "payload": {}});
        deployment["statuses"] = json!([{"state": "in_progress", "log_url": page}]);
        state.deploy(deployment);
        drop(state);
        self
    }

    /// Has a release of this tag.
    #[must_use]
    pub fn released(self, tag: &str, body: Option<&str>) -> Self {
        let mut state = lock(&self.state);
        let id = state.id();
        state
            .releases
            .push(json!({"id": id, "tag_name": tag, "body": body}));
        drop(state);
        self
    }

    /// Answers the next request this way, whatever it asks; several of these are used up one after the other.
    #[must_use]
    pub fn replying(self, reply: Reply) -> Self {
        lock(&self.state).replies.push_back(reply);
        self
    }

    /// Its address, for `GITHUB_API_URL`.
    #[must_use]
    pub fn api(&self) -> String {
        self.server.url("/api/v3")
    }

    /// What it was asked.
    #[must_use]
    pub fn requests(&self) -> Vec<Request> {
        self.server.requests()
    }

    /// The comments, as login and body, the oldest first.
    #[must_use]
    pub fn comments(&self) -> Vec<(String, String)> {
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        let state = lock(&self.state);
        let comments = state.comments.iter();
        comments
            .map(|one| (text(&one["user"]["login"]), text(&one["body"])))
            .collect()
    }

    /// The statuses of commits, the oldest first.
    #[must_use]
    pub fn statuses(&self) -> Vec<Value> {
        lock(&self.state).statuses.clone()
    }

    /// The deployments, with their statuses, the oldest first.
    #[must_use]
    pub fn deployments(&self) -> Vec<Value> {
        lock(&self.state).deployments.clone()
    }

    /// The notes of a release.
    #[must_use]
    pub fn notes(&self, tag: &str) -> Option<String> {
        let state = lock(&self.state);
        let release = state.releases.iter().find(|release| release["tag_name"] == tag)?;
        release["body"].as_str().map(str::to_owned)
    }
}

impl State {
    fn id(&mut self) -> u64 {
        self.next += 1;
        self.next
    }

    fn comment(&mut self, login: &str, body: &str) -> Value {
        let kind = if login.ends_with("[bot]") { "Bot" } else { "User" };
        let comment = json!({"id": self.id(), "user": {"login": login, "type": kind}, "body": body});
        self.comments.push(comment.clone());
        comment
    }

    fn deploy(&mut self, mut deployment: Value) -> Value {
        deployment["id"] = self.id().into();
        self.deployments.push(deployment.clone());
        deployment
    }

    fn login(&self) -> &'static str {
        match self.who {
            Who::Person(login) => login,
            Who::Workflow | Who::Fork => "github-actions[bot]",
        }
    }

    fn receive(&mut self, request: &Request) -> Reply {
        let nth = self.count;
        self.count += 1;
        match self.fault.filter(|(faulty, _)| *faulty == nth) {
            None => self.answer(request),
            Some((_, Fault::Broken)) => refusal(500, "Server Error"),
            Some((_, Fault::Limited)) => {
                refusal(429, "You have exceeded a secondary rate limit").header("retry-after", "0")
            }
            Some((_, Fault::Reset)) => Reply::reset(),
            Some((_, Fault::Lost)) => {
                self.answer(request);
                Reply::reset()
            }
        }
    }

    fn answer(&mut self, request: &Request) -> Reply {
        if let Some(reply) = self.replies.pop_front() {
            return reply;
        }
        if request.header("authorization") != Some(&format!("Bearer {}", self.token)) {
            return refusal(401, "Bad credentials");
        }
        let path = request.path_only().strip_prefix("/api/v3").unwrap_or_default();
        let path = path.strip_prefix(&format!("/repos/{REPOSITORY}")).unwrap_or(path);
        let parts: Vec<&str> = path.split('/').skip(1).collect();
        let forbidden = || refusal(403, "Resource not accessible by integration");
        if request.method != "GET" && self.who == Who::Fork {
            return forbidden();
        }
        let body: Value = serde_json::from_slice(&request.body).unwrap_or_default();
        match (request.method.as_str(), &parts[..]) {
            ("GET", ["user"]) => match self.who {
                Who::Person(login) => Reply::json(200, &json!({"login": login, "type": "User"})),
                Who::Workflow | Who::Fork => forbidden(),
            },
            ("GET", [] | [""]) => Reply::json(200, &json!({"full_name": REPOSITORY})),
            ("GET", ["issues", _, "comments"]) => self.page(&self.comments, request),
            ("GET", ["issues", id]) => Reply::json(200, &json!({"number": number(id)})),
            ("POST", ["issues", _, "comments"]) => {
                let Some(said) = body["body"]
                    .as_str()
                    .filter(|said| said.chars().count() <= 65_536)
                else {
                    return refusal(422, "Validation Failed");
                };
                if let Some(race) = self.race.take() {
                    let text = |nth: usize| race[nth].as_str().unwrap_or_default().to_owned();
                    self.comment(&text(0), &text(1));
                }
                Reply::json(201, &self.comment(self.login(), said))
            }
            ("PATCH", ["issues", "comments", id]) => {
                let id = number(id);
                match self.comments.iter_mut().find(|one| one["id"] == id) {
                    Some(comment) => {
                        comment["body"] = body["body"].clone();
                        Reply::json(200, comment)
                    }
                    None => refusal(404, "Not Found"),
                }
            }
            ("DELETE", ["issues", "comments", id]) => {
                let (id, before) = (number(id), self.comments.len());
                self.comments.retain(|one| one["id"] != id);
                match self.comments.len() < before {
                    true => Reply::status(204),
                    false => refusal(404, "Not Found"),
                }
            }
            ("GET", ["commits", sha, "statuses"]) => {
                let of_commit = |status: &&Value| status["sha"] == **sha;
                let found: Vec<Value> = self.statuses.iter().rev().filter(of_commit).cloned().collect();
                self.page(&found, request)
            }
            ("POST", ["statuses", sha]) => self.status(sha, body),
            ("GET", ["deployments"]) => {
                let asked = |name: &str| query(request, name);
                let fits = |one: &&Value| {
                    ["sha", "environment"]
                        .iter()
                        .all(|name| asked(name).is_none_or(|value| one[*name] == value))
                };
                let found: Vec<Value> = self.deployments.iter().rev().filter(fits).cloned().collect();
                self.page(&found, request)
            }
            ("POST", ["deployments"]) => {
                if !body["ref"].is_string() {
                    return refusal(422, "Validation Failed");
                }
                let mut deployment = json!({"sha": body["ref"], "statuses": []});
                for part in ["environment", "payload", "description"] {
                    deployment[part] = body[part].clone();
                }
                Reply::json(201, &self.deploy(deployment))
            }
            (method @ ("GET" | "POST"), ["deployments", id, "statuses"]) => {
                let (method, id) = (method.to_owned(), number(id));
                self.deployment_status(&method, id, body, request)
            }
            ("GET", ["releases", "tags", tag]) => {
                let release = self.releases.iter().find(|release| release["tag_name"] == **tag);
                release.map_or_else(|| refusal(404, "Not Found"), |release| Reply::json(200, release))
            }
            ("PATCH", ["releases", id]) => {
                let id = number(id);
                match self.releases.iter_mut().find(|release| release["id"] == id) {
                    Some(release) => {
                        release["body"] = body["body"].clone();
                        Reply::json(200, release)
                    }
                    None => refusal(404, "Not Found"),
                }
            }
            _ => refusal(404, "Not Found"),
        }
    }

    fn status(&mut self, sha: &str, mut body: Value) -> Reply {
        let is_state = matches!(
            body["state"].as_str(),
            Some("error" | "failure" | "pending" | "success")
        );
        let is_short = body["description"]
            .as_str()
            .is_none_or(|said| said.chars().count() <= 140);
        if !is_state || !is_short {
            return refusal(422, "Validation Failed");
        }
        body["sha"] = sha.into();
        self.statuses.push(body.clone());
        Reply::json(201, &body)
    }

    fn deployment_status(&mut self, method: &str, id: u64, body: Value, request: &Request) -> Reply {
        let Some(nth) = self.deployments.iter().position(|one| one["id"] == id) else {
            return refusal(404, "Not Found");
        };
        if method == "GET" {
            let statuses = self.deployments[nth]["statuses"].as_array().cloned();
            return self.page(&statuses.unwrap_or_default(), request);
        }
        let known = [
            "error",
            "failure",
            "inactive",
            "in_progress",
            "queued",
            "pending",
            "success",
        ];
        let is_state = body["state"].as_str().is_some_and(|state| known.contains(&state));
        let is_short = body["description"]
            .as_str()
            .is_none_or(|said| said.chars().count() <= 140);
        if !is_state || !is_short {
            return refusal(422, "Validation Failed");
        }
        if let Some(statuses) = self.deployments[nth]["statuses"].as_array_mut() {
            statuses.insert(0, body.clone());
        }
        Reply::json(201, &body)
    }

    /// A page of a list, with the address of the next one.
    fn page(&self, all: &[Value], request: &Request) -> Reply {
        let number = |name: &str| query(request, name).and_then(|value| value.parse::<usize>().ok());
        let size = number("per_page").unwrap_or(30).min(self.page);
        let page = number("page").unwrap_or(1).max(1);
        let rest = all.get((page - 1) * size..).unwrap_or_default();
        let reply = Reply::json(200, &Value::from(rest[..rest.len().min(size)].to_vec()));
        if rest.len() <= size {
            return reply;
        }
        let host = request.header("host").unwrap_or_default();
        let path = request.path_only();
        let link = format!(
            "<http://{host}{path}?per_page={size}&page={}>; rel=\"next\"",
            page + 1
        );
        reply.header("link", &link)
    }
}

fn number(text: &str) -> u64 {
    text.parse().unwrap_or_default()
}

/// A value of the query, without percent signs: what is asked here needs none.
fn query<'a>(request: &'a Request, name: &str) -> Option<&'a str> {
    let (_, query) = request.path.split_once('?')?;
    let mut pairs = query.split('&').filter_map(|pair| pair.split_once('='));
    pairs.find_map(|(key, value)| (key == name).then_some(value))
}

fn lock(state: &Mutex<State>) -> MutexGuard<'_, State> {
    state.lock().unwrap_or_else(PoisonError::into_inner)
}
