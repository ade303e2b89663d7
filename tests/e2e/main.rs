//! The packaged actions, run as a runner runs them: in the fake runner of `sandbox`, with real processes, signals and
//! exit codes, and in act as a judge of it.
#![expect(clippy::unwrap_used, reason = "a test that can't go on fails where it stands")]

mod act;
mod cancel;
mod chain;
mod hostile;

use std::path::PathBuf;

use sandbox::runner::{Report, Setup};

/// The release tree, as `org/deploy-actions@v0` would be unpacked.
fn release() -> PathBuf {
    #[expect(
        clippy::disallowed_methods,
        reason = "the one look at this process's environment"
    )]
    match std::env::var_os("DEPLOY_ACTIONS_RELEASE") {
        Some(tree) => PathBuf::from(tree),
        None => panic!("these tests need the release tree: run `cargo xtask test`"),
    }
}

/// A job's surroundings in which `org/deploy-actions@v1` is the release tree.
fn setup() -> Setup {
    let release = release();
    let mut setup = Setup::new(black_box::stage()).action("org/deploy-actions@v1", &release);
    for tool in [
        "image-tag",
        "health-gate",
        "ecs-deploy",
        "k8s-blue-green",
        "s3-cdn-publish",
        "notify",
    ] {
        setup = setup.action(&format!("org/deploy-actions/{tool}@v1"), &release);
    }
    setup
}

/// A workflow of one job with these steps.
fn workflow(steps: &str) -> String {
    let indented: String = steps.lines().map(|line| format!("      {line}\n")).collect();
    format!("name: Test\non: push\njobs:\n  job:\n    runs-on: ubuntu-24.04\n    steps:\n{indented}")
}

/// Runs the steps.
fn run(setup: &Setup, steps: &str) -> Report {
    setup.run(&workflow(steps)).unwrap()
}
