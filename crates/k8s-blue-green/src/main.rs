//! The program `k8s-blue-green`.

use std::process::ExitCode;

fn main() -> ExitCode {
    gha::start(&k8s_blue_green::cli::INTERFACE, k8s_blue_green::run)
}
