//! Misspelt keys, and values that ECS will refuse, told before anything is sent. They are warnings: a key that this
//! program does not know may be newer than it, and goes to ECS as it came.
//!
//! The lists are the members of `RegisterTaskDefinitionRequest` and `ContainerDefinition` in the service model of ECS
//! (botocore, `ecs/2014-11-13/service-2.json`, as of botocore 1.43.11).

use serde_json::{Map, Value};

use gha::text;

use crate::task_definition::{TaskDefinition, text as text_of};

/// Keys of a task definition.
const OF_TASK: [&str; 18] = [
    "containerDefinitions",
    "cpu",
    "enableFaultInjection",
    "ephemeralStorage",
    "executionRoleArn",
    "family",
    "inferenceAccelerators",
    "ipcMode",
    "memory",
    "networkMode",
    "pidMode",
    "placementConstraints",
    "proxyConfiguration",
    "requiresCompatibilities",
    "runtimePlatform",
    "tags",
    "taskRoleArn",
    "volumes",
];

/// Keys of a container.
const OF_CONTAINER: [&str; 42] = [
    "command",
    "cpu",
    "credentialSpecs",
    "dependsOn",
    "disableNetworking",
    "dnsSearchDomains",
    "dnsServers",
    "dockerLabels",
    "dockerSecurityOptions",
    "entryPoint",
    "environment",
    "environmentFiles",
    "essential",
    "extraHosts",
    "firelensConfiguration",
    "healthCheck",
    "hostname",
    "image",
    "interactive",
    "links",
    "linuxParameters",
    "logConfiguration",
    "memory",
    "memoryReservation",
    "mountPoints",
    "name",
    "portMappings",
    "privileged",
    "pseudoTerminal",
    "readonlyRootFilesystem",
    "repositoryCredentials",
    "resourceRequirements",
    "restartPolicy",
    "secrets",
    "startTimeout",
    "stopTimeout",
    "systemControls",
    "ulimits",
    "user",
    "versionConsistency",
    "volumesFrom",
    "workingDirectory",
];

/// Keys of a task definition whose values are texts, numbers too (`cpu` and `memory` of a container are numbers).
const TEXTS_OF_TASK: [&str; 5] = ["cpu", "executionRoleArn", "family", "memory", "taskRoleArn"];

/// The most warnings that are given.
const MOST: usize = 20;

/// What looks wrong in a task definition, each a line.
#[must_use]
pub fn warnings(definition: &TaskDefinition) -> Vec<String> {
    let mut found = misspelt(definition.content(), &OF_TASK, "the task definition");
    for key in TEXTS_OF_TASK {
        let of = "the task definition".to_owned();
        found.extend(
            definition
                .content()
                .get(key)
                .and_then(|value| not_text(key, value, &of)),
        );
    }
    found.extend(variables(
        definition.content(),
        "tags",
        "key",
        "the task definition",
    ));
    for container in definition.containers() {
        let of = format!("container `{}`", shown(container.name().unwrap_or_default()));
        found.extend(misspelt(container.content(), &OF_CONTAINER, &of));
        found.extend(variables(container.content(), "environment", "name", &of));
    }
    found.truncate(MOST);
    found
}

/// Keys that are not known and near to one that is.
fn misspelt(map: &Map<String, Value>, known: &[&str], of: &str) -> Vec<String> {
    map.keys()
        .filter(|key| !known.contains(&key.as_str()))
        .filter_map(|key| {
            let near = nearest(key, known)?;
            let key = shown(key);
            Some(format!(
                "the key `{key}` of {of} is not known; did you mean `{near}`? it is sent as it is"
            ))
        })
        .collect()
}

/// The known key that is at most a third of its letters away, whatever the case.
fn nearest<'a>(key: &str, known: &[&'a str]) -> Option<&'a str> {
    // Foreign keys may be long, and the distance takes their product.
    let key: String = key.chars().take(64).collect::<String>().to_ascii_lowercase();
    known
        .iter()
        .map(|known| {
            (
                strsim::damerau_levenshtein(&known.to_ascii_lowercase(), &key),
                *known,
            )
        })
        .filter(|(distance, known)| *distance <= (known.len() / 3).clamp(1, 3))
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, known)| known)
}

/// Entries of a list of names and values whose value is no text, as YAML makes of `value: 8080`.
fn variables(map: &Map<String, Value>, list: &str, key: &str, of: &str) -> Vec<String> {
    let entries = map.get(list).and_then(Value::as_array);
    entries
        .into_iter()
        .flatten()
        .filter_map(|entry| {
            let name = shown(text_of(entry, key).unwrap_or_default());
            not_text(
                "value",
                entry.get("value")?,
                &format!("`{name}` in `{list}` of {of}"),
            )
        })
        .collect()
}

fn not_text(key: &str, value: &Value, of: &str) -> Option<String> {
    let is = match value {
        Value::String(_) | Value::Null => return None,
        Value::Bool(_) => "a truth value",
        Value::Number(_) => "a number",
        Value::Array(_) => "a list",
        Value::Object(_) => "a map",
    };
    Some(format!(
        "`{key}` of {of} is {is}, and ECS takes a text; put it in quotes"
    ))
}

fn shown(foreign: &str) -> String {
    text::cut(&text::visible(foreign), 80)
}
