//! What `notify` writes to GitHub; as Prism judges it by GitHub's own description of its API.

use std::process::Command;

use sandbox::peers::{Place, Prism};
use serde_json::{Value, json};

const ALL: [&str; 8] = [
    "--github",
    "status",
    "--github",
    "comment",
    "--github",
    "deployment",
    "--github",
    "release-notes",
];

/// A run of pull request 12 at a tag, whose receivers are all of GitHub's.
fn told(home: &black_box::Place, prism: &Prism, flags: &[&str]) -> Command {
    let event = json!({"pull_request": {"number": 12, "head": {"sha": "0123abc", "repo": {"full_name": "org/shop"}}}});
    let path = home.path().join("event.json");
    std::fs::write(&path, event.to_string()).unwrap();
    let mut command = home.step("notify");
    command
        .args(flags)
        .args(ALL)
        .args(["--environment", "production", "--try-timeout", "30s"])
        .env("GITHUB_API_URL", prism.url())
        .env("GITHUB_REPOSITORY", "org/shop")
        .env("GITHUB_SHA", "860c1904a1ce19322e91ac35af1ab07466440c37")
        .env("GITHUB_REF", "refs/tags/v1.2.3")
        .env("GITHUB_RUN_ID", "7")
        .env("GITHUB_EVENT_NAME", "pull_request")
        .env("GITHUB_EVENT_PATH", path)
        .env("NOTIFY_GITHUB_TOKEN", "ghs_16C7e42F292c6912E7710c838347Ae178B4a");
    command
}

#[test]
fn all_that_is_written_is_described() {
    let place = Place::new().unwrap();
    let prism = Prism::start(&place).unwrap();
    for flags in [
        &["send", "--status", "success", "--require"][..],
        &["send", "--status", "failure", "--require"],
        &["send", "--status", "cancelled", "--require"],
        &["start", "--require"],
        &["check"],
    ] {
        let home = black_box::Place::new();
        let output = told(&home, &prism, flags).output().unwrap();
        let log = String::from_utf8_lossy(&output.stdout);
        assert_eq!(output.status.code(), Some(0), "{flags:?}: {log}\n{}", prism.log());
        assert!(
            log.contains("github-status") && log.contains("github-deployment"),
            "{log}"
        );
        if flags[0] == "send" {
            let results = home.read("output");
            let line = results.lines().find(|line| line.starts_with("[{")).unwrap();
            let results: Value = serde_json::from_str(line).unwrap();
            let results = results.as_array().unwrap();
            assert_eq!(results.len(), 4);
            assert!(
                results
                    .iter()
                    .all(|one| one["how"] != "failed" && one["how"] != "left-out"),
                "{results:?}"
            );
        }
    }
}

#[test]
fn the_judge_sees_what_is_wrong() {
    let place = Place::new().unwrap();
    let prism = Prism::start(&place).unwrap();
    for (path, body, status) in [
        ("/repos/org/shop/statuses/abc", r#"{"state":"success"}"#, 201),
        ("/repos/org/shop/statuses/abc", r#"{"state":"succeeded"}"#, 422),
        (
            "/repos/org/shop/deployments",
            r#"{"environment":"production"}"#,
            422,
        ),
        (
            "/repos/org/shop/deployments/1/statuses",
            r#"{"state":"done"}"#,
            422,
        ),
        ("/repos/org/shop/issues/1/comments", "{}", 422),
        ("/repos/org/shop/nowhere", "{}", 404),
    ] {
        assert_eq!(prism.post(path, body).unwrap(), status, "{path} {body}");
    }
}
