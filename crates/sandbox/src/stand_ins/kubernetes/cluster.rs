//! The handle of the cluster that a test holds: its address, its clock, its faults and its log.

use std::fmt;
use std::io;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use super::auth::{ADMIN_TOKEN, User};
use super::faults::{self, Fault, Hook, Moment, Rule, Seen};
use super::inside::{Inside, Reply};
use super::kubeconfig::{self, Login};
use super::log::Entry;
use super::stream::Stream;
use super::wire;
use super::world::World;
use crate::http::tls::Authority;
use crate::http::{Listening, Request};
use crate::stand_ins::aws::{Clock, Turn};

/// One cluster; stops when dropped.
#[derive(Debug)]
pub struct Cluster {
    listening: Option<Listening>,
    authority: Option<Arc<Authority>>,
    shared: Shared,
}

/// What its handle, its connections and its streams share.
#[derive(Clone)]
pub(crate) struct Shared {
    clock: Clock,
    inside: Arc<Mutex<Inside>>,
}

/// What a client hears, for a transport without sockets.
#[derive(Debug)]
pub enum Heard {
    /// An answer of HTTP.
    Answer {
        /// The status.
        status: u16,
        /// Names and values.
        headers: Vec<(String, String)>,
        /// The whole body.
        body: Vec<u8>,
        /// How much later it comes.
        delay: Duration,
    },
    /// An answer whose body comes bit by bit: a watch or a log that is followed.
    Stream {
        /// The status.
        status: u16,
        /// Names and values.
        headers: Vec<(String, String)>,
        /// The body.
        stream: Stream,
        /// How much later it begins.
        delay: Duration,
    },
    /// The connection breaks.
    Reset,
    /// Nothing, as long as one waits.
    Silence,
}

impl Cluster {
    /// A cluster that listens on loopback by HTTPS, with a certificate of an authority of its own.
    ///
    /// # Errors
    /// When no port can be bound or no certificate made.
    pub fn open(clock: Clock) -> io::Result<Self> {
        let mut cluster = Self::unheard(clock);
        let authority = Arc::new(Authority::new()?);
        let acceptor = authority.server(&["127.0.0.1", "localhost"])?;
        let (shared, known) = (cluster.shared.clone(), Arc::clone(&authority));
        let serve = move |stream| wire::serve(stream, acceptor.clone(), Arc::clone(&known), shared.clone());
        cluster.listening = Some(Listening::start("sandbox-kubernetes", serve)?);
        cluster.authority = Some(authority);
        Ok(cluster)
    }

    /// A cluster without an address, for [`Cluster::hear`].
    #[must_use]
    pub fn unheard(clock: Clock) -> Self {
        let inside = Arc::new(Mutex::new(Inside::new()));
        let shared = Shared { clock, inside };
        shared.look(|_| ());
        Self {
            listening: None,
            authority: None,
            shared,
        }
    }

    /// Its address; empty for one that has none.
    #[must_use]
    pub fn url(&self) -> String {
        self.listening
            .as_ref()
            .map(|listening| format!("https://{}", listening.address))
            .unwrap_or_default()
    }

    /// The authority to trust, as PEM; empty for one without an address.
    #[must_use]
    pub fn ca_pem(&self) -> String {
        self.authority
            .as_ref()
            .map(|authority| authority.ca_pem())
            .unwrap_or_default()
    }

    /// The token of the administrator, who is there from the beginning and may do everything.
    #[must_use]
    pub fn token(&self) -> &'static str {
        ADMIN_TOKEN
    }

    /// A kubeconfig of the administrator, with namespace `default`.
    ///
    /// # Errors
    /// When no certificate can be made.
    pub fn kubeconfig(&self, login: Login) -> io::Result<String> {
        self.kubeconfig_of("kubernetes-admin", login)
    }

    /// A kubeconfig of somebody who was allowed.
    ///
    /// # Errors
    /// When there is nobody of that name, or no certificate can be made.
    pub fn kubeconfig_of(&self, name: &str, login: Login) -> io::Result<String> {
        let user = self.world(|world| world.users.named(name).cloned());
        let user = user.ok_or_else(|| io::Error::other("nobody of that name was allowed"))?;
        kubeconfig::write(
            &self.url(),
            &self.ca_pem(),
            &user,
            login,
            self.authority.as_deref(),
        )
    }

    /// Lets somebody in; in place of whoever has the same name.
    pub fn allow(&self, user: User) {
        self.world(|world| world.users.allow(user));
    }

    /// What a client hears, without a socket.
    #[must_use]
    pub fn hear(&self, request: &Request) -> Heard {
        match self.shared.take(request) {
            Reply::Whole { cut: Some(_), .. } | Reply::Reset => Heard::Reset,
            Reply::Whole {
                status,
                headers,
                body,
                delay,
                ..
            } => Heard::Answer {
                status,
                headers,
                body,
                delay,
            },
            Reply::Flow {
                status,
                headers,
                flow,
                delay,
            } => Heard::Stream {
                status,
                headers,
                stream: Stream::new(self.shared.clone(), flow),
                delay,
            },
            // A connection to a pod needs a socket.
            Reply::Forward { .. } => Heard::Reset,
            Reply::Silence => Heard::Silence,
        }
    }

    /// The world as it is now, to look at and to change. It must not be asked for again inside.
    pub fn world<T>(&self, look: impl FnOnce(&mut World) -> T) -> T {
        self.shared.look(look)
    }

    /// Lets time pass.
    pub fn skip(&self, time: Duration) {
        self.shared.clock.skip(time);
        self.shared.read(|_| ());
    }

    /// Lets time pass second by second until the world is so, at most so long; whether it is.
    pub fn until(&self, limit: Duration, so: impl Fn(&World) -> bool) -> bool {
        for _ in 0..=limit.as_secs() {
            if self.shared.read(&so) {
                return true;
            }
            self.skip(Duration::from_secs(1));
        }
        false
    }

    /// What a port-forward reaches: pods whose names fit a pattern (`web-*`), by their port.
    pub fn listen(&self, pods: &str, port: u16, address: SocketAddr) {
        let listener = (pods.to_owned(), port, address);
        self.world(|world| world.settings.listeners.push(listener));
    }

    /// Ends all watches and followed logs, as a server does that goes away.
    pub fn hang_up(&self) {
        self.world(|world| world.round += 1);
    }

    /// Asks for a fault of the calls that a selector means: `patch services web`, `writes`, `* pods/log`, `*`. Where several fit, the
    /// one that was asked for last strikes.
    pub fn fault(&self, selector: &str, turn: Turn, fault: Fault) {
        let rule = Rule {
            selector: selector.to_owned(),
            turn,
            fault,
        };
        self.shared.lock().rules.insert(0, rule);
    }

    /// Takes all faults away.
    pub fn heal(&self) {
        self.shared.lock().rules.clear();
    }

    /// Somebody else acts right before the nth call (from 1) that a selector means is done.
    pub fn before(&self, selector: &str, nth: usize, act: impl FnOnce(&mut World) + Send + 'static) {
        self.hook(selector, nth, Moment::Before, Box::new(act));
    }

    /// Somebody else acts right after the nth call (from 1) that a selector means, before its caller hears of it.
    pub fn after(&self, selector: &str, nth: usize, act: impl FnOnce(&mut World) + Send + 'static) {
        self.hook(selector, nth, Moment::After, Box::new(act));
    }

    /// The calls so far, in order.
    #[must_use]
    pub fn log(&self) -> Vec<Entry> {
        self.shared.lock().log.clone()
    }

    /// Those that a selector means.
    #[must_use]
    pub fn calls(&self, selector: &str) -> Vec<Entry> {
        let inside = self.shared.lock();
        let all = inside.log.iter();
        all.filter(|entry| faults::fits(selector, Seen::from(*entry)))
            .cloned()
            .collect()
    }

    /// Empties the log; calls are counted anew.
    pub fn forget(&self) {
        self.shared.lock().log.clear();
    }

    fn hook(&self, selector: &str, nth: usize, moment: Moment, act: Box<dyn FnOnce(&mut World) + Send>) {
        let hook = Hook {
            selector: selector.to_owned(),
            nth,
            moment,
            act,
        };
        self.shared.lock().hooks.push(hook);
    }
}

impl Shared {
    /// Answers a request.
    pub(crate) fn take(&self, request: &Request) -> Reply {
        let mut inside = self.lock();
        inside.world.advance(self.clock.now());
        inside.take(request)
    }

    /// The world as it is now, to change.
    pub(crate) fn look<T>(&self, look: impl FnOnce(&mut World) -> T) -> T {
        let mut inside = self.lock();
        inside.world.advance(self.clock.now());
        let seen = look(&mut inside.world);
        // What was changed has its first effects at once.
        inside.world.unsettle();
        inside.world.advance(self.clock.now());
        seen
    }

    /// The world as it is now.
    pub(crate) fn read<T>(&self, look: impl FnOnce(&World) -> T) -> T {
        let mut inside = self.lock();
        inside.world.advance(self.clock.now());
        look(&inside.world)
    }

    fn lock(&self) -> MutexGuard<'_, Inside> {
        self.inside.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl fmt::Debug for Shared {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Shared").finish_non_exhaustive()
    }
}
