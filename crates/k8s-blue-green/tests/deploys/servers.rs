//! Namespaces and servers that lack something: a namespace that is not there or on its way out, and a server that is older than what
//! this program knows.

use gha::{Exit, Status};
use sandbox::stand_ins::aws::Turn;
use sandbox::stand_ins::kubernetes::{Fault, Refusal};
use serde_json::json;

use crate::cluster::{Ended, World};
use crate::shop::{blue, object, replicas, selector, serves};

const DEPLOY: [&str; 7] = ["deploy", "--service", "web", "--image", "shop:2", "--soak", "5s"];

/// Calls of this selector are refused as in a namespace that is on its way out: what is there stays for a while, and nothing new may
/// be made.
fn terminating(world: &World, selector: &str) {
    let message = "deployments.apps \"web-green\" is forbidden: unable to create new content in namespace default because it is being \
                   terminated";
    let refusal = Refusal::new(403, "Forbidden", message);
    world
        .cluster
        .fault(selector, Turn::Every, Fault::Refused(refusal));
}

/// It made nothing and moved nothing.
#[track_caller]
fn nothing_is_made(world: &World, ended: &Ended) {
    assert!(
        object(world, "deployments", "web-green").is_none(),
        "{}",
        ended.says()
    );
    assert!(
        object(world, "services", "web-preview").is_none(),
        "{}",
        ended.says()
    );
    assert_eq!(selector(world), json!({"app": "web", "color": "blue"}));
    serves(world, "shop:1");
}

#[tokio::test(start_paused = true)]
async fn a_namespace_that_is_not_there_is_named_and_never_made() {
    let world = blue().await;
    for command in ["deploy", "plan", "rollback", "recover", "status"] {
        let mut line = vec![command, "--service", "web", "--namespace", "shpo"];
        if matches!(command, "deploy" | "plan") {
            line.extend(["--image", "shop:2"]);
        }
        let ended = world.run(&line).await;
        ended.failed(Exit::Usage);
        let says = ended.says();
        assert!(
            says.contains("there is no Service `web` in namespace `shpo`") && says.contains("--namespace"),
            "{command}: {says}"
        );
        // The lock is tried for, and refused like all else there.
        assert!(
            ended
                .calls
                .iter()
                .all(|call| !call.writes() || call.status == 404),
            "{command}"
        );
    }
    assert!(
        world
            .cluster
            .world(|cluster| cluster.get("namespaces", "", "shpo").is_none())
    );
}

#[tokio::test(start_paused = true)]
async fn a_namespace_that_goes_is_told_so_before_anything_is_changed() {
    let world = blue().await;
    terminating(&world, "create");
    let ended = world.run(&DEPLOY).await;
    ended.failed(Exit::Usage);
    assert!(ended.says().contains("being terminated"), "{}", ended.says());
    nothing_is_made(&world, &ended);
}

#[tokio::test(start_paused = true)]
async fn a_namespace_that_begins_to_go_in_the_middle_leaves_the_old_version() {
    let world = blue().await;
    terminating(&world, "create deployments");
    let ended = world.run(&DEPLOY).await;
    assert!(ended.result.is_err());
    let says = ended.says();
    assert!(
        says.contains("being terminated") && says.contains("no traffic had moved"),
        "{says}"
    );
    nothing_is_made(&world, &ended);
}

#[tokio::test(start_paused = true)]
async fn a_server_without_what_only_looks_around_is_deployed_to() {
    let world = blue().await;
    for kind in [
        "horizontalpodautoscalers",
        "ingresses",
        "httproutes",
        "poddisruptionbudgets",
        "resourcequotas",
        "selfsubjectaccessreviews",
    ] {
        let unknown = Refusal::new(
            404,
            "NotFound",
            "the server could not find the requested resource",
        );
        world
            .cluster
            .fault(&format!("* {kind}"), Turn::Every, Fault::Refused(unknown));
    }
    let deploy = world.run(&DEPLOY).await;
    assert_eq!(deploy.good().status, Status::Done, "{}", deploy.log);
    serves(&world, "shop:2");
    let back = world.other("8").run(&["rollback", "--service", "web"]).await;
    back.good();
    serves(&world, "shop:1");
    assert_eq!(replicas(&world, "web-green"), Some(0));
}

#[tokio::test(start_paused = true)]
async fn a_server_without_the_slices_that_confirm_a_switch_keeps_the_old_version() {
    let world = blue().await;
    let unknown = Refusal::new(
        404,
        "NotFound",
        "the server could not find the requested resource",
    );
    world
        .cluster
        .fault("* endpointslices", Turn::Every, Fault::Refused(unknown));
    let ended = world.run(&DEPLOY).await;
    assert!(ended.result.is_err(), "{}", ended.log);
    let says = ended.says();
    assert!(says.contains("endpointslices"), "{says}");
    assert_eq!(selector(&world), json!({"app": "web", "color": "blue"}));
    assert_eq!(replicas(&world, "web-green").unwrap_or(0), 0, "{says}");
}

#[tokio::test(start_paused = true)]
async fn a_server_without_leases_has_no_lock_and_says_so() {
    let world = blue().await;
    let unknown = Refusal::new(
        404,
        "NotFound",
        "the server could not find the requested resource",
    );
    world
        .cluster
        .fault("* leases", Turn::Every, Fault::Refused(unknown));
    let ended = world.run(&DEPLOY).await;
    ended.good();
    assert!(
        ended.log.contains("there is no lock against a second deploy"),
        "{}",
        ended.log
    );
    serves(&world, "shop:2");
}
