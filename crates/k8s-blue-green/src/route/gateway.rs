//! HTTPRoute and GRPCRoute of the Gateway API (<https://gateway-api.sigs.k8s.io/reference/spec/#httproute>): weights of
//! `backendRefs` are shares of their sum, 1 where none is written, 0 for nothing, at most 1,000,000.
//!
//! How many rules a route may have is for the server to say: it is 16, and 64 is proposed (kubernetes-sigs/gateway-api#5221).

use serde_json::{Value, json};

use super::weighted::{Side, Weighted};
use super::{Header, Sides, Taken};
use crate::api::Kind;
use crate::object::{entries, listed, number, shown, text};

/// Routes of the Gateway API.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Gateway {
    /// Whether what matches a request is a path; a call of gRPC has a method instead.
    pub(crate) has_paths: bool,
}

/// The kind of GRPCRoutes.
#[must_use]
pub fn grpc_route() -> Kind {
    Kind {
        kind: "GRPCRoute".to_owned(),
        plural: "grpcroutes".to_owned(),
        ..Kind::http_route()
    }
}

impl Weighted for Gateway {
    const RULES: &'static str = "/spec/rules";
    const DESTINATIONS: &'static str = "backendRefs";
    const MATCHES: &'static str = "matches";
    const ASKS_FOR_NAMES: bool = false;

    fn side(&self, destination: &Value, _: &Value, sides: &Sides) -> Side {
        let is_default = |key: &str, default: &str| match destination.get(key) {
            None | Some(Value::Null) => true,
            Some(value) => value == default,
        };
        let is_service = is_default("group", "") && is_default("kind", "Service");
        if !is_service || !is_default("namespace", &sides.namespace) {
            return Side::Other;
        }
        match text(destination, "/name") {
            name if name == sides.stable => Side::Stable,
            name if name == sides.canary => Side::Canary,
            _ => Side::Other,
        }
    }

    fn unwritten(&self, _: bool) -> u64 {
        1
    }

    fn leads(&self, destination: &Value) -> String {
        text(destination, "/name").to_owned()
    }

    fn canary(&self, stable: &Value, sides: &Sides, weight: u64) -> Value {
        let mut canary = stable.clone();
        canary["name"] = sides.canary.clone().into();
        canary["weight"] = weight.into();
        canary
    }

    fn with_header(&self, rule: &Value, header: &Header, canary: Value) -> Option<Value> {
        let asked = json!({"type": "Exact", "name": header.name, "value": header.value});
        let mut matches = entries(rule, "/matches").to_vec();
        if matches.is_empty() {
            // What a rule without matches takes.
            matches.push(match self.has_paths {
                true => json!({"path": {"type": "PathPrefix", "value": "/"}}),
                false => json!({}),
            });
        }
        for one in &mut matches {
            let mut headers = entries(one, "/headers").to_vec();
            if headers.iter().any(|known| is_named(known, header)) {
                return None;
            }
            headers.push(asked.clone());
            one.as_object_mut()?.insert("headers".to_owned(), headers.into());
        }
        let mut new = rule.clone();
        let fields = new.as_object_mut()?;
        // A rule's name is its own, and sessions of two rules must not be one.
        fields.shift_remove("name");
        fields.shift_remove("sessionPersistence");
        fields.insert("matches".to_owned(), matches.into());
        fields.insert("backendRefs".to_owned(), json!([canary]));
        Some(new)
    }

    fn asks_for(&self, rule: &Value, header: &Header) -> bool {
        let matches = entries(rule, "/matches");
        let asks = |one: &Value| {
            let mut headers = entries(one, "/headers").iter();
            headers.any(|known| is_named(known, header) && known["value"] == header.value.as_str())
        };
        !matches.is_empty() && matches.iter().all(asks)
    }

    fn keeps(&self, rule: &Value) -> Option<String> {
        rule.get("sessionPersistence")?;
        let why = "a rule has `sessionPersistence`: clients stay with the version they had, until it is taken out of the route";
        Some(why.to_owned())
    }
}

fn is_named(known: &Value, header: &Header) -> bool {
    text(known, "/name").eq_ignore_ascii_case(&header.name)
}

/// Whether each gateway that a route belongs to has taken it as it is now, and found all that it leads to
/// (<https://gateway-api.sigs.k8s.io/reference/spec/#routeparentstatus>).
#[must_use]
pub fn taken(route: &Value) -> Taken {
    let generation = number(route, "/metadata/generation").unwrap_or(0);
    let answers = entries(route, "/status/parents");
    let parents = entries(route, "/spec/parentRefs");
    if parents.is_empty() {
        return Taken::Refused("it belongs to no gateway".to_owned());
    }
    let mut waiting = Vec::new();
    for parent in parents {
        let name = text(parent, "/name");
        let mut own = answers
            .iter()
            .filter(|answer| is_of(answer, parent, route))
            .peekable();
        if own.peek().is_none() {
            waiting.push(name);
        }
        for answer in own {
            for kind in ["Accepted", "ResolvedRefs"] {
                match said(answer, kind, generation) {
                    Some(condition) if condition["status"] == "True" => {}
                    Some(condition) if condition["status"] == "False" => {
                        let why = (text(condition, "/reason"), text(condition, "/message"));
                        return Taken::Refused(format!(
                            "gateway `{}` says `{kind}` is `False`: {}: {}",
                            shown(name),
                            shown(why.0),
                            shown(why.1)
                        ));
                    }
                    _ => waiting.push(name),
                }
            }
            if let Some(condition) = said(answer, "PartiallyInvalid", generation)
                && condition["status"] == "True"
            {
                let (name, why) = (shown(name), shown(text(condition, "/message")));
                return Taken::Refused(format!("gateway `{name}` left rules out: {why}"));
            }
        }
    }
    waiting.dedup();
    match waiting.is_empty() {
        true => Taken::Accepted,
        false => Taken::Waiting(format!("gateway {} has not answered yet", listed(waiting))),
    }
}

/// A condition about the route as it is now.
fn said<'a>(answer: &'a Value, kind: &str, generation: u64) -> Option<&'a Value> {
    let mut conditions = entries(answer, "/conditions").iter();
    conditions.find(|known| {
        known["type"] == kind && number(known, "/observedGeneration").is_none_or(|seen| seen >= generation)
    })
}

/// Whether an answer is about this parent; a namespace that is not written is the route's.
fn is_of(answer: &Value, parent: &Value, route: &Value) -> bool {
    let answered = &answer["parentRef"];
    let namespace = |reference: &Value| match text(reference, "/namespace") {
        "" => text(route, "/metadata/namespace").to_owned(),
        named => named.to_owned(),
    };
    text(answered, "/name") == text(parent, "/name")
        && namespace(answered) == namespace(parent)
        && text(answered, "/sectionName") == text(parent, "/sectionName")
        && answered.get("port") == parent.get("port")
}
