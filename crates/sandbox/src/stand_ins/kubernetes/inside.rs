//! A request from its address to its answer: who asks, what goes wrong, who acts beside it, what is done, what is written down.

use std::time::Duration;

use serde_json::Value;

use super::api::{self, Outcome};
use super::ask::{Address, Ask};
use super::auth::User;
use super::faults::{self, Fault, Hook, Moment, Rule, Seen};
use super::forward::Forwarding;
use super::log::Entry;
use super::refusal::Refusal;
use super::stream::Flow;
use super::world::World;
use crate::http::Request;
use crate::stand_ins::aws::End;

/// The world, what is to go wrong, and what was asked.
pub(crate) struct Inside {
    pub(crate) world: World,
    pub(crate) rules: Vec<Rule>,
    pub(crate) hooks: Vec<Hook>,
    pub(crate) log: Vec<Entry>,
}

/// What goes back.
#[derive(Debug)]
pub(crate) enum Reply {
    Whole {
        status: u16,
        headers: Vec<(String, String)>,
        body: Vec<u8>,
        delay: Duration,
        /// After how many bytes of the body the connection breaks.
        cut: Option<usize>,
    },
    Flow {
        status: u16,
        headers: Vec<(String, String)>,
        flow: Flow,
        delay: Duration,
    },
    Forward {
        forwarding: Forwarding,
        delay: Duration,
    },
    Reset,
    Silence,
}

impl Inside {
    pub(crate) fn new() -> Self {
        Self {
            world: World::new(),
            rules: Vec::new(),
            hooks: Vec::new(),
            log: Vec::new(),
        }
    }

    pub(crate) fn take(&mut self, request: &Request) -> Reply {
        match api::address(request) {
            Err(refusal) => refused(&refusal),
            Ok(Address::Server(path)) => {
                let is_open = matches!(path.as_str(), "/version" | "/healthz" | "/livez" | "/readyz");
                if let Err(refusal) = self.world.users.of(request)
                    && !is_open
                {
                    return refused(&refusal);
                }
                written(api::describe(&path, request), Duration::ZERO, None)
            }
            Ok(Address::Objects(ask)) => self.serve(&ask, request),
        }
    }

    fn serve(&mut self, ask: &Ask, request: &Request) -> Reply {
        let resource = ask.resource();
        let seen = Seen {
            verb: ask.verb,
            resource: &resource,
            name: &ask.name,
        };
        let fault = self.strike(seen);
        self.others(seen, Moment::Before);
        let user = self.world.users.of(request);
        let name = user.as_ref().map(|user| user.name.clone()).unwrap_or_default();
        let result = self.attempt(ask, request, user, fault.as_ref());
        // What was done has its first effects before its caller hears of it.
        let now = self.world.now;
        self.world.advance(now);
        self.others(seen, Moment::After);
        let (status, end) = ended(result.as_ref(), fault.as_ref());
        let entry = Entry {
            at: self.world.now,
            method: request.method.clone(),
            path: request.path.clone(),
            verb: ask.verb,
            resource: resource.clone(),
            namespace: ask.namespace.clone(),
            name: ask.name.clone(),
            content_type: request.header("content-type").unwrap_or_default().to_owned(),
            body: serde_json::from_slice(&request.body).unwrap_or(Value::Null),
            user: name,
            status,
            end,
        };
        self.log.push(entry);
        let Some(result) = result else {
            return match fault {
                Some(Fault::Hang) => Reply::Silence,
                Some(Fault::BadGateway) => bad_gateway(),
                _ => Reply::Reset,
            };
        };
        match fault {
            Some(Fault::Lost) => Reply::Reset,
            Some(Fault::Slow(delay)) => written(result, delay, None),
            Some(Fault::Cut(bytes)) => written(result, Duration::ZERO, Some(bytes)),
            _ => written(result, Duration::ZERO, None),
        }
    }

    /// Does it, unless something is in the way; none where nothing is answered.
    fn attempt(
        &mut self,
        ask: &Ask,
        request: &Request,
        user: Result<User, Refusal>,
        fault: Option<&Fault>,
    ) -> Option<Result<Outcome, Refusal>> {
        if let Some(Fault::Reset | Fault::Hang | Fault::BadGateway) = fault {
            return None;
        }
        let user = match user {
            Ok(user) => user,
            Err(refusal) => return Some(Err(refusal)),
        };
        if let Some(refusal) = fault.and_then(|fault| fault.refusal(ask, &user.name)) {
            return Some(Err(refusal));
        }
        Some(api::serve(&mut self.world, ask, request, &user))
    }

    /// The fault of a call that comes now, which is the one after those in the log.
    fn strike(&self, seen: Seen<'_>) -> Option<Fault> {
        let now = self.world.now;
        let strikes = |rule: &&Rule| {
            faults::fits(&rule.selector, seen) && rule.turn.is(self.count(&rule.selector) + 1, now)
        };
        self.rules.iter().find(strikes).map(|rule| rule.fault.clone())
    }

    fn count(&self, selector: &str) -> usize {
        let meant = |entry: &&Entry| faults::fits(selector, Seen::from(*entry));
        self.log.iter().filter(meant).count()
    }

    /// Lets those act whose moment it is.
    fn others(&mut self, seen: Seen<'_>, moment: Moment) {
        if self.hooks.is_empty() {
            return;
        }
        let due: Vec<bool> = self
            .hooks
            .iter()
            .map(|hook| {
                hook.moment == moment
                    && faults::fits(&hook.selector, seen)
                    && hook.nth == self.count(&hook.selector) + 1
            })
            .collect();
        let mut due = due.into_iter();
        let acting: Vec<Hook> = self
            .hooks
            .extract_if(.., |_| due.next().unwrap_or_default())
            .collect();
        for hook in acting {
            (hook.act)(&mut self.world);
            self.world.unsettle();
            let now = self.world.now;
            self.world.advance(now);
        }
    }
}

fn ended(result: Option<&Result<Outcome, Refusal>>, fault: Option<&Fault>) -> (u16, End) {
    match (result, fault) {
        (None, Some(Fault::Hang)) => (0, End::Hung),
        (None, Some(Fault::BadGateway)) => (502, End::Refused("BadGateway".to_owned())),
        (None, _) => (0, End::Reset),
        (Some(_), Some(Fault::Lost)) => (0, End::Lost),
        (Some(Err(refusal)), _) => (refusal.code, End::Refused(refusal.reason.clone())),
        (Some(Ok(Outcome::Object(status, ..))), _) => (*status, End::Done),
        (Some(Ok(Outcome::Forward(_))), _) => (101, End::Done),
        (Some(Ok(_)), _) => (200, End::Done),
    }
}

fn written(result: Result<Outcome, Refusal>, delay: Duration, cut: Option<usize>) -> Reply {
    let json = ("content-type".to_owned(), "application/json".to_owned());
    let text = ("content-type".to_owned(), "text/plain".to_owned());
    match result {
        Err(refusal) => match refused(&refusal) {
            Reply::Whole {
                status,
                headers,
                body,
                ..
            } => Reply::Whole {
                status,
                headers,
                body,
                delay,
                cut,
            },
            other => other,
        },
        Ok(Outcome::Object(status, object, warnings)) => {
            let warnings = warnings
                .into_iter()
                .map(|words| ("warning".to_owned(), format!("299 - {}", Value::from(words))));
            // By this a client tells that it got the form that it asked for.
            let kind = match object["kind"].as_str() {
                Some("APIGroupDiscoveryList") => (
                    json.0,
                    "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList".to_owned(),
                ),
                _ => json,
            };
            Reply::Whole {
                status,
                headers: std::iter::once(kind).chain(warnings).collect(),
                body: object.to_string().into_bytes(),
                delay,
                cut,
            }
        }
        Ok(Outcome::Text(body)) => Reply::Whole {
            status: 200,
            headers: vec![text],
            body: body.into_bytes(),
            delay,
            cut,
        },
        Ok(Outcome::Watch(watching)) => Reply::Flow {
            status: 200,
            headers: vec![json],
            flow: Flow::Watch(Box::new(watching)),
            delay,
        },
        Ok(Outcome::Log(following)) => Reply::Flow {
            status: 200,
            headers: vec![text],
            flow: Flow::Log(Box::new(following)),
            delay,
        },
        Ok(Outcome::Forward(forwarding)) => Reply::Forward { forwarding, delay },
    }
}

fn refused(refusal: &Refusal) -> Reply {
    let mut headers = vec![("content-type".to_owned(), "application/json".to_owned())];
    if let Some(seconds) = refusal.retry_after {
        headers.push(("retry-after".to_owned(), seconds.to_string()));
    }
    Reply::Whole {
        status: refusal.code,
        headers,
        body: refusal.status().to_string().into_bytes(),
        delay: Duration::ZERO,
        cut: None,
    }
}

fn bad_gateway() -> Reply {
    Reply::Whole {
        status: 502,
        headers: vec![("content-type".to_owned(), "text/html".to_owned())],
        body: b"<html><head><title>502 Bad Gateway</title></head><body>Bad Gateway</body></html>".to_vec(),
        delay: Duration::ZERO,
        cut: None,
    }
}
