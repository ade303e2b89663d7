//! The program `health-gate`.

use std::process::ExitCode;

// musl's allocator gives pages back at once: at 10,000 looks a second a third of the time would go there.
#[cfg(target_env = "musl")]
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    gha::start_or(
        &health_gate::cli::INTERFACE,
        health_gate::unrun::forget,
        health_gate::run,
    )
}
