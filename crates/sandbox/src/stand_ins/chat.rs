//! A chat service's incoming webhook: takes messages, or refuses them the way Slack does.
//!
//! Answers follow <https://docs.slack.dev/messaging/sending-messages-using-incoming-webhooks>.

use std::collections::VecDeque;
use std::io;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use serde_json::Value;

use crate::http::{Reply, Request, Server};

/// Where the webhook is; shaped like Slack's, so that a client which looks at the path finds what it expects.
const PATH: &str = "/services/T00000000/B00000000/XXXXXXXXXXXXXXXXXXXXXXXX";

/// A way to refuse a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// 429 with `Retry-After` in whole seconds.
    Limited {
        /// The seconds to wait.
        retry_after: u64,
    },
    /// 500 without a reason.
    Broken,
    /// 404 `no_service`: the webhook was removed.
    NoService,
    /// The connection breaks before the message is taken.
    Reset,
    /// The message is taken, and the connection breaks before the answer.
    Lost,
    /// The message is taken, and the answer comes this much later.
    Slow(Duration),
    /// No answer ever.
    Silent,
    /// 200 with a page, as a portal in between gives it.
    Page,
}

/// A channel with a webhook; stops when dropped.
#[derive(Debug)]
pub struct Channel {
    server: Server,
    state: Arc<Mutex<State>>,
}

#[derive(Debug, Default)]
struct State {
    refusals: VecDeque<Refusal>,
    messages: Vec<Value>,
}

impl Channel {
    /// A channel that takes every message.
    ///
    /// # Errors
    /// When no port can be bound.
    pub fn open() -> io::Result<Self> {
        let state = Arc::new(Mutex::new(State::default()));
        let kept = Arc::clone(&state);
        let server = Server::start_with(move |request| lock(&kept).receive(request))?;
        Ok(Self { server, state })
    }

    /// Refuses the next message this way; several of these are used up one after the other.
    #[must_use]
    pub fn refusing(self, refusal: Refusal) -> Self {
        lock(&self.state).refusals.push_back(refusal);
        self
    }

    /// The webhook's address: a secret, as on the real service.
    #[must_use]
    pub fn webhook(&self) -> String {
        self.server.url(PATH)
    }

    /// The messages that were taken.
    #[must_use]
    pub fn messages(&self) -> Vec<Value> {
        lock(&self.state).messages.clone()
    }

    /// Everything that was sent to it, refused or not.
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

impl State {
    fn receive(&mut self, request: &Request) -> Reply {
        if request.path_only() != PATH {
            return Reply::text(404, "no_team");
        }
        if request.method != "POST" {
            return Reply::text(400, "invalid_payload");
        }
        match self.refusals.pop_front() {
            Some(Refusal::Limited { retry_after }) => {
                return Reply::text(429, "rate_limited").header("retry-after", &retry_after.to_string());
            }
            Some(Refusal::Broken) => return Reply::status(500),
            Some(Refusal::NoService) => return Reply::text(404, "no_service"),
            Some(Refusal::Reset) => return Reply::reset(),
            Some(Refusal::Silent) => return Reply::hang(),
            Some(Refusal::Page) => return Reply::text(200, "<html>sign in</html>"),
            Some(Refusal::Lost) => {
                self.take(request);
                return Reply::reset();
            }
            Some(Refusal::Slow(time)) => return self.take(request).delay(time),
            None => {}
        }
        self.take(request)
    }

    fn take(&mut self, request: &Request) -> Reply {
        match serde_json::from_slice::<Value>(&request.body) {
            Ok(message) if is_message(&message) => {
                self.messages.push(message);
                Reply::text(200, "ok")
            }
            Ok(Value::Object(_)) => Reply::text(400, "no_text"),
            _ => Reply::text(400, "invalid_payload"),
        }
    }
}

/// Slack wants a text, blocks or attachments.
fn is_message(message: &Value) -> bool {
    ["text", "blocks", "attachments"].iter().any(|part| {
        let value = message.get(part);
        value.is_some_and(|value| value.as_str() != Some("") && !value.is_null())
    })
}

fn lock(state: &Mutex<State>) -> MutexGuard<'_, State> {
    state.lock().unwrap_or_else(PoisonError::into_inner)
}
