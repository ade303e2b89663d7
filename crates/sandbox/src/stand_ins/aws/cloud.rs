//! The cloud behind its address: takes requests, lets faults strike and second actors act, and writes all down.

use std::fmt;
use std::io;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use super::call::{Answer, Call, Refusal};
use super::clock::Clock;
use super::faults::{self, Fault, Faults, Turn};
use super::limits::Limits;
use super::log::{End, Entry};
use super::protocol::{self, Asked, Identity};
use super::setup::Shop;
use super::world::{KEY_ID, SECRET, World};
use crate::http::{Reply, Request, Server};

/// One account in one region; stops when dropped.
#[derive(Debug)]
pub struct Cloud {
    server: Option<Server>,
    clock: Clock,
    state: Arc<Mutex<Inside>>,
}

/// What a client hears, for a transport without sockets.
#[derive(Clone, Debug, PartialEq, Eq)]
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
    /// The connection breaks.
    Reset,
    /// Nothing, as long as one waits.
    Silence,
}

struct Inside {
    world: World,
    faults: Faults,
    limits: Limits,
    hooks: Vec<Hook>,
    log: Vec<Entry>,
}

/// What somebody else does when a call comes.
struct Hook {
    operation: String,
    nth: usize,
    moment: Moment,
    act: Box<dyn FnOnce(&mut World) + Send>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Moment {
    Before,
    After,
}

impl Cloud {
    /// A cloud that listens on loopback.
    ///
    /// # Errors
    /// When no port can be bound.
    pub fn open(clock: Clock) -> io::Result<Self> {
        let mut cloud = Self::unheard(clock);
        let (clock, state) = (cloud.clock.clone(), Arc::clone(&cloud.state));
        cloud.server = Some(Server::start_with(move |request| {
            answer(&clock, &state, request)
        })?);
        Ok(cloud)
    }

    /// A cloud without an address, for [`Cloud::answer`] and [`Cloud::hear`].
    #[must_use]
    pub fn unheard(clock: Clock) -> Self {
        let inside = Inside {
            world: World::new(),
            faults: Faults::default(),
            limits: Limits::default(),
            hooks: Vec::new(),
            log: Vec::new(),
        };
        Self {
            server: None,
            clock,
            state: Arc::new(Mutex::new(inside)),
        }
    }

    /// Its address; empty for one that has none.
    #[must_use]
    pub fn url(&self) -> String {
        self.server
            .as_ref()
            .map(|server| server.url(""))
            .unwrap_or_default()
    }

    /// What a client needs to know: address, region, keys.
    #[must_use]
    pub fn environment(&self) -> Vec<(&'static str, String)> {
        let region = self.world(|world| world.home.region.clone());
        vec![
            ("AWS_ENDPOINT_URL", self.url()),
            ("AWS_REGION", region.clone()),
            ("AWS_DEFAULT_REGION", region),
            ("AWS_ACCESS_KEY_ID", KEY_ID.to_owned()),
            ("AWS_SECRET_ACCESS_KEY", SECRET.to_owned()),
            ("AWS_EC2_METADATA_DISABLED", "true".to_owned()),
        ]
    }

    /// Answers a request as its address would.
    #[must_use]
    pub fn answer(&self, request: &Request) -> Reply {
        answer(&self.clock, &self.state, request)
    }

    /// The same as what a client hears.
    #[must_use]
    pub fn hear(&self, request: &Request) -> Heard {
        Heard::of(self.answer(request))
    }

    /// The world as it is now, to look at and to change. It must not be asked for again inside.
    pub fn world<T>(&self, look: impl FnOnce(&mut World) -> T) -> T {
        let mut inside = lock(&self.state);
        inside.world.advance(self.clock.now());
        look(&mut inside.world)
    }

    /// One call past the wire, by hands that are neither logged nor hindered.
    ///
    /// # Errors
    /// As the service refuses.
    pub fn act(&self, service: &'static str, operation: &str, input: serde_json::Value) -> Answer {
        self.world(|world| world.act(service, operation, input))
    }

    /// Lets time pass.
    pub fn skip(&self, time: Duration) {
        self.clock.skip(time);
        self.world(|_| ());
    }

    /// Lets time pass second by second until the world is so, at most so long; whether it is.
    pub fn until(&self, limit: Duration, so: impl Fn(&World) -> bool) -> bool {
        for _ in 0..=limit.as_secs() {
            if self.world(|world| so(world)) {
                return true;
            }
            self.skip(Duration::from_secs(1));
        }
        false
    }

    /// Asks for a fault of calls of an operation: `UpdateService`, `ecs:UpdateService`, `ecs:*` or `*`.
    pub fn fault(&self, operation: &str, turn: Turn, fault: Fault) {
        lock(&self.state).faults.add(operation, turn, fault);
    }

    /// Takes all faults away.
    pub fn heal(&self) {
        lock(&self.state).faults.clear();
    }

    /// Somebody else acts right before the nth call (from 1) of an operation is done.
    pub fn before(&self, operation: &str, nth: usize, act: impl FnOnce(&mut World) + Send + 'static) {
        self.hook(operation, nth, Moment::Before, Box::new(act));
    }

    /// Somebody else acts right after the nth call (from 1) of an operation, before its caller hears of it.
    pub fn after(&self, operation: &str, nth: usize, act: impl FnOnce(&mut World) + Send + 'static) {
        self.hook(operation, nth, Moment::After, Box::new(act));
    }

    /// The calls so far.
    #[must_use]
    pub fn log(&self) -> Vec<Entry> {
        lock(&self.state).log.clone()
    }

    /// The calls of one operation so far.
    #[must_use]
    pub fn calls(&self, operation: &str) -> Vec<Entry> {
        let all = self.log().into_iter();
        all.filter(|entry| entry.operation == operation).collect()
    }

    /// Which images get which share of a set-up's requests now; one that gets none is not named.
    #[must_use]
    pub fn shares(&self, shop: &Shop) -> Vec<(String, f64)> {
        self.world(|world| world.shares(&shop.cluster, &shop.services()))
    }

    /// Which images get requests now.
    #[must_use]
    pub fn serving(&self, shop: &Shop) -> Vec<String> {
        self.shares(shop).into_iter().map(|(image, _)| image).collect()
    }

    fn hook(&self, operation: &str, nth: usize, moment: Moment, act: Box<dyn FnOnce(&mut World) + Send>) {
        let operation = operation.to_owned();
        lock(&self.state).hooks.push(Hook {
            operation,
            nth,
            moment,
            act,
        });
    }
}

impl Inside {
    /// Does a call that was understood, or lets it fail.
    fn take(&mut self, asked: Asked, request: &Request) -> Reply {
        let now = self.world.now();
        let identity = self.world.sts.keys.check(request, &asked, now);
        let Asked {
            service,
            operation,
            input,
            wire,
        } = asked;
        let call = Call {
            service,
            operation,
            input,
            now,
        };
        let nth = self.faults.count(&call);
        let fault = self.faults.strike(&call, nth);
        let (answer, end) = self.attempt(&call, nth, fault.as_ref(), &identity);
        let by = identity.ok().flatten().map(|identity| identity.arn);
        let Call {
            service,
            operation,
            input,
            ..
        } = call;
        let reply = match (&end, fault) {
            (End::Lost | End::Reset, _) => Reply::reset(),
            (End::Hung, _) => Reply::hang(),
            (_, Some(Fault::Slow(delay))) => wire.encode(&operation, answer).delay(delay),
            (_, Some(Fault::Cut(bytes))) => wire.encode(&operation, answer).cut_after(bytes),
            _ => wire.encode(&operation, answer),
        };
        self.log.push(Entry {
            at: now,
            service,
            operation,
            input,
            by,
            end,
        });
        reply
    }

    fn attempt(
        &mut self,
        call: &Call,
        nth: usize,
        fault: Option<&Fault>,
        identity: &Result<Option<Identity>, Refusal>,
    ) -> (Answer, End) {
        self.others(call, nth, Moment::Before);
        let refusal = match (fault, identity) {
            (Some(Fault::Reset), _) => return (Ok(serde_json::Value::Null), End::Reset),
            (Some(Fault::Hang), _) => return (Ok(serde_json::Value::Null), End::Hung),
            (_, Err(refusal)) => Some(refusal.clone()),
            (fault, _) => fault.and_then(|fault| fault.refusal(call)),
        };
        let throttled = || Refusal::new("ThrottlingException", "Rate exceeded");
        let refusal = refusal.or_else(|| (!self.limits.draw(call)).then(throttled));
        let answer = match refusal {
            Some(refusal) => Err(refusal),
            None => self
                .world
                .answer(call, identity.as_ref().ok().and_then(Option::as_ref)),
        };
        self.others(call, nth, Moment::After);
        let end = match (&answer, fault) {
            (_, Some(Fault::Lost)) => End::Lost,
            (Err(refusal), _) => End::Refused(refusal.code.clone()),
            (Ok(_), _) => End::Done,
        };
        (answer, end)
    }

    /// Lets those act whose moment it is.
    fn others(&mut self, call: &Call, nth: usize, moment: Moment) {
        let due =
            |hook: &mut Hook| hook.nth == nth && hook.moment == moment && faults::fits(&hook.operation, call);
        let hooks: Vec<Hook> = self.hooks.extract_if(.., due).collect();
        for hook in hooks {
            (hook.act)(&mut self.world);
        }
    }
}

impl fmt::Debug for Inside {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("Inside")
            .field("calls", &self.log.len())
            .finish_non_exhaustive()
    }
}

fn answer(clock: &Clock, state: &Mutex<Inside>, request: &Request) -> Reply {
    let mut inside = lock(state);
    inside.world.advance(clock.now());
    match protocol::decode(request) {
        Ok(asked) => inside.take(asked, request),
        Err(reply) => reply,
    }
}

fn lock(state: &Mutex<Inside>) -> MutexGuard<'_, Inside> {
    state.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Heard {
    fn of(reply: Reply) -> Self {
        use crate::http::reply::{Delivery, Kind};

        let delay = reply.delay;
        match reply.kind {
            // What breaks off is a broken connection to who reads it whole.
            Kind::Response(response) if !matches!(response.delivery, Delivery::Whole) => Self::Reset,
            Kind::Response(response) => Self::Answer {
                status: response.status,
                headers: response.headers,
                body: response.body,
                delay,
            },
            Kind::Hang => Self::Silence,
            Kind::Raw(_) | Kind::Reset | Kind::Close => Self::Reset,
        }
    }
}
