//! `ecs-deploy` and its way to AWS: a role by the workflow's token, and everything that can be wrong with credentials, region
//! and address. Nothing is changed then, and no token is said anywhere.

use std::process::Command;
use std::time::Duration;

use black_box::Place;
use sandbox::http::{Reply, Script, Server};
use sandbox::stand_ins::aws::{Cloud, Fault, Role, Turn};
use serde_json::json;

use crate::commands::named;
use crate::ecs_deploy::{cloud, step, writes};
use crate::process::{Finished, finish};
use crate::step::{LEDGER, in_run, ledger, outputs};

const ROLE: &str = "arn:aws:iam::123456789012:role/deploy";

/// For the audience `sts.amazonaws.com` and the subject `repo:org/shop:ref:refs/heads/main`; the stand-in checks no signature.
pub(crate) const TOKEN: &str = "eyJhbGciOiJSUzI1NiJ9.eyJhdWQiOiJzdHMuYW1hem9uYXdzLmNvbSIsInN1YiI6InJlcG86b3JnL3Nob3A6cmVmOnJlZnMvaGVhZHMvbWFpbiIsImlzcyI6Imh0dHBzOi8vdG9rZW4uYWN0aW9ucy5naXRodWJ1c2VyY29udGVudC5jb20ifQ.c2lnbmF0dXJl";

/// What the job asks for tokens with.
pub(crate) const BEARER: &str = "the-bearer-of-the-job-4711";

/// A deploy of a job that has no keys but may ask for a token.
fn by_token(place: &Place, cloud: &Cloud, github: &Server, flags: &[&str]) -> Command {
    let mut command = step(place, cloud, "deploy", &["--role-arn", ROLE]);
    command
        .env_remove("AWS_ACCESS_KEY_ID")
        .env_remove("AWS_SECRET_ACCESS_KEY")
        .env(
            "ACTIONS_ID_TOKEN_REQUEST_URL",
            github.url("/token?api-version=2.0"),
        )
        .env("ACTIONS_ID_TOKEN_REQUEST_TOKEN", BEARER);
    command.args(flags);
    command
}

pub(crate) fn github() -> Server {
    Server::start(Script::new().any([Reply::json(200, &json!({ "count": 1, "value": TOKEN }))])).unwrap()
}

#[track_caller]
pub(crate) fn is_silent_about(secrets: &[&str], place: &Place, finished: &Finished) {
    // The command that hides a value names it, once, to the runner alone.
    let log: String = finished
        .log()
        .lines()
        .filter(|line| !line.starts_with("::add-mask::"))
        .map(|line| format!("{line}\n"))
        .collect();
    let files = ["output", "summary", LEDGER].map(|file| place.read(file));
    for secret in secrets {
        for text in [&log].into_iter().chain(&files) {
            assert!(!text.contains(secret), "`{secret}` in {text}");
        }
    }
}

#[test]
fn a_workflows_token_is_all_it_takes() {
    let (place, (cloud, shop), github) = (Place::new(), cloud(), github());
    cloud.world(|world| world.sts.add(Role::of_repository(ROLE, "org/shop")));
    let finished = finish(by_token(&place, &cloud, &github, &["--image", "shop:1.1.0"])).expect(0);
    assert_eq!(cloud.serving(&shop), ["shop:1.1.0"]);
    assert!(github.requests()[0].path.ends_with("&audience=sts.amazonaws.com"));
    let update = cloud.calls("UpdateService").pop().unwrap();
    assert_eq!(
        update.by.as_deref(),
        Some("arn:aws:sts::123456789012:assumed-role/deploy/ecs-deploy-7")
    );
    assert!(
        named(&finished.log(), "add-mask").contains(&TOKEN.to_owned()),
        "{}",
        finished.log()
    );
    let key = cloud.world(|world| {
        let identity = sandbox::stand_ins::aws::Identity {
            account: "123456789012".to_owned(),
            arn: "arn:aws:sts::123456789012:assumed-role/deploy/other".to_owned(),
            user_id: "AROAOTHER:other".to_owned(),
        };
        world.sts.keys.issue(identity, Duration::from_secs(3600))
    });
    // Session tokens of the stand-in differ in their number alone.
    let kind = key.token.unwrap();
    let kind = kind.trim_end_matches(|letter: char| letter.is_ascii_digit());
    is_silent_about(&[TOKEN, BEARER, kind], &place, &finished);
}

#[test]
fn a_role_that_trusts_another_repository_is_told_so() {
    let (place, (cloud, _), github) = (Place::new(), cloud(), github());
    cloud.world(|world| world.sts.add(Role::of_repository(ROLE, "org/other")));
    let finished = finish(by_token(&place, &cloud, &github, &["--image", "shop:1.1.0"])).expect(7);
    is_silent_about(&[TOKEN, BEARER], &place, &finished);
    finished.says(&["sts:AssumeRoleWithWebIdentity"]);
    assert_eq!(writes(&cloud), [] as [&str; 0]);
}

#[test]
fn a_token_service_that_refuses_is_told_so() {
    let (place, (cloud, _)) = (Place::new(), cloud());
    let github = Server::start(Script::new().any([Reply::text(403, "no ::error::x")])).unwrap();
    let finished = finish(by_token(&place, &cloud, &github, &["--image", "shop:1.1.0"])).expect(7);
    is_silent_about(&[BEARER], &place, &finished);
    finished.says(&["403"]);
}

/// One error, few lines, a ledger line that says failed, and nothing changed.
#[track_caller]
fn refused(place: &Place, finished: Finished, code: i32, says: &str) {
    let log = finished.log();
    let errors = named(&log, "error");
    assert_eq!(errors.len(), 1, "{log}");
    assert!(errors[0].contains(says), "no `{says}` in {errors:?}");
    assert!(!log.contains("panicked") && log.lines().count() <= 15, "{log}");
    finished.expect(code);
    assert_eq!(ledger(place)[0]["status"], "failed");
    assert!(outputs(place).contains_key("result"));
}

#[test]
fn what_is_not_aws_is_told_so() {
    let html = || Reply::text(200, "<html><body>Welcome</body></html>").header("content-type", "text/html");
    for (reply, code, says) in [
        (html(), 2, "is there another service at that address?"),
        (Reply::text(404, "<html>not found</html>"), 2, "404"),
        (Reply::text(502, "<html>bad gateway</html>"), 7, "502"),
        (Reply::close(), 7, "ecs:DescribeServices"),
    ] {
        let (place, (cloud, _)) = (Place::new(), cloud());
        let server = Server::start(Script::new().any([reply])).unwrap();
        let flags = ["--image", "shop:1.1.0", "--endpoint-url", &server.url("")];
        let finished = finish(step(&place, &cloud, "deploy", &flags));
        refused(&place, finished, code, says);
        assert_eq!(cloud.log().len(), 0, "the flag wins over the variable");
    }
}

#[test]
fn credentials_and_regions_that_are_wrong_are_told_so() {
    type Change = fn(&mut Command);
    let without_keys: Change = |command| {
        command
            .env_remove("AWS_ACCESS_KEY_ID")
            .env_remove("AWS_SECRET_ACCESS_KEY");
    };
    let wrong_key: Change = |command| {
        command.env("AWS_SECRET_ACCESS_KEY", "another-secret-than-the-key-has");
    };
    let wrong_region: Change = |command| {
        command.args(["--region", "us-east-1"]);
    };
    for (change, says) in [
        (without_keys, "no AWS credentials for `ecs:DescribeServices`"),
        (wrong_key, "ecs:DescribeServices"),
        (wrong_region, "ecs:DescribeServices"),
    ] {
        let (place, (cloud, _)) = (Place::new(), cloud());
        let mut command = step(&place, &cloud, "deploy", &["--image", "shop:1.1.0"]);
        change(&mut command);
        refused(&place, finish(command), 7, says);
        assert_eq!(writes(&cloud), [] as [&str; 0]);
    }
}

#[test]
fn credentials_that_end_half_way_leave_a_deployment_that_is_told_of() {
    let (place, (cloud, shop)) = (Place::new(), cloud());
    let variables = cloud.environment();
    let key = variables.iter().find(|(name, _)| *name == "AWS_ACCESS_KEY_ID");
    let key = key.unwrap().1.clone();
    cloud.after("UpdateService", 1, move |world| {
        let now = world.now();
        world.sts.keys.expire(&key, now);
    });
    let flags = ["--image", "shop:1.1.0", "--api-grace", "1s"];
    let finished = finish(step(&place, &cloud, "deploy", &flags));
    let log = finished.log();
    assert!(
        log.contains("have expired") && log.contains("ecs-deploy status --cluster prod --service web"),
        "{log}"
    );
    finished.expect(7);
    assert_eq!(writes(&cloud), ["RegisterTaskDefinition", "UpdateService"]);
    assert_eq!(outputs(&place)["status"], "failed");
    let arrived = cloud.until(Duration::from_secs(3600), |world| {
        world.ecs.is_steady(&shop.cluster, &shop.service)
    });
    assert!(arrived && cloud.serving(&shop) == ["shop:1.1.0"], "ECS goes on");
}

#[test]
fn a_region_that_nobody_names_is_asked_for() {
    let (place, (cloud, _)) = (Place::new(), cloud());
    let mut command = step(&place, &cloud, "deploy", &["--image", "shop:1.1.0"]);
    command.env_remove("AWS_REGION").env_remove("AWS_DEFAULT_REGION");
    refused(&place, finish(command), 2, "`--region`: no region is known");
    assert_eq!(cloud.log().len(), 0);
}

#[test]
fn a_permission_that_lacks_is_named_and_a_service_that_is_not_there_too() {
    let (place, (cloud, shop)) = (Place::new(), cloud());
    cloud.fault("UpdateService", Turn::Every, Fault::Denied);
    let finished = finish(step(&place, &cloud, "deploy", &["--image", "shop:1.1.0"]));
    refused(&place, finished, 7, "ecs:UpdateService");
    assert_eq!(cloud.serving(&shop), ["shop:1.0.0"]);
    let place = Place::new();
    let mut command = in_run(place.step("ecs-deploy"));
    command.envs(cloud.environment());
    command.args([
        "deploy",
        "--cluster",
        "prod",
        "--service",
        "wep",
        "--image",
        "shop:2",
    ]);
    refused(&place, finish(command), 2, "there is `web`");
}
