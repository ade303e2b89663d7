//! Canaries: the shares of requests while a deploy goes up its steps.

use std::time::Duration;

use gha::Status;
use serde_json::{Value, json};
use tokio::time::sleep;

use crate::cluster::{Ended, World};
use crate::shop::{blue, object, plain, serves, serving};

mod back;
mod calls;
mod faults;
mod waits;

const STEPS: &str = "10% 20s, 50% 20s, 100% 20s";

const DEPLOY: [&str; 13] = [
    "deploy",
    "--service",
    "web",
    "--image",
    "shop:2",
    "--strategy",
    "canary",
    "--route",
    "httproute/web",
    "--steps",
    STEPS,
    "--soak",
    "5s",
];

fn gateway_route() -> Value {
    json!({
        "apiVersion": "gateway.networking.k8s.io/v1", "kind": "HTTPRoute",
        "metadata": {"name": "web", "namespace": "default", "annotations": {"team": "shop"}},
        "spec": {"parentRefs": [{"name": "edge"}], "rules": [
            {"matches": [{"path": {"type": "PathPrefix", "value": "/"}}], "backendRefs": [{"name": "web", "port": 80}], "timeouts": {"request": "5s"}},
        ]},
    })
}

fn mesh_route() -> Value {
    json!({
        "apiVersion": "networking.istio.io/v1", "kind": "VirtualService", "metadata": {"name": "web", "namespace": "default"},
        "spec": {"hosts": ["web"], "http": [{"name": "main", "route": [{"destination": {"host": "web"}}], "retries": {"attempts": 2}}]},
    })
}

fn ingress() -> Value {
    json!({
        "apiVersion": "networking.k8s.io/v1", "kind": "Ingress", "metadata": {"name": "web", "namespace": "default"},
        "spec": {"ingressClassName": "nginx", "rules": [{"host": "a.example", "http": {"paths": [
            {"path": "/", "pathType": "Prefix", "backend": {"service": {"name": "web", "port": {"number": 80}}}},
        ]}}]},
    })
}

/// A shop whose version has a colour, with an object that routes to it.
async fn shop(route: Value) -> World {
    let world = blue().await;
    world.cluster.world(|cluster| cluster.put(route));
    sleep(Duration::from_secs(5)).await;
    world
}

/// The share of requests through the route that the new version answers, in percent; each request is answered.
#[track_caller]
pub(crate) fn share(world: &World, plural: &str) -> f64 {
    let shares = world
        .cluster
        .world(|cluster| cluster.route_shares(plural, "default", "web"));
    let whole: f64 = shares.iter().map(|(_, share)| share).sum();
    assert!(
        (whole - 1.0).abs() < 1e-9 && shares.iter().all(|(image, _)| image.starts_with("shop:")),
        "{shares:?}"
    );
    let new = shares.iter().find(|(image, _)| image == "shop:2");
    (new.map_or(0.0, |(_, share)| share * 100.0) * 10.0).round() / 10.0
}

/// Runs a command and looks at the shares meanwhile, ten times a second.
pub(crate) async fn watched(world: &World, line: &[&str], plural: &str) -> (Ended, Vec<f64>) {
    let mut shares = vec![share(world, plural)];
    let running = world.run(line);
    tokio::pin!(running);
    loop {
        let ended = tokio::select! {
            biased;
            ended = &mut running => Some(ended),
            () = sleep(Duration::from_millis(100)) => None,
        };
        let now = share(world, plural);
        if shares.last() != Some(&now) {
            shares.push(now);
        }
        if let Some(ended) = ended {
            return (ended, shares);
        }
    }
}

/// What is left of a canary beside the two versions.
pub(crate) fn left(world: &World) -> Vec<String> {
    let mut left = Vec::new();
    for (plural, name) in [
        ("services", "web-canary"),
        ("services", "web-preview"),
        ("ingresses", "web-canary"),
        ("destinationrules", "web-rule-canary"),
    ] {
        if object(world, plural, name).is_some() {
            left.push(name.to_owned());
        }
    }
    left
}

/// The HTTPRoute is as it was put there; its defaults are the server's.
#[track_caller]
fn as_before(world: &World, what: &str) {
    let fresh =
        sandbox::stand_ins::kubernetes::Cluster::unheard(sandbox::stand_ins::kubernetes::Clock::manual());
    let before = fresh.world(|cluster| cluster.put(gateway_route()));
    let now = object(world, "httproutes", "web").unwrap();
    assert_eq!(now["spec"], before["spec"], "{what}");
    assert_eq!(
        now["metadata"]["annotations"], before["metadata"]["annotations"],
        "{what}"
    );
}

#[tokio::test(start_paused = true)]
async fn a_canary_of_a_gateway_goes_up_its_steps_and_leaves_the_route_as_it_was() {
    let world = shop(gateway_route()).await;
    let before = object(&world, "httproutes", "web").unwrap();
    let (deploy, shares) = watched(&world, &DEPLOY, "httproutes").await;
    assert_eq!(deploy.good().status, Status::Done);
    assert_eq!(shares, [0.0, 10.0, 50.0, 100.0], "{}", deploy.log);
    let after = object(&world, "httproutes", "web").unwrap();
    assert_eq!(after["spec"], before["spec"]);
    assert_eq!(
        after["metadata"]["annotations"],
        before["metadata"]["annotations"]
    );
    serves(&world, "shop:2");
    assert_eq!(left(&world), Vec::<String>::new());
    assert_eq!(deploy.fact("live-weight"), "100");
    assert!(deploy.took >= Duration::from_secs(65), "{:?}", deploy.took);
    // The next one goes the other way.
    let (back, shares) = watched(&world, &["rollback", "--service", "web"], "httproutes").await;
    back.good();
    assert_eq!(shares.last(), Some(&0.0));
    serves(&world, "shop:1");
}

#[tokio::test(start_paused = true)]
async fn a_canary_of_a_mesh_goes_up_its_steps() {
    let world = shop(mesh_route()).await;
    let before = object(&world, "virtualservices", "web").unwrap();
    let mut line = DEPLOY;
    line[8] = "virtualservice/web";
    let (deploy, shares) = watched(&world, &line, "virtualservices").await;
    deploy.good();
    assert_eq!(shares, [0.0, 10.0, 50.0, 100.0], "{}", deploy.log);
    assert_eq!(
        object(&world, "virtualservices", "web").unwrap()["spec"],
        before["spec"]
    );
    serves(&world, "shop:2");
    assert_eq!(left(&world), Vec::<String>::new());
}

#[tokio::test(start_paused = true)]
async fn a_canary_of_an_ingress_is_a_second_one_while_it_lasts() {
    let world = shop(ingress()).await;
    let before = object(&world, "ingresses", "web").unwrap();
    let mut line = DEPLOY.to_vec();
    line[8] = "ingress/web";
    line.extend(["--header", "canary: true", "--until", "10%"]);
    let deploy = world.run(&line).await;
    assert_eq!(deploy.good().status, Status::Done);
    let canary = object(&world, "ingresses", "web-canary").unwrap();
    let annotations = &canary["metadata"]["annotations"];
    assert_eq!(annotations["nginx.ingress.kubernetes.io/canary-weight"], "10");
    assert_eq!(
        annotations["nginx.ingress.kubernetes.io/canary-by-header"],
        "canary"
    );
    let promote = world
        .other("8")
        .run(&["promote", "--service", "web", "--soak", "5s"])
        .await;
    promote.good();
    assert_eq!(object(&world, "ingresses", "web").unwrap(), before);
    serves(&world, "shop:2");
    assert_eq!(left(&world), Vec::<String>::new());
}

#[tokio::test(start_paused = true)]
async fn pods_divide_the_traffic_where_no_route_does() {
    for world in [blue().await, plain().await] {
        let mut line = DEPLOY;
        (line[8], line[10]) = ("pods", "25% 20s, 50% 20s, 100%");
        let running = world.run(&line);
        tokio::pin!(running);
        let mut shares = Vec::new();
        let deploy = loop {
            tokio::select! {
                biased;
                ended = &mut running => break ended,
                () = sleep(Duration::from_millis(500)) => {}
            }
            let now = serving(&world);
            assert!(!now.is_empty());
            let new = now.iter().find(|(image, _)| image == "shop:2");
            let new = new.map_or(0.0, |(_, share)| (share * 100.0).round());
            if shares.last() != Some(&new) {
                shares.push(new);
            }
        };
        deploy.good();
        for step in [0.0, 25.0, 50.0] {
            assert!(shares.contains(&step), "{shares:?}\n{}", deploy.log);
        }
        serves(&world, "shop:2");
        assert_eq!(left(&world), Vec::<String>::new());
    }
}

#[tokio::test(start_paused = true)]
async fn an_autoscaler_takes_no_pods_of_the_old_version_while_the_canary_lasts() {
    let world = shop(gateway_route()).await;
    world.cluster.world(|cluster| {
        cluster.put(json!({
            "apiVersion": "autoscaling/v2", "kind": "HorizontalPodAutoscaler", "metadata": {"name": "web", "namespace": "default"},
            "spec": {"scaleTargetRef": {"apiVersion": "apps/v1", "kind": "Deployment", "name": "web-blue"}, "minReplicas": 1, "maxReplicas": 9},
        }))
    });
    let spec = || object(&world, "horizontalpodautoscalers", "web").unwrap()["spec"].clone();
    let before = spec();
    let mut line = DEPLOY.to_vec();
    line.extend(["--until", "50%"]);
    world.run(&line).await.good();
    assert_eq!(spec()["scaleTargetRef"]["name"], "web-blue");
    assert_eq!(spec()["minReplicas"], 3);
    world
        .other("8")
        .run(&["rollback", "--service", "web"])
        .await
        .good();
    assert_eq!(spec(), before);
    world.run(&DEPLOY).await.good();
    assert_eq!(spec()["scaleTargetRef"]["name"], "web-green");
    assert_eq!(spec()["minReplicas"], 1);
}
