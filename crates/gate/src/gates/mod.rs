//! The gates of a tool that deploys: gate files, or a preset and an address, run against the new version by the same engine as a
//! gate of its own. The tool says what gate files know of its work, and what it tells them of it.
//!
//! A gate that could not measure never says yes: that is inconclusive.

use std::cell::RefCell;
use std::future::Future;
use std::pin::Pin;
use std::time::Duration;

use futures_util::stream::{FuturesUnordered, StreamExt as _};
use gha::{Exit, Runner, accounts, duration, text};
use tokio::time::timeout;

use crate::account::Account;
use crate::run::preflight::preflight;
use crate::run::{Made, Progress, Run, observation};
use crate::spec::choice::OnInconclusive;
use crate::spec::{self, Offer, Part, Spec};
use crate::trouble::TroubleKind;
use crate::verdict::Verdict;
use asked::Asked;
use told::Told;

mod asked;
pub mod told;

/// How long after a gate's own time it is cut off: steps that take exactly as long end by themselves.
const GRACE: Duration = Duration::from_secs(1);

/// What a gate says so far.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Says {
    /// Nothing yet.
    Running,
    /// Yes.
    Pass,
    /// No, and why.
    Fail(String),
    /// Neither, and why.
    Inconclusive(String),
}

/// A flag of gates that can't be used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`--{flag}`: {reason}")]
pub struct FlagError {
    /// The flag.
    pub flag: &'static str,
    /// What is wrong.
    pub reason: String,
}

/// Why gates can't be asked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Unasked {
    /// What was asked for is wrong.
    Flag(FlagError),
    /// A source will never answer.
    Source {
        /// 7 for a permission, else 2.
        exit: Exit,
        /// Why, as one line.
        reason: String,
    },
}

/// What a gate is made from, some time later.
pub type Making<'a> = Pin<Box<dyn Future<Output = Result<Made, String>> + 'a>>;

/// The tool whose gates these are.
pub trait Tool {
    /// Whether it tells of a service on ECS (`type: ecs`).
    fn tells_ecs(&self) -> bool;

    /// Makes what a gate file asks for.
    fn made<'a>(&'a self, spec: &'a Spec, runner: &'a Runner) -> Making<'a>;

    /// What it knows that belongs behind the reason of a gate that says no.
    fn behind(&self) -> Option<String>;
}

/// Gates.
#[derive(Default)]
pub struct Gates {
    asked: Vec<Asked>,
    given: Vec<(String, String)>,
    facts: RefCell<Vec<(String, String)>>,
    told: RefCell<Vec<Told>>,
}

impl Gates {
    /// The gates of the flags `--gate` and `--gate-var`, read and checked; nothing is asked. `facts` are variables that gate files
    /// have without saying so, with stand-ins for what is not known yet of the new version.
    ///
    /// # Errors
    /// When a file can't be read, or is wrong.
    pub fn of(
        gates: &[String],
        variables: &[String],
        facts: Vec<(String, String)>,
        tool: &dyn Tool,
        runner: &Runner,
    ) -> Result<Self, FlagError> {
        let asked = gates.iter().map(|value| Asked::of(value, tool.tells_ecs()));
        let given = variables.iter().map(|pair| asked::variable(pair));
        let gates = Self {
            asked: asked.collect::<Result<_, _>>()?,
            given: given.collect::<Result<_, _>>()?,
            ..Self::none(facts)
        };
        if gates.asked.is_empty() && !gates.given.is_empty() {
            let reason = "it is for a gate file, and there is no `--gate`".to_owned();
            return Err(FlagError {
                flag: "gate-var",
                reason,
            });
        }
        gates.check(Part::Whole, tool, runner)?;
        Ok(gates)
    }

    /// No gates.
    #[must_use]
    pub fn none(facts: Vec<(String, String)>) -> Self {
        Self {
            facts: RefCell::new(facts),
            ..Self::default()
        }
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.asked.is_empty()
    }

    /// Whether a gate waits for something to be ready, so that it can be asked before there is traffic.
    #[must_use]
    pub fn waits(&self, tool: &dyn Tool, runner: &Runner) -> bool {
        self.any(|spec| spec.wait.is_some(), tool, runner)
    }

    /// Whether a gate watches for a time.
    #[must_use]
    pub fn watches(&self, tool: &dyn Tool, runner: &Runner) -> bool {
        self.any(|spec| spec.watch.is_some(), tool, runner)
    }

    fn any(&self, is: impl Fn(&Spec) -> bool, tool: &dyn Tool, runner: &Runner) -> bool {
        let mut specs = self.asked.iter();
        specs.any(|asked| {
            self.spec(asked, Part::Whole, tool, runner)
                .is_ok_and(|spec| is(&spec))
        })
    }

    /// Checks that each watch can judge in so short a time; for the steps of a weighted deploy, before the first one.
    ///
    /// # Errors
    /// What is wrong with it.
    pub fn fits(&self, time: Duration, tool: &dyn Tool, runner: &Runner) -> Result<(), FlagError> {
        self.check(Part::Watch(time), tool, runner)
    }

    fn check(&self, part: Part, tool: &dyn Tool, runner: &Runner) -> Result<(), FlagError> {
        for asked in &self.asked {
            let whole = self.spec(asked, Part::Whole, tool, runner);
            let is_run = part == Part::Whole || whole.is_ok_and(|spec| has(&spec, part));
            if is_run && let Err(faults) = self.spec(asked, part, tool, runner) {
                let lines: Vec<&str> = faults.lines().collect();
                if lines.len() > 1 {
                    lines.iter().for_each(|line| runner.info(line));
                }
                let first = lines.first().copied().unwrap_or_default();
                let reason = match lines.len() {
                    0 | 1 => first.to_owned(),
                    count => format!("{first}; and {} more, see above", count - 1),
                };
                return Err(FlagError { flag: "gate", reason });
            }
        }
        Ok(())
    }

    /// Asks every source once, before anything is changed: a misspelt query or a missing permission is told at once.
    ///
    /// # Errors
    /// When a source will never answer, or a secret is not there.
    pub async fn preflight(&self, tool: &dyn Tool, runner: &Runner) -> Result<(), Unasked> {
        for asked in &self.asked {
            let refuse = |reason: String| {
                let reason = format!("{}: {reason}", asked.name);
                Unasked::Flag(FlagError { flag: "gate", reason })
            };
            let spec = self.spec(asked, Part::Whole, tool, runner).map_err(refuse)?;
            let made = tool.made(&spec, runner).await.map_err(refuse)?;
            let observation = observation(&spec).map_err(|error| refuse(error.to_string()))?;
            let told = |progress: Progress<'_>| tell(progress, &asked.name, runner);
            let asking = preflight(&spec, &made, observation.as_ref(), runner.now(), &told);
            let Some(refused) = asking.await else { continue };
            let exit = match refused.trouble.kind {
                TroubleKind::Access => Exit::Access,
                TroubleKind::Question | TroubleKind::Passing => Exit::Usage,
            };
            let reason = accounts::without(&format!("`--gate`: {}: {}", asked.name, refused.reason()));
            return Err(Unasked::Source {
                exit,
                reason: text::line(&reason),
            });
        }
        Ok(())
    }

    /// Says what gate files know from now on.
    pub fn about(&self, facts: Vec<(String, String)>) {
        self.facts.replace(facts);
    }

    /// Runs all gates side by side, or that part of them; one that has no such part passes. The first no ends the others. It can
    /// be dropped half way.
    pub async fn run(&self, part: Part, tool: &dyn Tool, runner: &Runner) -> Says {
        let run = |asked| Box::pin(self.one(asked, part, tool, runner));
        let mut running: FuturesUnordered<_> = self.asked.iter().map(run).collect();
        let mut worst = Says::Pass;
        while let Some(says) = running.next().await {
            match says {
                Says::Fail(_) => return says,
                Says::Inconclusive(_) if worst == Says::Pass => worst = says,
                Says::Inconclusive(_) | Says::Pass | Says::Running => {}
            }
        }
        worst
    }

    async fn one(&self, asked: &Asked, part: Part, tool: &dyn Tool, runner: &Runner) -> Says {
        let blind = |reason: String| Says::Inconclusive(self.reason(asked, &reason));
        let whole = match self.spec(asked, Part::Whole, tool, runner) {
            Ok(whole) => whole,
            Err(faults) => return blind(text::line(&faults)),
        };
        if !has(&whole, part) {
            return Says::Pass;
        }
        let spec = match self.spec(asked, part, tool, runner) {
            Ok(spec) => spec,
            Err(faults) => return blind(text::line(&faults)),
        };
        let made = match tool.made(&spec, runner).await {
            Ok(made) => made,
            Err(reason) => return blind(reason),
        };
        let mut run = match Run::new(&spec, made) {
            Ok(run) => run,
            Err(error) => return blind(error.to_string()),
        };
        let begin = runner.elapsed();
        let now = || runner.now();
        let told = |progress: Progress<'_>| tell(progress, &asked.name, runner);
        let limit = spec.timeout.saturating_add(GRACE);
        let ended = timeout(limit, run.go(&now, &told)).await;
        let time = || {
            format!(
                "the time for the gate, {}, was over",
                duration::exact(spec.timeout)
            )
        };
        let cut = ended.is_err().then(time);
        let account = run.account(cut.as_deref(), runner.elapsed().saturating_sub(begin));
        let says = self.says(asked, &spec, &account, tool);
        let told = Told::of(&asked.name, &account);
        told.lines().iter().for_each(|line| runner.info(line));
        self.told.borrow_mut().push(told);
        says
    }

    fn says(&self, asked: &Asked, spec: &Spec, account: &Account, tool: &dyn Tool) -> Says {
        let reason = self.reason(asked, &account.reason);
        match account.verdict {
            Verdict::Pass => Says::Pass,
            Verdict::Fail => Says::Fail(match tool.behind() {
                Some(more) => format!("{reason}; {more}"),
                None => reason,
            }),
            Verdict::Inconclusive if spec.on_inconclusive == OnInconclusive::Fail => Says::Fail(reason),
            Verdict::Inconclusive | Verdict::Error => Says::Inconclusive(reason),
        }
    }

    /// A reason, with the gate's name where there are several.
    fn reason(&self, asked: &Asked, reason: &str) -> String {
        let reason = accounts::without(reason);
        if self.asked.len() > 1 {
            format!("{}: {reason}", asked.name)
        } else {
            reason
        }
    }

    /// What the gates came to that have ended, for the result and the summary.
    #[must_use]
    pub fn told(&self) -> Vec<Told> {
        self.told.borrow().clone()
    }

    fn spec(&self, asked: &Asked, part: Part, tool: &dyn Tool, runner: &Runner) -> Result<Spec, String> {
        let facts = self.facts.borrow();
        let offer = Offer {
            vars: &facts,
            ecs: tool.tells_ecs(),
            part,
        };
        let given = self.given_to(asked);
        let read = spec::read_with(&asked.name, &asked.content, runner.env(), given, &offer);
        read.map_err(|faults| faults.to_string())
    }

    /// The variables of the flags; a preset has none.
    fn given_to(&self, asked: &Asked) -> &[(String, String)] {
        if asked.is_file { &self.given } else { &[] }
    }
}

/// Whether a gate has that part.
fn has(spec: &Spec, part: Part) -> bool {
    match part {
        Part::Whole => true,
        Part::Wait => spec.wait.is_some(),
        Part::Watch(_) => spec.watch.is_some(),
    }
}

fn tell(progress: Progress<'_>, name: &str, runner: &Runner) {
    let line = |line: &str| format!("gate {name}: {}", accounts::without(line));
    match progress {
        Progress::Line(said) => runner.info(&line(said)),
        Progress::Warning(said) => runner.warn(&line(said)),
        Progress::Standing {
            is_watching, left, ..
        } => {
            let what = if is_watching { "watches" } else { "waits" };
            runner.heartbeat(format!("gate {name} {what}; {} left", duration::display(left)));
        }
    }
}
