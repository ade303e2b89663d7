use proptest::prelude::{Just, Strategy, any, prop_oneof, proptest};
use serde_json::{Value, json};

use super::{of, web};
use crate::task_definition::TaskDefinition;
use crate::task_definition::diff::differences;
use crate::task_definition::edit::Edit;
use crate::task_definition::same::same;

fn lines(from: &TaskDefinition, to: &TaskDefinition) -> Vec<String> {
    differences(from, to).iter().map(ToString::to_string).collect()
}

/// A task definition of one container with these keys.
fn with(mode: &str, container: Value, task: Value) -> TaskDefinition {
    let mut whole = json!({"family": "a", "networkMode": mode, "containerDefinitions": [container]});
    whole["containerDefinitions"][0]["name"] = json!("a");
    whole
        .as_object_mut()
        .unwrap()
        .extend(task.as_object().unwrap().clone());
    of(&whole)
}

/// What a file says, and what ECS answers after it was registered.
#[test]
fn what_ecs_adds_is_no_change() {
    let written = of(&json!({
        "family": "web",
        "networkMode": "awsvpc",
        "cpu": ".5 vCPU",
        "memory": "1 GB",
        "containerDefinitions": [{
            "name": "web",
            "image": "shop:v1",
            "portMappings": [{"containerPort": 80}],
            "environment": [{"name": "B", "value": "2"}, {"name": "A", "value": "1"}],
            "healthCheck": {"command": ["CMD", "true"]},
            "mountPoints": [{"sourceVolume": "v", "containerPath": "/v"}]
        }],
        "volumes": [{"name": "v", "efsVolumeConfiguration": {"fileSystemId": "fs-1"}}],
        "tags": [{"key": "b", "value": "1"}, {"key": "a", "value": "1"}]
    }));
    let answered = TaskDefinition::from_described(
        json!({"taskDefinition": {
            "taskDefinitionArn": "arn:aws:ecs:eu-west-1:123456789012:task-definition/web:7",
            "revision": 7, "status": "ACTIVE", "registeredAt": 1.5,
            "containerDefinitions": [{
                "name": "web",
                "image": "shop:v1",
                "cpu": 0,
                "essential": true,
                "portMappings": [{"containerPort": 80, "hostPort": 80, "protocol": "tcp"}],
                "environment": [{"name": "A", "value": "1"}, {"name": "B", "value": "2"}],
                "healthCheck": {"command": ["CMD", "true"], "interval": 30, "timeout": 5, "retries": 3},
                "mountPoints": [{"sourceVolume": "v", "containerPath": "/v", "readOnly": false}],
                "volumesFrom": [], "systemControls": []
            }],
            "volumes": [{"name": "v", "efsVolumeConfiguration": {"fileSystemId": "fs-1", "rootDirectory": "/"}}],
            "placementConstraints": [], "family": "web", "networkMode": "awsvpc", "cpu": "512", "memory": "1024"
        }, "tags": [{"key": "a", "value": "1"}, {"key": "b", "value": "1"}]})
        .to_string()
        .as_bytes(),
    )
    .unwrap();
    assert!(same(&written, &answered) && same(&answered, &written));
    assert_eq!(lines(&written, &answered), [""; 0]);
}

#[test]
fn whatever_may_matter_is_a_change() {
    let none = json!({});
    for (mode, one, other) in [
        // Order, and which of two values wins.
        (
            "bridge",
            json!({"command": ["a", "b"]}),
            json!({"command": ["b", "a"]}),
        ),
        (
            "bridge",
            json!({"environment": [{"name": "A", "value": "1"}, {"name": "A", "value": "2"}]}),
            json!({"environment": [{"name": "A", "value": "2"}, {"name": "A", "value": "1"}]}),
        ),
        (
            "bridge",
            json!({"dependsOn": [{"x": 1}, {"x": 2}]}),
            json!({"dependsOn": [{"x": 2}, {"x": 1}]}),
        ),
        // Not the default.
        ("bridge", json!({"essential": false}), none.clone()),
        ("bridge", json!({"cpu": 1}), none.clone()),
        ("bridge", json!({"readonlyRootFilesystem": false}), none.clone()),
        ("bridge", json!({"command": []}), none.clone()),
        ("bridge", json!({"entryPoint": []}), none.clone()),
        (
            "bridge",
            json!({"healthCheck": {"interval": 31}}),
            json!({"healthCheck": {}}),
        ),
        (
            "bridge",
            json!({"mountPoints": [{"readOnly": true}]}),
            json!({"mountPoints": [{}]}),
        ),
        // A port of the host is a static mapping in bridge, and nothing in awsvpc.
        (
            "bridge",
            json!({"portMappings": [{"containerPort": 80, "hostPort": 80}]}),
            json!({"portMappings": [{"containerPort": 80}]}),
        ),
        (
            "awsvpc",
            json!({"portMappings": [{"containerPort": 80, "hostPort": 81}]}),
            json!({"portMappings": [{"containerPort": 80}]}),
        ),
        (
            "awsvpc",
            json!({"portMappings": [{"containerPort": 80, "hostPort": 0}]}),
            json!({"portMappings": [{"containerPort": 80}]}),
        ),
        (
            "bridge",
            json!({"portMappings": [{"containerPort": 80, "protocol": "udp"}]}),
            json!({"portMappings": [{"containerPort": 80}]}),
        ),
        // Empty, null and kinds.
        (
            "bridge",
            json!({"environment": [{"name": "A", "value": ""}]}),
            json!({"environment": [{"name": "A"}]}),
        ),
        (
            "bridge",
            json!({"environment": [{"name": "A", "value": null}]}),
            json!({"environment": [{"name": "A"}]}),
        ),
        ("bridge", json!({"stopTimeout": 1}), json!({"stopTimeout": "1"})),
        ("bridge", json!({"futureKey": []}), none.clone()),
        ("bridge", json!({"environment": {}}), none.clone()),
    ] {
        let (one, other) = (with(mode, one, none.clone()), with(mode, other, none.clone()));
        assert!(!same(&one, &other), "{}", one.registration());
        assert_ne!(lines(&one, &other), [""; 0], "{}", one.registration());
    }
    for (one, other) in [
        (json!({"cpu": "0.5 vCPU"}), json!({"cpu": "511"})),
        (json!({"cpu": "0.3 vCPU"}), json!({"cpu": "307"})),
        (json!({"family": "b"}), none.clone()),
        (json!({"tags": [{"key": "a", "value": "1"}]}), none.clone()),
        (json!({"enableFaultInjection": true}), none.clone()),
        (json!({"requiresCompatibilities": []}), none.clone()),
    ] {
        let (one, other) = (with("host", json!({}), one), with("host", json!({}), other));
        assert!(!same(&one, &other), "{}", one.registration());
    }
}

#[test]
fn bridge_takes_a_host_port_of_zero_for_none() {
    let port = |mapping: Value| with("bridge", json!({"portMappings": [mapping]}), json!({}));
    assert!(same(
        &port(json!({"containerPort": 80, "hostPort": 0})),
        &port(json!({"containerPort": 80}))
    ));
}

#[test]
fn says_what_changes_without_the_values_of_variables() {
    let mut new = web();
    for edit in [
        Edit::image("web=123456789012.dkr.ecr.eu-west-1.amazonaws.com/shop:v2"),
        Edit::environment("web:MODE=hunter3"),
        Edit::environment("web:NEW=hunter4"),
        Edit::environment("web:TOKEN=plain"),
        Edit::command("sidecar=run it"),
        Edit::cpu("512"),
    ] {
        new.apply(&edit.unwrap()).unwrap();
    }
    assert_eq!(
        lines(&web(), &new),
        [
            "cpu: 256 → 512",
            "web: image: registry.example:5000/shop:v1 → <account>.dkr.ecr.eu-west-1.amazonaws.com/shop:v2",
            "web: environment `MODE` changed",
            "web: environment `NEW` added",
            "web: environment `TOKEN` added",
            "web: secret `TOKEN` removed",
            "sidecar: command added: [\"run\",\"it\"]",
        ]
    );
}

#[test]
fn containers_come_and_go() {
    let two = |one: &str, other: &str| {
        of(&json!({"containerDefinitions": [{"name": one, "image": "i:1"}, {"name": other, "image": "i:2"}]}))
    };
    assert_eq!(
        lines(&two("a", "b\n"), &two("a", "c")),
        ["container `b\\n` removed: i:2", "container `c` added: i:2"]
    );
    assert_eq!(
        lines(&two("a", "a"), &two("a", "b")),
        ["`containerDefinitions` changed"]
    );
    let turned =
        of(&json!({"containerDefinitions": [{"name": "b", "image": "i:2"}, {"name": "a", "image": "i:1"}]}));
    assert_eq!(lines(&two("a", "b"), &turned), ["`containerDefinitions` changed"]);
}

fn any_value() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(json!(null)),
        any::<bool>().prop_map(Value::from),
        (0u8..3).prop_map(Value::from),
        "[ab]?".prop_map(Value::from)
    ];
    leaf.prop_recursive(3, 12, 3, |inner| {
        let keys = proptest::sample::select(vec![
            "name",
            "value",
            "hostPort",
            "containerPort",
            "protocol",
            "readOnly",
            "environment",
            "x",
        ]);
        prop_oneof![
            proptest::collection::vec(inner.clone(), 0..3).prop_map(Value::from),
            proptest::collection::vec((keys, inner), 0..3).prop_map(|pairs| pairs
                .into_iter()
                .map(|(key, value)| (key.to_owned(), value))
                .collect()),
        ]
    })
}

fn any_definition() -> impl Strategy<Value = TaskDefinition> {
    let keys = proptest::sample::select(vec![
        "name",
        "environment",
        "portMappings",
        "cpu",
        "essential",
        "healthCheck",
        "secrets",
    ]);
    let task = proptest::sample::select(vec!["networkMode", "cpu", "tags", "volumes", "family"]);
    let container = proptest::collection::vec((keys, any_value()), 0..4);
    let containers = proptest::collection::vec(container, 0..3);
    (containers, proptest::collection::vec((task, any_value()), 0..3)).prop_map(|(containers, task)| {
        let object = |pairs: Vec<(&str, Value)>| -> Value {
            pairs
                .into_iter()
                .map(|(key, value)| (key.to_owned(), value))
                .collect()
        };
        let mut whole = object(task);
        whole["containerDefinitions"] = containers.into_iter().map(object).collect();
        of(&whole)
    })
}

proptest! {
    #[test]
    fn nothing_differs_exactly_where_they_are_the_same(one in any_definition(), other in any_definition()) {
        assert!(same(&one, &one.clone()));
        assert_eq!(differences(&one, &other).is_empty(), same(&one, &other));
        assert_eq!(same(&one, &other), same(&other, &one));
        for line in lines(&one, &other) {
            assert!(!line.contains('\n'));
        }
    }
}
