//! `cargo xtask test`: every check and every test, as CI runs them.

use std::path::Path;
use std::process::Command;

use anyhow::Result;

use crate::needs::{self, ACT};
use crate::peers::{self, Outcome};
use crate::servers::Servers;
use crate::stage;
use crate::tally::Tally;
use crate::target::{self, Target};
use crate::{actions, command, console, demo, dist, environment};

/// Runs everything; whether all of it passed.
///
/// # Errors
/// When the programs can't be built, because nothing else can be told then.
pub fn run(root: &Path) -> Result<bool> {
    let mut tally = Tally::default();
    let cargo = |arguments: &[&str]| command::run(environment::cargo(root).args(arguments)).map(|()| true);
    tally.check("format", || cargo(&["fmt", "--all", "--check"]));
    tally.check("lints", || {
        cargo(&[
            "clippy",
            "--quiet",
            "--locked",
            "--workspace",
            "--all-targets",
            "--",
            "--deny",
            "warnings",
        ])
    });
    tally.check("documentation of the code", || {
        let mut doc = environment::cargo(root);
        doc.args([
            "doc",
            "--quiet",
            "--locked",
            "--workspace",
            "--no-deps",
            "--document-private-items",
        ]);
        command::run(doc.env("RUSTDOCFLAGS", "--deny warnings")).map(|()| true)
    });
    let target = target::host(root)?;
    console::line(format!("\n== building tools and tests for {}", target.triple()));
    let stage = stage::for_tests(root, target)?;
    tally.check("action.yml of every tool", || {
        actions::check(root, &stage.tools, |tool| stage.program(tool), false).map(|()| true)
    });
    tally.check("dist of image-tag", || build_one(root, target));
    let release = stage::release_tree(root, &stage);
    tally.check("release tree", || match &release {
        Ok(_) => Ok(true),
        Err(error) => Err(anyhow::anyhow!("{error:#}")),
    });
    peer_checks(&mut tally, root, release.as_deref().ok());
    for broken in [false, true] {
        let name = if broken { "demo --break" } else { "demo" };
        tally.check(name, || demo::held(root, &stage, broken).map(|()| true));
    }
    tally.cargo_test(
        "tests of the build tool",
        environment::cargo(root).args(["test", "--locked", "--no-fail-fast", "--package", "xtask"]),
    );
    let mut tests = stage::cargo_for_tests(root, target, "test")?;
    tests
        .arg("--no-fail-fast")
        .env("DEPLOY_ACTIONS_STAGE", &stage.folder);
    if let Ok(tree) = &release {
        tests.env("DEPLOY_ACTIONS_RELEASE", tree);
    }
    let mut left_out = judge_with_act(&mut tally, root, &mut tests);
    left_out.extend(hand_over_servers(&mut tally, root, &mut tests));
    if environment::in_ci() {
        tests.env("CI", "true");
    }
    tests.arg("--");
    for module in left_out {
        tests.args(["--skip", module]);
    }
    tally.cargo_test("tests", &mut tests);
    tally.close();
    Ok(tally.is_good())
}

/// One tool through the way that ships, as CI has no time for all of them: static, small, and it runs.
fn build_one(root: &Path, target: Target) -> Result<bool> {
    let built = dist::build(&dist::Plan {
        root: root.to_owned(),
        tools: vec!["image-tag".to_owned()],
        targets: vec![target],
        profile: "dist".to_owned(),
    })?;
    dist::try_out(root, &built)?;
    console::line(dist::table(&built));
    Ok(true)
}

/// The checks that programs of others make.
fn peer_checks(tally: &mut Tally, root: &Path, release: Option<&Path>) {
    let passed = |outcome: Outcome| outcome == Outcome::Passed;
    tally.check("shellcheck", || peers::shellcheck(root).map(passed));
    tally.check("zizmor", || peers::zizmor(root, root).map(passed));
    if let Some(tree) = release {
        tally.check("zizmor on the release tree", || {
            peers::zizmor(root, tree).map(passed)
        });
    }
    tally.check("cargo-deny", || peers::deny(root).map(passed));
}

/// Hands act to the tests that it judges; the tests to leave out where it can't be had.
fn judge_with_act(tally: &mut Tally, root: &Path, tests: &mut Command) -> Vec<&'static str> {
    let mut left_out = Vec::new();
    tally.check("act for the packaged actions", || {
        match needs::ensure(root, ACT) {
            Ok(act) => {
                tests.env("DEPLOY_ACTIONS_ACT", act.program);
                Ok(true)
            }
            Err(missing) => {
                left_out.push("act::");
                missing.skip()?;
                Ok(false)
            }
        }
    });
    left_out
}

/// Hands the real servers to the tests that start them; the tests to leave out where one can't be had.
fn hand_over_servers(tally: &mut Tally, root: &Path, tests: &mut Command) -> Vec<&'static str> {
    let mut servers = Servers::default();
    tally.check("servers for the tests", || {
        let got = servers.get(root);
        tests.env("DEPLOY_ACTIONS_SERVERS", servers.write(root)?);
        got
    });
    servers.left_out().collect()
}
