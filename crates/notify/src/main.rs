//! The program `notify`.

use std::process::ExitCode;

fn main() -> ExitCode {
    gha::start(&notify::cli::INTERFACE, notify::run)
}
