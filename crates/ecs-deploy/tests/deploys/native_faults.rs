//! Each call of each command for a service whose traffic ECS shifts fails, in each way, once and for good; and each command is
//! cancelled and killed at each of its calls. Then a version serves whole, or both by the weights of a step; nothing of
//! others is changed; and `recover` and a second run bring it to its end.

use std::time::Duration;

use sandbox::stand_ins::aws::{End, Entry, Setup, Shop};
use serde_json::json;
use tokio::time::timeout;

use crate::cloud::World;
use crate::matrix::{Blow, Lasts, of_outages, of_reads, of_writes};
use crate::native::{deploy, set};
use crate::native_gates::{Errors, Traffic, file, traffic};

mod answers;
mod ends;
mod scene;

use scene::sends_no_more_than_asked;

const OLD: &str = "shop:1.0.0";
const NEW: &str = "shop:1.1.0";
const CRASHES: &str = "shop:1.1.0-crash";

/// Looks are rare, so that a run has few calls.
const RARE: [&str; 4] = ["--poll", "40s", "--api-grace", "4m"];

/// A command, and what was done before it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    /// A deploy.
    Plain,
    /// One with a gate at its pauses.
    Gated,
    /// One whose gate says no once all traffic is shifted.
    Refused,
    /// One whose tasks crash: the run stops it.
    Crash,
    /// A rollback of what is under way: another run began it and was killed.
    Undo,
    /// A rollback of what succeeded, with pauses: a deployment of the earlier revision.
    Return,
    /// The same by `recover`, after the rollback was killed.
    Recover,
}

/// A command on a service of this strategy.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Story(Kind, &'static str);

/// Which of its calls fail.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Share {
    All,
    /// Those after the last of this operation: what is before was seen elsewhere.
    After(&'static str),
}

/// Where a command is run.
struct Scene {
    world: World,
    shop: Shop,
    _traffic: Traffic,
}

impl Story {
    /// The service, its neighbour, and what was done before.
    async fn begin(self) -> Scene {
        let Self(kind, strategy) = self;
        let world = World::new();
        let mut hooks = vec![json!({
            "targetType": "AWS_LAMBDA", "hookTargetArn": "arn:aws:lambda:eu-central-1:123456789012:function:f",
            "roleArn": "arn:aws:iam::123456789012:role/hooks", "lifecycleStages": ["PRE_SCALE_UP"],
        })];
        if matches!(kind, Kind::Return | Kind::Recover) {
            hooks.push(json!({
                "targetType": "PAUSE", "lifecycleStages": ["POST_TEST_TRAFFIC_SHIFT"],
                "timeoutConfiguration": { "timeoutInMinutes": 30, "action": "ROLLBACK" },
            }));
        }
        let shop = set(strategy)
            .configured("lifecycleHooks", json!(hooks))
            .build(&world.cloud);
        Setup::new("prod", "blog")
            .image("blog:1.0.0")
            .balanced()
            .build(&world.cloud);
        let errors = match kind {
            Kind::Refused => Errors::OfTheNew,
            _ => Errors::Never,
        };
        let traffic = traffic(&world, &shop, errors);
        let scene = Scene {
            world,
            shop,
            _traffic: traffic,
        };
        match kind {
            Kind::Plain | Kind::Gated | Kind::Refused | Kind::Crash => {}
            Kind::Undo => {
                let line = deploy(NEW, &RARE);
                let time = Duration::from_secs(60);
                assert!(timeout(time, scene.world.run(&line)).await.is_err());
            }
            Kind::Return | Kind::Recover => {
                scene.by_hand();
                if kind == Kind::Recover {
                    scene.world.kill_at("UpdateService", 1, true);
                    assert!(
                        scene
                            .world
                            .run(&Self(Kind::Return, strategy).line())
                            .await
                            .is_killed()
                    );
                    scene.world.cloud.skip(Duration::from_secs(5));
                }
            }
        }
        scene
    }

    fn line(self) -> Vec<&'static str> {
        let place = ["--cluster", "prod", "--service", "web"];
        let with = |words: &[&'static str]| [words, &place, &RARE].concat();
        match self.0 {
            Kind::Plain => deploy(NEW, &RARE),
            Kind::Crash => deploy(CRASHES, &RARE),
            Kind::Gated | Kind::Refused => {
                let gate: &'static str = Box::leak(file("brief").into_boxed_str());
                [deploy(NEW, &RARE), vec!["--gate", gate]].concat()
            }
            Kind::Undo | Kind::Return => with(&["rollback", "--to", "web:1"]),
            Kind::Recover => with(&["recover"]),
        }
    }

    /// The version that serves in the end, and the exit code of a run whose calls are all answered.
    fn goal(self) -> (&'static str, u8) {
        match self.0 {
            Kind::Plain | Kind::Gated => (NEW, 0),
            Kind::Refused | Kind::Crash => (OLD, 3),
            Kind::Undo | Kind::Return | Kind::Recover => (OLD, 0),
        }
    }

    /// The shares that the new version may have.
    fn steps(self) -> &'static [f64] {
        match self.1 {
            "BLUE_GREEN" => &[0.0, 1.0],
            "CANARY" => &[0.0, 0.1, 1.0],
            _ => &[0.0, 0.4, 0.8, 1.0],
        }
    }

    /// Its calls where nothing befalls it, and those before.
    async fn calls(self) -> (Vec<Entry>, Vec<Entry>) {
        let scene = self.begin().await;
        let earlier = scene.world.cloud.log();
        let ended = scene.world.run(&self.line()).await;
        assert_eq!(ended.exit(), self.goal().1, "{self:?}: {}", ended.says());
        self.is_a_step(&scene, "as ever");
        (earlier, ended.calls)
    }

    /// The old version serves whole, or the new one, or both by the weights of a step.
    #[track_caller]
    fn is_a_step(self, scene: &Scene, story: &str) {
        let shares = scene.world.cloud.shares(&scene.shop);
        let sum: f64 = shares.iter().map(|(_, share)| share).sum();
        assert!((sum - 1.0).abs() < 1e-6, "{story}: {shares:?}");
        let known = shares
            .iter()
            .all(|(image, _)| [OLD, NEW].contains(&image.as_str()));
        let new = shares
            .iter()
            .find(|(image, _)| image == NEW)
            .map_or(0.0, |(_, share)| *share);
        // On the way back by a deployment it is the old one whose share rises.
        let share = match self.0 {
            Kind::Return | Kind::Recover => 1.0 - new,
            _ => new,
        };
        let is_step = self.steps().iter().any(|step| (step - share).abs() < 1e-6);
        assert!(known && is_step, "{story}: {shares:?}");
    }

    /// Lets these of its calls fail by turns; gives how often.
    async fn fails(self, of: fn(&[Entry], &[Entry]) -> Vec<Blow>, share: Share) -> usize {
        let (mut earlier, mut calls) = self.calls().await;
        if let Share::After(operation) = share {
            let last = calls
                .iter()
                .rposition(|call| call.operation == operation)
                .unwrap();
            let rest = calls.split_off(last + 1);
            earlier.extend(std::mem::replace(&mut calls, rest));
        }
        let blows = of(&earlier, &calls);
        for blow in &blows {
            self.meets(blow).await;
        }
        blows.len()
    }

    /// Lets it meet a fault, and checks what must hold.
    async fn meets(self, blow: &Blow) {
        let story = format!("{self:?}, {blow:?}");
        let scene = self.begin().await;
        let others = scene.others();
        blow.strike(&scene.world.cloud);
        let ended = scene.world.run(&self.line()).await;
        scene.world.cloud.heal();
        self.is_a_step(&scene, &story);
        sends_no_more_than_asked(&ended, &story);
        assert_eq!(scene.others(), others, "{story}");
        let says = ended.says();
        assert!(!says.contains("123456789012"), "{story}: {says}");
        let (exit, (goal, good)) = (ended.exit(), self.goal());
        let lasts = matches!(blow.lasts, Lasts::Since(_));
        let changes = |call: &Entry| call.writes() && call.operation != "RegisterTaskDefinition";
        let changed = ended
            .calls
            .iter()
            .any(|call| changes(call) && call.end == End::Done);
        match exit {
            _ if exit == good => {}
            // Nothing was begun.
            7 if !lasts => assert!(!changed, "{story}: {says}\n{}", ended.log),
            // What a gate could not measure is no pass.
            4 if matches!(self.0, Kind::Gated | Kind::Refused) && is_read(&blow.call) => {
                assert_eq!(scene.world.cloud.serving(&scene.shop), [OLD], "{story}");
            }
            // No permission is no blip, and neither is one that lasts.
            3..=5 | 7 if lasts || blow.is_access() => {}
            _ => panic!("{story}: {exit}, {says}\n{}", ended.log),
        }
        if exit == 0 {
            assert_eq!(scene.world.cloud.serving(&scene.shop), [goal], "{story}");
        }
        // A question that was not answered and did no harm leaves nothing behind: some of these are enough.
        if exit != good || !is_read(&blow.call) || blow.nth.is_multiple_of(4) {
            self.converges(&scene, &story).await;
            assert_eq!(scene.others(), others, "{story}");
        }
    }

    /// `recover` ends well, or leaves a version alone that is on its way; and the same command comes to its end then.
    async fn converges(self, scene: &Scene, story: &str) {
        let recover = ["recover", "--cluster", "prod", "--service", "web"];
        let recovered = scene.world.run(&recover).await;
        let says = recovered.says();
        match recovered.exit() {
            0 => {}
            6 => assert!(
                says.contains("is under way") && recovered.writes().is_empty(),
                "{story}: {says}"
            ),
            other => panic!("{story}: recover ends with {other}: {says}\n{}", recovered.log),
        }
        self.is_a_step(scene, story);
        let (goal, good) = self.goal();
        let line = match self.0 {
            // Where ECS took the way back back, nothing is left to recover.
            Kind::Recover => Self(Kind::Return, self.1).line(),
            _ => self.line(),
        };
        let again = scene.world.run(&line).await;
        assert_eq!(again.exit(), good, "{story}: {}\n{}", again.says(), again.log);
        assert_eq!(scene.world.cloud.serving(&scene.shop), [goal], "{story}");
        let calm = scene.world.cloud.until(Duration::from_secs(900), |cloud| {
            cloud.ecs.is_steady("prod", "web")
        });
        assert!(
            calm && scene.world.cloud.serving(&scene.shop) == [goal],
            "{story}"
        );
    }
}

fn is_read(call: &str) -> bool {
    [":Describe", ":List", ":Get"]
        .iter()
        .any(|read| call.contains(read))
}

/// Each write of each command, in each way.
async fn each_write(strategy: &'static str) {
    for (kind, writes) in [
        (Kind::Plain, 2),
        (Kind::Crash, 3),
        (Kind::Gated, 4),
        (Kind::Undo, 1),
        (Kind::Return, 2),
        (Kind::Recover, 1),
    ] {
        let story = Story(kind, strategy);
        assert_eq!(story.fails(of_writes, Share::All).await, writes * 5, "{story:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn each_write_at_a_canary() {
    each_write("CANARY").await;
    let refused = Story(Kind::Refused, "CANARY");
    assert_eq!(refused.fails(of_writes, Share::All).await, 4 * 5);
}

#[tokio::test(start_paused = true)]
async fn each_write_of_a_linear_shift() {
    each_write("LINEAR").await;
}

#[tokio::test(start_paused = true)]
async fn each_write_of_blue_and_green() {
    each_write("BLUE_GREEN").await;
}

#[tokio::test(start_paused = true)]
async fn each_read_of_a_deploy() {
    assert!(Story(Kind::Plain, "CANARY").fails(of_reads, Share::All).await > 80);
    assert!(Story(Kind::Crash, "CANARY").fails(of_reads, Share::All).await > 70);
    // Until it is followed a deploy of another strategy is the same.
    for strategy in ["LINEAR", "BLUE_GREEN"] {
        let story = Story(Kind::Plain, strategy);
        assert!(story.fails(of_reads, Share::After("UpdateService")).await > 50);
    }
}

#[tokio::test(start_paused = true)]
async fn each_read_of_a_deploy_with_a_gate() {
    // What comes before is as of one without.
    let story = Story(Kind::Gated, "CANARY");
    assert!(story.fails(of_reads, Share::After("UpdateService")).await > 100);
}

#[tokio::test(start_paused = true)]
async fn each_read_after_a_gate_that_says_no() {
    let story = Story(Kind::Refused, "BLUE_GREEN");
    let count = story
        .fails(of_reads, Share::After("ContinueServiceDeployment"))
        .await;
    assert!(count > 5, "{count}");
}

#[tokio::test(start_paused = true)]
async fn each_read_of_a_way_back() {
    for (kind, least) in [(Kind::Undo, 40), (Kind::Return, 70), (Kind::Recover, 60)] {
        let story = Story(kind, "CANARY");
        let count = story.fails(of_reads, Share::All).await;
        assert!(count > least, "{story:?}: {count}");
    }
}

#[tokio::test(start_paused = true)]
async fn each_operation_of_a_deploy_for_good() {
    assert!(Story(Kind::Plain, "CANARY").fails(of_outages, Share::All).await > 40);
    assert!(Story(Kind::Crash, "CANARY").fails(of_outages, Share::All).await > 50);
    let story = Story(Kind::Gated, "BLUE_GREEN");
    assert!(story.fails(of_outages, Share::After("UpdateService")).await > 30);
}

#[tokio::test(start_paused = true)]
async fn each_operation_of_a_way_back_for_good() {
    for (kind, least) in [(Kind::Undo, 20), (Kind::Return, 40), (Kind::Recover, 30)] {
        let story = Story(kind, "LINEAR");
        let count = story.fails(of_outages, Share::All).await;
        assert!(count > least, "{story:?}: {count}");
    }
}
