//! Any world.

use super::*;
use proptest::collection::vec;
use proptest::prelude::{Just, Strategy, any, prop_oneof, proptest};

fn events() -> impl Strategy<Value = Event> {
    prop_oneof![
        (0u16..=100).prop_map(|new| Event::Rule(Rule::Weights(weights(new)))),
        any::<String>().prop_map(|what| Event::Rule(Rule::Foreign(what))),
        Just(Event::NewDies),
        Just(Event::OldDies),
        Just(Event::Deploys),
        (0u64..3000).prop_map(Event::Silent),
        (0u32..5).prop_map(Event::Loses),
        Just(Event::Cancel),
    ]
}

fn says() -> impl Strategy<Value = GateSays> {
    prop_oneof![
        any::<String>().prop_map(GateSays::Fail),
        any::<String>().prop_map(GateSays::Inconclusive),
        Just(GateSays::Running),
    ]
}

proptest! {
    #[test]
    fn whatever_happens_one_version_serves_whole_or_it_is_told(
        mut events in vec((0u64..2500, events()), 0..4), bad in proptest::option::of((0usize..4, says())),
        warm in 0u64..400, retire in any::<bool>(), until in proptest::option::of(0usize..3),
    ) {
        events.sort_by_key(|(at, _)| *at);
        let mut world = world();
        world.warm = warm;
        world.gates.bad = bad.map(|(gate, says)| (if gate == 3 { Gate::Before } else { Gate::During(gate) }, says));
        let state = State::new(Plan { retire, until, ..plan() }, Duration::ZERO);
        let (end, _, state) = world.play(state, &events);
        let last = world.weights();
        match &end {
            Decision::Done { .. } => assert_eq!(last, Some(weights(100))),
            Decision::RolledBack { .. } => assert_eq!(last, Some(BEFORE)),
            Decision::Paused { weights } => assert_eq!(last, Some(*weights)),
            Decision::Refuse { .. } => assert_eq!(world.writes, []),
            Decision::ForeignChange { .. } | Decision::NeedsHuman { .. } | Decision::Unreadable { .. } => {}
            other => panic!("{other:?} is no end"),
        }
        // Steps rise, until the one write that restores the weights before.
        let turn = world.writes.iter().position(|weights| *weights == BEFORE).unwrap_or(world.writes.len());
        assert!(world.writes[..turn].is_sorted_by_key(|weights| weights.new));
        assert!(world.writes[turn..].iter().all(|weights| *weights == BEFORE));
        // The end stays the end.
        assert_eq!(state.next(Look::Facts(&world.facts), secs(9999)).1, end);
    }
}
