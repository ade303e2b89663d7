//! What can't be so: missing fields, selectors that do not fit, fields that never change, numbers out of bounds.

use serde_json::Value;

use crate::stand_ins::kubernetes::kinds::Kind;
use crate::stand_ins::kubernetes::object;
use crate::stand_ins::kubernetes::refusal::Refusal;
use crate::stand_ins::kubernetes::selectors::Labels;

type Causes = Vec<(String, String)>;

/// Refuses an object that can't be; `before` is what it replaces.
pub(super) fn object(kind: &Kind, object: &Value, before: Option<&Value>) -> Result<(), Refusal> {
    let mut causes = Causes::new();
    name(object, &mut causes);
    labels(object, "/metadata/labels", "metadata.labels", &mut causes);
    match kind.plural {
        "deployments" | "replicasets" | "statefulsets" | "daemonsets" => {
            workload(object, before, &mut causes);
        }
        "pods" => containers(object, "/spec", "spec", &mut causes),
        "jobs" => job(object, before, &mut causes),
        "services" => service(object, &mut causes),
        "horizontalpodautoscalers" => scaler(object, &mut causes),
        "httproutes" | "grpcroutes" => weights(object, &mut causes),
        _ => {}
    }
    match causes.is_empty() {
        true => Ok(()),
        false => Err(Refusal::invalid(kind, object::name(object), &causes)),
    }
}

fn name(object: &Value, causes: &mut Causes) {
    let name = object::name(object);
    let is_fit = !name.is_empty()
        && name.len() <= 253
        && name.split('.').all(|part| {
            part.chars()
                .all(|one| one.is_ascii_lowercase() || one.is_ascii_digit() || one == '-')
                && part.starts_with(|one: char| one.is_ascii_alphanumeric())
                && part.ends_with(|one: char| one.is_ascii_alphanumeric())
        });
    if !is_fit {
        let why = format!(
            "Invalid value: \"{name}\": a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or \
             '.', and must start and end with an alphanumeric character"
        );
        causes.push(("metadata.name".to_owned(), why));
    }
}

fn labels(object: &Value, pointer: &str, path: &str, causes: &mut Causes) {
    for value in object::map(object, pointer)
        .into_iter()
        .flat_map(|all| all.values())
    {
        let text = value.as_str().unwrap_or_default();
        let is_fit = text.len() <= 63
            && text
                .chars()
                .all(|one| one.is_ascii_alphanumeric() || "-_.".contains(one))
            && text
                .chars()
                .next()
                .is_none_or(|first| first.is_ascii_alphanumeric())
            && text
                .chars()
                .last()
                .is_none_or(|last| last.is_ascii_alphanumeric());
        if !is_fit {
            let why = match text.len() > 63 {
                true => format!("Invalid value: \"{text}\": must be no more than 63 bytes"),
                false => format!(
                    "Invalid value: \"{text}\": a valid label must be an empty string or consist of alphanumeric characters, '-', '_' \
                     or '.', and must start and end with an alphanumeric character"
                ),
            };
            causes.push((path.to_owned(), why));
        }
    }
}

fn workload(object: &Value, before: Option<&Value>, causes: &mut Causes) {
    let template = "spec.template.metadata.labels";
    labels(object, "/spec/template/metadata/labels", template, causes);
    let selector = &object["spec"]["selector"];
    match Labels::of_object(selector) {
        None => causes.push(("spec.selector".to_owned(), "Required value".to_owned())),
        Some(labels) => {
            let found = object::map(object, "/spec/template/metadata/labels");
            if !labels.fit_map(found) {
                let shown = object.pointer("/spec/template/metadata/labels");
                let shown = shown.cloned().unwrap_or_default();
                let why = format!("Invalid value: {shown}: `selector` does not match template `labels`");
                causes.push((template.to_owned(), why));
            }
        }
    }
    if before.is_some_and(|before| before["spec"]["selector"] != *selector) {
        let why = format!("Invalid value: {selector}: field is immutable");
        causes.push(("spec.selector".to_owned(), why));
    }
    if object::number(object, "/spec/replicas").is_some_and(|replicas| replicas < 0) {
        let why = "Invalid value: -1: must be greater than or equal to 0".to_owned();
        causes.push(("spec.replicas".to_owned(), why));
    }
    containers(object, "/spec/template/spec", "spec.template.spec", causes);
}

fn containers(object: &Value, pointer: &str, path: &str, causes: &mut Causes) {
    let containers = object::items(object, &format!("{pointer}/containers"));
    if containers.is_empty() {
        causes.push((format!("{path}.containers"), "Required value".to_owned()));
    }
    let mut seen: Vec<&str> = Vec::new();
    for (at, container) in containers.iter().enumerate() {
        let name = object::text(container, "/name");
        for field in ["name", "image"] {
            if object::text(container, &format!("/{field}")).is_empty() {
                causes.push((
                    format!("{path}.containers[{at}].{field}"),
                    "Required value".to_owned(),
                ));
            }
        }
        if seen.contains(&name) {
            let why = format!("Duplicate value: \"{name}\"");
            causes.push((format!("{path}.containers[{at}].name"), why));
        }
        seen.push(name);
    }
}

fn job(object: &Value, before: Option<&Value>, causes: &mut Causes) {
    containers(object, "/spec/template/spec", "spec.template.spec", causes);
    let policy = object::text(object, "/spec/template/spec/restartPolicy");
    if !matches!(policy, "OnFailure" | "Never") {
        let why = "Required value: valid values: \"OnFailure\", \"Never\"".to_owned();
        causes.push(("spec.template.spec.restartPolicy".to_owned(), why));
    }
    for field in ["template", "selector", "completions"] {
        if before.is_some_and(|before| before["spec"][field] != object["spec"][field]) {
            let why = format!("Invalid value: {}: field is immutable", object["spec"][field]);
            causes.push((format!("spec.{field}"), why));
        }
    }
}

fn service(object: &Value, causes: &mut Causes) {
    let ports = object::items(object, "/spec/ports");
    let needs_none = object::text(object, "/spec/type") == "ExternalName"
        || object::text(object, "/spec/clusterIP") == "None";
    if ports.is_empty() && !needs_none {
        causes.push(("spec.ports".to_owned(), "Required value".to_owned()));
    }
    for (at, port) in ports.iter().enumerate() {
        if ports.len() > 1 && object::text(port, "/name").is_empty() {
            causes.push((format!("spec.ports[{at}].name"), "Required value".to_owned()));
        }
        if !object::number(port, "/port").is_some_and(|port| (1..=65535).contains(&port)) {
            let why = format!(
                "Invalid value: {}: must be between 1 and 65535, inclusive",
                port["port"]
            );
            causes.push((format!("spec.ports[{at}].port"), why));
        }
    }
    labels(object, "/spec/selector", "spec.selector", causes);
}

fn scaler(object: &Value, causes: &mut Causes) {
    let least = object::number(object, "/spec/minReplicas").unwrap_or(1);
    let most = object::number(object, "/spec/maxReplicas").unwrap_or_default();
    if least < 1 {
        let why = format!("Invalid value: {least}: must be greater than or equal to 1");
        causes.push(("spec.minReplicas".to_owned(), why));
    }
    if most < 1 {
        let why = format!("Invalid value: {most}: must be greater than 0");
        causes.push(("spec.maxReplicas".to_owned(), why));
    } else if most < least {
        let why = format!("Invalid value: {most}: must be greater than or equal to `minReplicas`");
        causes.push(("spec.maxReplicas".to_owned(), why));
    }
}

/// The bounds of weights in [the definition of HTTPRoute](https://gateway-api.sigs.k8s.io/reference/spec/#backendref).
fn weights(object: &Value, causes: &mut Causes) {
    for (at, rule) in object::items(object, "/spec/rules").iter().enumerate() {
        for (to, reference) in object::items(rule, "/backendRefs").iter().enumerate() {
            let path = format!("spec.rules[{at}].backendRefs[{to}].weight");
            let weight = object::number(reference, "/weight").unwrap_or(1);
            let wrong = match weight {
                ..0 => "greater than or equal to 0",
                0..=1_000_000 => continue,
                _ => "less than or equal to 1000000",
            };
            let why = format!("Invalid value: {weight}: {path} in body should be {wrong}");
            causes.push((path, why));
        }
    }
}
