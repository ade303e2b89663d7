//! How it is told: what is required, and how long it may take.

use std::str::FromStr;
use std::time::Duration;

use clap::{ArgAction, Args};
use gha::text;

use crate::receivers::NAMES;

/// How it is told.
#[derive(Clone, Debug, Args)]
pub struct Sending {
    /// Write the message to the job summary too.
    #[arg(long, value_name = "BOOL", default_value_t = true, action = ArgAction::Set, num_args = 0..=1, default_missing_value = "true", hide_possible_values = true)]
    pub summary: bool,
    /// Fail, with exit code 3, when a message was not delivered, and with 2 when nobody is configured: `true` for all, or a receiver's
    /// name as in `results`.
    #[arg(long, value_name = "WHO", num_args = 0..=1, default_missing_value = "true")]
    pub require: Vec<Required>,
    /// Print what would be sent, and send nothing.
    #[arg(long)]
    pub dry_run: bool,
    /// The times.
    #[command(flatten)]
    pub times: Times,
}

/// How long it may take.
#[derive(Clone, Copy, Debug, Args)]
pub struct Times {
    /// Longest time for the whole command.
    #[arg(long, value_name = "DURATION", default_value = "60s", value_parser = gha::duration::parse)]
    pub timeout: Duration,
    /// Longest time for one try.
    #[arg(long, value_name = "DURATION", default_value = "10s", value_parser = gha::duration::parse)]
    pub try_timeout: Duration,
}

/// Who must be told.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Required {
    /// All that are configured, and there must be one.
    All,
    /// Nobody.
    Nobody,
    /// The one of this name.
    One(String),
}

impl FromStr for Required {
    type Err = String;

    /// `true` and `false`, as inputs of an action have them, or a name.
    fn from_str(word: &str) -> Result<Self, String> {
        match word {
            "true" | "True" | "TRUE" => Ok(Self::All),
            "false" | "False" | "FALSE" => Ok(Self::Nobody),
            name if is_name(name) => Ok(Self::One(name.to_owned())),
            _ => Err(format!(
                "`{}` is not `true`, `false`, or a receiver's name, such as {}",
                text::cut(&text::line(word), 40),
                NAMES.join(", ")
            )),
        }
    }
}

/// Whether it can be the name of a receiver: of one that flags configure, or of one in a file.
fn is_name(word: &str) -> bool {
    let is_letter = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_');
    !word.is_empty() && word.len() <= 40 && word.bytes().all(is_letter)
}
