//! `ecs-deploy` that moves traffic between two services, as a process: stops at a weight, is promoted by another process, is
//! cancelled or killed while traffic is split, and is tidied up after.

use std::process::Command;
use std::time::{Duration, Instant};

use black_box::Place;
use rustix::process::Signal;
use sandbox::stand_ins::aws::{Clock, Cloud, Setup, Shop};
use serde_json::json;

use crate::process::{Running, finish};
use crate::step::{in_run, outputs};

/// How many times as fast as ours the stand-in's time is.
const FASTER: u32 = 60;

/// What the contract gives a cancelled run.
const CONTRACT: Duration = Duration::from_secs(5);

/// The longest step that a test waits out is a second; this one nobody waits for.
const LONG: &str = "10% 1h, 100%";

fn cloud() -> (Cloud, Shop) {
    let cloud = Cloud::open(Clock::compressed(FASTER)).unwrap();
    let setup = Setup::new("prod", "web").image("shop:1.0.0").desired(3);
    let shop = setup.pair().build(&cloud);
    (cloud, shop)
}

fn step(place: &Place, cloud: &Cloud, shop: &Shop, name: &str, flags: &[&str]) -> Command {
    let mut command = in_run(place.step("ecs-deploy"));
    command.envs(cloud.environment());
    command.args([name, "--cluster", "prod", "--traffic-rule", &shop.rule]);
    command.args(["--blue-service", "web-blue", "--green-service", "web-green"]);
    if name != "status" {
        command.args(["--poll", "100ms"]);
    }
    command.args(flags);
    command
}

/// The weights of blue and green.
fn weights(cloud: &Cloud, shop: &Shop) -> [u64; 2] {
    let asked = json!({ "RuleArns": [shop.rule] });
    let rules = cloud.act("elasticloadbalancing", "DescribeRules", asked).unwrap();
    let groups = &rules["Rules"][0]["Actions"][0]["ForwardConfig"]["TargetGroups"];
    let groups = groups.as_array().unwrap();
    [&shop.group, &shop.other_group].map(|arn| {
        let group = groups
            .iter()
            .find(|group| group["TargetGroupArn"] == arn.as_str());
        group
            .and_then(|group| group["Weight"].as_u64())
            .unwrap_or_default()
    })
}

#[test]
fn one_process_stops_at_a_weight_and_another_promotes() {
    let (place, (cloud, shop)) = (Place::new(), cloud());
    let steps = ["--steps", "10% 1s, 100%", "--keep", "1s"];
    let until = [&["--image", "shop:1.1.0", "--until", "10%"][..], &steps].concat();
    finish(step(&place, &cloud, &shop, "deploy", &until))
        .expect(0)
        .says(&["`web-green` serves `web:2` with 10% of the traffic, and waits for `promote`"]);
    assert_eq!(
        (weights(&cloud, &shop), &*outputs(&place)["live-weight"]),
        ([90, 10], "10")
    );
    finish(step(&place, &cloud, &shop, "status", &[]))
        .expect(0)
        .says(&[
            "gets 10% of the traffic",
            "waits to be promoted: run `ecs-deploy promote ",
        ]);
    finish(step(&place, &cloud, &shop, "promote", &steps))
        .expect(0)
        .says(&["`web-green` serves `web:2` with all traffic"]);
    let outputs = outputs(&place);
    for (name, value) in [
        ("live-weight", "100"),
        ("status", "deployed"),
        ("previous-task-definition", "web:1"),
    ] {
        assert_eq!(outputs[name], value, "{outputs:?}");
    }
    assert_eq!(cloud.serving(&shop), ["shop:1.1.0"]);
}

#[test]
fn a_cancel_gives_all_traffic_back_in_time() {
    let (place, (cloud, shop)) = (Place::new(), cloud());
    let flags = ["--image", "shop:1.1.0", "--steps", LONG];
    let running = Running::start(step(&place, &cloud, &shop, "deploy", &flags));
    running.wait_for("traffic: 10% to `web-green`");
    let sent = Instant::now();
    running.signal(Signal::TERM);
    running
        .finish()
        .expect(143)
        .says(&["`web-blue` serves with all traffic: cancelled by SIGTERM"]);
    assert!(sent.elapsed() < CONTRACT, "{:?}", sent.elapsed());
    assert_eq!(
        (weights(&cloud, &shop), &*outputs(&place)["status"]),
        ([100, 0], "rolled-back")
    );
    finish(step(&place, &cloud, &shop, "recover", &[]))
        .expect(0)
        .says(&["nothing to do"]);
}

#[test]
fn after_a_kill_the_next_step_of_the_run_recovers() {
    let (place, (cloud, shop)) = (Place::new(), cloud());
    let flags = ["--image", "shop:1.1.0", "--steps", LONG];
    let running = Running::start(step(&place, &cloud, &shop, "deploy", &flags));
    running.wait_for("traffic: 10% to `web-green`");
    running.signal(Signal::KILL);
    assert_eq!(running.finish().code, None);
    assert_eq!(weights(&cloud, &shop), [90, 10]);
    finish(step(&place, &cloud, &shop, "recover", &[]))
        .expect(0)
        .says(&["`web-blue` serves with all traffic"]);
    assert_eq!(weights(&cloud, &shop), [100, 0]);
    assert_eq!(cloud.serving(&shop), ["shop:1.0.0"]);
}
