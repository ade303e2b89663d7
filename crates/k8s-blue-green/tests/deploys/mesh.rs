//! Canaries through Istio where the route leads to a subset of the Service.

use std::time::Duration;

use gha::{Exit, Status};
use sandbox::stand_ins::kubernetes::{Role, User};
use serde_json::{Value, json};
use tokio::time::sleep;

use crate::canary::{left, share, watched};
use crate::cluster::{How, World};
use crate::shop::{deployment, object, serves, service, serving};

const DEPLOY: [&str; 13] = [
    "deploy",
    "--service",
    "web",
    "--image",
    "shop:2",
    "--strategy",
    "canary",
    "--route",
    "virtualservice/web",
    "--steps",
    "10% 20s, 50% 20s, 100% 20s",
    "--soak",
    "5s",
];

/// A shop whose pods have these labels, behind a Service with this selector and a route to the subset with those labels.
async fn shop(pods: &[(&str, &str)], selector: &[(&str, &str)], subset: Value) -> World {
    let world = World::new();
    world.cluster.world(|cluster| {
        cluster.put(deployment("web", pods, "shop:1"));
        cluster.put(service(selector));
        cluster.put(json!({
            "apiVersion": "networking.istio.io/v1", "kind": "VirtualService", "metadata": {"name": "web", "namespace": "default"},
            "spec": {"hosts": ["web"], "http": [{"name": "main", "route": [{"destination": {"host": "web", "subset": "stable"}}]}]},
        }));
        cluster.put(json!({
            "apiVersion": "networking.istio.io/v1", "kind": "DestinationRule", "metadata": {"name": "web-rule", "namespace": "default"},
            "spec": {"host": "web.default.svc.cluster.local", "trafficPolicy": {"tls": {"mode": "ISTIO_MUTUAL"}}, "subsets": [
                {"name": "stable", "labels": subset},
            ]},
        }));
    });
    for _ in 0..60 {
        sleep(Duration::from_secs(1)).await;
        if serving(&world) == vec![("shop:1".to_owned(), 1.0)] {
            return world;
        }
    }
    panic!("the shop does not open");
}

/// The usual one: the subset is of a colour, and the Service has pods of all colours behind it.
async fn by_color() -> World {
    shop(
        &[("app", "web"), ("color", "blue")],
        &[("app", "web")],
        json!({"color": "blue"}),
    )
    .await
}

fn subsets(world: &World) -> Value {
    object(world, "destinationrules", "web-rule").unwrap()["spec"]["subsets"].clone()
}

fn route(world: &World) -> Value {
    object(world, "virtualservices", "web").unwrap()["spec"].clone()
}

#[tokio::test(start_paused = true)]
async fn a_subset_of_a_colour_is_opened_for_the_canary_and_no_request_is_lost() {
    let world = by_color().await;
    let before = route(&world);
    let (deploy, shares) = watched(&world, &DEPLOY, "virtualservices").await;
    deploy.good();
    assert_eq!(shares, [0.0, 10.0, 50.0, 100.0], "{}", deploy.log);
    serves(&world, "shop:2");
    assert_eq!(route(&world), before);
    // The Service says which version serves; the way back is its one change.
    assert_eq!(subsets(&world), json!([{"name": "stable", "labels": {}}]));
    assert_eq!(left(&world), Vec::<String>::new());
    let back = ["rollback", "--service", "web"];
    let (back, shares) = watched(&world.other("8"), &back, "virtualservices").await;
    assert_eq!(back.good().status, Status::RolledBack);
    assert_eq!(shares, [100.0, 0.0]);
    let (again, shares) = watched(&world, &DEPLOY, "virtualservices").await;
    again.good();
    assert_eq!(shares, [0.0, 10.0, 50.0, 100.0], "{}", again.log);
}

#[tokio::test(start_paused = true)]
async fn a_subset_that_both_versions_are_in_stays_as_it_is() {
    let world = shop(
        &[("app", "web"), ("version", "v1")],
        &[("app", "web")],
        json!({"version": "v1"}),
    )
    .await;
    let before = object(&world, "destinationrules", "web-rule").unwrap();
    let mut line = DEPLOY.to_vec();
    line.extend(["--until", "10%"]);
    world.run(&line).await.good();
    let canary = object(&world, "destinationrules", "web-rule-canary").unwrap();
    assert_eq!(canary["spec"]["host"], "web-canary.default.svc.cluster.local");
    assert_eq!(canary["spec"]["trafficPolicy"], before["spec"]["trafficPolicy"]);
    assert!((share(&world, "virtualservices") - 10.0).abs() < 0.1);
    let promote = ["promote", "--service", "web", "--soak", "5s"];
    let (promote, shares) = watched(&world.other("8"), &promote, "virtualservices").await;
    promote.good();
    assert_eq!(shares, [10.0, 50.0, 100.0], "{}", promote.log);
    assert_eq!(object(&world, "destinationrules", "web-rule").unwrap(), before);
    assert_eq!(left(&world), Vec::<String>::new());
}

#[tokio::test(start_paused = true)]
async fn a_canary_that_is_taken_back_leaves_the_subset_as_it_was() {
    let world = by_color().await;
    let before = (route(&world), subsets(&world));
    let mut line = DEPLOY.to_vec();
    line[4] = "shop:lost-after-20s";
    let (deploy, shares) = watched(&world, &line, "virtualservices").await;
    deploy.failed(Exit::Failed);
    assert_eq!(shares.last(), Some(&0.0));
    sleep(Duration::from_secs(5)).await;
    serves(&world, "shop:1");
    assert_eq!((route(&world), subsets(&world)), before);
    let rule = object(&world, "destinationrules", "web-rule").unwrap();
    assert!(rule["metadata"]["annotations"]["deploy-actions/original"].is_null());
    assert_eq!(left(&world), Vec::<String>::new());
}

#[tokio::test(start_paused = true)]
async fn a_subset_that_is_not_there_and_a_rule_of_others_are_refused_first() {
    let world = by_color().await;
    world.cluster.world(|cluster| {
        cluster.put(json!({
            "apiVersion": "networking.istio.io/v1", "kind": "DestinationRule", "metadata": {"name": "web-rule-canary", "namespace": "default"},
            "spec": {"host": "other"},
        }))
    });
    let deploy = world.run(&DEPLOY).await;
    deploy.failed(Exit::Usage);
    assert!(
        deploy
            .says()
            .contains("DestinationRule `web-rule-canary` is there and not of this program"),
        "{}",
        deploy.says()
    );
    world
        .cluster
        .world(|cluster| cluster.delete("destinationrules", "default", "web-rule"));
    let deploy = world.run(&DEPLOY).await;
    deploy.failed(Exit::Usage);
    assert!(deploy.says().contains("the subset `stable`"), "{}", deploy.says());
    assert!(object(&world, "deployments", "web-green").is_none());
}

#[tokio::test(start_paused = true)]
async fn a_switch_that_would_leave_a_subset_without_pods_is_refused_first() {
    let world = by_color().await;
    let before = world
        .cluster
        .world(|cluster| cluster.route_shares("virtualservices", "default", "web"));
    let line = ["deploy", "--service", "web", "--image", "shop:2", "--soak", "5s"];
    for command in ["plan", "deploy"] {
        let mut line = line.to_vec();
        line[0] = command;
        let refused = world.run(&line).await;
        refused.failed(Exit::Usage);
        assert!(
            refused.says().contains("asks for `color=blue`"),
            "{}",
            refused.says()
        );
    }
    assert!(object(&world, "deployments", "web-green").is_none());
    // What the message says is enough.
    world.cluster.world(|cluster| {
        cluster.put(json!({
            "apiVersion": "networking.istio.io/v1", "kind": "DestinationRule", "metadata": {"name": "web-rule", "namespace": "default"},
            "spec": {"host": "web", "subsets": [{"name": "stable"}]},
        }));
    });
    let shares = || {
        world
            .cluster
            .world(|cluster| cluster.route_shares("virtualservices", "default", "web"))
    };
    assert_eq!(shares(), before);
    world.run(&line).await.good();
    assert_eq!(shares(), [("shop:2".to_owned(), 1.0)]);
    world.run(&["rollback", "--service", "web"]).await.good();
    assert_eq!(shares(), before);
}

#[tokio::test(start_paused = true)]
async fn a_canary_of_a_subset_goes_through_faults() {
    let mut line = DEPLOY.to_vec();
    (line[10], line[12]) = ("10% 1s, 100%", "1s");
    let calls = {
        let world = by_color().await;
        let deploy = world.run(&line).await;
        deploy.good();
        deploy.sent
    };
    let whole = |world: &World, images: &[&str], what: &str| {
        let now = world
            .cluster
            .world(|cluster| cluster.route_shares("virtualservices", "default", "web"));
        assert!(
            now.len() == 1 && images.contains(&&*now[0].0) && serving(world) == now,
            "{what}: {now:?}"
        );
        assert_eq!(left(world), Vec::<String>::new(), "{what}");
    };
    // The ways are those that differ here: the run ends, or what became of a call is not known. All are tried on a gateway's route.
    for how in [How::KilledAfter, How::Lost] {
        for nth in 1..=calls {
            let what = format!("{how:?} at call {nth} of {calls}");
            let world = by_color().await;
            let before = subsets(&world);
            world.strike(nth, how);
            let struck = world.run(&line).await;
            share(&world, "virtualservices");
            sleep(Duration::from_secs(5)).await;
            let recover = world.run(&["recover", "--service", "web"]).await;
            assert!(recover.result.is_ok(), "{what}: recover: {}", recover.says());
            sleep(Duration::from_secs(5)).await;
            whole(&world, &["shop:1", "shop:2"], &what);
            // Once the new version had all of the traffic, the labels stay out.
            let now = subsets(&world);
            let is_open = now == json!([{"name": "stable", "labels": {}}]);
            assert!(now == before || is_open, "{what}: {now}");
            if struck.result.is_ok() {
                whole(&world, &["shop:2"], &what);
                continue;
            }
            let again = world.run(&line).await;
            assert!(again.result.is_ok(), "{what}: again: {}", again.says());
            sleep(Duration::from_secs(5)).await;
            whole(&world, &["shop:2"], &what);
        }
    }
}

#[tokio::test(start_paused = true)]
async fn what_a_canary_could_not_take_away_at_its_end_is_taken_away_by_recover_and_by_the_next_deploy() {
    for next in [&["recover", "--service", "web"][..], &DEPLOY] {
        let mut world = by_color().await;
        let mut role = Role::nothing();
        for group in [
            "apps",
            "discovery.k8s.io",
            "coordination.k8s.io",
            "autoscaling",
            "networking.istio.io",
        ] {
            role = role.rule(group, "*", &["*"]);
        }
        role = role.rule("", "pods", &["*"]);
        role = role.rule("", "services", &["get", "list", "create", "update", "patch"]);
        world.cluster.allow(User::new("deployer", "t0ken").role(role));
        world.token = Some("t0ken".to_owned());
        world.run(&DEPLOY).await.good();
        assert!(left(&world).contains(&"web-canary".to_owned()));
        world.token = None;
        let mut next = next.to_vec();
        if let Some(image) = next.iter_mut().find(|word| **word == "shop:2") {
            *image = "shop:3";
        }
        let ended = world.run(&next).await;
        assert!(ended.result.is_ok(), "{}", ended.says());
        let left = left(&world);
        assert!(
            !left.contains(&"web-canary".to_owned()),
            "{left:?}: {}",
            ended.log
        );
    }
}
