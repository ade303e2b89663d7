//! A run that was killed has not been in vain: what it sent is not sent again.

use std::collections::BTreeMap;

use crate::cloud::{Ended, World};
use crate::site::{Folder, converged};
use crate::way::What;

/// How many hashed assets there are.
const ASSETS: usize = 30;

fn site(version: u32) -> Folder {
    let mut site = Folder::version(version);
    for number in 0..ASSETS {
        let content = format!("asset {number} of {version}");
        let key = crate::site::hashed(&format!("assets/part{number}"), &content);
        site.write(&key, content);
    }
    site
}

/// How often each hashed asset was sent.
fn sent(runs: &[&Ended]) -> BTreeMap<String, usize> {
    let mut sent = BTreeMap::new();
    let puts = runs.iter().flat_map(|run| run.of_site("PutObject"));
    for put in puts.filter(|put| put.key.contains("/assets/")) {
        *sent.entry(put.key.clone()).or_default() += 1;
    }
    sent
}

#[tokio::test(start_paused = true)]
async fn what_a_killed_run_sent_is_not_sent_again_with_or_without_a_recover_between() {
    for recovers in [false, true] {
        for killed_after in [1, 10, 20, 30] {
            let world = World::new();
            let (one, two) = (site(1), site(2));
            world.publish(one.path(), &[]).await.good();
            let calls = {
                let rehearsal = World::of(&world.stock());
                rehearsal.publish(two.path(), &[]).await.calls
            };
            let puts = calls.iter().enumerate();
            let mut puts =
                puts.filter(|(_, call)| call.operation == "PutObject" && call.key.contains("/assets/"));
            let (at, _) = puts.nth(killed_after - 1).unwrap();
            world.next(at + 1, What::Kill { after: true });
            let killed = world.publish(two.path(), &[]).await;
            assert!(killed.is_killed());
            world.lock_ends().await;
            if recovers {
                world.other("8").run(&["recover"]).await.good();
            }
            let again = world.other("9").publish(two.path(), &[]).await;
            again.good();
            converged(&world, &two, "again");
            let sent = sent(&[&killed, &again]);
            let twice = sent.values().filter(|times| **times > 1).count();
            // What was under way when it was killed may or may not have arrived.
            assert_eq!(
                twice, 0,
                "killed after {killed_after}, recovers: {recovers}: {sent:#?}"
            );
        }
    }
}
