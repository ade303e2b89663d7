//! The Job of a migration: the new version's own container with another command, or a Job of the manifests. Its name holds the
//! hash of what it runs, so that the same migration is never run twice and another one never meets an old Job, whose template is
//! immutable (<https://kubernetes.io/docs/concepts/workloads/controllers/job/>). Pure.
//!
//! Limits: only the one container is kept, since others would never end; sidecars that are init containers with `restartPolicy:
//! Always` end by themselves and stay. A migration that needs more is a Job of the manifests. Labels by which a Service or a workload
//! selects are not kept, or the Job's pod would get requests; network policies that select by them do not select it.

use std::time::Duration;

use gha::container_command::{CommandError, ContainerCommand};
use gha::text;
use serde_json::{Map, Value, json};

use super::hash::hash;
use crate::object::{self, Labels};

/// The label that names what a Job migrates.
pub const LABEL: &str = "deploy-actions/migration";

/// The annotation that says in which direction.
pub const WAY: &str = "deploy-actions/migration-way";

/// The label of a pod is of at most 63 characters, and a Job's name is one
/// (<https://kubernetes.io/docs/concepts/overview/working-with-objects/labels/#syntax-and-character-set>).
const LONGEST_NAME: usize = 63;

/// How long a Job is kept when it is over: a day, so that its logs and its verdict outlive the deploy.
const KEPT: u64 = 86_400;

/// In which direction a migration goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Way {
    /// To the new version.
    Up,
    /// Back.
    Down,
}

/// What `--migrate` names.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Asked {
    /// A container with another command.
    Command(ContainerCommand),
    /// A Job of the manifests.
    Job(String),
}

/// Why there is no Job.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum JobError {
    /// No command.
    #[error(transparent)]
    Command(#[from] CommandError),
    /// No name behind `job/`.
    #[error("`job/` needs the name of a Job of the manifests")]
    NoName,
    /// No such container.
    #[error("there is no container `{name}` in the new version, but {others}")]
    NoContainer {
        /// The container.
        name: String,
        /// Those that are there.
        others: String,
    },
    /// Several containers, and none is named.
    #[error("the new version has several containers, {others}; name one as in `{first}=bin/migrate`")]
    Several {
        /// Them.
        others: String,
        /// The first of them.
        first: String,
    },
    /// Not a Job.
    #[error("Job `{0}` of the manifests has no `spec.template.spec.containers`")]
    Empty(String),
}

/// A Job to run.
#[derive(Clone, Debug, PartialEq)]
pub struct Job {
    /// What is created, without the marks of the run.
    pub object: Value,
    /// What it migrates: the value of [`LABEL`].
    pub base: String,
    /// In which direction.
    pub way: Way,
    /// What a person should know of it.
    pub notes: Vec<String>,
}

impl Asked {
    /// Reads a value of `--migrate`.
    ///
    /// # Errors
    /// When it is neither.
    pub fn parse(line: &str) -> Result<Self, JobError> {
        match line.trim().strip_prefix("job/") {
            Some(name) if name.is_empty() || name.contains(char::is_whitespace) => Err(JobError::NoName),
            Some(name) => Ok(Self::Job(name.to_owned())),
            None => Ok(Self::Command(ContainerCommand::parse(line)?)),
        }
    }
}

impl Way {
    fn infix(self) -> &'static str {
        match self {
            Self::Up => "-migrate-",
            Self::Down => "-migrate-down-",
        }
    }

    /// As it is in [`WAY`].
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Up => "up",
            Self::Down => "down",
        }
    }
}

impl Job {
    /// The Job that runs a command in the container of a pod template, whose images are those of the new version. Labels whose
    /// keys stand in one of the `selectors` (of Services, of the workload) are not kept. `limit` is its deadline.
    ///
    /// # Errors
    /// When there is no such container.
    pub fn of_template(
        template: &Value,
        command: &ContainerCommand,
        base: &str,
        way: Way,
        selectors: &[Labels],
        limit: Duration,
    ) -> Result<Self, JobError> {
        let containers = object::entries(template, "/spec/containers");
        let container = chosen(containers, command.container.as_deref())?;
        let others: Vec<String> = names(containers)
            .into_iter()
            .filter(|name| *name != object::text(container, "/name"))
            .map(|name| format!("`{}`", inert(name)))
            .collect();
        let notes = match others.is_empty() {
            true => Vec::new(),
            false => vec![format!(
                "the migration runs without {}: a Job ends when all of its containers do",
                others.join(", ")
            )],
        };
        let mut spec = template.get("spec").cloned().unwrap_or_default();
        if let Some(spec) = spec.as_object_mut() {
            spec.insert(
                "containers".to_owned(),
                json!([for_job(container, &command.words)]),
            );
            of_a_job(spec);
        }
        let template = json!({ "metadata": metadata(template, selectors), "spec": spec });
        Ok(Self::named(base, template, json!({}), way, limit, notes))
    }

    /// A Job of the manifests, whose images are those of the new version.
    ///
    /// # Errors
    /// When it is none.
    pub fn of_manifest(manifest: &Value, way: Way, limit: Duration) -> Result<Self, JobError> {
        let name = object::name(manifest);
        let template = manifest.pointer("/spec/template").cloned().unwrap_or_default();
        if object::entries(&template, "/spec/containers").is_empty() {
            return Err(JobError::Empty(inert(name)));
        }
        let mut spec = manifest.get("spec").cloned().unwrap_or_default();
        if let Some(spec) = spec.as_object_mut() {
            for key in ["template", "selector", "manualSelector", "suspend"] {
                spec.shift_remove(key);
            }
        }
        let mut job = Self::named(name, template, spec, way, limit, Vec::new());
        let kept = object::labels(manifest);
        for (key, value) in kept.iter().filter(|(key, _)| !is_of_another(key)) {
            if let Some(labels) = job
                .object
                .pointer_mut("/metadata/labels")
                .and_then(Value::as_object_mut)
            {
                labels.entry(key.clone()).or_insert_with(|| value.as_str().into());
            }
        }
        Ok(job)
    }

    fn named(
        base: &str,
        mut template: Value,
        rest: Value,
        way: Way,
        limit: Duration,
        notes: Vec<String>,
    ) -> Self {
        // How long it may take is not what it does.
        let hash = hash(&[&json!(base), &template]);
        let room = LONGEST_NAME - way.infix().len() - hash.len();
        let begin: String = base.chars().take(room).collect();
        let begin = begin.trim_end_matches(['-', '.', '_']);
        let name = format!("{begin}{}{hash}", way.infix());
        let label: String = base.chars().take(LONGEST_NAME).collect();
        let label = label.trim_end_matches(['-', '.', '_']).to_owned();
        set(&mut template, &["metadata", "labels", LABEL], &json!(label));
        let mut spec = rest;
        let seconds = limit.as_secs().max(1);
        for (key, value) in [
            ("backoffLimit", json!(0)),
            ("activeDeadlineSeconds", json!(seconds)),
            ("ttlSecondsAfterFinished", json!(KEPT)),
        ] {
            // What a Job of the manifests says of its tries is its own; its deadline and its end are the run's.
            if key != "backoffLimit" || spec.get(key).is_none() {
                set(&mut spec, &[key], &value);
            }
        }
        set(&mut spec, &["template"], &template);
        let object = json!({
            "apiVersion": "batch/v1", "kind": "Job",
            "metadata": {
                "name": name, "labels": { LABEL: label }, "annotations": { WAY: way.word() },
            },
            "spec": spec,
        });
        Self {
            object,
            base: label,
            way,
            notes,
        }
    }

    /// Its name.
    #[must_use]
    pub fn name(&self) -> &str {
        object::name(&self.object)
    }
}

fn names(containers: &[Value]) -> Vec<&str> {
    let names = containers
        .iter()
        .map(|container| object::text(container, "/name"));
    names.collect()
}

fn chosen<'a>(containers: &'a [Value], name: Option<&str>) -> Result<&'a Value, JobError> {
    let others = || {
        let shown: Vec<String> = names(containers)
            .iter()
            .map(|name| format!("`{}`", inert(name)))
            .collect();
        match shown.is_empty() {
            true => "none at all".to_owned(),
            false => shown.join(", "),
        }
    };
    match (name, containers) {
        (None, [only]) => Ok(only),
        (None, []) => Err(JobError::NoContainer {
            name: String::new(),
            others: others(),
        }),
        (None, [first, ..]) => Err(JobError::Several {
            others: others(),
            first: inert(object::text(first, "/name")),
        }),
        (Some(name), _) => {
            let found = containers
                .iter()
                .find(|container| object::text(container, "/name") == name);
            found.ok_or_else(|| JobError::NoContainer {
                name: inert(name),
                others: others(),
            })
        }
    }
}

/// A container that runs once. The command stands for the image's entry point, too, as that of `kubectl exec` does.
fn for_job(container: &Value, words: &[String]) -> Value {
    let mut container = container.clone();
    if let Some(map) = container.as_object_mut() {
        for key in [
            "livenessProbe",
            "readinessProbe",
            "startupProbe",
            "lifecycle",
            "ports",
            "args",
            "command",
        ] {
            map.shift_remove(key);
        }
        if !words.is_empty() {
            map.insert("command".to_owned(), json!(words));
        }
    }
    container
}

/// The pod of a Job: it ends, and goes where there is room for it.
fn of_a_job(spec: &mut Map<String, Value>) {
    for key in [
        "topologySpreadConstraints",
        "readinessGates",
        "nodeName",
        "hostname",
        "subdomain",
    ] {
        spec.shift_remove(key);
    }
    if let Some(affinity) = spec.get_mut("affinity").and_then(Value::as_object_mut) {
        affinity.shift_remove("podAffinity");
        affinity.shift_remove("podAntiAffinity");
    }
    spec.insert("restartPolicy".to_owned(), json!("Never"));
}

/// The template's labels and annotations, as far as no Service or workload takes the pod for one of its own.
fn metadata(template: &Value, selectors: &[Labels]) -> Value {
    let is_selected = |key: &String| selectors.iter().any(|selector| selector.contains_key(key));
    let mut labels: Labels = object::labels(template)
        .into_iter()
        .filter(|(key, _)| !is_selected(key) && !is_of_another(key))
        .collect();
    let mut annotations: Labels = object::labels_at(template, "/metadata/annotations")
        .into_iter()
        .filter(|(key, _)| key != "kubectl.kubernetes.io/restartedAt")
        .collect();
    // A proxy beside it would never end. Istio reads the label, and older ones the annotation.
    for map in [&mut labels, &mut annotations] {
        map.insert("sidecar.istio.io/inject".to_owned(), "false".to_owned());
    }
    annotations.insert("linkerd.io/inject".to_owned(), "disabled".to_owned());
    json!({ "labels": labels, "annotations": annotations })
}

/// Labels by which somebody else would take the object for one of theirs.
fn is_of_another(key: &str) -> bool {
    key == "pod-template-hash"
        || key.starts_with("argocd.argoproj.io/")
        || key.starts_with("kustomize.toolkit.fluxcd.io/")
        || key.starts_with("helm.toolkit.fluxcd.io/")
        || key == "app.kubernetes.io/managed-by"
}

/// Sets a value below keys, whatever stood there.
fn set(object: &mut Value, keys: &[&str], value: &Value) {
    let Some((last, parents)) = keys.split_last() else {
        return;
    };
    let mut at = object;
    for key in parents.iter().chain([last]) {
        if !at.is_object() {
            *at = json!({});
        }
        at = &mut at[*key];
    }
    *at = value.clone();
}

fn inert(foreign: &str) -> String {
    text::cut(&text::line(foreign), 80)
}

#[cfg(test)]
mod tests;
