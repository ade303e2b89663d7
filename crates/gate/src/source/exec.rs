//! A program as a metric source: what it prints is a number, or JSON with the number in it.
//!
//! It is started without a shell, in our folder and environment, once for all questions that make the same arguments
//! of it; `{{window}}` in an argument becomes the question's window. The text of a question says where in the output
//! the number stands (a pointer or an expression of jq); an empty one means that the output is the number.

use gha::edge::process::{Ended, last_words};
use gha::mask::Masker;
use jiff::Timestamp;
use serde_json::Value;

use crate::expect::quoted;
use crate::probe::exec::{KEPT, ending, name, not_run};
use crate::source::pick::{Pick, Picks};
use crate::source::{Asking, Query, Question, Reading, Source};
use crate::trouble::Trouble;

/// A program that measures.
pub struct ExecSource {
    program: String,
    arguments: Vec<String>,
    shown: String,
    masker: Masker,
    picks: Picks,
}

impl ExecSource {
    /// A program and its arguments. What `masker` knows is hidden in all that is said of its output.
    #[must_use]
    pub fn new(program: &str, arguments: &[String], masker: Masker) -> Self {
        Self {
            program: program.to_owned(),
            arguments: arguments.to_vec(),
            shown: format!("exec {}", name(program)),
            masker,
            picks: Picks::of("a program"),
        }
    }

    async fn run(&self, arguments: &[String]) -> Result<Output, Trouble> {
        let ended = last_words(&self.program, arguments, KEPT).await;
        let ended = ended.map_err(|error| not_run(&error))?;
        if ended.status.success() {
            self.read(&ended)
        } else {
            Err(Trouble::passing(ending(&self.program, &ended, &self.masker)))
        }
    }

    fn read(&self, ended: &Ended) -> Result<Output, Trouble> {
        if ended.stdout.len() >= KEPT {
            return Err(Trouble::question(format!(
                "`{}` prints more than {} KiB",
                name(&self.program),
                KEPT / 1024
            )));
        }
        let said = String::from_utf8_lossy(&ended.stdout);
        Output::read(&said).ok_or_else(|| {
            Trouble::passing(format!(
                "`{}` prints {}, expected a number or JSON",
                name(&self.program),
                quoted(self.masker.hide(&said).trim())
            ))
        })
    }
}

/// What a program printed.
#[derive(Clone, Debug, PartialEq)]
enum Output {
    Nothing,
    Number(f64),
    Json(Value),
}

impl Output {
    /// Reads an output: empty, a number as programs print them (`nan` and `inf` too), or JSON.
    fn read(said: &str) -> Option<Self> {
        let said = said.trim();
        if said.is_empty() {
            return Some(Self::Nothing);
        }
        let number = said.parse().map(Self::Number);
        number
            .ok()
            .or_else(|| serde_json::from_str(said).map(Self::Json).ok())
    }

    fn reading(&self, pick: &Pick) -> Result<Reading, Trouble> {
        match (self, pick) {
            (Self::Nothing, _) => Ok(Reading::nothing("the program prints nothing")),
            (Self::Number(number), Pick::Pointer(pointer)) if pointer.is_empty() => {
                Ok(Reading::number(*number))
            }
            (Self::Number(number), pick) => pick.reading(&Value::from(*number)),
            (Self::Json(document), pick) => pick.reading(document),
        }
    }
}

impl Source for ExecSource {
    fn shown(&self) -> &str {
        &self.shown
    }

    fn accepts(&self, query: &Query) -> Result<(), String> {
        self.picks.pick(query).map(drop)
    }

    fn ask<'a>(&'a self, questions: &'a [Question], _at: Timestamp) -> Asking<'a> {
        let arguments = |question: &Question| -> Vec<String> {
            let written = self.arguments.iter();
            written.map(|argument| question.text(argument)).collect()
        };
        let read = |output: &Output, pick: &Pick| {
            output.reading(pick).map_err(|trouble| Trouble {
                reason: self.masker.hide(&trouble.reason),
                ..trouble
            })
        };
        let run = async |arguments: &Vec<String>| self.run(arguments).await;
        Box::pin(self.picks.answers(questions, arguments, run, read))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::source::Value as Answer;
    use std::time::Duration;

    fn question(query: &str, seconds: u64) -> Question {
        Question {
            query: Query::Text(query.to_owned()),
            window: Duration::from_secs(seconds),
        }
    }

    async fn ask(script: &str, questions: &[Question]) -> Vec<Result<Reading, Trouble>> {
        let mut masker = Masker::default();
        masker.add("hunter2-secret");
        let source = ExecSource::new("sh", &["-c".to_owned(), script.to_owned()], masker);
        source.ask(questions, Timestamp::UNIX_EPOCH).await
    }

    #[tokio::test]
    async fn what_it_prints_is_the_number() {
        for (script, query, wanted) in [
            ("echo 12.5", "", Ok(Some(12.5))),
            ("echo 12.5", ". * 2", Ok(Some(25.0))),
            ("echo +1e3", "", Ok(Some(1000.0))),
            ("echo inf", "", Ok(Some(f64::INFINITY))),
            ("echo NaN", "", Ok(None)),
            ("true", "", Ok(None)),
            ("echo '{\"rate\": 0.25}'", "/rate", Ok(Some(0.25))),
            ("echo '{\"rate\": 0.25}'", ".rate", Ok(Some(0.25))),
            ("echo '{\"rate\": null}'", ".rate", Ok(None)),
            ("echo null", "", Ok(None)),
            (
                "echo hunter2-secret",
                "",
                Err("`sh` prints `***`, expected a number or JSON"),
            ),
            (
                "echo '{\"a\": \"hunter2-secret\"}'",
                "/a",
                Err("`/a` is `\"***\"`, expected a number"),
            ),
            (
                "echo no route >&2; exit 7",
                "",
                Err("`sh` exited with 7: `no route`"),
            ),
            (
                "i=0; while [ $i -lt 9000 ]; do echo 11111111; i=$((i+1)); done",
                "",
                Err("`sh` prints more than 64 KiB"),
            ),
        ] {
            let found = ask(script, &[question(query, 60)]).await.remove(0);
            match (found, wanted) {
                (Ok(reading), Ok(Some(number))) => {
                    assert_eq!(reading.value, Answer::Number(number), "{script}");
                }
                (Ok(reading), Ok(None)) => assert_eq!(reading.value, Answer::Nothing, "{script}"),
                (Err(trouble), Err(reason)) => assert_eq!(trouble.reason, reason),
                (found, _) => panic!("{script}: {found:?}"),
            }
        }
    }

    #[tokio::test]
    async fn runs_once_for_what_is_the_same() {
        let folder = tempfile::tempdir().unwrap();
        let log = folder.path().join("log");
        let script = format!("echo {{{{window}}}} >> {}; echo '[1, 2]'", log.display());
        let answers = ask(
            &script,
            &[question("/0", 60), question("/1", 60), question("/0", 300)],
        )
        .await;
        let numbers: Vec<_> = answers.into_iter().map(|answer| answer.unwrap().value).collect();
        assert_eq!(numbers, [1.0, 2.0, 1.0].map(Answer::Number));
        assert_eq!(std::fs::read_to_string(log).unwrap(), "60s\n300s\n");
    }

    #[tokio::test]
    async fn wrong_questions_and_missing_programs_last() {
        let source = ExecSource::new("no-such-program", &[], Masker::default());
        let answers = source.ask(&[question("", 60)], Timestamp::UNIX_EPOCH).await;
        assert!(answers[0].as_ref().unwrap_err().lasts());
        assert!(source.accepts(&Query::Text(".a ==".to_owned())).is_err());
        assert!(source.accepts(&Query::Buckets("x".to_owned())).is_err());
        assert!(
            ask("echo 1", &[question(".a ==", 60)]).await[0]
                .as_ref()
                .unwrap_err()
                .lasts()
        );
    }
}
