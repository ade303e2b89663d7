//! `cargo xtask bench`: what the tools cost beside the programs that people use instead, on this machine and now.
//!
//! It prints and never judges: a time depends on the machine, a ratio in one interleaved loop much less. Limits: the time of
//! a run includes starting the process, from this one; a server's own work is in the time of both sides.

use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result, ensure};

use crate::needs::{self, PYTHON};
use crate::{console, dist, environment, layout, target, tools};

pub mod image_tag;
pub mod looks;
pub mod measure;
pub mod memory;
pub mod peer;
pub mod publish;
pub mod quick;
pub mod report;
pub mod subject;
pub mod switch;
pub mod tell;
pub mod waits;
pub mod work;

use peer::Peers;
use report::Measured;
use work::Stage;

/// The cargo profile of what ships; the budget is its.
const RELEASE_PROFILE: &str = "dist";

/// Builds the tools for this machine, all where none is named, measures them, and prints the tables. `metadata_action`: the
/// bundle of docker/metadata-action to compare `image-tag` with.
///
/// # Errors
/// When there is no such tool, one does not build, or a command that is measured fails.
pub fn run(
    root: &Path,
    asked: &[String],
    profile: &str,
    runs: u32,
    metadata_action: Option<&Path>,
) -> Result<()> {
    // Cargo knows better than a look at `dist/` whether what lies there is still what would be built.
    let built = dist::build(&dist::Plan {
        root: root.to_owned(),
        tools: tools::select(&tools::names(root)?, asked)?,
        targets: vec![target::host(root)?],
        profile: profile.to_owned(),
    })?;
    let programs: Vec<(String, PathBuf)> = built
        .iter()
        .map(|one| (one.tool.clone(), root.join(layout::binary(one.target, &one.tool))))
        .collect();
    let peers = Peers::find(metadata_action)?;
    let scratch = tempfile::tempdir().context("failed to create a scratch folder")?;
    console::line(format!(
        "profile {profile}, {runs} interleaved runs of each command after one that is not counted"
    ));
    console::line("times: fork to wait; cpu: user and system, median, by getrusage; peak: VmHWM at exit");

    show(work::start_up(&programs, &peers, scratch.path()), runs)?;
    for (tool, program) in &programs {
        for stage in work::real(tool, program, &peers, root, scratch.path())? {
            show(stage, runs)?;
        }
        if tool == "health-gate" {
            for stage in looks::stages(program, &peers, scratch.path())? {
                show_looks(&stage);
            }
        }
        if tool == "ecs-deploy" {
            show_waits(root, program, scratch.path());
        }
        if tool == "s3-cdn-publish" {
            show_publishes(root, program, scratch.path(), runs);
        }
        if tool == "notify" {
            show_many(program, &peers, scratch.path());
        }
        if tool == "k8s-blue-green" {
            show_switches(root, program, scratch.path(), runs);
        }
    }
    console::line(format!("\nsizes, profile {profile}"));
    console::line(report::sizes(&built));
    if profile == RELEASE_PROFILE {
        console::line(report::budget(&built));
    } else {
        console::line(format!(
            "`dist/` now holds programs of profile {profile}, which do not ship: `cargo xtask dist` builds those that do"
        ));
    }
    Ok(())
}

/// Measures what looks cost, once, and prints the tables. Memory is measured with it, which some machines deny.
fn show_looks(stage: &looks::Stage) {
    console::line(format!("\n{}", stage.title));
    match stage.run() {
        Ok(seen) => {
            console::line(report::looks(&seen));
            if let Some(ratios) = report::look_ratios(&seen) {
                console::line(ratios);
            }
        }
        Err(error) => console::line(format!("not measured: {error:#}")),
    }
}

/// Measures who says first that a service is stable, and prints the tables. Takes two minutes.
fn show_waits(root: &Path, program: &Path, home: &Path) {
    let aws = match needs::ensure(root, PYTHON) {
        Ok(python) => python.program.with_file_name("aws"),
        Err(missing) => return console::line(format!("skipped: aws ({})", missing.reason)),
    };
    console::line(
        "\necs-deploy: from the moment that a service is stable to the word of who waits for it, in real time",
    );
    match waits::watched(program, &aws, home) {
        Ok(both) => console::line(waits::delays(&both)),
        Err(error) => console::line(format!("not measured: {error:#}")),
    }
    console::line("\necs-deploy: a service of 200 tasks and 100 events, a deploy beside one look");
    match waits::large(program, &aws, home) {
        Ok(both) => console::line(waits::costs(&both)),
        Err(error) => console::line(format!("not measured: {error:#}")),
    }
}

/// Measures one message to many receivers, and prints the tables. Takes twenty seconds.
fn show_many(program: &Path, peers: &Peers, scratch: &Path) {
    console::line("\nnotify: 20 receivers on loopback, of which one says nothing, with a budget of 5 s");
    match tell::many(program, peers, scratch) {
        Ok(all) => console::line(tell::table(&all)),
        Err(error) => console::line(format!("not measured: {error:#}")),
    }
}

/// How many rounds of publishes there are at most: one takes a minute with all peers.
const PUBLISHES: u32 = 3;

/// Measures what publishing a site costs, and prints the tables. Takes some minutes.
fn show_publishes(root: &Path, program: &Path, scratch: &Path, runs: u32) {
    let or_skip = |name: &str, found: Option<PathBuf>| {
        if found.is_none() {
            console::line(format!(
                "skipped: {name} (name it by DEPLOY_ACTIONS_BENCH_{})",
                name.to_ascii_uppercase()
            ));
        }
        found
    };
    let wheels = || Some(needs::ensure(root, PYTHON).ok()?.program.with_file_name("aws"));
    let peers = publish::Peers {
        aws: or_skip("aws", environment::find_peer("aws").or_else(wheels)),
        s5cmd: or_skip("s5cmd", environment::find_peer("s5cmd")),
        rclone: or_skip("rclone", environment::find_peer("rclone")),
    };
    match publish::measured(program, &peers, scratch, runs.clamp(1, PUBLISHES)) {
        Ok(stages) => {
            for (title, runs) in stages {
                console::line(format!("\n{title}"));
                console::line(publish::absolute(&runs));
                if let Some(ratios) = publish::ratios(&runs) {
                    console::line(ratios);
                }
            }
        }
        Err(error) => console::line(format!("s3-cdn-publish: not measured: {error:#}")),
    }
}

/// How many rounds of deploys there are at most: one takes half a minute.
const SWITCHES: u32 = 5;

/// Measures what a deploy and a way back cost in a cluster, and prints the tables.
fn show_switches(root: &Path, program: &Path, scratch: &Path, runs: u32) {
    let wheels = || {
        let python = needs::ensure(root, PYTHON).ok()?.program;
        Some(python.with_file_name("kubectl")).filter(|kubectl| kubectl.is_file())
    };
    let kubectl = environment::find_peer("kubectl").or_else(wheels);
    if kubectl.is_none() {
        console::line("skipped: kubectl (name it by DEPLOY_ACTIONS_BENCH_KUBECTL)");
    }
    console::line("\nk8s-blue-green: 3 pods, a deploy and the way back, beside a script with kubectl");
    match switch::measured(program, kubectl.as_deref(), scratch, runs.clamp(1, SWITCHES)) {
        Ok(runs) => console::line(switch::table(&runs)),
        Err(error) => console::line(format!("not measured: {error:#}")),
    }
    console::line("\nk8s-blue-green: a deploy of 100 pods in a namespace that has 500 then");
    match switch::large(program, scratch) {
        Ok((peak, took)) => console::line(format!(
            "peak {:.1} MB, {:.1} s",
            report::as_f64(peak) / 1e6,
            took.as_secs_f64()
        )),
        Err(error) => console::line(format!("not measured: {error:#}")),
    }
}

/// Measures one stage and prints its tables.
fn show(stage: Stage, runs: u32) -> Result<()> {
    console::line(format!("\n{}", stage.title));
    let before = stage.requests();
    let samples = measure::interleaved(&stage.subjects, runs)?;
    if let (Some(before), Some(after)) = (before, stage.requests()) {
        // Who asked less or more than once has done other work than the others.
        let wanted = (runs as usize + 1) * stage.subjects.len();
        ensure!(
            after - before == wanted,
            "the server was asked {} times instead of {wanted}",
            after - before
        );
    }
    let mut measured = Vec::new();
    for (subject, samples) in stage.subjects.iter().zip(samples) {
        let peak = memory::peak(subject)
            .inspect_err(|error| {
                console::line(format!("peak of `{}` is not measured: {error:#}", subject.name));
            })
            .ok();
        measured.push(Measured {
            subject: subject.clone(),
            samples,
            peak,
        });
    }
    console::line(report::absolute(&measured));
    if let Some(ratios) = report::ratios(&measured) {
        console::line(ratios);
    }
    Ok(())
}
