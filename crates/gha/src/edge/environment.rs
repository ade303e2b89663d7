//! The one place that reads the process's environment and its clock.

use jiff::Timestamp;

use crate::env::Env;

/// The environment of this process. A variable that is not UTF-8 is read with replacement characters.
#[must_use]
#[expect(clippy::disallowed_methods, reason = "the one place that reads it")]
pub fn of_process() -> Env {
    std::env::vars_os()
        .map(|(name, value)| {
            (
                name.to_string_lossy().into_owned(),
                value.to_string_lossy().into_owned(),
            )
        })
        .collect()
}

/// The wall clock.
#[must_use]
#[expect(clippy::disallowed_methods, reason = "the one place that reads it")]
pub fn now() -> Timestamp {
    Timestamp::now()
}

/// Sixteen random bytes, for delimiters and for the trace id of a run on a laptop.
#[must_use]
pub fn random() -> [u8; 16] {
    uuid::Uuid::new_v4().into_bytes()
}
