//! Canaries that are taken back or refused: what fails in a step, what somebody else changed, what can't be divided.

use std::time::Duration;

use gha::Exit;
use serde_json::json;
use tokio::time::sleep;

use super::{DEPLOY, as_before, gateway_route, left, share, shop};
use crate::shop::{object, selector, serves};

#[tokio::test(start_paused = true)]
async fn a_canary_that_fails_in_a_step_is_taken_back() {
    let world = shop(gateway_route()).await;
    let mut line = DEPLOY;
    (line[4], line[10]) = ("shop:lost-after-20s", "10% 5m, 100%");
    let deploy = world.run(&line).await;
    let failure = deploy.failed(Exit::Failed);
    assert!(
        failure.error.to_string().contains("with the traffic on it"),
        "{}",
        deploy.says()
    );
    assert_eq!(deploy.fact("status"), "rolled-back");
    serves(&world, "shop:1");
    as_before(&world, "");
    assert_eq!(left(&world), Vec::<String>::new());
}

#[tokio::test(start_paused = true)]
async fn a_weight_that_somebody_else_set_is_not_written_over() {
    let world = shop(gateway_route()).await;
    let other = world.other("8");
    let mut line = DEPLOY;
    line[10] = "10% 5m, 50% 5m, 100%";
    let running = world.run(&line);
    tokio::pin!(running);
    let mut set = false;
    let deploy = loop {
        tokio::select! {
            biased;
            ended = &mut running => break ended,
            () = sleep(Duration::from_secs(1)) => {}
        }
        if !set && share(&other, "httproutes") > 9.0 {
            set = true;
            let mut route = object(&other, "httproutes", "web").unwrap();
            route["spec"]["rules"][0]["backendRefs"][1]["weight"] = json!(70);
            route["spec"]["rules"][0]["backendRefs"][0]["weight"] = json!(30);
            other.cluster.world(|cluster| cluster.put(route));
        }
    };
    deploy.failed(Exit::Locked);
    assert!(deploy.says().contains("70.0 %"), "{}", deploy.says());
    assert!((share(&world, "httproutes") - 70.0).abs() < 0.1);
}

#[tokio::test(start_paused = true)]
async fn what_can_not_be_a_canary_is_refused_before_anything_is_changed() {
    let world = shop(gateway_route()).await;
    for (change, says) in [
        (
            &[(8, "httproute/nope")][..],
            "there is no HTTPRoute `nope` in namespace `default`",
        ),
        (&[(8, "virtualservice/web")], "there is no VirtualService `web`"),
        (&[(8, "pods"), (10, "5% 1m, 100%")], "can't be had by pods"),
        (&[(8, "pods"), (10, "50% 1m, 100% 5m")], "--soak"),
        (&[(6, "blue-green")], "it is for `--strategy canary`"),
    ] {
        let mut line = DEPLOY;
        for (at, word) in change {
            line[*at] = word;
        }
        let deploy = world.run(&line).await;
        deploy.failed(Exit::Usage);
        assert!(deploy.says().contains(says), "{}", deploy.says());
        let writes: Vec<String> = deploy.writes();
        assert!(writes.iter().all(|write| write.contains("leases")), "{writes:?}");
    }
    assert_eq!(selector(&world), json!({"app": "web", "color": "blue"}));
}
