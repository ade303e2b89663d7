//! A run that ended before it looked at anything still has a report, where one was to be written: the file of an earlier
//! run would be read by a later step as the verdict of this one.

use std::fs::File;
use std::io::Read as _;
use std::path::{Path, PathBuf};

use gha::edge::files::write_file;
use gha::env::Env;
use gha::failure::chain;
use gha::{Failure, Runner};

use crate::cli::{Command, INTERFACE, Results};
use crate::publish::{of_step, report_path, share_a_file};
use crate::report::{Account, Report, Run, SCHEMA};

/// How far into a file its kind can be told.
const HEAD: u64 = 256;

/// Removes the report and the JUnit file of an earlier run that a command line names which could not be parsed. Only files
/// that this program wrote: what such a line means is a guess.
pub fn forget(words: &[String], env: &Env) {
    let is_dry =
        words.iter().any(|word| word == "--dry-run") || env.get("INPUT_DRY_RUN").is_some_and(is_true);
    if is_dry {
        return;
    }
    let given = [("--report", "INPUT_REPORT"), ("--junit", "INPUT_JUNIT")]
        .into_iter()
        .filter_map(|(flag, input)| named(words, flag).or_else(|| env.get(input).map(str::trim)))
        .map(PathBuf::from);
    for path in given.chain(of_step(env)) {
        if is_ours(&path) {
            // The run fails already, and for another reason.
            let _ = std::fs::remove_file(path);
        }
    }
}

fn is_true(value: &str) -> bool {
    value.trim().eq_ignore_ascii_case("true")
}

/// The value of a flag, behind it or behind its `=`.
fn named<'w>(words: &'w [String], flag: &str) -> Option<&'w str> {
    let joined = words
        .iter()
        .find_map(|word| word.strip_prefix(flag)?.strip_prefix('='));
    let behind = || {
        words
            .windows(2)
            .find(|pair| pair[0] == flag)
            .map(|pair| pair[1].as_str())
    };
    joined.or_else(behind)
}

/// Whether a file is a report, or a JUnit file, of this program.
fn is_ours(path: &Path) -> bool {
    let mut head = Vec::new();
    // What is no file, such as a pipe, may never end, or wait for a writer.
    let is_file = path.symlink_metadata().is_ok_and(|found| found.is_file());
    let mut read = || File::open(path)?.take(HEAD).read_to_end(&mut head);
    if !is_file || read().is_err() {
        return false;
    }
    let head = String::from_utf8_lossy(&head);
    head.contains(&format!("\"schema\": \"{SCHEMA}\"")) || head.contains("<testsuites name=\"health-gate\"")
}

/// What becomes of the result of a command; none where it gives no verdict.
#[must_use]
pub fn results(command: &Command) -> Option<Results> {
    match command {
        Command::Wait(flags) => Some(flags.result.clone()),
        Command::Watch(flags) => Some(flags.result.clone()),
        Command::Run(flags) => Some(flags.result.clone()),
        Command::Check(flags) => Some(flags.result.clone()),
        Command::Validate(_) | Command::Schema => None,
    }
}

/// Writes why there is no verdict to the files that a verdict would have been in. A file that can't be written is told
/// only, for the run has failed already.
pub fn write(results: &Results, failure: &Failure, runner: &Runner) {
    // A run that looked has told its verdict; a dry run has none.
    if results.dry_run || failure.outcome.facts.contains_key("verdict") {
        return;
    }
    let run = Run {
        version: INTERFACE.version.to_owned(),
        trace_id: runner.trace().to_string(),
        started_at: runner.started_at(),
        took: runner.elapsed(),
        target: String::new(),
        environment: results.environment.clone(),
        config_hash: None,
        cut: None,
    };
    let report = Report::of(&run, Account::unmeasured(&chain(failure.error.as_ref())));
    let masker = runner.writer().masker().clone();
    let json = report_path(results, runner).map(|path| (path, report.json(&masker).unwrap_or_default()));
    // Of two in one place the report is the one that later steps read.
    let junit = results.junit.clone().filter(|_| !share_a_file(results));
    let junit = junit.map(|path| (path, report.junit(&masker).into_bytes()));
    for (path, content) in json.into_iter().chain(junit) {
        if let Err(error) = write_file(&path, &content) {
            runner.info(&error.to_string());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_this_program_wrote_is_removed() {
        let folder = tempfile::tempdir().unwrap();
        let file = |name: &str, content: &str| {
            let path = folder.path().join(name);
            std::fs::write(&path, content).unwrap();
            path.display().to_string()
        };
        let report = || file("report.json", &format!("{{\n  \"schema\": \"{SCHEMA}\",\n"));
        let junit = || {
            file(
                "junit.xml",
                "<?xml version=\"1.0\"?>\n<testsuites name=\"health-gate\" tests=\"1\">",
            )
        };
        let other = file("other.json", "{\"schema\": \"mine\"}");
        let left = |words: &[&str], env: &[(&str, &str)]| {
            let (report, junit) = (report(), junit());
            let words: Vec<String> = words.iter().map(|word| word.replace("REPORT", &report)).collect();
            let env: Env = env.iter().map(|(name, value)| (*name, *value)).collect();
            forget(&words, &env);
            [&report, &junit, &other].map(|path| Path::new(path).exists())
        };
        assert_eq!(
            left(&["wait", "--report", "REPORT", "--nope"], &[]),
            [false, true, true]
        );
        assert_eq!(
            left(&["wait", "--report=REPORT", "--nope"], &[]),
            [false, true, true]
        );
        assert_eq!(
            left(&["wait", "--dry-run", "--report=REPORT"], &[]),
            [true, true, true]
        );
        assert_eq!(left(&["wait", "--report"], &[]), [true, true, true]);
        let junit = folder.path().join("junit.xml").display().to_string();
        let env = [("INPUT_REPORT", other.as_str()), ("INPUT_JUNIT", &junit)];
        assert_eq!(left(&["wait"], &env), [true, false, true]);
        let dry = [("INPUT_DRY_RUN", "True"), ("INPUT_JUNIT", &junit)];
        assert_eq!(left(&["wait"], &dry), [true, true, true]);
        assert_eq!(
            left(&["--report", &folder.path().display().to_string()], &[]),
            [true, true, true]
        );
    }
}
