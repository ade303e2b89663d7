//! Whether the new side is fit to serve when a deploy is gone on with, and the old one is nobody else's when it ends.

use sandbox::stand_ins::aws::World as Inside;

use super::*;

fn update(inside: &mut Inside, input: &Value) {
    inside.act("ecs", "UpdateService", input.clone()).unwrap();
}

fn size(service: &str, tasks: u64) -> Value {
    json!({ "cluster": "prod", "service": service, "desiredCount": tasks })
}

async fn paused(world: &World, at: &str) -> Shop {
    let shop = pair(world);
    let until = ["--image", NEW, "--steps", STEPS, "--until", at];
    world.run(&line("deploy", &shop, &until)).await.good();
    shop
}

#[tokio::test(start_paused = true)]
async fn a_side_that_was_scaled_away_while_it_waited_is_not_promoted() {
    let world = World::new().in_one_job();
    let shop = paused(&world, "10%").await;
    world.cloud.world(|inside| update(inside, &size("web-green", 0)));
    world.cloud.skip(Duration::from_secs(400));
    let ended = world
        .other("8")
        .run(&line("promote", &shop, &["--steps", STEPS]))
        .await;
    let failure = ended.failed(Exit::Failed);
    assert!(
        failure
            .error
            .to_string()
            .contains("no target of the new side is healthy"),
        "{}",
        failure.error
    );
    assert_eq!(
        (weights(&world, &shop), world.cloud.serving(&shop)),
        ((100, 0), vec![OLD.to_owned()])
    );
    // It went back at once, and got no more traffic before.
    let writes = ended.writes();
    assert_eq!(writes.iter().filter(|write| **write == "ModifyRule").count(), 1);
    scaling_is_restored(&world);
    no_tag_is_left(&world, &shop);
}

#[tokio::test(start_paused = true)]
async fn a_side_that_serves_and_grew_meanwhile_is_matched_before_it_loses_traffic() {
    // Between two jobs, and in the time of a step.
    for jobs in [2, 1] {
        let world = World::new().in_one_job();
        let more = |inside: &mut Inside| update(inside, &size("web-blue", 8));
        let (shop, ended) = if jobs == 2 {
            let shop = paused(&world, "10%").await;
            world.cloud.world(more);
            world.cloud.skip(Duration::from_secs(60));
            let promote = line("promote", &shop, &["--steps", STEPS]);
            let ended = world.other("8").run(&promote).await;
            (shop, ended)
        } else {
            let shop = pair(&world);
            world.cloud.after("ModifyRule", 1, more);
            let ended = world.run(&deploy(&shop, NEW)).await;
            (shop, ended)
        };
        ended.good();
        assert_eq!(
            (weights(&world, &shop), desired(&world, "web-green")),
            ((0, 100), 8)
        );
        // It was given more before the next step, by a change of its size alone.
        let grown = ended
            .calls
            .iter()
            .position(|call| call.operation == "UpdateService" && call.input["desiredCount"] == 8)
            .unwrap();
        assert_eq!(ended.calls[grown].input, size("web-green", 8));
        let moved = |calls: &[sandbox::stand_ins::aws::Entry]| {
            calls.iter().filter(|call| call.operation == "ModifyRule").count()
        };
        assert_eq!(moved(&ended.calls[grown..]), 2, "{jobs}");
        let registered = world.cloud.calls("RegisterTaskDefinition").len();
        assert_eq!(registered, 1);
    }
}

#[tokio::test(start_paused = true)]
async fn recover_does_not_scale_away_the_old_side_behind_a_dead_new_one() {
    let mut world = World::new().in_one_job();
    let shop = pair(&world);
    // All steps are done, and the earlier version is kept.
    assert!(world.killed_after(11, &deploy(&shop, NEW)).await.is_none());
    assert_eq!(
        (weights(&world, &shop), desired(&world, "web-blue")),
        ((0, 100), 3)
    );
    world.cloud.world(|inside| update(inside, &size("web-green", 0)));
    world.cloud.skip(Duration::from_secs(400));
    let ended = world.run(&line("recover", &shop, &[])).await;
    ended.failed(Exit::Failed);
    assert_eq!(
        (weights(&world, &shop), desired(&world, "web-blue")),
        ((100, 0), 3)
    );
    assert_eq!(world.cloud.serving(&shop), [OLD]);
    no_tag_is_left(&world, &shop);
}

#[tokio::test(start_paused = true)]
async fn what_somebody_deploys_to_the_kept_side_is_not_scaled_away() {
    let world = World::new().in_one_job();
    let shop = pair(&world);
    // The fifth tag says that it is kept.
    world.cloud.after("TagResource", 5, |inside| {
        let again = json!({ "cluster": "prod", "service": "web-blue", "forceNewDeployment": true });
        update(inside, &again);
    });
    let ended = world.run(&deploy(&shop, NEW)).await;
    ended.good();
    assert_eq!(
        (weights(&world, &shop), desired(&world, "web-blue")),
        ((0, 100), 3)
    );
    assert!(
        ended
            .log
            .contains("the old side is left as it is, because someone else deploys to it"),
        "{}",
        ended.log
    );
    no_tag_is_left(&world, &shop);
}

#[tokio::test(start_paused = true)]
async fn the_new_side_stays_where_the_old_one_is_dead() {
    let world = World::new().in_one_job();
    let shop = paused(&world, "50%").await;
    // Both are scaled away, and the traffic may go either way then.
    for service in ["web-blue", "web-green"] {
        world.cloud.world(|inside| update(inside, &size(service, 0)));
    }
    world.cloud.skip(Duration::from_secs(400));
    world.cloud.world(|inside| update(inside, &size("web-green", 2)));
    let ended = world.other("8").run(&line("rollback", &shop, &[])).await;
    assert_eq!(weights(&world, &shop), (100, 0), "{}", ended.says());
    assert_eq!(desired(&world, "web-green"), 2, "{}", ended.log);
    assert!(ended.log.contains("because the old one is dead"), "{}", ended.log);
}
