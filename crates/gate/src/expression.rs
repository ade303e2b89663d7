//! Expressions over JSON in the language of jq: a condition on an answer, or the number in it.
//!
//! The program is the user's own, the value it runs on is foreign. A program sees its input and the variables that it
//! was given, and nothing else: no environment, no files, no clock, no further input, and it prints nothing.
//!
//! Bounded are, whatever the value is and whatever the program makes of it:
//! - the time of a run, [`LIMIT`];
//! - what it makes, 64 MiB in all: every value that is made or put into another is paid for first (`room`);
//! - the rounds of its loops, how deep a value nests, how large a whole number gets, how much one filter compares;
//! - its outputs, their size and depth, and the length of the program.
//!
//! A text can't be multiplied by a number, unlike in jq: the number may be a stranger's. All else is counted in the parsed
//! program (`counted`): a run that nobody waits for any more ends at its next step by itself, in far less than a second.
//! A program that takes longer three times in a row is not run again. Who asks waits on its own thread: a run blocks the
//! runtime for [`LIMIT`] at most, which the gate's look can bear.

mod assignment;
mod counted;
mod filters;
mod language;
mod matching;
mod room;

use std::fmt;
use std::str::FromStr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::sync::mpsc::{RecvTimeoutError, sync_channel};
use std::time::Duration;

use serde_json::Value;

use gha::text;

use crate::expect::quoted;
use crate::trouble::{About, Trouble};
use language::Program;

/// How long one run may take. Health pages need a thousandth of it.
pub const LIMIT: Duration = Duration::from_secs(1);

/// After how many late runs in a row a program is taken for endless. One may be late for a pause of the machine, which
/// wall-clock time counts too.
const PATIENCE: u32 = 3;

/// How long compiling may take. The program is the user's own and bounded; only a pause of the machine comes near.
const COMPILE_LIMIT: Duration = Duration::from_secs(10);

/// The longest program, in bytes.
const LONGEST: usize = 16 * 1024;

/// The stack of a run. Untouched pages cost nothing. Its frames nest as deep as the program and the values that it
/// builds, and both are bounded.
const STACK: usize = 512 * 1024 * 1024;

/// The most outputs of a condition.
const OUTPUTS: usize = 10_000;

/// How much of a message of the program itself is kept, in characters.
const MESSAGE: usize = 200;

/// A program, compiled once with its variables.
#[derive(Clone)]
pub struct Expression {
    written: Arc<str>,
    program: Arc<Program>,
    /// How many runs in a row were late, of all copies.
    late: Arc<AtomicU32>,
}

/// Why a text is no expression.
#[derive(Clone, Debug, thiserror::Error, PartialEq, Eq)]
#[error("`{written}` is no {kind}: {reason}")]
pub struct ExpressionError {
    written: String,
    kind: &'static str,
    reason: String,
}

/// Why an expression gave no answer.
#[derive(Clone, Debug, thiserror::Error, PartialEq, Eq)]
pub enum Unjudged {
    /// It failed on this value, or gave nothing that can be used. It may do better on another.
    #[error("{0}")]
    Failed(String),
    /// It did not end in time, which may be the machine's fault.
    #[error("{0}")]
    Late(String),
    /// It did not end in time again and again. It is not run any more.
    #[error("{0}")]
    Endless(String),
}

impl From<Unjudged> for Trouble {
    /// Trouble of a source: another answer may fit, an endless program never ends.
    fn from(unjudged: Unjudged) -> Self {
        match unjudged {
            Unjudged::Failed(reason) | Unjudged::Late(reason) => Self::passing(reason),
            Unjudged::Endless(reason) => Self::question(reason).about(About::Expression),
        }
    }
}

impl FromStr for Expression {
    type Err = ExpressionError;

    fn from_str(written: &str) -> Result<Self, Self::Err> {
        Self::new(written, &[])
    }
}

impl fmt::Debug for Expression {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Expression").field(&self.written).finish()
    }
}

impl fmt::Display for Expression {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&text::visible(&self.written))
    }
}

impl Expression {
    /// Compiles a program with variables: `("sha", "4f2a…".into())` is `$sha` in it.
    ///
    /// # Errors
    /// When it is no program, is too long, defines functions, or names what is not there. The reason says where.
    pub fn new(written: &str, variables: &[(&str, Value)]) -> Result<Self, ExpressionError> {
        let refuse = |reason: String| ExpressionError {
            written: text::cut(&text::visible(written), MESSAGE),
            kind: "jq expression",
            reason,
        };
        if written.len() > LONGEST {
            return Err(refuse(format!(
                "it has {} bytes, at most {LONGEST} are taken",
                written.len()
            )));
        }
        let (names, values): (Vec<String>, Vec<Value>) = variables
            .iter()
            .map(|(name, value)| (format!("${name}"), value.clone()))
            .unzip();
        let code = written.to_owned();
        // The parser nests as deep as the program does.
        let program = aside(COMPILE_LIMIT, move |_| language::compile(&code, &names, values))
            .map_err(|aside| refuse(aside.words("it could not be compiled")))?
            .map_err(refuse)?;
        Ok(Self {
            written: written.into(),
            program: Arc::new(program),
            late: Arc::default(),
        })
    }

    /// Compiles a program that is a condition, see [`Self::holds`].
    ///
    /// # Errors
    /// As [`Self::new`], and when it assigns by `=` where it must have meant to compare by `==`.
    pub fn condition(written: &str, variables: &[(&str, Value)]) -> Result<Self, ExpressionError> {
        match assignment::assignment(written) {
            Some(place) => Err(ExpressionError {
                written: text::cut(&text::visible(written), MESSAGE),
                kind: "condition",
                reason: format!("`=` at {place} assigns; write `==` to compare"),
            }),
            None => Self::new(written, variables),
        }
    }

    /// The program as it was written.
    #[must_use]
    pub fn written(&self) -> &str {
        &self.written
    }

    /// Whether it holds for a value: it gives at least one output, and each of them is exactly `true`.
    ///
    /// # Errors
    /// When the program fails on this value, gives no output or too many, or does not end.
    pub fn holds(&self, input: &Value) -> Result<bool, Unjudged> {
        let outputs = self.run(input, OUTPUTS + 1)?;
        if outputs.is_empty() {
            return Err(self.failed("gives no output"));
        }
        if outputs.len() > OUTPUTS {
            return Err(self.failed(&format!("gives more than {OUTPUTS} outputs")));
        }
        Ok(outputs.iter().all(|output| *output == Value::Bool(true)))
    }

    /// The first output; none where there is none.
    ///
    /// # Errors
    /// When the program fails on this value or does not end, or its output is too large.
    pub fn value(&self, input: &Value) -> Result<Option<Value>, Unjudged> {
        Ok(self.run(input, 1)?.pop())
    }

    /// The first output as a number; none where there is no output, and where it is `null`
    /// or a number that JSON has no form for (NaN, infinite).
    ///
    /// # Errors
    /// As [`Self::value`], and when the output is of another type.
    pub fn number(&self, input: &Value) -> Result<Option<f64>, Unjudged> {
        match self.value(input)? {
            None | Some(Value::Null) => Ok(None),
            Some(Value::Number(number)) => Ok(number.as_f64()),
            Some(other) => Err(self.failed(&format!(
                "gives {}, expected a number",
                quoted(&other.to_string())
            ))),
        }
    }

    /// The first outputs, at most `wanted`.
    fn run(&self, input: &Value, wanted: usize) -> Result<Vec<Value>, Unjudged> {
        if self.late.load(Ordering::Relaxed) >= PATIENCE {
            return Err(self.never_ends());
        }
        let (program, input) = (Arc::clone(&self.program), input.clone());
        match aside(LIMIT, move |over| program.run(&input, wanted, over)) {
            Ok(outputs) => {
                self.late.store(0, Ordering::Relaxed);
                outputs.map_err(|reason| {
                    self.failed(&format!("fails: {}", text::cut(&text::visible(&reason), MESSAGE)))
                })
            }
            Err(Aside::Late(_)) => Err(self.was_late()),
            Err(aside) => Err(self.failed(&aside.words("could not be run"))),
        }
    }

    fn was_late(&self) -> Unjudged {
        if self.late.fetch_add(1, Ordering::Relaxed).saturating_add(1) >= PATIENCE {
            return self.never_ends();
        }
        let limit = gha::duration::display(LIMIT);
        Unjudged::Late(format!(
            "the expression {} took longer than {limit}",
            quoted(&self.written)
        ))
    }

    fn failed(&self, how: &str) -> Unjudged {
        Unjudged::Failed(format!("the expression {} {how}", quoted(&self.written)))
    }

    fn never_ends(&self) -> Unjudged {
        let limit = gha::duration::display(LIMIT);
        Unjudged::Endless(format!(
            "the expression {} does not end within {limit}, {PATIENCE} times in a row",
            quoted(&self.written)
        ))
    }
}

/// Why work aside came to nothing.
enum Aside {
    /// It did not end in this time.
    Late(Duration),
    /// It panicked.
    Broke,
    /// There is no thread to be had.
    Thread(std::io::Error),
}

impl Aside {
    fn words(self, what: &str) -> String {
        match self {
            Self::Late(limit) => format!("{what} within {}", gha::duration::display(limit)),
            Self::Broke => format!("{what}: the interpreter broke"),
            Self::Thread(error) => format!("{what}: no thread could be started: {error}"),
        }
    }
}

/// Does work on a thread of its own with a deep stack, and waits for it no longer than the limit. The work is told when
/// nobody waits any more.
fn aside<T: Send + 'static>(
    limit: Duration,
    work: impl FnOnce(&AtomicBool) -> T + Send + 'static,
) -> Result<T, Aside> {
    let over = Arc::new(AtomicBool::new(false));
    let (sender, receiver) = sync_channel(1);
    let seen = Arc::clone(&over);
    std::thread::Builder::new()
        .name("expression".to_owned())
        .stack_size(STACK)
        .spawn(move || {
            // Nobody may wait any more.
            let _ = sender.send(work(&seen));
        })
        .map_err(Aside::Thread)?;
    receiver.recv_timeout(limit).map_err(|why| match why {
        RecvTimeoutError::Timeout => {
            over.store(true, Ordering::Relaxed);
            Aside::Late(limit)
        }
        RecvTimeoutError::Disconnected => Aside::Broke,
    })
}

#[cfg(test)]
mod tests;
