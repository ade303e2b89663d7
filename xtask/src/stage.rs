//! The staged tree: the packaged actions with freshly built programs, laid out as a checkout in which
//! `cargo xtask dist` has run. Tests and the demo use it, so that what they run is what ships.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context as _, Result, ensure};

use crate::dist::{self, executable, rustflags};
use crate::provenance::Provenance;
use crate::target::{self, Target};
use crate::{command, environment, git, layout, needs, tools};

/// The profile of all tests that run the built programs.
const PROFILE: &str = "e2e";

/// A staged tree.
#[derive(Debug, Clone)]
pub struct Stage {
    /// Its folder.
    pub folder: PathBuf,
    /// What its programs were built for.
    pub target: Target,
    /// The tools in it.
    pub tools: Vec<String>,
}

impl Stage {
    /// The program of a tool.
    #[must_use]
    pub fn program(&self, tool: &str) -> PathBuf {
        self.folder.join(layout::binary(self.target, tool))
    }
}

/// Builds all tools and all their tests with one call of cargo, so that every dependency is built once, and stages the
/// tools under `target/stage`.
///
/// # Errors
/// When something does not build.
pub fn for_tests(root: &Path, target: Target) -> Result<Stage> {
    let host = dist::host_machine()?;
    for &need in target::needs(host, target) {
        needs::ensure(root, need)?;
    }
    let mut cargo = cargo_for_tests(root, target, "build")?;
    cargo.args(["--all-targets", "--message-format=json-render-diagnostics"]);
    stage(root, &root.join("target/stage"), target, &mut cargo)
}

/// Cargo with everything that makes a build and a test run share their work.
///
/// # Errors
/// On a machine for which nothing can be built.
pub fn cargo_for_tests(root: &Path, target: Target, task: &str) -> Result<Command> {
    let mut cargo = environment::cargo(root);
    cargo
        .args([
            task,
            "--locked",
            "--workspace",
            "--exclude",
            "xtask",
            "--profile",
            PROFILE,
        ])
        .args(["--target", target.triple()])
        .envs(target::build_environment(dist::host_machine()?, target))
        .env(
            "CARGO_ENCODED_RUSTFLAGS",
            rustflags(root, environment::cargo_home().as_deref(), target),
        );
    Ok(cargo)
}

/// Builds the tools for this machine as `cargo build` does, and stages them under `target/demo/stage`.
///
/// # Errors
/// When a tool does not build.
pub fn for_demo(root: &Path) -> Result<Stage> {
    let target = target::plain_host()?;
    let mut cargo = environment::cargo(root);
    cargo.args(["build", "--locked", "--message-format=json-render-diagnostics"]);
    for tool in tools::names(root)? {
        cargo.args(["--package", &tool]);
    }
    stage(root, &root.join("target/demo/stage"), target, &mut cargo)
}

/// Runs a build and puts what it made beside the actions.
fn stage(root: &Path, folder: &Path, target: Target, cargo: &mut Command) -> Result<Stage> {
    let output = cargo
        .stdin(Stdio::null())
        .stderr(Stdio::inherit())
        .output()
        .context("failed to start `cargo`")?;
    ensure!(output.status.success(), "the build failed");
    let tools = tools::names(root)?;
    if folder.exists() {
        std::fs::remove_dir_all(folder)
            .with_context(|| format!("failed to remove `{}`", folder.display()))?;
    }
    let stage = Stage {
        folder: folder.to_owned(),
        target,
        tools: tools.clone(),
    };
    for tool in &tools {
        let program = executable(&output.stdout, tool)
            .with_context(|| format!("cargo named no program for `{tool}`"))?;
        copy(&program, &stage.program(tool))?;
        git::make_executable(&stage.program(tool))?;
        let action = format!("actions/{tool}/action.yml");
        copy(&root.join(&action), &folder.join(&action))?;
    }
    for file in ["action.yml", "dist/launch.sh", "dist/setup.sh"] {
        copy(&root.join(file), &folder.join(file))?;
    }
    dist::write_records(folder, &Provenance::of_work_tree(root, PROFILE)?)?;
    Ok(stage)
}

/// Copies a file, its folder made first.
fn copy(from: &Path, to: &Path) -> Result<()> {
    if let Some(folder) = to.parent() {
        std::fs::create_dir_all(folder)
            .with_context(|| format!("failed to create `{}`", folder.display()))?;
    }
    std::fs::copy(from, to)
        .map(drop)
        .with_context(|| format!("failed to copy `{}` to `{}`", from.display(), to.display()))
}

/// A release tree made of the staged programs, in a scratch repository and unpacked beside it: what
/// `org/deploy-actions@v0` would be. Assembled and verified by the same code as a release.
///
/// # Errors
/// When it can't be made, or `verify` finds something.
pub fn release_tree(root: &Path, stage: &Stage) -> Result<PathBuf> {
    let scratch = root.join("target/release-tree");
    if scratch.exists() {
        std::fs::remove_dir_all(&scratch)
            .with_context(|| format!("failed to remove `{}`", scratch.display()))?;
    }
    let repository = scratch.join("repository");
    std::fs::create_dir_all(&repository)
        .with_context(|| format!("failed to create `{}`", repository.display()))?;
    command::read(
        Command::new("git")
            .args(["init", "--quiet"])
            .current_dir(&repository),
    )?;
    let tag = format!("v{}", env!("CARGO_PKG_VERSION"));
    crate::assemble::assemble(&crate::assemble::Request {
        repository: repository.clone(),
        dist: vec![stage.folder.join("dist")],
        tag: tag.parse()?,
        allow_gnu: true,
        work_tree: Some(root.to_owned()),
    })?;
    let report = crate::verify::verify(&crate::verify::Request {
        repository: repository.clone(),
        reference: tag.clone(),
        allow_gnu: true,
        any_size: true,
    })?;
    ensure!(
        report.findings.is_empty(),
        "the release tree is no good: {}",
        report
            .findings
            .iter()
            .map(ToString::to_string)
            .collect::<Vec<_>>()
            .join("; ")
    );
    let tree = scratch.join("tree");
    std::fs::create_dir_all(&tree).with_context(|| format!("failed to create `{}`", tree.display()))?;
    git::Repository::open(&repository)?.extract(&tag, &tree)?;
    Ok(tree)
}
