//! `notify` on GitHub: one comment on the pull request whoever else writes there, the status of the commit, the deployment, and the
//! release's notes; over pages, refusals, and a run that may only read.

use std::process::Command;

use black_box::Place;
use sandbox::http::Reply;
use sandbox::stand_ins::github::records::{Records, Who};
use sandbox::stand_ins::github::{REPOSITORY, refusal};
use serde_json::{Value, json};

use crate::commands::named;
use crate::process::{Finished, finish};
use crate::step::{LEDGER, in_run, outputs};

pub(crate) const TOKEN: &str = "ghs_16C7e42F292c6912E7710c838347Ae178B4a";
const BOT: &str = "github-actions[bot]";
const SHA: &str = "860c1904a1ce19322e91ac35af1ab07466440c37";

fn told(place: &Place, github: &Records, name: &str, flags: &[&str]) -> Command {
    let mut command = in_run(place.step("notify"));
    command
        .args([name, "--environment", "production"])
        .args(flags)
        .env("GITHUB_REPOSITORY", REPOSITORY)
        .env("GITHUB_API_URL", github.api())
        .env("NOTIFY_GITHUB_TOKEN", TOKEN);
    command
}

/// The same in a run of pull request 12, whose branch is in this repository.
pub(crate) fn of_request(place: &Place, github: &Records, head: &str, flags: &[&str]) -> Command {
    let event = json!({"pull_request": {"number": 12, "title": "A change", "head": {"sha": "headsha", "repo": {"full_name": head}}}});
    let path = place.path().join("event.json");
    std::fs::write(&path, event.to_string()).unwrap();
    let mut command = told(place, github, "send", flags);
    command
        .env("GITHUB_EVENT_NAME", "pull_request")
        .env("GITHUB_EVENT_PATH", path)
        .env("GITHUB_REF", "refs/pull/12/merge");
    command
}

/// How each receiver was told.
fn how(place: &Place) -> Vec<String> {
    let results: Value = serde_json::from_str(&outputs(place)["results"]).unwrap();
    let line = |one: &Value| {
        format!(
            "{} {}",
            one["channel"].as_str().unwrap(),
            one["how"].as_str().unwrap()
        )
    };
    results.as_array().unwrap().iter().map(line).collect()
}

#[track_caller]
fn is_silent(place: &Place, finished: &Finished) {
    let written = [
        place.read("summary"),
        place.read("output"),
        place.read(LEDGER),
        finished.log(),
    ];
    let written = written.concat();
    let mut lines = written.lines();
    let shown = lines.find(|line| line.contains("2F292c6912E7710c83") && !line.contains("::add-mask::"));
    assert_eq!(shown, None);
}

fn comment_only(flags: &[&'static str]) -> Vec<&'static str> {
    [&["--github", "comment"], flags].concat()
}

#[test]
fn a_pull_request_has_one_comment_that_each_run_brings_up_to_date() {
    let github = Records::open(TOKEN, Who::Workflow).unwrap().paged(2);
    let github = (0..5).fold(github, |github, _| github.commented("ada", "looks good"));
    let (first, second) = (Place::new(), Place::new());
    let finished = finish(of_request(&first, &github, REPOSITORY, &["--status", "success"])).expect(0);
    is_silent(&first, &finished);
    assert_eq!(how(&first), ["github-status sent", "github-comment sent"]);
    let failed = ["--status", "failure", "--text", "@everyone </details> <!-- x -->"];
    finish(of_request(&second, &github, REPOSITORY, &failed)).expect(0);
    assert_eq!(how(&second), ["github-status sent", "github-comment updated"]);
    let comments = github.comments();
    assert_eq!(comments.len(), 6, "{comments:?}");
    let (login, body) = &comments[5];
    assert_eq!(login, BOT);
    assert!(body.contains("to production failed"), "{body}");
    assert!(
        !body.contains("@everyone") && !body.contains("</details>"),
        "{body}"
    );
    assert_eq!(body.matches("<!--").count(), 1, "{body}");
    // The status is that of the branch, not of the merge that GitHub tried.
    let statuses = github.statuses();
    assert_eq!(
        (&statuses[0]["sha"], &statuses[0]["state"]),
        (&json!("headsha"), &json!("success"))
    );
    assert_eq!(statuses[1]["state"], "failure");
    assert_eq!(statuses[1]["context"], "deploy/production");
}

#[test]
fn runs_that_began_at_once_leave_one_comment() {
    let (place, other) = (Place::new(), Place::new());
    let github = Records::open(TOKEN, Who::Person("deployer")).unwrap();
    finish(of_request(
        &other,
        &github,
        REPOSITORY,
        &comment_only(&["--status", "success"]),
    ))
    .expect(0);
    let (_, there) = github.comments().remove(0);
    let github = Records::open(TOKEN, Who::Person("deployer")).unwrap();
    let github = github.commented("eve", &there).racing("deployer", &there);
    finish(of_request(
        &place,
        &github,
        REPOSITORY,
        &comment_only(&["--status", "failure"]),
    ))
    .expect(0);
    let comments = github.comments();
    let logins: Vec<&str> = comments.iter().map(|(login, _)| login.as_str()).collect();
    assert_eq!(logins, ["eve", "deployer"], "{comments:?}");
    assert_eq!(comments[0].1, there, "what another person wrote is changed");
    assert!(comments[1].1.contains("failed"), "{comments:?}");
}

#[test]
fn an_older_run_leaves_what_a_newer_one_wrote() {
    let (newer, older) = (Place::new(), Place::new());
    let github = Records::open(TOKEN, Who::Workflow)
        .unwrap()
        .released("v1.2.3", None);
    let all = ["status", "comment", "deployment", "release-notes"];
    let all: Vec<&str> = all.into_iter().flat_map(|one| ["--github", one]).collect();
    let run = |place: &Place, attempt: &str, status: &str| {
        let mut command = of_request(
            place,
            &github,
            REPOSITORY,
            &[&all[..], &["--status", status]].concat(),
        );
        command
            .env("GITHUB_RUN_ATTEMPT", attempt)
            .env("GITHUB_REF", "refs/tags/v1.2.3");
        finish(command).expect(0)
    };
    run(&newer, "2", "success");
    let there = || {
        let (comments, statuses) = (github.comments(), github.statuses());
        (comments, statuses, github.deployments(), github.notes("v1.2.3"))
    };
    let before = there();
    let finished = run(&older, "1", "failure");
    assert_eq!(there(), before);
    assert_eq!(
        how(&older).join(", "),
        "github-status left-out, github-comment left-out, github-deployment left-out, github-release-notes left-out"
    );
    let log = finished.log();
    assert_eq!(log.matches("a newer run has told more since").count(), 4, "{log}");
}

#[test]
fn a_fork_may_only_read_and_passes() {
    let place = Place::new();
    let github = Records::open(TOKEN, Who::Fork).unwrap();
    let flags = ["--status", "success", "--require"];
    let finished = finish(of_request(&place, &github, "eve/shop", &flags)).expect(0);
    assert!(
        finished.log().contains("a pull request from a fork"),
        "{}",
        finished.log()
    );
    assert!(named(&finished.log(), "warning").is_empty(), "{}", finished.log());
}

#[test]
fn a_refusal_says_what_to_grant() {
    let place = Place::new();
    let github = Records::open(TOKEN, Who::Fork).unwrap();
    let flags = ["--status", "success", "--require", "github-status"];
    let finished = finish(of_request(&place, &github, REPOSITORY, &flags)).expect(3);
    let log = finished.log();
    assert!(log.contains("permissions: statuses: write"), "{log}");
    assert!(log.contains("permissions: pull-requests: write"), "{log}");
}

#[test]
fn a_limit_is_waited_for_within_the_time() {
    let place = Place::new();
    let limited = refusal(403, "You have exceeded a secondary rate limit").header("retry-after", "1");
    let github = Records::open(TOKEN, Who::Workflow).unwrap();
    let github = github.replying(limited).replying(Reply::status(502));
    let flags = comment_only(&["--status", "success", "--try-timeout", "3s"]);
    finish(of_request(&place, &github, REPOSITORY, &flags)).expect(0);
    assert_eq!(github.comments().len(), 1);
    // A wait that is too long is no wait at all.
    let (place, limited) = (Place::new(), refusal(403, "API rate limit exceeded"));
    let limited = limited
        .header("x-ratelimit-remaining", "0")
        .header("x-ratelimit-reset", "9999999999");
    let github = Records::open(TOKEN, Who::Workflow).unwrap().replying(limited);
    let finished = finish(of_request(&place, &github, REPOSITORY, &flags)).expect(0);
    let log = finished.log();
    assert!(
        log.contains("the next try would be in") && github.comments().is_empty(),
        "{log}"
    );
}

#[test]
fn a_deployment_lives_from_start_to_finish() {
    let (place, github) = (Place::new(), Records::open(TOKEN, Who::Workflow).unwrap());
    let flags = ["--github", "deployment"];
    finish(told(&place, &github, "start", &flags)).expect(0);
    assert_eq!(github.deployments()[0]["statuses"][0]["state"], "in_progress");
    finish(told(
        &place,
        &github,
        "finish",
        &[&flags[..], &["--status", "success"]].concat(),
    ))
    .expect(0);
    let deployments = github.deployments();
    assert_eq!(deployments.len(), 1, "{deployments:?}");
    assert_eq!(deployments[0]["environment"], "production");
    assert_eq!(
        (&deployments[0]["sha"], &deployments[0]["statuses"][0]["state"]),
        (&json!(SHA), &json!("success"))
    );
    assert_eq!(how(&place), ["github-deployment updated"]);
}

#[test]
fn the_deployment_of_the_jobs_own_environment_is_githubs() {
    let place = Place::new();
    let github = Records::open(TOKEN, Who::Workflow)
        .unwrap()
        .deploying(SHA, "production", "7");
    let before = github.deployments();
    let flags = ["--github", "deployment", "--status", "success", "--require"];
    let finished = finish(told(&place, &github, "send", &flags)).expect(0);
    assert_eq!(github.deployments(), before);
    assert_eq!(how(&place), ["github-deployment left-out"]);
    assert!(
        finished.log().contains("the job's own `environment`"),
        "{}",
        finished.log()
    );
}

#[test]
fn a_release_says_where_it_serves_and_keeps_what_people_wrote() {
    let place = Place::new();
    let github = Records::open(TOKEN, Who::Workflow)
        .unwrap()
        .released("v1.2.3", Some("## What is new\r\n- all\r\n"));
    let flags = ["--github", "release-notes", "--status", "success"];
    for _ in 0..2 {
        let mut command = told(&place, &github, "send", &flags);
        command.env("GITHUB_REF", "refs/tags/v1.2.3");
        finish(command).expect(0);
    }
    let notes = github.notes("v1.2.3").unwrap();
    assert!(notes.starts_with("## What is new\r\n- all"), "{notes}");
    assert_eq!(notes.matches("deployed to production").count(), 1, "{notes}");
    // A branch has no release, and that is said.
    let finished = finish(told(&place, &github, "send", &flags)).expect(0);
    assert!(
        finished
            .log()
            .contains("github-release-notes: left out, because this run is of no tag")
    );
}

#[test]
fn what_people_wrote_is_not_hidden_where_it_looks_like_a_secret() {
    let place = Place::new();
    let github = Records::open(TOKEN, Who::Workflow)
        .unwrap()
        .released("v1.2.3", Some("how to deploys-1 it"));
    let mut command = told(
        &place,
        &github,
        "send",
        &["--github", "release-notes", "--status", "success"],
    );
    command
        .env("GITHUB_REF", "refs/tags/v1.2.3")
        .env("NOTIFY_WEBHOOK_URL", "http://127.0.0.1:1/x")
        .env("NOTIFY_WEBHOOK_SECRET", "deploys-1")
        .args(["--timeout", "1s"]);
    finish(command).expect(0);
    assert!(github.notes("v1.2.3").unwrap().starts_with("how to deploys-1 it"));
    // A token of two lines is none.
    let mut command = told(&place, &github, "send", &["--status", "success"]);
    command.env("NOTIFY_GITHUB_TOKEN", "ghs_0123456789\nghs_9876543210");
    finish(command)
        .expect(2)
        .says(&["`github-token` holds a line end"]);
}

#[test]
fn a_page_of_a_portal_is_no_answer_of_github() {
    let place = Place::new();
    let page = || Reply::text(200, "<html>sign in</html>");
    let github = Records::open(TOKEN, Who::Workflow).unwrap();
    let github = github.replying(page()).replying(page());
    let flags = ["--status", "success", "--require"];
    let finished = finish(of_request(&place, &github, REPOSITORY, &flags)).expect(3);
    assert_eq!(how(&place), ["github-status failed", "github-comment failed"]);
    let log = finished.log();
    assert!(log.contains("answered 200 `<html>sign in</html>`"), "{log}");
}

#[test]
fn a_tokens_address_has_tls() {
    let (place, github) = (Place::new(), Records::open(TOKEN, Who::Workflow).unwrap());
    let mut command = told(&place, &github, "send", &["--status", "success"]);
    command.env("GITHUB_API_URL", "http://github.example.com/api/v3");
    let finished = finish(command).expect(2);
    assert!(
        finished
            .log()
            .contains("`GITHUB_API_URL` is an address without TLS"),
        "{}",
        finished.log()
    );
}
