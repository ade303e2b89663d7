//! Shifts as they go well and wrong.

use super::*;
use crate::observed::TargetHealth;
use crate::words::TargetState;

#[test]
fn a_good_version_gets_all_traffic_step_by_step() {
    let mut world = world();
    let (end, at) = play(&mut world, &[]);
    assert_eq!(end, Decision::Done { left: vec![] });
    assert_eq!(world.writes, [weights(10), weights(50), weights(100)]);
    assert_eq!(
        world.story,
        [
            "Claim",
            "Prepare",
            "AskGate",
            "Write",
            "Hold",
            "Write",
            "Hold",
            "Write",
            "Keep",
            "RetireOld",
            "Release",
            "Done"
        ]
    );
    assert_eq!(
        (world.facts.old.desired, world.facts.new.desired, world.facts.lock),
        (0, TASKS, Lock::Free)
    );
    assert!(
        (60 + 300 * 3 + 600..60 + 300 * 3 + 640).contains(&at.as_secs()),
        "{at:?}"
    );
}

#[test]
fn nothing_is_begun_where_something_is_wrong() {
    type Change = fn(&mut Facts);
    let cases: [(Refusal, Change); 8] = [
        (Refusal::MixedWeights, |facts| {
            facts.rule = Rule::Weights(weights(10));
        }),
        (Refusal::Rule, |facts| {
            facts.rule = Rule::Weights(weights(100));
        }),
        (Refusal::Rule, |facts| {
            facts.rule = Rule::Weights(Weights { old: 0, new: 0 });
        }),
        (Refusal::Rule, |facts| {
            facts.rule = Rule::Foreign("a third group".to_owned());
        }),
        (Refusal::Deployment, |facts| {
            facts.old.foreign = Some("x".to_owned());
        }),
        (Refusal::Deployment, |facts| {
            facts.new.foreign = Some("x".to_owned());
        }),
        (Refusal::Locked, |facts| {
            facts.lock = Lock::Other {
                run: "run 7".to_owned(),
                age: secs(60),
            };
        }),
        (Refusal::NothingRuns, |facts| {
            facts.old.running = 0;
        }),
    ];
    for (expected, change) in cases {
        let mut world = world();
        change(&mut world.facts);
        let end = play(&mut world, &[]).0;
        assert!(
            matches!(&end, Decision::Refuse { why, .. } if *why == expected),
            "{expected:?}: {end:?}"
        );
        assert_eq!(world.story, ["Refuse"]);
    }
    let mut stale = world();
    stale.facts.lock = Lock::Other {
        run: "run 7".to_owned(),
        age: secs(8000),
    };
    assert!(
        matches!(play(&mut stale, &[]).0, Decision::Done { .. }),
        "an old lock is no lock"
    );
    for rungs in [
        vec![],
        vec![rung(50, 1)],
        vec![rung(50, 1), rung(50, 1), rung(100, 1)],
        vec![rung(0, 1), rung(100, 1)],
    ] {
        let state = State::new(Plan { rungs, ..plan() }, Duration::ZERO);
        let end = world().play(state, &[]).0;
        assert!(
            matches!(
                end,
                Decision::Refuse {
                    why: Refusal::Plan,
                    ..
                }
            ),
            "{end:?}"
        );
    }
}

#[test]
fn a_gate_turns_it_back_within_one_look() {
    for (gate, says, why, writes) in [
        (
            Gate::Before,
            GateSays::Fail("errors".to_owned()),
            Why::Gate,
            vec![],
        ),
        (
            Gate::Before,
            GateSays::Inconclusive("no data".to_owned()),
            Why::Inconclusive,
            vec![],
        ),
        (
            Gate::During(0),
            GateSays::Fail("errors".to_owned()),
            Why::Gate,
            vec![weights(10), BEFORE],
        ),
        (
            Gate::During(1),
            GateSays::Inconclusive("no data".to_owned()),
            Why::Inconclusive,
            vec![weights(10), weights(50), BEFORE],
        ),
    ] {
        let mut world = world();
        world.gates.bad = Some((gate, says));
        let end = play(&mut world, &[]).0;
        assert_eq!((cause(&end).why, &world.writes), (why, &writes), "{gate:?}");
        assert_eq!(
            (world.facts.new.desired, world.facts.old.desired, world.facts.lock),
            (0, TASKS, Lock::Free)
        );
        if gate != Gate::Before {
            let back = world.story.iter().rposition(|word| word == "Hold").unwrap();
            assert_eq!(
                world.story[back + 1..],
                ["Write", "RetireNew", "Release", "RolledBack"],
                "the rule comes first"
            );
        }
    }
}

#[test]
fn a_side_that_is_not_healthy_gets_no_traffic() {
    let mut cold = world();
    cold.warm = 100_000;
    let end = play(&mut cold, &[]).0;
    assert_eq!(
        cause(&end).reason,
        "the new side is not healthy after 5m: 0 of 3 tasks run"
    );
    assert_eq!(cold.writes, []);
    let mut dies = world();
    let end = play(&mut dies, &[(500, Event::NewDies)]).0;
    assert_eq!(
        (cause(&end).why, dies.writes),
        (Why::Unhealthy, vec![weights(10), BEFORE])
    );
    let mut both = world();
    let end = play(&mut both, &[(450, Event::OldDies), (500, Event::Cancel)]).0;
    assert!(
        matches!(&end, Decision::NeedsHuman { reason } if reason.starts_with("SIGINT; traffic is not moved back")),
        "{end:?}"
    );
    assert_eq!(both.weights(), Some(weights(10)));
}

#[test]
fn scenario_17_a_foreign_change_stops_it_and_stays() {
    for (at, rule) in [
        (200, Rule::Weights(weights(7))),
        (500, Rule::Weights(BEFORE)),
        (500, Rule::Foreign("an action `redirect`".to_owned())),
        (1200, Rule::Weights(weights(10))),
    ] {
        let mut world = world();
        let end = play(&mut world, &[(at, Event::Rule(rule.clone()))]).0;
        assert!(matches!(end, Decision::ForeignChange { .. }), "{end:?}");
        assert_eq!(
            (world.facts.rule, world.facts.old.desired, world.facts.lock),
            (rule, TASKS, Lock::Ours)
        );
    }
}

#[test]
fn scenario_18_a_signal_restores_the_old_version_by_one_write() {
    for (at, writes) in [
        (0, vec![]),
        (30, vec![]),
        (500, vec![weights(10), BEFORE]),
        (800, vec![weights(10), weights(50), BEFORE]),
    ] {
        let mut world = world();
        let end = play(&mut world, &[(at, Event::Cancel)]).0;
        assert_eq!((cause(&end).why, world.writes), (Why::Cancelled, writes), "{at}");
        assert_eq!((world.facts.new.desired, world.facts.lock), (0, Lock::Free));
    }
    let mut untouched = world();
    untouched.facts.new = side(2, Rollout::Ready);
    let cancelled = play(&mut untouched, &[(0, Event::Cancel)]).0;
    assert_eq!(
        (cause(&cancelled).why, untouched.facts.new.desired),
        (Why::Cancelled, 2),
        "what was not ours stays"
    );
}

#[test]
fn silence_is_waited_for_and_others_are_respected() {
    let mut blip = world();
    assert_eq!(
        play(&mut blip, &[(500, Event::Silent(700))]).0,
        Decision::Done { left: vec![] }
    );
    let mut silent = world();
    let end = play(&mut silent, &[(500, Event::Silent(5000))]).0;
    assert!(
        matches!(&end, Decision::Unreadable { reason } if reason.contains("90 old, 10 new as seen last: rate exceeded")),
        "{end:?}"
    );
    let mut busy = world();
    let end = play(&mut busy, &[(500, Event::Deploys)]).0;
    assert_eq!((cause(&end).why, busy.weights()), (Why::Deployment, Some(BEFORE)));
    let mut slow = world();
    slow.gates.bad = Some((Gate::During(0), GateSays::Running));
    assert_eq!(
        cause(&play(&mut slow, &[]).0).why,
        Why::Timeout,
        "a gate that never ends"
    );
}

#[test]
fn health_is_counted_from_targets() {
    let target = |state: &str| TargetHealth {
        target: "10.0.0.1:80".to_owned(),
        state: TargetState::of(state),
        reason: Some("Target.Timeout".to_owned()),
        description: None,
    };
    let health = Health::of(&[target("healthy"), target("draining"), target("unhealthy")]);
    assert_eq!(
        (health.healthy, health.trouble.as_deref()),
        (1, Some("a target is `unhealthy`: Target.Timeout"))
    );
    assert_eq!(Health::of(&[target("unavailable")]).healthy, 1);
    assert_eq!(
        Health::of(&[]),
        Health {
            healthy: 0,
            trouble: None
        }
    );
}
