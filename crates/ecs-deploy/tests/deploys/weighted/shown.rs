//! What `plan` and `status` say of two services, and that they change nothing.

use super::*;
use crate::cloud::Ended;

async fn look(world: &World, shop: &Shop, run: &str) -> Ended {
    let ended = world.other(run).run(&line("status", shop, &[])).await;
    assert!(ended.writes().is_empty(), "{:?}", ended.writes());
    ended
}

#[tokio::test(start_paused = true)]
async fn status_says_who_serves_and_what_to_do_next() {
    let world = World::new().in_one_job();
    let shop = pair(&world);
    let ended = look(&world, &shop, "2").await;
    let headline = "`web-blue` (`web:1`) serves with all traffic, `web-green` (`web:1`) with none";
    assert_eq!(ended.good().headline, headline);
    let until = ["--image", NEW, "--steps", STEPS, "--until", "10%"];
    world.run(&line("deploy", &shop, &until)).await.good();
    let ended = look(&world, &shop, "3").await;
    let headline = "`web-green` (`web:2`) gets 10% of the traffic, `web-blue` (`web:1`) the rest";
    assert_eq!(ended.good().headline, headline);
    let next =
        "run `acme/shop:7.1` waits to be promoted: run `ecs-deploy promote --cluster prod --traffic-rule ";
    assert!(ended.log.contains(next), "{}", ended.log);
    assert_eq!(ended.fact("weights"), r#"{"web-blue":90,"web-green":10}"#);
    let promote = ["--steps", STEPS, "--keep", "1m"];
    world
        .other("4")
        .run(&line("promote", &shop, &promote))
        .await
        .good();
    let ended = look(&world, &shop, "5").await;
    let headline = "`web-green` (`web:2`) serves with all traffic, `web-blue` (`web:1`) with none";
    assert_eq!(
        (
            ended.good().headline.as_str(),
            ended.fact("live-service").as_str()
        ),
        (headline, "web-green")
    );
}

#[tokio::test(start_paused = true)]
async fn status_tells_a_run_that_is_lost_from_one_that_is_under_way() {
    let world = World::new().in_one_job();
    let shop = pair(&world);
    world.kill_at("ModifyRule", 1, true);
    world.run(&deploy(&shop, NEW)).await;
    let fresh = look(&world, &shop, "2").await;
    assert!(
        fresh.log.contains("run `acme/shop:7.1` is under way"),
        "{}",
        fresh.log
    );
    world.cloud.skip(Duration::from_secs(3600));
    let later = look(&world, &shop, "3").await;
    let lost = "run `acme/shop:7.1` has not been heard of for 1h";
    assert!(later.log.contains(lost), "{}", later.log);
    assert!(
        later.log.contains("run `ecs-deploy recover --cluster prod"),
        "{}",
        later.log
    );
}

#[tokio::test(start_paused = true)]
async fn plan_names_each_call_in_the_order_in_which_a_deploy_makes_them() {
    let world = World::new().in_one_job();
    let shop = pair(&world);
    let flags = ["--image", NEW, "--steps", STEPS, "--keep", "2m"];
    let planned = world.run(&line("plan", &shop, &flags)).await;
    planned.good();
    assert!(planned.writes().is_empty());
    for said in [
        "with 3 tasks, which is what runs on `web-blue`",
        "10% of the traffic to `web-green`, for 1m",
        "`web-blue`, to 0 tasks, 2m later",
    ] {
        assert!(planned.log.contains(said), "{}", planned.log);
    }
    let named = planned.log.lines().filter_map(|line| line.split_once("call: "));
    let named: Vec<&str> = named
        .filter_map(|(_, call)| call.split_once(':')?.1.split([' ', ',', ':']).next())
        .collect();
    let deployed = world.run(&deploy(&shop, NEW)).await;
    let mut made = deployed.writes();
    // The lock is written again with each step, and what was pinned is given back: told once each.
    let mut lock = 0;
    made.retain(|write| *write != "TagResource" || std::mem::replace(&mut lock, 1) == 0);
    let pinned = made
        .iter()
        .rposition(|write| *write == "RegisterScalableTarget")
        .unwrap();
    made.remove(pinned);
    assert_eq!(named, made);
}

#[tokio::test(start_paused = true)]
async fn plan_says_what_a_deploy_would_be_refused_for() {
    let world = World::new().in_one_job();
    let shop = pair(&world);
    let same = world.run(&line("plan", &shop, &["--image", OLD])).await;
    let headline = "`web-blue` serves this content already; a deploy would change nothing";
    assert_eq!(same.good().headline, headline);
    let until = ["--image", NEW, "--steps", STEPS, "--until", "10%"];
    world.run(&line("deploy", &shop, &until)).await.good();
    let planned = world
        .other("8")
        .run(&line("plan", &shop, &["--image", "shop:1.2.0"]))
        .await;
    let said = planned.failed(Exit::Locked).error.to_string();
    assert!(said.contains("waits to be promoted"), "{said}");
}
