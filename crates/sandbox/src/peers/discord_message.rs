//! Schemas that are made of [Discord's own description](https://github.com/discord/discord-api-spec) as the judge of messages.

use std::io;

use serde_json::Value;

use super::node;
use super::place::Place;

/// What is wrong with a message to a webhook, one fault a line; `good` where nothing is.
///
/// # Errors
/// When the judge does not run.
pub fn discord_message(place: &Place, message: &Value) -> io::Result<String> {
    let script = include_str!("discord_message.cjs");
    node::judged(place, "discord_message.cjs", script, message)
}
