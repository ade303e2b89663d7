//! The way to a new version before it has traffic: a port on this machine that leads into its pods.

use gha::text;
use serde_json::Value;

use crate::api::{Kind, Which};
use crate::color::preview;
use crate::error::Error;
use crate::forward::{self, Forward};
use crate::object;
use crate::place::Place;

/// A preview that can be looked at, until it is dropped.
pub struct Preview {
    forward: Forward,
}

impl Preview {
    /// Opens the way to the pods of a Service's preview. `port` is one of the Service's, by name or number.
    ///
    /// # Errors
    /// When there is no such port, or no way.
    pub async fn open(service: &str, port: Option<&str>, place: &Place<'_>) -> Result<Self, Error> {
        let name = preview(service);
        let found = place.api.get(&Kind::service(), &place.namespace, &name).await;
        let found = found.map_err(Error::refused(format!("read Service `{name}`")))?;
        let object = found.ok_or_else(|| Error::unfit(format!("there is no Service `{name}`")))?;
        let selector = object::written(&object::labels_at(&object, "/spec/selector"));
        let which = Which {
            labels: Some(&selector),
            fields: None,
        };
        let pods = place.api.list(&Kind::pod(), &place.namespace, &which).await;
        let pods = pods.map_err(Error::refused(format!("read the pods of Service `{name}`")))?;
        let ready: Vec<&Value> = pods.iter().filter(|pod| is_ready(pod)).collect();
        let first = ready
            .first()
            .ok_or_else(|| Error::unfit(format!("Service `{name}` has no ready pod to look at")))?;
        let number = target(&object, port, first)?;
        let pods = ready.iter().map(|pod| object::name(pod).to_owned()).collect();
        let forward = forward::open(&place.api, &place.namespace, pods, number).await;
        let forward = forward.map_err(|error| Error::Unfit {
            help: error.help().map(str::to_owned),
            reason: error.to_string(),
        })?;
        Ok(Self { forward })
    }

    /// Why a look through it failed, where one did.
    #[must_use]
    pub fn trouble(&self) -> Option<String> {
        self.forward.trouble()
    }

    /// Its address on this machine.
    #[must_use]
    pub fn url(&self) -> String {
        self.forward.url()
    }
}

fn is_ready(pod: &Value) -> bool {
    !object::is_leaving(pod) && object::condition(pod, "Ready").is_some_and(|ready| ready.status == "True")
}

/// The port of a pod behind a port of a Service
/// (<https://kubernetes.io/docs/concepts/services-networking/service/#field-spec-ports>).
fn target(service: &Value, port: Option<&str>, pod: &Value) -> Result<u16, Error> {
    let ports = object::entries(service, "/spec/ports");
    let is = |entry: &&Value, asked: &str| {
        object::text(entry, "/name") == asked
            || entry["port"]
                .as_u64()
                .is_some_and(|port| port.to_string() == asked)
    };
    let found = match port {
        None => ports.first(),
        Some(asked) => ports.iter().find(|entry| is(entry, asked)),
    };
    let name = object::name(service);
    let Some(found) = found else {
        let there: Vec<String> = ports
            .iter()
            .map(|entry| format!("`{}`", text::line(&entry["port"].to_string())))
            .collect();
        return Err(Error::Flag {
            flag: "preview-port",
            reason: format!("Service `{name}` has no such port; it has {}", there.join(", ")),
        });
    };
    let number = match &found["targetPort"] {
        Value::String(named) => container_port(pod, named),
        Value::Null => found["port"].as_u64(),
        number => number.as_u64(),
    };
    number
        .and_then(|number| u16::try_from(number).ok())
        .ok_or_else(|| {
            Error::unfit(format!(
                "no container of pod `{}` has the port that Service `{name}` leads to, `{}`",
                text::line(object::name(pod)),
                text::line(&found["targetPort"].to_string())
            ))
        })
}

fn container_port(pod: &Value, name: &str) -> Option<u64> {
    object::entries(pod, "/spec/containers")
        .iter()
        .flat_map(|container| object::entries(container, "/ports"))
        .find(|port| port["name"] == name)
        .and_then(|port| port["containerPort"].as_u64())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_port_of_a_service_is_one_of_a_pod() {
        let service = json!({"metadata": {"name": "web-preview"}, "spec": {"ports": [
            {"name": "http", "port": 80, "targetPort": "web"}, {"name": "admin", "port": 81, "targetPort": 9000},
            {"name": "same", "port": 82}]}});
        let pod = json!({"metadata": {"name": "p"}, "spec": {"containers": [
            {"ports": [{"name": "web", "containerPort": 8080}]}]}});
        for (asked, expected) in [
            (None, Some(8080)),
            (Some("http"), Some(8080)),
            (Some("81"), Some(9000)),
            (Some("same"), Some(82)),
            (Some("nope"), None),
        ] {
            assert_eq!(target(&service, asked, &pod).ok(), expected, "{asked:?}");
        }
        let other = json!({"metadata": {"name": "p"}, "spec": {"containers": [{}]}});
        assert!(target(&service, None, &other).is_err());
    }
}
