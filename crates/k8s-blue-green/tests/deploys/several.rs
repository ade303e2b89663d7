//! Several Services in one deploy: they are switched in the order given, all or none, and go back in reverse.

use std::time::Duration;

use gha::edge::cancel::Signal;
use gha::{Exit, Status};
use sandbox::stand_ins::kubernetes::{Entry, Fault, Turn};
use serde_json::json;
use tokio::time::sleep;

use crate::cluster::{Ended, How, World};
use crate::shop::{deployment, selector_of, service_of};

/// In the order given, which is not that of their names.
const NAMES: [&str; 3] = ["web", "api", "docs"];

const DEPLOY: [&str; 11] = [
    "deploy",
    "--service",
    "web",
    "--service",
    "api",
    "--service",
    "docs",
    "--image",
    "shop:2",
    "--soak",
    "10s",
];

/// Three Services, each with a Deployment of its own, blue.
async fn shops() -> World {
    let world = World::new();
    world.cluster.world(|cluster| {
        for name in NAMES {
            let labels = [("app", name), ("color", "blue")];
            cluster.put(deployment(&format!("{name}-blue"), &labels, "shop:1"));
            cluster.put(service_of(name, &labels));
        }
    });
    for _ in 0..60 {
        sleep(Duration::from_secs(1)).await;
        if all_serve(&world, "shop:1") {
            return world;
        }
    }
    panic!("the shops do not open");
}

fn all_serve(world: &World, image: &str) -> bool {
    NAMES.iter().all(|name| {
        let shares = world.cluster.world(|cluster| cluster.shares("default", name));
        shares == [(image.to_owned(), 1.0)]
    })
}

/// Every Service leads to pods of this version alone, and its selector is of this colour.
async fn lead_to(world: &World, image: &str, color: &str) {
    sleep(Duration::from_secs(3)).await;
    for name in NAMES {
        assert_eq!(selector_of(world, name), json!({"app": name, "color": color}));
    }
    assert!(all_serve(world, image), "not all lead to {image}");
}

/// Whether a call gives a Service's selector this colour by a patch.
fn turns(call: &Entry, color: &str) -> bool {
    let patch = call.body.as_array().cloned().unwrap_or_default();
    let is_turn = |step: &serde_json::Value| {
        step["op"] != "test" && step["path"] == "/spec/selector" && step["value"]["color"] == color
    };
    call.verb == "patch" && call.resource == "services" && call.status < 300 && patch.iter().any(is_turn)
}

/// The Services that were given this colour after they had the other one, in order.
fn turned(ended: &Ended, color: &str) -> Vec<String> {
    let mut last = NAMES.map(|name| (name, "blue".to_owned()));
    let mut turned = Vec::new();
    for call in &ended.calls {
        for (name, at) in &mut last {
            for to in ["blue", "green"] {
                if call.name == *name && turns(call, to) && at != to {
                    to.clone_into(at);
                    if to == color {
                        turned.push((*name).to_owned());
                    }
                }
            }
        }
    }
    turned
}

/// Which call of a deploy, from 1, switches a Service; and which of the patches of that Service it is.
async fn switch_of(name: &str) -> (usize, usize) {
    let world = shops().await;
    let deploy = world.run(&DEPLOY).await;
    deploy.good();
    let at = deploy
        .calls
        .iter()
        .position(|call| call.name == name && turns(call, "green"))
        .unwrap();
    let patches = deploy.calls[..=at]
        .iter()
        .filter(|call| call.verb == "patch" && call.resource == "services" && call.name == name);
    (at + 1, patches.count())
}

#[tokio::test(start_paused = true)]
async fn they_are_switched_in_the_order_given_and_go_back_in_reverse() {
    let world = shops().await;
    let deploy = world.run(&DEPLOY).await;
    assert_eq!(deploy.good().status, Status::Done);
    assert_eq!(turned(&deploy, "green"), NAMES);
    lead_to(&world, "shop:2", "green").await;
    // All are ready before the first is switched.
    let first = deploy.calls.iter().position(|call| turns(call, "green")).unwrap();
    let made = |call: &Entry| call.resource == "deployments" && call.verb == "create";
    assert_eq!(deploy.calls[..first].iter().filter(|call| made(call)).count(), 3);
    let line = [
        "rollback",
        "--service",
        "web",
        "--service",
        "api",
        "--service",
        "docs",
    ];
    let back = world.other("8").run(&line).await;
    assert_eq!(back.good().status, Status::RolledBack);
    let order: Vec<&str> = back
        .calls
        .iter()
        .filter(|call| turns(call, "blue"))
        .map(|call| &*call.name)
        .collect();
    assert_eq!(order, ["docs", "api", "web"]);
    assert_eq!(
        back.writes()[..3],
        ["patch services docs", "patch services api", "patch services web"],
        "the traffic of all goes before all else"
    );
    lead_to(&world, "shop:1", "blue").await;
}

#[tokio::test(start_paused = true)]
async fn one_that_can_not_be_switched_takes_those_before_it_back_in_reverse() {
    for (nth, name) in NAMES.iter().enumerate().skip(1) {
        let (_, patch) = switch_of(name).await;
        let world = shops().await;
        let selector = format!("patch services {name}");
        world.cluster.fault(&selector, Turn::Nth(patch), Fault::Denied);
        let deploy = world.run(&DEPLOY).await;
        assert!(deploy.result.is_err(), "{name}: {}", deploy.says());
        let switched: Vec<&str> = NAMES[..nth].to_vec();
        assert_eq!(turned(&deploy, "green"), switched, "{name}");
        let back: Vec<&str> = switched.into_iter().rev().collect();
        assert_eq!(turned(&deploy, "blue"), back, "{name}");
        lead_to(&world, "shop:1", "blue").await;
        // What came up without traffic is taken away.
        for name in NAMES {
            let green = world.cluster.world(|cluster| {
                cluster
                    .get("deployments", "default", &format!("{name}-green"))
                    .cloned()
            });
            assert_eq!(green.unwrap()["spec"]["replicas"], 0, "{name}");
        }
        world.cluster.heal();
        world.run(&DEPLOY).await.good();
        lead_to(&world, "shop:2", "green").await;
    }
}

#[tokio::test(start_paused = true)]
async fn one_that_somebody_else_changes_stays_theirs_and_the_others_go_back() {
    for (nth, name) in [(1, "api"), (2, "docs")] {
        let (_, patch) = switch_of(name).await;
        let world = shops().await;
        world
            .cluster
            .before(&format!("patch services {name}"), patch, move |cluster| {
                let theirs = json!({"spec": {"selector": {"color": "blue", "team": "other"}}});
                cluster.merge("services", "default", name, theirs);
            });
        let deploy = world.run(&DEPLOY).await;
        deploy.failed(Exit::Locked);
        assert_eq!(deploy.fact("status"), "superseded", "{}", deploy.says());
        let mut back = NAMES[..nth].to_vec();
        back.reverse();
        assert_eq!(turned(&deploy, "blue"), back, "{name}: {}", deploy.says());
        for other in NAMES.iter().filter(|other| **other != name) {
            assert_eq!(selector_of(&world, other), json!({"app": other, "color": "blue"}));
        }
        assert_eq!(
            selector_of(&world, name),
            json!({"app": name, "color": "blue", "team": "other"}),
            "theirs is not written over"
        );
    }
}

#[tokio::test(start_paused = true)]
async fn a_version_that_fails_in_the_soak_is_taken_back_everywhere() {
    let world = shops().await;
    let mut line = DEPLOY;
    line[8] = "shop:lost-after-60s";
    line[10] = "5m";
    let deploy = world.run(&line).await;
    assert_eq!(deploy.failed(Exit::Failed).outcome.status, Status::RolledBack);
    assert_eq!(turned(&deploy, "green"), NAMES);
    assert_eq!(turned(&deploy, "blue"), ["docs", "api", "web"]);
    lead_to(&world, "shop:1", "blue").await;
    // Nothing else is done between the first that goes back and the last one.
    let writes: Vec<String> = deploy
        .writes()
        .into_iter()
        .filter(|write| !write.contains("leases"))
        .collect();
    let first = writes
        .iter()
        .rposition(|write| write == "patch services docs")
        .unwrap();
    assert_eq!(
        writes[first + 1..first + 3],
        ["patch services api", "patch services web"]
    );
}

#[tokio::test(start_paused = true)]
async fn a_cancel_or_a_kill_between_two_switches_ends_with_all_of_them_back() {
    for name in NAMES {
        let (call, _) = switch_of(name).await;
        for how in [
            How::Cancelled(Signal::Terminate),
            How::KilledBefore,
            How::KilledAfter,
        ] {
            let what = format!("{how:?} at {name}");
            let world = shops().await;
            world.strike(call, how);
            let deploy = world.run(&DEPLOY).await;
            assert!(deploy.result.is_err(), "{what}");
            if !deploy.is_killed() {
                deploy.failed(Exit::Terminated);
                assert!(
                    deploy.took < Duration::from_secs(120),
                    "{what}: {:?}",
                    deploy.took
                );
                lead_to(&world, "shop:1", "blue").await;
            }
            let line = [
                "recover",
                "--service",
                "web",
                "--service",
                "api",
                "--service",
                "docs",
            ];
            let recover = world.run(&line).await;
            assert!(recover.result.is_ok(), "{what}: {}", recover.says());
            lead_to(&world, "shop:1", "blue").await;
        }
    }
}
