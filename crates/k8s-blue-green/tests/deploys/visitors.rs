//! Visitors: requests through the Service, one after the other, while versions come and go and the API server has its troubles.

use std::time::Duration;

use sandbox::stand_ins::kubernetes::{Fault, Turn};
use serde_json::json;
use tokio::sync::oneshot;
use tokio::time::sleep;

use crate::cluster::World;
use crate::shop::{blue, plain, serving, visit};

/// From one visit to the next: several of them fall into the time in which the nodes' proxies are behind.
const PAUSE: Duration = Duration::from_millis(40);

/// What goes wrong with calls, in turn: each so-manieth.
fn faults() -> Vec<(&'static str, Turn, Fault)> {
    vec![
        ("*", Turn::EveryNth(1_000_000), Fault::Internal),
        ("*", Turn::EveryNth(3), Fault::Internal),
        ("*", Turn::EveryNth(4), Fault::Unavailable),
        ("writes", Turn::EveryNth(2), Fault::Lost),
        ("*", Turn::EveryNth(5), Fault::Reset),
        ("*", Turn::EveryNth(6), Fault::Throttled),
        ("patch services", Turn::EveryNth(2), Fault::Conflict),
        ("list pods", Turn::EveryNth(2), Fault::BadGateway),
        ("*", Turn::EveryNth(9), Fault::Hang),
        ("list endpointslices", Turn::Every, Fault::Denied),
    ]
}

/// Ten deploys, each of which is rolled back or followed by another; what fails is brought to an end by a later step, as a workflow
/// has it. How many did what they were to do.
async fn twenty(world: &World) -> usize {
    let mut good = 0;
    for round in 0..20_usize {
        let all = faults();
        let (selector, turn, fault) = all[round % all.len()].clone();
        world.cluster.heal();
        world.cluster.fault(selector, turn, fault);
        let machine = world.other(&format!("{}", 100 + round));
        let image = format!("shop:{}", 2 + round);
        let soak = ["0s", "10s"][round % 2];
        let deploy = [
            "deploy",
            "--service",
            "web",
            "--image",
            &image,
            "--soak",
            soak,
            "--api-grace",
            "30s",
        ];
        let line: &[&str] = if round % 3 == 2 {
            &["rollback", "--service", "web"]
        } else {
            &deploy
        };
        if machine.run(line).await.result.is_ok() {
            good += 1;
        } else {
            world.cluster.heal();
            let recover = machine.run(&["recover", "--service", "web"]).await;
            assert!(recover.result.is_ok(), "round {round}: {}", recover.says());
        }
    }
    world.cluster.heal();
    good
}

async fn nobody_is_lost(world: World) {
    let (ended, all_over) = oneshot::channel();
    let other = world.other("7");
    let (good, (visits, lost)) = tokio::task::LocalSet::new()
        .run_until(async move {
            let visiting = tokio::task::spawn_local(async move {
                visit(&other, PAUSE, async {
                    let _ = all_over.await;
                    sleep(Duration::from_secs(30)).await;
                })
                .await
            });
            let good = twenty(&world).await;
            let _ = ended.send(());
            let visited = visiting.await.unwrap();
            assert_eq!(serving(&world).len(), 1, "{:?}", serving(&world));
            (good, visited)
        })
        .await;
    assert_eq!(lost, Vec::<String>::new());
    assert!(visits > 5_000, "{visits}");
    // A test in which nothing came about would lose nobody either.
    assert!(good >= 12, "{good} of 20 came to a good end");
}

#[tokio::test(start_paused = true)]
async fn twenty_deploys_and_rollbacks_with_faults_lose_no_visitor() {
    nobody_is_lost(blue().await).await;
}

#[tokio::test(start_paused = true)]
async fn twenty_deploys_and_rollbacks_of_an_adopted_service_lose_no_visitor() {
    nobody_is_lost(plain().await).await;
}

#[tokio::test(start_paused = true)]
async fn a_visitor_who_is_lost_is_counted() {
    let world = blue().await;
    world.cluster.world(|cluster| {
        cluster.merge(
            "deployments",
            "default",
            "web-blue",
            json!({"spec": {"replicas": 0}}),
        );
    });
    let (visits, lost) = visit(&world, PAUSE, sleep(Duration::from_secs(10))).await;
    assert!(
        !lost.is_empty() && u64::try_from(lost.len()).unwrap() < visits,
        "{} of {visits}",
        lost.len()
    );
}
