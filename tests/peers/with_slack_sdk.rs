//! Messages for Slack; as Slack's own SDK judges their blocks.

use sandbox::peers::{Place, slack_blocks};
use serde_json::json;

use crate::rendered::{hostile, rendered};

#[test]
fn blocks_are_as_slack_takes_them() {
    let place = Place::new().unwrap();
    for to in ["slack", "slack-token"] {
        for (status, headline, text) in hostile() {
            let message = rendered(&["--to", to], status, &headline, &text);
            let said = slack_blocks(&place, &message).unwrap();
            assert_eq!(said, "good", "{to} {status}: {message}");
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
