//! Each call of each weighted command fails, in each way: then a version serves whole, or both by the weights of a step;
//! nothing of others is changed; and what is not tidied up then, `recover` or a second run brings to an end.

use sandbox::stand_ins::aws::{End, Entry, Fault, Turn};

use super::killed::is_a_step;
use super::order::{crowded, foreign, is_tidy, rises_or_goes_back, sends_no_more_than_asked};
use super::*;
use crate::matrix::{Blow, half, of_reads, of_writes};

/// Two steps and a time to keep the earlier version, all short. Looks are rare, so that a run has few calls.
const SHORT: [&str; 8] = [
    "--steps",
    "10% 5s, 50% 5s, 100%",
    "--keep",
    "5s",
    "--poll",
    "20s",
    "--api-grace",
    "4m",
];

/// A command on a pair that earlier commands left so.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Story {
    /// A deploy with two steps, and a time to keep.
    Deploy,
    /// A deploy that stopped at a tenth is gone on with, by another job.
    Promote,
    /// One that stopped at a tenth is rolled back.
    Undo,
    /// One that ended is rolled back: the earlier version is brought up again first.
    Return,
    /// One whose runner was lost at a half is recovered from.
    Recover,
}

impl Story {
    /// A machine, and what was done before.
    pub(super) async fn begin(self) -> (World, Shop) {
        let mut world = World::new().in_one_job();
        let shop = crowded(&world);
        match self {
            Self::Deploy => {}
            Self::Promote | Self::Undo => {
                let line = line(
                    "deploy",
                    &shop,
                    &[
                        "--image", NEW, "--steps", SHORT[1], "--until", "10%", "--poll", "20s",
                    ],
                );
                world.run(&line).await.good();
            }
            Self::Return => {
                let line = line(
                    "deploy",
                    &shop,
                    &["--image", NEW, "--poll", "20s", "--keep", "0s"],
                );
                world.run(&line).await.good();
            }
            Self::Recover => {
                let line = Self::Deploy.line(&shop);
                assert!(world.killed_after(8, &line).await.is_none());
                assert_eq!(weights(&world, &shop), (50, 50));
                return (world, shop);
            }
        }
        (world.other("8"), shop)
    }

    pub(super) fn line(self, shop: &Shop) -> Vec<&str> {
        match self {
            Self::Deploy => line("deploy", shop, &[&["--image", NEW][..], &SHORT].concat()),
            Self::Promote => line("promote", shop, &SHORT),
            Self::Undo | Self::Return => line("rollback", shop, &SHORT[4..]),
            Self::Recover => line("recover", shop, &SHORT[4..]),
        }
    }

    /// The version that it is about, and its target group with the share that it has at first.
    fn goal(self, shop: &Shop) -> (&'static str, &str, u64) {
        match self {
            Self::Deploy => (NEW, &shop.other_group, 0),
            Self::Promote => (NEW, &shop.other_group, 10),
            Self::Undo => (OLD, &shop.group, 90),
            Self::Return => (OLD, &shop.group, 0),
            Self::Recover => (OLD, &shop.group, 50),
        }
    }

    /// All faults of all its calls.
    async fn blows(self, of: fn(&[Entry], &[Entry]) -> Vec<Blow>) -> Vec<Blow> {
        let (world, shop) = self.begin().await;
        let earlier = world.cloud.log();
        let ended = world.run(&self.line(&shop)).await;
        ended.good();
        of(&earlier, &ended.calls)
    }

    /// Lets it meet a fault, and checks all that must hold; gives whether it came to its goal, or ended before it wrote
    /// anything.
    async fn meets(self, blow: &Blow) -> bool {
        let story = format!("{self:?}, {blow:?}");
        let (world, shop) = self.begin().await;
        let (goal, group, from) = self.goal(&shop);
        let others = foreign(&world, &shop);
        blow.strike(&world.cloud);
        let ended = world.run(&self.line(&shop)).await;
        world.cloud.heal();
        is_a_step(&world, &shop, &story);
        rises_or_goes_back(&ended, group, from, &story);
        sends_no_more_than_asked(&ended, &shop, &story);
        assert_eq!(foreign(&world, &shop), others, "{story}");
        let serves = world.cloud.serving(&shop);
        match ended.exit() {
            0 => {
                assert_eq!(serves, [goal], "{story}\n{}", ended.log);
                is_tidy(&world, &shop, &story);
                let again = world.run(&line("recover", &shop, &[])).await;
                assert!(again.good().headline.contains("nothing to do") && again.writes().is_empty());
                return true;
            }
            // Taken back by the run itself: nothing is left to be done.
            3 => assert_eq!(serves.len(), 1, "{story}\n{}", ended.log),
            // Nothing was changed.
            2 | 6 | 7 => {
                let moved = |call: &Entry| call.operation == "ModifyRule" && call.end == End::Done;
                assert!(
                    !ended.calls.iter().any(moved),
                    "{story}: {}\n{}",
                    ended.says(),
                    ended.log
                );
            }
            5 => assert!(
                ended.says().contains("ecs-deploy re") || ended.says().contains("ecs-deploy ro"),
                "{story}: {}",
                ended.says()
            ),
            other => panic!("{story}: {other}, {}\n{}", ended.says(), ended.log),
        }
        self.converges(&world, &shop, &story).await;
        assert_eq!(foreign(&world, &shop), others, "{story}");
        ended.writes().is_empty()
    }

    /// `recover` brings order, where nothing waits to be promoted, and the same command comes to its end then.
    pub(super) async fn converges(self, world: &World, shop: &Shop, story: &str) {
        let recovered = world.run(&line("recover", shop, &[])).await;
        if !recovered.says().contains("waits to be promoted") {
            recovered.good();
            assert_eq!(world.cloud.serving(shop).len(), 1, "{story}\n{}", recovered.log);
            is_tidy(world, shop, story);
        }
        let (goal, ..) = self.goal(shop);
        let again = world.other("9").run(&self.line(shop)).await;
        match (self, again.exit()) {
            // What was taken back or finished is nothing to promote, or to take back.
            (Self::Promote, 2) => assert_eq!(world.cloud.serving(shop).len(), 1, "{story}"),
            (_, 2) => assert_eq!(world.cloud.serving(shop), [goal], "{story}: {}", again.says()),
            _ => {
                again.good();
                assert_eq!(world.cloud.serving(shop), [goal], "{story}");
            }
        }
        is_tidy(world, shop, story);
    }
}

/// Each of these faults; gives how many there are. One that passes is no reason to fail once something was changed.
async fn each(story: Story, blows: impl Iterator<Item = Blow>) -> usize {
    let mut count = 0;
    for blow in blows {
        let is_fine = story.meets(&blow).await;
        assert!(is_fine || !blow.passes(), "{story:?}, {blow:?}: a blip ended it");
        count += 1;
    }
    count
}

#[tokio::test(start_paused = true)]
async fn each_write_of_a_deploy() {
    let blows = Story::Deploy.blows(of_writes).await;
    assert_eq!(each(Story::Deploy, blows.into_iter()).await, 14 * 5);
}

#[tokio::test(start_paused = true)]
async fn each_read_of_a_deploy() {
    let blows = Story::Deploy.blows(of_reads).await;
    assert!(each(Story::Deploy, half(blows, 0)).await > 40);
}

#[tokio::test(start_paused = true)]
async fn each_other_read_of_a_deploy() {
    let blows = Story::Deploy.blows(of_reads).await;
    assert!(each(Story::Deploy, half(blows, 1)).await > 40);
}

#[tokio::test(start_paused = true)]
async fn each_call_of_a_promote() {
    let writes = Story::Promote.blows(of_writes).await;
    assert_eq!(each(Story::Promote, writes.into_iter()).await, 9 * 5);
    let reads = Story::Promote.blows(of_reads).await;
    assert!(each(Story::Promote, reads.into_iter()).await > 25);
}

#[tokio::test(start_paused = true)]
async fn each_call_of_a_rollback_of_what_waits() {
    let writes = Story::Undo.blows(of_writes).await;
    assert_eq!(each(Story::Undo, writes.into_iter()).await, 4 * 5);
    let reads = Story::Undo.blows(of_reads).await;
    assert!(each(Story::Undo, reads.into_iter()).await > 25);
}

#[tokio::test(start_paused = true)]
async fn each_call_of_a_rollback_of_what_ended() {
    let writes = Story::Return.blows(of_writes).await;
    assert!(each(Story::Return, writes.into_iter()).await >= 6 * 5);
    let reads = Story::Return.blows(of_reads).await;
    assert!(each(Story::Return, reads.into_iter()).await > 25);
}

#[tokio::test(start_paused = true)]
async fn each_call_of_a_recover() {
    let writes = Story::Recover.blows(of_writes).await;
    assert_eq!(each(Story::Recover, writes.into_iter()).await, 4 * 5);
    let reads = Story::Recover.blows(of_reads).await;
    assert!(each(Story::Recover, reads.into_iter()).await > 25);
}

/// From a call on nothing answers any more, or all is refused, until somebody runs `recover`: of each call but those of the
/// same moment.
async fn all_fails_from_each_call_on(fault: Fault) {
    let mut moments: Vec<Duration> = {
        let (world, shop) = Story::Deploy.begin().await;
        let ended = world.run(&Story::Deploy.line(&shop)).await;
        ended.calls.iter().map(|call| call.at).collect()
    };
    moments.dedup();
    assert!(moments.len() > 40, "{}", moments.len());
    for moment in moments {
        let story = format!("{fault:?} from {moment:?} on");
        let (world, shop) = Story::Deploy.begin().await;
        let others = foreign(&world, &shop);
        world.cloud.fault("*", Turn::Since(moment), fault.clone());
        let ended = world.run(&Story::Deploy.line(&shop)).await;
        world.cloud.heal();
        is_a_step(&world, &shop, &story);
        assert!(matches!(ended.exit(), 0 | 5 | 6 | 7), "{story}: {}", ended.says());
        if ended.exit() == 5 {
            let says = ended.says();
            assert!(
                says.contains("weights are") || says.contains("as seen last"),
                "{story}: {says}"
            );
            assert!(says.contains("ecs-deploy re"), "{story}: {says}");
        }
        world.run(&line("recover", &shop, &[])).await.good();
        assert_eq!(world.cloud.serving(&shop).len(), 1, "{story}");
        is_tidy(&world, &shop, &story);
        assert_eq!(foreign(&world, &shop), others, "{story}");
    }
}

#[tokio::test(start_paused = true)]
async fn credentials_that_expire() {
    all_fails_from_each_call_on(Fault::Expired).await;
}

#[tokio::test(start_paused = true)]
async fn a_network_that_is_gone() {
    all_fails_from_each_call_on(Fault::Reset).await;
}
