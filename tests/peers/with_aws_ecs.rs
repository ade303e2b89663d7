//! The stand-in of ECS, judged by botocore's model of it through whole deploys, and driven by the `aws` command.

use std::time::Duration;

use sandbox::peers::{AwsCli, Botocore, Place};
use sandbox::stand_ins::aws::{Clock, Cloud, Setup, Shop};
use serde_json::{Value, json};

/// Asks every question about the service and its tasks, whose answers must be as the model has them. The status of the newest
/// deployment.
fn look_at_all(botocore: &Botocore, shop: &Shop) -> Value {
    let ask = |operation: &str, input: Value| {
        let judged = botocore.call("ecs", operation, &input).unwrap();
        assert_eq!(
            (judged.faults, judged.code),
            (vec![], None),
            "{operation} {input}"
        );
        judged.output
    };
    let (cluster, service) = (&shop.cluster, &shop.service);
    ask("DescribeClusters", json!({ "clusters": [cluster] }));
    ask("ListServices", json!({ "cluster": cluster }));
    ask(
        "ListTaskDefinitions",
        json!({ "familyPrefix": shop.family, "sort": "DESC" }),
    );
    ask(
        "DescribeTaskDefinition",
        json!({ "taskDefinition": shop.task_definition, "include": ["TAGS"] }),
    );
    let described = ask(
        "DescribeServices",
        json!({ "cluster": cluster, "services": [service, "none"], "include": ["TAGS"] }),
    );
    assert_eq!(described["failures"][0]["reason"], "MISSING");
    ask(
        "ListTagsForResource",
        json!({ "resourceArn": described["services"][0]["serviceArn"] }),
    );
    for status in ["RUNNING", "STOPPED"] {
        let tasks = ask(
            "ListTasks",
            json!({ "cluster": cluster, "serviceName": service, "desiredStatus": status }),
        );
        if tasks["taskArns"] != json!([]) {
            ask(
                "DescribeTasks",
                json!({ "cluster": cluster, "tasks": tasks["taskArns"] }),
            );
        }
    }
    let listed = ask(
        "ListServiceDeployments",
        json!({ "cluster": cluster, "service": service }),
    );
    for brief in listed["serviceDeployments"].as_array().unwrap() {
        ask(
            "DescribeServiceDeployments",
            json!({ "serviceDeploymentArns": [brief["serviceDeploymentArn"]] }),
        );
        ask(
            "DescribeServiceRevisions",
            json!({ "serviceRevisionArns": [brief["targetServiceRevisionArn"]] }),
        );
    }
    listed["serviceDeployments"][0]["status"].clone()
}

/// Deploys an image by botocore, and looks at everything every few seconds for some minutes; how the deployment ended.
fn deploy(setup: Setup, image: &str) -> Value {
    let (cloud, place) = (Cloud::open(Clock::manual()).unwrap(), Place::new().unwrap());
    let shop = setup.build(&cloud);
    let botocore = Botocore::start(&place, cloud.environment()).unwrap();
    look_at_all(&botocore, &shop);
    let definition = json!({
        "family": shop.family,
        "networkMode": "awsvpc",
        "requiresCompatibilities": ["FARGATE"],
        "cpu": "256",
        "memory": "512",
        "containerDefinitions": [{ "name": "app", "image": image, "essential": true, "portMappings": [{ "containerPort": 8080 }] }],
    });
    let registered = botocore
        .call("ecs", "RegisterTaskDefinition", &definition)
        .unwrap();
    assert_eq!((&registered.faults, &registered.code), (&vec![], &None));
    let arn = registered.output["taskDefinition"]["taskDefinitionArn"].clone();
    let input = json!({ "cluster": shop.cluster, "service": shop.service, "taskDefinition": arn });
    let updated = botocore.call("ecs", "UpdateService", &input).unwrap();
    assert_eq!((updated.faults, updated.code), (vec![], None));
    for _ in 0..12 {
        look_at_all(&botocore, &shop);
        cloud.skip(Duration::from_secs(25));
    }
    // Old targets drain for five minutes.
    cloud.skip(Duration::from_secs(600));
    look_at_all(&botocore, &shop)
}

#[test]
fn a_rolling_deploy_speaks_as_the_model_has_it() {
    let setup = Setup::new("prod", "web").desired(2).balanced().sidecar("agent:1");
    assert_eq!(deploy(setup, "shop:1.1.0"), "SUCCESSFUL");
}

#[test]
fn a_rollback_speaks_as_the_model_has_it() {
    let setup = Setup::new("prod", "web").desired(2).balanced().breaker(true);
    assert_eq!(deploy(setup, "shop:1.1.0-crash"), "ROLLBACK_SUCCESSFUL");
}

#[test]
fn a_shift_of_traffic_speaks_as_the_model_has_it() {
    let canary = json!({ "canaryPercent": 10.0, "canaryBakeTimeInMinutes": 1 });
    let setup = Setup::new("prod", "web").desired(2).strategy("CANARY");
    let setup = setup
        .configured("canaryConfiguration", canary)
        .configured("bakeTimeInMinutes", json!(1));
    assert_eq!(deploy(setup, "shop:1.1.0"), "SUCCESSFUL");
}

#[test]
fn the_command_line_deploys_waits_and_runs_a_task() {
    // Its waiter looks every fifteen seconds of real time; at the first look all is done.
    let (cloud, place) = (
        Cloud::open(Clock::compressed(600)).unwrap(),
        Place::new().unwrap(),
    );
    let aws = AwsCli::new(&place, cloud.environment()).unwrap();
    let run = |words: &[&str]| aws.run(words).unwrap();
    run(&["ecs", "create-cluster", "--cluster-name", "prod"]);
    let register = |image: &str| {
        let containers = json!([{ "name": "app", "image": image, "essential": true }]).to_string();
        let words = [
            "ecs",
            "register-task-definition",
            "--family",
            "web",
            "--network-mode",
            "awsvpc",
            "--requires-compatibilities",
            "FARGATE",
            "--cpu",
            "256",
            "--memory",
            "512",
            "--container-definitions",
            &containers,
        ];
        run(&words)["taskDefinition"]["taskDefinitionArn"]
            .as_str()
            .unwrap()
            .to_owned()
    };
    let network = "awsvpcConfiguration={subnets=[subnet-1]}";
    let first = register("shop:1.0.0");
    run(&[
        "ecs",
        "create-service",
        "--cluster",
        "prod",
        "--service-name",
        "web",
        "--task-definition",
        &first,
        "--desired-count",
        "2",
        "--launch-type",
        "FARGATE",
        "--network-configuration",
        network,
    ]);
    run(&[
        "ecs",
        "wait",
        "services-stable",
        "--cluster",
        "prod",
        "--services",
        "web",
    ]);
    let second = register("shop:1.1.0");
    run(&[
        "ecs",
        "update-service",
        "--cluster",
        "prod",
        "--service",
        "web",
        "--task-definition",
        &second,
    ]);
    run(&[
        "ecs",
        "wait",
        "services-stable",
        "--cluster",
        "prod",
        "--services",
        "web",
    ]);
    let service = &run(&[
        "ecs",
        "describe-services",
        "--cluster",
        "prod",
        "--services",
        "web",
    ])["services"][0];
    assert_eq!(
        (&service["taskDefinition"], &service["runningCount"]),
        (&json!(second), &json!(2))
    );
    assert_eq!(service["deployments"][0]["rolloutState"], "COMPLETED");
    let tasks = run(&["ecs", "list-tasks", "--cluster", "prod", "--service-name", "web"]);
    assert_eq!(tasks["taskArns"].as_array().unwrap().len(), 2);
    let ran = run(&[
        "ecs",
        "run-task",
        "--cluster",
        "prod",
        "--task-definition",
        &second,
        "--launch-type",
        "FARGATE",
        "--network-configuration",
        network,
    ]);
    let task = ran["tasks"][0]["taskArn"].as_str().unwrap();
    run(&[
        "ecs",
        "wait",
        "tasks-stopped",
        "--cluster",
        "prod",
        "--tasks",
        task,
    ]);
    let ended = run(&["ecs", "describe-tasks", "--cluster", "prod", "--tasks", task]);
    assert_eq!(ended["tasks"][0]["containers"][0]["exitCode"], 0);
}
