//! The task definition as raw JSON, never typed: a key that this program does not know goes to ECS as it came.
//!
//! `preserve_order` keeps the keys in their order. Numbers are those of `serde_json`; a number that it can't hold is
//! refused in `read`, so that nothing is changed silently. `arbitrary_precision` would do it too, but a Cargo feature
//! counts for every crate that is built along, and it changes how they all read numbers. ECS has whole numbers only.

use std::fmt;

use serde_json::{Map, Value};

pub mod diff;
pub mod edit;
pub mod keys;
pub mod needs;
mod numbers;
pub mod read;
pub mod reference;
pub mod registry;
pub mod same;

/// What `DescribeTaskDefinition` says of a revision and `RegisterTaskDefinition` does not take: the members of
/// `TaskDefinition` that `RegisterTaskDefinitionRequest` lacks in the service model (botocore, `ecs/2014-11-13`).
pub const READ_ONLY: [&str; 9] = [
    "compatibilities",
    "deleteRequestedAt",
    "deregisteredAt",
    "registeredAt",
    "registeredBy",
    "requiresAttributes",
    "revision",
    "status",
    "taskDefinitionArn",
];

/// A task definition: what is registered, and apart from it what ECS said of the revision.
#[derive(Clone, PartialEq)]
pub struct TaskDefinition {
    /// What is registered, every key in its order.
    content: Map<String, Value>,
    /// The read-only keys.
    read_only: Map<String, Value>,
}

impl TaskDefinition {
    /// Takes the read-only keys off, and the tags that only AWS itself may set: CloudFormation tags what it
    /// registers, and a name that begins with `aws:` is refused
    /// (<https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_Tag.html>).
    pub(crate) fn new(mut content: Map<String, Value>) -> Self {
        let read_only = READ_ONLY
            .into_iter()
            .filter_map(|key| content.shift_remove_entry(key))
            .collect();
        if let Some(Value::Array(tags)) = content.get_mut("tags") {
            let given = tags.len();
            tags.retain(|tag| !is_reserved(tag));
            if tags.is_empty() && given > 0 {
                content.shift_remove("tags");
            }
        }
        Self { content, read_only }
    }

    /// The body of `RegisterTaskDefinition`.
    #[must_use]
    pub fn registration(&self) -> String {
        Value::Object(self.content.clone()).to_string()
    }

    /// What is registered.
    #[must_use]
    pub fn content(&self) -> &Map<String, Value> {
        &self.content
    }

    /// What ECS said of the revision.
    #[must_use]
    pub fn read_only(&self) -> &Map<String, Value> {
        &self.read_only
    }

    /// The family, where it has one.
    #[must_use]
    pub fn family(&self) -> Option<&str> {
        self.content.get("family").and_then(Value::as_str)
    }

    /// The ARN of the revision, where ECS gave it.
    #[must_use]
    pub fn arn(&self) -> Option<&str> {
        self.read_only.get("taskDefinitionArn").and_then(Value::as_str)
    }

    /// The number of the revision, where ECS gave it.
    #[must_use]
    pub fn revision(&self) -> Option<u64> {
        self.read_only.get("revision").and_then(Value::as_u64)
    }

    /// Whether the revision was deregistered or is being deleted; a service can't be moved to it.
    #[must_use]
    pub fn is_inactive(&self) -> bool {
        let status = self.read_only.get("status").and_then(Value::as_str);
        status.is_some_and(|status| status != "ACTIVE")
    }

    /// The value of a tag.
    #[must_use]
    pub fn tag(&self, key: &str) -> Option<&str> {
        let tags = self.content.get("tags").and_then(Value::as_array)?;
        let tag = tags.iter().find(|tag| text(tag, "key") == Some(key))?;
        text(tag, "value")
    }

    /// The containers, in their order.
    pub fn containers(&self) -> impl Iterator<Item = Container<'_>> {
        let list = self.content.get("containerDefinitions").and_then(Value::as_array);
        list.into_iter()
            .flatten()
            .filter_map(Value::as_object)
            .map(Container)
    }

    /// The containers, to change them.
    fn containers_mut(&mut self) -> impl Iterator<Item = &mut Map<String, Value>> {
        let list = self
            .content
            .get_mut("containerDefinitions")
            .and_then(Value::as_array_mut);
        list.into_iter().flatten().filter_map(Value::as_object_mut)
    }
}

/// Shows what it is, not what is in it: the environment may hold secrets.
impl fmt::Debug for TaskDefinition {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let containers: Vec<&str> = self
            .containers()
            .map(|container| container.name().unwrap_or_default())
            .collect();
        f.debug_struct("TaskDefinition")
            .field("family", &self.family())
            .field("revision", &self.revision())
            .field("containers", &containers)
            .finish_non_exhaustive()
    }
}

/// A container of a task definition.
#[derive(Clone, Copy)]
pub struct Container<'a>(&'a Map<String, Value>);

impl<'a> Container<'a> {
    /// Its name.
    #[must_use]
    pub fn name(self) -> Option<&'a str> {
        self.0.get("name").and_then(Value::as_str)
    }

    /// Its image.
    #[must_use]
    pub fn image(self) -> Option<&'a str> {
        self.0.get("image").and_then(Value::as_str)
    }

    /// Whether the task ends with it; so it is where nothing is said
    /// (<https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_ContainerDefinition.html>).
    #[must_use]
    pub fn is_essential(self) -> bool {
        self.0.get("essential").and_then(Value::as_bool).unwrap_or(true)
    }

    /// All of it.
    #[must_use]
    pub fn content(self) -> &'a Map<String, Value> {
        self.0
    }
}

/// A text of an object.
fn text<'a>(value: &'a Value, key: &str) -> Option<&'a str> {
    value.get(key).and_then(Value::as_str)
}

/// Whether a tag is one that only AWS may set.
fn is_reserved(tag: &Value) -> bool {
    let prefix = text(tag, "key").and_then(|key| key.get(..4));
    prefix.is_some_and(|prefix| prefix.eq_ignore_ascii_case("aws:"))
}

#[cfg(test)]
mod tests;
