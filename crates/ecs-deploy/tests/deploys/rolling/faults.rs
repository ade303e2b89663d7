//! Each call of a deploy and of a rollback fails in each way, once and for good: one version serves whole, nothing foreign is
//! changed, the exit code is right, and the next run comes to the end.

use std::time::Duration;

use sandbox::stand_ins::aws::{Entry, Fault, Shop};
use serde_json::json;

use super::{deploy, of, rollback, three};
use crate::cloud::{Ended, World};
use crate::matrix::{Blow, Lasts, of_outages, of_reads, of_writes};

/// A service that nobody deploys to.
fn neighbour(world: &World) -> Shop {
    sandbox::stand_ins::aws::Setup::new("prod", "blog")
        .image("blog:1.0.0")
        .desired(2)
        .build(&world.cloud)
}

fn service(world: &World, name: &str) -> serde_json::Value {
    let asked = json!({ "cluster": "prod", "services": [name] });
    world.cloud.act("ecs", "DescribeServices", asked).unwrap()["services"][0].clone()
}

/// What must hold after any run.
fn whole(world: &World, shop: &Shop, versions: &[&str], context: &str) {
    world.cloud.heal();
    world.cloud.skip(Duration::from_secs(90));
    let serving = world.cloud.serving(shop);
    assert!(
        serving.len() == 1 && versions.contains(&serving[0].as_str()),
        "{context}: {serving:?}"
    );
    let blog = service(world, "blog");
    assert_eq!(blog["deployments"].as_array().unwrap().len(), 1, "{context}");
    assert!(
        blog["taskDefinition"].as_str().unwrap().ends_with("blog:1"),
        "{context}"
    );
}

fn update_is_clean(ended: &Ended, context: &str) {
    for call in of(&ended.calls, "UpdateService") {
        assert_eq!(call.input["service"], "web", "{context}");
        let keys: Vec<&String> = call.input.as_object().unwrap().keys().collect();
        assert_eq!(keys, ["cluster", "service", "taskDefinition"], "{context}");
    }
}

/// A command line, what it starts from, and what becomes of it.
struct Story<'a> {
    line: &'a [&'a str],
    /// What may serve whatever befalls it; the last one does in the end.
    versions: &'a [&'a str],
    /// What brings it to its end afterwards.
    settle: &'a [&'a str],
    /// Whether a second version is deployed before.
    second: bool,
    /// Its exit code where nothing befalls it.
    good: u8,
}

impl Story<'_> {
    /// A shop and its neighbour.
    fn begin(&self) -> (World, Shop) {
        let world = World::new();
        // With checks of a load balancer a task that crashes never counts as healthy, and takes no other one's place.
        let shop = three().balanced().build(&world.cloud);
        neighbour(&world);
        if self.second {
            deployed_by_hand(&world);
        }
        (world, shop)
    }

    /// Lets its calls fail; gives how many runs that took.
    async fn fails(&self, of: fn(&[Entry], &[Entry]) -> Vec<Blow>) -> usize {
        let (world, _) = self.begin();
        let ended = world.run(self.line).await;
        assert_eq!(ended.exit(), self.good, "{}", ended.says());
        let blows = of(&[], &ended.calls);
        let mut as_ever = 0;
        for blow in &blows {
            as_ever += usize::from(self.meets(blow).await == self.good);
        }
        assert!(as_ever > blows.len() / 3, "{as_ever} of {}", blows.len());
        blows.len()
    }

    /// Lets it meet a fault, and checks what must hold; gives its exit code.
    async fn meets(&self, blow: &Blow) -> u8 {
        let story = format!("{blow:?}");
        let (world, shop) = self.begin();
        blow.strike(&world.cloud);
        let ended = world.run(self.line).await;
        let exit = ended.exit();
        let lasts = matches!(blow.lasts, Lasts::Since(_));
        let is_read = !matches!(blow.fault, Fault::Lost) && !is_write(&blow.call);
        let expected: &[u8] = match (lasts, blow.is_access()) {
            // A blip of the network or of AWS fails nothing that was begun, and where a first read fails for so long that
            // the SDK gives up, nothing is begun.
            (false, false) if is_read => &[0, 3, 7],
            (false, false) => &[0, 3],
            (false, true) => &[0, 3, 7],
            (true, false) => &[0, 3, 4, 5, 7],
            (true, true) => &[0, 3, 5, 7],
        };
        let is_expected = expected.contains(&exit) && (exit != 3 || self.good == 3);
        assert!(is_expected, "{story}: {exit}: {}\n{}", ended.says(), ended.log);
        if exit == 7 && !lasts && !blow.is_access() {
            assert!(ended.writes().is_empty(), "{story}: {}", ended.says());
        }
        assert!(
            !ended.says().contains("123456789012"),
            "{story}: {}",
            ended.says()
        );
        update_is_clean(&ended, &story);
        whole(&world, &shop, self.versions, &story);
        // What could not be said or done then is done now.
        let second = world.run(self.settle).await;
        assert!(matches!(second.exit(), 0 | 3), "{story}, then {}", second.says());
        let last = &self.versions[self.versions.len() - 1..];
        whole(&world, &shop, last, &format!("second run after {story}"));
        exit
    }
}

fn is_write(call: &str) -> bool {
    !["Describe", "List", "Get"]
        .iter()
        .any(|read| call.contains(&format!(":{read}")))
}

/// `shop:1.1.0` as the second revision, past the wire.
fn deployed_by_hand(world: &World) {
    let asked = json!({ "taskDefinition": "web:1" });
    let described = world.cloud.act("ecs", "DescribeTaskDefinition", asked).unwrap();
    let mut definition = described["taskDefinition"].clone();
    definition["containerDefinitions"][0]["image"] = json!("shop:1.1.0");
    let given = [
        "taskDefinitionArn",
        "revision",
        "status",
        "registeredAt",
        "registeredBy",
        "requiresAttributes",
        "compatibilities",
    ];
    let keys = definition.as_object_mut().unwrap();
    keys.retain(|key, _| !given.contains(&key.as_str()));
    world
        .cloud
        .act("ecs", "RegisterTaskDefinition", definition)
        .unwrap();
    let update = json!({ "cluster": "prod", "service": "web", "taskDefinition": "web:2" });
    world.cloud.act("ecs", "UpdateService", update).unwrap();
    let limit = Duration::from_secs(600);
    assert!(
        world
            .cloud
            .until(limit, |inside| inside.ecs.is_steady("prod", "web"))
    );
}

/// Looks are rare, so that a run has few calls.
const RARE: [&str; 4] = ["--api-grace", "2m", "--poll", "15s"];

async fn a_deploy_with_a_migration(of: fn(&[Entry], &[Entry]) -> Vec<Blow>) -> usize {
    let line = deploy(&[&["--image", "shop:1.1.0", "--migrate", "bin/migrate"][..], &RARE].concat());
    let story = Story {
        line: &line,
        versions: &["shop:1.0.0", "shop:1.1.0"],
        settle: &line,
        second: false,
        good: 0,
    };
    story.fails(of).await
}

async fn a_deploy_that_goes_back(of: fn(&[Entry], &[Entry]) -> Vec<Blow>) -> usize {
    let line = deploy(&[&["--image", "shop:1.1.0-crash"][..], &RARE].concat());
    let settle = rollback(&["--to", "web:1"]);
    let story = Story {
        line: &line,
        versions: &["shop:1.0.0"],
        settle: &settle,
        second: false,
        good: 3,
    };
    story.fails(of).await
}

async fn a_rollback(of: fn(&[Entry], &[Entry]) -> Vec<Blow>) -> usize {
    let line = rollback(&[&["--to", "web:1"][..], &RARE].concat());
    let story = Story {
        line: &line,
        versions: &["shop:1.1.0", "shop:1.0.0"],
        settle: &line,
        second: true,
        good: 0,
    };
    story.fails(of).await
}

#[tokio::test(start_paused = true)]
async fn each_write() {
    assert_eq!(a_deploy_with_a_migration(of_writes).await, 3 * 5);
    assert_eq!(a_deploy_that_goes_back(of_writes).await, 3 * 5);
    assert_eq!(a_rollback(of_writes).await, 5);
}

#[tokio::test(start_paused = true)]
async fn each_read_of_a_deploy() {
    assert!(a_deploy_with_a_migration(of_reads).await > 40);
}

#[tokio::test(start_paused = true)]
async fn each_read_of_a_deploy_that_goes_back() {
    assert!(a_deploy_that_goes_back(of_reads).await > 40);
}

#[tokio::test(start_paused = true)]
async fn each_read_of_a_rollback() {
    assert!(a_rollback(of_reads).await > 30);
}

#[tokio::test(start_paused = true)]
async fn each_operation_for_good() {
    assert!(a_deploy_with_a_migration(of_outages).await > 40);
    assert!(a_deploy_that_goes_back(of_outages).await > 40);
    assert!(a_rollback(of_outages).await > 20);
}
