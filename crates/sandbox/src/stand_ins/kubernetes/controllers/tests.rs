//! Stories of workloads on the cluster's clock.

mod routes;

use std::time::Duration;

use serde_json::{Value, json};

use crate::stand_ins::kubernetes::object;
use crate::stand_ins::kubernetes::{Clock, Cluster, Lost, World};

const MINUTE: Duration = Duration::from_secs(60);

fn deployment(name: &str, image: &str, replicas: usize) -> Value {
    json!({
        "apiVersion": "apps/v1", "kind": "Deployment", "metadata": { "name": name },
        "spec": {
            "replicas": replicas, "selector": { "matchLabels": { "app": name } },
            "template": {
                "metadata": { "labels": { "app": name } },
                "spec": { "containers": [{ "name": "web", "image": image, "ports": [{ "name": "http", "containerPort": 8080 }],
                    "readinessProbe": { "httpGet": { "port": "http" } } }] },
            },
        },
    })
}

fn service(name: &str) -> Value {
    json!({
        "apiVersion": "v1", "kind": "Service", "metadata": { "name": name },
        "spec": { "selector": { "app": name }, "ports": [{ "name": "http", "port": 80, "targetPort": "http" }] },
    })
}

fn with(objects: &[Value]) -> Cluster {
    let cluster = Cluster::unheard(Clock::manual());
    cluster.world(|world| objects.iter().for_each(|object| drop(world.put(object.clone()))));
    cluster
}

fn is_done(world: &World, name: &str) -> bool {
    let Some(live) = world.get("deployments", "default", name) else {
        return false;
    };
    let wanted = object::number(live, "/spec/replicas").unwrap_or_default();
    object::number(live, "/status/observedGeneration") == object::number(live, "/metadata/generation")
        && ["updatedReplicas", "replicas", "availableReplicas"]
            .iter()
            .all(|count| object::number(live, &format!("/status/{count}")).unwrap_or_default() == wanted)
}

fn set_image(cluster: &Cluster, image: &str) {
    cluster.world(|world| {
        let mut live = world.get("deployments", "default", "web").unwrap().clone();
        object::put(
            &mut live["spec"]["template"]["spec"]["containers"][0],
            &["image"],
            json!(image),
        );
        world.put(live);
    });
}

fn condition(cluster: &Cluster, plural: &str, name: &str, kind: &str) -> (String, String) {
    cluster.world(|world| {
        let live = world.get(plural, "default", name).unwrap();
        let found = object::condition(live, kind).cloned().unwrap_or_default();
        (
            object::text(&found, "/status").to_owned(),
            object::text(&found, "/reason").to_owned(),
        )
    })
}

fn reasons(cluster: &Cluster) -> Vec<String> {
    cluster.world(|world| {
        let events = world.list("events", "default").into_iter();
        let warnings = events.filter(|event| object::text(event, "/type") == "Warning");
        warnings
            .map(|event| object::text(event, "/reason").to_owned())
            .collect()
    })
}

#[test]
fn a_rollout_keeps_enough_pods_and_loses_no_request() {
    let cluster = with(&[deployment("web", "web:1", 4), service("web")]);
    assert!(cluster.until(MINUTE, |world| is_done(world, "web")));
    cluster.skip(Duration::from_secs(2));
    set_image(&cluster, "web:2");
    let mut seen = std::collections::BTreeSet::new();
    for nth in 0..400 {
        cluster.skip(Duration::from_millis(100));
        let visit = cluster.world(|world| {
            let live = world.get("deployments", "default", "web").unwrap();
            assert!(
                object::number(live, "/status/availableReplicas") >= Some(3),
                "{live:#}"
            );
            assert!(object::number(live, "/status/replicas") <= Some(5));
            world.visit("default", "web", 80, nth)
        });
        seen.insert(visit.unwrap().image);
    }
    assert!(cluster.world(|world| is_done(world, "web")));
    assert_eq!(seen.into_iter().collect::<Vec<_>>(), ["web:1", "web:2"]);
    let revisions = cluster.world(|world| {
        let sets = world.list("replicasets", "default").into_iter();
        let mut revisions: Vec<String> = sets
            .map(|set| object::annotation(set, super::deployments::REVISION).to_owned())
            .collect();
        revisions.sort();
        revisions
    });
    assert_eq!(revisions, ["1", "2"]);
}

#[test]
fn a_rollout_that_can_not_go_on_says_so_and_leaves_the_old_pods() {
    for (image, reason) in [
        ("web:2-unpullable", "Failed"),
        ("web:2-crash", "BackOff"),
        ("web:2-unready", "Unhealthy"),
        ("web:2-configerror", "Failed"),
        ("web:2-unschedulable", "FailedScheduling"),
    ] {
        let cluster = with(&[deployment("web", "web:1", 4), service("web")]);
        assert!(cluster.until(MINUTE, |world| is_done(world, "web")));
        set_image(&cluster, image);
        cluster.skip(Duration::from_secs(700));
        let progressing = condition(&cluster, "deployments", "web", "Progressing");
        assert_eq!(
            (progressing.0.as_str(), progressing.1.as_str()),
            ("False", "ProgressDeadlineExceeded"),
            "{image}"
        );
        assert!(
            reasons(&cluster).contains(&reason.to_owned()),
            "{image}: {:?}",
            reasons(&cluster)
        );
        let visit = cluster.world(|world| world.visit("default", "web", 80, 0));
        assert_eq!(visit.unwrap().image, "web:1");
    }
}

#[test]
fn scaling_from_zero_with_the_same_template_never_runs_into_the_deadline() {
    let cluster = with(&[deployment("web", "web:1", 1)]);
    assert!(cluster.until(MINUTE, |world| is_done(world, "web")));
    cluster.world(|world| {
        world.merge(
            "deployments",
            "default",
            "web",
            json!({ "spec": { "replicas": 0 } }),
        );
    });
    assert!(cluster.until(MINUTE, |world| is_done(world, "web")));
    cluster.world(|world| {
        let bad = super::super::Behaviour::unready();
        world.settings.images.push(("web:1".to_owned(), bad));
        world.merge(
            "deployments",
            "default",
            "web",
            json!({ "spec": { "replicas": 2 } }),
        );
    });
    cluster.skip(Duration::from_secs(2000));
    let progressing = condition(&cluster, "deployments", "web", "Progressing");
    assert_eq!(progressing.1, "NewReplicaSetAvailable");
}

#[test]
fn a_quota_and_a_denial_are_the_deployments_failure() {
    let quota = json!({ "apiVersion": "v1", "kind": "ResourceQuota", "metadata": { "name": "small" }, "spec": { "hard": { "pods": "2" } } });
    let cluster = with(&[quota, deployment("web", "web:1", 3)]);
    cluster.skip(Duration::from_secs(30));
    let failure = condition(&cluster, "deployments", "web", "ReplicaFailure");
    assert_eq!((failure.0.as_str(), failure.1.as_str()), ("True", "FailedCreate"));
    assert!(reasons(&cluster).contains(&"FailedCreate".to_owned()));
    cluster.world(|world| world.delete("resourcequotas", "default", "small"));
    assert!(cluster.until(MINUTE, |world| is_done(world, "web")));
    assert_eq!(condition(&cluster, "deployments", "web", "ReplicaFailure").0, "");
}

#[test]
fn slices_are_behind_the_pods_and_the_network_behind_the_slices() {
    let cluster = with(&[deployment("web", "web:1", 2), service("web")]);
    let far = Duration::from_secs(5);
    cluster.world(|world| (world.settings.endpoint_lag, world.settings.proxy_lag) = (far, far));
    let ready = |world: &World| {
        let slices = world.list("endpointslices", "default");
        let all = slices.iter().flat_map(|slice| object::items(slice, "/endpoints"));
        all.filter(|endpoint| object::flag(endpoint, "/conditions/ready"))
            .count()
    };
    assert!(cluster.until(MINUTE, |world| is_done(world, "web")));
    assert_eq!(cluster.world(|world| ready(world)), 0);
    assert!(cluster.until(MINUTE, |world| ready(world) == 2));
    assert_eq!(
        cluster.world(|world| world.visit("default", "web", 80, 0)),
        Err(Lost::NoEndpoint)
    );
    cluster.skip(far);
    assert!(
        cluster
            .world(|world| world.visit("default", "web", 80, 0))
            .is_ok()
    );
    // A port that the pods do not have by that name is in no slice.
    cluster.world(|world| {
        let other = json!({ "spec": { "ports": [{ "name": "http", "port": 80, "targetPort": "web" }] } });
        world.merge("services", "default", "web", other)
    });
    cluster.skip(far * 2);
    assert_eq!(
        cluster.world(|world| world.visit("default", "web", 80, 0)),
        Err(Lost::NoEndpoint)
    );
}

#[test]
fn a_pod_that_ends_serves_until_it_has_ended() {
    let cluster = with(&[deployment("web", "web:1-stubborn", 1), service("web")]);
    assert!(cluster.until(MINUTE, |world| is_done(world, "web")));
    cluster.skip(Duration::from_secs(2));
    cluster.world(|world| {
        world.merge(
            "deployments",
            "default",
            "web",
            json!({ "spec": { "replicas": 0 } }),
        );
    });
    cluster.skip(Duration::from_secs(20));
    assert!(
        cluster
            .world(|world| world.visit("default", "web", 80, 0))
            .is_ok()
    );
    cluster.skip(Duration::from_secs(12));
    assert_eq!(cluster.world(|world| world.list("pods", "default").len()), 0);
    assert_eq!(
        cluster.world(|world| world.visit("default", "web", 80, 0)),
        Err(Lost::NoEndpoint)
    );
}

#[test]
fn an_autoscaler_leaves_zero_alone_and_brings_one_to_its_least() {
    let scaler = json!({ "apiVersion": "autoscaling/v2", "kind": "HorizontalPodAutoscaler", "metadata": { "name": "web" },
        "spec": { "minReplicas": 3, "maxReplicas": 5, "scaleTargetRef": { "apiVersion": "apps/v1", "kind": "Deployment", "name": "web" } } });
    let cluster = with(&[deployment("web", "web:1", 0), scaler]);
    cluster.skip(MINUTE);
    let active = condition(&cluster, "horizontalpodautoscalers", "web", "ScalingActive");
    assert_eq!(
        (active.0.as_str(), active.1.as_str()),
        ("False", "ScalingDisabled")
    );
    cluster.world(|world| {
        world.merge(
            "deployments",
            "default",
            "web",
            json!({ "spec": { "replicas": 1 } }),
        );
    });
    assert!(cluster.until(MINUTE, |world| is_done(world, "web")));
    let size = cluster.world(|world| {
        object::number(
            world.get("deployments", "default", "web").unwrap(),
            "/spec/replicas",
        )
    });
    assert_eq!(size, Some(3));
}

#[test]
fn a_budget_counts_all_pods_that_it_selects() {
    let mut green = deployment("green", "web:2", 2);
    let mut blue = deployment("blue", "web:1", 2);
    for object in [&mut green, &mut blue] {
        object::put(
            object,
            &["spec", "template", "metadata", "labels", "tier"],
            json!("web"),
        );
    }
    let budget = json!({ "apiVersion": "policy/v1", "kind": "PodDisruptionBudget", "metadata": { "name": "web" },
        "spec": { "minAvailable": "50%", "selector": { "matchLabels": { "tier": "web" } } } });
    let cluster = with(&[blue, green, budget]);
    cluster.skip(Duration::from_secs(10));
    let status =
        cluster.world(|world| world.get("poddisruptionbudgets", "default", "web").unwrap()["status"].clone());
    assert_eq!(
        [
            "expectedPods",
            "currentHealthy",
            "desiredHealthy",
            "disruptionsAllowed"
        ]
        .map(|field| status[field].as_u64().unwrap()),
        [4, 4, 2, 2]
    );
}

#[test]
fn jobs_end_well_fail_too_often_or_run_out_of_time() {
    let job = |image: &str| {
        json!({ "apiVersion": "batch/v1", "kind": "Job", "metadata": { "name": "migrate" },
        "spec": { "backoffLimit": 1, "activeDeadlineSeconds": 120, "template": {
            "spec": { "restartPolicy": "Never", "containers": [{ "name": "migrate", "image": image }] } } } })
    };
    for (image, kind, reason, pods) in [
        ("db:jobok", "Complete", "CompletionsReached", 1),
        ("db:jobfail", "Failed", "BackoffLimitExceeded", 2),
        ("db:jobhang", "Failed", "DeadlineExceeded", 0),
    ] {
        let cluster = with(&[job(image)]);
        cluster.skip(MINUTE * 5);
        let ended = condition(&cluster, "jobs", "migrate", kind);
        assert_eq!((ended.0.as_str(), ended.1.as_str()), ("True", reason), "{image}");
        assert_eq!(
            cluster.world(|world| world.list("pods", "default").len()),
            pods,
            "{image}"
        );
    }
}

#[test]
fn stateful_and_daemon_sets_are_updated_one_by_one() {
    for (kind, plural) in [("StatefulSet", "statefulsets"), ("DaemonSet", "daemonsets")] {
        let mut set = deployment("web", "web:1", 3);
        object::put(&mut set, &["kind"], json!(kind));
        if kind == "DaemonSet" {
            object::take(&mut set, &["spec", "replicas"]);
        }
        let cluster = with(&[set]);
        let images = |world: &World, image: &str| {
            let pods = world.list("pods", "default").into_iter();
            pods.filter(|pod| {
                object::text(pod, "/spec/containers/0/image") == image
                    && object::has_condition(pod, "Ready", "True")
            })
            .count()
        };
        assert!(
            cluster.until(MINUTE, |world| images(world, "web:1") == 3),
            "{kind}"
        );
        cluster.world(|world| {
            let mut live = world.get(plural, "default", "web").unwrap().clone();
            object::put(
                &mut live["spec"]["template"]["spec"]["containers"][0],
                &["image"],
                json!("web:2"),
            );
            world.put(live);
        });
        let least = std::cell::Cell::new(3);
        assert!(
            cluster.until(MINUTE, |world| {
                let ready = images(world, "web:1") + images(world, "web:2");
                least.set(least.get().min(ready));
                images(world, "web:2") == 3
            }),
            "{kind}"
        );
        assert!(least.get() >= 2, "{kind}: {}", least.get());
    }
}

#[test]
fn five_hundred_pods_are_no_trouble() {
    let cluster = with(&[deployment("web", "web:1", 500), service("web")]);
    assert!(cluster.until(MINUTE * 5, |world| is_done(world, "web")));
    let slices = cluster.world(|world| world.list("endpointslices", "default").len());
    assert_eq!(slices, 5);
}
