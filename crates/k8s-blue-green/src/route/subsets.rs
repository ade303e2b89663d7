//! Subsets of Istio: where a VirtualService divides one Service by labels of its pods, as a DestinationRule names them
//! (<https://istio.io/latest/docs/reference/config/networking/destination-rule/#Subset>). Such a Service has both versions behind it,
//! and only the mesh keeps them apart: callers outside of it get both.
//!
//! A subset is there, and its pods are ready, before a route leads to it; and it goes only after no route does. In between proxies
//! answer 503 (argoproj/argo-rollouts#2507), so that [`super::istio::SETTLE`] is waited after each.

use serde_json::Value;

use super::RouteError;
use super::istio::is_host;
use super::operations::Operations;
use super::sides::Sides;
use crate::object::{self, Labels, entries, labels_at, listed, shown, text, token, written};

/// How a VirtualService divides by subsets.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Division {
    /// The DestinationRule.
    pub rule: String,
    /// The subset that has the traffic.
    pub stable: String,
    /// The name for the canary's.
    pub canary: String,
}

/// Whether a VirtualService divides a Service by subsets that tell the colours apart; nothing where it divides by Services, or its
/// subsets are of something else. Then [`Sides::subset`] is [`Division::canary`].
///
/// # Errors
/// When there is no such subset, there are several, or the Service has only one colour behind it.
pub fn division(
    route: &Value,
    rules: &[Value],
    service: &Value,
    sides: &Sides,
    label: &str,
) -> Result<Option<Division>, RouteError> {
    let destinations = entries(route, "/spec/http")
        .iter()
        .flat_map(|http| entries(http, "/route"));
    let mut subsets: Vec<&str> = destinations
        .filter(|one| is_host(text(one, "/destination/host"), &sides.stable, &sides.namespace))
        .map(|one| text(one, "/destination/subset"))
        .filter(|subset| !subset.is_empty() && !subset.ends_with(CANARY))
        .collect();
    subsets.sort_unstable();
    subsets.dedup();
    let Some(&stable) = subsets.first() else {
        return Ok(None);
    };
    let several = subsets.len() > 1;
    let own = rules
        .iter()
        .filter(|rule| is_host(text(rule, "/spec/host"), &sides.stable, &sides.namespace));
    let mut found = own.filter_map(|rule| Some((rule, subset(rule, stable)?.1)));
    let (rule, labels) = found.next().ok_or_else(|| RouteError::NoSubset {
        service: sides.stable.clone(),
        subset: shown(stable),
    })?;
    if !labels_at(labels, "/labels").contains_key(label) {
        return Ok(None);
    }
    if several {
        return Err(RouteError::SeveralSubsets {
            service: sides.stable.clone(),
            subsets: listed(subsets),
        });
    }
    if labels_at(service, "/spec/selector").contains_key(label) {
        return Err(RouteError::OneVersion {
            service: sides.stable.clone(),
            label: label.to_owned(),
        });
    }
    Ok(Some(Division {
        rule: object::name(rule).to_owned(),
        stable: stable.to_owned(),
        canary: format!("{stable}{CANARY}"),
    }))
}

/// What a canary's subset adds to the name of the one that it is made from.
const CANARY: &str = "-canary";

/// Adds the canary's subset, with the same policies and another colour; nothing where it is there.
///
/// # Errors
/// When another subset has its name, or the one that it is made from is gone.
pub fn enter(
    rule: &Value,
    division: &Division,
    label: &str,
    color: &str,
) -> Result<Option<Value>, RouteError> {
    let (at, stable) = found(rule, division)?;
    let mut canary = stable.clone();
    canary["name"] = division.canary.clone().into();
    canary["labels"][label] = color.into();
    if let Some((_, there)) = subset(rule, &division.canary) {
        let labels = labels_at(there, "/labels");
        return match labels == labels_at(&canary, "/labels") {
            true => Ok(None),
            false => Err(there_already(rule, division, &labels)),
        };
    }
    let mut operations = Operations::on(rule);
    operations.test(&format!("/spec/subsets/{at}"), stable);
    operations.add("/spec/subsets/-", &canary);
    Ok(Some(operations.done()))
}

/// Gives the subset that has the traffic another colour: when the canary has all traffic, to take it over; nothing where it has it.
///
/// # Errors
/// When the subset is gone.
pub fn take_over(
    rule: &Value,
    division: &Division,
    label: &str,
    color: &str,
) -> Result<Option<Value>, RouteError> {
    let (at, stable) = found(rule, division)?;
    if labels_at(stable, "/labels").get(label).map(String::as_str) == Some(color) {
        return Ok(None);
    }
    let path = format!("/spec/subsets/{at}");
    let mut operations = Operations::on(rule);
    operations.test(&path, stable);
    operations.add(&format!("{path}/labels/{}", token(label)), &color.into());
    Ok(Some(operations.done()))
}

/// Takes the canary's subset away, when no route leads to it; nothing where it is gone.
#[must_use]
pub fn leave(rule: &Value, division: &Division) -> Option<Value> {
    let (at, canary) = subset(rule, &division.canary)?;
    let path = format!("/spec/subsets/{at}");
    let mut operations = Operations::on(rule);
    operations.test(&path, canary);
    operations.remove(&path);
    Some(operations.done())
}

fn found<'a>(rule: &'a Value, division: &Division) -> Result<(usize, &'a Value), RouteError> {
    subset(rule, &division.stable).ok_or_else(|| RouteError::NoSubset {
        service: shown(text(rule, "/spec/host")),
        subset: division.stable.clone(),
    })
}

/// A subset with labels, and its place.
fn subset<'a>(rule: &'a Value, name: &str) -> Option<(usize, &'a Value)> {
    let mut subsets = entries(rule, "/spec/subsets").iter().enumerate();
    subsets.find(|(_, subset)| text(subset, "/name") == name && subset["labels"].is_object())
}

fn there_already(rule: &Value, division: &Division, labels: &Labels) -> RouteError {
    RouteError::SubsetThere {
        rule: shown(object::name(rule)),
        subset: division.canary.clone(),
        labels: shown(&written(labels)),
    }
}
