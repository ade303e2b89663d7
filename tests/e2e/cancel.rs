//! A cancel: the runner's SIGINT to the step's entry process reaches the tool, because the action's script has become
//! the tool.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::time::Duration;

use sandbox::http::{Reply, Script, Server};
use sandbox::runner::{CancelWhen, Outcome};
use sandbox::stand_ins::chat::Channel;

use crate::{run, setup};

const WAITING: &str = r"
- id: gate
  uses: org/deploy-actions/health-gate@v1
  with:
    url: ${{ vars.URL }}
    timeout: 10m
    try-timeout: 9m
- id: after
  run: echo never
- id: tell
  if: cancelled() || failure()
  uses: org/deploy-actions/notify@v1
  with:
    status: ${{ job.status }}
    slack-webhook-url: ${{ secrets.HOOK }}
";

#[test]
fn the_tool_stops_at_once_and_its_outputs_are_there() {
    let server = Server::start(Script::new().any([Reply::hang()])).unwrap();
    let chat = Channel::open().unwrap();
    let setup = setup()
        .var("URL", &server.url("/health"))
        .secret("HOOK", &chat.webhook())
        .cancel_when(CancelWhen::LogShows("waiting for".to_owned()));
    let report = run(&setup, WAITING);
    let gate = report.step("gate").unwrap();
    assert_eq!(
        (gate.exit_code, gate.outcome),
        (Some(130), Outcome::Cancelled),
        "{}",
        report.text()
    );
    assert!(gate.duration < Duration::from_secs(5), "{:?}", gate.duration);
    assert_eq!(gate.output("verdict"), "inconclusive");
    assert!(
        gate.output("reason").starts_with("cancelled by SIGINT after"),
        "{}",
        gate.output("reason")
    );
    assert!(
        gate.output("result")
            .contains("\"status\":\"cancelled\",\"exit\":130")
    );
    assert!(gate.survivors.is_empty(), "{:?}", gate.survivors);
    assert_eq!(report.step("after").unwrap().conclusion, Outcome::Skipped);
    assert_eq!(report.conclusion, Outcome::Cancelled);
    let message = chat.messages()[0].to_string();
    assert!(message.contains("not deployed: cancelled"), "{message}");
}

#[test]
fn nothing_that_a_tool_started_survives() {
    // The tool asks git; this git starts another process and hangs.
    let folder = tempfile::tempdir().unwrap();
    let git = folder.path().join("git");
    fs::write(
        &git,
        "#!/bin/sh\nsleep 613 &\necho started > \"$MARK\"\nexec sleep 613\n",
    )
    .unwrap();
    fs::set_permissions(&git, fs::Permissions::from_mode(0o755)).unwrap();
    let mark = folder.path().join("mark");
    let path = format!("{}:/usr/local/bin:/usr/bin:/bin", folder.path().display());
    let setup = setup()
        .env("PATH", path)
        .env("MARK", mark.display().to_string())
        .cancel_when(CancelWhen::FileAppears(mark.clone()));
    let steps =
        "- id: tag\n  uses: org/deploy-actions/image-tag@v1\n  with:\n    images: a/b\n    context: git\n";
    let report = run(&setup, steps);
    let tag = report.step("tag").unwrap();
    assert!(mark.exists(), "{}", report.text());
    assert_eq!(tag.exit_code, Some(130), "{}", report.text());
    assert!(tag.survivors.is_empty(), "{:?}", tag.survivors);
}
