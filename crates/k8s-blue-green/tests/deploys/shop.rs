//! A shop in a cluster: a Service, a Deployment, and who visits it.

use std::time::Duration;

use sandbox::stand_ins::kubernetes::World as Kubernetes;
use serde_json::{Value, json};
use tokio::time::sleep;

use crate::cluster::World;

/// How many pods the shop has.
pub(crate) const PODS: u64 = 3;

/// A Deployment `web` of version 1 with three ready pods, and the Service `web` that selects them by `app: web` alone.
pub(crate) async fn plain() -> World {
    let world = World::new();
    world.cluster.world(|cluster| {
        cluster.put(deployment("web", &[("app", "web")], "shop:1"));
        cluster.put(service(&[("app", "web")]));
    });
    settle(&world).await;
    world
}

/// The same where the live version has a colour already.
pub(crate) async fn blue() -> World {
    let world = World::new();
    let labels = [("app", "web"), ("color", "blue")];
    world.cluster.world(|cluster| {
        cluster.put(deployment("web-blue", &labels, "shop:1"));
        cluster.put(service(&labels));
    });
    settle(&world).await;
    world
}

async fn settle(world: &World) {
    for _ in 0..60 {
        sleep(Duration::from_secs(1)).await;
        if serving(world) == vec![("shop:1".to_owned(), 1.0)] {
            return;
        }
    }
    panic!("the shop does not open: {:?}", serving(world));
}

pub(crate) fn deployment(name: &str, labels: &[(&str, &str)], image: &str) -> Value {
    let labels: Value = labels
        .iter()
        .map(|(key, value)| ((*key).to_owned(), json!(value)))
        .collect();
    json!({
        "apiVersion": "apps/v1", "kind": "Deployment",
        "metadata": {"name": name, "namespace": "default", "labels": labels, "annotations": {"team": "shop"}},
        "spec": {
            "replicas": PODS,
            "selector": {"matchLabels": labels},
            "template": {
                "metadata": {"labels": labels},
                "spec": {"containers": [{
                    "name": "web", "image": image, "ports": [{"name": "http", "containerPort": 8080}],
                    "env": [{"name": "MODE", "value": "production"}],
                }]},
            },
        },
    })
}

pub(crate) fn service(selector: &[(&str, &str)]) -> Value {
    service_of("web", selector)
}

pub(crate) fn service_of(name: &str, selector: &[(&str, &str)]) -> Value {
    let selector: Value = selector
        .iter()
        .map(|(key, value)| ((*key).to_owned(), json!(value)))
        .collect();
    json!({
        "apiVersion": "v1", "kind": "Service",
        "metadata": {"name": name, "namespace": "default"},
        "spec": {"selector": selector, "ports": [{"name": "http", "port": 80, "targetPort": "http"}]},
    })
}

/// The images that the Service leads to, by their shares.
pub(crate) fn serving(world: &World) -> Vec<(String, f64)> {
    world
        .cluster
        .world(|cluster: &mut Kubernetes| cluster.shares("default", "web"))
}

/// All traffic goes to this image.
#[track_caller]
pub(crate) fn serves(world: &World, image: &str) {
    assert_eq!(serving(world), vec![(image.to_owned(), 1.0)]);
}

/// One visit after the other, with a pause between, until this ends; counts all and keeps those that were not answered.
pub(crate) async fn visit(
    world: &World,
    pause: Duration,
    until: impl Future<Output = ()>,
) -> (u64, Vec<String>) {
    let (mut visits, mut lost) = (0, Vec::new());
    tokio::pin!(until);
    loop {
        tokio::select! {
            biased;
            () = &mut until => return (visits, lost),
            () = sleep(pause) => {}
        }
        let nth = usize::try_from(visits).unwrap();
        match world
            .cluster
            .world(|cluster| cluster.visit("default", "web", 80, nth))
        {
            Ok(_) => {}
            Err(why) => lost.push(format!(
                "{:?}: {why:?}",
                world.cluster.world(|cluster| cluster.now())
            )),
        }
        visits += 1;
    }
}

/// An object of the cluster.
pub(crate) fn object(world: &World, plural: &str, name: &str) -> Option<Value> {
    world
        .cluster
        .world(|cluster| cluster.get(plural, "default", name).cloned())
}

/// How many pods a Deployment is to have.
pub(crate) fn replicas(world: &World, deployment: &str) -> Option<u64> {
    object(world, "deployments", deployment)?["spec"]["replicas"].as_u64()
}

/// The selector of the Service.
pub(crate) fn selector(world: &World) -> Value {
    selector_of(world, "web")
}

pub(crate) fn selector_of(world: &World, service: &str) -> Value {
    object(world, "services", service).unwrap()["spec"]["selector"].clone()
}
