//! The command line of `cargo xtask`.

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::{Result, bail};
use clap::{Args, Parser, Subcommand};

use crate::layout::Tag;
use crate::target::{self, RELEASED, Target};
use crate::{
    actions, assemble, bench, console, demo, dist, environment, peers, servers, size, stage, test, tools,
    verify,
};

#[derive(Debug, Parser)]
#[command(
    name = "cargo xtask",
    about = "Build, assemble and check a release of the tools"
)]
struct Cli {
    #[command(subcommand)]
    command: Task,
}

#[derive(Debug, Subcommand)]
enum Task {
    /// Run a deploy chain on this machine: image-tag, health-gate, notify, with stand-ins on loopback
    Demo(DemoArgs),
    /// Run all checks and tests
    Test,
    /// Get the servers that tests start, and print the file for DEPLOY_ACTIONS_SERVERS that names them
    Servers,
    /// Compare every `action.yml` with its program
    CheckActions(CheckActionsArgs),
    /// Build static programs into `dist/<target>/` and print their sizes
    Dist(DistArgs),
    /// Make the release tree as a commit on `releases/v<major>`, and its tag; touches no work tree
    Assemble(AssembleArgs),
    /// Check the release tree of a ref and list every finding
    Verify(VerifyArgs),
    /// Measure start-up, real work and sizes of the tools beside programs that people use instead
    Bench(BenchArgs),
    /// Check dependencies against the advisory database (takes the network)
    Advisories,
}

#[derive(Debug, Args)]
struct DemoArgs {
    /// Let the new version answer with errors: the gate fails, and the exit status is 3
    #[arg(long = "break")]
    broken: bool,
}

#[derive(Debug, Args)]
struct CheckActionsArgs {
    /// Write the files anew instead
    #[arg(long)]
    write: bool,
}

#[derive(Debug, Args)]
struct DistArgs {
    /// Tools to build [default: all under `actions/`]
    #[arg(value_name = "TOOL")]
    tools: Vec<String>,
    /// Build for this target; may be given more than once [default: this machine]
    #[arg(long = "target", value_name = "TARGET", conflicts_with_all = ["all", "host"])]
    targets: Vec<Target>,
    /// Build for both targets of a release, and run each program once (arm64 under qemu)
    #[arg(long, conflicts_with = "host")]
    all: bool,
    /// Run each program once when all are built
    #[arg(long)]
    run: bool,
    /// Build for this machine: musl where it can be had, else glibc with crt-static
    #[arg(long)]
    host: bool,
    /// Build with this cargo profile
    #[arg(long, value_name = "NAME", default_value = "dist")]
    profile: String,
}

#[derive(Debug, Args)]
struct AssembleArgs {
    /// The release, such as `v1.2.3`; its version is the workspace's
    #[arg(value_name = "TAG")]
    tag: Tag,
    /// Take glibc binaries and whatever Linux targets there are (for tests)
    #[arg(long)]
    allow_gnu: bool,
    /// Repository that holds the source commit and gets the release [default: this one]
    #[arg(long, value_name = "DIR")]
    repo: Option<PathBuf>,
    /// Folder that `dist` has filled; may be given once for each machine that built [default: `dist`]
    #[arg(long, value_name = "DIR")]
    dist: Vec<PathBuf>,
    /// Take the sources from this folder as they stand, committed or not (for tests)
    #[arg(long, value_name = "DIR")]
    work_tree: Option<PathBuf>,
}

#[derive(Debug, Args)]
struct VerifyArgs {
    /// A tag, branch or commit
    #[arg(value_name = "REF")]
    reference: String,
    /// Accept glibc binaries and a missing target (for tests)
    #[arg(long)]
    allow_gnu: bool,
    /// Repository that holds the ref and its source commit [default: this one]
    #[arg(long, value_name = "DIR")]
    repo: Option<PathBuf>,
}

#[derive(Debug, Args)]
struct BenchArgs {
    /// Tools to build and measure [default: all under `actions/`]
    #[arg(value_name = "TOOL")]
    tools: Vec<String>,
    /// Build with this cargo profile; only `dist` is what ships
    #[arg(long, value_name = "NAME", default_value = "dist", value_parser = ["dist", "e2e"])]
    profile: String,
    /// How often each command is run
    #[arg(long, value_name = "COUNT", default_value_t = 200, value_parser = clap::value_parser!(u32).range(1..=100_000))]
    runs: u32,
    /// `dist/index.cjs` of docker/metadata-action, to compare `image-tag` with
    #[arg(long, value_name = "FILE")]
    metadata_action: Option<PathBuf>,
}

/// Parses the arguments, does what they say, and prints an error as one line.
#[must_use]
pub fn main() -> ExitCode {
    // Usage shows the command that a person typed, not the program behind it.
    let words = std::iter::once("cargo xtask".into()).chain(std::env::args_os().skip(1));
    let cli = match Cli::try_parse_from(words) {
        Ok(cli) => cli,
        Err(usage) => {
            // Nobody is left to tell when the terminal is gone.
            let _ = usage.print();
            return if usage.use_stderr() {
                ExitCode::from(2)
            } else {
                ExitCode::SUCCESS
            };
        }
    };
    match run(cli.command) {
        Ok(code) => code,
        Err(error) => {
            console::error(&error);
            ExitCode::FAILURE
        }
    }
}

fn run(task: Task) -> Result<ExitCode> {
    let done = |()| ExitCode::SUCCESS;
    match task {
        Task::Demo(args) => run_demo(&args),
        Task::Test => run_test(),
        Task::Servers => get_servers().map(done),
        Task::CheckActions(args) => run_check_actions(&args).map(done),
        Task::Dist(args) => run_dist(args).map(done),
        Task::Assemble(args) => run_assemble(args).map(done),
        Task::Verify(args) => run_verify(args).map(done),
        Task::Bench(args) => run_bench(&args).map(done),
        Task::Advisories => peers::advisories(&environment::workspace_root()?).map(|_| ExitCode::SUCCESS),
    }
}

fn get_servers() -> Result<()> {
    let root = environment::workspace_root()?;
    let mut servers = servers::Servers::default();
    servers.get(&root)?;
    console::line(servers.write(&root)?.display());
    Ok(())
}

fn run_demo(args: &DemoArgs) -> Result<ExitCode> {
    let root = environment::workspace_root()?;
    let stage = stage::for_demo(&root)?;
    demo::show(&root, &stage, args.broken).map(ExitCode::from)
}

fn run_test() -> Result<ExitCode> {
    let passed = test::run(&environment::workspace_root()?)?;
    Ok(if passed {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    })
}

fn run_check_actions(args: &CheckActionsArgs) -> Result<()> {
    let root = environment::workspace_root()?;
    let stage = stage::for_demo(&root)?;
    actions::check(&root, &stage.tools, |tool| stage.program(tool), args.write)
}

fn run_bench(args: &BenchArgs) -> Result<()> {
    bench::run(
        &environment::workspace_root()?,
        &args.tools,
        &args.profile,
        args.runs,
        args.metadata_action.as_deref(),
    )
}

fn run_dist(args: DistArgs) -> Result<()> {
    let root = environment::workspace_root()?;
    let targets = match (args.all, args.targets.is_empty()) {
        (true, _) => RELEASED.to_vec(),
        (false, true) => vec![target::host(&root)?],
        (false, false) => args.targets,
    };
    let tools = tools::select(&tools::names(&root)?, &args.tools)?;
    let built = dist::build(&dist::Plan {
        root: root.clone(),
        tools,
        targets,
        profile: args.profile,
    })?;
    if args.all || args.run {
        dist::try_out(&root, &built)?;
    }
    console::line(dist::table(&built));
    Ok(())
}

fn run_assemble(args: AssembleArgs) -> Result<()> {
    let root = environment::workspace_root()?;
    let release = assemble::assemble(&assemble::Request {
        repository: args.repo.unwrap_or_else(|| root.clone()),
        dist: if args.dist.is_empty() {
            vec![root.join("dist")]
        } else {
            args.dist
        },
        tag: args.tag,
        allow_gnu: args.allow_gnu,
        work_tree: args.work_tree,
    })?;
    console::line(format!(
        "{} is {} on {}",
        release.tag, release.commit, release.branch
    ));
    console::line(format!("made from {}", release.source));
    Ok(())
}

fn run_verify(args: VerifyArgs) -> Result<()> {
    let repository = match args.repo {
        Some(folder) => folder,
        None => environment::workspace_root()?,
    };
    let request = verify::Request {
        repository,
        reference: args.reference,
        allow_gnu: args.allow_gnu,
        any_size: false,
    };
    let report = verify::verify(&request)?;
    for finding in &report.findings {
        console::line(finding);
    }
    let count = report.findings.len();
    if count > 0 {
        bail!(
            "`{}` is no good release: {count} {}",
            request.reference,
            if count == 1 { "finding" } else { "findings" }
        );
    }
    console::line(format!(
        "`{}` is good: {} files, {} bytes as gzip of at most {}",
        request.reference,
        report.files,
        size::grouped(report.gzip),
        size::grouped(size::TREE_BUDGET)
    ));
    Ok(())
}
