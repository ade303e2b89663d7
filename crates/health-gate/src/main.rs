//! The program `health-gate`.

use std::process::ExitCode;

fn main() -> ExitCode {
    gha::start(&health_gate::cli::INTERFACE, health_gate::run)
}
