//! Each call of a deploy and of a rollback fails in each way, once and for good: one version serves whole, nothing foreign is
//! changed, the exit code is right, and the next run comes to the end.

use std::collections::BTreeMap;
use std::time::Duration;

use sandbox::stand_ins::aws::{Entry, Fault, Shop, Turn};
use serde_json::json;

use super::{deploy, of, rollback, three};
use crate::cloud::{Ended, World};

/// What goes wrong with a call, and whether for good. A question whose answer is lost is one that was never heard.
fn faults(writes: bool) -> Vec<(Fault, bool)> {
    let once = [
        Fault::Internal,
        Fault::Throttled,
        Fault::Reset,
        Fault::Hang,
        Fault::Expired,
        Fault::Denied,
    ];
    let for_good = match writes {
        true => &once[..],
        false => &[Fault::Reset, Fault::Hang, Fault::Expired],
    };
    let lost = [(Fault::Lost, false), (Fault::Lost, true)];
    let all = once.iter().map(|fault| (fault.clone(), false));
    let all = all.chain(for_good.iter().map(|fault| (fault.clone(), true)));
    all.chain(lost.into_iter().filter(|_| writes)).collect()
}

/// The first calls of each operation, and the last: those between are of the same kind.
fn calls(ended: &Ended, before: &BTreeMap<String, usize>) -> Vec<(String, usize, bool)> {
    let mut counts: BTreeMap<String, usize> = BTreeMap::new();
    for call in &ended.calls {
        *counts.entry(call.operation.clone()).or_default() += 1;
    }
    let mut all = Vec::new();
    for (operation, count) in counts {
        let earlier = before.get(&operation).copied().unwrap_or_default();
        let writes = ended
            .calls
            .iter()
            .any(|call| call.operation == operation && call.writes());
        for nth in (1..=count).filter(|nth| *nth == 1 || *nth == 3 || *nth == count) {
            all.push((operation.clone(), earlier + nth, writes));
        }
    }
    all
}

fn counted(log: &[Entry]) -> BTreeMap<String, usize> {
    let mut counts = BTreeMap::new();
    for call in log {
        *counts.entry(call.operation.clone()).or_default() += 1;
    }
    counts
}

/// A service that nobody deploys to.
fn neighbour(world: &World) -> Shop {
    sandbox::stand_ins::aws::Setup::new("prod", "blog")
        .image("blog:1.0.0")
        .desired(2)
        .build(&world.cloud)
}

fn service(world: &World, name: &str) -> serde_json::Value {
    let asked = json!({ "cluster": "prod", "services": [name] });
    world.cloud.act("ecs", "DescribeServices", asked).unwrap()["services"][0].clone()
}

/// What must hold after any run.
fn whole(world: &World, shop: &Shop, versions: &[&str], context: &str) {
    world.cloud.heal();
    world.cloud.skip(Duration::from_secs(90));
    let serving = world.cloud.serving(shop);
    assert!(
        serving.len() == 1 && versions.contains(&serving[0].as_str()),
        "{context}: {serving:?}"
    );
    let blog = service(world, "blog");
    assert_eq!(blog["deployments"].as_array().unwrap().len(), 1, "{context}");
    assert!(
        blog["taskDefinition"].as_str().unwrap().ends_with("blog:1"),
        "{context}"
    );
}

fn update_is_clean(ended: &Ended, context: &str) {
    for call in of(&ended.calls, "UpdateService") {
        assert_eq!(call.input["service"], "web", "{context}");
        let keys: Vec<&String> = call.input.as_object().unwrap().keys().collect();
        assert_eq!(keys, ["cluster", "service", "taskDefinition"], "{context}");
    }
}

async fn matrix(line: &[&str], versions: &[&str], settle: &[&str], ready: bool, good: u8) {
    let plain = World::new();
    let prepared = prepared(&plain, ready).await;
    let ended = plain.run(line).await;
    assert_eq!(ended.exit(), good, "{}", ended.says());
    let mut outcomes: BTreeMap<u8, usize> = BTreeMap::new();
    for (operation, nth, writes) in calls(&ended, &prepared.1) {
        for (fault, for_good) in faults(writes) {
            let context = format!("{operation} {nth} {fault:?} for good: {for_good}");
            let world = World::new();
            let (shop, _) = self::prepared(&world, ready).await;
            if for_good {
                let fault = fault.clone();
                for nth in nth..nth + 400 {
                    world.cloud.fault(&operation, Turn::Nth(nth), fault.clone());
                }
            } else {
                world.cloud.fault(&operation, Turn::Nth(nth), fault.clone());
            }
            let ended = world.run(line).await;
            let exit = ended.exit();
            *outcomes.entry(exit).or_default() += 1;
            let access = matches!(fault, Fault::Expired | Fault::Denied);
            let expected: &[u8] = match (for_good, access) {
                // A blip of the network or of AWS fails nothing.
                (false, false) => &[0, 3],
                (false, true) => &[0, 3, 7],
                (true, false) => &[0, 3, 4, 5, 7],
                (true, true) => &[0, 3, 5, 7],
            };
            let expected: Vec<u8> = expected
                .iter()
                .copied()
                .filter(|code| good == 3 || *code != 3)
                .collect();
            assert!(
                expected.contains(&exit),
                "{context}: {exit}: {}\n{}",
                ended.says(),
                ended.log
            );
            assert!(
                !ended.says().contains("123456789012"),
                "{context}: {}",
                ended.says()
            );
            update_is_clean(&ended, &context);
            whole(&world, &shop, versions, &context);
            // What could not be said or done then is done now.
            let second = world.run(settle).await;
            assert!(
                matches!(second.exit(), 0 | 3),
                "{context}, then {}",
                second.says()
            );
            whole(
                &world,
                &shop,
                &versions[versions.len() - 1..],
                &format!("second run after {context}"),
            );
        }
    }
    assert!(outcomes[&good] > 10, "{outcomes:?}");
}

/// A shop and its neighbour; where it is to be rolled back, with a second version.
async fn prepared(world: &World, second: bool) -> (Shop, BTreeMap<String, usize>) {
    // With checks of a load balancer a task that crashes never counts as healthy, and takes no other one's place.
    let shop = three().balanced().build(&world.cloud);
    neighbour(world);
    if second {
        world.run(&deploy(&["--image", "shop:1.1.0"])).await.good();
    }
    (shop, counted(&world.cloud.log()))
}

#[tokio::test(start_paused = true)]
async fn a_deploy_with_a_migration() {
    let line = deploy(&[
        "--image",
        "shop:1.1.0",
        "--migrate",
        "bin/migrate",
        "--api-grace",
        "1m",
    ]);
    matrix(&line, &["shop:1.0.0", "shop:1.1.0"], &line, false, 0).await;
}

#[tokio::test(start_paused = true)]
async fn a_deploy_that_goes_back() {
    let line = deploy(&["--image", "shop:1.1.0-crash", "--api-grace", "1m"]);
    let settle = rollback(&["--to", "web:1"]);
    matrix(&line, &["shop:1.0.0"], &settle, false, 3).await;
}

#[tokio::test(start_paused = true)]
async fn a_rollback() {
    let line = rollback(&["--to", "web:1", "--api-grace", "1m"]);
    matrix(&line, &["shop:1.1.0", "shop:1.0.0"], &line, true, 0).await;
}
