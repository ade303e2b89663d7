//! `cargo xtask`: what a developer and CI run.

use std::process::ExitCode;

fn main() -> ExitCode {
    xtask::cli::main()
}
