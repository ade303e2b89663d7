//! Putting an object there as a whole: created where there is none, else replaced, with what was read as the condition. Whole,
//! because what is left of another version in it would be a part of the new one.

use std::time::Duration;

use serde_json::{Value, json};
use tokio::time::sleep;

use crate::api::{Kind, Refused};
use crate::error::Error;
use crate::object;
use crate::place::Place;

/// How often it is tried.
const TRIES: u32 = 6;

/// From one try to the next.
const PAUSE: Duration = Duration::from_secs(1);

/// Puts an object into its namespace; gives how the server has it.
///
/// # Errors
/// When the server does not take it, or nothing is heard of it.
pub async fn put(kind: &Kind, object: &Value, place: &Place<'_>) -> Result<Value, Error> {
    let name = object::name(object);
    let failed = || Error::refused(format!("put {} `{name}` there", kind.kind));
    let mut tries = 1;
    loop {
        match once(kind, object, place).await {
            Ok(there) => return Ok(there),
            Err(refused) if tries < TRIES && may_come(&refused) => {
                tries += 1;
                sleep(PAUSE).await;
            }
            Err(refused) => return Err(failed()(refused)),
        }
    }
}

/// What would come of putting an object there; nothing is stored.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Would {
    /// It would be new.
    Create,
    /// It would take another's place.
    Replace,
    /// It is there already.
    Nothing,
}

/// What would come of putting an object into its namespace.
///
/// # Errors
/// When the server would not take it.
pub async fn would(kind: &Kind, object: &Value, place: &Place<'_>) -> Result<Would, Refused> {
    let name = object::name(object);
    let Some(there) = place.api.get(kind, &place.namespace, name).await? else {
        place.api.would_create(kind, &place.namespace, object).await?;
        return Ok(Would::Create);
    };
    let whole = over(object, &there);
    if is_same(&whole, &there) {
        return Ok(Would::Nothing);
    }
    place.api.would_replace(kind, &place.namespace, &whole).await?;
    Ok(Would::Replace)
}

/// Whether the same may come through a moment later; a webhook that is out of reach is an answer of 500.
fn may_come(refused: &Refused) -> bool {
    refused.may_pass() || refused.is_condition() || refused.is_there_already()
}

async fn once(kind: &Kind, object: &Value, place: &Place<'_>) -> Result<Value, Refused> {
    let name = object::name(object);
    let there = place.api.get(kind, &place.namespace, name).await?;
    match there {
        None => place.api.create(kind, &place.namespace, object).await,
        Some(there) => {
            let whole = over(object, &there);
            if is_same(&whole, &there) {
                return Ok(there);
            }
            place.api.replace(kind, &place.namespace, &whole).await
        }
    }
}

/// An object as it is put over another one: with that one's identity, and what only the server may choose.
fn over(object: &Value, there: &Value) -> Value {
    let mut whole = object.clone();
    for key in ["resourceVersion", "uid"] {
        whole["metadata"][key] = there["metadata"][key].clone();
    }
    for key in ["clusterIP", "clusterIPs", "ipFamilies", "ipFamilyPolicy"] {
        let chosen = there.pointer(&format!("/spec/{key}"));
        if let (Some(chosen), "Service") = (chosen, object::text(object, "/kind")) {
            whole["spec"][key] = json!(chosen);
        }
    }
    whole
}

/// Whether all that is put is there already; what the server adds does not count.
fn is_same(whole: &Value, there: &Value) -> bool {
    match (whole, there) {
        (Value::Object(whole), Value::Object(there)) => whole.iter().all(|(key, value)| {
            there
                .get(key)
                .map_or(value.is_null(), |found| is_same(value, found))
        }),
        (Value::Array(whole), Value::Array(there)) => {
            whole.len() == there.len() && whole.iter().zip(there).all(|(one, other)| is_same(one, other))
        }
        _ => whole == there,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_the_server_added_is_no_difference_and_what_is_put_is() {
        let there = json!({"kind": "Service", "metadata": {"name": "web", "uid": "u", "resourceVersion": "9"}, "spec": {
            "clusterIP": "10.0.0.1", "ports": [{"port": 80, "protocol": "TCP"}]}});
        let put = |port: u64| json!({"kind": "Service", "metadata": {"name": "web"}, "spec": {"ports": [{"port": port}]}});
        assert!(is_same(&over(&put(80), &there), &there));
        assert!(!is_same(&over(&put(81), &there), &there));
        assert_eq!(over(&put(81), &there)["spec"]["clusterIP"], "10.0.0.1");
        assert_eq!(over(&put(81), &there)["metadata"]["resourceVersion"], "9");
    }
}
