//! The patches of such routes. Rules are gone through from the last to the first, so that what is put in or taken out does not move
//! those that are still to come.

use gha::steps::Weight;
use serde_json::Value;

use super::{Both, Found, Weighted, all, called, driven};
use crate::route::operations::Operations;
use crate::route::original::{Kept, Original};
use crate::route::{Header, RouteError, Rules, Sides};

/// Leads to the canary with the weight 0.
pub(crate) fn enter<W: Weighted>(
    kind: &W,
    route: &Value,
    sides: &Sides,
    rules: &Rules,
    header: Option<&Header>,
) -> Result<Value, RouteError> {
    let kept = Kept::of(route, &called(route))?;
    let canary_there = all(kind, route, sides)?
        .iter()
        .any(|found| found.canary.is_some());
    if canary_there || kept.get(sides)?.is_some() {
        return Err(there(route, sides, kept.get(sides)?.is_some()));
    }
    let driven = driven(kind, route, sides, rules)?;
    let mut operations = Operations::on(route);
    let mut stable = Vec::new();
    for found in driven.iter().rev() {
        let Some(place) = found.stable else { continue };
        let path = format!("{}/{}", W::RULES, found.at);
        let destinations = format!("{path}/{}", W::DESTINATIONS);
        let original = &found.rule[W::DESTINATIONS][place];
        let weights = found.wanted(Weight::NONE, route)?;
        operations.test(&path, found.rule);
        operations.add(&format!("{destinations}/{place}/weight"), &weights.stable.into());
        let canary = kind.canary(original, sides, weights.canary);
        operations.add(&format!("{destinations}/-"), &canary);
        if let Some(header) = header {
            // It has no other destination, so that any weight is all.
            let canary = kind.canary(original, sides, 100);
            let rule = kind.with_header(found.rule, header, canary);
            let rule = rule.ok_or_else(|| RouteError::HeaderTaken {
                route: called(route),
                at: found.at,
                header: header.name.clone(),
            })?;
            operations.add(&path, &rule);
        }
        stable.push(original.clone());
    }
    stable.reverse();
    let original = Original {
        stable,
        header: header.cloned(),
    };
    kept.put(sides, &original, &mut operations);
    Ok(operations.done())
}

/// Gives the canary a share; nothing where it has it.
pub(crate) fn shift<W: Weighted>(
    kind: &W,
    route: &Value,
    sides: &Sides,
    to: Weight,
) -> Result<Option<Value>, RouteError> {
    let both: Vec<Both<'_>> = all(kind, route, sides)?
        .into_iter()
        .filter_map(Found::both)
        .collect();
    if to > Weight::NONE {
        let is_ours = Kept::of(route, &called(route))?.get(sides)?.is_some();
        if !is_ours && !both.is_empty() {
            return Err(there(route, sides, false));
        }
        if both.is_empty() {
            return Err(RouteError::NotEntered {
                route: called(route),
                canary: sides.canary.clone(),
            });
        }
    }
    let mut operations = Operations::on(route);
    let mut is_changed = false;
    for rule in both {
        let wanted = rule.found.wanted(to, route)?;
        if rule.found.weights == wanted || (to == Weight::NONE && rule.found.weights.is(to)) {
            continue;
        }
        is_changed = true;
        let path = format!("{}/{}", W::RULES, rule.found.at);
        if let Some(matches) = rule.found.rule.get(W::MATCHES) {
            operations.test(&format!("{path}/{}", W::MATCHES), matches);
        }
        let places = [(rule.stable, wanted.stable), (rule.canary, wanted.canary)];
        for (place, _) in places {
            let destination = &rule.found.rule[W::DESTINATIONS][place];
            operations.test(&format!("{path}/{}/{place}", W::DESTINATIONS), destination);
        }
        for (place, weight) in places {
            let path = format!("{path}/{}/{place}/weight", W::DESTINATIONS);
            operations.add(&path, &weight.into());
        }
    }
    Ok(is_changed.then(|| operations.done()))
}

/// Leaves a route as it was; nothing where it is so.
pub(crate) fn leave<W: Weighted>(
    kind: &W,
    route: &Value,
    sides: &Sides,
) -> Result<Option<Value>, RouteError> {
    let kept = Kept::of(route, &called(route))?;
    let all = all(kind, route, sides)?;
    let Some(original) = kept.get(sides)? else {
        let is_there = all.iter().any(|found| found.canary.is_some());
        return if is_there {
            Err(there(route, sides, false))
        } else {
            Ok(None)
        };
    };
    let entered: Vec<Both<'_>> = all.iter().copied().filter_map(Found::both).collect();
    if entered.iter().any(|rule| rule.found.weights.canary > 0) {
        return Err(RouteError::StillTraffic {
            route: called(route),
            canary: sides.canary.clone(),
        });
    }
    // Where somebody already put it back, only the annotation is left to go.
    if !entered.is_empty() {
        same::<W>(&entered, &original, route, sides)?;
    }
    let mut operations = Operations::on(route);
    let mut places = original.stable.iter().rev();
    for found in all.iter().rev() {
        let path = format!("{}/{}", W::RULES, found.at);
        if let Some(rule) = found.both() {
            let Some(stable) = places.next() else { continue };
            operations.test(&path, found.rule);
            put_back::<W>(&rule, stable, &path, &mut operations);
        } else if is_for_header(kind, found, original.header.as_ref()) {
            operations.test(&path, found.rule);
            operations.remove(&path);
        }
    }
    kept.drop(sides, &mut operations);
    Ok(Some(operations.done()))
}

fn put_back<W: Weighted>(rule: &Both<'_>, original: &Value, path: &str, operations: &mut Operations) {
    let weight = format!("{path}/{}/{}/weight", W::DESTINATIONS, rule.stable);
    match original.get("weight") {
        Some(before) => operations.add(&weight, before),
        None if rule.found.rule[W::DESTINATIONS][rule.stable]
            .get("weight")
            .is_some() =>
        {
            operations.remove(&weight);
        }
        None => {}
    }
    operations.remove(&format!("{path}/{}/{}", W::DESTINATIONS, rule.canary));
}

/// Whether the rules that lead to the canary are those that were led to it.
fn same<W: Weighted>(
    entered: &[Both<'_>],
    original: &Original,
    route: &Value,
    sides: &Sides,
) -> Result<(), RouteError> {
    let changed = |what: String| RouteError::Changed {
        route: called(route),
        what,
    };
    if entered.len() != original.stable.len() {
        let (now, then) = (entered.len(), original.stable.len());
        let what = format!(
            "{now} of its rules lead to `{}`, and {then} were led to it",
            sides.canary
        );
        return Err(changed(what));
    }
    let mut pairs = entered.iter().zip(&original.stable);
    let other = pairs.find(|(rule, before)| {
        let now = &rule.found.rule[W::DESTINATIONS][rule.stable];
        without_weight(now) != without_weight(before)
    });
    match other {
        None => Ok(()),
        Some((rule, _)) => {
            let (at, service) = (rule.found.at, &sides.stable);
            Err(changed(format!(
                "rule {at} leads to `{service}` in another way than before"
            )))
        }
    }
}

fn without_weight(destination: &Value) -> Value {
    let mut rest = destination.clone();
    if let Some(fields) = rest.as_object_mut() {
        fields.shift_remove("weight");
    }
    rest
}

/// Whether a rule is one that was added for the header.
fn is_for_header<W: Weighted>(kind: &W, found: &Found<'_>, header: Option<&Header>) -> bool {
    let only_canary = found.canary.is_some() && found.stable.is_none() && found.foreign == 0;
    only_canary && header.is_some_and(|header| kind.asks_for(found.rule, header))
}

/// The canary is there when it should not be, or not by this program.
fn there(route: &Value, sides: &Sides, is_ours: bool) -> RouteError {
    let (route, canary) = (called(route), sides.canary.clone());
    match is_ours {
        true => RouteError::Entered { route, canary },
        false => RouteError::NotOurs { route, canary },
    }
}
