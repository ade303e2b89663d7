//! How often AWS is asked while a large service is deployed to. Its
//! [limits](https://docs.aws.amazon.com/AmazonECS/latest/APIReference/request-throttling.html) are the account's: other deploys
//! and ECS itself draw on them too.

use std::time::Duration;

use sandbox::stand_ins::aws::{Entry, Setup};

use super::{deploy, of};
use crate::cloud::World;

const MINUTE: Duration = Duration::from_secs(60);

/// The most calls in any minute.
fn most<'a>(calls: impl Iterator<Item = &'a Entry>) -> usize {
    let times: Vec<Duration> = calls.map(|call| call.at).collect();
    let from = |(first, begin): (usize, &Duration)| {
        times[first..]
            .iter()
            .take_while(|at| **at < *begin + MINUTE)
            .count()
    };
    times.iter().enumerate().map(from).max().unwrap_or_default()
}

#[tokio::test(start_paused = true)]
async fn a_deploy_to_200_tasks_asks_less_than_once_a_second() {
    for (image, balanced) in [
        ("shop:1.1.0", true),
        ("shop:1.1.0-crash", false),
        ("shop:1.1.0-stuck", false),
    ] {
        let world = World::new();
        let large = Setup::new("prod", "web").image("shop:1.0.0").desired(200);
        if balanced { large.balanced() } else { large }.build(&world.cloud);
        let ended = world.run(&deploy(&["--image", image, "--timeout", "10m"])).await;
        let all = most(ended.calls.iter());
        assert!(all <= 60, "{image}: {all} calls in a minute");
        // One look each five seconds, and what comes before the first and after the last.
        let looks = most(of(&ended.calls, "DescribeServices").into_iter());
        assert!((12..=16).contains(&looks), "{image}: {looks} looks in a minute");
        for details in ["ListTasks", "DescribeTasks", "DescribeTargetHealth"] {
            let asked = most(of(&ended.calls, details).into_iter());
            assert!(asked <= 16, "{image}: {asked} times {details} in a minute");
        }
    }
}
