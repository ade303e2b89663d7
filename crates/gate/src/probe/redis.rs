//! A Redis server that answers `PING`: not while it loads its data, has lost its master, or is busy with a script. The
//! state of a cluster is not asked for.

use std::cell::Cell;
use std::fmt;
use std::str::FromStr;
use std::sync::Arc;
use std::time::Duration;

use rustls::ClientConfig;
use secrecy::{ExposeSecret as _, SecretString};

use gha::mask::Masker;
use gha::text;

use crate::finding::{FaultKind, Finding};
use crate::probe::place::Place;
use crate::probe::stream::{self, Came, Line};
use crate::probe::{Look, Looking, Phases, Probe};
use resp::{Read, Reply};

mod judge;
mod resp;

/// The port where none is named.
pub const PORT: u16 = 6379;

/// A Redis server.
#[derive(Clone)]
pub struct Redis {
    place: Place,
    tls: Option<Arc<ClientConfig>>,
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
            place,
            tls: None,
            user: None,
            password: None,
            masker: Masker::default(),
            allow_noauth: false,
            role: None,
        }
    }

    /// The same in TLS, with a certificate that `config` accepts for the host. Over a Unix socket there is none.
    #[must_use]
    pub fn tls(self, config: Arc<ClientConfig>) -> Self {
        let mut config = config;
        if !config.alpn_protocols.is_empty() {
            // Those of HTTP mean nothing here.
            Arc::make_mut(&mut config).alpn_protocols.clear();
        }
        Self {
            tls: Some(config),
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

    async fn ask(&self, limit: Duration, phases: &Cell<Phases>) -> Finding {
        match self.converse(limit, phases).await {
            Ok(()) => Finding::Good,
            Err(finding) => finding,
        }
    }

    /// Asks one thing after another; the first that is wrong ends it.
    async fn converse(&self, limit: Duration, phases: &Cell<Phases>) -> Result<(), Finding> {
        let mut line = Line::open(&self.place, limit, phases).await?;
        if let (Some(config), Place::Port { host, .. }) = (&self.tls, &self.place) {
            line = line.encrypted(host, Arc::clone(config)).await?;
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
        Ok(())
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
                (Err(_), Err(finding)) => return Err(finding.clone()),
                (Err(finding), Ok(())) => return Err(finding),
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
            .field("tls", &self.tls.is_some())
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
        Box::pin(async move {
            let phases = Cell::default();
            let finding = stream::within(limit, self.ask(limit, &phases), || stream::silent(limit)).await;
            Look {
                phases: phases.get(),
                ..Look::without_answer(finding)
            }
        })
    }
}

#[cfg(test)]
mod tests;
