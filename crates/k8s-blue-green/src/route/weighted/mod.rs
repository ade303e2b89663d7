//! Routes that are lists of rules, each with a list of weighted destinations: those of the Gateway API and of Istio.

use serde_json::Value;

use super::original::Kept;
use super::split::Weights;
use super::{Header, Read, RouteError, Rule, Rules, Sides};
use crate::object::{self, entries, listed, shown};

mod patches;

pub(crate) use patches::{enter, leave, shift};

/// How a kind of route says it.
pub(crate) trait Weighted {
    /// The pointer of the list of rules.
    const RULES: &'static str;
    /// The key of a rule's destinations.
    const DESTINATIONS: &'static str;
    /// The key of what a rule asks of requests.
    const MATCHES: &'static str;
    /// Whether it must be said which rules are meant where several lead to the Service.
    const ASKS_FOR_NAMES: bool;

    /// Whose a destination is.
    fn side(&self, destination: &Value, route: &Value, sides: &Sides) -> Side;

    /// The weight of a destination that has none written.
    fn unwritten(&self, is_alone: bool) -> u64;

    /// Where a destination leads, for people.
    fn leads(&self, destination: &Value) -> String;

    /// The canary's destination, made from the stable one, with a weight.
    fn canary(&self, stable: &Value, sides: &Sides, weight: u64) -> Value;

    /// The rule for requests with a header that a rule would else get, with this destination; none where the rule asks for that
    /// header itself.
    fn with_header(&self, rule: &Value, header: &Header, canary: Value) -> Option<Value>;

    /// Whether all that a rule asks for is that header among others.
    fn asks_for(&self, rule: &Value, header: &Header) -> bool;

    /// Why clients stay with a version that they had.
    fn keeps(&self, rule: &Value) -> Option<String>;
}

/// Whose a destination is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Side {
    /// The version that has the traffic.
    Stable,
    /// The canary.
    Canary,
    /// Somebody else.
    Other,
}

/// A rule with what leads to the two versions.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Found<'a> {
    pub(crate) at: usize,
    pub(crate) rule: &'a Value,
    pub(crate) stable: Option<usize>,
    pub(crate) canary: Option<usize>,
    pub(crate) weights: Weights,
    pub(crate) others: u64,
    /// How many destinations are neither.
    pub(crate) foreign: usize,
}

/// A rule that leads to both versions.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Both<'a> {
    pub(crate) found: Found<'a>,
    pub(crate) stable: usize,
    pub(crate) canary: usize,
}

impl<'a> Found<'a> {
    pub(crate) fn both(self) -> Option<Both<'a>> {
        Some(Both {
            found: self,
            stable: self.stable?,
            canary: self.canary?,
        })
    }

    fn name(&self) -> &'a str {
        object::text(self.rule, "/name")
    }

    fn read(&self) -> Rule {
        Rule {
            at: self.at,
            name: Some(self.name())
                .filter(|name| !name.is_empty())
                .map(str::to_owned),
            weights: self.weights,
            others: self.others,
            has_canary: self.canary.is_some(),
        }
    }

    /// The weights for a share.
    fn wanted(&self, share: gha::steps::Weight, route: &Value) -> Result<Weights, RouteError> {
        self.read().wanted(share).ok_or_else(|| RouteError::TooCoarse {
            route: called(route),
            at: self.at,
            share,
            pool: self.weights.both(),
        })
    }
}

/// What people call it: `` HTTPRoute `web` ``.
pub(crate) fn called(route: &Value) -> String {
    let kind = object::text(route, "/kind");
    let kind = if kind.is_empty() { "route" } else { kind };
    format!("{} `{}`", shown(kind), shown(object::name(route)))
}

/// All rules, with what leads to the two versions.
pub(crate) fn all<'a, W: Weighted>(
    kind: &W,
    route: &'a Value,
    sides: &Sides,
) -> Result<Vec<Found<'a>>, RouteError> {
    let rules = entries(route, W::RULES).iter().enumerate();
    rules
        .map(|(at, rule)| found(kind, route, sides, at, rule))
        .collect()
}

fn found<'a, W: Weighted>(
    kind: &W,
    route: &Value,
    sides: &Sides,
    at: usize,
    rule: &'a Value,
) -> Result<Found<'a>, RouteError> {
    let destinations = rule.get(W::DESTINATIONS).and_then(Value::as_array);
    let destinations = destinations.map_or(&[][..], Vec::as_slice);
    let mut found = Found {
        at,
        rule,
        stable: None,
        canary: None,
        weights: Weights::default(),
        others: 0,
        foreign: 0,
    };
    for (place, destination) in destinations.iter().enumerate() {
        let weight = match destination.get("weight") {
            None | Some(Value::Null) => kind.unwritten(destinations.len() == 1),
            // What is no weight is refused by the server; here it counts for nothing.
            Some(weight) => weight.as_u64().unwrap_or(0),
        };
        let (slot, sum, service) = match kind.side(destination, route, sides) {
            Side::Stable => (&mut found.stable, &mut found.weights.stable, &sides.stable),
            Side::Canary => (&mut found.canary, &mut found.weights.canary, &sides.canary),
            Side::Other => {
                found.others = found.others.saturating_add(weight);
                found.foreign += 1;
                continue;
            }
        };
        if slot.replace(place).is_some() {
            return Err(RouteError::Twice {
                route: called(route),
                at,
                service: service.clone(),
            });
        }
        *sum = weight;
    }
    Ok(found)
}

/// The rules that are divided: those that lead to both versions, and where there are none those that are to.
pub(crate) fn driven<'a, W: Weighted>(
    kind: &W,
    route: &'a Value,
    sides: &Sides,
    rules: &Rules,
) -> Result<Vec<Found<'a>>, RouteError> {
    let all = all(kind, route, sides)?;
    let led: Vec<Found<'a>> = all
        .iter()
        .copied()
        .filter(|found| found.stable.is_some())
        .collect();
    if led.is_empty() {
        return Err(RouteError::NoReference {
            route: called(route),
            service: sides.stable.clone(),
            leads: leads(kind, &all),
        });
    }
    let entered: Vec<Found<'a>> = led
        .iter()
        .copied()
        .filter(|found| found.canary.is_some())
        .collect();
    if !entered.is_empty() {
        return Ok(entered);
    }
    let chosen = chosen::<W>(led, route, sides, rules)?;
    if let Some(found) = chosen.iter().find(|found| found.weights.stable == 0) {
        return Err(RouteError::NoWeight {
            route: called(route),
            at: found.at,
            service: sides.stable.clone(),
        });
    }
    Ok(chosen)
}

fn chosen<'a, W: Weighted>(
    led: Vec<Found<'a>>,
    route: &Value,
    sides: &Sides,
    rules: &Rules,
) -> Result<Vec<Found<'a>>, RouteError> {
    let names = |led: &[Found<'a>]| {
        let names = led.iter().map(|found| match found.name() {
            "" => "(none)",
            name => name,
        });
        listed(names)
    };
    match rules {
        Rules::All => Ok(led),
        Rules::Obvious if W::ASKS_FOR_NAMES && led.len() > 1 => Err(RouteError::Several {
            route: called(route),
            service: sides.stable.clone(),
            count: led.len(),
            names: names(&led),
        }),
        Rules::Obvious => Ok(led),
        Rules::Named(wanted) => {
            let missing = wanted
                .iter()
                .find(|name| !led.iter().any(|found| found.name() == name.as_str()));
            if let Some(name) = missing {
                return Err(RouteError::NoRule {
                    route: called(route),
                    service: sides.stable.clone(),
                    name: shown(name),
                    names: names(&led),
                });
            }
            let is_wanted = |found: &Found<'a>| wanted.iter().any(|name| name == found.name());
            Ok(led.into_iter().filter(is_wanted).collect())
        }
    }
}

fn leads<W: Weighted>(kind: &W, all: &[Found<'_>]) -> String {
    let destinations = all
        .iter()
        .filter_map(|found| found.rule.get(W::DESTINATIONS)?.as_array());
    let mut names: Vec<String> = destinations
        .flatten()
        .map(|destination| kind.leads(destination))
        .collect();
    names.sort();
    names.dedup();
    match names.is_empty() {
        true => "nothing".to_owned(),
        false => listed(names.iter().map(String::as_str)),
    }
}

/// What a route does with the two versions.
pub(crate) fn read<W: Weighted>(
    kind: &W,
    route: &Value,
    sides: &Sides,
    rules: &Rules,
) -> Result<Read, RouteError> {
    let kept = Kept::of(route, &called(route))?.get(sides)?;
    let driven = driven(kind, route, sides, rules)?;
    Ok(Read {
        rules: driven.iter().map(Found::read).collect(),
        entered: kept.is_some() && driven.iter().any(|found| found.canary.is_some()),
        keeps: driven.iter().find_map(|found| kind.keeps(found.rule)),
    })
}
