//! Whether two task definitions would run the same: scenario "no change, no new revision".
//!
//! Wrongly "the same" would leave an old version in service, wrongly "changed" costs one revision. So a rule stands here
//! only with a source, and everything else must be equal. The sources:
//! - C: ContainerDefinition, <https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_ContainerDefinition.html>,
//!   and the pages of its parts, linked from it (PortMapping, MountPoint, VolumeFrom, HealthCheck)
//! - T: RegisterTaskDefinition, <https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_RegisterTaskDefinition.html>
//! - V: EFSVolumeConfiguration, <https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_EFSVolumeConfiguration.html>
//! - A: the answers that ECS gives to registrations without these keys, in the examples of the AWS CLI,
//!   <https://docs.aws.amazon.com/cli/latest/reference/ecs/register-task-definition.html#examples>
//! - E: what the Terraform provider takes for equal, `task_definition_equivalency.go` of hashicorp/terraform-provider-aws

use serde_json::{Map, Value, json};

use crate::task_definition::{TaskDefinition, text};

/// Lists of a task definition that ECS answers with where none was given (A). An empty list of tags is no tag.
const EMPTY_IN_TASK: [&str; 3] = ["placementConstraints", "tags", "volumes"];

/// The same of a container (A); `secrets`, `environmentFiles` and `systemControls` are of the same kind: with no entry
/// they say nothing.
const EMPTY_IN_CONTAINER: [&str; 7] = [
    "environment",
    "environmentFiles",
    "mountPoints",
    "portMappings",
    "secrets",
    "systemControls",
    "volumesFrom",
];

/// Whether two task definitions would run the same. An image whose tag now means another content is the same here.
#[must_use]
pub fn same(one: &TaskDefinition, other: &TaskDefinition) -> bool {
    plain(one) == plain(other)
}

/// A task definition without what ECS adds by itself, and in one order where ECS has none.
pub(crate) fn plain(definition: &TaskDefinition) -> Map<String, Value> {
    let mut plain = definition.content().clone();
    drop_nothings(&mut plain, &EMPTY_IN_TASK);
    // The default is false (T).
    drop_equal(&mut plain, "enableFaultInjection", &json!(false));
    // Texts with a unit are converted when the task definition is registered (T).
    convert(&mut plain, "cpu", "vcpu");
    convert(&mut plain, "memory", "gb");
    if let Some(Value::Array(tags)) = plain.get_mut("tags") {
        sort_by(tags, "key");
    }
    for volume in objects(&mut plain, "volumes") {
        if let Some(Value::Object(efs)) = volume.get_mut("efsVolumeConfiguration") {
            // Without it the root is used, and `/` has the same effect (V); the default is DISABLED (V).
            drop_equal(efs, "rootDirectory", &json!("/"));
            drop_equal(efs, "transitEncryption", &json!("DISABLED"));
        }
    }
    let network = plain
        .get("networkMode")
        .and_then(Value::as_str)
        .map(str::to_owned);
    for container in objects(&mut plain, "containerDefinitions") {
        plain_container(container, network.as_deref());
    }
    plain
}

fn plain_container(container: &mut Map<String, Value>, network: Option<&str>) {
    drop_nothings(container, &EMPTY_IN_CONTAINER);
    // A container is taken for essential (C, E); a value of zero is what nothing is passed as (C).
    drop_equal(container, "essential", &json!(true));
    drop_equal(container, "cpu", &json!(0));
    for list in ["environment", "secrets"] {
        // ECS keeps no order (E). The sort is stable: of a name that stands twice, which comes last stays.
        if let Some(Value::Array(entries)) = container.get_mut(list) {
            sort_by(entries, "name");
        }
    }
    for mapping in objects(container, "portMappings") {
        plain_port(mapping, network);
    }
    for list in ["mountPoints", "volumesFrom"] {
        for mount in objects(container, list) {
            // The default is false (C).
            drop_equal(mount, "readOnly", &json!(false));
        }
    }
    if let Some(Value::Object(check)) = container.get_mut("healthCheck") {
        // Seconds, seconds and a count (C).
        for (key, default) in [("interval", 30), ("timeout", 5), ("retries", 3)] {
            drop_equal(check, key, &json!(default));
        }
    }
}

fn plain_port(mapping: &mut Map<String, Value>, network: Option<&str>) {
    // The default is tcp (C).
    drop_equal(mapping, "protocol", &json!("tcp"));
    match network {
        // Left blank, or the same value as the container's port (C).
        Some("awsvpc" | "host") => {
            if let Some(port) = mapping.get("containerPort").cloned() {
                drop_equal(mapping, "hostPort", &port);
            }
        }
        // Omitted, or set to 0 (C); without a mode it is bridge (T).
        Some("bridge") | None => drop_equal(mapping, "hostPort", &json!(0)),
        Some(_) => {}
    }
}

/// Takes off keys that are null, which in this protocol is the same as absent
/// (<https://smithy.io/2.0/aws/protocols/aws-json-1_1-protocol.html>), and those lists that are empty.
fn drop_nothings(map: &mut Map<String, Value>, lists: &[&str]) {
    map.retain(|key, value| {
        let is_empty = value.as_array().is_some_and(Vec::is_empty) && lists.contains(&key.as_str());
        !value.is_null() && !is_empty
    });
}

fn drop_equal(map: &mut Map<String, Value>, key: &str, default: &Value) {
    if map.get(key) == Some(default) {
        map.shift_remove(key);
    }
}

/// Replaces `0.5 vCPU` or `1 GB` by the number of CPU units or MiB, 1,024 to one, where that is a whole number.
fn convert(map: &mut Map<String, Value>, key: &str, unit: &str) {
    let Some(Value::String(amount)) = map.get_mut(key) else {
        return;
    };
    let lower = amount.to_ascii_lowercase();
    let number = lower
        .strip_suffix(unit)
        .and_then(|number| number.trim().parse::<f64>().ok());
    let units = number.map(|number| number * 1024.0);
    if let Some(units) = units.filter(|units| units.fract() == 0.0 && (1.0..1e9).contains(units)) {
        *amount = format!("{units:.0}");
    }
}

fn sort_by(entries: &mut [Value], key: &str) {
    entries.sort_by(|one, other| text(one, key).cmp(&text(other, key)));
}

/// The objects of a list.
fn objects<'a>(
    map: &'a mut Map<String, Value>,
    key: &str,
) -> impl Iterator<Item = &'a mut Map<String, Value>> {
    let list = map.get_mut(key).and_then(Value::as_array_mut);
    list.into_iter().flatten().filter_map(Value::as_object_mut)
}
