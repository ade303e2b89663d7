//! What one look at a target found.

use crate::trouble::Trouble;

/// Good, what is wrong, or why neither is known.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Finding {
    /// Everything that was expected held.
    Good,
    /// Something did not.
    Bad(Fault),
    /// The look itself could not be made. Rare: an answer that does not come is a fault of the target.
    Unmeasured(Trouble),
}

/// What is wrong with a target. The target is what is measured, so an answer that does not come is a fault of the
/// target and not a failure to measure.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fault {
    /// The kind, for the advice that goes with it.
    pub kind: FaultKind,
    /// What was seen and what was expected, as a lower-case fragment. Holds foreign text.
    pub reason: String,
}

/// Kinds of faults.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum FaultKind {
    /// The name could not be resolved, or to something else than expected.
    Name,
    /// Nothing listens there, or it hung up.
    Connection,
    /// The proxy on the way did not let the request through.
    Proxy,
    /// No complete answer within the time for one try.
    Slow,
    /// The certificate is not accepted or ends too soon, or there is no TLS.
    Tls,
    /// It answered with a redirect, which is not followed.
    Redirect,
    /// Another status.
    Status,
    /// Another header, body or field.
    Content,
    /// Another version.
    Version,
    /// It answers in another protocol, or not by the rules of its own.
    Protocol,
    /// It says itself that it is not ready: starting, loading, not serving, unhealthy, stopped.
    NotReady,
    /// It has no room: too many connections.
    Full,
    /// It wants a password that it was not given, or another one.
    Password,
    /// The program that was run says no.
    Program,
}

impl Finding {
    /// A fault.
    #[must_use]
    pub fn bad(kind: FaultKind, reason: impl Into<String>) -> Self {
        Self::Bad(Fault {
            kind,
            reason: reason.into(),
        })
    }

    /// Whether it is good.
    #[must_use]
    pub fn is_good(&self) -> bool {
        *self == Self::Good
    }

    /// The fault, if it is one.
    #[must_use]
    pub fn fault(&self) -> Option<&Fault> {
        match self {
            Self::Bad(fault) => Some(fault),
            Self::Good | Self::Unmeasured(_) => None,
        }
    }

    /// Whether it tells a reader the same as another one: the times in the reason of what was slow are different at every
    /// look, and no news.
    #[must_use]
    pub fn tells_the_same(&self, other: &Self) -> bool {
        let slow = |finding: &Self| finding.fault().is_some_and(|fault| fault.kind == FaultKind::Slow);
        self == other || (slow(self) && slow(other))
    }

    /// One word or the reason, for a log line.
    #[must_use]
    pub fn text(&self) -> &str {
        match self {
            Self::Good => "good",
            Self::Bad(fault) => &fault.reason,
            Self::Unmeasured(trouble) => &trouble.reason,
        }
    }
}

impl From<Fault> for Finding {
    fn from(fault: Fault) -> Self {
        Self::Bad(fault)
    }
}

impl FaultKind {
    /// What to look at next when this was the last thing seen.
    #[must_use]
    pub fn advice(self) -> &'static str {
        match self {
            Self::Name => "check the host's name, and that this runner's DNS knows it",
            Self::Connection => {
                "check that the service runs and listens there, and that this runner may reach it"
            }
            Self::Proxy => {
                "check `HTTPS_PROXY` and `HTTP_PROXY`; `NO_PROXY` names hosts that are reached without it"
            }
            Self::Slow => {
                "the service accepts connections and does not answer; look at its log, or raise `--try-timeout`"
            }
            Self::Tls => {
                "check the certificate, its dates and its host name; `SSL_CERT_FILE` is for an authority that is not trusted, and helps with nothing else"
            }
            Self::Redirect => {
                "redirects are not followed, because a login page answers 200 too; name the final address"
            }
            Self::Status => "look at the service's own log for this status",
            Self::Content => {
                "the service answers with other content; compare the last answer with what is expected"
            }
            Self::Version => {
                "check that the rollout finished and traffic moved; where the answer names no version, say where by `--version-at`"
            }
            Self::Protocol => "check the port: something else than this service seems to answer there",
            Self::NotReady => "the service is up and says itself that it is not ready; look at its log",
            Self::Full => "the service is up and has no room; look at who holds its connections",
            Self::Password => "check the credentials of the look, or allow an answer that asks for them",
            Self::Program => "run the program by hand; what it said is above",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn measured_times_are_no_news() {
        let slow = |reason: &str| Finding::bad(FaultKind::Slow, reason);
        assert!(slow("within 5s (connected in 3ms)").tells_the_same(&slow("within 5s (connected in 4ms)")));
        let status = |reason: &str| Finding::bad(FaultKind::Status, reason);
        assert!(!status("answered 502").tells_the_same(&status("answered 503")));
        assert!(!slow("answered 502").tells_the_same(&status("answered 502")));
        assert!(!Finding::Good.tells_the_same(&slow("")) && Finding::Good.tells_the_same(&Finding::Good));
    }
}
