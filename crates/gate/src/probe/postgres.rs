//! A PostgreSQL server that is ready as `pg_isready` means it: it takes connections. Whether it would let this user in,
//! or knows the database, is not asked, so no password is needed. The rules are those of `PQping` (`internal_ping` in
//! <https://github.com/postgres/postgres/blob/REL_15_STABLE/src/interfaces/libpq/fe-connect.c>):
//!
//! - a request to authenticate means ready, whatever comes after it;
//! - an error means ready too (the server is up and did not like our parameters), unless its SQLSTATE is `57P03`:
//!   starting up, shutting down, recovering;
//! - an error without a SQLSTATE, or no answer, means not ready.

use std::cell::Cell;
use std::fmt;
use std::time::Duration;

use tokio::time::timeout;

use gha::text;

use crate::expect::quoted;
use crate::finding::{FaultKind, Finding};
use crate::net::Network;
use crate::net::place::Place;
use crate::net::progress::Progress;
use crate::net::tls::Trust;
use crate::probe::stream::{self, Came, Line};
use crate::probe::{Look, Looking, Probe};
use wire::{Message, Read, Refusal};

mod wire;

/// `cannot_connect_now` of <https://www.postgresql.org/docs/current/errcodes-appendix.html>.
const CANNOT_CONNECT_NOW: &str = "57P03";

/// `too_many_connections` of the same table.
const TOO_MANY_CONNECTIONS: &str = "53300";

/// The most messages that are read before the session is ready; a server sends about 15.
const MESSAGES: usize = 200;

/// How long the rest of a foreign answer is waited for.
const REST: Duration = Duration::from_millis(100);

/// The longest name that is sent. A server cuts names at 63 bytes.
const NAME: usize = 255;

/// A PostgreSQL server.
#[derive(Clone)]
pub struct Postgres {
    network: Network,
    place: Place,
    encryption: Encryption,
    user: String,
    database: String,
    room: bool,
    shown: String,
}

/// Whether the connection is encrypted. A Unix socket never is.
#[derive(Clone, Debug, Default)]
pub enum Encryption {
    /// Never; libpq's `disable`.
    Off,
    /// Where the server offers it, whatever its certificate; libpq's `prefer`.
    #[default]
    Preferred,
    /// Always, whatever the certificate; libpq's `require` without a root certificate.
    Required,
    /// Always, with a certificate for the host that is trusted; libpq's `verify-full`.
    Verified(Trust),
}

/// The name of a user or a database can't be sent.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
#[error("the {what} `{name}` can't be one: it must have 1 to 255 bytes, none of them NUL")]
pub struct NameError {
    what: &'static str,
    name: String,
}

impl Postgres {
    /// A server at a place, asked as user `postgres` for the database of the same name.
    #[must_use]
    pub fn new(place: Place, encryption: Encryption) -> Self {
        let trust = match &encryption {
            Encryption::Off => Trust::nobody(),
            Encryption::Preferred | Encryption::Required => Trust::anyone(),
            Encryption::Verified(trust) => trust.clone(),
        };
        Self {
            network: Network::straight(trust),
            shown: format!("postgres {place}"),
            place,
            encryption,
            user: "postgres".to_owned(),
            database: "postgres".to_owned(),
            room: false,
        }
    }

    /// The same, asked as this user for this database. Neither has to exist; a pooler in front may need them.
    ///
    /// # Errors
    /// When one of the names is empty, too long or holds NUL.
    pub fn session(self, user: &str, database: &str) -> Result<Self, NameError> {
        for (what, name) in [("user", user), ("database", database)] {
            if name.is_empty() || name.len() > NAME || name.contains('\0') {
                let name = text::cut(&text::visible(name), 100);
                return Err(NameError { what, name });
            }
        }
        Ok(Self {
            user: user.to_owned(),
            database: database.to_owned(),
            ..self
        })
    }

    /// The same; with `room` a server that has too many connections is not good, although it is for `pg_isready`. One that
    /// keeps its last connections for other users is only seen to be full where it lets this user in without a password.
    #[must_use]
    pub fn room(self, room: bool) -> Self {
        Self { room, ..self }
    }

    /// Asks, and gives what is wrong, or the server's error where it is ready all the same.
    async fn ask(&self, progress: &Progress, admitted: &Cell<bool>) -> Result<Option<Refusal>, Finding> {
        let mut line = self.opened(progress).await?;
        line.send(&wire::startup(&self.user, &self.database)).await?;
        let mut came = Vec::new();
        for _ in 0..MESSAGES {
            let message = match next(&mut line, &mut came, admitted.get()).await {
                Ok(message) => message,
                // It asked for no proof, so it is ready: `pg_isready` does not care either how it goes on.
                Err(_) if admitted.get() && !self.room => return Ok(None),
                Err(finding) => return Err(finding),
            };
            match message {
                // A session that has not begun is not ended by a message: the server would log that one as an error.
                Message::Asks => {
                    line.close().await;
                    return Ok(None);
                }
                Message::Admits => admitted.set(true),
                Message::Refuses(refusal) => {
                    return match self.fault(&refusal, admitted.get()) {
                        Some(finding) => Err(finding),
                        None => Ok(Some(refusal)),
                    };
                }
                Message::Ready => {
                    // Whether it still hears this is no part of the answer.
                    let _ = line.send(&wire::TERMINATE).await;
                    line.close().await;
                    return Ok(None);
                }
                Message::Other => {}
            }
        }
        if admitted.get() && !self.room {
            Ok(None)
        } else {
            Err(stream::foreign(&came, "PostgreSQL"))
        }
    }

    /// A connection on which the session can be opened.
    async fn opened<'a>(&'a self, progress: &'a Progress) -> Result<Line<'a>, Finding> {
        let line = Line::open(&self.network, &self.place, progress).await?;
        let needed = match (&self.encryption, &self.place) {
            (Encryption::Off, _) | (_, Place::Socket(_)) => return Ok(line),
            (Encryption::Preferred, _) => false,
            (Encryption::Required | Encryption::Verified(_), _) => true,
        };
        match offered(line).await? {
            (line, true) => match line.encrypted().await {
                Err(_) if !needed => {
                    progress.again(None);
                    Ok(Line::open(&self.network, &self.place, progress).await?)
                }
                encrypted => Ok(encrypted?),
            },
            (line, false) if !needed => Ok(line),
            (_, false) => Err(Finding::bad(FaultKind::Tls, "the server does not offer TLS")),
        }
    }

    /// What is wrong with a server that refuses, if anything is.
    fn fault(&self, refusal: &Refusal, admitted: bool) -> Option<Finding> {
        let kind = match refusal.code.as_str() {
            CANNOT_CONNECT_NOW if !admitted => FaultKind::NotReady,
            TOO_MANY_CONNECTIONS if self.room => FaultKind::Full,
            _ => return None,
        };
        Some(Finding::bad(
            kind,
            format!("the server does not accept connections: {refusal}"),
        ))
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} ({})", quoted(&self.message), text::visible(&self.code))
    }
}

/// Asks whether the server speaks TLS.
async fn offered(mut line: Line<'_>) -> Result<(Line<'_>, bool), Finding> {
    line.send(&wire::SSL_REQUEST).await?;
    let mut answer = Vec::new();
    // One byte and no more: what comes after it belongs to TLS.
    let came = line.read(&mut answer, 1).await?;
    match (came, answer.first()) {
        (Came::End, _) => Err(closed()),
        (_, Some(b'S')) => Ok((line, true)),
        (_, Some(b'N')) => Ok((line, false)),
        // libpq does not read on either: nobody vouches for what it says (CVE-2024-10977).
        (_, Some(b'E')) => Err(Finding::bad(
            FaultKind::NotReady,
            "the server answered the request for TLS with an error",
        )),
        _ => {
            // Whether more of it comes or not, it is no PostgreSQL; a little more of it may say what it is.
            let _ = timeout(REST, line.read(&mut answer, 128)).await;
            Err(stream::foreign(&answer, "PostgreSQL"))
        }
    }
}

/// The next message, taken out of what came.
async fn next(line: &mut Line<'_>, came: &mut Vec<u8>, admitted: bool) -> Result<Message, Finding> {
    loop {
        match wire::read(came, admitted) {
            Read::Message(message, length) => {
                came.drain(..length);
                return Ok(message);
            }
            Read::Foreign => return Err(stream::foreign(came, "PostgreSQL")),
            Read::Partly => {}
        }
        match line.read(came, wire::MESSAGE_LIMIT).await? {
            Came::More => {}
            Came::End => return Err(closed()),
            Came::Full => return Err(stream::foreign(came, "PostgreSQL")),
        }
    }
}

fn closed() -> Finding {
    Finding::bad(
        FaultKind::Connection,
        "it closed the connection without a complete answer",
    )
}

impl fmt::Debug for Postgres {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Postgres")
            .field("place", &self.place)
            .field("encryption", &self.encryption)
            .field("user", &self.user)
            .field("database", &self.database)
            .field("room", &self.room)
            .finish_non_exhaustive()
    }
}

impl Probe for Postgres {
    fn target(&self) -> &str {
        &self.shown
    }

    fn look(&self, limit: Duration) -> Looking<'_> {
        let progress = Progress::default();
        Box::pin(async move {
            let admitted = Cell::new(false);
            let looked = Box::pin(async {
                let refusal = self.ask(&progress, &admitted).await?;
                Ok::<_, Finding>(Look {
                    excerpt: refusal.map(|refusal| refusal.to_string()),
                    ..Look::without_answer(Finding::Good)
                })
            });
            let hung = |hung| match admitted.get() && !self.room {
                true => Look::without_answer(Finding::Good),
                false => Look::without_answer(Finding::Bad(hung)),
            };
            progress.look_or(limit, looked, hung).await
        })
    }
}

#[cfg(test)]
mod tests;
