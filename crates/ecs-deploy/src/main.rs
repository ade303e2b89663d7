//! The program `ecs-deploy`.

use std::process::ExitCode;

fn main() -> ExitCode {
    gha::start(&ecs_deploy::cli::INTERFACE, ecs_deploy::run)
}
