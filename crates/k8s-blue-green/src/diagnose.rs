//! `diagnose`: why pods do not become ready, in one block; the same block ends every failed deploy.

use gha::outcome::Outcome;
use gha::summary::Summary;
use gha::{Exit, Failure, Status, markdown, text};

use crate::cli;
use crate::place::Place;
use crate::workload::Workload;

pub mod bundle;
pub mod collect;
pub mod judge;
pub mod pod;
pub mod redact;
pub mod show;
pub mod tail;

pub use collect::{About, Facts, collect};
pub use judge::{Findings, findings};
pub use tail::Tail;

/// Looks, and says what was found. Whatever that is, it is no failure.
///
/// # Errors
/// When a flag names nothing that there is, or it can't be looked.
pub async fn at(flags: &cli::Diagnose, place: &Place<'_>) -> Result<Outcome, Failure> {
    let about = about(&flags.target)?;
    let runner = place.runner;
    let facts = runner.cancel().guard(collect(place, &about)).await?;
    if facts.workloads.is_empty() && facts.services.is_empty() {
        return Err(nothing(&facts));
    }
    let found = findings(&facts, runner.now());
    let named: Vec<String> = about
        .workloads
        .iter()
        .map(|(kind, name)| format!("{}/{}", kind.kind.to_lowercase(), text::line(name)))
        .chain(
            about
                .services
                .iter()
                .map(|name| format!("service/{}", text::line(name))),
        )
        .collect();
    let what = named.join(", ");
    runner.group(&format!("{what} in namespace {}", text::line(&place.namespace)));
    found.lines().iter().for_each(|line| runner.info(line));
    runner.end_group();
    let headline = match found.cause() {
        Some(cause) => format!("`{what}`: {cause}"),
        None => format!("`{what}`: nothing is wrong that can be seen"),
    };
    runner.info(&headline);
    let mut outcome = Outcome::new(Status::Done, headline).target(place.target(&what));
    if let Some(path) = &flags.bundle {
        let failed = |why: String| {
            Failure::new(Exit::Usage, why).help("name a file in a folder that can be written to")
        };
        let bytes =
            bundle::archive(&facts, &found, runner.now()).map_err(|error| failed(error.to_string()))?;
        gha::edge::files::write_file(path, &bytes).map_err(|error| failed(error.to_string()))?;
        let shown = text::line(&path.display().to_string());
        runner.info(&format!("wrote {} KiB to `{shown}`", bytes.len().div_ceil(1024)));
        outcome = outcome.fact("bundle", shown);
    }
    let mut summary = Summary::default();
    summary.push(format!("### {}\n", markdown::plain(&outcome.headline)));
    found.summary(&mut summary);
    runner.summary(&summary);
    outcome = outcome.fact("namespace", text::line(&place.namespace));
    // It changed nothing: nobody should take it for a deploy.
    outcome.dry_run = true;
    Ok(outcome)
}

/// What the flags name.
///
/// # Errors
/// When they name nothing, or no workload.
pub fn about(target: &cli::Target) -> Result<About, Failure> {
    let workloads = target.workload.iter().map(|text| Workload::parse(text));
    let workloads: Result<Vec<Workload>, _> = workloads.collect();
    let workloads = workloads.map_err(|error| Failure::new(Exit::Usage, format!("`--workload`: {error}")))?;
    if workloads.is_empty() && target.service.is_empty() {
        return Err(Failure::new(Exit::Usage, "nothing is named to look at")
            .help("name it with `--service web` or `--workload deployment/web`"));
    }
    Ok(About {
        workloads: workloads
            .into_iter()
            .map(|one| (one.sort.kind(), one.name))
            .collect(),
        services: target.service.clone(),
    })
}

fn nothing(facts: &Facts) -> Failure {
    match &facts.refused {
        Some(refused) => Failure::new(Exit::Access, refused.clone()).help(
            "check the credentials and the role: docs/k8s-blue-green.md has the least one for each command",
        ),
        None => Failure::new(Exit::Usage, facts.missing.join("; "))
            .help("check `--service`, `--workload` and `--namespace`"),
    }
}
