//! `k8s-blue-green` as a process against a stand-in of Kubernetes over HTTPS: what each command leaves behind, when it works and
//! when it does not.
//!
//! The stand-in's time runs twenty times as fast as ours, so that pods are ready before a second look at them.

use std::fs;
use std::process::Command;
use std::time::Duration;

use black_box::Place;
use sandbox::stand_ins::kubernetes::{Clock, Cluster, Login};
use serde_json::{Value, json};

use crate::commands::{commands, named};
use crate::process::{Finished, finish};
use crate::step::{LEDGER, in_run, ledger, outputs};

/// How many times as fast as ours the stand-in's time is.
const FASTER: u32 = 20;

/// What does a deploy in as little time as there is: nobody goes on looking at it.
pub(crate) const SOON: [&str; 4] = ["--soak", "0s", "--drain", "10m"];

/// A cluster with a Service `web` that leads to three pods of `shop:1.0.0`, whose colour is blue.
pub(crate) fn cluster() -> Cluster {
    let cluster = Cluster::open(Clock::compressed(FASTER)).unwrap();
    let labels = json!({ "app": "web", "color": "blue" });
    cluster.world(|world| {
        world.put(deployment("web-blue", &labels));
        world.put(json!({
            "apiVersion": "v1", "kind": "Service", "metadata": { "name": "web", "namespace": "default" },
            "spec": { "selector": labels, "ports": [{ "name": "http", "port": 80, "targetPort": "http" }] },
        }));
    });
    settled(&cluster, "shop:1.0.0");
    cluster
}

pub(crate) fn deployment(name: &str, labels: &Value) -> Value {
    json!({
        "apiVersion": "apps/v1", "kind": "Deployment", "metadata": { "name": name, "namespace": "default", "labels": labels },
        "spec": {
            "replicas": 3, "selector": { "matchLabels": labels },
            "template": {
                "metadata": { "labels": labels },
                "spec": { "containers": [{
                    "name": "web", "image": "shop:1.0.0", "ports": [{ "name": "http", "containerPort": 8080 }],
                    "env": [{ "name": "DATABASE_PASSWORD", "value": SECRET }],
                }] },
            },
        },
    })
}

/// A value of a variable in a pod's template, which nothing may show.
pub(crate) const SECRET: &str = "correct-horse-battery-staple";

/// Waits, by skipping time, until all traffic goes to an image.
#[track_caller]
pub(crate) fn settled(cluster: &Cluster, image: &str) {
    for _ in 0..60 {
        if serving(cluster) == [image] {
            return;
        }
        cluster.skip(Duration::from_secs(1));
    }
    panic!("not `{image}` serves but {:?}", serving(cluster));
}

/// The images that the Service leads to.
pub(crate) fn serving(cluster: &Cluster) -> Vec<String> {
    let shares = cluster.world(|world| world.shares("default", "web"));
    shares.into_iter().map(|(image, _)| image).collect()
}

/// How many pods a Deployment is to have.
pub(crate) fn replicas(cluster: &Cluster, deployment: &str) -> Option<u64> {
    cluster.world(|world| world.get("deployments", "default", deployment)?["spec"]["replicas"].as_u64())
}

/// The calls that changed something in the order they were made, without those of the lock.
pub(crate) fn writes(cluster: &Cluster) -> Vec<String> {
    let calls = cluster.calls("writes").into_iter();
    let writes = calls.filter(|call| call.resource != "leases");
    writes
        .map(|call| format!("{} {} {}", call.verb, call.resource, call.name))
        .collect()
}

/// A command as a step of run 7, with the kubeconfig of the administrator as a file.
pub(crate) fn step(place: &Place, cluster: &Cluster, name: &str, flags: &[&str]) -> Command {
    let file = place.path().join("kubeconfig");
    fs::write(&file, cluster.kubeconfig(Login::Token).unwrap()).unwrap();
    let mut command = in_run(place.step("k8s-blue-green"));
    command.env("KUBECONFIG", file).arg(name);
    command.args(flags);
    command
}

/// The same for the Service.
pub(crate) fn of_web(place: &Place, cluster: &Cluster, name: &str, flags: &[&str]) -> Command {
    let mut command = step(place, cluster, name, &["--service", "web"]);
    command.args(flags);
    command
}

/// Nothing that a run printed or wrote has the token, a key or a variable's value in it.
#[track_caller]
pub(crate) fn is_silent(cluster: &Cluster, place: &Place, finished: &Finished) {
    is_silent_about(&[cluster.token(), SECRET, "PRIVATE KEY"], place, finished);
}

/// The same about these. The command that hides a value names it, to the runner alone.
#[track_caller]
pub(crate) fn is_silent_about(secrets: &[&str], place: &Place, finished: &Finished) {
    let log: String = finished
        .log()
        .lines()
        .filter(|line| !line.starts_with("::add-mask::"))
        .map(|line| format!("{line}\n"))
        .collect();
    let files = ["output", "summary", LEDGER].map(|file| place.read(file));
    for secret in secrets {
        for text in [&log].into_iter().chain(&files) {
            assert!(!text.contains(secret), "`{secret}` in {text}");
        }
    }
}

#[test]
fn a_version_that_works_gets_the_traffic_and_gives_it_back() {
    let (place, cluster) = (Place::new(), cluster());
    let flags = [
        &["--image", "shop:1.1.0", "--environment", "production"][..],
        &SOON,
    ]
    .concat();
    let finished = finish(of_web(&place, &cluster, "deploy", &flags))
        .expect(0)
        .says(&[
            "`web-green` comes up with 3 pods",
            "Service `web` leads to `web-green`",
        ]);
    is_silent(&cluster, &place, &finished);
    settled(&cluster, "shop:1.1.0");
    let told = outputs(&place);
    for (name, value) in [
        ("status", "deployed"),
        ("live-color", "green"),
        ("previous-color", "blue"),
        ("service", "web"),
        ("namespace", "default"),
    ] {
        assert_eq!(told[name], value, "{told:?}");
    }
    let line = ledger(&place).remove(0);
    for (field, value) in [
        ("tool", "k8s-blue-green"),
        ("status", "done"),
        ("environment", "production"),
        (
            "undo",
            "k8s-blue-green rollback --service web --namespace default",
        ),
    ] {
        assert_eq!(line[field], value, "{line}");
    }
    assert!(place.read("summary").contains("### ✅ Service "));
    cluster.forget();
    // A fresh machine, and another run.
    let other = Place::new();
    let mut back = of_web(&other, &cluster, "rollback", &[]);
    back.env("GITHUB_RUN_ID", "8");
    let finished = finish(back).expect(0);
    is_silent(&cluster, &other, &finished);
    assert_eq!(
        writes(&cluster)[0],
        "patch services web",
        "the traffic goes first"
    );
    settled(&cluster, "shop:1.0.0");
    assert_eq!(outputs(&other)["status"], "rolled-back");
    assert_eq!(ledger(&other)[0]["status"], "rolled-back");
    assert_eq!(replicas(&cluster, "web-green"), Some(0));
}

#[test]
fn one_that_crashes_gets_no_traffic_and_says_why() {
    let (place, cluster) = (Place::new(), cluster());
    let flags = ["--image", "shop:1.1.0-crash"];
    let finished = finish(of_web(&place, &cluster, "deploy", &flags)).expect(3);
    let errors = named(&finished.log(), "error");
    assert_eq!(errors.len(), 1, "{errors:?}");
    assert!(
        errors[0].contains("no traffic had moved, `web-blue` serves") && errors[0].contains("exit code 1"),
        "{errors:?}"
    );
    is_silent(&cluster, &place, &finished);
    finished.says(&["fatal: can't go on", "reproduce: k8s-blue-green deploy"]);
    assert_eq!(serving(&cluster), ["shop:1.0.0"]);
    assert_eq!(outputs(&place)["status"], "failed");
    assert!(place.read("summary").contains("can't go on"));
    assert_eq!(replicas(&cluster, "web-green"), Some(0));
}

#[test]
fn what_a_container_prints_stays_text() {
    use sandbox::stand_ins::kubernetes::Behaviour;
    let (place, cluster) = (Place::new(), cluster());
    let nasty = "::add-path::/evil\r::set-env name=A::b \u{1b}[31m ##[error]x <b> @everyone";
    let behaviour = Behaviour::crash(1, Duration::from_secs(2)).saying(Duration::from_secs(1), nasty);
    cluster.world(|world| world.settings.images.push(("shop:nasty".to_owned(), behaviour)));
    let finished = finish(of_web(&place, &cluster, "deploy", &["--image", "shop:nasty"])).expect(3);
    let log = finished.log();
    let known = ["add-mask", "group", "endgroup", "error", "warning", "notice"];
    let foreign: Vec<String> = commands(&log)
        .into_iter()
        .map(|command| command.name)
        .filter(|name| !known.contains(&name.as_str()))
        .collect();
    assert!(foreign.is_empty(), "{foreign:?}: {log}");
    let summary = place.read("summary");
    assert!(log.contains("add-path"), "{log}");
    for text in [&log, &summary] {
        assert!(!text.contains(['\u{1b}', '\r']), "{text:?}");
    }
}

#[test]
fn what_is_up_is_promoted_by_another_job() {
    let (place, cluster) = (Place::new(), cluster());
    let flags = ["--image", "shop:1.1.0", "--until", "preview"];
    finish(of_web(&place, &cluster, "deploy", &flags)).expect(0);
    assert_eq!(outputs(&place)["status"], "prepared");
    assert_eq!(
        outputs(&place)["preview-url"],
        "http://web-preview.default.svc:80"
    );
    assert_eq!(serving(&cluster), ["shop:1.0.0"]);
    let other = Place::new();
    let mut third = of_web(&other, &cluster, "deploy", &["--image", "shop:1.2.0"]);
    third.env("GITHUB_RUN_ID", "9");
    finish(third).expect(6).says(&["acme/shop/7"]);
    let other = Place::new();
    let finished = finish(of_web(&other, &cluster, "promote", &SOON)).expect(0);
    is_silent(&cluster, &other, &finished);
    settled(&cluster, "shop:1.1.0");
    assert_eq!(outputs(&other)["status"], "deployed");
}

#[test]
fn status_and_diagnose_say_what_is_and_change_nothing() {
    let (place, cluster) = (Place::new(), cluster());
    let flags = [&["--image", "shop:1.1.0"][..], &SOON].concat();
    finish(of_web(&place, &cluster, "deploy", &flags)).expect(0);
    cluster.forget();
    let other = Place::new();
    let finished = finish(of_web(&other, &cluster, "status", &["--output", "json"])).expect(0);
    let result: Value = serde_json::from_str(&finished.stdout).unwrap();
    let fact = &result["facts"]["services"][0];
    assert_eq!(
        (&fact["live"], &fact["phase"]),
        (&json!("web-green"), &json!("done"))
    );
    assert_eq!(fact["run"], "acme/shop/7", "{result}");
    is_silent(&cluster, &other, &finished);
    finish(of_web(&other, &cluster, "status", &[])).expect(0).says(&[
        "Service `web` leads to `web-green`",
        "the way back: k8s-blue-green rollback",
    ]);
    let flags = ["--bundle", "support.tar.gz"];
    let finished = finish(of_web(&other, &cluster, "diagnose", &flags))
        .expect(0)
        .says(&["nothing is wrong that can be seen"]);
    is_silent(&cluster, &other, &finished);
    let list = Command::new("tar")
        .args(["-xzvf", "support.tar.gz"])
        .current_dir(other.path())
        .output()
        .unwrap();
    let list = String::from_utf8(list.stdout).unwrap();
    assert!(list.lines().count() > 5, "{list}");
    for file in list.lines().map(|file| other.path().join(file)) {
        if file.is_file() {
            let text = fs::read_to_string(&file).unwrap();
            for secret in [SECRET, cluster.token(), "PRIVATE KEY"] {
                assert!(!text.contains(secret), "`{secret}` in {}", file.display());
            }
        }
    }
    assert_eq!(writes(&cluster), [] as [&str; 0]);
    for file in ["output", LEDGER] {
        assert!(!other.read(file).contains("deployed"), "{file}");
    }
}

#[test]
fn old_versions_are_retired_when_their_time_is_over() {
    let (place, cluster) = (Place::new(), cluster());
    let flags = [&["--image", "shop:1.1.0"][..], &SOON].concat();
    finish(of_web(&place, &cluster, "deploy", &flags)).expect(0);
    finish(of_web(&place, &cluster, "gc", &[]))
        .expect(0)
        .says(&["nothing is to be retired"]);
    cluster.world(|world| {
        let service = world.get("services", "default", "web").unwrap();
        let state = service["metadata"]["annotations"]["deploy-actions/state"].as_str();
        let mut state: Value = serde_json::from_str(state.unwrap()).unwrap();
        assert!(state["retireAfter"].is_string(), "{state}");
        state["retireAfter"] = json!("2026-01-01T00:00:00Z");
        let over = json!({ "metadata": { "annotations": { "deploy-actions/state": state.to_string() } } });
        world.merge("services", "default", "web", over);
    });
    finish(step(&place, &cluster, "gc", &["--dry-run"]))
        .expect(0)
        .says(&["`web-blue` would be scaled to no pods"]);
    assert_eq!(replicas(&cluster, "web-blue"), Some(3));
    finish(step(&place, &cluster, "gc", &[]))
        .expect(0)
        .says(&["1 old version is retired"]);
    assert_eq!(replicas(&cluster, "web-blue"), Some(0));
    settled(&cluster, "shop:1.1.0");
    // The way back brings its pods up first.
    finish(of_web(&place, &cluster, "rollback", &[])).expect(0);
    settled(&cluster, "shop:1.0.0");
}

#[test]
fn a_rolling_deploy_changes_the_workload_and_undoes_it() {
    let (place, cluster) = (Place::new(), cluster());
    let rolling = |image: &'static str| {
        let flags = [
            "--strategy",
            "rolling",
            "--workload",
            "deployment/web-blue",
            "--image",
            image,
        ];
        step(&place, &cluster, "deploy", &flags)
    };
    let finished = finish(rolling("shop:1.1.0")).expect(0);
    is_silent(&cluster, &place, &finished);
    settled(&cluster, "shop:1.1.0");
    finish(step(
        &place,
        &cluster,
        "rollback",
        &["--workload", "deployment/web-blue"],
    ))
    .expect(0);
    settled(&cluster, "shop:1.0.0");
    let failed = finish(rolling("shop:1.2.0-unpullable")).expect(3);
    is_silent(&cluster, &place, &failed);
    settled(&cluster, "shop:1.0.0");
    assert_eq!(outputs(&place)["status"], "rolled-back");
    let line = ledger(&place).pop().unwrap();
    assert!(line["facts"]["way-back-ms"].is_u64(), "{line}");
}

#[test]
fn a_migration_that_fails_leaves_all_as_it_was() {
    let (place, cluster) = (Place::new(), cluster());
    let flags = ["--image", "shop:1.1.0-jobfail", "--migrate", "web=bin/migrate up"];
    let finished = finish(of_web(&place, &cluster, "deploy", &flags)).expect(3);
    is_silent(&cluster, &place, &finished);
    finished.says(&["migration 7 failed"]);
    assert_eq!(serving(&cluster), ["shop:1.0.0"]);
    assert_eq!(replicas(&cluster, "web-green"), None);
}
