//! Canaries of calls of gRPC, by a GRPCRoute.

use std::time::Duration;

use gha::{Exit, Status};
use serde_json::{Value, json};
use tokio::time::sleep;

use super::{DEPLOY, left, share, shop, watched};
use crate::cluster::World;
use crate::shop::{object, replicas, serves, service_of};

/// One rule for a method, which a path would not fit, and one that leads elsewhere.
fn calls() -> Value {
    json!({
        "apiVersion": "gateway.networking.k8s.io/v1", "kind": "GRPCRoute",
        "metadata": {"name": "web", "namespace": "default", "annotations": {"team": "shop"}},
        "spec": {"parentRefs": [{"name": "edge"}], "rules": [
            {"matches": [{"method": {"service": "shop.Cart"}}], "backendRefs": [{"name": "web", "port": 80}]},
            {"matches": [{"method": {"service": "shop.Old"}}], "backendRefs": [{"name": "legacy", "port": 80}]},
        ]},
    })
}

/// A shop with that route, which is as this function gives it.
async fn opened() -> (World, Value) {
    let world = shop(calls()).await;
    // A gateway that can't resolve one of the rules takes none of them.
    world
        .cluster
        .world(|cluster| cluster.put(service_of("legacy", &[("app", "legacy")])));
    sleep(Duration::from_secs(5)).await;
    let route = object(&world, "grpcroutes", "web").unwrap();
    (world, route)
}

fn line() -> [&'static str; 13] {
    let mut line = DEPLOY;
    line[8] = "grpcroute/web";
    line
}

#[track_caller]
fn is_as_before(world: &World, before: &Value) {
    let now = object(world, "grpcroutes", "web").unwrap();
    assert_eq!(now["spec"], before["spec"]);
    assert_eq!(now["metadata"]["annotations"], before["metadata"]["annotations"]);
    assert_eq!(left(world), Vec::<String>::new());
}

#[tokio::test(start_paused = true)]
async fn it_goes_up_its_steps_and_leaves_the_route_as_it_was() {
    let (world, before) = opened().await;
    let (deploy, shares) = watched(&world, &line(), "grpcroutes").await;
    assert_eq!(deploy.good().status, Status::Done);
    assert_eq!(shares, [0.0, 10.0, 50.0, 100.0], "{}", deploy.log);
    serves(&world, "shop:2");
    is_as_before(&world, &before);
    let (back, shares) = watched(&world, &["rollback", "--service", "web"], "grpcroutes").await;
    back.good();
    assert_eq!(shares.last(), Some(&0.0));
    serves(&world, "shop:1");
}

#[tokio::test(start_paused = true)]
async fn its_header_is_asked_for_beside_the_method() {
    let (world, before) = opened().await;
    let mut deploy = line().to_vec();
    deploy.extend(["--header", "canary: true", "--until", "10%"]);
    world.run(&deploy).await.good();
    let rules = object(&world, "grpcroutes", "web").unwrap()["spec"]["rules"].clone();
    let wanted = json!([{"type": "Exact", "name": "canary", "value": "true"}]);
    assert_eq!(rules[0]["matches"][0]["headers"], wanted);
    assert_eq!(rules[0]["matches"][0]["method"]["service"], "shop.Cart");
    assert!(rules[0]["matches"][0]["path"].is_null(), "{rules}");
    assert_eq!(rules[0]["backendRefs"][0]["name"], "web-canary");
    assert_eq!(rules[2]["backendRefs"], before["spec"]["rules"][1]["backendRefs"]);
    world
        .other("8")
        .run(&["rollback", "--service", "web"])
        .await
        .good();
    is_as_before(&world, &before);
}

#[tokio::test(start_paused = true)]
async fn a_rollback_from_elsewhere_in_the_middle_takes_it_back_at_once() {
    let (world, before) = opened().await;
    let mut deploy = line();
    deploy[10] = "10% 5m, 50% 5m, 100%";
    let deploying = world.run(&deploy);
    tokio::pin!(deploying);
    while share(&world, "grpcroutes") < 50.0 {
        tokio::select! {
            biased;
            ended = &mut deploying => panic!("{}", ended.says()),
            () = sleep(Duration::from_secs(1)) => {}
        }
    }
    let elsewhere = world.other("8");
    let rollback = ["rollback", "--service", "web"];
    let (deploy, (back, shares)) = tokio::join!(deploying, watched(&elsewhere, &rollback, "grpcroutes"));
    assert_eq!(back.good().status, Status::RolledBack);
    assert_eq!(shares, [50.0, 0.0], "{}", back.log);
    assert_eq!(back.writes()[0], "patch grpcroutes web", "the traffic goes first");
    deploy.failed(Exit::Locked);
    assert_eq!(deploy.fact("status"), "superseded", "{}", deploy.says());
    serves(&world, "shop:1");
    is_as_before(&world, &before);
    assert_eq!(replicas(&world, "web-green"), Some(0));
}
