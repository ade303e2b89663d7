//! Requests as a cluster's network carries them: through a Service by its slices, a settable time behind them.

use serde_json::Value;

use super::controllers::endpoints;
use super::object;
use super::world::World;

/// One request that was answered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Visit {
    /// The pod that answered.
    pub pod: String,
    /// The image of its first container.
    pub image: String,
}

/// Why a request was not answered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Lost {
    /// The Service has no endpoint for that port.
    NoEndpoint,
    /// The pod does not listen: it has ended, or its container does not run.
    Refused(String),
    /// The pod runs but is not ready, and answers 503.
    NotReady(String),
}

impl World {
    /// One request through a Service to a port of its; `nth` says which of its endpoints it goes to, one after the other.
    ///
    /// # Errors
    /// When it is lost.
    pub fn visit(&self, namespace: &str, service: &str, port: u16, nth: usize) -> Result<Visit, Lost> {
        let known = self.get("services", namespace, service);
        let ports = known.map(|service| object::items(service, "/spec/ports"));
        let named = ports
            .unwrap_or_default()
            .iter()
            .find(|known| object::number(known, "/port") == Some(i64::from(port)))
            .map(|port| object::text(port, "/name"));
        let named = named.ok_or(Lost::NoEndpoint)?;
        let slices = endpoints::route(self, namespace, service);
        let fitting: Vec<&Value> = slices
            .iter()
            .filter(|slice| {
                object::items(slice, "/ports")
                    .iter()
                    .any(|port| object::text(port, "/name") == named)
            })
            .flat_map(|slice| object::items(slice, "/endpoints"))
            .collect();
        let with = |condition: &str| -> Vec<&Value> {
            fitting
                .iter()
                .copied()
                .filter(|endpoint| object::flag(endpoint, &format!("/conditions/{condition}")))
                .collect()
        };
        // Where none is ready, those that still serve while they end are taken.
        let mut able = with("ready");
        if able.is_empty() {
            able = with("serving");
        }
        if able.is_empty() {
            return Err(Lost::NoEndpoint);
        }
        let name = object::text(able[nth % able.len()], "/targetRef/name");
        self.answer_of(namespace, name)
    }

    /// Which images get which share of the requests to a Service now, by its ready endpoints; one that gets none is not named.
    #[must_use]
    pub fn shares(&self, namespace: &str, service: &str) -> Vec<(String, f64)> {
        self.shares_of(namespace, service, &Value::Null)
    }

    /// The same among the pods that have these labels.
    fn shares_of(&self, namespace: &str, service: &str, labels: &Value) -> Vec<(String, f64)> {
        let fits = |name: &&str| {
            let pod = self.get("pods", namespace, name);
            let mut asked = labels.as_object().into_iter().flatten();
            asked.all(|(key, value)| pod.is_some_and(|pod| pod["metadata"]["labels"][key] == *value))
        };
        let slices = endpoints::route(self, namespace, service);
        let ready: Vec<&str> = slices
            .iter()
            .flat_map(|slice| object::items(slice, "/endpoints"))
            .filter(|endpoint| object::flag(endpoint, "/conditions/ready"))
            .map(|endpoint| object::text(endpoint, "/targetRef/name"))
            .filter(fits)
            .collect();
        let mut shares: Vec<(String, f64)> = Vec::new();
        let each = 1.0 / f64::from(u32::try_from(ready.len().max(1)).unwrap_or(u32::MAX));
        for name in ready {
            let pod = self.get("pods", namespace, name);
            let image = pod.map_or("", |pod| object::text(pod, "/spec/containers/0/image"));
            add(&mut shares, image, each);
        }
        shares
    }

    /// The same of the requests to an HTTPRoute, a GRPCRoute or a VirtualService (by its plural): of its first rule that asks for no
    /// header, by the weights of what it leads to. What leads nowhere has no name, as a subset of Istio that no DestinationRule has, or
    /// no pod.
    #[must_use]
    pub fn route_shares(&self, plural: &str, namespace: &str, name: &str) -> Vec<(String, f64)> {
        let Some(route) = self.get(plural, namespace, name) else {
            return Vec::new();
        };
        let (rules, targets, service) = match plural {
            "httproutes" | "grpcroutes" => ("/spec/rules", "/backendRefs", "/name"),
            _ => ("/spec/http", "/route", "/destination/host"),
        };
        let all = object::items(route, rules);
        let asks = |rule: &&Value| {
            let matches = ["/matches", "/match"].map(|pointer| object::items(rule, pointer));
            matches.concat().iter().any(|one| one.get("headers").is_some())
        };
        let Some(rule) = all.iter().find(|rule| !asks(rule)) else {
            return Vec::new();
        };
        let targets = object::items(rule, targets);
        // A lone destination without a weight gets everything.
        let weight = |target: &Value| {
            let weight = object::number(target, "/weight").unwrap_or(i64::from(targets.len() == 1));
            f64::from(u32::try_from(weight).unwrap_or_default())
        };
        let whole: f64 = targets.iter().map(weight).sum();
        let mut shares = Vec::new();
        for target in targets.iter().filter(|target| weight(target) > 0.0) {
            let part = weight(target) / whole;
            let host = object::text(target, service);
            let host = host.split('.').next().unwrap_or_default();
            let subset = object::text(target, "/destination/subset");
            let below = match subset {
                "" => self.shares(namespace, host),
                _ => self
                    .subset(namespace, host, subset)
                    .map_or_else(Vec::new, |labels| self.shares_of(namespace, host, &labels)),
            };
            if below.is_empty() {
                add(&mut shares, "", part);
            }
            for (image, share) in below {
                add(&mut shares, &image, part * share);
            }
        }
        shares
    }

    /// The labels of a subset, by the first DestinationRule of a host in the host's namespace.
    fn subset(&self, namespace: &str, host: &str, name: &str) -> Option<Value> {
        let rules = self.list("destinationrules", namespace);
        let mut subsets = rules
            .iter()
            .filter(|rule| object::text(rule, "/spec/host").split('.').next() == Some(host))
            .flat_map(|rule| object::items(rule, "/spec/subsets"));
        let found = subsets.find(|subset| object::text(subset, "/name") == name)?;
        Some(found.get("labels").cloned().unwrap_or_default())
    }

    fn answer_of(&self, namespace: &str, name: &str) -> Result<Visit, Lost> {
        let refused = || Lost::Refused(name.to_owned());
        let pod = self.get("pods", namespace, name).ok_or_else(refused)?;
        let statuses = object::items(pod, "/status/containerStatuses");
        let runs = statuses
            .iter()
            .all(|status| status.pointer("/state/running").is_some());
        if !runs || statuses.is_empty() {
            return Err(refused());
        }
        if !object::is_leaving(pod) && !object::has_condition(pod, "Ready", "True") {
            return Err(Lost::NotReady(name.to_owned()));
        }
        Ok(Visit {
            pod: name.to_owned(),
            image: object::text(pod, "/spec/containers/0/image").to_owned(),
        })
    }
}

fn add(shares: &mut Vec<(String, f64)>, image: &str, share: f64) {
    match shares.iter_mut().find(|(known, _)| known == image) {
        Some((_, sum)) => *sum += share,
        None => shares.push((image.to_owned(), share)),
    }
}
