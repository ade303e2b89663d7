//! [Slack's own SDK](https://docs.slack.dev/tools/python-slack-sdk/) as the judge of messages: shapes and lengths of their blocks.

use std::io;

use serde_json::Value;

use super::place::Place;
use super::python;

/// What is wrong with a message, one fault a line; `good` where nothing is.
///
/// # Errors
/// When the judge does not run.
pub fn slack_blocks(place: &Place, message: &Value) -> io::Result<String> {
    let file = place.write("message.json", message.to_string())?;
    let mut command = python::script(place, "slack_blocks.py", include_str!("slack_blocks.py"))?;
    let output = command.arg(file).output()?;
    match output.status.success() {
        true => Ok(String::from_utf8_lossy(&output.stdout).trim().to_owned()),
        false => Err(io::Error::other(
            String::from_utf8_lossy(&output.stderr).into_owned(),
        )),
    }
}
