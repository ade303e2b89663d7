//! Writes that are lost, late or refused, and shifts that another run goes on with.

use super::*;

#[test]
fn lost_writes_are_repeated_and_not_for_ever() {
    for at in [0, 355, 670, 970] {
        let mut world = world();
        let end = play(&mut world, &[(at, Event::Loses(2))]).0;
        assert_eq!(end, Decision::Done { left: vec![] }, "{at}");
    }
    let mut world_ = world();
    let end = play(&mut world_, &[(100, Event::Loses(3))]).0;
    assert_eq!((cause(&end).why, world_.weights()), (Why::Write, Some(BEFORE)));
    let mut stuck = world();
    let end = play(&mut stuck, &[(500, Event::Loses(100)), (501, Event::Cancel)]).0;
    assert!(
        matches!(&end, Decision::NeedsHuman { reason } if reason.contains("do not show; weights are 90 old, 10 new")),
        "{end:?}"
    );
    let mut unlocked = world();
    let end = play(&mut unlocked, &[(0, Event::Loses(100))]).0;
    assert!(
        matches!(
            end,
            Decision::Refuse {
                why: Refusal::Locked,
                ..
            }
        ),
        "{end:?}"
    );
    let mut untidy = world();
    let end = play(&mut untidy, &[(1100, Event::Loses(100))]).0;
    let Decision::Done { left } = end else {
        panic!("{end:?}")
    };
    assert_eq!(
        left,
        [
            "the old side could not be scaled down",
            "the tag could not be taken off"
        ]
    );
}

#[test]
fn a_write_that_takes_effect_late_is_undone_too() {
    let mut world = world();
    let mut state = State::new(
        Plan {
            gate_before: false,
            ..plan()
        },
        Duration::ZERO,
    );
    world.facts.lock = Lock::Ours;
    world.facts.new = side(TASKS, Rollout::Ready);
    let look = |state: State, facts: &Facts, at| state.next(Look::Facts(facts), secs(at));
    let decision;
    (state, decision) = look(state, &world.facts, 0);
    assert!(
        matches!(decision, Decision::Write { weights: to, .. } if to == weights(10)),
        "{decision:?}"
    );
    assert!(state.is_split(), "it may come");
    let cause = Cause {
        why: Why::Cancelled,
        reason: "SIGINT".to_owned(),
    };
    state = state.turned_back(cause, secs(1));
    let back = Decision::Write {
        weights: BEFORE,
        expected: BEFORE,
    };
    let decision;
    (state, decision) = look(state, &world.facts, 1);
    assert_eq!(
        decision, back,
        "the rule shows the weights before, and must be written all the same"
    );
    world.facts.rule = Rule::Weights(weights(10));
    let decision;
    (state, decision) = look(state, &world.facts, 7);
    assert_eq!(
        decision,
        Decision::Write {
            weights: BEFORE,
            expected: weights(10)
        }
    );
    world.facts.rule = Rule::Weights(BEFORE);
    let (state, _) = look(state, &world.facts, 8);
    assert!(!state.is_split());
}

#[test]
fn a_refused_write_is_named() {
    let facts = world().facts;
    let mut state = State::new(plan(), Duration::ZERO);
    let mut last = None;
    for second in (0..60).step_by(6) {
        let (next, decision) = state.next(Look::Facts(&facts), secs(second));
        let (next, _) = next.next(
            Look::WriteFailed("access denied for `ecs:TagResource`"),
            secs(second),
        );
        (state, last) = (next, Some(decision));
    }
    let reason = "the lock could not be taken: access denied for `ecs:TagResource`".to_owned();
    assert_eq!(
        last,
        Some(Decision::Refuse {
            why: Refusal::Unclaimed,
            reason
        })
    );
}

#[test]
fn a_step_is_reached_and_another_run_promotes_it() {
    let mut world = world();
    let first = State::new(
        Plan {
            until: Some(0),
            ..plan()
        },
        Duration::ZERO,
    );
    let (end, _, state) = world.play(first, &[]);
    assert_eq!(
        (end, state.is_split()),
        (Decision::Paused { weights: weights(10) }, true)
    );
    assert_eq!(world.facts.lock, Lock::Ours);
    let mut undone = World {
        facts: world.facts.clone(),
        ..super::world()
    };
    (undone.prepared, undone.warm) = (Some(Duration::ZERO), 0);
    let cause_ = Cause {
        why: Why::Asked,
        reason: "asked for".to_owned(),
    };
    let (end, at, _) = undone.play(
        State::undo(plan(), &[weights(10), weights(50)], 0, cause_, Duration::ZERO),
        &[],
    );
    assert_eq!(
        (cause(&end).why, undone.writes.as_slice(), at < secs(2)),
        (Why::Asked, &[BEFORE][..], true)
    );
    world.writes.clear();
    (world.prepared, world.warm) = (Some(Duration::ZERO), 0);
    let (end, _, _) = world.play(State::promote(plan(), 0, 0, Duration::ZERO), &[]);
    assert_eq!(
        (end, world.writes),
        (Decision::Done { left: vec![] }, vec![weights(50), weights(100)])
    );
}
