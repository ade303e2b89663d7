//! Any sequence of looks.

use super::*;
use proptest::collection::vec;
use proptest::prelude::{Just, Strategy as _, any, prop_oneof, proptest};

fn worlds() -> impl proptest::strategy::Strategy<Value = World> {
    let state = prop_oneof![
        Just(Some("IN_PROGRESS")),
        Just(Some("COMPLETED")),
        Just(Some("FAILED")),
        Just(Some("NEW")),
        Just(None)
    ];
    let status = prop_oneof![Just("PRIMARY"), Just("ACTIVE"), Just("X")];
    let one = (1u32..4, status, state, [0u32..4, 0u32..4, 0u32..4, 0u32..4]);
    let service = (vec(one, 0..4), any::<bool>()).prop_map(|(deployments, breaker)| {
        let deployments = deployments
            .into_iter()
            .map(|(n, status, state, counts)| deployment(n, DeploymentStatus::of(status), state, counts));
        let mut service = service(deployments.collect());
        service.breaker = Some(BreakerSetting {
            enable: breaker,
            rollback: breaker,
        });
        service
    });
    prop_oneof![
        6 => service.clone().prop_map(See),
        4 => Just(See(completed())),
        2 => (service, any::<String>()).prop_map(|(service, status)| with(service, service_deployment(&status))),
        1 => Just(Missing),
        1 => Just(Silent),
    ]
}

proptest! {
    #[test]
    fn any_run_ends_and_succeeds_only_on_what_it_saw(
        worlds in vec((0u64..90, worlds()), 1..12), tasks in vec((0u64..300, 0u32..6), 0..4), readable in any::<bool>(),
    ) {
        let mut at = 0;
        let worlds: Vec<(u64, World)> = std::iter::once((0, worlds[0].1.clone()))
            .chain(worlds.into_iter().map(|(step, world)| { at += step; (at, world) }))
            .collect();
        let tasks = tasks.into_iter().map(|(at, name)| (at, if name % 2 == 0 { crash(name) } else { no_image(name) })).collect();
        let mut run = run(worlds.clone()).tasks(tasks);
        run.tasks_readable = readable;
        let told = run.play();
        if let Decision::Succeeded { tasks } = told.end {
            let holds = |world: &World| {
                let service = match world {
                    See(service) => service,
                    With(both) => &both.0,
                    Missing | Silent => return false,
                };
                let Some(ours) = service.deployments.iter().find(|one| one.id == OURS) else { return false };
                let complete = match &ours.rollout_state {
                    Some(state) => *state == RolloutState::Completed,
                    None => service.deployments.len() == 1,
                };
                service.primary().is_some_and(|primary| primary.id == OURS) && complete
            };
            let last = worlds.iter().rev().find(|(at, _)| *at <= told.at).unwrap();
            assert!(holds(&last.1));
            assert!(told.at >= 30 && tasks > 0 || tasks == 0);
            // It held at each look of the time for which it must stay.
            for second in (told.at.saturating_sub(30)..=told.at).filter(|second| (told.at - second).is_multiple_of(5)) {
                let world = worlds.iter().rev().find(|(at, _)| *at <= second).unwrap();
                assert!(holds(&world.1), "not at {second} of {}", told.at);
            }
        }
    }
}
