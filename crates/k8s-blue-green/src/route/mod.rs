//! What divides the traffic of a canary: objects that route requests, and how many go to the new version. Pure: each function takes
//! objects as they were read and gives the change to send.
//!
//! Nothing but weights that are ours is written. Each change is one JSON patch whose `test`s are the object's identity and what was
//! read where it writes; destinations of others keep their weights. The order is for the caller to keep: the canary's Service is
//! there and has ready endpoints, [`Route::enter`] leads to it with the weight 0, [`Route::shift`] raises that. On the way down
//! [`Route::shift`] to nothing comes first, then a wait, then [`Route::leave`], and only then the canary's pods go.
//!
//! Whether requests with a header always reach the canary, also while its weight is 0:
//! - HTTPRoute and GRPCRoute: yes, by a rule before each that is divided. Of rules with the same path the one with more headers
//!   wins (<https://gateway-api.sigs.k8s.io/reference/spec/#httprouterule>), so that the path is repeated in it.
//! - VirtualService: yes, by an http route before it; the first that matches is taken
//!   (<https://istio.io/latest/docs/reference/config/networking/virtual-service/#VirtualService-http>).
//! - ingress-nginx: yes; `canary-by-header` goes before the weight
//!   (<https://kubernetes.github.io/ingress-nginx/user-guide/nginx-configuration/annotations/#canary>).
//! - By the number of pods: no.
//!
//! Sessions are stronger than weights: with `sessionPersistence` in a rule a client stays with the version it had, whatever the
//! weights become (<https://gateway-api.sigs.k8s.io/geps/gep-1619/>), until the destination is taken away; [`Read::keeps`] says
//! so. ingress-nginx keeps clients of a canary as well where the main Ingress has an affinity, unless the canary says
//! `affinity-canary-behavior: legacy`, which ours does.

use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use gha::steps::Weight;
use serde_json::Value;

use crate::api::Kind;
use crate::object::{Labels, shown};

pub mod canary_service;
pub mod gateway;
pub mod istio;
pub mod nginx;
pub mod pods;
pub mod split;
pub mod subsets;

mod error;
mod operations;
mod original;
mod sides;
mod weighted;

pub use error::RouteError;
pub use original::ORIGINAL;
pub use sides::{Header, Sides};
pub use split::Weights;

/// What divides the traffic.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Divider {
    /// An object that routes requests.
    Route(Route),
    /// The number of pods behind one Service: an approximation.
    Pods,
}

/// An object that routes requests.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Route {
    /// What it is.
    pub provider: Provider,
    /// Its name.
    pub name: String,
    /// Which of its rules are divided.
    pub rules: Rules,
}

/// What a route is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Provider {
    /// An HTTPRoute of the Gateway API.
    HttpRoute,
    /// A GRPCRoute of the Gateway API.
    GrpcRoute,
    /// A VirtualService of Istio.
    VirtualService,
    /// An Ingress of ingress-nginx.
    Ingress,
}

/// Which rules of a route are divided.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Rules {
    /// Those that lead to the Service; of a VirtualService there may be only one.
    Obvious,
    /// All that lead to the Service.
    All,
    /// Those with these names.
    Named(Vec<String>),
}

/// A route as it was read.
#[derive(Clone, Copy, Debug)]
pub struct Seen<'a> {
    /// The route.
    pub object: &'a Value,
    /// For an Ingress, all Ingresses of its namespace; else nothing.
    pub ingresses: &'a [Value],
}

/// What a route does with the two versions.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Read {
    /// The rules that are divided, or can be.
    pub rules: Vec<Rule>,
    /// Whether this program has led it to the canary.
    pub entered: bool,
    /// Why clients may stay with a version whatever the weights are.
    pub keeps: Option<String>,
}

/// A rule that leads to the Service.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rule {
    /// Its place in the route.
    pub at: usize,
    /// Its name.
    pub name: Option<String>,
    /// What the two versions have.
    pub weights: Weights,
    /// What all other destinations have together.
    pub others: u64,
    /// Whether it leads to the canary, be it with the weight 0.
    pub has_canary: bool,
}

/// A change to send.
#[derive(Clone, Debug, PartialEq)]
pub enum Change {
    /// A JSON patch.
    Patch {
        /// Of what kind.
        kind: Kind,
        /// Of which object.
        name: String,
        /// The operations.
        operations: Value,
    },
    /// A new object.
    Create {
        /// Of what kind.
        kind: Kind,
        /// The object.
        object: Value,
    },
    /// The end of an object.
    Delete {
        /// Of what kind.
        kind: Kind,
        /// Its name.
        name: String,
        /// Its unique id, which is the condition.
        uid: String,
    },
}

/// Whether what routes has taken a route as it is now.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Taken {
    /// It has.
    Accepted,
    /// Nothing tells; after this time it should have.
    Settle(Duration),
    /// Not yet, and for what it is waited.
    Waiting(String),
    /// It does not, and why. Just after a change it may pass: a gateway that has not yet seen a new Service says so.
    Refused(String),
}

impl Read {
    /// Whether each rule gives the canary this share, as near as its weights can.
    #[must_use]
    pub fn is_at(&self, share: Weight) -> bool {
        self.rules
            .iter()
            .all(|rule| rule.weights.is(share) || Some(rule.weights) == rule.wanted(share))
    }

    /// The largest share that the canary has in a rule, in percent of what goes to the two versions.
    #[must_use]
    pub fn percent(&self) -> f64 {
        let shares = self.rules.iter().map(|rule| rule.weights.percent());
        shares.fold(0.0, f64::max)
    }
}

impl Rule {
    /// The weights for a share; none where they are too small to be divided so.
    #[must_use]
    pub fn wanted(&self, share: Weight) -> Option<Weights> {
        let pool = (self.others > 0).then(|| self.weights.both());
        split::split(pool, share)
    }
}

impl Route {
    /// Its kind.
    #[must_use]
    pub fn kind(&self) -> Kind {
        match self.provider {
            Provider::HttpRoute => Kind::http_route(),
            Provider::GrpcRoute => gateway::grpc_route(),
            Provider::VirtualService => Kind::virtual_service(),
            Provider::Ingress => Kind::ingress(),
        }
    }

    /// What it does with the two versions.
    ///
    /// # Errors
    /// When it is not one that can be divided.
    pub fn read(&self, seen: Seen<'_>, sides: &Sides) -> Result<Read, RouteError> {
        match self.provider {
            Provider::HttpRoute | Provider::GrpcRoute => {
                weighted::read(&self.gateway(), seen.object, sides, &self.rules)
            }
            Provider::VirtualService => weighted::read(&istio::Mesh, seen.object, sides, &self.rules),
            Provider::Ingress => nginx::read(seen, sides),
        }
    }

    /// Leads to the canary with the weight 0, and always for requests with a header. `marks` are the annotations of an object that
    /// is made for that.
    ///
    /// # Errors
    /// When it can't be divided, or something leads to the canary already.
    pub fn enter(
        &self,
        seen: Seen<'_>,
        sides: &Sides,
        header: Option<&Header>,
        marks: &Labels,
    ) -> Result<Change, RouteError> {
        let operations = match self.provider {
            Provider::HttpRoute | Provider::GrpcRoute => {
                weighted::enter(&self.gateway(), seen.object, sides, &self.rules, header)?
            }
            Provider::VirtualService => {
                weighted::enter(&istio::Mesh, seen.object, sides, &self.rules, header)?
            }
            Provider::Ingress => return nginx::enter(seen, sides, header, marks),
        };
        Ok(self.patch(operations))
    }

    /// Gives the canary a share; nothing where it has that already. The way down asks for no mark of ours: taking traffic away from
    /// the canary is never held up.
    ///
    /// # Errors
    /// When it can't be given, or is not ours to give.
    pub fn shift(&self, seen: Seen<'_>, sides: &Sides, to: Weight) -> Result<Option<Change>, RouteError> {
        let operations = match self.provider {
            Provider::HttpRoute | Provider::GrpcRoute => {
                weighted::shift(&self.gateway(), seen.object, sides, to)?
            }
            Provider::VirtualService => weighted::shift(&istio::Mesh, seen.object, sides, to)?,
            Provider::Ingress => return nginx::shift(seen, sides, to),
        };
        Ok(operations.map(|operations| self.patch(operations)))
    }

    /// Leaves the route as it was before the canary; nothing where it is so already. Changes of others since then stay.
    ///
    /// # Errors
    /// When the canary still has traffic, or what is there is not ours.
    pub fn leave(&self, seen: Seen<'_>, sides: &Sides) -> Result<Option<Change>, RouteError> {
        let operations = match self.provider {
            Provider::HttpRoute | Provider::GrpcRoute => {
                weighted::leave(&self.gateway(), seen.object, sides)?
            }
            Provider::VirtualService => weighted::leave(&istio::Mesh, seen.object, sides)?,
            Provider::Ingress => return nginx::leave(seen, sides),
        };
        Ok(operations.map(|operations| self.patch(operations)))
    }

    /// Whether what routes has taken it as it is now.
    #[must_use]
    pub fn taken(&self, object: &Value) -> Taken {
        match self.provider {
            Provider::HttpRoute | Provider::GrpcRoute => gateway::taken(object),
            Provider::VirtualService => istio::taken(object),
            Provider::Ingress => Taken::Settle(nginx::SETTLE),
        }
    }

    fn gateway(&self) -> gateway::Gateway {
        gateway::Gateway {
            has_paths: self.provider == Provider::HttpRoute,
        }
    }

    fn patch(&self, operations: Value) -> Change {
        Change::Patch {
            kind: self.kind(),
            name: self.name.clone(),
            operations,
        }
    }
}

impl Divider {
    /// The name of the VirtualService that it is; nothing where it is something else.
    #[must_use]
    pub fn of_mesh(&self) -> Option<&str> {
        match self {
            Self::Route(route) if route.provider == Provider::VirtualService => Some(&route.name),
            Self::Route(_) | Self::Pods => None,
        }
    }
}

impl FromStr for Divider {
    type Err = RouteError;

    /// `httproute/NAME`, `grpcroute/NAME`, `virtualservice/NAME`, `ingress/NAME` or `pods`. The first three may go on with `/` and
    /// the names of rules, divided by commas, or `*` for all that lead to the Service.
    fn from_str(text: &str) -> Result<Self, RouteError> {
        let unknown = || RouteError::Grammar(shown(text));
        if text == "pods" {
            return Ok(Self::Pods);
        }
        let mut parts = text.splitn(3, '/');
        let provider = match parts.next().unwrap_or_default().to_ascii_lowercase().as_str() {
            "httproute" => Provider::HttpRoute,
            "grpcroute" => Provider::GrpcRoute,
            "virtualservice" => Provider::VirtualService,
            "ingress" => Provider::Ingress,
            _ => return Err(unknown()),
        };
        let name = parts.next().filter(|name| !name.is_empty()).ok_or_else(unknown)?;
        let rules = match parts.next() {
            None => Rules::Obvious,
            Some(_) if provider == Provider::Ingress => return Err(unknown()),
            Some("*") => Rules::All,
            Some(names) => {
                let names: Vec<String> = names.split(',').map(|name| name.trim().to_owned()).collect();
                if names.iter().any(String::is_empty) {
                    return Err(unknown());
                }
                Rules::Named(names)
            }
        };
        Ok(Self::Route(Route {
            provider,
            name: name.to_owned(),
            rules,
        }))
    }
}

/// As [`Divider`] is read.
impl fmt::Display for Divider {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Pods => f.write_str("pods"),
            Self::Route(route) => route.fmt(f),
        }
    }
}

impl fmt::Display for Route {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let kind = match self.provider {
            Provider::HttpRoute => "httproute",
            Provider::GrpcRoute => "grpcroute",
            Provider::VirtualService => "virtualservice",
            Provider::Ingress => "ingress",
        };
        write!(f, "{kind}/{}", self.name)?;
        match &self.rules {
            Rules::Obvious => Ok(()),
            Rules::All => f.write_str("/*"),
            Rules::Named(names) => write!(f, "/{}", names.join(",")),
        }
    }
}

#[cfg(test)]
mod tests;
