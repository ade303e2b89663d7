//! Two runs that publish different sites to one bucket at the same time: one of them wins, and nothing is mixed.

use std::time::Duration;

use gha::Exit;
use sandbox::stand_ins::aws::Stock;
use tokio::pin;
use tokio::time::sleep;

use crate::cloud::{Ended, World};
use crate::site::{Folder, consistent, converged, edge_serves, stale};
use crate::way::What;

const FLAGS: [&str; 5] = ["--delete", "--keep-releases", "1", "--max-delete", "100%"];

/// How two runs meet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Meeting {
    /// The first goes on when the second has ended.
    Waits,
    /// Both go on.
    Beside,
    /// The machine of the first stands still for longer than a lock holds, until the second has ended.
    StandsStill,
}

/// Invalidations are quick, so that no run waits for longer than requests may take.
fn quick(world: &World) {
    world
        .hosting
        .settings(|settings| settings.invalidation_takes = Duration::from_secs(1));
}

struct Scene {
    stock: Stock,
    three: Folder,
    four: Folder,
}

impl Scene {
    async fn new() -> Self {
        let world = World::new();
        for version in [1, 2] {
            world
                .publish(Folder::version(version).path(), &FLAGS)
                .await
                .good();
        }
        Self {
            stock: world.stock(),
            three: Folder::version(3),
            four: Folder::version(4),
        }
    }

    /// How many calls a run makes that nobody is in the way of.
    async fn calls(&self) -> usize {
        let world = World::of(&self.stock);
        quick(&world);
        let ended = world.publish(self.three.path(), &FLAGS).await;
        ended.good();
        // Where the lock is written again in between, there is one call less without it.
        ended.calls.len() - 1
    }

    async fn meet(&self, at: usize, after: bool, meeting: Meeting) -> (World, Ended, Ended) {
        let mut world = World::of(&self.stock);
        world.weather.seed = at as u64;
        quick(&world);
        world.next(at, What::Wait { after });
        let other = world.other("8");
        let (first, second) = {
            let first = async {
                let ended = world.publish(self.three.path(), &FLAGS).await;
                world.reached.notify_one();
                ended
            };
            pin!(first);
            let second = async {
                world.reached.notified().await;
                match meeting {
                    Meeting::Waits | Meeting::StandsStill => {}
                    Meeting::Beside => world.go.notify_one(),
                }
                let ended = other.publish(self.four.path(), &FLAGS).await;
                world.go.notify_one();
                ended
            };
            if meeting == Meeting::StandsStill {
                tokio::select! {
                    _ = &mut first => panic!("the first was to wait at call {at}"),
                    () = world.reached.notified() => {}
                }
                // Nobody asks the first, so that it does nothing, as a machine that sleeps.
                sleep(Duration::from_secs(125)).await;
                let second = other.publish(self.four.path(), &FLAGS).await;
                world.go.notify_one();
                (first.await, second)
            } else {
                tokio::join!(first, second)
            }
        };
        (world, first, second)
    }

    /// Whether one release is there whole, and who was told what.
    fn fault(&self, world: &World, first: &Ended, second: &Ended, meeting: Meeting) -> Option<String> {
        let all = [(first, &self.three), (second, &self.four)];
        let whole: Vec<bool> = all
            .iter()
            .map(|(_, folder)| stale(world, folder).is_none())
            .collect();
        let one_is = whole == [true, false] || whole == [false, true];
        if !one_is {
            return Some(format!(
                "mixed: {:?} {:?}",
                stale(world, &self.three),
                stale(world, &self.four)
            ));
        }
        for ((ended, _), is_whole) in all.into_iter().zip(&whole) {
            // One that had not looked around yet finds that its requests had no answer.
            let codes = match meeting {
                Meeting::StandsStill => &[Exit::Locked.code(), Exit::Access.code()][..],
                Meeting::Waits | Meeting::Beside => &[Exit::Locked.code()],
            };
            if !is_whole && ended.result.is_err() && !codes.contains(&ended.exit()) {
                return Some("who lost is not told so".to_owned());
            }
            if *is_whole && ended.result.is_err() {
                return Some("who won is told that it lost".to_owned());
            }
        }
        None
    }

    async fn all(&self, meeting: Meeting) {
        let calls = self.calls().await;
        let mut faults = Vec::new();
        for at in 1..=calls {
            // After a call is before the next one, as far as the other run is concerned.
            let after = at % 2 == 0;
            let (world, first, second) = self.meet(at, after, meeting).await;
            let why = format!(
                "{meeting:?} at {at}, after: {after}\n{}\n{}",
                first.says(),
                second.says()
            );
            consistent(&world, &why);
            if let Some(fault) = self.fault(&world, &first, &second, meeting) {
                let call = first
                    .calls
                    .get(at - 1)
                    .map(|call| call.line())
                    .unwrap_or_default();
                faults.push(format!("{call}: {why}\n{fault}"));
                continue;
            }
            world.lock_ends().await;
            let again = world.other("9").publish(self.three.path(), &FLAGS).await;
            assert!(again.result.is_ok(), "{why}\n{}", again.says());
            converged(&world, &self.three, &why);
            edge_serves(&world, &self.three, &why);
        }
        assert!(
            faults.is_empty(),
            "{} meetings: {}",
            faults.len(),
            faults.join("\n")
        );
    }
}

#[tokio::test(start_paused = true)]
async fn a_second_run_at_any_call_of_the_first_that_waits_for_it() {
    Scene::new().await.all(Meeting::Waits).await;
}

#[tokio::test(start_paused = true)]
async fn a_second_run_beside_the_first_from_any_call_on() {
    Scene::new().await.all(Meeting::Beside).await;
}

#[tokio::test(start_paused = true)]
async fn a_second_run_while_the_machine_of_the_first_stands_still() {
    Scene::new().await.all(Meeting::StandsStill).await;
}
