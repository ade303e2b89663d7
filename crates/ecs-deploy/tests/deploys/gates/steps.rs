//! Gates by themselves: before there is traffic, for a step of a weighted deploy, and from a preset.

use std::sync::Arc;
use std::time::Duration;

use ecs_deploy::cli::Gates as Flags;
use ecs_deploy::gates::{Candidate, Gates};
use ecs_deploy::place::Place;
use ecs_deploy::shift::GateSays;
use ecs_deploy::task_definition::TaskDefinition;
use sandbox::http::{Reply, Script, Server};
use serde_json::json;
use tokio::time::{Instant, sleep};

use super::{GOOD, NAMESPACE, file, shop, traffic};
use crate::cloud::World;

/// The gates of some flags, about `shop:1.1.0` as its revision 2.
fn gates(flags: &[&str], vars: &[&str], place: &Place<'_>) -> Gates {
    let owned = |all: &[&str]| all.iter().map(|&one| one.to_owned()).collect();
    let flags = Flags {
        gate: owned(flags),
        gate_var: owned(vars),
    };
    let gates = Gates::of(&flags, place).unwrap_or_else(|failure| panic!("{}", failure.error));
    let definition =
        br#"{"family": "web", "containerDefinitions": [{"name": "app", "image": "shop:1.1.0"}]}"#;
    let definition = TaskDefinition::from_file(definition).unwrap();
    let candidate = Candidate {
        revision: "arn:aws:ecs:eu-central-1:123456789012:task-definition/web:2",
        definition: &definition,
        deployment: "ecs-svc/2",
    };
    gates.about(&candidate, place);
    gates
}

#[tokio::test(start_paused = true)]
async fn a_step_is_watched_for_as_long_as_it_takes() {
    let world = World::new();
    let shop = shop(&world);
    traffic(&world.cloud, &shop, GOOD);
    let place = world.place("web");
    let (blue_green, version) = (file("blue-green"), file("version"));
    let gates = gates(&[&blue_green, &version], &["base=http://127.0.0.1:9"], &place);
    assert!(gates.waits(&place) && gates.watches(&place));
    assert!(gates.fits(Duration::from_secs(300), &place).is_ok());
    for minutes in [5, 20] {
        let begin = Instant::now();
        let says = gates.run(&place, Some(Duration::from_secs(60 * minutes))).await;
        assert_eq!(says, GateSays::Pass);
        assert_eq!(begin.elapsed().as_secs() / 60, minutes);
    }
    // Traffic goes bad: the step ends at once.
    traffic(&world.cloud, &shop, GOOD);
    let cloud = Arc::clone(&world.cloud);
    tokio::spawn(async move {
        loop {
            sleep(Duration::from_secs(10)).await;
            cloud.world(|world| {
                let now = world.now();
                let service = [("Service", "web")];
                world
                    .metrics
                    .record(NAMESPACE, "HTTPCode_Target_5XX_Count", &service, now, 10.0);
            });
        }
    });
    let begin = Instant::now();
    let says = gates.run(&place, Some(Duration::from_secs(300))).await;
    assert!(
        matches!(&says, GateSays::Fail(why) if why.contains("error-rate: 5% (")),
        "{says:?}"
    );
    assert!(
        begin.elapsed() < Duration::from_secs(240),
        "{:?}",
        begin.elapsed()
    );
}

/// A server that answers as this version.
fn serving(version: &str) -> Server {
    let answer = json!({ "version": version });
    let reply = Reply::json(200, &answer).header("x-version", version);
    Server::start(Script::new().any([reply])).unwrap()
}

#[tokio::test]
async fn before_there_is_traffic_the_new_version_must_answer() {
    let world = World::new();
    let place = world.place("web");
    for gate in ["blue-green", "version"] {
        for (version, ready) in [("1.1.0", true), ("1.0.0", false)] {
            let server = serving(version);
            let base = format!("base={}", server.url(""));
            let gates = gates(&[&file(gate)], &[&base], &place);
            match gates.ready(&place).await {
                GateSays::Pass => assert!(ready, "{gate}"),
                GateSays::Fail(why) => assert!(!ready && why.contains("not ready"), "{gate}: {why}"),
                says => panic!("{gate}: {says:?}"),
            }
            assert!(server.requests().len() >= 3);
        }
    }
}

#[tokio::test]
async fn a_preset_and_an_address_judge() {
    let world = World::new();
    let place = world.place("web");
    let bad = Server::start(Script::new().any([Reply::status(500)])).unwrap();
    let flag = format!("steady {}", bad.url("/health"));
    let gates = gates(&[&flag], &[], &place);
    let says = gates.run(&place, None).await;
    assert!(
        matches!(&says, GateSays::Fail(why) if why.starts_with("error-rate: 100% (") && why.contains("server-errors")),
        "{says:?}"
    );
    let told = gates.told();
    assert_eq!(told[0].gate, "steady");
    assert!(
        told[0].samples.is_some_and(|(all, bad)| all > 0 && all == bad),
        "{told:?}"
    );
}
