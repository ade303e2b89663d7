//! The DestinationRules of Istio beside a VirtualService that divides: the subsets to which it leads are opened for the new version
//! before there is traffic to divide, and the canary's Service has the Service's policies while the canary lasts.

use std::time::Duration;

use gha::text;
use serde_json::Value;
use tokio::time::{Instant, sleep};

use super::division::{Division, served};
use crate::api::{Kind, Refused, Still, Which};
use crate::error::Error;
use crate::marks;
use crate::object::{self, Labels};
use crate::place::Place;
use crate::put;
use crate::route::istio::SETTLE;
use crate::route::{RouteError, Sides, subsets};

/// From one try to the next.
const PAUSE: Duration = Duration::from_millis(500);

/// The DestinationRules of a Service and of its canary, as they were read.
#[derive(Debug)]
pub struct Mesh {
    kind: Kind,
    sides: Sides,
    names: Vec<String>,
    all: Vec<Value>,
}

/// What is to be written for a canary.
#[derive(Debug)]
pub enum Write {
    /// A JSON patch of a DestinationRule of the Service.
    Open {
        /// Its name.
        rule: String,
        /// The operations.
        operations: Value,
    },
    /// The canary's own DestinationRule.
    Put(Value),
}

impl Mesh {
    /// What there is of the mesh that these divide; nothing where none of them is a VirtualService.
    ///
    /// # Errors
    /// When it can't be read.
    pub async fn of(divisions: &[Division], place: &Place<'_>) -> Result<Option<Self>, Error> {
        let Some(sides) = divisions.iter().find_map(Division::of_mesh) else {
            return Ok(None);
        };
        let mut names = Vec::new();
        for division in divisions {
            names.extend(division.subsets(place).await?);
        }
        let (kind, all) = rules(place).await.map_err(list())?;
        Ok(Some(Self {
            kind,
            sides: sides.clone(),
            names,
            all,
        }))
    }

    /// The kind of what is written, in a version that the server has.
    #[must_use]
    pub fn kind(&self) -> &Kind {
        &self.kind
    }

    /// What a canary whose pods have these labels needs, in order; nothing that is there already.
    ///
    /// # Errors
    /// When a subset is missing, or what others made stands in its way.
    pub fn writes(&self, labels: &Labels, marks: &Labels) -> Result<Vec<Write>, RouteError> {
        let (namespace, service) = (&self.sides.namespace, &self.sides.stable);
        let own: Vec<&Value> = self
            .all
            .iter()
            .filter(|rule| subsets::is_of(rule, service, namespace))
            .collect();
        subsets::are_there(&self.names, own.iter().copied(), &self.sides)?;
        let mut writes = Vec::new();
        for rule in own {
            if let Some(operations) = subsets::open(rule, &self.names, labels)? {
                writes.push(Write::Open {
                    rule: object::name(rule).to_owned(),
                    operations,
                });
            }
            let canary = subsets::of_canary(rule, &self.names, &self.sides, marks);
            let mut all = self.all.iter();
            match all.find(|there| object::name(there) == object::name(&canary)) {
                Some(there) if !marks::is_ours(there) => {
                    return Err(RouteError::OtherRule(object::shown(object::name(there))));
                }
                Some(there) if there["spec"] == canary["spec"] => {}
                _ => writes.push(Write::Put(canary)),
            }
        }
        Ok(writes)
    }
}

/// Opens the subsets for pods with these labels, gives the canary's Service the Service's policies, and waits until proxies have both.
///
/// # Errors
/// When something is missing or in the way, or can't be written.
pub async fn enter(
    divisions: &[Division],
    labels: &Labels,
    marks: &Labels,
    patience: Duration,
    place: &Place<'_>,
) -> Result<(), Error> {
    let began = Instant::now();
    let mut wrote = false;
    loop {
        let Some(mesh) = Mesh::of(divisions, place).await? else {
            return Ok(());
        };
        let writes = mesh.writes(labels, marks);
        let writes = writes.map_err(|error| Error::unfit(error.to_string()))?;
        if writes.is_empty() {
            if wrote {
                sleep(SETTLE).await;
            }
            return Ok(());
        }
        wrote = true;
        for write in &writes {
            let (name, refused) = match write {
                Write::Put(rule) => {
                    put::put(&mesh.kind, rule, place).await?;
                    continue;
                }
                Write::Open { rule, operations } => {
                    let (api, namespace) = (&place.api, &place.namespace);
                    match api.patch(&mesh.kind, namespace, rule, operations, false).await {
                        Ok(_) => continue,
                        Err(refused) => (rule, refused),
                    }
                }
            };
            if !may_come(&refused) || began.elapsed() >= patience {
                let name = text::line(name);
                return Err(Error::refused(format!("change DestinationRule `{name}`"))(
                    refused,
                ));
            }
            sleep(PAUSE).await;
            break;
        }
    }
}

/// Takes away what a canary needed of the mesh, when no route leads to it any more. The labels that were taken out of subsets are given
/// back unless the new version has the traffic.
///
/// # Errors
/// When it can't be read, or not be written.
pub async fn leave(
    divisions: &[Division],
    new_serves: bool,
    patience: Duration,
    place: &Place<'_>,
) -> Result<(), Error> {
    let Some(sides) = divisions.iter().find_map(Division::of_mesh) else {
        return Ok(());
    };
    let began = Instant::now();
    let mut waited = false;
    loop {
        let refused = match rules(place).await {
            Ok((_, all)) if !all.iter().any(|rule| is_touched(rule, sides)) => return Ok(()),
            Ok((kind, all)) => {
                if !waited {
                    // Proxies follow the route first.
                    sleep(SETTLE).await;
                    waited = true;
                }
                match left(&kind, &all, sides, new_serves, place).await {
                    Ok(()) => return Ok(()),
                    Err(refused) => refused,
                }
            }
            Err(refused) => refused,
        };
        if !may_come(&refused) || began.elapsed() >= patience + SETTLE {
            return Err(Error::refused("leave the DestinationRules as they were")(refused));
        }
        sleep(PAUSE).await;
    }
}

async fn left(
    kind: &Kind,
    all: &[Value],
    sides: &Sides,
    new_serves: bool,
    place: &Place<'_>,
) -> Result<(), Refused> {
    let (api, namespace) = (&place.api, &place.namespace);
    for rule in all.iter().filter(|rule| is_touched(rule, sides)) {
        let name = object::name(rule);
        if subsets::is_of(rule, &sides.canary, namespace) {
            let still = Still {
                uid: Some(object::uid(rule)),
                version: None,
            };
            match api.delete(kind, namespace, name, &still).await {
                Err(refused) if !refused.is_missing() => return Err(refused),
                _ => continue,
            }
        }
        let operations = match (new_serves, subsets::close(rule)) {
            (true, _) => subsets::forget(rule),
            (false, Ok(operations)) => operations,
            (false, Err(error)) => {
                place.runner.warn(&error.to_string());
                None
            }
        };
        if let Some(operations) = operations {
            api.patch(kind, namespace, name, &operations, false).await?;
        }
    }
    Ok(())
}

/// Whether a canary changed it, or made it.
fn is_touched(rule: &Value, sides: &Sides) -> bool {
    let namespace = &sides.namespace;
    let is_opened = subsets::is_of(rule, &sides.stable, namespace) && subsets::forget(rule).is_some();
    is_opened || (subsets::is_of(rule, &sides.canary, namespace) && marks::is_ours(rule))
}

/// The DestinationRules of the namespace, and their kind in a version that the server has.
///
/// # Errors
/// When they can't be read.
pub async fn rules(place: &Place<'_>) -> Result<(Kind, Vec<Value>), Refused> {
    all(Kind::destination_rule(), place).await
}

/// The VirtualServices of the namespace.
///
/// # Errors
/// When they can't be read.
pub async fn routes(place: &Place<'_>) -> Result<Vec<Value>, Refused> {
    Ok(all(Kind::virtual_service(), place).await?.1)
}

async fn all(kind: Kind, place: &Place<'_>) -> Result<(Kind, Vec<Value>), Refused> {
    let list = async |kind: &Kind| place.api.list(kind, &place.namespace, &Which::default()).await;
    match list(&kind).await {
        Ok(all) => return Ok((kind, all)),
        Err(refused) if !refused.is_missing() => return Err(refused),
        Err(_) => {}
    }
    // An older version of it, or none.
    let older = served(kind.clone(), place).await?;
    if older.version == kind.version {
        return Ok((kind, Vec::new()));
    }
    Ok((older.clone(), list(&older).await?))
}

fn list() -> impl FnOnce(Refused) -> Error {
    Error::refused("list the DestinationRules of the Service")
}

fn may_come(refused: &Refused) -> bool {
    refused.unknown || refused.is_condition() || refused.is_missing() || refused.may_pass()
}
