//! What passed, failed and was skipped, over all checks and test programs of a run.

use std::io::{BufRead as _, BufReader};
use std::process::{Command, Stdio};
use std::time::Instant;

use anyhow::{Context as _, Result};

use crate::console;

/// The counts of a run.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Tally {
    passed: u64,
    failed: u64,
    skipped: u64,
    failures: Vec<String>,
}

impl Tally {
    /// Runs one check, says how long it took, and counts it. `Ok(false)` is a skip, which has been said already.
    pub fn check(&mut self, name: &str, check: impl FnOnce() -> Result<bool>) {
        console::line(format!("\n== {name}"));
        let begin = Instant::now();
        let word = match check() {
            Ok(true) => {
                self.passed += 1;
                "passed"
            }
            Ok(false) => {
                self.skipped += 1;
                "skipped"
            }
            Err(error) => {
                console::error(&error);
                self.failed += 1;
                self.failures.push(name.to_owned());
                "failed"
            }
        };
        console::line(format!("{name}: {word} in {:.0?}", begin.elapsed()));
    }

    /// Runs `cargo test`, shows its output as it comes, and counts what it counts.
    pub fn cargo_test(&mut self, name: &str, cargo: &mut Command) {
        console::line(format!("\n== {name}"));
        let counted = self.stream(cargo);
        match counted {
            Ok(true) => {}
            Ok(false) => self.failures.push(name.to_owned()),
            Err(error) => {
                console::error(&error);
                self.failed += 1;
                self.failures.push(name.to_owned());
            }
        }
    }

    fn stream(&mut self, cargo: &mut Command) -> Result<bool> {
        let mut child = cargo
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .spawn()
            .context("failed to start `cargo`")?;
        let failed_before = self.failed;
        if let Some(stdout) = child.stdout.take() {
            for line in BufReader::new(stdout).split(b'\n') {
                let line = line.context("failed to read what the tests print")?;
                let line = String::from_utf8_lossy(&line);
                self.count(&line);
                console::line(line);
            }
        }
        let good = child.wait().context("failed to wait for `cargo`")?.success();
        if !good && self.failed == failed_before {
            // It did not build, or a test program died.
            self.failed += 1;
        }
        Ok(good)
    }

    /// Counts a line such as `test result: ok. 3 passed; 0 failed; 1 ignored; …`.
    fn count(&mut self, line: &str) {
        let Some((_, counts)) = line
            .strip_prefix("test result: ")
            .and_then(|rest| rest.split_once(". "))
        else {
            return;
        };
        for part in counts.split("; ") {
            let Some((number, word)) = part.split_once(' ') else {
                continue;
            };
            let Ok(number) = number.parse::<u64>() else {
                continue;
            };
            match word {
                "passed" => self.passed += number,
                "failed" => self.failed += number,
                "ignored" => self.skipped += number,
                _ => {}
            }
        }
    }

    /// Prints the closing lines: what failed by name, and the counts.
    pub fn close(&self) {
        console::line("");
        for failure in &self.failures {
            console::line(format!("failed: {failure}"));
        }
        console::line(format!(
            "{} passed, {} failed, {} skipped",
            self.passed, self.failed, self.skipped
        ));
    }

    /// Whether nothing failed.
    #[must_use]
    pub fn is_good(&self) -> bool {
        self.failed == 0 && self.failures.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_what_cargo_counts() {
        let mut tally = Tally::default();
        for line in [
            "running 4 tests",
            "test result: ok. 3 passed; 0 failed; 1 ignored; 0 measured; 2 filtered out; finished in 0.01s",
            "test result: FAILED. 5 passed; 2 failed; 0 ignored; 0 measured; 0 filtered out; finished in 0.01s",
        ] {
            tally.count(line);
        }
        assert_eq!((tally.passed, tally.failed, tally.skipped), (8, 2, 1));
    }

    #[test]
    fn a_program_that_dies_without_a_result_is_a_failure() {
        let mut tally = Tally::default();
        let good = tally.stream(Command::new("sh").args(["-c", "exit 101"])).unwrap();
        assert_eq!((good, tally.failed, tally.is_good()), (false, 1, false));
    }
}
