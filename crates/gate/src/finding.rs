//! What one look at a target found.

/// Good, or what is wrong.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Finding {
    /// Everything that was expected held.
    Good,
    /// Something did not.
    Bad(Fault),
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
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FaultKind {
    /// The name could not be resolved.
    Name,
    /// Nothing listens there, or it hung up.
    Connection,
    /// The proxy on the way did not let the request through.
    Proxy,
    /// No complete answer within the time for one try.
    Slow,
    /// The certificate is not accepted, or there is no TLS.
    Tls,
    /// It answered with a redirect, which is not followed.
    Redirect,
    /// Another status.
    Status,
    /// Another header, body or field.
    Content,
    /// Another version.
    Version,
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

    /// One word or the reason, for a log line.
    #[must_use]
    pub fn text(&self) -> &str {
        match self {
            Self::Good => "good",
            Self::Bad(fault) => &fault.reason,
        }
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
                "check the certificate and its host name; set `SSL_CERT_FILE` for a private authority"
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
        }
    }
}
