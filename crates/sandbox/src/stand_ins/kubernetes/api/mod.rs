//! What requests do: reads, writes, deletions, reviews, and what the server says about itself.

mod access;
pub(crate) mod columns;
pub(crate) mod defaults;
mod delete;
mod discovery;
mod managed;
mod openapi;
mod read;
mod scale;
mod table;
#[cfg(test)]
mod tests;
mod validate;
mod write;

use serde_json::Value;

use super::ask::{self, Address, Ask};
use super::auth::{self, User};
use super::forward::Forwarding;
use super::logs::Following;
use super::refusal::Refusal;
use super::watch::Watching;
use super::world::World;
use crate::http::Request;

pub(crate) use delete::{end, finish_if_free};
pub(crate) use table::asked_for as table_asked_for;
pub(crate) use table::of_event as event_as_table;

/// What a request is answered with.
#[derive(Debug)]
pub(crate) enum Outcome {
    /// An object with the status of HTTP and warnings.
    Object(u16, Value, Vec<String>),
    /// Text as it is.
    Text(String),
    /// Changes as they come.
    Watch(Watching),
    /// Lines of a container, all there are or as they come.
    Log(Following),
    /// A connection to a pod.
    Forward(Forwarding),
}

impl Outcome {
    pub(crate) fn ok(object: Value) -> Self {
        Self::Object(200, object, Vec::new())
    }
}

/// Answers what the server says about itself.
pub(crate) fn describe(path: &str, request: &Request) -> Result<Outcome, Refusal> {
    match path.trim_end_matches('/') {
        "/version" => Ok(Outcome::ok(discovery::version())),
        "/healthz" | "/livez" | "/readyz" => Ok(Outcome::Text("ok".to_owned())),
        "/openapi/v3" => Ok(Outcome::ok(openapi::index())),
        path => match path.strip_prefix("/openapi/v3/") {
            Some(group) => openapi::group(group)
                .map(Outcome::ok)
                .ok_or_else(Refusal::no_such_address),
            None => discovery::answer(path, request)
                .map(Outcome::ok)
                .ok_or_else(Refusal::no_such_address),
        },
    }
}

/// Answers a request for objects.
pub(crate) fn serve(
    world: &mut World,
    ask: &Ask,
    request: &Request,
    user: &User,
) -> Result<Outcome, Refusal> {
    auth::check(user, ask)?;
    if ask.kind.plural.starts_with("selfsubject") {
        return access::review(ask, &ask::body(request)?, user);
    }
    let outcome = match (ask.verb, ask.part.as_str()) {
        (_, "scale") => scale::serve(world, ask, request)?,
        (_, "log") => Outcome::Log(super::logs::read(world, ask)?),
        (_, "portforward") => {
            // A WebSocket opens with GET; the right to create is asked for as well, as Kubernetes does since 1.35.
            let creating = Ask {
                verb: "create",
                ..ask.clone()
            };
            auth::check(user, &creating)?;
            Outcome::Forward(super::forward::begin(world, ask)?)
        }
        ("get", _) => Outcome::ok(read::get(world, ask)?),
        ("list", _) => Outcome::ok(read::list(world, ask)?),
        ("watch", _) => Outcome::Watch(Watching::begin(world, ask, request)?),
        ("create", _) => write::create(world, ask, request)?,
        ("update", _) => write::update(world, ask, request)?,
        ("patch", _) => write::patch(world, ask, request)?,
        ("delete", _) => Outcome::ok(delete::one(world, ask, request)?),
        ("deletecollection", _) => Outcome::ok(delete::many(world, ask, request)?),
        _ => return Err(Refusal::method_not_allowed()),
    };
    Ok(match outcome {
        Outcome::Object(status, object, warnings) => {
            let object = in_version(object, ask);
            Outcome::Object(status, table::convert(object, ask, request, world.now), warnings)
        }
        other => other,
    })
}

/// The object in the version that was asked for.
pub(crate) fn in_version(mut object: Value, ask: &Ask) -> Value {
    if ask.version != ask.kind.version {
        let api_version = ask.kind.api_version_in(&ask.version);
        if object["kind"] == ask.kind.kind {
            super::object::put(&mut object, &["apiVersion"], Value::from(api_version.as_str()));
        }
        if let Some(items) = object.get_mut("items").and_then(Value::as_array_mut) {
            for item in items {
                super::object::put(item, &["apiVersion"], Value::from(api_version.as_str()));
            }
        }
    }
    object
}

/// Whether an address is one of the server itself.
pub(crate) fn address(request: &Request) -> Result<Address, Refusal> {
    ask::read(request)
}
