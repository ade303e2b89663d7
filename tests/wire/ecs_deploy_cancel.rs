//! `ecs-deploy` that is cancelled, or killed: the way back begins, and a second run comes to the same end.

use std::time::{Duration, Instant};

use black_box::Place;
use rustix::process::Signal;
use sandbox::stand_ins::aws::{Behaviour, Cloud, Shop};

use crate::ecs_deploy::{cloud, step, writes};
use crate::process::{Finished, Running, finish};
use crate::step::{ledger, outputs};

/// What the contract gives.
const CONTRACT: Duration = Duration::from_secs(5);

/// Longer than any deploy takes on the stand-in's clock.
const LONG: Duration = Duration::from_secs(3600);

/// A cloud where the next version takes long to be pulled, so that no signal comes after its deployment.
fn slow_cloud() -> (Cloud, Shop) {
    let (cloud, shop) = cloud();
    let slow = Behaviour::good().pulled_in(Duration::from_secs(240));
    cloud.world(|world| world.ecs.image("shop:1.1.0", slow));
    (cloud, shop)
}

/// A deploy, sent a signal while its deployment is under way.
fn signalled(place: &Place, cloud: &Cloud, flags: &[&str], signal: Signal) -> (Finished, Duration) {
    let running = Running::start(step(place, cloud, "deploy", flags));
    running.wait_for("is being deployed by");
    let sent = Instant::now();
    running.signal(signal);
    (running.finish(), sent.elapsed())
}

/// Whether this image alone serves in the end.
fn comes_to_serve(cloud: &Cloud, shop: &Shop, image: &str) -> bool {
    let steady = cloud.until(LONG, |world| world.ecs.is_steady(&shop.cluster, &shop.service));
    steady && cloud.serving(shop) == [image]
}

/// The revision of the last update.
fn updated_to(cloud: &Cloud) -> String {
    let last = cloud.calls("UpdateService").pop().unwrap();
    let revision = last.input["taskDefinition"].as_str().unwrap().to_owned();
    revision.rsplit('/').next().unwrap().to_owned()
}

#[test]
fn a_cancel_begins_the_way_back() {
    for (signal, code, name) in [(Signal::INT, 130, "SIGINT"), (Signal::TERM, 143, "SIGTERM")] {
        let (place, (cloud, shop)) = (Place::new(), cloud());
        let (finished, took) = signalled(&place, &cloud, &["--image", "shop:1.1.0-stuck"], signal);
        assert!(took < CONTRACT, "{took:?}");
        finished
            .expect(code)
            .says(&[&format!("cancelled by {name}"), "`web:1` is on its way back"]);
        assert_eq!(updated_to(&cloud), "web:1");
        assert_eq!(outputs(&place)["task-definition"], "web:2");
        let line = ledger(&place).pop().unwrap();
        assert_eq!(
            (line["status"].as_str(), line["exit"].as_i64()),
            (Some("cancelled"), Some(code.into()))
        );
        assert!(comes_to_serve(&cloud, &shop, "shop:1.0.0"));
    }
}

#[test]
fn a_cancel_that_is_to_leave_it_writes_nothing() {
    let (place, (cloud, shop)) = (Place::new(), slow_cloud());
    let flags = ["--image", "shop:1.1.0", "--on-cancel", "leave"];
    let (finished, _) = signalled(&place, &cloud, &flags, Signal::TERM);
    finished.expect(143);
    assert_eq!(writes(&cloud), ["RegisterTaskDefinition", "UpdateService"]);
    assert!(comes_to_serve(&cloud, &shop, "shop:1.1.0"));
}

#[test]
fn after_a_kill_the_same_deploy_goes_on() {
    let (place, (cloud, shop)) = (Place::new(), slow_cloud());
    let flags = ["--image", "shop:1.1.0"];
    let (finished, _) = signalled(&place, &cloud, &flags, Signal::KILL);
    assert_eq!(finished.code, None);
    assert_eq!(outputs(&place)["task-definition"], "web:2");
    finish(step(&place, &cloud, "deploy", &flags)).expect(0);
    assert_eq!(
        writes(&cloud),
        ["RegisterTaskDefinition", "UpdateService"],
        "nothing is done twice"
    );
    assert_eq!(cloud.serving(&shop), ["shop:1.1.0"]);
}

#[test]
fn after_a_kill_a_rollback_comes_back() {
    let (place, (cloud, shop)) = (Place::new(), cloud());
    let (finished, _) = signalled(&place, &cloud, &["--image", "shop:1.1.0-stuck"], Signal::KILL);
    assert_eq!(finished.code, None);
    finish(step(&place, &cloud, "rollback", &[]))
        .expect(0)
        .says(&["service `web` runs `web:1` again"]);
    assert_eq!(cloud.serving(&shop), ["shop:1.0.0"]);
}

#[test]
fn after_a_kill_another_version_is_refused_until_it_is_said() {
    let (place, (cloud, shop)) = (Place::new(), cloud());
    signalled(&place, &cloud, &["--image", "shop:1.1.0-stuck"], Signal::KILL);
    let flags = ["--image", "shop:1.2.0"];
    finish(step(&place, &cloud, "deploy", &flags)).expect(6).says(&[
        "another deployment of service `web` is under way: `web:2`",
        "--replace",
    ]);
    let flags = ["--image", "shop:1.2.0", "--replace"];
    finish(step(&place, &cloud, "deploy", &flags)).expect(0);
    assert_eq!(cloud.serving(&shop), ["shop:1.2.0"]);
}
