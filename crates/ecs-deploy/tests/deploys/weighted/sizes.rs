//! How many tasks each side has while traffic moves, what scales them by itself, and how often anything is asked.

use std::sync::{Arc, Mutex};

use sandbox::stand_ins::aws::{Entry, World as Inside};

use super::*;

const BLUE: &str = "service/prod/web-blue";
/// Scaling in, scaling out, schedules: out was suspended before and is nobody's here.
const HELD: [bool; 3] = [true, true, true];

fn scale(inside: &mut Inside, service: &str, tasks: u32) {
    let update = json!({ "cluster": "prod", "service": service, "desiredCount": tasks });
    inside.act("ecs", "UpdateService", update).unwrap();
}

/// What is suspended, and how many tasks are wanted.
type Seen = ([bool; 3], u64);

/// What is suspended at each write of the rule, and how many tasks of blue are wanted then.
fn watched(world: &World, moves: usize) -> Arc<Mutex<Vec<Seen>>> {
    let seen = Arc::new(Mutex::new(Vec::new()));
    for nth in 1..=moves {
        let seen = Arc::clone(&seen);
        world.cloud.after("ModifyRule", nth, move |inside| {
            let described = json!({ "cluster": "prod", "services": ["web-blue"] });
            let described = inside.act("ecs", "DescribeServices", described).unwrap();
            let wanted = described["services"][0]["desiredCount"].as_u64().unwrap();
            let suspended = inside.scaling.suspended(BLUE).unwrap();
            assert_eq!(inside.scaling.bounds(BLUE), Some((2, 8)));
            seen.lock().unwrap().push((suspended, wanted));
        });
    }
    seen
}

#[tokio::test(start_paused = true)]
async fn scaling_of_the_side_that_serves_is_held_while_traffic_moves() {
    let world = World::new().in_one_job();
    let shop = pair(&world);
    let seen = watched(&world, 3);
    world.run(&deploy(&shop, NEW)).await.good();
    assert_eq!(*seen.lock().unwrap(), [(HELD, 3); 3]);
    scaling_is_restored(&world);
}

#[tokio::test(start_paused = true)]
async fn it_stays_held_from_a_stop_until_somebody_promotes_or_goes_back() {
    for (command, moves) in [("promote", 3), ("rollback", 2)] {
        let world = World::new().in_one_job();
        let shop = pair(&world);
        let seen = watched(&world, moves);
        let until = ["--image", NEW, "--steps", STEPS, "--until", "10%"];
        world.run(&line("deploy", &shop, &until)).await.good();
        let between = world.cloud.world(|inside| inside.scaling.suspended(BLUE));
        assert_eq!(between, Some(HELD));
        let steps = ["--steps", STEPS];
        let more = if command == "promote" { &steps[..] } else { &[] };
        world.other("8").run(&line(command, &shop, more)).await.good();
        assert_eq!(*seen.lock().unwrap(), vec![(HELD, 3); moves], "{command}");
        scaling_is_restored(&world);
    }
}

#[tokio::test(start_paused = true)]
async fn tasks_that_are_added_meanwhile_are_nobody_elses_deploy() {
    for (image, exit) in [(NEW, 0), ("shop:1.1.0-slow-crash", 3)] {
        let world = World::new().in_one_job();
        let shop = pair(&world);
        world
            .cloud
            .after("ModifyRule", 1, |inside| scale(inside, "web-blue", 5));
        let ended = world.run(&deploy(&shop, image)).await;
        assert_eq!(ended.exit(), exit, "{}", ended.says());
        if exit == 3 {
            assert_eq!(desired(&world, "web-blue"), 5, "what was added stays");
            assert_eq!(world.cloud.serving(&shop), [OLD]);
        }
        scaling_is_restored(&world);
        no_tag_is_left(&world, &shop);
    }
}

#[tokio::test(start_paused = true)]
async fn the_new_side_gets_as_many_tasks_as_run_on_the_one_that_serves() {
    let world = World::new().in_one_job();
    let shop = pair(&world);
    // Two more are wanted than there is room for.
    world.cloud.world(|inside| {
        inside.ecs.image(OLD, Behaviour::unplaced());
        scale(inside, "web-blue", 5);
    });
    world.cloud.skip(Duration::from_secs(10));
    let ended = world.run(&deploy(&shop, NEW)).await;
    ended.good();
    let sizes: Vec<&Value> = ended
        .calls
        .iter()
        .filter(|call| call.operation == "UpdateService" && call.input["service"] == "web-green")
        .map(|call| &call.input["desiredCount"])
        .collect();
    assert_eq!(sizes, [&json!(3)]);
    assert_eq!(desired(&world, "web-green"), 3);
}

#[tokio::test(start_paused = true)]
async fn the_earlier_version_is_kept_whole_for_as_long_as_was_asked() {
    let world = World::new().in_one_job();
    let shop = pair(&world);
    let ended = world.run(&deploy(&shop, NEW)).await;
    ended.good();
    let of = |operation: &str| -> Vec<&Entry> {
        let calls = ended.calls.iter().filter(|call| call.operation == operation);
        calls.collect()
    };
    let moved = of("ModifyRule")[2].at;
    let scaled = of("UpdateService");
    assert_eq!(
        (&scaled[1].input["service"], &scaled[1].input["desiredCount"]),
        (&json!("web-blue"), &json!(0))
    );
    let kept = scaled[1].at - moved;
    assert!(
        kept >= Duration::from_secs(120) && kept < Duration::from_secs(135),
        "{kept:?}"
    );
    // Until then a rollback of somebody else is one write.
    let world = World::new().in_one_job();
    let shop = pair(&world);
    let first = deploy(&shop, NEW);
    let run = world.run(&first);
    let killed = tokio::time::timeout(kept + moved - Duration::from_secs(30), run).await;
    assert!(killed.is_err(), "it still keeps the earlier version");
    assert_eq!(
        (weights(&world, &shop), desired(&world, "web-blue")),
        ((0, 100), 3)
    );
    let back = world.other("8").run(&line("rollback", &shop, &[])).await;
    back.good();
    assert_eq!(back.writes()[0], "ModifyRule");
    assert_eq!(world.cloud.serving(&shop), [OLD]);
    scaling_is_restored(&world);
    no_tag_is_left(&world, &shop);
}

#[tokio::test(start_paused = true)]
async fn nothing_is_asked_more_often_than_every_five_seconds_while_a_step_lasts() {
    let world = World::new().in_one_job();
    let shop = pair(&world);
    let ended = world
        .run(&line(
            "deploy",
            &shop,
            &["--image", NEW, "--steps", "10% 10m, 100%", "--keep", "10m"],
        ))
        .await;
    ended.good();
    let moves: Vec<Duration> = ended
        .calls
        .iter()
        .filter(|call| call.operation == "ModifyRule")
        .map(|call| call.at)
        .collect();
    let second = Duration::from_secs(1);
    for begin in moves {
        // A write is looked at at once, and the last look of a step comes when it ends.
        let step = begin + 5 * second..begin + 595 * second;
        let calls: Vec<&Entry> = ended
            .calls
            .iter()
            .filter(|call| step.contains(&call.at))
            .collect();
        let looks: Vec<Duration> = calls
            .iter()
            .filter(|call| call.operation == "DescribeRules")
            .map(|call| call.at)
            .collect();
        let least = looks.windows(2).map(|pair| pair[1] - pair[0]).min().unwrap();
        assert!(least >= Duration::from_millis(4900), "{least:?}");
        let minutes = 590.0 / 60.0;
        let rate = calls.len() as f64 / minutes;
        assert!(rate < 100.0, "{rate} calls a minute");
        // Only the lock is renewed meanwhile.
        let writes: Vec<&str> = calls
            .iter()
            .filter(|call| call.writes())
            .map(|call| call.operation.as_str())
            .collect();
        assert!(writes.len() <= 4, "{writes:?}");
        assert!(writes.iter().all(|write| *write == "TagResource"), "{writes:?}");
    }
}
