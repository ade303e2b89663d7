//! A program that looks for itself: exit 0 is good. It is started without a shell, in our folder and environment, with
//! nothing to read, and its whole process group is ended with the look.

use std::io::ErrorKind;
use std::os::unix::process::ExitStatusExt as _;
use std::path::Path;
use std::time::Duration;

use gha::edge::process::{Ended, ProcessError, last_words};
use gha::mask::Masker;
use gha::text;
use regex::Regex;

use crate::expect::quoted;
use crate::expression::{Expression, Unjudged};
use crate::finding::{FaultKind, Finding};
use crate::probe::{Look, Looking, Probe};
use crate::trouble::{About, Trouble};

/// How much is kept of the end of each stream, in bytes.
pub(crate) const KEPT: usize = 64 * 1024;

/// How much of the end of what it said is quoted, and how much is shown, in characters.
const QUOTED: usize = 160;
const SHOWN: usize = 512;

/// A program and what it must print.
#[derive(Clone, Debug)]
pub struct Exec {
    program: String,
    arguments: Vec<String>,
    output: Vec<Output>,
    shown: String,
    masker: Hidden,
}

/// What standard output must be. Judged is its last 64 KiB.
#[derive(Clone, Debug)]
pub enum Output {
    /// It contains this text.
    Contains(String),
    /// This pattern matches somewhere in it.
    Matches(Regex),
    /// It is JSON for which this holds.
    Json(Expression),
}

/// A masker whose secrets are not shown.
#[derive(Clone)]
struct Hidden(Masker);

impl std::fmt::Debug for Hidden {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("…")
    }
}

impl Exec {
    /// A program and its arguments. What `masker` knows is hidden in all that is said of its output.
    #[must_use]
    pub fn new(program: &str, arguments: &[String], output: Vec<Output>, masker: Masker) -> Self {
        Self {
            program: program.to_owned(),
            arguments: arguments.to_vec(),
            output,
            shown: format!("exec {}", name(program)),
            masker: Hidden(masker),
        }
    }

    /// What its end tells.
    fn judge(&self, ended: &Ended) -> Look {
        let masker = &self.masker.0;
        let finding = if ended.status.success() {
            let fault = self
                .output
                .iter()
                .find_map(|output| output.fault(&ended.stdout, masker));
            fault.unwrap_or(Finding::Good)
        } else {
            Finding::bad(FaultKind::Program, ending(&self.program, ended, masker))
        };
        Look::without_answer(finding).showing(end(words(ended), SHOWN, masker))
    }
}

impl Output {
    fn fault(&self, stdout: &[u8], masker: &Masker) -> Option<Finding> {
        let said = String::from_utf8_lossy(stdout);
        let instead = || match end(stdout, QUOTED, masker) {
            nothing if nothing.is_empty() => "it prints nothing".to_owned(),
            end => format!("it ends with `{end}`"),
        };
        let reason = match self {
            Self::Contains(part) if said.contains(part.as_str()) => return None,
            Self::Contains(part) => {
                format!("its output does not contain {}; {}", quoted(part), instead())
            }
            Self::Matches(pattern) if pattern.is_match(&said) => return None,
            Self::Matches(pattern) => {
                format!(
                    "its output does not match {}; {}",
                    quoted(pattern.as_str()),
                    instead()
                )
            }
            Self::Json(expression) => {
                let Ok(value) = serde_json::from_slice(stdout) else {
                    return Some(Finding::bad(
                        FaultKind::Content,
                        format!("its output is not JSON; {}", instead()),
                    ));
                };
                match expression.holds(&value) {
                    Ok(true) => return None,
                    Ok(false) => {
                        format!(
                            "{} does not hold for its output; {}",
                            quoted(expression.written()),
                            instead()
                        )
                    }
                    Err(Unjudged::Failed(reason)) => masker.hide(&reason),
                    Err(unjudged) => return Some(Finding::Unmeasured(unjudged.into())),
                }
            }
        };
        Some(Finding::bad(FaultKind::Content, reason))
    }
}

impl Probe for Exec {
    fn target(&self) -> &str {
        &self.shown
    }

    fn look(&self, _limit: Duration) -> Looking<'_> {
        Box::pin(async {
            match last_words(&self.program, &self.arguments, KEPT).await {
                Ok(ended) => self.judge(&ended),
                Err(error) => Look::without_answer(Finding::Unmeasured(not_run(&error))),
            }
        })
    }
}

/// A program for people: its file's name. Its arguments may hold secrets.
pub(crate) fn name(program: &str) -> String {
    let file = Path::new(program).file_name();
    text::visible(&file.map_or_else(|| program.into(), |file| file.to_string_lossy()))
}

/// Why a program did not even start: it is not there, may not be run, or is none; that lasts.
pub(crate) fn not_run(error: &ProcessError) -> Trouble {
    let reason = gha::failure::chain(error);
    match error {
        ProcessError::Start(_, cause)
            if !matches!(cause.kind(), ErrorKind::WouldBlock | ErrorKind::OutOfMemory) =>
        {
            Trouble::question(reason).about(About::Program)
        }
        _ => Trouble::passing(reason),
    }
}

/// How a program ended that did not end well, with its last words.
pub(crate) fn ending(program: &str, ended: &Ended, masker: &Masker) -> String {
    let how = match (ended.status.code(), ended.status.signal()) {
        (Some(code), _) => format!("exited with {code}"),
        (None, Some(signal)) => format!("was ended by signal {signal}"),
        (None, None) => "did not exit".to_owned(),
    };
    let said = match end(words(ended), QUOTED, masker) {
        nothing if nothing.is_empty() => String::new(),
        end => format!(": `{end}`"),
    };
    format!("`{}` {how}{said}", name(program))
}

/// What it said of why: standard error, or what it printed.
fn words(ended: &Ended) -> &[u8] {
    if ended.stderr.trim_ascii().is_empty() {
        &ended.stdout
    } else {
        &ended.stderr
    }
}

/// The end of an output as one line, at most `max` characters; the first is `…` where something was cut.
fn end(output: &[u8], max: usize, masker: &Masker) -> String {
    let line = text::visible(masker.hide(String::from_utf8_lossy(output).trim()).as_str());
    let over = line.chars().count().saturating_sub(max);
    if over == 0 {
        return line;
    }
    ['…'].into_iter().chain(line.chars().skip(over + 1)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::trouble::TroubleKind;

    const LIMIT: Duration = Duration::from_secs(20);

    fn sh(script: &str, output: Vec<Output>) -> Exec {
        let mut masker = Masker::default();
        masker.add("hunter2-secret");
        Exec::new("sh", &["-c".to_owned(), script.to_owned()], output, masker)
    }

    #[tokio::test]
    async fn the_exit_code_is_the_verdict() {
        for (script, text, excerpt) in [
            ("echo fine", "good", "fine"),
            ("exit 3", "`sh` exited with 3", ""),
            (
                "echo out; printf 'a\\n::error::why\\n' >&2; exit 1",
                "`sh` exited with 1: `a\\n::error::why`",
                "a\\n::error::why",
            ),
            (
                "echo only out; exit 1",
                "`sh` exited with 1: `only out`",
                "only out",
            ),
            ("kill -9 $$", "`sh` was ended by signal 9", ""),
            (
                "echo pw=hunter2-secret; exit 2",
                "`sh` exited with 2: `pw=***`",
                "pw=***",
            ),
        ] {
            let look = sh(script, vec![]).look(LIMIT).await;
            assert_eq!(look.finding.text(), text);
            assert_eq!(look.excerpt.as_deref(), Some(excerpt));
        }
    }

    #[tokio::test]
    async fn the_output_must_be_as_expected() {
        let json = |written: &str| Output::Json(written.parse().unwrap());
        for (script, output, text) in [
            ("echo ready", Output::Contains("ready".to_owned()), "good"),
            (
                "echo up",
                Output::Contains("ready".to_owned()),
                "its output does not contain `ready`; it ends with `up`",
            ),
            (
                "true",
                Output::Contains("ready".to_owned()),
                "its output does not contain `ready`; it prints nothing",
            ),
            (
                "echo v12",
                Output::Matches(Regex::new("^v[0-9]+").unwrap()),
                "good",
            ),
            (
                "echo x",
                Output::Matches(Regex::new("^v[0-9]+").unwrap()),
                "its output does not match `^v[0-9]+`; it ends with `x`",
            ),
            ("echo '{\"n\": 2}'", json(".n == 2"), "good"),
            (
                "echo '{\"n\": 3}'",
                json(".n == 2"),
                "`.n == 2` does not hold for its output; it ends with `{\"n\": 3}`",
            ),
            (
                "echo x",
                json(".n == 2"),
                "its output is not JSON; it ends with `x`",
            ),
            (
                "echo 1",
                json(".n == 2"),
                "the expression `.n == 2` fails: cannot index 1 with \"n\"",
            ),
        ] {
            assert_eq!(sh(script, vec![output]).look(LIMIT).await.finding.text(), text);
        }
    }

    #[tokio::test]
    async fn a_program_that_can_t_be_run_lasts() {
        let folder = tempfile::tempdir().unwrap();
        let plain = folder.path().join("plain");
        std::fs::write(&plain, "x").unwrap();
        for (program, words) in [
            ("no-such-program", "No such file or directory"),
            (plain.to_str().unwrap(), "Permission denied"),
        ] {
            let exec = Exec::new(program, &[], vec![], Masker::default());
            let Finding::Unmeasured(trouble) = exec.look(LIMIT).await.finding else {
                panic!("it was measured");
            };
            assert_eq!(trouble.kind, TroubleKind::Question);
            assert!(
                trouble.reason.starts_with("failed to start `") && trouble.reason.contains(words),
                "{trouble:?}"
            );
        }
    }

    #[test]
    fn nothing_of_arguments_and_secrets_is_shown() {
        let exec = sh("curl -H token:abc", vec![]);
        assert_eq!(exec.target(), "exec sh");
        assert!(!format!("{exec:?}").contains("hunter2"));
        assert_eq!(
            Exec::new("./bin/check\n.sh", &[], vec![], Masker::default()).target(),
            "exec check\\n.sh"
        );
        assert_eq!(end("äöüß".as_bytes(), 3, &Masker::default()), "…üß");
        assert_eq!(end(b" a\n", 3, &Masker::default()), "a");
    }
}
