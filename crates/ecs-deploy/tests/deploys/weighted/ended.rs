//! Weighted commands that are cancelled at each of their calls, or whose runner is lost after each of their writes.

use super::faults::Story;
use super::killed::is_a_step;
use super::order::{foreign, is_tidy};
use super::*;

/// The calls of a deploy, each as its operation and which of its kind it is.
async fn calls() -> Vec<(String, usize)> {
    let (world, shop) = Story::Deploy.begin().await;
    let ended = world.run(&Story::Deploy.line(&shop)).await;
    ended.good();
    let mut counts = std::collections::BTreeMap::new();
    let calls = ended.calls.iter().map(|call| {
        let count = counts.entry(call.operation.clone()).or_insert(0);
        *count += 1;
        (call.operation.clone(), *count)
    });
    calls.collect()
}

#[tokio::test(start_paused = true)]
async fn a_signal_at_any_call_leaves_one_version_whole_within_five_seconds() {
    let calls = calls().await;
    let (mut old, mut new) = (0, 0);
    for (operation, nth) in &calls {
        let story = format!("{operation} {nth}");
        let (world, shop) = Story::Deploy.begin().await;
        let others = foreign(&world, &shop);
        world.cancel_at(operation, *nth, true);
        let ended = world.run(&Story::Deploy.line(&shop)).await;
        // Behind the last write nothing is left to be ended.
        if ended.exit() == 0 {
            assert_eq!(ended.writes().last(), Some(&"UntagResource"), "{story}");
            assert_eq!(world.cloud.serving(&shop), [NEW]);
            continue;
        }
        ended.failed(Exit::Terminated);
        assert!(ended.says().contains("SIGTERM"), "{story}: {}", ended.says());
        let same: Vec<Duration> = ended
            .calls
            .iter()
            .filter(|call| call.operation == *operation)
            .map(|call| call.at)
            .collect();
        let took = ended.at - same[nth - 1];
        assert!(took <= Duration::from_secs(5), "{story}: {took:?}");
        match (weights(&world, &shop), &*world.cloud.serving(&shop)) {
            ((100, 0), [image]) if image == OLD => old += 1,
            ((0, 100), [image]) if image == NEW => new += 1,
            (weights, serving) => panic!("{story}: {weights:?} {serving:?}\n{}", ended.log),
        }
        // The next step of the same job.
        let next = world.other("8");
        next.run(&line("recover", &shop, &[])).await.good();
        is_tidy(&world, &shop, &story);
        assert_eq!(foreign(&world, &shop), others, "{story}");
    }
    // What was scaled away is not brought back by a signal.
    assert!(old > calls.len() / 2 && new > 3, "{old} {new}");
}

#[tokio::test(start_paused = true)]
async fn a_runner_that_is_lost_after_any_write_of_any_command_is_recovered_from() {
    for (story, writes) in [
        (Story::Promote, 9),
        (Story::Undo, 4),
        (Story::Return, 8),
        (Story::Recover, 4),
    ] {
        for nth in 1..=writes {
            let (mut world, shop) = story.begin().await;
            let others = foreign(&world, &shop);
            let ended = world.killed_after(nth, &story.line(&shop)).await;
            let context = format!("{story:?} {nth}");
            assert!(ended.is_none(), "{context} is no write");
            is_a_step(&world, &shop, &context);
            story.converges(&world, &shop, &context).await;
            assert_eq!(foreign(&world, &shop), others, "{context}");
        }
        let (mut world, shop) = story.begin().await;
        let ended = world.killed_after(writes + 1, &story.line(&shop)).await;
        ended.unwrap().good();
    }
}
