//! The chain as people use it: outputs travel, failures stop it, `if: always()` reports it.

use sandbox::http::{Reply, Script, Server};
use sandbox::runner::Outcome;
use sandbox::stand_ins::chat::{Channel, Refusal};
use sandbox::stand_ins::web::Release;
use serde_json::Value;

use crate::{run, setup};

const CHAIN: &str = r"
- id: tag
  uses: org/deploy-actions/image-tag@v1
  with:
    images: ghcr.io/org/app
    tags: |
      # the branch, then the commit
      type=ref,event=branch
      type=sha,prefix=
- id: gate
  uses: org/deploy-actions/health-gate@v1
  with:
    url: ${{ vars.URL }}
    expect-version: ${{ github.sha }}
    interval: 100ms
    timeout: 3s
    environment: production
- id: tell
  if: always()
  uses: org/deploy-actions/notify@v1
  with:
    status: ${{ job.status }}
    slack-webhook: ${{ secrets.HOOK }}
- id: use
  if: always()
  run: printf '%s|%s|%s|%s' '${{ steps.tag.outputs.version }}' '${{ steps.gate.outputs.verdict }}' '${{ steps.tell.outputs.delivered }}' '${{ steps.tell.outputs.phase }}'
";

const SHA: &str = "ffac537e6cbbf934b08745a378932722df287a53";

#[test]
fn outputs_reach_the_next_step_and_the_message_names_the_deploy() {
    let service = Release::new("old", SHA).starting(1).old_for(2).serve().unwrap();
    let chat = Channel::open().unwrap();
    let report = run(
        &setup()
            .var("URL", &service.health())
            .secret("HOOK", &chat.webhook()),
        CHAIN,
    );
    assert_eq!(report.conclusion, Outcome::Success, "{}", report.text());
    assert!(
        report
            .step("use")
            .unwrap()
            .text()
            .contains("main|pass|true|succeeded"),
        "{}",
        report.text()
    );
    assert_eq!(
        report.step("tag").unwrap().output("tags"),
        "ghcr.io/org/app:main\nghcr.io/org/app:ffac537"
    );
    assert_eq!(report.step("gate").unwrap().output("attempts"), "4");
    let message = &chat.messages()[0];
    let headline = message["blocks"][0]["text"]["text"].as_str().unwrap();
    assert!(
        headline.starts_with("✅ octo-repo ffac537 deployed to production in "),
        "{headline}"
    );
}

#[test]
fn a_failed_gate_fails_the_chain_and_the_message_says_why() {
    let service = Release::new("old", SHA).broken("no database").serve().unwrap();
    let chat = Channel::open().unwrap();
    let report = run(
        &setup()
            .var("URL", &service.health())
            .secret("HOOK", &chat.webhook()),
        CHAIN,
    );
    assert_eq!(report.conclusion, Outcome::Failure);
    let gate = report.step("gate").unwrap();
    assert_eq!((gate.exit_code, gate.output("verdict")), (Some(3), "fail"));
    let ours = gate
        .annotations
        .iter()
        .filter(|one| one.title.as_deref() == Some("health-gate"));
    let messages: Vec<&str> = ours.map(|one| one.message.as_str()).collect();
    assert_eq!(messages.len(), 1, "one annotation per failure: {messages:?}");
    assert!(messages[0].contains("answered 500, expected 2xx"), "{messages:?}");
    assert!(
        gate.text()
            .contains("reproduce: health-gate wait --url=http://127.0.0.1:"),
        "{}",
        gate.text()
    );
    assert!(
        report
            .step("use")
            .unwrap()
            .text()
            .contains("main|fail|true|failed")
    );
    let message = chat.messages()[0].to_string();
    assert!(
        message.contains(" to production failed: ") && message.contains("answered 500"),
        "{message}"
    );
    assert!(
        report.summary().contains("no database"),
        "the last answer is in the summary: {}",
        report.summary()
    );
}

#[test]
fn continue_on_error_lets_the_chain_go_on() {
    let steps = r"
- id: gate
  continue-on-error: true
  uses: org/deploy-actions/health-gate@v1
  with:
    tcp: 127.0.0.1:9
    timeout: 1s
- id: after
  run: echo outcome=${{ steps.gate.outcome }} conclusion=${{ steps.gate.conclusion }}
";
    let report = run(&setup(), steps);
    assert_eq!(report.conclusion, Outcome::Success);
    assert!(
        report
            .step("after")
            .unwrap()
            .text()
            .contains("outcome=failure conclusion=success")
    );
}

#[test]
fn a_message_that_does_not_arrive_is_a_warning_or_with_require_a_failure() {
    let steps = |require: bool| {
        format!(
            "- id: tell\n  uses: ./actions/notify\n  with:\n    status: failure\n    require: {require}\n    slack-webhook: ${{{{ secrets.HOOK }}}}\n"
        )
    };
    for (require, conclusion, level) in [
        (false, Outcome::Success, "warning"),
        (true, Outcome::Failure, "error"),
    ] {
        let chat = Channel::open().unwrap().refusing(Refusal::NoService);
        let report = run(&setup().secret("HOOK", &chat.webhook()), &steps(require));
        let tell = report.step("tell").unwrap();
        assert_eq!(
            (report.conclusion, tell.output("delivered")),
            (conclusion, "false"),
            "{}",
            report.text()
        );
        let annotation = tell
            .annotations
            .iter()
            .find(|one| one.message.contains("404"))
            .unwrap();
        assert_eq!(annotation.level.as_str(), level);
        assert!(annotation.message.contains("no_service"), "{annotation:?}");
    }
}

#[test]
fn the_root_action_puts_the_tools_on_path() {
    let steps = r#"
- id: setup
  uses: org/deploy-actions@v1
- id: use
  run: |
    command -v health-gate
    test "$(command -v image-tag)" = "${{ steps.setup.outputs.bin-dir }}/image-tag"
    image-tag --images ghcr.io/org/app --tags type=raw,value=x
"#;
    let report = run(&setup(), steps);
    assert_eq!(report.conclusion, Outcome::Success, "{}", report.text());
    assert!(report.step("use").unwrap().text().contains("ghcr.io/org/app:x"));
}

#[test]
fn the_tools_of_a_run_share_one_trace() {
    let server = Server::start(Script::new().any([Reply::text(200, "ok")])).unwrap();
    let steps = r"
- uses: ./actions/health-gate
  with:
    url: ${{ vars.URL }}
- uses: ./actions/notify
  with:
    status: success
    webhook-url: ${{ secrets.HOOK }}
";
    let report = run(
        &setup()
            .var("URL", &server.url("/health"))
            .secret("HOOK", &server.url("/hook/0123456789")),
        steps,
    );
    assert_eq!(report.conclusion, Outcome::Success, "{}", report.text());
    let requests = server.requests();
    let traceparent = requests[0].header("traceparent").unwrap();
    let event: Value = requests[1].json();
    assert_eq!(traceparent.split('-').nth(1), event["trace_id"].as_str());
}
