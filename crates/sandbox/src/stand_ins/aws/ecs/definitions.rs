//! Task definitions, kept whole as they were registered, keys that nobody knows yet included.
//!
//! Limits: of the API's validation only what a deploy meets: a family's name, containers with names and images.

use serde_json::{Map, Value, json};

use super::{Ecs, client_error, invalid};
use crate::stand_ins::aws::call::{Answer, Call, Refusal};
use crate::stand_ins::aws::input::{Paging, list, text};

/// Members that only `RegisterTaskDefinition`'s answer has.
const READ_ONLY: [&str; 9] = [
    "taskDefinitionArn",
    "revision",
    "status",
    "requiresAttributes",
    "compatibilities",
    "registeredAt",
    "registeredBy",
    "deregisteredAt",
    "deleteRequestedAt",
];

/// One revision of a family.
#[derive(Clone, Debug)]
pub(super) struct Definition {
    pub(super) arn: String,
    family: String,
    revision: u64,
    pub(super) active: bool,
    /// All but the tags, as the API shows it.
    pub(super) shown: Map<String, Value>,
}

impl Definition {
    /// Its containers.
    pub(super) fn containers(&self) -> &[Value] {
        self.shown
            .get("containerDefinitions")
            .and_then(Value::as_array)
            .map_or(&[], Vec::as_slice)
    }
}

impl Ecs {
    pub(super) fn register_definition(&mut self, call: &Call) -> Answer {
        let Value::Object(mut shown) = call.input.clone() else {
            return Err(client_error("the input is no object"));
        };
        // A client that sends back what it was given is not refused: the service takes no notice of these.
        shown.retain(|key, _| !READ_ONLY.contains(&key.as_str()));
        let family = text(&call.input, "family").to_owned();
        let named = |character: char| character.is_ascii_alphanumeric() || "-_".contains(character);
        if family.is_empty() || family.len() > 255 || !family.chars().all(named) {
            return Err(client_error("Family contains invalid characters."));
        }
        check_containers(list(&call.input, "containerDefinitions"))?;
        let known = self.definitions.iter().filter(|known| known.family == family);
        let revision = known.map(|known| known.revision).max().unwrap_or(0) + 1;
        let arn = self
            .home
            .arn("ecs", &format!("task-definition/{family}:{revision}"));
        let tags = shown.remove("tags");
        self.tags.insert(
            arn.clone(),
            tags.as_ref()
                .and_then(Value::as_array)
                .cloned()
                .unwrap_or_default(),
        );
        add_read_only(
            &mut shown,
            &arn,
            revision,
            self.home.time(call.now),
            &self.home.account,
        );
        self.definitions.push(Definition {
            arn: arn.clone(),
            family,
            revision,
            active: true,
            shown: shown.clone(),
        });
        let mut output = json!({ "taskDefinition": shown });
        if let Some(tags) = tags {
            output["tags"] = tags;
        }
        Ok(output)
    }

    pub(super) fn describe_definition(&self, call: &Call) -> Answer {
        let found = self.definition(text(&call.input, "taskDefinition"))?;
        let mut output = json!({ "taskDefinition": found.shown });
        if list(&call.input, "include").contains(&json!("TAGS")) {
            output["tags"] = json!(self.tags.get(&found.arn).cloned().unwrap_or_default());
        }
        Ok(output)
    }

    pub(super) fn deregister_definition(&mut self, call: &Call) -> Answer {
        let name = text(&call.input, "taskDefinition");
        if !name.rsplit('/').next().unwrap_or_default().contains(':') {
            return Err(invalid("Invalid revision number. Number: null"));
        }
        let arn = self.definition(name)?.arn.clone();
        let time = self.home.time(call.now);
        let found = self.definitions.iter_mut().find(|known| known.arn == arn);
        let Some(found) = found else {
            return Err(missing_definition());
        };
        found.active = false;
        found.shown.insert("status".to_owned(), json!("INACTIVE"));
        found.shown.insert("deregisteredAt".to_owned(), json!(time));
        Ok(json!({ "taskDefinition": found.shown }))
    }

    pub(super) fn list_definitions(&self, call: &Call) -> Answer {
        let family = text(&call.input, "familyPrefix");
        let active = text(&call.input, "status") != "INACTIVE";
        let mut found: Vec<&Definition> = self
            .definitions
            .iter()
            .filter(|known| (family.is_empty() || known.family == family) && known.active == active)
            .collect();
        found.sort_by(|a, b| (&a.family, a.revision).cmp(&(&b.family, b.revision)));
        if text(&call.input, "sort") == "DESC" {
            found.reverse();
        }
        let arns = found.iter().map(|known| json!(known.arn)).collect();
        Ok(PAGES.of(&call.input, "taskDefinitionArns", arns))
    }

    pub(super) fn list_families(&self, call: &Call) -> Answer {
        let begin = text(&call.input, "familyPrefix");
        let mut families: Vec<&str> = self
            .definitions
            .iter()
            .map(|known| known.family.as_str())
            .collect();
        families.retain(|family| family.starts_with(begin));
        families.sort_unstable();
        families.dedup();
        Ok(PAGES.of(
            &call.input,
            "families",
            families.into_iter().map(Value::from).collect(),
        ))
    }

    /// By ARN, `family:revision`, or the newest active one of a family.
    pub(super) fn definition(&self, name: &str) -> Result<&Definition, Refusal> {
        let short = name.rsplit('/').next().unwrap_or_default();
        let found = match short.split_once(':') {
            Some((family, revision)) => {
                let revision: u64 = revision
                    .parse()
                    .map_err(|_| invalid("Invalid revision number."))?;
                let mut all = self.definitions.iter();
                all.find(|known| known.family == family && known.revision == revision)
            }
            None => {
                let active = self
                    .definitions
                    .iter()
                    .filter(|known| known.family == short && known.active);
                active.max_by_key(|known| known.revision)
            }
        };
        found.ok_or_else(missing_definition)
    }

    /// The same, refused when it is deregistered.
    pub(super) fn active_definition(&self, name: &str) -> Result<&Definition, Refusal> {
        let found = self
            .definition(name)
            .map_err(|_| client_error("TaskDefinition not found."))?;
        match found.active {
            true => Ok(found),
            false => Err(client_error("TaskDefinition is inactive")),
        }
    }
}

/// What ECS lists in pages.
pub(super) const PAGES: Paging = Paging {
    size: "maxResults",
    usual: 100,
    marker: ("nextToken", "nextToken"),
};

fn check_containers(containers: &[Value]) -> Result<(), Refusal> {
    if containers.is_empty() {
        return Err(client_error("Container list cannot be empty."));
    }
    for container in containers {
        if text(container, "name").is_empty() {
            return Err(client_error("Container.name should not be null or empty."));
        }
        if text(container, "image").is_empty() {
            return Err(client_error("Container.image should not be null or empty."));
        }
    }
    Ok(())
}

fn add_read_only(shown: &mut Map<String, Value>, arn: &str, revision: u64, time: f64, account: &str) {
    shown.insert("taskDefinitionArn".to_owned(), json!(arn));
    shown.insert("revision".to_owned(), json!(revision));
    shown.insert("status".to_owned(), json!("ACTIVE"));
    shown.insert("compatibilities".to_owned(), json!(["EC2", "FARGATE"]));
    shown.insert(
        "requiresAttributes".to_owned(),
        json!([{ "name": "com.amazonaws.ecs.capability.docker-remote-api.1.18" }]),
    );
    shown.insert("registeredAt".to_owned(), json!(time));
    shown.insert(
        "registeredBy".to_owned(),
        json!(format!("arn:aws:iam::{account}:user/sandbox")),
    );
    for (key, empty) in [("volumes", json!([])), ("placementConstraints", json!([]))] {
        shown.entry(key).or_insert(empty);
    }
    let containers = shown
        .get_mut("containerDefinitions")
        .and_then(Value::as_array_mut);
    for container in containers.into_iter().flatten().filter_map(Value::as_object_mut) {
        for (key, usual) in [
            ("cpu", json!(0)),
            ("essential", json!(true)),
            ("environment", json!([])),
            ("mountPoints", json!([])),
            ("volumesFrom", json!([])),
            ("portMappings", json!([])),
            ("systemControls", json!([])),
        ] {
            container.entry(key).or_insert(usual);
        }
    }
}

fn missing_definition() -> Refusal {
    client_error("Unable to describe task definition.")
}
