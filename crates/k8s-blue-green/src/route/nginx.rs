//! ingress-nginx: a second Ingress for the same hosts and paths that leads to the canary
//! (<https://kubernetes.github.io/ingress-nginx/user-guide/nginx-configuration/annotations/#canary>). The controller was retired in
//! March 2026 and is still what many clusters have. Its annotations are read with the prefix that it has where nobody changed it.
//!
//! The main Ingress is never written. A request that no path matches goes to the default backend, which can't be divided. There is
//! no status that tells when a change is taken, so that a time is waited; and a canary Ingress must have the weight 0 for a while
//! before it goes (kubernetes/ingress-nginx#6753). The main Ingress's Service must have endpoints also while the canary has all
//! requests, else they fail (argoproj/argo-rollouts#1820).

use std::time::Duration;

use gha::steps::Weight;
use serde_json::{Value, json};

use super::operations::Operations;
use super::split::{self, Weights};
use super::weighted::called;
use super::{Change, Header, Read, RouteError, Rule, Seen, Sides};
use crate::api::Kind;
use crate::object::{self, Labels, annotation, entries, listed, text, token};

/// How long the controller may take to have a change: it reloads at most once in a few seconds.
pub const SETTLE: Duration = Duration::from_secs(10);

/// The annotation of a canary Ingress of ours: the main Ingress and the Service that it is for, as `ingress/service`.
pub const CANARY_OF: &str = "deploy-actions/canary-of";

/// The controller's annotations.
const PREFIX: &str = "nginx.ingress.kubernetes.io";

/// The annotation that names the class where `ingressClassName` does not.
const CLASS: &str = "kubernetes.io/ingress.class";

/// The name of the canary Ingress.
#[must_use]
pub fn canary_name(ingress: &str) -> String {
    format!("{ingress}-canary")
}

/// What the two Ingresses do with the two versions.
pub(crate) fn read(seen: Seen<'_>, sides: &Sides) -> Result<Read, RouteError> {
    rules(seen.object, sides)?;
    let canary = canary(seen);
    let weights = canary.map_or(
        Weights {
            stable: 100,
            canary: 0,
        },
        weights,
    );
    Ok(Read {
        rules: vec![Rule {
            at: 0,
            name: None,
            weights,
            others: 0,
            has_canary: canary.is_some(),
        }],
        entered: canary.is_some_and(|canary| is_ours(canary, seen, sides)),
        keeps: None,
    })
}

/// Makes the canary Ingress, with the weight 0.
pub(crate) fn enter(
    seen: Seen<'_>,
    sides: &Sides,
    header: Option<&Header>,
    marks: &Labels,
) -> Result<Change, RouteError> {
    let main = seen.object;
    let rules = rules(main, sides)?;
    if let Some(canary) = canary(seen) {
        let (route, canary_service) = (called(canary), sides.canary.clone());
        return Err(match is_ours(canary, seen, sides) {
            true => RouteError::Entered {
                route,
                canary: canary_service,
            },
            false => RouteError::NotOurs {
                route,
                canary: canary_service,
            },
        });
    }
    if let Some(other) = seen.ingresses.iter().find(|other| is_canary_of(other, &rules)) {
        return Err(RouteError::OtherCanary(object::shown(object::name(other))));
    }
    let mut annotations: Vec<(String, String)> = marks.clone().into_iter().collect();
    let mut add = |key: String, value: &str| annotations.push((key, value.to_owned()));
    add(CANARY_OF.to_owned(), &whose(main, sides));
    add(named("canary"), "true");
    add(named("canary-weight"), "0");
    if let Some(header) = header {
        add(named("canary-by-header"), &header.name);
        add(named("canary-by-header-value"), &header.value);
    }
    if annotation(main, &named("affinity")).is_some() {
        // Else clients that had the canary keep it whatever the weight is, and a rollback does not reach them.
        add(named("affinity-canary-behavior"), "legacy");
    }
    if let Some(class) = annotation(main, CLASS) {
        add(CLASS.to_owned(), class);
    }
    let annotations: Value = annotations.into_iter().collect();
    let mut spec = json!({});
    for key in ["ingressClassName", "tls"] {
        if let Some(value) = main.pointer(&format!("/spec/{key}")) {
            spec[key] = value.clone();
        }
    }
    spec["rules"] = rules.into();
    let metadata = json!({
        "name": canary_name(object::name(main)), "namespace": sides.namespace, "annotations": annotations,
    });
    let object = json!({
        "apiVersion": "networking.k8s.io/v1", "kind": "Ingress", "metadata": metadata, "spec": spec,
    });
    Ok(Change::Create {
        kind: Kind::ingress(),
        object,
    })
}

/// Gives the canary a share; nothing where it has it.
pub(crate) fn shift(seen: Seen<'_>, sides: &Sides, to: Weight) -> Result<Option<Change>, RouteError> {
    let Some(canary) = canary(seen) else {
        return match to {
            Weight::NONE => Ok(None),
            _ => Err(RouteError::NotEntered {
                route: called(seen.object),
                canary: sides.canary.clone(),
            }),
        };
    };
    ours(canary, seen, sides)?;
    let weights = weights(canary);
    if weights.is(to) {
        return Ok(None);
    }
    let Some(wanted) = split::split(None, to) else {
        return Ok(None);
    };
    let mut operations = on(canary);
    let (weight, total) = (named("canary-weight"), named("canary-weight-total"));
    for key in [&weight, &total] {
        if let Some(before) = annotation(canary, key) {
            operations.test(&path(key), &before.into());
        }
    }
    // Controllers before 1.0 do not know the total: it is written only where tenths of a percent need it.
    if wanted.both() != 100 || annotation(canary, &total).is_some() {
        operations.add(&path(&total), &wanted.both().to_string().into());
    }
    operations.add(&path(&weight), &wanted.canary.to_string().into());
    Ok(Some(Change::Patch {
        kind: Kind::ingress(),
        name: object::name(canary).to_owned(),
        operations: operations.done(),
    }))
}

/// Takes the canary Ingress away.
pub(crate) fn leave(seen: Seen<'_>, sides: &Sides) -> Result<Option<Change>, RouteError> {
    let Some(canary) = canary(seen) else {
        return Ok(None);
    };
    ours(canary, seen, sides)?;
    if weights(canary).canary > 0 {
        return Err(RouteError::StillTraffic {
            route: called(canary),
            canary: sides.canary.clone(),
        });
    }
    Ok(Some(Change::Delete {
        kind: Kind::ingress(),
        name: object::name(canary).to_owned(),
        uid: object::uid(canary).to_owned(),
    }))
}

/// The rules of an Ingress with only the paths that lead to the Service, leading to the canary.
fn rules(main: &Value, sides: &Sides) -> Result<Vec<Value>, RouteError> {
    let all = entries(main, "/spec/rules");
    let mut found = Vec::new();
    for rule in all {
        let paths: Vec<Value> = entries(rule, "/http/paths")
            .iter()
            .filter(|path| text(path, "/backend/service/name") == sides.stable)
            .map(|path| {
                let mut path = path.clone();
                path["backend"]["service"]["name"] = sides.canary.clone().into();
                path
            })
            .collect();
        if !paths.is_empty() {
            let mut rule = rule.clone();
            rule["http"]["paths"] = paths.into();
            found.push(rule);
        }
    }
    if found.is_empty() {
        let paths = all.iter().flat_map(|rule| entries(rule, "/http/paths"));
        let mut leads: Vec<&str> = paths.map(|path| text(path, "/backend/service/name")).collect();
        leads.sort_unstable();
        leads.dedup();
        return Err(RouteError::NoReference {
            route: called(main),
            service: sides.stable.clone(),
            leads: match leads.is_empty() {
                true => "nothing".to_owned(),
                false => listed(leads),
            },
        });
    }
    Ok(found)
}

/// The Ingress that has the canary's name.
fn canary<'a>(seen: Seen<'a>) -> Option<&'a Value> {
    let name = canary_name(object::name(seen.object));
    seen.ingresses.iter().find(|known| object::name(known) == name)
}

fn is_ours(canary: &Value, seen: Seen<'_>, sides: &Sides) -> bool {
    annotation(canary, CANARY_OF) == Some(whose(seen.object, sides).as_str())
}

fn ours(canary: &Value, seen: Seen<'_>, sides: &Sides) -> Result<(), RouteError> {
    match is_ours(canary, seen, sides) {
        true => Ok(()),
        false => Err(RouteError::NotOurs {
            route: called(canary),
            canary: sides.canary.clone(),
        }),
    }
}

fn whose(main: &Value, sides: &Sides) -> String {
    format!("{}/{}", object::name(main), sides.stable)
}

/// Whether an Ingress is a canary of a host and path of these rules.
fn is_canary_of(other: &Value, rules: &[Value]) -> bool {
    let places = |rules: &[Value]| -> Vec<(String, String)> {
        let place = |rule: &Value| {
            let host = text(rule, "/host").to_owned();
            let paths = entries(rule, "/http/paths").iter();
            let places = paths.map(move |path| (host.clone(), text(path, "/path").to_owned()));
            places.collect::<Vec<_>>()
        };
        rules.iter().flat_map(place).collect()
    };
    let ours = places(rules);
    annotation(other, &named("canary")) == Some("true")
        && places(entries(other, "/spec/rules"))
            .iter()
            .any(|place| ours.contains(place))
}

/// The weights of a canary Ingress. One without a weight gets nothing by it.
fn weights(canary: &Value) -> Weights {
    let number = |key: &str| annotation(canary, &named(key))?.parse::<u64>().ok();
    let total = number("canary-weight-total").unwrap_or(100);
    let weight = number("canary-weight").unwrap_or(0).min(total);
    Weights {
        stable: total - weight,
        canary: weight,
    }
}

fn on(canary: &Value) -> Operations {
    let mut operations = Operations::on(canary);
    if let Some(whose) = annotation(canary, CANARY_OF) {
        operations.test(&path(CANARY_OF), &whose.into());
    }
    operations
}

fn named(key: &str) -> String {
    format!("{PREFIX}/{key}")
}

fn path(annotation: &str) -> String {
    format!("/metadata/annotations/{}", token(annotation))
}
