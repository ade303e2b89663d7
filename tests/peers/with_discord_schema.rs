//! Messages for Discord; as schemas made of Discord's own description judge them.

use sandbox::peers::{Place, discord_message};
use serde_json::json;

use crate::rendered::{hostile, rendered};

#[test]
fn messages_are_as_discord_takes_them() {
    let place = Place::new().unwrap();
    for (status, headline, text) in hostile() {
        let message = rendered(&["--to", "discord"], status, &headline, &text);
        let said = discord_message(&place, &message).unwrap();
        assert_eq!(said, "good", "{status}: {message}");
    }
}

#[test]
fn the_judge_sees_what_is_wrong() {
    let place = Place::new().unwrap();
    let none = || json!({"parse": []});
    let embed = |length: usize| json!({"title": "x", "description": "x".repeat(length)});
    for (message, said) in [
        (
            json!({"embeds": [embed(4_000)], "allowed_mentions": none()}),
            "good",
        ),
        (
            json!({"embeds": [embed(4_097)], "allowed_mentions": none()}),
            "embeds.0.description",
        ),
        (
            json!({"embeds": [embed(4_000), embed(4_000)], "allowed_mentions": none()}),
            "more than 6000",
        ),
        (
            json!({"content": "x"}),
            "allowed_mentions.parse is no empty array",
        ),
        (
            json!({"content": "x", "allowed_mentions": {"parse": ["everyone"]}}),
            "allowed_mentions.parse is no empty array",
        ),
        (
            json!({"content": "x", "bogus": 1, "allowed_mentions": none()}),
            "bogus",
        ),
    ] {
        let found = discord_message(&place, &message).unwrap();
        assert!(found.contains(said), "{message}: {found}");
    }
}
