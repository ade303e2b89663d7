//! Messages as `notify` would send them, of texts that nobody should write.

use serde_json::{Value, json};

/// Status, headline of twelve results, and text.
pub(crate) fn hostile() -> Vec<(&'static str, String, String)> {
    let (long, wide) = (
        "x".repeat(9_000),
        "👩\u{200d}👩\u{200d}👧\u{200d}👦".repeat(2_000),
    );
    let cases = [
        ("success", "all is well", "see the runbook"),
        ("failure", &*long, &*long),
        ("failure", &*wide, &*wide),
        (
            "cancelled",
            "<!channel> & <@U1> @everyone `x` *b* [a](b)\n\n\t",
            " ",
        ),
        ("failure", "\u{202e}\u{0}\u{7}", "\n\n"),
    ];
    let owned =
        |(status, headline, text): (&'static str, &str, &str)| (status, headline.to_owned(), text.to_owned());
    cases.map(owned).to_vec()
}

/// What `notify` would send for these results and this text.
pub(crate) fn rendered(flags: &[&str], status: &str, headline: &str, text: &str) -> Value {
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
            "--status",
            status,
            "--results",
            "results.jsonl",
            "--text",
            text,
        ])
        .args(flags)
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
