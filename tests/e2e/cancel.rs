//! A cancel: the runner's SIGINT to the step's entry process reaches the tool, because the action's script has become
//! the tool.

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
    slack-webhook: ${{ secrets.HOOK }}
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
    assert!(message.contains(" cancelled after "), "{message}");
}
