//! Tasks of their own, and task definitions.

use sandbox::stand_ins::aws::Setup;
use serde_json::{Value, json};

use crate::hands::{cloud, ecs, register, seconds};

#[test]
fn a_task_of_its_own_runs_once_for_a_token_and_ends_as_its_image_says() {
    let cloud = cloud();
    let shop = Setup::new("prod", "web")
        .sidecar("proxy:crash-3-1s")
        .build(&cloud);
    let run = |definition: &Value, token: &str| {
        let input = json!({ "cluster": "prod", "taskDefinition": definition, "launchType": "FARGATE", "startedBy": "deploy", "clientToken": token });
        ecs(&cloud, "RunTask", input)
    };
    let tell = |task: &Value| {
        ecs(
            &cloud,
            "DescribeTasks",
            json!({ "cluster": "prod", "tasks": [task["taskArn"]] }),
        )
    };
    let good = register(&cloud, &shop, "shop:2");
    let first = run(&good, "run-1");
    assert_eq!(
        first["tasks"][0]["taskArn"],
        run(&good, "run-1")["tasks"][0]["taskArn"]
    );
    // Questions do not find it at first.
    assert_eq!(tell(&first["tasks"][0])["failures"][0]["reason"], "MISSING");
    cloud.skip(seconds(30));
    let done = tell(&first["tasks"][0])["tasks"][0].take();
    assert_eq!(
        (&done["lastStatus"], &done["containers"][0]["exitCode"]),
        (&json!("STOPPED"), &json!(0))
    );
    // The side-car's end is its own.
    assert_eq!(
        (&done["stopCode"], &done["containers"][1]["exitCode"]),
        (&json!("EssentialContainerExited"), &json!(3))
    );
    let failing = register(&cloud, &shop, "shop:2-job-fails");
    let conflict = json!({ "cluster": "prod", "taskDefinition": failing, "clientToken": "run-1" });
    assert_eq!(
        cloud.act("ecs", "RunTask", conflict).unwrap_err().code,
        "ConflictException"
    );
    let failed = run(&failing, "run-2");
    let hanging = run(&register(&cloud, &shop, "shop:2-job-hangs"), "run-3");
    cloud.skip(seconds(30));
    assert_eq!(
        tell(&failed["tasks"][0])["tasks"][0]["containers"][0]["exitCode"],
        1
    );
    assert_eq!(tell(&hanging["tasks"][0])["tasks"][0]["lastStatus"], "RUNNING");
    ecs(
        &cloud,
        "StopTask",
        json!({ "cluster": "prod", "task": hanging["tasks"][0]["taskArn"], "reason": "too long" }),
    );
    cloud.skip(seconds(5));
    let ended = tell(&hanging["tasks"][0])["tasks"][0].take();
    assert_eq!(
        (&ended["lastStatus"], &ended["stoppedReason"], &ended["stopCode"]),
        (&json!("STOPPED"), &json!("too long"), &json!("UserInitiated"))
    );
    let unplaced = run(&register(&cloud, &shop, "shop:2-unplaced"), "run-4");
    assert_eq!(
        (&unplaced["tasks"], &unplaced["failures"][0]["reason"]),
        (&json!([]), &json!("RESOURCE:MEMORY"))
    );
    // Its lines are in its own stream.
    let id = failed["tasks"][0]["taskArn"]
        .as_str()
        .unwrap()
        .rsplit('/')
        .next()
        .unwrap();
    let input = json!({ "logGroupName": "/ecs/web", "logStreamName": format!("ecs/app/{id}"), "startFromHead": true });
    cloud.skip(seconds(60));
    let lines = cloud.act("logs", "GetLogEvents", input).unwrap();
    assert_eq!(lines["events"][1]["message"], "migration 7 failed", "{lines}");
}

#[test]
fn task_definitions_keep_what_nobody_knows_yet() {
    let cloud = cloud();
    let shop = Setup::new("prod", "web")
        .defined("brandNewKey", json!({ "x": [1, 2] }))
        .build(&cloud);
    let shown = ecs(
        &cloud,
        "DescribeTaskDefinition",
        json!({ "taskDefinition": shop.task_definition }),
    );
    assert_eq!(shown["taskDefinition"]["brandNewKey"], json!({ "x": [1, 2] }));
    let second = register(&cloud, &shop, "shop:2");
    assert_eq!(second, json!(shop.task_definition.replace("web:1", "web:2")));
    let list = |sort: &str| {
        ecs(
            &cloud,
            "ListTaskDefinitions",
            json!({ "familyPrefix": "web", "sort": sort }),
        )
    };
    assert_eq!(list("DESC")["taskDefinitionArns"][0], second);
    ecs(
        &cloud,
        "DeregisterTaskDefinition",
        json!({ "taskDefinition": second }),
    );
    assert_eq!(list("DESC")["taskDefinitionArns"], json!([shop.task_definition]));
    let refused = cloud.act(
        "ecs",
        "UpdateService",
        json!({ "cluster": "prod", "service": "web", "taskDefinition": second }),
    );
    assert_eq!(refused.unwrap_err().message, "TaskDefinition is inactive");
}
