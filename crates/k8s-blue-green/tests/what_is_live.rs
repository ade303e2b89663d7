//! What is live and what the other colour must be, on a cluster with controllers: an uncoloured Service is narrowed, its Deployment is
//! copied, and the copy's pods and endpoints are judged as they come up.

#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a test that panics has failed"
)]

use std::collections::BTreeSet;
use std::time::Duration;

use k8s_blue_green::color::{self, Color};
use k8s_blue_green::endpoints::{self, Endpoints, Leads};
use k8s_blue_green::image::{self, Wanted};
use k8s_blue_green::object::{Labels, uid};
use k8s_blue_green::pods::{self, Reason};
use k8s_blue_green::ready::{self, Progress};
use k8s_blue_green::{adoption, copy, live};
use sandbox::stand_ins::aws::Clock;
use sandbox::stand_ins::kubernetes::Cluster;
use serde_json::{Value, json};

const LONG: Duration = Duration::from_secs(120);

/// A cluster with an uncoloured Service and its Deployment of three pods, which are ready.
fn cluster() -> Cluster {
    let cluster = Cluster::unheard(Clock::manual());
    cluster.world(|world| {
        world.put(json!({
            "apiVersion": "v1", "kind": "Service", "metadata": {"name": "web", "namespace": "shop"},
            "spec": {"selector": {"app": "web"}, "ports": [{"name": "web", "port": 80, "targetPort": "http"}]},
        }));
        world.put(json!({
            "apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "web", "namespace": "shop"},
            "spec": {
                "replicas": 3, "selector": {"matchLabels": {"app": "web"}},
                "template": {
                    "metadata": {"labels": {"app": "web"}},
                    "spec": {"containers": [
                        {"name": "web", "image": "shop/web:1-ready-1s", "ports": [{"name": "http", "containerPort": 8080}]},
                    ]},
                },
            },
        }));
    });
    assert!(cluster.until(LONG, |world| {
        world
            .get("deployments", "shop", "web")
            .is_some_and(|web| ready::of(web).is_ready())
    }));
    cluster
}

fn all(cluster: &Cluster, resource: &str) -> Vec<Value> {
    cluster.world(|world| world.list(resource, "shop").into_iter().cloned().collect())
}

fn get(cluster: &Cluster, resource: &str, name: &str) -> Value {
    cluster
        .world(|world| world.get(resource, "shop", name).cloned())
        .expect(name)
}

fn look(cluster: &Cluster) -> Result<live::Live, live::LiveError> {
    let service = get(cluster, "services", "web");
    live::of(
        &service,
        color::LABEL,
        &all(cluster, "pods"),
        &all(cluster, "replicasets"),
        &all(cluster, "deployments"),
    )
}

/// Narrows the Service, and makes the green Deployment of that image and a Service that leads to it.
fn green(cluster: &Cluster, tag: &str, port: &str) -> live::Live {
    let live = look(cluster).unwrap();
    let narrowed = adoption::selector(&live, &all(cluster, "pods"), &all(cluster, "replicasets")).unwrap();
    cluster.world(|world| world.merge("services", "shop", "web", json!({"spec": {"selector": narrowed}})));
    let base = live.base();
    let make = copy::Make {
        name: &color::name(live.side.name(), live.next()),
        label: &live.label,
        color: live.next(),
        base: &base,
        replicas: 3,
        marks: &Labels::new(),
    };
    let mut new = copy::of(&live.side.deployment, &make).unwrap();
    let image = Wanted::parse(&format!("shop/web:{tag}")).unwrap();
    let changes = image::apply(&mut new["spec"]["template"], &[image]).unwrap();
    assert!(!changes[0].is_none());
    assert!(!copy::same(&live.side.deployment, &new, &live.label));
    new["spec"]["template"]["spec"]["containers"][0]["ports"][0]["name"] = port.into();
    let service = get(cluster, "services", "web");
    let selector = live.selector_of(live.next());
    let preview = copy::preview_service(&service, &selector, "web-preview", &Labels::new());
    cluster.world(|world| {
        world.put(new);
        world.put(preview);
    });
    live
}

fn judged(cluster: &Cluster, service: &str) -> (Endpoints, Leads) {
    let service = get(cluster, "services", service);
    let slices = all(cluster, "endpointslices");
    let of_green = |pod: &&Value| pod["metadata"]["labels"]["color"] == "green";
    let uids: BTreeSet<String> = all(cluster, "pods")
        .iter()
        .filter(of_green)
        .map(|pod| uid(pod).to_owned())
        .collect();
    (
        endpoints::judge(&service, &slices, &uids, 3),
        endpoints::leads_to(&service, &slices, &uids),
    )
}

#[test]
fn an_uncoloured_service_is_adopted_and_the_copy_becomes_ready_beside_it() {
    let cluster = cluster();
    let before = green(&cluster, "2-ready-2s", "http");
    assert_eq!((before.color, before.next()), (None, Color::Green));
    assert!(matches!(judged(&cluster, "web-preview").0, Endpoints::Waiting(_)));
    assert!(cluster.until(LONG, |world| {
        world
            .get("deployments", "shop", "web-green")
            .is_some_and(|web| ready::of(web).is_ready())
    }));
    cluster.skip(Duration::from_secs(2));
    assert_eq!(
        judged(&cluster, "web-preview"),
        (Endpoints::Ready, Leads::Only(3))
    );
    // All the while the live Service leads to the pods that it led to.
    assert!(matches!(judged(&cluster, "web").1, Leads::Others(3)));
    assert_eq!(look(&cluster).unwrap().side.pods, before.side.pods);
    // Both at once are several, and each is known.
    let base = json!({"spec": {"selector": {"pod-template-hash": null}}});
    cluster.world(|world| world.merge("services", "shop", "web", base));
    let Err(live::LiveError::Several { sides, .. }) = look(&cluster) else {
        panic!("several");
    };
    let names: Vec<&str> = sides.iter().map(live::Side::name).collect();
    assert_eq!(names, ["web", "web-green"]);
    // After the switch the new one is what is live, in its colour.
    let switched = json!({"spec": {"selector": {"color": "green"}}});
    cluster.world(|world| world.merge("services", "shop", "web", switched));
    cluster.skip(Duration::from_secs(2));
    assert_eq!(judged(&cluster, "web"), (Endpoints::Ready, Leads::Only(3)));
    let after = look(&cluster).unwrap();
    assert_eq!((after.color, after.next()), (Some(Color::Green), Color::Blue));
}

#[test]
fn a_port_that_was_renamed_is_found_where_the_deployment_is_ready() {
    let cluster = cluster();
    green(&cluster, "2-ready-2s", "web");
    assert!(cluster.until(LONG, |world| {
        world
            .get("deployments", "shop", "web-green")
            .is_some_and(|web| ready::of(web).is_ready())
    }));
    cluster.skip(Duration::from_secs(2));
    let (Endpoints::Wrong(why), _) = judged(&cluster, "web-preview") else {
        panic!("the port leads nowhere");
    };
    assert!(why.contains("has a port of the name `http`"), "{why}");
}

#[test]
fn pods_that_do_not_come_up_are_known_by_their_reason() {
    for (tag, reason, is_certain) in [
        ("2-unpullable", Reason::ImagePull, true),
        ("2-crash", Reason::Crash, true),
        ("2-oom", Reason::OutOfMemory, true),
        ("2-configerror", Reason::Config, true),
        ("2-unschedulable", Reason::Unschedulable, false),
        ("2-unready", Reason::Probe, false),
    ] {
        let cluster = cluster();
        cluster.world(|world| {
            let probe = json!({"httpGet": {"path": "/healthz", "port": "http"}});
            let mut web = world.get("deployments", "shop", "web").cloned().expect("web");
            web["spec"]["template"]["spec"]["containers"][0]["readinessProbe"] = probe;
            world.put(web);
        });
        cluster.skip(LONG);
        green(&cluster, tag, "http");
        cluster.skip(Duration::from_secs(90));
        let deployment = get(&cluster, "deployments", "web-green");
        assert!(matches!(ready::of(&deployment), Progress::Waiting(_)), "{tag}");
        let pods = all(&cluster, "pods");
        let green = pods
            .iter()
            .find(|pod| pod["metadata"]["labels"]["color"] == "green");
        let green = green.expect(tag);
        let trouble = pods::trouble(green).expect(tag);
        assert_eq!(
            (trouble.reason, trouble.certain),
            (reason, is_certain),
            "{tag}: {}",
            pods::summary(green)
        );
    }
}
