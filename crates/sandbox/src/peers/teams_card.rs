//! [Adaptive Cards' own parser](https://adaptivecards.io/) as the judge of messages for Teams.

use std::io;

use serde_json::Value;

use super::node;
use super::place::Place;

/// What is wrong with a message, with or without its envelope, one fault a line; `good` where nothing is.
///
/// # Errors
/// When the judge does not run.
pub fn teams_card(place: &Place, message: &Value) -> io::Result<String> {
    node::judged(place, "teams_card.cjs", include_str!("teams_card.cjs"), message)
}
