//! The files of a run: report and JUnit.

use std::path::{Path, PathBuf};

use gha::edge::files::write_file;
use gha::env::Env;
use gha::{Exit, Failure, Runner, text};

use crate::asked::Asked;
use crate::cli::Results;
use crate::report::Report;

/// What became of the files.
#[derive(Default)]
pub(super) struct Files {
    /// Where the report was written.
    pub(super) report: Option<PathBuf>,
    /// Why a file that was asked for was not.
    pub(super) unwritten: Option<String>,
}

/// Writes the files.
pub(super) fn write_files(asked: &Asked, report: &Report, runner: &Runner) -> Files {
    let masker = runner.writer().masker().clone();
    let mut files = Files::default();
    if let Some(path) = report_path(&asked.results, runner) {
        let json = report.json(&masker).unwrap_or_default();
        match write_file(&path, &json) {
            Ok(()) => files.report = Some(path),
            Err(error) if asked.results.report.is_some() => files.unwritten = Some(error.to_string()),
            Err(error) => runner.warn(&error.to_string()),
        }
    }
    if let Some(path) = &asked.results.junit
        && let Err(error) = write_file(path, report.junit(&masker).as_bytes())
    {
        files.unwritten = Some(error.to_string());
    }
    files
}

/// Where the report goes: where it was asked for, else in a runner to a file of the step.
pub(crate) fn report_path(results: &Results, runner: &Runner) -> Option<PathBuf> {
    if let Some(path) = &results.report {
        return Some(path.clone());
    }
    let path = of_step(runner.env())?;
    std::fs::create_dir_all(path.parent()?).ok()?;
    Some(path)
}

/// The file of a step in a runner.
pub(crate) fn of_step(env: &Env) -> Option<PathBuf> {
    let folder = PathBuf::from(env.get("RUNNER_TEMP")?).join("deploy-actions");
    let step = env.get("GITHUB_ACTION").unwrap_or("run");
    let step: String = step
        .chars()
        .map(|c| {
            if c.is_ascii_alphanumeric() || c == '-' {
                c
            } else {
                '_'
            }
        })
        .take(80)
        .collect();
    Some(folder.join(format!("health-gate-{step}.json")))
}

/// Whether report and JUnit file are asked for in one place, where one would take the place of the other.
pub(crate) fn share_a_file(results: &Results) -> bool {
    let (Some(report), Some(junit)) = (&results.report, &results.junit) else {
        return false;
    };
    let place = |path: &Path| {
        let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty());
        let folder = folder.unwrap_or(Path::new("."));
        let folder = folder.canonicalize().unwrap_or_else(|_| folder.to_owned());
        path.file_name().map(|name| folder.join(name))
    };
    report == junit || place(report).is_some_and(|report| Some(report) == place(junit))
}

/// Files that are to be written must have a place each, in folders that are there, before anything is looked at.
///
/// # Errors
/// When one has not.
pub fn check_places(asked: &Asked) -> Result<(), Failure> {
    if share_a_file(&asked.results) {
        let reason = "`--report` and `--junit` name the same file";
        return Err(Failure::new(Exit::Usage, reason).help("give each a file of its own"));
    }
    for path in asked.results.report.iter().chain(&asked.results.junit) {
        let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty());
        if folder.is_some_and(|folder| !folder.is_dir()) {
            let shown = text::cut(&text::visible(&path.display().to_string()), 200);
            return Err(Failure::new(
                Exit::Usage,
                format!("`{shown}` can't be written: its folder does not exist"),
            )
            .help("make the folder first, or name another"));
        }
    }
    Ok(())
}
