//! What goes wrong with a call, who acts beside it, and which calls a selector means.

use std::time::Duration;

use super::ask;
use super::refusal::Refusal;
use super::settings::matches;
use super::world::World;
use crate::stand_ins::aws::Turn;

/// What happens in place of an ordinary answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Fault {
    /// 500; nothing is done.
    Internal,
    /// 503, to come again in a second; nothing is done.
    Unavailable,
    /// 429, to come again in a second; nothing is done.
    Throttled,
    /// 504 of the server; nothing is done.
    TimedOut,
    /// 401, as for a token whose time is up; nothing is done.
    Expired,
    /// 403; nothing is done.
    Denied,
    /// 409, as if somebody had changed the object; nothing is done.
    Conflict,
    /// 502 with a page in HTML, as of a load balancer before the server; nothing is done.
    BadGateway,
    /// Another refusal; nothing is done.
    Refused(Refusal),
    /// The connection is reset; nothing is done.
    Reset,
    /// No answer as long as the client waits; nothing is done.
    Hang,
    /// It is done, and then the connection is reset in place of the answer.
    Lost,
    /// It is done, and the answer comes so much later, in real time.
    Slow(Duration),
    /// It is done, and the connection closes after so many bytes of the answer's body.
    Cut(usize),
}

/// A call as selectors see it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Seen<'a> {
    pub(crate) verb: &'a str,
    /// With its part: `pods/log`.
    pub(crate) resource: &'a str,
    pub(crate) name: &'a str,
}

/// A fault that was asked for, with how many calls its selector has meant since.
#[derive(Clone, Debug)]
pub(crate) struct Rule {
    pub(crate) selector: String,
    pub(crate) turn: Turn,
    pub(crate) fault: Fault,
}

/// What somebody else does when a call comes.
pub(crate) struct Hook {
    pub(crate) selector: String,
    pub(crate) nth: usize,
    pub(crate) moment: Moment,
    pub(crate) act: Box<dyn FnOnce(&mut World) + Send>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Moment {
    Before,
    After,
}

impl Fault {
    /// The refusal that it is, if it is one.
    pub(crate) fn refusal(&self, asked: &ask::Ask, user: &str) -> Option<Refusal> {
        let refusal = match self {
            Self::Internal => Refusal::new(
                500,
                "InternalError",
                "Internal error occurred: etcdserver: request timed out",
            ),
            Self::Unavailable => {
                let mut refusal = Refusal::new(
                    503,
                    "ServiceUnavailable",
                    "the server is currently unable to handle the request",
                );
                refusal.retry_after = Some(1);
                refusal
            }
            Self::Throttled => {
                let message = "the server has received too many requests and has asked us to try again later";
                let mut refusal = Refusal::new(429, "TooManyRequests", message);
                refusal.retry_after = Some(1);
                refusal
            }
            Self::TimedOut => Refusal::new(
                504,
                "Timeout",
                "Timeout: request did not complete within the allotted timeout",
            ),
            Self::Expired => Refusal::unauthorized(),
            Self::Denied => super::auth::denied(&super::auth::User::new(user, ""), asked),
            Self::Conflict => Refusal::modified(asked.kind, &asked.name),
            Self::Refused(refusal) => refusal.clone(),
            Self::BadGateway | Self::Reset | Self::Hang | Self::Lost | Self::Slow(_) | Self::Cut(_) => {
                return None;
            }
        };
        Some(refusal)
    }
}

/// Whether a selector means this call: verb, resource and name with spaces between, what is left off being any.
pub(crate) fn fits(selector: &str, call: Seen<'_>) -> bool {
    let mut words = selector.split_whitespace();
    let verb = words.next().unwrap_or("*");
    let (resource, name) = (words.next().unwrap_or("*"), words.next().unwrap_or("*"));
    let of_verb = match verb {
        "writes" => ask::is_write(call.verb) && !call.resource.starts_with("selfsubject"),
        verb => matches(verb, call.verb),
    };
    of_verb && matches(resource, call.resource) && matches(name, call.name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn selectors_mean_verbs_resources_and_names() {
        let call = Seen {
            verb: "patch",
            resource: "deployments/scale",
            name: "web-green",
        };
        for (selector, expected) in [
            ("*", true),
            ("writes", true),
            ("patch", true),
            ("patch deployments", false),
            ("patch deployments*", true),
            ("* deployments/scale web-*", true),
            ("patch deployments/scale web-blue", false),
            ("get", false),
        ] {
            assert_eq!(fits(selector, call), expected, "{selector}");
        }
    }
}
