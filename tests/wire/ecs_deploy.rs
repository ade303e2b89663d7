//! `ecs-deploy` as a process against a stand-in of AWS over real sockets: what a deploy leaves behind, when it works and
//! when it does not.
//!
//! The stand-in's time runs sixty times as fast as ours, so that a minute of ECS is a second here.

use std::process::Command;
use std::time::Duration;

use black_box::Place;
use sandbox::stand_ins::aws::{Behaviour, Clock, Cloud, Setup, Shop};

use crate::commands::{commands, named};
use crate::process::finish;
use crate::step::{LEDGER, in_run, ledger, outputs};

/// How many times as fast as ours the stand-in's time is.
const FASTER: u32 = 60;

/// The account of the stand-in.
const ACCOUNT: &str = "123456789012";

/// A cloud, and a service of three tasks in it.
pub(crate) fn cloud() -> (Cloud, Shop) {
    let cloud = Cloud::open(Clock::compressed(FASTER)).unwrap();
    let shop = Setup::new("prod", "web")
        .image("shop:1.0.0")
        .desired(3)
        .build(&cloud);
    (cloud, shop)
}

/// A command for the service as a step of a run, which looks often and is content soon.
pub(crate) fn step(place: &Place, cloud: &Cloud, name: &str, flags: &[&str]) -> Command {
    let mut command = in_run(place.step("ecs-deploy"));
    command.envs(cloud.environment());
    command.args([name, "--cluster", "prod", "--service", "web"]);
    if ["deploy", "rollback"].contains(&name) {
        command.args(["--stable-for", "500ms"]);
    }
    if ["deploy", "rollback", "run-task"].contains(&name) {
        command.args(["--poll", "100ms"]);
    }
    command.args(flags);
    command
}

#[test]
fn a_version_that_works_serves() {
    let (place, (cloud, shop)) = (Place::new(), cloud());
    let flags = ["--image", "shop:1.1.0", "--environment", "production"];
    finish(step(&place, &cloud, "deploy", &flags))
        .expect(0)
        .says(&["registered `web:2`", "service `web` runs `web:2` with 3 tasks"]);
    assert_eq!(cloud.serving(&shop), ["shop:1.1.0"]);
    let outputs = outputs(&place);
    for (name, value) in [
        ("status", "deployed"),
        ("task-definition", "web:2"),
        ("previous-task-definition", "web:1"),
    ] {
        assert_eq!(outputs[name], value, "{outputs:?}");
    }
    assert!(outputs["task-definition-arn"].ends_with(":task-definition/web:2"));
    assert!(outputs["deployment-id"].starts_with("ecs-svc/"), "{outputs:?}");
    assert!(
        outputs["duration-ms"].parse::<u64>().unwrap() >= 500,
        "{outputs:?}"
    );
    let lines = ledger(&place);
    let line = &lines[0];
    assert_eq!(lines.len(), 1);
    for (field, value) in [
        ("tool", "ecs-deploy"),
        ("status", "done"),
        ("target", "prod/web"),
        ("environment", "production"),
        (
            "undo",
            "ecs-deploy rollback --cluster prod --service web --to web:1",
        ),
    ] {
        assert_eq!(line[field], value, "{line}");
    }
    assert_eq!(line["facts"]["images"][0], "app=shop:1.1.0", "{line}");
    let summary = place.read("summary");
    assert!(summary.starts_with("\n### ✅ service "), "{summary}");
    for (what, text) in [
        ("ledger", place.read(LEDGER)),
        ("summary", place.read("summary")),
        ("result", outputs["result"].clone()),
    ] {
        assert!(!text.contains(ACCOUNT), "{what}: {text}");
    }
}

#[test]
fn the_same_again_changes_nothing() {
    let (place, (cloud, shop)) = (Place::new(), cloud());
    finish(step(&place, &cloud, "deploy", &["--image", "shop:1.0.0"]))
        .expect(0)
        .says(&["nothing to do"]);
    assert_eq!(outputs(&place)["status"], "unchanged");
    assert_eq!(ledger(&place)[0]["status"], "unchanged");
    assert_eq!(writes(&cloud), [] as [&str; 0]);
    assert_eq!(cloud.serving(&shop), ["shop:1.0.0"]);
}

#[test]
fn one_that_crashes_goes_back_and_says_why() {
    let (place, (cloud, shop)) = (Place::new(), cloud());
    let finished = finish(step(&place, &cloud, "deploy", &["--image", "shop:1.1.0-crash"])).expect(3);
    let errors = named(&finished.log(), "error");
    assert_eq!(errors.len(), 1, "{errors:?}");
    assert!(
        errors[0].contains("`web:1` serves again") && errors[0].contains("exit code 1"),
        "{errors:?}"
    );
    finished.says(&[
        "the last lines of `app` in task ",
        "| fatal: can't go on",
        "reproduce: ecs-deploy deploy --cluster prod --service web",
    ]);
    assert_eq!(cloud.serving(&shop), ["shop:1.0.0"]);
    assert_eq!(outputs(&place)["status"], "rolled-back");
    let line = ledger(&place).remove(0);
    assert_eq!(
        (line["status"].as_str(), line["exit"].as_i64()),
        (Some("rolled-back"), Some(3))
    );
    // From then on until the earlier one served: what `notify` tells as the time to restore.
    assert!(line["facts"]["way-back-ms"].is_u64(), "{line}");
    let summary = place.read("summary");
    assert!(
        summary.contains("tasks stopped:") && summary.contains("fatal: can't go on"),
        "{summary}"
    );
    assert_eq!(
        writes(&cloud),
        ["RegisterTaskDefinition", "UpdateService", "UpdateService"]
    );
}

#[test]
fn what_a_container_prints_stays_text() {
    let (place, (cloud, _)) = (Place::new(), cloud());
    let nasty = "::add-path::/evil\r::set-env name=A::b \u{1b}[31m ##[error]x <b> @everyone";
    let behaviour = Behaviour::crash(1, Duration::from_secs(2)).saying(Duration::from_secs(1), nasty);
    cloud.world(|world| world.ecs.image("shop:nasty", behaviour));
    let finished = finish(step(&place, &cloud, "deploy", &["--image", "shop:nasty"])).expect(3);
    let log = finished.log();
    let known = ["add-mask", "group", "endgroup", "error", "warning", "notice"];
    let foreign: Vec<String> = commands(&log)
        .into_iter()
        .map(|command| command.name)
        .filter(|name| !known.contains(&name.as_str()))
        .collect();
    assert!(foreign.is_empty(), "{foreign:?}: {log}");
    let summary = place.read("summary");
    assert!(summary.contains("add-path"), "{summary}");
    for text in [&log, &summary] {
        assert!(!text.contains(['\u{1b}', '\r']), "{text:?}");
    }
}

#[test]
fn a_migration_that_fails_leaves_the_service_alone() {
    let (place, (cloud, shop)) = (Place::new(), cloud());
    let flags = ["--image", "shop:1.1.0-job-fails", "--migrate", "bin/migrate up"];
    finish(step(&place, &cloud, "deploy", &flags))
        .expect(3)
        .says(&["service `web` was not changed", "migration 7 failed"]);
    assert_eq!(writes(&cloud), ["RegisterTaskDefinition", "RunTask"]);
    assert_eq!(cloud.serving(&shop), ["shop:1.0.0"]);
}

#[test]
fn a_version_is_found_again_by_its_name() {
    let (place, (cloud, shop)) = (Place::new(), cloud());
    for image in ["shop:1.1.0", "shop:1.2.0"] {
        finish(step(&place, &cloud, "deploy", &["--image", image])).expect(0);
    }
    finish(step(&place, &cloud, "rollback", &["--to", "1.0.0"]))
        .expect(0)
        .says(&["service `web` runs `web:1` again"]);
    assert_eq!(cloud.serving(&shop), ["shop:1.0.0"]);
    finish(step(&place, &cloud, "rollback", &["--to", "9.9.9"]))
        .expect(2)
        .says(&["no successful deployment of `9.9.9` is known"]);
}

#[test]
fn plan_and_status_change_nothing_and_leave_nothing() {
    let (place, (cloud, _)) = (Place::new(), cloud());
    finish(step(&place, &cloud, "plan", &["--image", "shop:1.1.0"]))
        .expect(0)
        .says(&[
            "shop:1.1.0",
            "call: ecs:RegisterTaskDefinition",
            "call: ecs:UpdateService with taskDefinition",
            "a failure goes back to `web:1`",
        ]);
    finish(step(&place, &cloud, "status", &[]))
        .expect(0)
        .says(&["service `web` is active: 3 tasks of `web:1` run, 3 wanted; `web:1` is complete"]);
    assert_eq!(writes(&cloud), [] as [&str; 0]);
    for file in ["output", "summary", LEDGER] {
        assert_eq!(place.read(file), "", "{file}");
    }
}

#[test]
fn a_task_ends_the_step_as_it_ends() {
    for (image, code) in [("shop:1.1.0", 0), ("shop:1.1.0-job-fails", 3)] {
        let (place, (cloud, _)) = (Place::new(), cloud());
        let flags = ["--image", image, "--run", "app=bin/seed"];
        finish(step(&place, &cloud, "run-task", &flags)).expect(code);
        // A task says nothing of the service.
        let outputs = outputs(&place);
        assert!(!outputs.contains_key("status"), "{outputs:?}");
        assert_eq!(outputs["task-definition"], "web:2");
        assert_eq!(writes(&cloud), ["RegisterTaskDefinition", "RunTask"], "{image}");
    }
}

/// The calls that changed something, in order.
pub(crate) fn writes(cloud: &Cloud) -> Vec<String> {
    let writes = cloud.log().into_iter().filter(|call| call.writes());
    writes.map(|call| call.operation).collect()
}
