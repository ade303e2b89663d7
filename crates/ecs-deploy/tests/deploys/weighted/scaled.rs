//! Services that scale by themselves.

use std::sync::{Arc, Mutex};

use sandbox::stand_ins::aws::World as Aws;

use super::*;

const SERVICES: [&str; 2] = ["service/prod/web-blue", "service/prod/web-green"];

/// Both sides scale; of green's scaling nothing is suspended.
fn both_scale(world: &World) -> Shop {
    let shop = pair(world);
    let scaling = json!({
        "ServiceNamespace": "ecs", "ResourceId": SERVICES[1],
        "ScalableDimension": "ecs:service:DesiredCount", "MinCapacity": 1, "MaxCapacity": 9,
    });
    let made = world
        .cloud
        .act("application-autoscaling", "RegisterScalableTarget", scaling);
    made.unwrap();
    shop
}

fn suspended(world: &Aws) -> [Option<[bool; 3]>; 2] {
    SERVICES.map(|service| world.scaling.suspended(service))
}

#[track_caller]
fn both_are_as_they_were(world: &World) {
    scaling_is_restored(world);
    let green = world
        .cloud
        .world(|world| (world.scaling.bounds(SERVICES[1]), suspended(world)[1]));
    assert_eq!(green, (Some((1, 9)), Some([false; 3])));
}

#[tokio::test(start_paused = true)]
async fn neither_side_can_shrink_while_the_traffic_is_split() {
    for (image, good) in [(NEW, true), ("shop:1.1.0-crash", false)] {
        let world = World::new().in_one_job();
        let shop = both_scale(&world);
        let seen = Arc::new(Mutex::new(Vec::new()));
        for (operation, nth) in [("UpdateService", 1), ("ModifyRule", 1), ("ModifyRule", 3)] {
            let seen = Arc::clone(&seen);
            let look = move |world: &mut Aws| seen.lock().unwrap().push(suspended(world));
            world.cloud.after(operation, nth, look);
        }
        let ended = world.run(&deploy(&shop, image)).await;
        assert_eq!(ended.result.is_ok(), good);
        let seen = seen.lock().unwrap();
        assert_eq!(seen.len(), if good { 3 } else { 1 });
        // What wants more tasks may have them, unless that was suspended before.
        let pinned = [Some([true, true, true]), Some([true, false, true])];
        assert!(seen.iter().all(|seen| *seen == pinned), "{seen:?}");
        both_are_as_they_were(&world);
        no_tag_is_left(&world, &shop);
    }
}

#[tokio::test(start_paused = true)]
async fn another_machine_gives_both_back() {
    let world = World::new().in_one_job();
    let shop = both_scale(&world);
    world.kill_at("ModifyRule", 2, true);
    world.run(&deploy(&shop, NEW)).await;
    assert_eq!(
        world.cloud.world(|world| suspended(world)[1]),
        Some([true, false, true])
    );
    world.cloud.skip(Duration::from_secs(3600));
    world.other("8").run(&line("recover", &shop, &[])).await.good();
    assert_eq!(world.cloud.serving(&shop), [OLD]);
    both_are_as_they_were(&world);
    no_tag_is_left(&world, &shop);
}
