//! The other colour's Deployment, made from the live one or from a manifest, and the Service that leads to it alone. Objects stay
//! JSON, so that a field this program does not know is copied like all others. Pure.

use serde_json::{Map, Value, json};

use crate::color::{Color, HASH};
use crate::metadata;
use crate::object::{self, Labels, entries, labels_at, map_at};

/// What the other colour's Deployment is.
#[derive(Clone, Copy, Debug)]
pub struct Make<'a> {
    /// Its name.
    pub name: &'a str,
    /// The label that tells the colours apart.
    pub label: &'a str,
    /// Its colour.
    pub color: Color,
    /// What the Service selects beside the colour.
    pub base: &'a Labels,
    /// How many pods it has.
    pub replicas: u64,
    /// Annotations: whose it is, and from which run.
    pub marks: &'a Labels,
}

/// Why there is no such Deployment.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CopyError {
    /// It is no Deployment.
    #[error("{kind} `{name}` is no deployment with a pod template")]
    NoDeployment {
        /// What it is.
        kind: String,
        /// Its name.
        name: String,
    },
    /// The Service would never lead to its pods.
    #[error("the pods of deployment `{deployment}` lack `{missing}`, by which the service selects its pods")]
    Unselected {
        /// The Deployment it was to be made from.
        deployment: String,
        /// The labels that it lacks.
        missing: String,
    },
}

/// The other colour's Deployment. Images are set afterwards, on its template.
///
/// # Errors
/// When it can't be made from this.
pub fn of(from: &Value, make: &Make<'_>) -> Result<Value, CopyError> {
    let Some(spec) = from.get("spec").and_then(Value::as_object) else {
        return Err(no_deployment(from));
    };
    if from["kind"] != "Deployment" || !spec.get("template").is_some_and(Value::is_object) {
        return Err(no_deployment(from));
    }
    let mut spec = spec.clone();
    let own = labels_at(from, "/spec/template/metadata/labels");
    let mut missing = make.base.clone();
    missing.retain(|key, value| own.get(key) != Some(value));
    if !missing.is_empty() {
        return Err(CopyError::Unselected {
            deployment: object::shown(object::name(from)),
            missing: object::shown(&object::written(&missing)),
        });
    }
    // A paused Deployment would never have pods, and a halt is not what is copied.
    spec.remove("paused");
    spec.insert("replicas".to_owned(), make.replicas.into());
    spec.insert("selector".to_owned(), selector(from, make));
    if let Some(template) = spec.get_mut("template") {
        recolor(template, make.label, make.color);
    }
    let mut metadata = metadata::copied(from, make.name, make.marks);
    metadata["labels"][make.label] = make.color.as_str().into();
    Ok(json!({
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": metadata,
        "spec": spec,
    }))
}

fn no_deployment(from: &Value) -> CopyError {
    CopyError::NoDeployment {
        kind: object::shown(object::text(from, "/kind")),
        name: object::shown(object::name(from)),
    }
}

/// The selector of the copy: its colour is in it, so that neither colour's Deployment selects the other's pods.
fn selector(from: &Value, make: &Make<'_>) -> Value {
    let mut labels = labels_at(from, "/spec/selector/matchLabels");
    labels.remove(HASH);
    labels.extend(make.base.clone());
    labels.insert(make.label.to_owned(), make.color.as_str().to_owned());
    let expressions: Vec<&Value> = entries(from, "/spec/selector/matchExpressions")
        .iter()
        .filter(|expression| expression["key"] != make.label)
        .collect();
    let mut selector = json!({"matchLabels": labels});
    if !expressions.is_empty() {
        selector["matchExpressions"] = json!(expressions);
    }
    selector
}

/// Gives a template another colour: its label, and every selector in it that means the template's own pods by their colour. Where
/// that names both colours, each becomes the other one.
fn recolor(template: &mut Value, label: &str, color: Color) {
    let labels = labels_at(template, "/metadata/labels");
    let was = labels.get(label).and_then(|value| Color::of(value));
    if let Some(labels) = map_at(template, &["metadata", "labels"]) {
        labels.remove(HASH);
        labels.insert(label.to_owned(), color.as_str().into());
    }
    if was.is_none_or(|was| was == color) {
        return;
    }
    let spread = "/spec/topologySpreadConstraints";
    for constraint in entries_mut(template, spread) {
        mirror(constraint, &labels, label);
    }
    for kind in ["podAffinity", "podAntiAffinity"] {
        let required = format!("/spec/affinity/{kind}/requiredDuringSchedulingIgnoredDuringExecution");
        for term in entries_mut(template, &required) {
            mirror(term, &labels, label);
        }
        let preferred = format!("/spec/affinity/{kind}/preferredDuringSchedulingIgnoredDuringExecution");
        for weighted in entries_mut(template, &preferred) {
            if let Some(term) = weighted.get_mut("podAffinityTerm") {
                mirror(term, &labels, label);
            }
        }
    }
}

/// Turns the colours round in the selector of a term, where that means the pods of these labels but for their colour.
fn mirror(term: &mut Value, own: &Labels, label: &str) {
    let mut others = labels_at(term, "/labelSelector/matchLabels");
    others.remove(label);
    if others.iter().any(|(key, value)| own.get(key) != Some(value)) {
        return;
    }
    let turn = |value: &mut Value| {
        if let Some(color) = value.as_str().and_then(Color::of) {
            *value = color.other().as_str().into();
        }
    };
    let labels = term.pointer_mut("/labelSelector/matchLabels");
    if let Some(value) = labels.and_then(|labels| labels.get_mut(label)) {
        turn(value);
    }
    for expression in entries_mut(term, "/labelSelector/matchExpressions") {
        if expression["key"] == label {
            entries_mut(expression, "/values").for_each(turn);
        }
    }
}

fn entries_mut<'a>(value: &'a mut Value, pointer: &str) -> impl Iterator<Item = &'a mut Value> {
    let list = value.pointer_mut(pointer).and_then(Value::as_array_mut);
    list.into_iter().flatten()
}

/// Whether two Deployments make the same pods but for their colour. Both must be as the server has them, with its defaults: of a
/// manifest that is the answer of a dry run.
#[must_use]
pub fn same(live: &Value, new: &Value, label: &str) -> bool {
    pods_of(live, label) == pods_of(new, label)
}

/// A Deployment's template without what does not change its pods.
fn pods_of(deployment: &Value, label: &str) -> Value {
    let mut template = deployment.pointer("/spec/template").cloned().unwrap_or_default();
    recolor(&mut template, label, Color::Blue);
    let Some(metadata) = template.get_mut("metadata").and_then(Value::as_object_mut) else {
        return template;
    };
    if let Some(annotations) = metadata.get_mut("annotations").and_then(Value::as_object_mut) {
        annotations
            .retain(|key, _| !metadata::is_of_others(key) && key != "kubectl.kubernetes.io/restartedAt");
    }
    metadata.retain(|_, value| !value.is_null() && !value.as_object().is_some_and(Map::is_empty));
    template
}

/// A Service inside the cluster with the same ports and another selector. It has no labels: what watches Services by labels would
/// count the same pods twice. A pod that is not ready is never behind it.
#[must_use]
pub fn preview_service(service: &Value, selector: &Labels, name: &str, marks: &Labels) -> Value {
    let ports: Vec<Value> = entries(service, "/spec/ports")
        .iter()
        .map(|port| {
            let mut port = port.clone();
            if let Some(fields) = port.as_object_mut() {
                fields.remove("nodePort");
            }
            port
        })
        .collect();
    let mut metadata = json!({"name": name});
    if let Some(namespace) = service.pointer("/metadata/namespace") {
        metadata["namespace"] = namespace.clone();
    }
    if !marks.is_empty() {
        metadata["annotations"] = json!(marks);
    }
    let mut spec = json!({"type": "ClusterIP", "selector": selector});
    if ports.is_empty() {
        // Only a Service without an address may have no ports.
        spec["clusterIP"] = "None".into();
    } else {
        spec["ports"] = ports.into();
    }
    for key in ["ipFamilies", "ipFamilyPolicy"] {
        if let Some(value) = service.pointer(&format!("/spec/{key}")) {
            spec[key] = value.clone();
        }
    }
    json!({"apiVersion": "v1", "kind": "Service", "metadata": metadata, "spec": spec})
}

#[cfg(test)]
mod tests;
