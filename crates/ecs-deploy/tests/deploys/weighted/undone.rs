//! A whole `rollback` by another process right before and right after each call of a run: in the end the old version serves
//! whole, whatever the run had decided by then; or, where the run had not begun to change anything, the rollback says that
//! there is nothing to go back to.

use std::collections::BTreeMap;

use sandbox::stand_ins::aws::{Entry, Fault, Turn};

use super::faults::Story;
use super::order::{foreign, is_tidy};
use super::*;

/// Each call, as its operation and which of it this is, before and after.
fn each_moment(calls: &[Entry]) -> Vec<(String, usize, bool)> {
    let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
    let mut all = Vec::new();
    for call in calls {
        let count = counts.entry(&call.operation).or_default();
        *count += 1;
        // Before a question is as after the call before it.
        let moments: &[bool] = if call.writes() { &[false, true] } else { &[true] };
        all.extend(
            moments
                .iter()
                .map(|after| (call.operation.clone(), *count, *after)),
        );
    }
    all
}

/// How the two ended: the run's exit code, and the rollback's.
async fn undone_at(story: Story, (operation, nth, after): &(String, usize, bool), next: bool) -> (u8, u8) {
    let what = format!("{story:?} {operation} {nth} {after}");
    let (world, shop) = story.begin().await;
    let others = foreign(&world, &shop);
    let meanwhile = world.wait_at(operation, *nth, *after);
    let (run, other) = (story.line(&shop), world.other("80"));
    let back = line_of(&shop);
    let (ended, undone) = tokio::join!(world.run(&run), async {
        meanwhile.begins.notified().await;
        let undone = other.run(&back).await;
        meanwhile.ends.notify_one();
        undone
    });
    world.cloud.skip(Duration::from_secs(120));
    let both = format!(
        "{what}\n{}\n{}\n---\n{}\n{}",
        ended.says(),
        ended.log,
        undone.says(),
        undone.log
    );
    match undone.exit() {
        0 => {
            assert_eq!(world.cloud.serving(&shop), [OLD], "{both}");
            assert!(desired(&world, "web-blue") > 0, "{both}");
            // What is undone before it is looked at is nothing to promote.
            assert!(
                matches!(ended.exit(), 0 | 6) || (story, ended.exit()) == (Story::Promote, 2),
                "{both}"
            );
        }
        2 => {
            assert!(undone.says().contains("nothing to go back to"), "{both}");
            assert_eq!(
                (ended.exit(), world.cloud.serving(&shop)),
                (0, vec![NEW.to_owned()]),
                "{both}"
            );
        }
        other => panic!("{other}: {both}"),
    }
    assert_eq!(foreign(&world, &shop), others, "{both}");
    is_tidy(&world, &shop, &both);
    if next {
        // Nobody is in the way of the next one, and it takes the mark away.
        let next = ["--image", "shop:1.2.0", "--keep", "0s", "--poll", "20s"];
        world.other("81").run(&line("deploy", &shop, &next)).await.good();
        assert_eq!(world.cloud.serving(&shop), ["shop:1.2.0"], "{both}");
        assert!(
            !all_tags(&world, &shop).iter().any(|tag| tag["key"] == UNDONE),
            "{both}"
        );
        is_tidy(&world, &shop, &both);
    }
    (ended.exit(), undone.exit())
}

fn line_of(shop: &Shop) -> Vec<&str> {
    line("rollback", shop, &["--poll", "1s"])
}

/// At each of these moments; gives how often the run was stopped by it.
async fn each(story: Story, which: usize) -> usize {
    let (world, shop) = story.begin().await;
    let ended = world.run(&story.line(&shop)).await;
    ended.good();
    let mut stopped = 0;
    let moments = each_moment(&ended.calls);
    for (at, moment) in moments.iter().skip(which).step_by(2).enumerate() {
        let (exit, _) = undone_at(story, moment, at.is_multiple_of(6)).await;
        stopped += usize::from(exit == 6);
    }
    stopped
}

#[tokio::test(start_paused = true)]
async fn a_deploy_at_each_call() {
    assert!(each(Story::Deploy, 0).await > 30);
}

#[tokio::test(start_paused = true)]
async fn a_deploy_at_each_other_call() {
    assert!(each(Story::Deploy, 1).await > 30);
}

#[tokio::test(start_paused = true)]
async fn a_promote_at_each_call() {
    assert!(each(Story::Promote, 0).await > 10);
}

#[tokio::test(start_paused = true)]
async fn a_promote_at_each_other_call() {
    assert!(each(Story::Promote, 1).await > 10);
}

#[tokio::test(start_paused = true)]
async fn who_may_not_tag_goes_back_and_says_that_a_live_run_was_not_told() {
    let mut world = World::new().in_one_job();
    let shop = pair(&world);
    assert!(world.killed_after(6, &deploy(&shop, NEW)).await.is_none());
    assert_eq!(weights(&world, &shop), (90, 10));
    world.cloud.fault("TagResource", Turn::Every, Fault::Denied);
    let back = world.other("8").run(&line_of(&shop)).await;
    back.good();
    assert_eq!(world.cloud.serving(&shop), [OLD]);
    assert!(
        back.log.contains("could not be told that it was undone") && back.log.contains("cancel it"),
        "{}",
        back.log
    );
}
