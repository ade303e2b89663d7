//! A rule that somebody else changes, at each point of a deploy and between two commands: nothing is written over it, and what
//! the run held is given back.

use std::sync::{Arc, Mutex};

use sandbox::stand_ins::aws::World as Inside;

use super::*;
use crate::cloud::Ended;

/// What somebody else does to the rule.
#[derive(Clone, Copy, Debug)]
enum Change {
    Weights(u64, u64),
    /// A third group gets traffic.
    Group,
    /// Who comes must sign in first.
    SignIn,
    /// The rule answers by itself.
    Fixed,
    Gone,
}

fn groups(shop: &Shop, blue: u64, green: u64) -> Vec<Value> {
    vec![
        json!({ "TargetGroupArn": shop.group, "Weight": blue }),
        json!({ "TargetGroupArn": shop.other_group, "Weight": green }),
    ]
}

fn forward(groups: &[Value]) -> Value {
    json!({ "Type": "forward", "Order": 2, "ForwardConfig": { "TargetGroups": groups } })
}

fn change(inside: &mut Inside, shop: &Shop, change: Change) {
    let elb = "elasticloadbalancing";
    let actions = match change {
        Change::Gone => {
            inside
                .act(elb, "DeleteRule", json!({ "RuleArn": shop.rule }))
                .unwrap();
            return;
        }
        Change::Weights(blue, green) => vec![forward(&groups(shop, blue, green))],
        Change::Group => {
            let third = json!({ "Name": "third", "Protocol": "HTTP", "Port": 80, "TargetType": "ip", "VpcId": "vpc-1" });
            let third = inside.act(elb, "CreateTargetGroup", third).unwrap();
            let arn = third["TargetGroups"][0]["TargetGroupArn"].clone();
            let mut groups = groups(shop, 90, 10);
            groups.push(json!({ "TargetGroupArn": arn, "Weight": 5 }));
            vec![forward(&groups)]
        }
        Change::SignIn => vec![
            json!({ "Type": "authenticate-cognito", "Order": 1, "AuthenticateCognitoConfig": {
                "UserPoolArn": "arn:aws:cognito-idp:eu-central-1:123456789012:userpool/p", "UserPoolClientId": "c",
                "UserPoolDomain": "d",
            } }),
            forward(&groups(shop, 90, 10)),
        ],
        Change::Fixed => {
            vec![json!({ "Type": "fixed-response", "FixedResponseConfig": { "StatusCode": "503" } })]
        }
    };
    let input = json!({ "RuleArn": shop.rule, "Actions": actions });
    inside.act(elb, "ModifyRule", input).unwrap();
}

fn state(inside: &mut Inside, shop: &Shop) -> Value {
    let rules = inside.act(
        "elasticloadbalancing",
        "DescribeRules",
        json!({ "RuleArns": [shop.rule] }),
    );
    rules.map_or(Value::Null, |rules| rules["Rules"][0]["Actions"].clone())
}

/// A deploy during which somebody else changes the rule after the nth call of an operation; what they left is there in the end.
async fn changed(image: &str, at: (&str, usize), what: Change) -> (World, Shop, Ended) {
    let world = World::new().in_one_job();
    let shop = pair(&world);
    let theirs = shop.clone();
    let left = Arc::new(Mutex::new(Value::Null));
    let seen = Arc::clone(&left);
    world.cloud.after(at.0, at.1, move |inside| {
        change(inside, &theirs, what);
        *seen.lock().unwrap() = state(inside, &theirs);
    });
    let ended = world.run(&deploy(&shop, image)).await;
    let failure = ended.failed(Exit::Locked);
    let said = failure.error.to_string();
    assert!(said.contains("changed by someone else"), "{what:?}: {said}");
    assert!(said.contains("nothing was written over it"), "{what:?}: {said}");
    assert_eq!(ended.fact("status"), "superseded", "{what:?}");
    let now = world.cloud.world(|inside| state(inside, &shop));
    assert_eq!(now, *left.lock().unwrap(), "{what:?}");
    // While both get traffic, the tag is all that says which of them served before; then `rollback` gives back the rest.
    let split = matches!(what, Change::SignIn) || matches!(what, Change::Weights(1..100, _));
    if split {
        assert_eq!(tags(&world, &shop).len(), 1, "{what:?}");
    } else {
        scaling_is_restored(&world);
        no_tag_is_left(&world, &shop);
    }
    (world, shop, ended)
}

fn moves(ended: &Ended) -> usize {
    let writes = ended.writes();
    writes.iter().filter(|write| **write == "ModifyRule").count()
}

#[tokio::test(start_paused = true)]
async fn whatever_of_it_changes_stops_the_shift() {
    for what in [
        Change::Weights(70, 30),
        Change::Weights(100, 0),
        Change::Weights(0, 100),
        Change::Group,
        Change::SignIn,
        Change::Fixed,
        Change::Gone,
    ] {
        // Right before the second step: its tag is written, and the rule is read once more.
        let (_, _, ended) = changed(NEW, ("TagResource", 3), what).await;
        assert_eq!(moves(&ended), 1, "{what:?}");
        // Right after the first. All for the side that served looks like a write that does not show, and is none of these.
        if !matches!(what, Change::Weights(100, 0)) {
            let (_, _, ended) = changed(NEW, ("ModifyRule", 1), what).await;
            assert_eq!(moves(&ended), 1, "{what:?}");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn on_the_way_back_too() {
    // The second write of the rule is the one that goes back.
    let (world, _, ended) = changed(
        "shop:1.1.0-slow-crash",
        ("ModifyRule", 2),
        Change::Weights(60, 40),
    )
    .await;
    assert_eq!(moves(&ended), 2);
    assert!(ended.says().contains("exit code 1"), "{}", ended.says());
    // Both sides get traffic, so both keep their tasks.
    assert_eq!(
        (desired(&world, "web-blue"), desired(&world, "web-green")),
        (3, 3)
    );
}

#[tokio::test(start_paused = true)]
async fn while_the_earlier_version_is_kept_too() {
    // The fifth tag notes that the earlier version is kept.
    let (world, _, ended) = changed(NEW, ("TagResource", 5), Change::Weights(50, 50)).await;
    assert_eq!(moves(&ended), 3);
    assert_eq!(
        (desired(&world, "web-blue"), desired(&world, "web-green")),
        (3, 3),
        "nobody scales away what gets traffic"
    );
}

#[tokio::test(start_paused = true)]
async fn between_two_commands() {
    for (what, command, refused) in [
        (Change::Weights(70, 30), "promote", true),
        (Change::Weights(100, 0), "promote", true),
        (Change::Weights(70, 30), "recover", true),
        (Change::Group, "promote", true),
        (Change::Group, "rollback", true),
        (Change::Group, "recover", true),
        (Change::Fixed, "recover", true),
        // Who asks for the earlier version gets it: that is what weights are for.
        (Change::Weights(70, 30), "rollback", false),
        // A lower step than that which is noted: its write was the next call.
        (Change::Weights(100, 0), "recover", false),
    ] {
        let world = World::new().in_one_job();
        let shop = pair(&world);
        let until = ["--image", NEW, "--steps", STEPS, "--until", "10%"];
        world.run(&line("deploy", &shop, &until)).await.good();
        world.cloud.world(|inside| change(inside, &shop, what));
        let before = world.cloud.world(|inside| state(inside, &shop));
        let ended = world.run(&line(command, &shop, &[])).await;
        if refused {
            assert!(
                matches!(ended.exit(), 2 | 6),
                "{what:?} {command}: {}",
                ended.says()
            );
            assert!(
                ended.writes().is_empty(),
                "{what:?} {command}: {:?}",
                ended.writes()
            );
            assert_eq!(world.cloud.world(|inside| state(inside, &shop)), before);
        } else {
            ended.good();
            assert_eq!(world.cloud.serving(&shop), [OLD], "{what:?} {command}");
            scaling_is_restored(&world);
            no_tag_is_left(&world, &shop);
        }
    }
}

#[tokio::test(start_paused = true)]
async fn sign_in_survives_the_ways_back() {
    for back in ["rollback", "recover"] {
        let world = World::new().in_one_job();
        let shop = pair(&world);
        world.cloud.world(|inside| change(inside, &shop, Change::SignIn));
        world.cloud.world(|inside| {
            let mut actions = state(inside, &shop);
            for (group, weight) in [(0, 100), (1, 0)] {
                actions[1]["ForwardConfig"]["TargetGroups"][group]["Weight"] = json!(weight);
            }
            let input = json!({ "RuleArn": shop.rule, "Actions": actions });
            inside.act("elasticloadbalancing", "ModifyRule", input).unwrap();
        });
        let before = rule(&world, &shop);
        let until = ["--image", NEW, "--steps", STEPS, "--until", "50%"];
        world.run(&line("deploy", &shop, &until)).await.good();
        assert_eq!(weights(&world, &shop), (50, 50));
        world.run(&line(back, &shop, &[])).await.good();
        assert_eq!(rule(&world, &shop), before, "{back}");
    }
}
