//! The handle of it all that a test holds.

use std::fmt;
use std::io;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use super::faults::{self, Hook, Moment, Rule, Seen};
use super::inside::{Around, Inside, Outcome};
use super::log::HostingEntry;
use super::route::Route;
use super::settings::Settings;
use super::stock::Stock;
use super::wire;
use crate::http::{Listening, Request};
use crate::stand_ins::aws::clock::Clock;
use crate::stand_ins::aws::cloud::{Cloud, Heard};
use crate::stand_ins::aws::cloudfront::Visit;
use crate::stand_ins::aws::faults::{Fault, Turn};
use crate::stand_ins::aws::home::Home;
use crate::stand_ins::aws::protocol::{Identity, Keys};
use crate::stand_ins::aws::s3::{Intake, Taken};
use crate::stand_ins::aws::world::{KEY_ID, SECRET};

/// S3, CloudFront and what else a publisher asks; stops when dropped.
#[derive(Debug)]
pub struct Hosting {
    listening: Option<Listening>,
    shared: Shared,
}

/// What its handle and its connections share.
#[derive(Clone)]
pub(super) struct Shared {
    pub(super) clock: Clock,
    pub(super) cloud: Arc<Cloud>,
    inside: Arc<Mutex<Inside>>,
}

impl Hosting {
    /// One that listens on loopback.
    ///
    /// # Errors
    /// When no port can be bound.
    pub fn open(clock: Clock) -> io::Result<Self> {
        Self::open_at(clock, 0)
    }

    /// One that listens on this port of loopback.
    ///
    /// # Errors
    /// When it can't be bound.
    pub fn open_at(clock: Clock, port: u16) -> io::Result<Self> {
        let mut hosting = Self::unheard(clock);
        let shared = hosting.shared.clone();
        let serve = move |stream| wire::serve(stream, shared.clone());
        hosting.listening = Some(Listening::start_at("sandbox-hosting", port, serve)?);
        Ok(hosting)
    }

    /// One without an address, for [`Hosting::hear`].
    #[must_use]
    pub fn unheard(clock: Clock) -> Self {
        let cloud = Arc::new(Cloud::unheard(clock.clone()));
        let inside = Arc::new(Mutex::new(Inside::new(Settings::default())));
        Self {
            listening: None,
            shared: Shared { clock, cloud, inside },
        }
    }

    /// Its address; empty for one that has none.
    #[must_use]
    pub fn url(&self) -> String {
        self.listening
            .as_ref()
            .map(|listening| format!("http://{}", listening.address))
            .unwrap_or_default()
    }

    /// What a client needs to know: address, region, keys.
    #[must_use]
    pub fn environment(&self) -> Vec<(&'static str, String)> {
        let region = self.settings(|settings| settings.region.clone());
        vec![
            ("AWS_ENDPOINT_URL", self.url()),
            ("AWS_REGION", region.clone()),
            ("AWS_DEFAULT_REGION", region),
            ("AWS_ACCESS_KEY_ID", KEY_ID.to_owned()),
            ("AWS_SECRET_ACCESS_KEY", SECRET.to_owned()),
            ("AWS_EC2_METADATA_DISABLED", "true".to_owned()),
        ]
    }

    /// The other services: roles, keys, and faults of calls to them.
    #[must_use]
    pub fn cloud(&self) -> &Cloud {
        &self.shared.cloud
    }

    /// Takes another pair of keys as well.
    pub fn allow(&self, id: &str, secret: &str) {
        self.shared.cloud.world(|world| {
            let identity = Identity {
                account: world.home.account.clone(),
                arn: format!("arn:aws:iam::{}:user/{id}", world.home.account),
                user_id: id.to_owned(),
            };
            world.sts.keys = world.sts.keys.clone().with(id, secret, identity);
        });
    }

    /// What a client hears, without a socket.
    #[must_use]
    pub fn hear(&self, request: &Request) -> Heard {
        let (route, mut intake, begun) = self.shared.begin(request);
        if route == Route::Cloud {
            return self.shared.cloud.hear(request);
        }
        intake.add(&request.body);
        match self.shared.end(route, request, &intake.end(), begun) {
            Outcome::Answer {
                answered,
                delay,
                cut: None,
            } => Heard::Answer {
                status: answered.status,
                headers: answered.headers,
                body: answered.body.to_vec(),
                delay,
            },
            // A body that breaks off is a broken connection to who reads it whole.
            Outcome::Answer { .. } | Outcome::Reset => Heard::Reset,
            Outcome::Hang => Heard::Silence,
        }
    }

    /// Buckets and distributions as they are now, to look at and to change. They must not be asked for again inside.
    pub fn stock<T>(&self, look: impl FnOnce(&mut Stock) -> T) -> T {
        let now = self.shared.clock.now();
        let mut inside = self.shared.lock();
        let Inside { stock, settings, .. } = &mut *inside;
        stock.advance(now, settings);
        look(stock)
    }

    /// The settings, to look at and to change.
    pub fn settings<T>(&self, look: impl FnOnce(&mut Settings) -> T) -> T {
        look(&mut self.shared.lock().settings)
    }

    /// What a visitor gets from the edge of a distribution: the path as a browser sends it.
    #[must_use]
    pub fn visit(&self, distribution: &str, path: &str) -> Visit {
        let now = self.shared.clock.now();
        let mut inside = self.shared.lock();
        let Inside { stock, settings, .. } = &mut *inside;
        stock.advance(now, settings);
        stock.cloudfront.visit(distribution, path, &stock.s3, settings)
    }

    /// Lets time pass.
    pub fn skip(&self, time: Duration) {
        self.shared.clock.skip(time);
    }

    /// Asks for a fault of the calls that a selector means; where several fit, the one that was asked for last strikes.
    pub fn fault(&self, selector: &str, turn: Turn, fault: Fault) {
        let rule = Rule {
            selector: selector.to_owned(),
            turn,
            fault,
        };
        self.shared.lock().faults.insert(0, rule);
    }

    /// Takes all faults away.
    pub fn heal(&self) {
        self.shared.lock().faults.clear();
    }

    /// Somebody else acts right before the nth call (from 1) that a selector means is done.
    pub fn before(&self, selector: &str, nth: usize, act: impl FnOnce(&mut Stock) + Send + 'static) {
        self.hook(selector, nth, Moment::Before, Box::new(act));
    }

    /// Somebody else acts right after the nth call (from 1) that a selector means, before its caller hears of it.
    pub fn after(&self, selector: &str, nth: usize, act: impl FnOnce(&mut Stock) + Send + 'static) {
        self.hook(selector, nth, Moment::After, Box::new(act));
    }

    /// The calls to S3 and CloudFront so far, in the order in which they were done. Visitors are not among them.
    #[must_use]
    pub fn log(&self) -> Vec<HostingEntry> {
        self.shared.lock().log.clone()
    }

    /// Those that a selector means.
    #[must_use]
    pub fn calls(&self, selector: &str) -> Vec<HostingEntry> {
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

    fn hook(&self, selector: &str, nth: usize, moment: Moment, act: Box<dyn FnOnce(&mut Stock) + Send>) {
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
    pub(super) fn lock(&self) -> MutexGuard<'_, Inside> {
        self.inside.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A request begins: who answers, what takes its body, and how many calls have been done.
    pub(super) fn begin(&self, head: &Request) -> (Route, Intake, usize) {
        let inside = self.lock();
        let route = Route::of(head, |host| inside.stock.cloudfront.serves(host));
        (route, inside.intake(head), inside.log.len())
    }

    /// It has come whole.
    pub(super) fn end(&self, route: Route, head: &Request, taken: &Taken, begun: usize) -> Outcome {
        let now = self.clock.now();
        if route == Route::Edge {
            return self.visited(head, now);
        }
        let (keys, home) = self.account();
        let around = Around {
            keys: &keys,
            home: &home,
            now,
            begun,
        };
        self.lock().take(route, head, taken, &around)
    }

    fn account(&self) -> (Keys, Home) {
        let (keys, mut home) = self
            .cloud
            .world(|world| (world.sts.keys.clone(), world.home.clone()));
        self.lock().settings.region.clone_into(&mut home.region);
        (keys, home)
    }

    fn visited(&self, head: &Request, now: Duration) -> Outcome {
        let mut inside = self.lock();
        let Inside { stock, settings, .. } = &mut *inside;
        stock.advance(now, settings);
        let host = head.header("host").unwrap_or_default();
        let host = host.split(':').next().unwrap_or_default().to_owned();
        let answered = stock.cloudfront.visited(&host, head, &stock.s3, settings);
        Outcome::Answer {
            answered,
            delay: settings.latency,
            cut: None,
        }
    }
}

impl fmt::Debug for Shared {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Shared").finish_non_exhaustive()
    }
}
