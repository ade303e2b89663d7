//! Slack's Web API for an app that posts: channels that keep their messages, and refusals with the status 200.
//!
//! Answers follow <https://docs.slack.dev/reference/methods/chat.postMessage> and
//! <https://docs.slack.dev/reference/methods/chat.update>. Blocks are not judged here: Slack's own SDK does that in the tests.

use std::io;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use serde_json::{Value, json};

use crate::http::{Reply, Request, Server};

/// The token that the workspace knows.
pub const TOKEN: &str = "xoxb-17653672481-19874698323-pdFZKVeTuE8sk7oOcHrzqqgy";

/// A message.
#[derive(Clone, Debug, PartialEq)]
pub struct Posted {
    /// The id of its channel.
    pub channel: String,
    /// What Slack calls it: when it was posted, which no other message of the channel has.
    pub ts: String,
    /// The message whose thread it is in.
    pub thread: Option<String>,
    /// What was posted last under this `ts`.
    pub body: Value,
    /// How often it was changed.
    pub changes: usize,
}

/// A workspace; stops when dropped.
#[derive(Debug)]
pub struct Workspace {
    server: Server,
    state: Arc<Mutex<State>>,
}

#[derive(Debug)]
struct State {
    /// Names and ids.
    channels: Vec<(String, String)>,
    messages: Vec<Posted>,
    /// How many there were: no two have the same `ts`.
    count: usize,
    closed: bool,
}

impl Workspace {
    /// A workspace where the app is in the channel `#deploys`, whose id is `C0DEPLOYS`.
    ///
    /// # Errors
    /// When no port can be bound.
    pub fn open() -> io::Result<Self> {
        let state = Arc::new(Mutex::new(State {
            channels: vec![("deploys".to_owned(), "C0DEPLOYS".to_owned())],
            messages: Vec::new(),
            count: 0,
            closed: false,
        }));
        let kept = Arc::clone(&state);
        let server = Server::start_with(move |request| lock(&kept).receive(request))?;
        Ok(Self { server, state })
    }

    /// Where the API is.
    #[must_use]
    pub fn url(&self) -> String {
        self.server.url("")
    }

    /// The messages, as they are now.
    #[must_use]
    pub fn messages(&self) -> Vec<Posted> {
        lock(&self.state).messages.clone()
    }

    /// From now on messages are too old to be changed.
    pub fn close_edits(&self) {
        lock(&self.state).closed = true;
    }

    /// Somebody deletes all messages.
    pub fn forget(&self) {
        lock(&self.state).messages.clear();
    }

    /// Everything that was sent to it.
    #[must_use]
    pub fn requests(&self) -> Vec<Request> {
        self.server.requests()
    }
}

impl State {
    fn receive(&mut self, request: &Request) -> Reply {
        let answer = self.answer(request);
        Reply::json(
            200,
            &answer.unwrap_or_else(|error| json!({"ok": false, "error": error})),
        )
    }

    fn answer(&mut self, request: &Request) -> Result<Value, &'static str> {
        let token = request
            .header("authorization")
            .and_then(|value| value.strip_prefix("Bearer "));
        match token {
            None => return Err("not_authed"),
            Some(TOKEN) => {}
            Some(_) => return Err("invalid_auth"),
        }
        let body: Value = serde_json::from_slice(&request.body).map_err(|_| "invalid_json")?;
        let channel = body["channel"].as_str().unwrap_or_default().to_owned();
        let is_said = ["text", "blocks"].iter().any(|part| !body[*part].is_null());
        match request.path_only() {
            "/api/auth.test" => Ok(json!({"ok": true, "team": "Acme", "user": "deploys"})),
            _ if !is_said => Err("no_text"),
            "/api/chat.postMessage" => {
                let id = self.id(&channel, true)?;
                self.post(id, body)
            }
            "/api/chat.update" => {
                let id = self.id(&channel, false)?;
                self.update(&id, body)
            }
            _ => Err("unknown_method"),
        }
    }

    /// The id of a channel; a name does only where a message is posted.
    fn id(&self, channel: &str, by_name: bool) -> Result<String, &'static str> {
        let name = channel.trim_start_matches('#');
        let is_it = |(known, id): &&(String, String)| id == channel || by_name && known == name;
        let found = self.channels.iter().find(is_it);
        found.map(|(_, id)| id.clone()).ok_or("channel_not_found")
    }

    fn post(&mut self, channel: String, body: Value) -> Result<Value, &'static str> {
        let thread = body["thread_ts"].as_str().map(str::to_owned);
        if let Some(thread) = &thread
            && !self.messages.iter().any(|message| message.ts == *thread)
        {
            return Err("thread_not_found");
        }
        self.count += 1;
        let ts = format!("1795326520.{:06}", self.count);
        let answer =
            json!({"ok": true, "channel": channel, "ts": ts, "message": {"text": body["text"], "ts": ts}});
        self.messages.push(Posted {
            channel,
            ts,
            thread,
            body,
            changes: 0,
        });
        Ok(answer)
    }

    fn update(&mut self, channel: &str, body: Value) -> Result<Value, &'static str> {
        if self.closed {
            return Err("edit_window_closed");
        }
        let ts = body["ts"].as_str().unwrap_or_default().to_owned();
        let mut messages = self.messages.iter_mut();
        let is_it = |message: &&mut Posted| message.channel == channel && message.ts == ts;
        let message = messages.find(is_it).ok_or("message_not_found")?;
        message.body = body;
        message.changes += 1;
        Ok(json!({"ok": true, "channel": channel, "ts": ts, "text": message.body["text"]}))
    }
}

fn lock(state: &Mutex<State>) -> MutexGuard<'_, State> {
    state.lock().unwrap_or_else(PoisonError::into_inner)
}
