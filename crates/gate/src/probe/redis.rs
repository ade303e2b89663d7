//! A Redis server that answers `PING`: not while it loads its data, has lost its master, or is busy with a script. The
//! state of a cluster is not asked for.

use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use secrecy::{ExposeSecret as _, SecretString};

use gha::mask::Masker;
use gha::text;

use crate::finding::{Fault, FaultKind, Finding};
use crate::net::Network;
use crate::net::place::Place;
use crate::net::progress::{Progress, Stage};
use crate::net::tls::Trust;
use crate::probe::stream::{self, Came, Line};
use crate::probe::{Look, Looking, Phases, Probe};
use resp::{Read, Reply};

mod judge;
mod resp;

/// A Redis server.
#[derive(Clone)]
pub struct Redis {
    network: Network,
    place: Place,
    tls: bool,
    user: Option<String>,
    password: Option<SecretString>,
    masker: Masker,
    allow_noauth: bool,
    role: Option<Role>,
    shown: String,
}

/// What a server is among its replicas.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    /// It takes writes.
    Master,
    /// It follows a master.
    Replica,
}

/// The text is no role.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
#[error("`{0}` is no role; there are `master` and `replica`")]
pub struct RoleError(String);

impl Redis {
    /// A server at a place, asked without TLS and without a password.
    #[must_use]
    pub fn new(place: Place) -> Self {
        Self {
            shown: format!("redis {place}"),
            network: Network::straight(Trust::nobody()),
            place,
            tls: false,
            user: None,
            password: None,
            masker: Masker::default(),
            allow_noauth: false,
            role: None,
        }
    }

    /// The same in TLS, with a certificate for the host that is trusted. Over a Unix socket there is none.
    #[must_use]
    pub fn tls(self, trust: Trust) -> Self {
        Self {
            network: Network::straight(trust),
            tls: true,
            ..self
        }
    }

    /// The same, asked with a password: of this user (Redis 6 and later), or of the default one.
    #[must_use]
    pub fn password(mut self, user: Option<String>, password: SecretString) -> Self {
        // A server may repeat what it was sent.
        self.masker.add(password.expose_secret());
        Self {
            user,
            password: Some(password),
            ..self
        }
    }

    /// The same; with `allow` a server that asks for a password is good: it is up, and more is not known.
    #[must_use]
    pub fn allow_noauth(self, allow: bool) -> Self {
        Self {
            allow_noauth: allow,
            ..self
        }
    }

    /// The same, good only in this role; a replica must have a link to its master.
    #[must_use]
    pub fn role(self, role: Role) -> Self {
        Self {
            role: Some(role),
            ..self
        }
    }

    /// What is wrong, with a question where a connection ended without a word: Redis with `tls-port` hangs up on whoever asks
    /// in the clear, and sends no alert.
    fn asked_in_the_clear(&self, finding: Finding, phases: Phases) -> Finding {
        let is_wordless = phases.connect.is_some() && phases.first_byte.is_none();
        let can_be_tls = !self.tls && matches!(self.place, Place::Port(_));
        match finding {
            Finding::Bad(fault) if fault.kind == FaultKind::Connection && is_wordless && can_be_tls => {
                Finding::bad(fault.kind, format!("{}; does it want TLS?", fault.reason))
            }
            other => other,
        }
    }

    /// Why it hung. Redis without TLS takes the greeting of TLS for the beginning of a command, and waits for the rest.
    fn hung(fault: Fault, limit: Duration, progress: &Progress) -> Look {
        let finding = if progress.stage() == Stage::Handshake {
            let limit = gha::duration::display(limit);
            let reason =
                format!("TLS failed: no answer within {limit}; does the server speak it at this port?");
            Finding::bad(FaultKind::Tls, reason)
        } else {
            Finding::Bad(fault)
        };
        Look::without_answer(finding)
    }

    /// Asks one thing after another; the first that is wrong ends it.
    async fn looked(&self, progress: &Progress) -> Result<Look, Finding> {
        let mut line = Line::open(&self.network, &self.place, progress).await?;
        if self.tls {
            line = line.encrypted().await?;
        }
        if let Some(password) = &self.password {
            let user = self.user.as_deref();
            let parts: Vec<_> = ["AUTH"]
                .into_iter()
                .chain(user)
                .chain([password.expose_secret()])
                .collect();
            let reply = self.told(&mut line, &parts).await?;
            self.judged(&reply, judge::auth)?;
        }
        let reply = self.told(&mut line, &["PING"]).await?;
        self.judged(&reply, |reply| judge::ping(reply, self.allow_noauth))?;
        if let Some(role) = self.role {
            let reply = self.told(&mut line, &["ROLE"]).await?;
            self.judged(&reply, |reply| judge::role(reply, role))?;
        }
        Ok(Look::without_answer(Finding::Good))
    }

    /// What is wrong with a reply. It is judged as it is, and spoken of with every known secret hidden.
    fn judged(&self, reply: &Reply, judge: impl Fn(&Reply) -> Option<Finding>) -> Result<(), Finding> {
        match (judge(reply), judge(&self.hidden(reply))) {
            (None, _) => Ok(()),
            (Some(Finding::Bad(fault)), Some(Finding::Bad(hidden))) => {
                Err(Finding::bad(fault.kind, hidden.reason))
            }
            (Some(Finding::Bad(fault)), _) => Err(Finding::bad(fault.kind, "the answer is not as expected")),
            (Some(finding), _) => Err(finding),
        }
    }

    /// The reply to a command.
    async fn told(&self, line: &mut Line<'_>, command: &[&str]) -> Result<Reply, Finding> {
        // A server that is full, or keeps strangers out, says so and hangs up before it is asked.
        let sent = line.send(&resp::command(command)).await;
        let mut came = Vec::new();
        loop {
            match resp::read(&came) {
                Read::Reply(reply, _) => return Ok(reply),
                Read::Foreign => return Err(self.foreign(&came)),
                Read::Partly => {}
            }
            match (line.read(&mut came, resp::REPLY_LIMIT).await, &sent) {
                (Ok(Came::More), _) => {}
                (Err(_), Err(fault)) => return Err(fault.clone().into()),
                (Err(fault), Ok(())) => return Err(fault.into()),
                (Ok(Came::End), _) if came.is_empty() => return Err(closed()),
                (Ok(Came::End | Came::Full), _) => return Err(self.foreign(&came)),
            }
        }
    }

    fn foreign(&self, came: &[u8]) -> Finding {
        let hidden = self.masker.hide(&String::from_utf8_lossy(came));
        stream::foreign(hidden.as_bytes(), "Redis")
    }

    /// A reply with every known secret in it hidden, before anything of it is cut.
    fn hidden(&self, reply: &Reply) -> Reply {
        let hide = |text: &String| self.masker.hide(text);
        match reply {
            Reply::Status(text) => Reply::Status(hide(text)),
            Reply::Error(text) => Reply::Error(hide(text)),
            Reply::Bulk(text) => Reply::Bulk(text.as_ref().map(hide)),
            Reply::Array(Some(items)) => {
                Reply::Array(Some(items.iter().map(|item| self.hidden(item)).collect()))
            }
            Reply::Integer(_) | Reply::Array(None) => reply.clone(),
        }
    }
}

fn closed() -> Finding {
    Finding::bad(
        FaultKind::Connection,
        "it closed the connection without an answer",
    )
}

impl FromStr for Role {
    type Err = RoleError;

    fn from_str(written: &str) -> Result<Self, Self::Err> {
        match written {
            "master" => Ok(Self::Master),
            "replica" => Ok(Self::Replica),
            _ => Err(RoleError(text::cut(&text::visible(written), 100))),
        }
    }
}

impl fmt::Display for Role {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Master => "master",
            Self::Replica => "replica",
        })
    }
}

impl fmt::Debug for Redis {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Redis")
            .field("place", &self.place)
            .field("tls", &self.tls)
            .field("user", &self.user)
            .field("password", &self.password)
            .field("allow_noauth", &self.allow_noauth)
            .field("role", &self.role)
            .finish_non_exhaustive()
    }
}

impl Probe for Redis {
    fn target(&self) -> &str {
        &self.shown
    }

    fn look(&self, limit: Duration) -> Looking<'_> {
        let progress = Progress::default();
        Box::pin(async move {
            let looking = Box::pin(async {
                let looked = self.looked(&progress).await;
                looked.map_err(|wrong| self.asked_in_the_clear(wrong, progress.phases()))
            });
            let hung = |fault| Self::hung(fault, limit, &progress);
            progress.look_or(limit, looking, hung).await
        })
    }
}

#[cfg(test)]
mod tests;
