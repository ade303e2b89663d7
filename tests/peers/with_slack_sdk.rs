//! Messages for Slack; as Slack's own SDK judges their blocks.

use sandbox::peers::{Place, slack_blocks};
use serde_json::{Value, json};

/// What `notify` would send for these results and this text.
fn rendered(to: &str, status: &str, headline: &str, text: &str) -> Value {
    let home = black_box::Place::new();
    let result = |tool: &str| {
        json!({"schema": "deploy-actions/result@1", "tool": tool, "version": "1", "status": "failed", "exit": 3,
            "started_at": "2026-11-22T04:45:00Z", "duration_ms": 1000, "headline": headline, "trace_id": "ab", "target": tool,
            "undo": headline, "links": [{"text": headline, "url": "https://example.com/a?b=c&d"}]})
        .to_string()
    };
    let lines: Vec<String> = (0..12).map(|nth| result(&format!("tool-{nth}"))).collect();
    std::fs::write(home.path().join("results.jsonl"), lines.join("\n")).unwrap();
    let output = home
        .command("notify")
        .args([
            "render",
            "--to",
            to,
            "--status",
            status,
            "--results",
            "results.jsonl",
            "--text",
            text,
        ])
        .output()
        .unwrap();
    assert_eq!(
        output.status.code(),
        Some(0),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    serde_json::from_slice(&output.stdout).unwrap()
}

#[test]
fn blocks_are_as_slack_takes_them() {
    let place = Place::new().unwrap();
    let (long, wide) = ("x".repeat(9_000), "👩‍👩‍👧‍👦".repeat(2_000));
    for to in ["slack", "slack-token"] {
        for (status, headline, text) in [
            ("success", "all is well", "see the runbook"),
            ("failure", &*long, &*long),
            ("failure", &*wide, &*wide),
            ("cancelled", "<!channel> & <@U1> `x` *b*\n\n\t", " "),
            ("failure", "\u{202e}\u{0}\u{7}", "\n\n"),
        ] {
            let message = rendered(to, status, headline, text);
            assert_eq!(
                slack_blocks(&place, &message).unwrap(),
                "good",
                "{to} {status}: {message}"
            );
        }
    }
}

#[test]
fn the_judge_sees_what_is_wrong() {
    let place = Place::new().unwrap();
    let header =
        |length: usize| json!({"type": "header", "text": {"type": "plain_text", "text": "x".repeat(length)}});
    let said = slack_blocks(&place, &json!({"text": "x", "blocks": [header(151)]})).unwrap();
    assert!(said.contains("150"), "{said}");
    assert_eq!(
        slack_blocks(&place, &json!({"blocks": [header(150)]})).unwrap(),
        "no text for notifications"
    );
}
