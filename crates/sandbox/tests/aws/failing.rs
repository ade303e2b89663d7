//! Rolling deployments that fail: what is shown of it, and whether the service goes back.

use sandbox::stand_ins::aws::{Behaviour, Setup};
use serde_json::{Value, json};

use crate::hands::{cloud, deploy, ecs, messages, record_of, seconds, service_of, settle, stopped};

#[test]
fn an_image_that_fails_is_taken_back_by_the_breaker_with_its_reasons() {
    let cases = [
        (
            "shop:2-crash",
            "EssentialContainerExited",
            "Essential container in task exited",
            json!(1),
        ),
        (
            "shop:2-oom",
            "EssentialContainerExited",
            "Essential container in task exited",
            json!(137),
        ),
        (
            "shop:2-unpullable",
            "TaskFailedToStart",
            "CannotPullContainerError",
            Value::Null,
        ),
        (
            "shop:2-missing-secret",
            "TaskFailedToStart",
            "ResourceInitializationError",
            Value::Null,
        ),
        (
            "shop:2-unhealthy",
            "ServiceSchedulerInitiated",
            "Task failed ELB health checks in (target-group arn:",
            json!(143),
        ),
        (
            "shop:2-sick",
            "ServiceSchedulerInitiated",
            "Task failed container health checks",
            json!(143),
        ),
    ];
    for (image, code, reason, exit) in cases {
        let cloud = cloud();
        let shop = Setup::new("prod", "web")
            .desired(2)
            .balanced()
            .health_checked()
            .breaker(true)
            .build(&cloud);
        let (id, record) = deploy(&cloud, &shop, image);
        let mut states = Vec::new();
        while !cloud.world(|world| world.ecs.is_steady("prod", "web")) {
            let service = service_of(&cloud, &shop);
            let ours = service["deployments"]
                .as_array()
                .unwrap()
                .iter()
                .find(|one| one["id"] == id.as_str());
            states.extend(ours.map(|ours| ours["rolloutState"].clone()));
            assert!(service["runningCount"].as_u64() >= Some(2), "{image}");
            cloud.skip(seconds(1));
            assert!(
                cloud.world(|world| world.now()) < seconds(3600),
                "{image}: {service:#}"
            );
        }
        states.dedup();
        assert_eq!(states, ["IN_PROGRESS", "FAILED"], "{image}");
        let record = record_of(&cloud, &record);
        assert_eq!(record["status"], "ROLLBACK_SUCCESSFUL", "{image}");
        assert_eq!(
            record["deploymentCircuitBreaker"]["status"], "TRIGGERED",
            "{image}"
        );
        assert_eq!(
            record["rollback"]["serviceRevisionArn"],
            record["sourceServiceRevisions"][0]["arn"]
        );
        let tasks = stopped(&cloud, &shop, &id);
        let failed = tasks
            .iter()
            .filter(|task| task["stoppedReason"].as_str().unwrap().starts_with(reason));
        let failed: Vec<&Value> = failed.collect();
        assert!(failed.len() >= 3, "{image}: {tasks:#?}");
        assert_eq!(
            (&failed[0]["stopCode"], &failed[0]["containers"][0]["exitCode"]),
            (&json!(code), &exit),
            "{image}"
        );
        let service = service_of(&cloud, &shop);
        assert_eq!(service["taskDefinition"], shop.task_definition.as_str());
        assert_ne!(service["deployments"][0]["id"], id.as_str());
        assert_eq!(cloud.serving(&shop), ["shop:1.0.0"], "{image}");
    }
}

#[test]
fn without_a_breaker_it_fails_on_and_on_and_the_old_version_serves() {
    let cloud = cloud();
    let shop = Setup::new("prod", "web").desired(2).balanced().build(&cloud);
    let (id, record) = deploy(&cloud, &shop, "shop:2-crash-139");
    cloud.skip(seconds(600));
    let service = service_of(&cloud, &shop);
    assert_eq!(
        (
            &service["deployments"][0]["id"],
            &service["deployments"][0]["rolloutState"]
        ),
        (&json!(id), &json!("IN_PROGRESS"))
    );
    assert!(
        service["deployments"][0]["failedTasks"].as_u64() > Some(20),
        "{service:#}"
    );
    assert!(
        messages(&service)
            .iter()
            .any(|message| message.contains("unable to consistently start tasks"))
    );
    assert!(service["events"].as_array().unwrap().len() <= 100);
    assert_eq!(cloud.serving(&shop), ["shop:1.0.0"]);
    // Stopping the deployment takes it back all the same.
    ecs(
        &cloud,
        "StopServiceDeployment",
        json!({ "serviceDeploymentArn": record, "stopType": "ROLLBACK" }),
    );
    assert_eq!(record_of(&cloud, &record)["status"], "ROLLBACK_REQUESTED");
    assert!(settle(&cloud, &shop));
    assert_eq!(record_of(&cloud, &record)["status"], "ROLLBACK_SUCCESSFUL");
    let again = cloud.act(
        "ecs",
        "StopServiceDeployment",
        json!({ "serviceDeploymentArn": record }),
    );
    assert_eq!(again.unwrap_err().code, "ConflictException");
}

#[test]
fn a_slow_crash_makes_failures_forgotten_again_and_again() {
    let cloud = cloud();
    let shop = Setup::new("prod", "web").desired(1).balanced().build(&cloud);
    let (id, _) = deploy(&cloud, &shop, "shop:2-slow-crash");
    let mut counts = Vec::new();
    for _ in 0..400 {
        cloud.skip(seconds(1));
        counts.push(
            service_of(&cloud, &shop)["deployments"][0]["failedTasks"]
                .as_u64()
                .unwrap(),
        );
    }
    counts.dedup();
    assert!(
        counts.iter().all(|count| *count <= 1) && counts.len() > 6,
        "{counts:?}"
    );
    assert!(stopped(&cloud, &shop, &id).len() >= 4);
}

#[test]
fn what_cannot_be_placed_or_started_waits() {
    let cloud = cloud();
    let shop = Setup::new("prod", "web").desired(2).build(&cloud);
    deploy(&cloud, &shop, "shop:2-unplaced");
    cloud.skip(seconds(60));
    let service = service_of(&cloud, &shop);
    assert!(
        messages(&service)[0].contains("was unable to place a task because no container instance met"),
        "{service:#}"
    );
    assert_eq!(
        (
            &service["deployments"][0]["pendingCount"],
            &service["runningCount"]
        ),
        (&json!(0), &json!(2))
    );
    deploy(&cloud, &shop, "shop:2-stuck");
    cloud.skip(seconds(300));
    let service = service_of(&cloud, &shop);
    assert_eq!(
        (
            &service["deployments"][0]["pendingCount"],
            &service["runningCount"]
        ),
        (&json!(2), &json!(2))
    );
}

#[test]
fn an_image_does_what_a_test_says_of_it() {
    let cloud = cloud();
    let shop = Setup::new("prod", "web").breaker(true).build(&cloud);
    cloud.world(|world| {
        world.ecs.image(
            "shop:2",
            Behaviour::crash(3, seconds(1)).saying(seconds(0), "no config"),
        );
    });
    let (id, _) = deploy(&cloud, &shop, "shop:2");
    assert!(settle(&cloud, &shop));
    assert_eq!(stopped(&cloud, &shop, &id)[0]["containers"][0]["exitCode"], 3);
}

#[test]
fn an_alarm_takes_a_deployment_back() {
    let cloud = cloud();
    let alarms = json!({ "alarmNames": ["errors"], "enable": true, "rollback": true });
    let shop = Setup::new("prod", "web")
        .desired(2)
        .balanced()
        .configured("alarms", alarms)
        .build(&cloud);
    let (_, record) = deploy(&cloud, &shop, "shop:2");
    assert_eq!(record_of(&cloud, &record)["alarms"]["status"], "MONITORING");
    cloud.world(|world| world.metrics.alarm("errors", "ALARM", "too many", world.now()));
    assert!(settle(&cloud, &shop));
    let record = record_of(&cloud, &record);
    assert_eq!(record["status"], "ROLLBACK_SUCCESSFUL");
    assert_eq!(record["alarms"]["triggeredAlarmNames"], json!(["errors"]));
    assert_eq!(cloud.serving(&shop), ["shop:1.0.0"]);
}
