use serde_json::{Value, json};

use super::TaskDefinition;

mod diff;
mod edit;
mod keys;
mod read;

/// A task definition of a value.
fn of(value: &Value) -> TaskDefinition {
    TaskDefinition::from_file(value.to_string().as_bytes()).unwrap()
}

/// Two containers, with something of everything.
fn web() -> TaskDefinition {
    of(&json!({
        "family": "web",
        "networkMode": "awsvpc",
        "cpu": "256",
        "memory": "512",
        "containerDefinitions": [
            {
                "name": "web",
                "image": "registry.example:5000/shop:v1",
                "portMappings": [{"containerPort": 8080}],
                "environment": [{"name": "MODE", "value": "hunter2"}, {"name": "PORT", "value": "8080"}],
                "secrets": [{"name": "TOKEN", "valueFrom": "/shop/token"}],
                "futureKey": {"x": [1, null, ""]}
            },
            {"name": "sidecar", "image": "envoy:1", "essential": false}
        ],
        "brandNewKey": {"x": 1}
    }))
}

/// One container.
fn single() -> TaskDefinition {
    of(&json!({"family": "job", "containerDefinitions": [{"name": "job", "image": "job:1"}]}))
}
