//! Holding the locks of Services: taking them, keeping them, and giving them back. The conditions of each write are what keeps two
//! runs apart; the locks spare the second one the work.

use std::cell::RefCell;
use std::time::Duration;

use gha::duration;
use serde_json::Value;
use tokio::time::{Instant, sleep, timeout};

use crate::api::{Kind, Refused};
use crate::error::Error;
use crate::lock::{self, LASTS, RENEWED, Shows};
use crate::place::Place;
use crate::run::Run;

/// From one look at another's lock to the next.
const LOOK: Duration = Duration::from_secs(2);

/// How long giving back may take.
const RELEASE: Duration = Duration::from_secs(2);

/// How often a lock is written whose answer is not known.
const TRIES: u32 = 4;

/// The locks, held.
pub struct Held<'a> {
    place: &'a Place<'a>,
    run: Run,
    leases: RefCell<Vec<Value>>,
}

/// Who holds the lock of a Service just now; nobody where it is this run, or where it may not be asked.
///
/// # Errors
/// When it can't be read.
pub async fn holder(service: &str, place: &Place<'_>) -> Result<Option<String>, Error> {
    let lease = place
        .api
        .get(&Kind::lease(), &place.namespace, &lock::name(service))
        .await;
    let lease = match lease {
        Err(refused) if refused.status == Some(403) => return Ok(None),
        other => other.map_err(Error::refused(format!("read the lock of Service `{service}`")))?,
    };
    let (run, now) = (Run::of(place.runner), place.runner.now());
    let shows = lease.map(|lease| lock::shows(&lease, &run, Duration::ZERO, now));
    Ok(match shows {
        // One that looks dead is waited for a minute, and then taken.
        Some(Shows::Held {
            by,
            seems_dead: false,
        }) => Some(by),
        _ => None,
    })
}

impl<'a> Held<'a> {
    /// Takes the locks of these Services, one after the other in the order of their names, and waits for each for as long as the
    /// flags allow. Where Leases may not be used, that is said, and the conditions of the writes are all there is.
    ///
    /// # Errors
    /// When another run holds one, or it can't be read.
    pub async fn take(place: &'a Place<'a>, services: &[String], wait: Duration) -> Result<Self, Error> {
        let held = Self {
            place,
            run: Run::of(place.runner),
            leases: RefCell::default(),
        };
        let mut names = services.to_vec();
        names.sort();
        names.dedup();
        for service in &names {
            match held.one(service, wait).await {
                Ok(lease) => held.leases.borrow_mut().push(lease),
                Err(Error::Refused { refused, .. }) if is_useless(&refused) => {
                    place.runner.warn(&format!(
                        "there is no lock against a second deploy: {refused}; each change is still made only to what was read"
                    ));
                    break;
                }
                Err(error) => {
                    held.give_back().await;
                    return Err(error);
                }
            }
        }
        Ok(held)
    }

    async fn one(&self, service: &str, wait: Duration) -> Result<Value, Error> {
        let (place, kind, name) = (self.place, Kind::lease(), lock::name(service));
        let began = Instant::now();
        let mut seen: Option<(String, Instant)> = None;
        let mut tries = 0;
        loop {
            let lease = place.api.get(&kind, &place.namespace, &name).await;
            let lease = lease.map_err(Error::refused(format!("read the lock of Service `{service}`")))?;
            let unchanged = unchanged(lease.as_ref(), &mut seen);
            let shows = lease.as_ref().map_or(Shows::Free, |lease| {
                lock::shows(lease, &self.run, unchanged, place.runner.now())
            });
            if let Shows::Held { by, seems_dead } = shows {
                // Its holder looks dead: to be sure is worth a minute.
                let limit = if seems_dead { wait.max(LASTS + LOOK) } else { wait };
                if began.elapsed() >= limit {
                    return Err(Error::Locked {
                        service: service.to_owned(),
                        by,
                    });
                }
                place.runner.heartbeat(format!(
                    "{by} holds the lock of Service `{service}`; waits for up to {}",
                    duration::display(limit.saturating_sub(began.elapsed()))
                ));
                sleep(LOOK).await;
                continue;
            }
            match self.write(service, lease.as_ref()).await {
                Ok(lease) => return Ok(lease),
                Err(refused) if tries < TRIES && (refused.unknown || refused.status == Some(409)) => {
                    // Another was quicker, or the answer was lost: what is there now says.
                    tries += 1;
                }
                Err(refused) => {
                    return Err(Error::Refused {
                        what: format!("take the lock of Service `{service}`"),
                        refused,
                    });
                }
            }
        }
    }

    async fn write(&self, service: &str, there: Option<&Value>) -> Result<Value, Refused> {
        let (place, kind) = (self.place, Kind::lease());
        let lease = lock::held(service, &place.namespace, &self.run, there, place.runner.now());
        if there.is_some() {
            place.api.replace(&kind, &place.namespace, &lease).await
        } else {
            place.api.create(&kind, &place.namespace, &lease).await
        }
    }

    /// Does something while the locks are kept; ends when one is lost.
    ///
    /// # Errors
    /// When a lock is another's now.
    pub async fn during<T>(&self, work: impl Future<Output = T>) -> Result<T, Error> {
        tokio::select! {
            biased;
            done = work => Ok(done),
            lost = self.keep() => Err(lost),
        }
    }

    /// Renews the locks again and again, until one is lost. One that can't be renewed because nothing answers is not lost.
    async fn keep(&self) -> Error {
        loop {
            sleep(RENEWED).await;
            let leases = self.leases.borrow().clone();
            for (nth, lease) in leases.iter().enumerate() {
                match self.renewed(lease).await {
                    Ok(Some(renewed)) => {
                        if let Some(kept) = self.leases.borrow_mut().get_mut(nth) {
                            *kept = renewed;
                        }
                    }
                    Ok(None) => {}
                    Err(lost) => return lost,
                }
            }
        }
    }

    async fn renewed(&self, lease: &Value) -> Result<Option<Value>, Error> {
        let (place, kind) = (self.place, Kind::lease());
        let name = crate::object::name(lease);
        let service = name.strip_prefix("k8s-blue-green-").unwrap_or(name);
        let refused = match self.write(service, Some(lease)).await {
            Ok(renewed) => return Ok(Some(renewed)),
            Err(refused) => refused,
        };
        let Ok(now) = place.api.get(&kind, &place.namespace, name).await else {
            place.runner.info(&format!(
                "the lock of Service `{service}` was not renewed: {refused}"
            ));
            return Ok(None);
        };
        match now {
            Some(now) => match lock::shows(&now, &self.run, Duration::ZERO, place.runner.now()) {
                Shows::Held { by, .. } => Err(Error::Lost {
                    service: service.to_owned(),
                    by,
                }),
                Shows::Mine | Shows::Free => Ok(Some(now)),
            },
            None => Ok(None),
        }
    }

    /// Gives the locks back, as far as that is possible in a moment; what is not given back ends by itself.
    pub async fn give_back(&self) {
        let leases = self.leases.take();
        let (place, kind) = (self.place, Kind::lease());
        let giving = async {
            for lease in leases {
                let name = crate::object::name(&lease).to_owned();
                let free = lock::released(lease);
                if place.api.replace(&kind, &place.namespace, &free).await.is_err()
                    && let Ok(Some(now)) = place.api.get(&kind, &place.namespace, &name).await
                    && lock::shows(&now, &self.run, Duration::ZERO, place.runner.now()) == Shows::Mine
                {
                    // Given back once more, over what is there now; if that fails too, it ends by itself.
                    let _ = place
                        .api
                        .replace(&kind, &place.namespace, &lock::released(now))
                        .await;
                }
            }
        };
        // A lock that is left ends by itself a minute later.
        let _ = timeout(RELEASE, giving).await;
    }
}

/// Whether a lock can't be had here at all: Leases may not be used, or the server does not have them.
fn is_useless(refused: &Refused) -> bool {
    (refused.is_access() && refused.status == Some(403)) || refused.is_missing()
}

/// For how long this run has seen another's lock as it is.
fn unchanged(lease: Option<&Value>, seen: &mut Option<(String, Instant)>) -> Duration {
    let version = lease.map(|lease| crate::object::text(lease, "/metadata/resourceVersion").to_owned());
    match (version, &*seen) {
        (Some(version), Some((known, since))) if version == *known => since.elapsed(),
        (Some(version), _) => {
            *seen = Some((version, Instant::now()));
            Duration::ZERO
        }
        (None, _) => {
            *seen = None;
            Duration::ZERO
        }
    }
}
