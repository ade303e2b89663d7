//! One object that divides the traffic, and the one way in which it is changed: it is read, the change is made of what was read and
//! sent with that as its condition, and one whose answer was lost is looked for before it is sent again.

use std::time::Duration;

use gha::steps::Weight;
use gha::text;
use serde_json::Value;
use tokio::time::{Instant, sleep};

use crate::api::{Kind, Refused, Still, Which};
use crate::blue_green::stopped::Stopped;
use crate::error::Error;
use crate::object::{self, Labels};
use crate::place::Place;
use crate::route::{Change, Header, Provider, Read, Route, RouteError, Seen, Sides, Taken, subsets};

/// From one try, or one look, to the next.
const PAUSE: Duration = Duration::from_millis(500);

/// How long what routes may take to answer.
const ANSWERS: Duration = Duration::from_secs(60);

/// How long it may refuse what it has not seen all of yet.
const REFUSES: Duration = Duration::from_secs(20);

/// An object that divides the traffic of a Service.
#[derive(Clone, Debug)]
pub struct Division {
    /// The object.
    pub route: Route,
    sides: Sides,
    kind: Kind,
}

/// A route as it was read, with what it is read with.
struct Found {
    object: Value,
    ingresses: Vec<Value>,
}

impl Division {
    /// The object that a route names, in the version that the server has.
    ///
    /// # Errors
    /// When it can't be read.
    pub async fn of(route: Route, sides: Sides, place: &Place<'_>) -> Result<Self, Error> {
        let kind = served(route.kind(), place).await;
        let kind = kind.map_err(Error::refused(format!("look for `{route}`")))?;
        Ok(Self { route, sides, kind })
    }

    /// What it does with the two versions.
    ///
    /// # Errors
    /// When it is not there, can't be read, or can't be divided.
    pub async fn read(&self, place: &Place<'_>) -> Result<Read, Error> {
        let found = self.found(place).await.map_err(self.refused("read"))?;
        let found = found.ok_or_else(|| self.missing(place))?;
        let read = self.route.read(found.seen(), &self.sides);
        read.map_err(|error| Error::unfit(error.to_string()))
    }

    /// What it calls the two versions, where it is of a mesh.
    #[must_use]
    pub fn of_mesh(&self) -> Option<&Sides> {
        (self.route.provider == Provider::VirtualService).then_some(&self.sides)
    }

    /// The subsets of the Service to which it leads; none where it is not of a mesh.
    ///
    /// # Errors
    /// When it is not there, or can't be read.
    pub async fn subsets(&self, place: &Place<'_>) -> Result<Vec<String>, Error> {
        if self.of_mesh().is_none() {
            return Ok(Vec::new());
        }
        let found = self.found(place).await.map_err(self.refused("read"))?;
        let found = found.ok_or_else(|| self.missing(place))?;
        Ok(subsets::named(found.seen(), &self.sides))
    }

    /// Leads to the canary with the weight 0.
    ///
    /// # Errors
    /// When it can't be divided, or not be written.
    pub async fn enter(
        &self,
        header: Option<&Header>,
        marks: &Labels,
        patience: Duration,
        place: &Place<'_>,
    ) -> Result<(), Error> {
        let done = self.until(patience, place, |found| {
            match self.route.read(found.seen(), &self.sides) {
                Ok(read) if read.entered && read.is_at(Weight::NONE) => Ok(None),
                _ => self
                    .route
                    .enter(found.seen(), &self.sides, header, marks)
                    .map(Some),
            }
        });
        match done.await? {
            Some(Ok(())) => Ok(()),
            Some(Err(error)) => Err(Error::unfit(error.to_string())),
            None => Err(self.missing(place)),
        }
    }

    /// The change that would lead to the canary with the weight 0, which the server is asked about; nothing is stored.
    ///
    /// # Errors
    /// When it can't be divided, or the server would not take it.
    pub async fn would_enter(
        &self,
        header: Option<&Header>,
        marks: &Labels,
        place: &Place<'_>,
    ) -> Result<Value, Error> {
        let found = self.found(place).await.map_err(self.refused("read"))?;
        let found = found.ok_or_else(|| self.missing(place))?;
        let change = self
            .route
            .enter(found.seen(), &self.sides, header, marks)
            .map_err(|error| Error::unfit(error.to_string()))?;
        let (api, namespace) = (&place.api, &place.namespace);
        let (asked, sent) = match change {
            Change::Patch { name, operations, .. } => {
                let asked = api.patch(&self.kind, namespace, &name, &operations, true).await;
                (asked.map(drop), operations)
            }
            Change::Create { kind, object } => (
                api.would_create(&kind, namespace, &object).await.map(drop),
                object,
            ),
            Change::Delete { .. } => (Ok(()), Value::Null),
        };
        asked.map_err(self.refused("change"))?;
        Ok(sent)
    }

    /// Raises the canary's weight, if it still has the one that it was given before.
    ///
    /// # Errors
    /// When somebody else changed it, or it can't be written.
    pub async fn raise(
        &self,
        from: Weight,
        to: Weight,
        patience: Duration,
        place: &Place<'_>,
    ) -> Result<(), Error> {
        let done = self.until(patience, place, |found| {
            let read = self.route.read(found.seen(), &self.sides)?;
            if !read.is_at(from) && !read.is_at(to) {
                return Err(RouteError::Changed {
                    route: self.route.to_string(),
                    what: format!(
                        "the canary has {:.1} % and was given {:.1} %",
                        read.percent(),
                        from.percent()
                    ),
                });
            }
            self.route.shift(found.seen(), &self.sides, to)
        });
        match done.await? {
            Some(Ok(())) => Ok(()),
            Some(Err(error @ RouteError::TooCoarse { .. })) => Err(Error::unfit(error.to_string())),
            Some(Err(error)) => Err(self.foreign(&error, place)),
            None => Err(Error::Foreign {
                what: format!("`{}` is gone: it", self.route),
            }),
        }
    }

    /// Takes all traffic from the canary. One that is gone has none.
    ///
    /// # Errors
    /// When it can't be written.
    pub async fn withdraw(&self, patience: Duration, place: &Place<'_>) -> Result<(), Error> {
        let done = self.until(patience, place, |found| {
            self.route.shift(found.seen(), &self.sides, Weight::NONE)
        });
        match done.await? {
            None | Some(Ok(()) | Err(RouteError::NoReference { .. } | RouteError::NotEntered { .. })) => {
                Ok(())
            }
            Some(Err(error)) => Err(Error::unfit(format!(
                "the canary's weight can't be taken back: {error}"
            ))),
        }
    }

    /// Leaves the object as it was before the canary. What somebody else did to it meanwhile is told instead.
    ///
    /// # Errors
    /// When it can't be written.
    pub async fn leave(
        &self,
        patience: Duration,
        place: &Place<'_>,
    ) -> Result<Result<(), RouteError>, Error> {
        let done = self.until(patience, place, |found| {
            self.route.leave(found.seen(), &self.sides)
        });
        Ok(match done.await? {
            None | Some(Err(RouteError::NoReference { .. })) => Ok(()),
            Some(done) => done,
        })
    }

    /// Waits until what routes has taken it as it is now.
    ///
    /// # Errors
    /// When it does not.
    pub async fn taken(&self, place: &Place<'_>) -> Result<(), Stopped> {
        let began = Instant::now();
        let mut refused: Option<Instant> = None;
        loop {
            let (why, limit) = match self.found(place).await {
                Ok(None) => return Err(self.missing(place).into()),
                Ok(Some(found)) => match self.route.taken(&found.object) {
                    Taken::Accepted => return Ok(()),
                    Taken::Settle(time) => {
                        sleep(time).await;
                        return Ok(());
                    }
                    Taken::Waiting(why) => {
                        refused = None;
                        (why, began + ANSWERS)
                    }
                    Taken::Refused(why) => (why, *refused.get_or_insert_with(Instant::now) + REFUSES),
                },
                Err(error) if error.may_pass() => (error.to_string(), began + ANSWERS),
                Err(error) => return Err(self.refused("read")(error).into()),
            };
            if Instant::now() >= limit {
                return Err(Stopped::failed(format!(
                    "`{}` is not in effect as it is now: {why}",
                    self.route
                )));
            }
            sleep(PAUSE).await;
        }
    }

    /// Writes what a function of what was read asks for, until it asks for nothing more. Nothing where there is no such object.
    async fn until(
        &self,
        patience: Duration,
        place: &Place<'_>,
        change: impl Fn(&Found) -> Result<Option<Change>, RouteError>,
    ) -> Result<Option<Result<(), RouteError>>, Error> {
        let began = Instant::now();
        loop {
            let refused = match self.found(place).await {
                Ok(None) => return Ok(None),
                Ok(Some(found)) => match change(&found) {
                    Err(error) => return Ok(Some(Err(error))),
                    Ok(None) => return Ok(Some(Ok(()))),
                    Ok(Some(change)) => match self.send(&change, place).await {
                        Ok(()) => return Ok(Some(Ok(()))),
                        Err(refused) => refused,
                    },
                },
                Err(refused) => refused,
            };
            let may_come = refused.unknown
                || refused.is_condition()
                || refused.is_there_already()
                || refused.is_missing()
                || refused.may_pass();
            if !may_come || began.elapsed() >= patience {
                return Err(self.refused("change")(refused));
            }
            sleep(PAUSE).await;
        }
    }

    async fn found(&self, place: &Place<'_>) -> Result<Option<Found>, Refused> {
        let (api, namespace) = (&place.api, &place.namespace);
        let ingresses = match self.route.provider {
            Provider::Ingress => api.list(&self.kind, namespace, &Which::default()).await?,
            _ => Vec::new(),
        };
        let found = api.get(&self.kind, namespace, &self.route.name).await?;
        Ok(found.map(|object| Found { object, ingresses }))
    }

    async fn send(&self, change: &Change, place: &Place<'_>) -> Result<(), Refused> {
        let (api, namespace) = (&place.api, &place.namespace);
        match change {
            Change::Patch { name, operations, .. } => {
                api.patch(&self.kind, namespace, name, operations, false).await?;
            }
            Change::Create { kind, object } => {
                api.create(kind, namespace, object).await?;
            }
            Change::Delete { kind, name, uid } => {
                let still = Still {
                    uid: Some(uid),
                    version: None,
                };
                api.delete(kind, namespace, name, &still).await?;
            }
        }
        Ok(())
    }

    fn refused(&self, what: &str) -> impl FnOnce(Refused) -> Error + use<> {
        Error::refused(format!("{what} `{}`", self.route))
    }

    fn missing(&self, place: &Place<'_>) -> Error {
        Error::Unfit {
            reason: format!(
                "there is no {} `{}` in namespace `{}`",
                self.kind.kind,
                text::line(&self.route.name),
                text::line(&place.namespace)
            ),
            help: Some("check `--route`".to_owned()),
        }
    }

    fn foreign(&self, error: &RouteError, place: &Place<'_>) -> Error {
        place.runner.warn(&error.to_string());
        Error::Foreign {
            what: format!("`{}`", self.route),
        }
    }
}

impl Found {
    fn seen(&self) -> Seen<'_> {
        Seen {
            object: &self.object,
            ingresses: &self.ingresses,
        }
    }
}

/// The kind in a version that the server has: older servers of a route's kind know only one before the first
/// (<https://kubernetes.io/docs/reference/using-api/#api-groups>). One that it does not have at all stays as it is.
pub(super) async fn served(kind: Kind, place: &Place<'_>) -> Result<Kind, Refused> {
    let path = format!("/apis/{}", kind.group);
    let group = match place.api.read(&format!("look for {}", kind.plural), &path).await {
        Ok(group) => group,
        Err(refused) if refused.is_missing() || refused.is_access() => return Ok(kind),
        Err(refused) => return Err(refused),
    };
    let known: Vec<&str> = object::entries(&group, "/versions")
        .iter()
        .map(|version| object::text(version, "/version"))
        .collect();
    if known.is_empty() || known.contains(&kind.version.as_str()) {
        return Ok(kind);
    }
    let preferred = object::text(&group, "/preferredVersion/version").to_owned();
    Ok(if preferred.is_empty() {
        kind
    } else {
        kind.in_version(&preferred)
    })
}
