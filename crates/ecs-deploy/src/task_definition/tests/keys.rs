use serde_json::{Value, json};

use super::{of, web};
use crate::task_definition::keys::warnings;

fn of_container(container: Value) -> Vec<String> {
    warnings(&of(&json!({"family": "a", "containerDefinitions": [container]})))
}

#[test]
fn misspelt_keys_are_told_and_others_are_not() {
    assert_eq!(
        of_container(
            json!({"name": "web", "enviroment": [], "portmappings": [], "Image": "x", "futureKey": 1})
        ),
        [
            "the key `enviroment` of container `web` is not known; did you mean `environment`? it is sent as it is",
            "the key `portmappings` of container `web` is not known; did you mean `portMappings`? it is sent as it is",
            "the key `Image` of container `web` is not known; did you mean `image`? it is sent as it is",
        ]
    );
    assert_eq!(warnings(&web()), [""; 0]);
    let task = of(&json!({"executionRole": "x", "taskRoleArm": "x", "containerDefinitions": []}));
    let told = warnings(&task);
    assert!(
        told.len() == 2 && told[0].contains("`executionRoleArn`") && told[1].contains("`taskRoleArn`"),
        "{told:?}"
    );
}

#[test]
fn values_that_are_no_text_are_told() {
    let environment =
        json!([{"name": "A", "value": 8080}, {"name": "B", "value": true}, {"name": "C", "value": "x"}]);
    assert_eq!(
        of_container(json!({"name": "web", "cpu": 1, "memory": 2, "environment": environment})),
        [
            "`value` of `A` in `environment` of container `web` is a number, and ECS takes a text; put it in quotes",
            "`value` of `B` in `environment` of container `web` is a truth value, and ECS takes a text; put it in quotes",
        ]
    );
    let task = of(&json!({"cpu": 256, "tags": [{"key": "t", "value": 1}], "containerDefinitions": []}));
    let told = warnings(&task);
    assert!(
        told.len() == 2 && told[0].starts_with("`cpu` of the task definition is a number"),
        "{told:?}"
    );
}

#[test]
fn what_is_foreign_is_bounded() {
    let long = "imag\u{1b}".repeat(500);
    let containers: Vec<Value> = (0..100)
        .map(|_| json!({"name": long, "imagee": 1, (long.clone()): 1}))
        .collect();
    let told = warnings(&of(&json!({"containerDefinitions": containers})));
    assert!(
        told.len() == 20
            && told
                .iter()
                .all(|line| line.len() < 500 && !line.contains('\u{1b}'))
    );
}
