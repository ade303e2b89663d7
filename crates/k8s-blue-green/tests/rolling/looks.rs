//! Diagnoses.

use std::io::Read as _;

use gha::Exit;
use sandbox::stand_ins::kubernetes::{Fault, Turn};
use serde_json::json;

use crate::cluster::{World, workload};

async fn broken(image: &str) -> World {
    let world = World::with("Deployment", image);
    world.later(60).await;
    world
}

#[tokio::test(start_paused = true)]
async fn what_is_wrong_is_said_and_is_no_failure() {
    for (image, words) in [
        ("shop:1-crash", "container `web` crashes (exit code 1)"),
        (
            "shop:1-unpullable",
            "container `web` can't pull `shop:1-unpullable`: ",
        ),
        ("shop:1-configerror", "secret \"database\" not found"),
        ("shop:1-unschedulable", "no node takes it"),
        ("shop:1-oom", "OOMKilled"),
        ("shop:1-unready", "runs and is not ready"),
        ("shop:1", "nothing is wrong that can be seen"),
    ] {
        for about in [&["--service", "web"][..], &["--workload", "deployment/web"]] {
            let world = broken(image).await;
            let line: Vec<&str> = ["diagnose"].iter().chain(about).copied().collect();
            let ended = world.run(&line).await;
            assert!(ended.good().headline.contains(words), "{image}: {}", ended.says());
            assert!(ended.log.contains("Deployment `web`: 3 wanted"), "{}", ended.log);
            assert!(ended.writes().is_empty());
            assert!(ended.calls.len() <= 30, "{}", ended.calls.len());
        }
    }
}

#[tokio::test(start_paused = true)]
async fn what_may_not_be_read_makes_it_shorter() {
    let world = broken("shop:1-crash").await;
    for call in [
        "list events",
        "get pods/log",
        "list horizontalpodautoscalers",
        "list resourcequotas",
    ] {
        world.cluster.fault(call, Turn::Every, Fault::Denied);
    }
    let ended = world.run(&["diagnose", "--service", "web"]).await;
    assert!(ended.good().headline.contains("crashes"), "{}", ended.says());
    for what in [
        "not shown: events:",
        "not shown: logs:",
        "not shown: resourcequotas:",
    ] {
        assert_eq!(ended.log.matches(what).count(), 1, "{what}: {}", ended.log);
    }
}

#[tokio::test(start_paused = true)]
async fn a_server_that_hangs_ends_it_in_time() {
    let world = broken("shop:1-crash").await;
    world.cluster.fault("list events", Turn::Every, Fault::Hang);
    let ended = world.run(&["diagnose", "--service", "web"]).await;
    assert!(ended.good().headline.contains("crashes"), "{}", ended.says());
    assert!(ended.took.as_secs() <= 21, "{:?}", ended.took);
}

#[tokio::test(start_paused = true)]
async fn where_it_can_not_look_it_says_so() {
    let world = broken("shop:1").await;
    for (line, exit, words) in [
        (&["diagnose"][..], Exit::Usage, "nothing is named"),
        (
            &["diagnose", "--service", "none"],
            Exit::Usage,
            "Service `none`: there is none",
        ),
        (&["diagnose", "--workload", "x"], Exit::Usage, "names no workload"),
    ] {
        let ended = world.run(line).await;
        ended.failed(exit);
        assert!(ended.says().contains(words), "{}", ended.says());
    }
    world.cluster.fault("*", Turn::Every, Fault::Expired);
    world
        .run(&["diagnose", "--service", "web"])
        .await
        .failed(Exit::Access);
}

#[tokio::test(start_paused = true)]
async fn a_bundle_holds_all_of_it_and_nothing_secret() {
    let world = World::new();
    let mut web = workload("Deployment", "shop:1-crash");
    web["metadata"]["annotations"] = json!({"kubectl.kubernetes.io/last-applied-configuration": "hunter2"});
    let container = &mut web["spec"]["template"]["spec"]["containers"][0];
    container["env"] = json!([{"name": "PASSWORD", "value": "hunter2"}]);
    container["args"] = json!(["--token=hunter2"]);
    world.cluster.world(|world| world.put(web));
    world.later(60).await;
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("support.tar.gz");
    let ended = world
        .run(&[
            "diagnose",
            "--workload",
            "deployment/web",
            "--bundle",
            path.to_str().unwrap(),
        ])
        .await;
    ended.good();
    let bytes = std::fs::read(&path).unwrap();
    let mut archive = tar::Archive::new(flate2::read::GzDecoder::new(&*bytes));
    let mut names = Vec::new();
    let mut all = String::new();
    for entry in archive.entries().unwrap() {
        let mut entry = entry.unwrap();
        names.push(entry.path().unwrap().display().to_string());
        entry.read_to_string(&mut all).unwrap();
    }
    for begin in [
        "findings.txt",
        "objects/deployment/web.json",
        "objects/replicaset/web-",
        "objects/pod/web-",
        "logs/web-",
        "events.json",
    ] {
        assert!(
            names.iter().any(|name| name.starts_with(begin)),
            "{begin}: {names:?}"
        );
    }
    assert!(!all.contains("hunter2"));
    assert!(all.contains("fatal: can't go on") && all.contains("BackOff"));
    let ended = world
        .run(&[
            "diagnose",
            "--workload",
            "deployment/web",
            "--bundle",
            "/none/x.tar.gz",
        ])
        .await;
    ended.failed(Exit::Usage);
}
