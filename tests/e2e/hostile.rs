//! Foreign text through the whole chain: branch names, commit messages and answers change nothing but their own place.

use sandbox::http::{Reply, Script, Server};
use sandbox::runner::{Level, Outcome, Report};
use sandbox::stand_ins::chat::Channel;
use serde_json::json;

use crate::{run, setup};

/// Lines that would be commands, formats, mentions or ends of something if they were not text.
const HOSTILE: &str = "fix %0A::error::x\r::add-mask::main\n::set-output name=version::evil\n##[error]y\n::stop-commands::z\n\
                       EOF\nghadelimiter_1\nversion=evil\n${{ secrets.HOOK }} `rm -rf /` $(id) \"'\\ <!channel> @everyone \
                       </details> | \u{202e}🚀\u{1b}[31m\u{7}";

const CHAIN: &str = r"
- id: tag
  uses: org/deploy-actions/image-tag@v1
  with:
    images: ghcr.io/org/app
    labels: note=${{ github.event.head_commit.message }}
- id: gate
  continue-on-error: true
  uses: org/deploy-actions/health-gate@v1
  with:
    url: ${{ vars.URL }}
    expect-body: ${{ github.event.head_commit.message }}
    timeout: 1s
- id: tell
  uses: org/deploy-actions/notify@v1
  with:
    status: failure
    text: ${{ github.event.head_commit.message }}
    service: ${{ github.event.head_commit.message }}
    slack-webhook: ${{ secrets.HOOK }}
- id: use
  env:
    VERSION: ${{ steps.tag.outputs.version }}
    REASON: ${{ steps.gate.outputs.reason }}
  run: printf 'version=%s\n' ${#VERSION}
";

/// Runs the chain with a text in every foreign place.
fn told(text: &str) -> (Report, serde_json::Value) {
    let server = Server::start(Script::new().any([Reply::text(200, text)])).unwrap();
    let chat = Channel::open().unwrap();
    let payload = json!({
        "head_commit": {"message": text, "author": {"name": text}},
        "repository": {"name": "app", "description": text, "default_branch": text},
    });
    let setup = setup()
        .event("push", payload)
        .github("ref", format!("refs/heads/{text}"))
        .github("actor", text)
        .var("URL", &server.url("/health"))
        .secret("HOOK", &chat.webhook());
    let report = run(&setup, CHAIN);
    let message = chat.messages().first().cloned().unwrap_or_default();
    (report, message)
}

/// The lines of a summary that are neither in a fenced block nor begin with a code span.
fn outside_code(summary: &str) -> String {
    let mut fenced = false;
    let mut kept = String::new();
    for line in summary.lines() {
        if line.starts_with("```") {
            fenced = !fenced;
        } else if !fenced && !line.starts_with('`') {
            kept.push_str(line);
            kept.push('\n');
        }
    }
    kept
}

#[test]
fn hostile_text_issues_no_command_and_leaves_no_place() {
    let (report, message) = told(HOSTILE);
    assert_eq!(report.conclusion, Outcome::Success, "{}", report.text());
    for step in &report.steps {
        let foreign: Vec<_> = step
            .annotations
            .iter()
            .filter(|one| {
                one.title
                    .as_deref()
                    .is_none_or(|title| !title.contains('-') && title != "notify")
            })
            .filter(|one| one.level != Level::Error || !one.message.starts_with("Process completed"))
            .collect();
        assert!(foreign.is_empty(), "{foreign:?}");
        assert!(
            step.outputs
                .get("version")
                .is_none_or(|version| version != "evil"),
            "{:?}",
            step.outputs
        );
    }
    let tag = report.step("tag").unwrap();
    assert!(
        tag.output("version")
            .bytes()
            .all(|b| b.is_ascii_alphanumeric() || b"._-".contains(&b)),
        "{}",
        tag.output("version")
    );
    assert_eq!(tag.outputs.len(), 15, "{:?}", tag.outputs.keys());
    assert!(
        report.text().contains("##[group]"),
        "commands are still obeyed: ours"
    );
    assert!(!message["text"].as_str().unwrap().contains("<!"), "{message}");
    let kinds = message["blocks"]
        .as_array()
        .unwrap()
        .iter()
        .filter(|block| block["text"]["type"] == "mrkdwn");
    assert_eq!(kinds.count(), 0);
    assert!(
        !outside_code(&report.summary()).contains("</details> "),
        "{}",
        report.summary()
    );
}

#[test]
fn a_megabyte_in_every_place_is_cut_and_not_lost_track_of() {
    // An environment string may hold 128 KiB at most (`MAX_ARG_STRLEN`), so a megabyte comes by the payload and the
    // answer alone.
    let long = "ä::error::".repeat(10_000);
    let (report, message) = told(&long);
    assert_eq!(report.conclusion, Outcome::Success, "{}", &report.text()[..2000]);
    assert!(report.step("tag").unwrap().output("version").len() <= 128);
    assert!(
        message.to_string().len() < 20_000,
        "{}",
        message.to_string().len()
    );
    assert!(report.summary().len() < 1_048_576);
}
