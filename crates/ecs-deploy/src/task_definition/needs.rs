//! What a task definition needs to be there before a task of it can start: images, roles, secrets, log groups. Pure; each
//! thing is named once, whichever containers need it.

use std::collections::BTreeSet;

use serde_json::{Map, Value};

use crate::task_definition::TaskDefinition;
use crate::task_definition::registry::Place;

/// The key of the role that ECS itself takes, to pull images and read secrets.
const EXECUTION: &str = "executionRoleArn";

/// All that is needed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Needs {
    /// References of images.
    pub images: BTreeSet<String>,
    /// Roles.
    pub roles: Vec<Role>,
    /// References of secrets and parameters.
    pub secrets: BTreeSet<String>,
    /// Log groups.
    pub log_groups: BTreeSet<LogGroup>,
    /// Whether it is to run on Fargate.
    is_fargate: bool,
}

/// A role of the task.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Role {
    /// Its key: `executionRoleArn` or `taskRoleArn`.
    pub key: &'static str,
    /// Its ARN or its name.
    pub reference: String,
}

impl Role {
    /// Its name, which is what IAM is asked by: `arn:aws:iam::1:role/path/name`.
    #[must_use]
    pub fn name(&self) -> &str {
        self.reference.rsplit('/').next().unwrap_or_default()
    }

    /// The account of its ARN.
    #[must_use]
    pub fn account(&self) -> Option<&str> {
        account(&self.reference)
    }
}

/// A group that a container logs to.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct LogGroup {
    /// Its name.
    pub name: String,
    /// Its region; none is the service's.
    pub region: Option<String>,
    /// Whether the first task makes it.
    pub is_made: bool,
}

/// Where a secret is
/// (<https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_Secret.html>).
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SecretAt {
    /// In Secrets Manager.
    Manager {
        /// Its ARN, without what ECS reads behind it.
        arn: String,
        /// Its region.
        region: String,
        /// The stage that is asked for.
        stage: Option<String>,
        /// The version that is asked for.
        version: Option<String>,
    },
    /// In the Parameter Store.
    Parameter {
        /// The names that it may have: an ARN does not say whether its name begins with `/`.
        names: Vec<String>,
        /// Its region; none is the service's.
        region: Option<String>,
        /// Its account; none is the service's.
        account: Option<String>,
    },
    /// An ARN of something else.
    Elsewhere,
}

impl SecretAt {
    /// Where a reference leads to.
    #[must_use]
    pub fn of(reference: &str) -> Self {
        let parts: Vec<&str> = reference.split(':').collect();
        match parts[..] {
            [
                "arn",
                _,
                "secretsmanager",
                region,
                _,
                "secret",
                _,
                ref behind @ ..,
            ] => {
                // `json-key:version-stage:version-id`, each of which may be empty.
                let part = |at: usize| behind.get(at).filter(|part| !part.is_empty());
                Self::Manager {
                    arn: parts[..7].join(":"),
                    region: region.to_owned(),
                    stage: part(1).map(|&stage| stage.to_owned()),
                    version: part(2).map(|&version| version.to_owned()),
                }
            }
            ["arn", _, "ssm", region, account, resource, ..] => {
                let Some(path) = resource.strip_prefix("parameter/") else {
                    return Self::Elsewhere;
                };
                let names = if path.contains('/') {
                    vec![format!("/{path}")]
                } else {
                    vec![path.to_owned(), format!("/{path}")]
                };
                Self::Parameter {
                    names,
                    region: Some(region.to_owned()),
                    account: Some(account.to_owned()),
                }
            }
            ["arn", ..] => Self::Elsewhere,
            // A version or a label may stand behind the name.
            [name, ..] => Self::Parameter {
                names: vec![name.to_owned()],
                region: None,
                account: None,
            },
            [] => Self::Elsewhere,
        }
    }
}

impl Needs {
    /// Why it needs an execution role, where it has none: ECS registers no such task definition
    /// (<https://docs.aws.amazon.com/AmazonECS/latest/developerguide/task_execution_IAM_role.html>).
    #[must_use]
    pub fn lacks_execution_role(&self) -> Option<&'static str> {
        if self.roles.iter().any(|role| role.key == EXECUTION) {
            None
        } else if !self.secrets.is_empty() {
            Some("there is none, and the containers have secrets")
        } else if self.is_fargate && !self.log_groups.is_empty() {
            Some("there is none, and on Fargate the log driver `awslogs` needs one")
        } else if self.is_fargate && self.images.iter().any(|image| Place::of(image).is_some()) {
            Some("there is none, and on Fargate an image of ECR needs one")
        } else {
            None
        }
    }

    /// What a task definition needs.
    #[must_use]
    pub fn of(definition: &TaskDefinition) -> Self {
        let role = |key: &'static str| {
            let reference = definition.content().get(key)?.as_str()?;
            let reference = Some(reference).filter(|reference| !reference.is_empty());
            Some(Role {
                key,
                reference: reference?.to_owned(),
            })
        };
        let mut needs = Self {
            is_fargate: is_fargate(definition),
            roles: [EXECUTION, "taskRoleArn"].into_iter().filter_map(role).collect(),
            ..Self::default()
        };
        for container in definition.containers() {
            needs.images.extend(container.image().map(str::to_owned));
            let content = container.content();
            needs.secrets.extend(secrets(content.get("secrets")));
            let pull = content.get("repositoryCredentials");
            needs.secrets.extend(text(pull, "credentialsParameter"));
            if let Some(Value::Object(logs)) = content.get("logConfiguration") {
                needs.secrets.extend(secrets(logs.get("secretOptions")));
                needs.log_groups.extend(log_group(logs));
            }
        }
        needs
    }
}

/// Whether a trust policy lets tasks of ECS take its role
/// (<https://docs.aws.amazon.com/AmazonECS/latest/developerguide/task_execution_IAM_role.html>): a statement that allows, with
/// the service among its principals. Conditions are not judged.
#[must_use]
pub fn trusts_tasks(policy: &Value) -> bool {
    let statements = one_or_many(policy.get("Statement"));
    statements.into_iter().any(|statement| {
        let allows = statement.get("Effect").and_then(Value::as_str) == Some("Allow");
        let principal = statement.get("Principal");
        let services = one_or_many(principal.and_then(|principal| principal.get("Service")));
        let is = |service: &&Value| service.as_str() == Some("ecs-tasks.amazonaws.com");
        allows && (principal.and_then(Value::as_str) == Some("*") || services.iter().any(is))
    })
}

/// The account of an ARN.
#[must_use]
pub fn account(arn: &str) -> Option<&str> {
    let account = arn.strip_prefix("arn:")?.split(':').nth(3);
    account.filter(|account| !account.is_empty())
}

/// A list, which policies may leave off around its only item.
fn one_or_many(value: Option<&Value>) -> Vec<&Value> {
    match value {
        Some(Value::Array(list)) => list.iter().collect(),
        Some(one) => vec![one],
        None => Vec::new(),
    }
}

fn is_fargate(definition: &TaskDefinition) -> bool {
    let kinds = definition
        .content()
        .get("requiresCompatibilities")
        .and_then(Value::as_array);
    kinds
        .into_iter()
        .flatten()
        .any(|kind| kind.as_str() == Some("FARGATE"))
}

fn secrets(list: Option<&Value>) -> impl Iterator<Item = String> {
    let list = list.and_then(Value::as_array);
    list.into_iter()
        .flatten()
        .filter_map(|secret| text(Some(secret), "valueFrom"))
}

/// The group of the driver `awslogs`
/// (<https://docs.aws.amazon.com/AmazonECS/latest/developerguide/specify-log-config.html>).
fn log_group(logs: &Map<String, Value>) -> Option<LogGroup> {
    if logs.get("logDriver").and_then(Value::as_str) != Some("awslogs") {
        return None;
    }
    let options = logs.get("options");
    Some(LogGroup {
        name: text(options, "awslogs-group")?,
        region: text(options, "awslogs-region"),
        is_made: text(options, "awslogs-create-group").is_some_and(|made| made == "true"),
    })
}

fn text(value: Option<&Value>, key: &str) -> Option<String> {
    let text = value?.get(key)?.as_str()?;
    Some(text.to_owned()).filter(|text| !text.is_empty())
}

#[cfg(test)]
mod tests;
