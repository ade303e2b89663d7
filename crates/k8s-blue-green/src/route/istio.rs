//! VirtualService of Istio (<https://istio.io/latest/docs/reference/config/networking/virtual-service/>). A destination gets its
//! weight's share of the sum; one alone gets all, one without a weight among several nothing. Versions before 1.15 refuse a sum
//! other than 100, all refuse 0 (argoproj/argo-rollouts#3141), so that tenths of a percent need 1.15.
//!
//! Only http routes are divided, not those of `tls` and `tcp`. Callers obey that are in the mesh, where `gateways` has `mesh` or is
//! not there, and the gateways that it names.

use std::time::Duration;

use serde_json::{Value, json};

use super::weighted::{Side, Weighted};
use super::{Header, Sides, Taken};
use crate::object::{entries, number, shown, text};

/// How long proxies may take to have a change: istiod collects changes for up to 10 s
/// (`PILOT_DEBOUNCE_MAX`, <https://istio.io/latest/docs/reference/commands/pilot-discovery/>).
pub const SETTLE: Duration = Duration::from_secs(10);

/// Routes of Istio.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Mesh;

impl Weighted for Mesh {
    const RULES: &'static str = "/spec/http";
    const DESTINATIONS: &'static str = "route";
    const MATCHES: &'static str = "match";
    const ASKS_FOR_NAMES: bool = true;

    fn side(&self, destination: &Value, _: &Value, sides: &Sides) -> Side {
        let host = text(destination, "/destination/host");
        if is_host(host, &sides.stable, &sides.namespace) {
            Side::Stable
        } else if is_host(host, &sides.canary, &sides.namespace) {
            Side::Canary
        } else {
            Side::Other
        }
    }

    fn unwritten(&self, is_alone: bool) -> u64 {
        if is_alone { 100 } else { 0 }
    }

    fn leads(&self, destination: &Value) -> String {
        text(destination, "/destination/host").to_owned()
    }

    fn canary(&self, stable: &Value, sides: &Sides, weight: u64) -> Value {
        let mut canary = stable.clone();
        // A subset keeps its name: the canary's DestinationRule has one for it.
        canary["destination"]["host"] = canary_host(text(stable, "/destination/host"), sides).into();
        canary["weight"] = weight.into();
        canary
    }

    fn with_header(&self, rule: &Value, header: &Header, canary: Value) -> Option<Value> {
        // Names of headers are to be in lower case.
        let name = header.name.to_ascii_lowercase();
        let mut matches = entries(rule, "/match").to_vec();
        if matches.is_empty() {
            matches.push(json!({}));
        }
        for one in &mut matches {
            let headers = one.as_object_mut()?.entry("headers").or_insert_with(|| json!({}));
            let headers = headers.as_object_mut()?;
            if headers.keys().any(|known| known.eq_ignore_ascii_case(&name)) {
                return None;
            }
            headers.insert(name.clone(), json!({"exact": header.value}));
        }
        let mut new = rule.clone();
        let fields = new.as_object_mut()?;
        fields.insert("name".to_owned(), "deploy-actions-header".into());
        fields.insert("match".to_owned(), matches.into());
        fields.insert("route".to_owned(), json!([canary]));
        Some(new)
    }

    fn asks_for(&self, rule: &Value, header: &Header) -> bool {
        let matches = entries(rule, "/match");
        let name = header.name.to_ascii_lowercase();
        let asks = |one: &Value| one["headers"][&name]["exact"] == header.value.as_str();
        !matches.is_empty() && matches.iter().all(asks)
    }

    fn keeps(&self, _: &Value) -> Option<String> {
        None
    }
}

/// The canary's host, written as the Service's own is.
#[must_use]
pub fn canary_host(host: &str, sides: &Sides) -> String {
    let rest = host.strip_prefix(sides.stable.as_str()).unwrap_or_default();
    format!("{}{rest}", sides.canary)
}

/// Whether a host is a Service: by its name alone, which is taken to be of the VirtualService's namespace, or by its whole name.
#[must_use]
pub fn is_host(host: &str, service: &str, namespace: &str) -> bool {
    let mut parts = host.split('.');
    let is_named = parts.next() == Some(service);
    let is_there = parts.next().is_none_or(|named| named == namespace);
    is_named && is_there && parts.next().is_none_or(|part| part == "svc")
}

/// Whether Istio has taken a route as it is now. Most installations tell nothing: `status` is written only where that is turned on
/// (<https://istio.io/latest/docs/reference/config/config-status/>).
#[must_use]
pub fn taken(route: &Value) -> Taken {
    let generation = number(route, "/metadata/generation").unwrap_or(0);
    let errors = entries(route, "/status/validationMessages").iter();
    let mut errors = errors.filter(|message| message["level"] == "ERROR" || message["level"] == 3);
    // The fields are a message of protobuf in JSON, where a number of 64 bits is a text.
    let observed = match &route["status"]["observedGeneration"] {
        Value::String(text) => text.parse().ok(),
        other => other.as_u64(),
    };
    if observed.is_some_and(|seen| seen >= generation)
        && let Some(error) = errors.next()
    {
        let code = text(error, "/type/code");
        let more = text(error, "/documentationUrl");
        return Taken::Refused(format!("Istio says `{}`: {}", shown(code), shown(more)));
    }
    let conditions = entries(route, "/status/conditions");
    let reconciled = conditions.iter().find(|known| known["type"] == "Reconciled");
    match reconciled.filter(|_| observed.is_some()) {
        Some(_) if observed.is_some_and(|seen| seen < generation) => {
            Taken::Waiting("Istio has not seen it yet".to_owned())
        }
        Some(condition) if condition["status"] == "True" => Taken::Accepted,
        Some(condition) => {
            let how_far = text(condition, "/message");
            Taken::Waiting(format!(
                "not all proxies of Istio have it yet: {}",
                shown(how_far)
            ))
        }
        None => Taken::Settle(SETTLE),
    }
}
