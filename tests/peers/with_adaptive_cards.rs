//! Messages for Microsoft Teams; as Adaptive Cards' own parser judges them.

use sandbox::peers::{Place, teams_card};
use serde_json::json;

use crate::rendered::{hostile, rendered};

#[test]
fn cards_are_as_teams_shows_them() {
    let place = Place::new().unwrap();
    for envelope in ["message", "card"] {
        for (status, headline, text) in hostile() {
            let flags = ["--to", "teams", "--teams-envelope", envelope];
            let message = rendered(&flags, status, &headline, &text);
            let said = teams_card(&place, &message).unwrap();
            assert_eq!(said, "good", "{envelope} {status}: {message}");
        }
    }
}

#[test]
fn the_judge_sees_what_is_wrong() {
    let place = Place::new().unwrap();
    let card = |block: serde_json::Value| json!({"type": "AdaptiveCard", "version": "1.4", "body": [block]});
    for (message, said) in [
        (card(json!({"type": "TextBlock", "text": "x"})), "good"),
        (
            card(json!({"type": "TextBlock", "text": "x", "color": "greenish"})),
            "greenish",
        ),
        (card(json!({"type": "TextBlock"})), "TextBlock without text"),
        (
            json!({"@type": "MessageCard", "title": "x"}),
            "a MessageCard's property: @type",
        ),
        (
            json!({"type": "AdaptiveCard", "version": "1.5", "body": [{"type": "TextBlock", "text": "x"}]}),
            "version of the card: 1.5",
        ),
        (
            card(json!({"type": "TextBlock", "text": "x".repeat(30_000)})),
            "more than 28 KiB",
        ),
    ] {
        let found = teams_card(&place, &message).unwrap();
        assert!(found.contains(said), "{message}: {found}");
    }
}
