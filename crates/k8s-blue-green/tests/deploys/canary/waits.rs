//! Canaries that wait at a weight for somebody to go on or back.

use gha::{Exit, Status};

use super::{DEPLOY, as_before, gateway_route, left, share, shop, watched};
use crate::shop::{blue, replicas, serves};

#[tokio::test(start_paused = true)]
async fn a_canary_has_the_pods_of_its_share_and_the_old_version_keeps_its_own() {
    let world = shop(gateway_route()).await;
    let mut line = DEPLOY.to_vec();
    line.extend(["--until", "10%"]);
    let deploy = world.run(&line).await;
    assert_eq!(
        (deploy.fact("status"), deploy.fact("live-weight")),
        ("prepared".to_owned(), "10".to_owned()),
        "{}",
        deploy.log
    );
    assert_eq!(replicas(&world, "web-green"), Some(1));
    assert_eq!(replicas(&world, "web-blue"), Some(3));
    assert!(share(&world, "httproutes") > 9.0);
    // It is nobody's to undo but a person's.
    world
        .other("8")
        .run(&["recover", "--service", "web"])
        .await
        .failed(Exit::Locked);
    world.other("8").run(&DEPLOY).await.failed(Exit::Locked);
    let status = world.other("8").run(&["status", "--service", "web"]).await;
    assert!(status.log.contains("10%"), "{}", status.log);
    let promote = world
        .other("9")
        .run(&["promote", "--service", "web", "--until", "50%", "--soak", "5s"])
        .await;
    assert_eq!(promote.fact("live-weight"), "50", "{}", promote.says());
    assert_eq!(replicas(&world, "web-green"), Some(2));
    let (back, shares) = watched(
        &world.other("10"),
        &["rollback", "--service", "web"],
        "httproutes",
    )
    .await;
    assert_eq!(back.good().status, Status::RolledBack);
    assert_eq!(shares, [50.0, 0.0]);
    assert_eq!(replicas(&world, "web-green"), Some(0));
    as_before(&world, "");
    assert_eq!(left(&world), Vec::<String>::new());
    serves(&world, "shop:1");
}

#[tokio::test(start_paused = true)]
async fn a_gate_that_can_not_judge_in_a_step_is_refused_by_promote_as_by_deploy() {
    let world = shop(gateway_route()).await;
    let gate = ["--gate", "steady https://shop.example.com/health"];
    // The soak is long enough for it, and the steps are not.
    let mut line = DEPLOY.to_vec();
    line[12] = "5m";
    let deploy = world.run(&[&line[..], &gate].concat()).await;
    deploy.failed(Exit::Usage);
    assert_eq!(deploy.writes(), [] as [&str; 0]);
    world.run(&[&line[..], &["--until", "10%"]].concat()).await.good();
    let promote = ["promote", "--service", "web", "--soak", "5m"];
    let promote = world.other("8").run(&[&promote[..], &gate].concat()).await;
    promote.failed(Exit::Usage);
    assert_eq!(promote.says(), deploy.says());
    assert_eq!(promote.writes(), [] as [&str; 0]);
    assert!((share(&world, "httproutes") - 10.0).abs() < 0.1);
}

#[tokio::test(start_paused = true)]
async fn status_names_both_versions_where_both_have_traffic() {
    let world = blue().await;
    let mut line = DEPLOY.to_vec();
    (line[8], line[10]) = ("pods", "25% 20s, 50% 20s, 100%");
    line.extend(["--until", "25%"]);
    world.run(&line).await.good();
    let status = world.other("8").run(&["status", "--service", "web"]).await;
    assert!(
        status.log.contains("leads to `web-blue` and `web-green`"),
        "{}",
        status.log
    );
    world
        .other("8")
        .run(&["rollback", "--service", "web"])
        .await
        .good();
    let status = world.other("8").run(&["status", "--service", "web"]).await;
    assert!(status.log.contains("leads to `web-blue`:"), "{}", status.log);
}
