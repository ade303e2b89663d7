//! `s3-cdn-publish` and its way to AWS: a role by the workflow's token, and what can be wrong with credentials, permissions,
//! region and bucket. Nothing is changed then, and no token is said anywhere.

use std::process::Command;

use black_box::Place;
use sandbox::http::Server;
use sandbox::stand_ins::aws::{Fault, Hosting, Role, Turn};

use crate::commands::named;
use crate::ecs_deploy_access::{BEARER, TOKEN, github, is_silent_about};
use crate::process::finish;
use crate::s3_publish::{build, hosting, served, step};
use crate::step::{ledger, outputs};

const ROLE: &str = "arn:aws:iam::123456789012:role/publish";

/// A publish of a job that has no keys but may ask for a token.
fn by_token(place: &Place, site: &(Hosting, String), github: &Server) -> Command {
    let mut command = step(place, site, "publish", &["--role-arn", ROLE]);
    command
        .env_remove("AWS_ACCESS_KEY_ID")
        .env_remove("AWS_SECRET_ACCESS_KEY")
        .env(
            "ACTIONS_ID_TOKEN_REQUEST_URL",
            github.url("/token?api-version=2.0"),
        )
        .env("ACTIONS_ID_TOKEN_REQUEST_TOKEN", BEARER);
    command
}

#[test]
fn a_workflows_token_is_all_it_takes() {
    let (place, site, github) = (Place::new(), hosting(), github());
    site.0
        .cloud()
        .world(|world| world.sts.add(Role::of_repository(ROLE, "org/shop")));
    build(&place, 1);
    let finished = finish(by_token(&place, &site, &github)).expect(0);
    assert_eq!(served(&site), "1");
    let put = site.0.calls("PutObject index.html").pop().unwrap();
    assert_eq!(
        put.by.as_deref(),
        Some("arn:aws:sts::123456789012:assumed-role/publish/s3-cdn-publish-7")
    );
    is_silent_about(&[TOKEN, BEARER], &place, &finished);
}

#[test]
fn a_role_that_trusts_another_repository_is_told_so() {
    let (place, site, github) = (Place::new(), hosting(), github());
    site.0
        .cloud()
        .world(|world| world.sts.add(Role::of_repository(ROLE, "org/other")));
    build(&place, 1);
    let finished = finish(by_token(&place, &site, &github)).expect(7);
    is_silent_about(&[TOKEN, BEARER], &place, &finished);
    finished.says(&["sts:AssumeRoleWithWebIdentity"]);
    assert_eq!(site.0.calls("s3:writes").len(), 0);
}

/// A publish that is refused before anything is changed: one error with these words, and a ledger line that says failed.
#[track_caller]
fn refused(site: &(Hosting, String), change: impl FnOnce(&mut Command), code: i32, says: &[&str]) {
    let place = Place::new();
    build(&place, 1);
    site.0.forget();
    let mut command = step(&place, site, "publish", &[]);
    change(&mut command);
    let finished = finish(command).expect(code);
    let errors = named(&finished.log(), "error");
    assert_eq!(errors.len(), 1, "{errors:?}");
    for words in says {
        assert!(errors[0].contains(words), "no `{words}` in {errors:?}");
    }
    assert_eq!(ledger(&place)[0]["status"], "failed");
    assert_eq!(outputs(&place)["status"], "failed");
    assert_eq!(site.0.stock(|stock| stock.s3.keys("site").len()), 1);
}

#[test]
fn what_is_wrong_is_named_with_what_to_write() {
    let site = hosting();
    site.0.stock(|stock| stock.s3.create_in("far", "us-west-2"));
    refused(
        &site,
        |command| {
            command.env("AWS_SECRET_ACCESS_KEY", "another-secret-than-the-key-has");
        },
        7,
        &["failed to read distribution", "not accepted"],
    );
    refused(
        &site,
        |command| {
            command
                .env_remove("AWS_ACCESS_KEY_ID")
                .env_remove("AWS_SECRET_ACCESS_KEY");
            command.env("AWS_EC2_METADATA_DISABLED", "true");
        },
        7,
        &["no AWS credentials", "--role-arn"],
    );
    for (operation, says) in [
        ("ListObjectsV2", "allow `s3:ListBucket` on the bucket itself"),
        ("GetObject", "allow `s3:GetObject`"),
        ("PutObject", "allow `s3:PutObject`"),
    ] {
        site.0.fault(operation, Turn::Every, Fault::Denied);
        refused(&site, |_| {}, 7, &[says]);
        site.0.heal();
    }
}

#[test]
fn a_bucket_elsewhere_and_one_that_is_not_there_are_told_so() {
    let site = hosting();
    site.0.stock(|stock| stock.s3.create_in("far", "us-west-2"));
    for (bucket, says) in [
        (
            "far",
            "the bucket is in region `us-west-2`, so write `--region us-west-2`",
        ),
        ("nowhere", "NoSuchBucket"),
    ] {
        let place = Place::new();
        build(&place, 1);
        let mut command = crate::step::in_run(place.step("s3-cdn-publish"));
        command.envs(site.0.environment());
        command.args(["publish", "--source", "public", "--bucket", bucket]);
        finish(command).expect(2).says(&[says]);
    }
    assert_eq!(site.0.calls("s3:writes").len(), 0);
}
