//! The one writer of this program. A closed pipe is not an error: the reader has seen enough.

use std::fmt::Display;
use std::io::Write as _;

/// Prints one line on standard output.
pub fn line(text: impl Display) {
    // Nobody is left to tell when standard output is gone.
    let _ = writeln!(std::io::stdout().lock(), "{text}");
}

/// Prints an error and its chain of causes as one line on standard error.
pub fn error(error: &anyhow::Error) {
    let _ = writeln!(std::io::stderr().lock(), "error: {error:#}");
}
