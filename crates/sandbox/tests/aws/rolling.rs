//! Rolling deployments that go well, and what else changes a service.

use sandbox::stand_ins::aws::{Cloud, Setup};
use serde_json::{Value, json};

use crate::hands::{cloud, deploy, ecs, messages, record_of, register, seconds, service_of, settle, update};

#[test]
fn a_good_image_rolls_out_and_never_fewer_serve_than_must() {
    let cloud = cloud();
    let shop = Setup::new("prod", "web").desired(3).balanced().build(&cloud);
    assert_eq!(cloud.serving(&shop), ["shop:1.0.0"]);
    let (id, record) = deploy(&cloud, &shop, "shop:1.1.0");
    let service = service_of(&cloud, &shop);
    assert_eq!(service["deployments"].as_array().unwrap().len(), 2);
    assert_eq!(service["deployments"][0]["rolloutState"], "IN_PROGRESS");
    assert_eq!(service["deployments"][1]["status"], "ACTIVE");
    assert_eq!(record_of(&cloud, &record)["status"], "IN_PROGRESS");
    let mut least = u64::MAX;
    while !cloud.world(|world| world.ecs.is_steady("prod", "web")) {
        least = least.min(service_of(&cloud, &shop)["runningCount"].as_u64().unwrap());
        cloud.skip(seconds(1));
        assert!(cloud.world(|world| world.now()) < seconds(1800));
    }
    assert!(least >= 3, "{least}");
    assert_eq!(cloud.shares(&shop), [("shop:1.1.0".to_owned(), 1.0)]);
    let service = service_of(&cloud, &shop);
    assert_eq!(service["deployments"].as_array().unwrap().len(), 1);
    assert_eq!(
        (
            &service["deployments"][0]["id"],
            &service["deployments"][0]["rolloutState"]
        ),
        (&json!(id), &json!("COMPLETED"))
    );
    assert_eq!(record_of(&cloud, &record)["status"], "SUCCESSFUL");
    assert_eq!(messages(&service)[0], "(service web) has reached a steady state.");
    // The old tasks ended because they were scaled in, which is no failure.
    assert_eq!(service["deployments"][0]["failedTasks"], 0);
}

#[test]
fn somebody_elses_deployment_takes_the_place_of_the_first() {
    let cloud = cloud();
    let shop = Setup::new("prod", "web").desired(2).balanced().build(&cloud);
    let (first, record) = deploy(&cloud, &shop, "shop:2-stuck");
    let (second, _) = deploy(&cloud, &shop, "shop:3");
    let service = service_of(&cloud, &shop);
    let ids: Vec<&Value> = service["deployments"]
        .as_array()
        .unwrap()
        .iter()
        .map(|one| &one["id"])
        .collect();
    // What never ran is gone at once.
    assert!(
        ids[0] == second.as_str() && !ids.contains(&&json!(first)),
        "{ids:?}"
    );
    assert_eq!(record_of(&cloud, &record)["status"], "STOPPED");
    assert!(settle(&cloud, &shop));
    assert_eq!(cloud.serving(&shop), ["shop:3"]);
}

#[test]
fn sizes_change_without_a_deployment_and_services_go_away() {
    let cloud = cloud();
    let shop = Setup::new("prod", "web").desired(2).balanced().build(&cloud);
    let before = service_of(&cloud, &shop)["deployments"][0]["id"].take();
    update(
        &cloud,
        &shop,
        json!({ "desiredCount": 4, "deploymentConfiguration": { "maximumPercent": 150 } }),
    );
    assert!(settle(&cloud, &shop));
    let service = service_of(&cloud, &shop);
    assert_eq!(
        (&service["deployments"][0]["id"], &service["runningCount"]),
        (&before, &json!(4))
    );
    let same = update(&cloud, &shop, json!({ "taskDefinition": shop.task_definition }));
    assert_eq!(same["deployments"][0]["id"], before);
    let forced = update(&cloud, &shop, json!({ "forceNewDeployment": true }));
    assert_ne!(forced["deployments"][0]["id"], before);
    assert!(settle(&cloud, &shop));
    update(&cloud, &shop, json!({ "desiredCount": 0 }));
    assert!(settle(&cloud, &shop));
    assert_eq!(cloud.shares(&shop), []);
    ecs(
        &cloud,
        "DeleteService",
        json!({ "cluster": "prod", "service": "web" }),
    );
    assert_eq!(service_of(&cloud, &shop)["status"], "DRAINING");
    cloud.skip(seconds(400));
    assert_eq!(service_of(&cloud, &shop)["status"], "INACTIVE");
    let refused = cloud.act(
        "ecs",
        "UpdateService",
        json!({ "cluster": "prod", "service": "web", "desiredCount": 1 }),
    );
    assert_eq!(refused.unwrap_err().code, "ServiceNotActiveException");
}

#[test]
fn answers_come_late_where_the_real_ones_do() {
    let cloud = cloud();
    let shop = Setup::new("prod", "web").build(&cloud);
    let before = service_of(&cloud, &shop)["currentServiceDeployment"].take();
    let definition = register(&cloud, &shop, "shop:2");
    update(&cloud, &shop, json!({ "taskDefinition": definition }));
    let listed = |cloud: &Cloud| {
        let list = ecs(
            cloud,
            "ListServiceDeployments",
            json!({ "cluster": "prod", "service": "web" }),
        );
        list["serviceDeployments"].as_array().unwrap().len()
    };
    assert_eq!(
        (
            listed(&cloud),
            service_of(&cloud, &shop)["currentServiceDeployment"].take()
        ),
        (1, before.clone())
    );
    cloud.skip(seconds(3));
    assert_eq!(listed(&cloud), 2);
    assert_ne!(service_of(&cloud, &shop)["currentServiceDeployment"], before);
}
