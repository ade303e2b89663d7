//! Reading one object and lists, page by page.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Value, json};

use crate::stand_ins::kubernetes::ask::Ask;
use crate::stand_ins::kubernetes::object;
use crate::stand_ins::kubernetes::refusal::Refusal;
use crate::stand_ins::kubernetes::selectors::{Fields, Labels};
use crate::stand_ins::kubernetes::store::Key;
use crate::stand_ins::kubernetes::world::World;

pub(super) fn get(world: &World, ask: &Ask) -> Result<Value, Refusal> {
    let key = Key::new(ask.kind.plural, &ask.namespace, &ask.name);
    let found = world.store.get(&key).cloned();
    found.ok_or_else(|| Refusal::not_found(ask.kind, &ask.name))
}

pub(super) fn list(world: &World, ask: &Ask) -> Result<Value, Refusal> {
    let labels = Labels::parse(ask.query.text("labelSelector"))?;
    let mut fields = Fields::parse(ask.query.text("fieldSelector"))?;
    if !ask.name.is_empty() {
        fields = Fields::parse(&format!("metadata.name={}", ask.name))?;
    }
    let fit = |object: &&Value| labels.fit(object) && fields.fit(object);
    let mut found: Vec<&Value> = world
        .store
        .list(ask.kind.plural, &ask.namespace)
        .filter(fit)
        .collect();
    let mut revision = world.store.revision();
    if ask.query.has("continue") {
        let (begun, after) = continued(ask.query.text("continue"))?;
        if begun < world.store.compacted() {
            return Err(expired());
        }
        revision = begun;
        found.retain(|object| place(object) > after);
    }
    let mut meta = json!({ "resourceVersion": revision.to_string() });
    let limit = usize::try_from(ask.query.number("limit").unwrap_or_default()).unwrap_or(usize::MAX);
    if limit > 0 && found.len() > limit {
        let left = found.len() - limit;
        found.truncate(limit);
        let last = found.last().map(|last| place(last)).unwrap_or_default();
        object::put(&mut meta, &["continue"], json!(token(revision, &last)));
        object::put(&mut meta, &["remainingItemCount"], json!(left));
    }
    let items: Vec<Value> = found.into_iter().map(|item| bare(item, ask)).collect();
    Ok(json!({
        "kind": format!("{}List", ask.kind.kind), "apiVersion": ask.kind.api_version_in(&ask.version),
        "metadata": meta, "items": items,
    }))
}

/// Items of lists of built-in kinds do not say their kind.
fn bare(item: &Value, ask: &Ask) -> Value {
    let mut item = item.clone();
    if !ask.kind.custom {
        object::take(&mut item, &["kind"]);
        object::take(&mut item, &["apiVersion"]);
    }
    item
}

fn place(object: &Value) -> (String, String) {
    (
        object::namespace(object).to_owned(),
        object::name(object).to_owned(),
    )
}

fn token(revision: u64, last: &(String, String)) -> String {
    URL_SAFE_NO_PAD
        .encode(json!({ "v": "meta.k8s.io/v1", "rv": revision, "start": [last.0, last.1] }).to_string())
}

fn continued(token: &str) -> Result<(u64, (String, String)), Refusal> {
    let read = || {
        let bytes = URL_SAFE_NO_PAD.decode(token).ok()?;
        let token: Value = serde_json::from_slice(&bytes).ok()?;
        let start = [
            object::text(&token, "/start/0").to_owned(),
            object::text(&token, "/start/1").to_owned(),
        ];
        let [namespace, name] = start;
        Some((token["rv"].as_u64()?, (namespace, name)))
    };
    read().ok_or_else(|| Refusal::bad_request("continue key is not valid"))
}

fn expired() -> Refusal {
    Refusal::new(
        410,
        "Expired",
        "The provided continue parameter is too old to display a consistent list result. You can start a new list without the \
         continue parameter.",
    )
}
