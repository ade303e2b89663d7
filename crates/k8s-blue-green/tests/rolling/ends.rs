//! Rolling deploys that end as they should: what works serves, what does not goes, with its reason.

use std::time::Duration;

use gha::{Exit, Status};
use k8s_blue_green::rolling::Judged;
use serde_json::json;

use crate::cluster::{Ended, World, workload};

pub(crate) const KINDS: [(&str, &str, &str); 3] = [
    ("Deployment", "deployments", "deployment/web"),
    ("StatefulSet", "statefulsets", "statefulset/web"),
    ("DaemonSet", "daemonsets", "daemonset/web"),
];

pub(crate) async fn deploy(world: &World, workload: &str, image: &str, more: &[&str]) -> Ended {
    let line = [
        "deploy",
        "--strategy",
        "rolling",
        "--workload",
        workload,
        "--image",
        image,
    ];
    let line: Vec<&str> = line.into_iter().chain(more.iter().copied()).collect();
    world.run(&line).await
}

#[tokio::test(start_paused = true)]
async fn a_version_that_works_serves() {
    for (kind, plural, name) in KINDS {
        let world = World::with(kind, "shop:1.0.0").settled().await;
        let ended = deploy(&world, name, "web=shop:1.1.0", &[]).await;
        let outcome = ended.good();
        assert_eq!(outcome.status, Status::Done, "{kind}");
        assert!(
            ended
                .says()
                .contains(&format!("`{name}` runs `web@2` with 3 pods")),
            "{}",
            ended.says()
        );
        assert_eq!(ended.fact("revision"), "web@2");
        assert_eq!(ended.fact("previous-revision"), "web@1");
        assert_eq!(ended.fact("namespace"), "default");
        assert_eq!(
            outcome.undo.as_deref(),
            Some(&*format!(
                "k8s-blue-green rollback --workload {name} --namespace default"
            ))
        );
        assert_eq!(world.serving(), ["shop:1.1.0"; 3]);
        // The change, and the note that it is over.
        assert_eq!(
            ended.writes(),
            [format!("patch {plural}"), format!("patch {plural}")]
        );
    }
}

#[tokio::test(start_paused = true)]
async fn what_is_there_already_is_left() {
    for (kind, _, name) in KINDS {
        let world = World::with(kind, "shop:1.0.0").settled().await;
        let ended = deploy(&world, name, "shop:1.0.0", &[]).await;
        assert_eq!(ended.good().status, Status::Unchanged);
        assert!(ended.writes().is_empty());
    }
}

#[tokio::test(start_paused = true)]
async fn the_service_leads_to_the_workload() {
    let world = World::with("Deployment", "shop:1.0.0").settled().await;
    let line = [
        "deploy",
        "--strategy",
        "rolling",
        "--service",
        "web",
        "--image",
        "shop:1.1.0",
    ];
    let ended = world.run(&line).await;
    ended.good();
    assert_eq!(ended.fact("service"), "web");
    assert_eq!(world.serving(), ["shop:1.1.0"; 3]);
}

#[tokio::test(start_paused = true)]
async fn what_fails_goes_with_its_reason() {
    for (image, words, within) in [
        ("shop:2-unpullable", "can't pull `shop:2-unpullable`", 45),
        ("shop:2-crash", "container `web` crashes (exit code 1)", 60),
        ("shop:2-oom", "more memory than its limit (OOMKilled)", 60),
        ("shop:2-configerror", "secret \"database\" not found", 45),
        ("shop:2-unschedulable", "no node takes it", 120),
        ("shop:2-unready", "is not ready after 3m", 200),
    ] {
        for (kind, plural, name) in KINDS {
            if kind == "DaemonSet" && image.ends_with("unschedulable") {
                // Its pods have a node from the beginning here.
                continue;
            }
            let world = World::with(kind, "shop:1.0.0").settled().await;
            let ended = deploy(
                &world,
                name,
                image,
                &["--timeout", "3m", "--unschedulable-grace", "1m"],
            )
            .await;
            let failure = ended.failed(Exit::Failed);
            assert_eq!(failure.outcome.status, Status::RolledBack, "{image}");
            assert!(ended.says().contains(words), "{kind} {image}: {}", ended.says());
            assert!(
                ended.says().contains("is back with 3 pods"),
                "{kind} {image}: {}",
                ended.says()
            );
            assert_eq!(world.template_image(plural), "shop:1.0.0");
            assert_eq!(world.serving(), ["shop:1.0.0"; 3], "{kind} {image}");
            // The way back of a StatefulSet is pod by pod.
            assert!(
                ended.took < Duration::from_secs(within + 60),
                "{kind} {image}: {:?}",
                ended.took
            );
            assert_eq!(ended.fact("status"), "rolled-back");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn the_last_words_of_a_crash_are_told() {
    let world = World::with("Deployment", "shop:1.0.0").settled().await;
    let ended = deploy(&world, "deployment/web", "shop:2-crash", &[]).await;
    assert!(
        ended.says().contains("its last line: fatal: can't go on"),
        "{}",
        ended.says()
    );
    assert!(
        ended.log.contains("last lines of container `web`"),
        "{}",
        ended.log
    );
}

#[tokio::test(start_paused = true)]
async fn a_quota_is_named() {
    let world = World::with("Deployment", "shop:1.0.0").settled().await;
    world.cluster.world(|world| {
        world.put(json!({
            "apiVersion": "v1", "kind": "ResourceQuota", "metadata": {"name": "small", "namespace": "default"},
            "spec": {"hard": {"pods": "3"}},
        }));
    });
    let ended = deploy(&world, "deployment/web", "shop:2", &[]).await;
    ended.failed(Exit::Failed);
    assert!(ended.says().contains("exceeded quota: small"), "{}", ended.says());
    assert!(ended.log.contains("quota `small`: pods 3 of 3"), "{}", ended.log);
    assert_eq!(world.template_image("deployments"), "shop:1.0.0");
}

#[tokio::test(start_paused = true)]
async fn what_is_to_be_left_is_left() {
    let world = World::with("Deployment", "shop:1.0.0").settled().await;
    let ended = deploy(
        &world,
        "deployment/web",
        "shop:2-unpullable",
        &["--on-failure", "leave"],
    )
    .await;
    let failure = ended.failed(Exit::NeedsHuman);
    assert!(
        failure
            .help
            .as_ref()
            .unwrap()
            .contains("k8s-blue-green rollback --workload deployment/web")
    );
    assert_eq!(world.template_image("deployments"), "shop:2-unpullable");
    assert!(world.serving().iter().all(|image| image == "shop:1.0.0"));
    // The way back that it names.
    let ended = world.run(&["rollback", "--workload", "deployment/web"]).await;
    assert!(
        ended.good().headline.contains("again, with 3 pods"),
        "{}",
        ended.says()
    );
    assert_eq!(world.serving(), ["shop:1.0.0"; 3]);
}

#[tokio::test(start_paused = true)]
async fn what_judges_it_can_say_no() {
    for exit in [Exit::Failed, Exit::Inconclusive] {
        let world = World::with("Deployment", "shop:1.0.0").settled().await;
        let reason = "5 % of requests fail".to_owned();
        *world.judged.borrow_mut() = Judged::No { exit, reason };
        let ended = deploy(&world, "deployment/web", "shop:2", &[]).await;
        ended.failed(exit);
        assert!(
            ended.says().contains("is back with 3 pods: 5 % of requests fail"),
            "{}",
            ended.says()
        );
        assert_eq!(world.serving(), ["shop:1.0.0"; 3]);
    }
}

#[tokio::test(start_paused = true)]
async fn a_rollback_goes_to_the_revision_before() {
    for (kind, _, name) in KINDS {
        let world = World::with(kind, "shop:1.0.0").settled().await;
        deploy(&world, name, "shop:2", &[]).await.good();
        let ended = world.run(&["rollback", "--workload", name]).await;
        assert_eq!(ended.good().status, Status::Done);
        assert_eq!(world.serving(), ["shop:1.0.0"; 3], "{kind}");
        assert_eq!(ended.fact("revision"), "web@3");
    }
}

#[tokio::test(start_paused = true)]
async fn there_is_no_way_back_into_a_pause_or_to_nothing() {
    let world = World::with("Deployment", "shop:1.0.0").settled().await;
    let ended = world.run(&["rollback", "--workload", "deployment/web"]).await;
    ended.failed(Exit::Usage);
    assert!(
        ended.says().contains("has no earlier revision"),
        "{}",
        ended.says()
    );
    deploy(&world, "deployment/web", "shop:2", &[]).await.good();
    world
        .cluster
        .world(|world| world.merge("deployments", "default", "web", json!({"spec": {"paused": true}})));
    for line in [
        &["rollback", "--workload", "deployment/web"][..],
        &[
            "deploy",
            "--strategy",
            "rolling",
            "--workload",
            "deployment/web",
            "--image",
            "shop:3",
        ],
    ] {
        let ended = world.run(line).await;
        ended.failed(Exit::Usage);
        assert!(
            ended.says().contains("paused") && ended.writes().is_empty(),
            "{}",
            ended.says()
        );
    }
}

#[tokio::test(start_paused = true)]
async fn a_manifest_is_applied_and_taken_back() {
    let world = World::with("Deployment", "shop:1.0.0").settled().await;
    world
        .cluster
        .world(|world| world.merge("deployments", "default", "web", json!({"spec": {"replicas": 4}})));
    world.later(20).await;
    let mut manifest = workload("Deployment", "shop:1.1.0");
    manifest["spec"].as_object_mut().unwrap().shift_remove("replicas");
    manifest["spec"]["template"]["spec"]["containers"][0]["env"] = json!([{"name": "A", "value": "b"}]);
    *world.manifest.borrow_mut() = Some(manifest.clone());
    let line = ["deploy", "--strategy", "rolling"];
    let ended = world.run(&line).await;
    assert!(ended.good().headline.contains("with 4 pods"), "{}", ended.says());
    assert_eq!(world.serving(), ["shop:1.1.0"; 4]);
    let again = world.run(&line).await;
    assert_eq!(again.good().status, Status::Unchanged);
    manifest["spec"]["template"]["spec"]["containers"][0]["image"] = "shop:3-crash".into();
    *world.manifest.borrow_mut() = Some(manifest);
    let ended = world.run(&line).await;
    ended.failed(Exit::Failed);
    assert_eq!(world.serving(), ["shop:1.1.0"; 4]);
}

#[tokio::test(start_paused = true)]
async fn a_workload_that_is_new_is_made() {
    let world = World::new();
    *world.manifest.borrow_mut() = Some(workload("Deployment", "shop:1.0.0"));
    let ended = world.run(&["deploy", "--strategy", "rolling"]).await;
    assert_eq!(ended.good().undo, None);
    assert_eq!(world.serving(), ["shop:1.0.0"; 3]);
    let world = World::new();
    *world.manifest.borrow_mut() = Some(workload("Deployment", "shop:1-crash"));
    let ended = world.run(&["deploy", "--strategy", "rolling"]).await;
    ended.failed(Exit::NeedsHuman);
    assert!(
        ended.says().contains("there is no earlier version"),
        "{}",
        ended.says()
    );
}

#[tokio::test(start_paused = true)]
async fn flags_that_mean_nothing_change_nothing() {
    let world = World::with("Deployment", "shop:1.0.0").settled().await;
    for (line, words) in [
        (
            &["--workload", "deployment/web"][..],
            "nothing is named to deploy",
        ),
        (
            &["--workload", "deployment/none", "--image", "x:1"],
            "there is no Deployment `none`",
        ),
        (&["--workload", "pod/web", "--image", "x:1"], "names no workload"),
        (
            &["--workload", "deployment/web", "--image", "db=x:1"],
            "there is no container `db`",
        ),
        (&["--image", "x:1"], "no workload is named"),
    ] {
        let line: Vec<&str> = ["deploy", "--strategy", "rolling"]
            .into_iter()
            .chain(line.iter().copied())
            .collect();
        let ended = world.run(&line).await;
        ended.failed(Exit::Usage);
        assert!(ended.says().contains(words), "{words}: {}", ended.says());
        assert!(ended.writes().is_empty());
    }
}

#[tokio::test(start_paused = true)]
async fn a_stateful_set_that_is_stuck_is_freed() {
    let world = World::with("StatefulSet", "shop:1-unpullable").settled().await;
    let ended = deploy(&world, "statefulset/web", "shop:1.1.0", &[]).await;
    ended.good();
    assert!(
        ended.log.contains("deleted pod `web-0` of another version"),
        "{}",
        ended.log
    );
    assert_eq!(world.serving(), ["shop:1.1.0"; 3]);
}

#[tokio::test(start_paused = true)]
async fn no_way_back_leads_to_a_version_that_failed() {
    for (kind, _, name) in KINDS {
        let world = World::with(kind, "shop:1.0.0").settled().await;
        deploy(&world, name, "shop:1.1.0", &[]).await.good();
        deploy(&world, name, "shop:unpullable", &["--timeout", "2m"])
            .await
            .failed(Exit::Failed);
        assert_eq!(world.serving(), ["shop:1.1.0"; 3], "{kind}");
        world.run(&["rollback", "--workload", name]).await.good();
        assert_eq!(world.serving(), ["shop:1.0.0"; 3], "{kind}");
        // Nor to one that a person took back.
        let again = world.run(&["rollback", "--workload", name]).await;
        again.failed(Exit::Usage);
        assert_eq!(world.serving(), ["shop:1.0.0"; 3], "{kind}");
        // Deployed again it is a version as any other.
        deploy(&world, name, "shop:1.1.0", &[]).await.good();
        deploy(&world, name, "shop:1.2.0", &[]).await.good();
        world.run(&["rollback", "--workload", name]).await.good();
        assert_eq!(world.serving(), ["shop:1.1.0"; 3], "{kind}");
    }
}
