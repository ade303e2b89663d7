//! The `scale` part of workloads.

use serde_json::{Value, json};

use super::{Outcome, read};
use crate::http::Request;
use crate::stand_ins::kubernetes::ask::{self, Ask};
use crate::stand_ins::kubernetes::object;
use crate::stand_ins::kubernetes::patch::{self, Style, strategic};
use crate::stand_ins::kubernetes::refusal::Refusal;
use crate::stand_ins::kubernetes::schema::Field;
use crate::stand_ins::kubernetes::selectors::Labels;
use crate::stand_ins::kubernetes::world::World;

pub(super) fn serve(world: &mut World, ask: &Ask, request: &Request) -> Result<Outcome, Refusal> {
    let live = read::get(world, ask)?;
    let now = scale(&live);
    let wanted = match ask.verb {
        "get" => return Ok(Outcome::ok(now)),
        "update" => ask::body(request)?,
        "patch" => {
            let change = ask::body(request)?;
            match Style::of(request.header("content-type").unwrap_or_default(), ask.kind)? {
                Style::Json => patch::json(&now, &change)?,
                Style::Strategic => strategic::patch(&now, &change, &Field::Struct("Scale", false))?,
                _ => patch::merge(&now, &change),
            }
        }
        _ => return Err(Refusal::method_not_allowed()),
    };
    let version = object::text(&wanted, "/metadata/resourceVersion");
    if !version.is_empty() && version != object::text(&live, "/metadata/resourceVersion") {
        return Err(Refusal::modified(ask.kind, &ask.name));
    }
    let replicas = object::number(&wanted, "/spec/replicas").unwrap_or_default();
    if replicas < 0 {
        let why = format!("Invalid value: {replicas}: must be greater than or equal to 0");
        return Err(Refusal::invalid(
            ask.kind,
            &ask.name,
            &[("spec.replicas".to_owned(), why)],
        ));
    }
    let before = live.clone();
    let mut after = live;
    object::put(&mut after, &["spec", "replicas"], json!(replicas));
    if before != after {
        let generation = object::number(&after, "/metadata/generation").unwrap_or_default() + 1;
        object::put(&mut after, &["metadata", "generation"], json!(generation));
        super::managed::updated(world, ask, Some(&before), &mut after, &ask.manager(request));
    }
    if ask.is_dry() {
        return Ok(Outcome::ok(scale(&after)));
    }
    let stored = world.store.replace(ask.kind, after);
    Ok(Outcome::ok(scale(&stored)))
}

fn scale(live: &Value) -> Value {
    let selector = Labels::of_object(&live["spec"]["selector"]).map(|labels| labels.written());
    json!({
        "kind": "Scale", "apiVersion": "autoscaling/v1",
        "metadata": {
            "name": object::name(live), "namespace": object::namespace(live), "uid": object::uid(live),
            "resourceVersion": live["metadata"]["resourceVersion"], "creationTimestamp": live["metadata"]["creationTimestamp"],
        },
        "spec": { "replicas": object::number(live, "/spec/replicas").unwrap_or_default() },
        "status": {
            "replicas": object::number(live, "/status/replicas").unwrap_or_default(),
            "selector": selector.unwrap_or_default(),
        },
    })
}
