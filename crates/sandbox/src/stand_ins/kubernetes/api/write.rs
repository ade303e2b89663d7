//! Creating, updating and patching.

use serde_json::{Value, json};
use uuid::Uuid;

use super::{Outcome, defaults, delete, managed, validate};
use crate::http::Request;
use crate::stand_ins::kubernetes::ask::{self, Ask};
use crate::stand_ins::kubernetes::kinds::Kind;
use crate::stand_ins::kubernetes::object;
use crate::stand_ins::kubernetes::patch::apply::{self, Applier};
use crate::stand_ins::kubernetes::patch::{self, Style, strategic};
use crate::stand_ins::kubernetes::refusal::Refusal;
use crate::stand_ins::kubernetes::schema::{Field, strict};
use crate::stand_ins::kubernetes::store::Key;
use crate::stand_ins::kubernetes::world::World;

/// Kinds whose changes are not counted.
const UNCOUNTED: [&str; 5] = [
    "services",
    "leases",
    "namespaces",
    "persistentvolumeclaims",
    "resourcequotas",
];

pub(super) fn create(world: &mut World, ask: &Ask, request: &Request) -> Result<Outcome, Refusal> {
    let mut object = ask::body(request)?;
    let warnings = intake(&mut object, ask)?;
    let stored = make(world, ask, object, Some(&ask.manager(request)))?;
    Ok(Outcome::Object(201, stored, warnings))
}

pub(super) fn update(world: &mut World, ask: &Ask, request: &Request) -> Result<Outcome, Refusal> {
    let mut object = ask::body(request)?;
    let warnings = intake(&mut object, ask)?;
    let Some(before) = live(world, ask) else {
        return Err(Refusal::not_found(ask.kind, &ask.name));
    };
    if object::name(&object) != ask.name {
        return Err(Refusal::bad_request(format!(
            "the name of the object ({}) does not match the name on the URL ({})",
            object::name(&object),
            ask.name
        )));
    }
    let stored = store(world, ask, &before, object, Some(&ask.manager(request)))?;
    Ok(Outcome::Object(200, stored, warnings))
}

pub(super) fn patch(world: &mut World, ask: &Ask, request: &Request) -> Result<Outcome, Refusal> {
    let style = Style::of(request.header("content-type").unwrap_or_default(), ask.kind)?;
    if style == Style::Apply {
        return apply_patch(world, ask, request);
    }
    let Some(before) = live(world, ask) else {
        return Err(Refusal::not_found(ask.kind, &ask.name));
    };
    let change = ask::body(request)?;
    let mut after = match style {
        Style::Json => patch::json(&before, &change)?,
        Style::Merge => patch::merge(&before, &change),
        _ => strategic::patch(&before, &change, &Field::Struct(ask.kind.type_name(), false))?,
    };
    let warnings = checked(&mut after, ask)?;
    let stored = store(world, ask, &before, after, Some(&ask.manager(request)))?;
    Ok(Outcome::Object(200, stored, warnings))
}

fn apply_patch(world: &mut World, ask: &Ask, request: &Request) -> Result<Outcome, Refusal> {
    let manager = ask.query.text("fieldManager");
    if manager.is_empty() {
        let message = "PatchOptions.meta.k8s.io \"\" is invalid: fieldManager: Required value: is required for apply patch";
        return Err(Refusal::new(422, "Invalid", message));
    }
    // The media type says YAML, of which JSON is a part; most clients send JSON.
    let mut wanted: Value = match serde_json::from_slice(&request.body) {
        Ok(read) => read,
        Err(_) => yaml_serde::from_slice(&request.body)
            .map_err(|error| Refusal::bad_request(format!("error decoding YAML: {error}")))?,
    };
    if !object::items(&wanted, "/metadata/managedFields").is_empty() {
        return Err(Refusal::bad_request("metadata.managedFields must be nil"));
    }
    is_declared(&wanted, ask)?;
    let warnings = intake(&mut wanted, ask)?;
    if !ask.name.is_empty() && object::name(&wanted).is_empty() {
        object::put(&mut wanted, &["metadata", "name"], json!(ask.name));
    }
    let before = live(world, ask);
    let kind = Field::Struct(ask.kind.type_name(), false);
    let by = Applier {
        manager,
        force: ask.query.flag("force"),
        part: &ask.part,
        api_version: &ask.kind.api_version_in(&ask.version),
        now: world.now,
    };
    if let Some(asked) = before.as_ref().filter(|_| !object::uid(&wanted).is_empty())
        && object::uid(&wanted) != object::uid(asked)
    {
        return Err(Refusal::conflict(ask.kind, &ask.name, "uid mismatch"));
    }
    let applied = apply::apply(before.as_ref(), &wanted, &kind, by)?;
    let (status, stored) = match before {
        Some(before) => (200, store(world, ask, &before, applied, None)?),
        None => (201, make(world, ask, applied, None)?),
    };
    Ok(Outcome::Object(status, stored, warnings))
}

/// Who applies may name no field that there is not, whatever the request says about validation.
fn is_declared(wanted: &Value, ask: &Ask) -> Result<(), Refusal> {
    let findings = strict::check(wanted, ask.kind.type_name());
    let Some(field) = findings.unknown.first() else {
        return Ok(());
    };
    let message = format!(
        "failed to create typed patch object ({}/{}; {}, Kind={}): .{field}: field not declared in schema",
        ask.namespace,
        ask.name,
        ask.kind.api_version_in(&ask.version),
        ask.kind.kind
    );
    Err(Refusal::new(500, "InternalError", message))
}

fn live(world: &World, ask: &Ask) -> Option<Value> {
    let key = Key::new(ask.kind.plural, &ask.namespace, &ask.name);
    world.store.get(&key).cloned()
}

/// Checks an object that was sent: that it is of the kind, and has the fields of it. The warnings.
fn intake(object: &mut Value, ask: &Ask) -> Result<Vec<String>, Refusal> {
    let [api_version, kind] =
        ["/apiVersion", "/kind"].map(|pointer| object::text(object, pointer).to_owned());
    if api_version.is_empty() || kind.is_empty() {
        return Err(Refusal::bad_request("Object 'Kind' is missing in the body"));
    }
    if kind != ask.kind.kind {
        return Err(Refusal::bad_request(format!(
            "{kind} in version \"{api_version}\" cannot be handled as a {}: the object provided is unrecognized",
            ask.kind.kind
        )));
    }
    if api_version != ask.kind.api_version_in(&ask.version) {
        return Err(Refusal::bad_request(format!(
            "the API version in the data ({api_version}) does not match the expected API version ({})",
            ask.kind.api_version_in(&ask.version)
        )));
    }
    object::put(object, &["apiVersion"], json!(ask.kind.api_version()));
    let namespace = object::namespace(object);
    if ask.kind.namespaced && !namespace.is_empty() && namespace != ask.namespace {
        return Err(Refusal::bad_request(format!(
            "the namespace of the provided object does not match the namespace sent on the request ({namespace} != {})",
            ask.namespace
        )));
    }
    if ask.kind.namespaced {
        object::put(object, &["metadata", "namespace"], json!(ask.namespace));
    }
    checked(object, ask)
}

/// Unknown fields are refused, warned of or taken silently, as the request says; values of wrong types are refused.
fn checked(object: &mut Value, ask: &Ask) -> Result<Vec<String>, Refusal> {
    let findings = strict::check(object, ask.kind.type_name());
    let api_version = ask.kind.api_version_in(&ask.version);
    if let Some(first) = findings.mistyped.first() {
        return Err(Refusal::bad_request(format!(
            "{} in version \"{api_version}\" cannot be handled as a {}: {first}",
            ask.kind.kind, ask.kind.kind
        )));
    }
    let unknown: Vec<String> = findings
        .unknown
        .iter()
        .map(|field| format!("unknown field \"{field}\""))
        .collect();
    match ask.query.text("fieldValidation") {
        "Strict" if !unknown.is_empty() => {
            let message = format!(
                "{} in version \"{api_version}\" cannot be handled as a {}: strict decoding error: {}",
                ask.kind.kind,
                ask.kind.kind,
                unknown.join(", ")
            );
            return Err(Refusal::bad_request(message));
        }
        "" | "Warn" | "Strict" | "Ignore" => {}
        other => {
            return Err(Refusal::new(
                422,
                "Invalid",
                format!("fieldValidation: Unsupported value: \"{other}\""),
            ));
        }
    }
    strict::prune(object, ask.kind.type_name());
    Ok(match ask.query.text("fieldValidation") {
        "Ignore" => Vec::new(),
        _ => unknown,
    })
}

/// Creates an object.
fn make(world: &mut World, ask: &Ask, mut object: Value, manager: Option<&str>) -> Result<Value, Refusal> {
    let kind = ask.kind;
    is_open(world, kind, &object)?;
    if object::name(&object).is_empty() {
        let begin = object::text(&object, "/metadata/generateName").to_owned();
        if begin.is_empty() {
            let why = "Required value: name or generateName is required".to_owned();
            return Err(Refusal::invalid(kind, "", &[("metadata.name".to_owned(), why)]));
        }
        let name = format!("{begin}{}", world.random_end());
        object::put(&mut object, &["metadata", "name"], json!(name));
    }
    let name = object::name(&object).to_owned();
    if !object::text(&object, "/metadata/resourceVersion").is_empty() {
        return Err(Refusal::bad_request(
            "resourceVersion should not be set on objects to be created",
        ));
    }
    if world.store.get(&Key::of(kind, &object)).is_some() {
        return Err(Refusal::exists(kind, &name));
    }
    for given in [
        "uid",
        "creationTimestamp",
        "deletionTimestamp",
        "generation",
        "selfLink",
    ] {
        object::take(&mut object, &["metadata", given]);
    }
    if kind.has("status") {
        object::take(&mut object, &["status"]);
    }
    defaults::fill(world, kind, &mut object);
    validate::object(kind, &object, None)?;
    if let Some(manager) = manager {
        managed::updated(world, ask, None, &mut object, manager);
    }
    if ask.is_dry() {
        object::put(
            &mut object,
            &["metadata", "uid"],
            json!(Uuid::new_v4().to_string()),
        );
        let created = json!(object::moment(world.now));
        object::put(&mut object, &["metadata", "creationTimestamp"], created);
        return Ok(object);
    }
    Ok(world.add(kind, object))
}

/// Whether something may be made in its namespace.
fn is_open(world: &World, kind: &Kind, object: &Value) -> Result<(), Refusal> {
    if !kind.namespaced {
        return Ok(());
    }
    let name = object::namespace(object);
    let Some(namespace) = world.store.get(&Key::new("namespaces", "", name)) else {
        let message = format!("namespaces \"{name}\" not found");
        let details = json!({ "name": name, "kind": "namespaces" });
        return Err(Refusal::new(404, "NotFound", message).details(details));
    };
    if object::is_leaving(namespace) {
        let message = format!(
            "{} \"{}\" is forbidden: unable to create new content in namespace {name} because it is being terminated",
            kind.qualified(),
            object::name(object)
        );
        let cause = json!({ "reason": "NamespaceTerminating", "message": format!("namespace {name} is being terminated"), "field": "metadata.namespace" });
        let details = json!({ "name": object::name(object), "kind": kind.plural, "causes": [cause] });
        return Err(Refusal::new(403, "Forbidden", message).details(details));
    }
    Ok(())
}

/// Puts an object in place of what is there.
fn store(
    world: &mut World,
    ask: &Ask,
    before: &Value,
    mut after: Value,
    manager: Option<&str>,
) -> Result<Value, Refusal> {
    let kind = ask.kind;
    let version = object::text(&after, "/metadata/resourceVersion");
    if !version.is_empty() && version != object::text(before, "/metadata/resourceVersion") {
        return Err(Refusal::modified(kind, &ask.name));
    }
    let uid = object::uid(&after);
    if !uid.is_empty() && uid != object::uid(before) {
        let why = format!(
            "Precondition failed: UID in precondition: {uid}, UID in object meta: {}",
            object::uid(before)
        );
        return Err(Refusal::conflict(kind, &ask.name, &why));
    }
    if object::name(&after) != ask.name {
        let why = format!("Invalid value: \"{}\": field is immutable", object::name(&after));
        return Err(Refusal::invalid(
            kind,
            &ask.name,
            &[("metadata.name".to_owned(), why)],
        ));
    }
    keep(&mut after, before, ask);
    defaults::fill(world, kind, &mut after);
    validate::object(kind, &after, Some(before))?;
    if let Some(manager) = manager {
        managed::updated(world, ask, Some(before), &mut after, manager);
    }
    if after.get("spec") != before.get("spec") && !UNCOUNTED.contains(&kind.plural) {
        let generation = object::number(before, "/metadata/generation").unwrap_or_default() + 1;
        object::put(&mut after, &["metadata", "generation"], json!(generation));
    }
    if ask.is_dry() {
        return Ok(after);
    }
    let stored = world.store.replace(kind, after);
    Ok(delete::finish_if_free(world, kind, stored))
}

/// What a request can't change stays: what the server gave, and the part of the object that was not asked for.
fn keep(after: &mut Value, before: &Value, ask: &Ask) {
    const GIVEN: [&str; 7] = [
        "uid",
        "creationTimestamp",
        "deletionTimestamp",
        "deletionGracePeriodSeconds",
        "generation",
        "selfLink",
        "namespace",
    ];
    for field in GIVEN {
        object::take(after, &["metadata", field]);
        if let Some(value) = before.pointer(&format!("/metadata/{field}")) {
            object::put(after, &["metadata", field], value.clone());
        }
    }
    if ask.part == "status" {
        let status = after.get("status").cloned();
        let managed = after.pointer("/metadata/managedFields").cloned();
        *after = before.clone();
        if let Some(status) = status {
            object::put(after, &["status"], status);
        }
        if let Some(managed) = managed {
            object::put(after, &["metadata", "managedFields"], managed);
        }
    } else if ask.kind.has("status") {
        object::take(after, &["status"]);
        if let Some(status) = before.get("status") {
            object::put(after, &["status"], status.clone());
        }
    }
}
