//! Runs that are cancelled and killed at each of their calls.

use std::collections::BTreeMap;

use super::*;

/// Each call of a story, as its operation and which of it this is, with whether it is done first: a question is not, for
/// whether it was answered changes nothing.
async fn each_call(story: Story) -> Vec<(String, usize, bool)> {
    let (_, calls) = story.calls().await;
    let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
    let mut all = Vec::new();
    // What a gate asks CloudWatch is of no state.
    for call in calls.iter().filter(|call| call.service != "cloudwatch") {
        let count = counts.entry(&call.operation).or_default();
        *count += 1;
        all.push((call.operation.clone(), *count, false));
        if call.writes() {
            all.push((call.operation.clone(), *count, true));
        }
    }
    all
}

/// Ends a run at each of its calls: by a kill and a signal in turn, beginning with this.
async fn ends_at_each_call(story: Story, killed_first: bool) {
    for (at, (operation, nth, after)) in each_call(story).await.into_iter().enumerate() {
        let killed = killed_first == at.is_multiple_of(2);
        let what = format!("{story:?} {operation} {nth} {after} {killed}");
        let scene = story.begin().await;
        let others = scene.others();
        let world = &scene.world;
        if killed {
            world.kill_at(&operation, nth, after);
        } else {
            world.cancel_at(&operation, nth, after);
        }
        let ended = world.run(&story.line()).await;
        if killed {
            assert!(ended.is_killed(), "{what}");
        } else if ended.exit() != story.goal().1 {
            // One that had nothing more to do than to say so ends as it would have.
            assert_eq!(ended.exit(), 143, "{what}: {}", ended.says());
            let mut own = ended.calls.iter().filter(|call| call.operation == operation);
            // A call that the signal came before is perhaps not made.
            let late = own.nth(nth - 1).map(|call| ended.at.saturating_sub(call.at));
            assert!(
                late.is_none_or(|late| late <= Duration::from_secs(5)),
                "{what}: {late:?}"
            );
        }
        story.is_a_step(&scene, &what);
        sends_no_more_than_asked(&ended, &what);
        story.converges(&scene, &what).await;
        assert_eq!(scene.others(), others, "{what}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_deploy() {
    for killed_first in [true, false] {
        ends_at_each_call(Story(Kind::Plain, "CANARY"), killed_first).await;
        ends_at_each_call(Story(Kind::Crash, "LINEAR"), killed_first).await;
    }
}

#[tokio::test(start_paused = true)]
async fn a_deploy_with_a_gate() {
    ends_at_each_call(Story(Kind::Gated, "BLUE_GREEN"), true).await;
}

#[tokio::test(start_paused = true)]
async fn a_way_back() {
    ends_at_each_call(Story(Kind::Undo, "CANARY"), true).await;
    ends_at_each_call(Story(Kind::Undo, "LINEAR"), false).await;
    ends_at_each_call(Story(Kind::Return, "BLUE_GREEN"), true).await;
    ends_at_each_call(Story(Kind::Return, "CANARY"), false).await;
}
