//! Gates of a deploy: gate files of `health-gate`'s format, or a preset and an address, run against the new version by the
//! same engine. Besides their own variables they know `version`, `image`, `revision`, `service` and `cluster`, and besides
//! their own sources the crashes of the new version's tasks (`type: ecs`).
//!
//! A gate that could not measure never says yes: that is inconclusive.

use std::cell::RefCell;
use std::time::Duration;

use futures_util::stream::{FuturesUnordered, StreamExt as _};
use gate::account::Account;
use gate::run::preflight::preflight;
use gate::run::{Made, Progress, Run, observation};
use gate::setup::Setup;
use gate::source::Source;
use gate::spec::choice::OnInconclusive;
use gate::spec::sources::EcsMetric;
use gate::spec::{self, Offer, Part, Spec};
use gate::trouble::TroubleKind;
use gate::verdict::Verdict;
use gha::{Exit, Failure, Runner, accounts, duration, text};
use tokio::time::timeout;

use crate::cli;
use crate::error::Error;
use crate::place::Place;
use crate::shift::GateSays;
use asked::Asked;
use crashes::{CrashSource, Crashes};

mod asked;
mod candidate;
pub mod crashes;
pub mod told;

pub use candidate::Candidate;
use told::Told;

/// How long after a gate's own time it is cut off: steps that take exactly as long end by themselves.
const GRACE: Duration = Duration::from_secs(1);

/// The gates that the flags ask for.
pub struct Gates {
    asked: Vec<Asked>,
    given: Vec<(String, String)>,
    facts: RefCell<Vec<(String, String)>>,
    crashes: Crashes,
    told: RefCell<Vec<Told>>,
}

impl Gates {
    /// The gates of the flags, read and checked; nothing is asked. What is not known yet of the new version has a stand-in
    /// until [`Gates::about`].
    ///
    /// # Errors
    /// When a file can't be read, or is wrong.
    pub fn of(flags: &cli::Gates, place: &Place<'_>) -> Result<Self, Failure> {
        let asked = flags.gate.iter().map(|value| Asked::of(value));
        let given = flags.gate_var.iter().map(|pair| asked::variable(pair));
        let gates = Self {
            asked: asked.collect::<Result<_, _>>()?,
            given: given.collect::<Result<_, _>>()?,
            ..Self::none(place)
        };
        if gates.asked.is_empty() && !gates.given.is_empty() {
            let reason = "it is for a gate file, and there is no `--gate`".to_owned();
            return Err(Error::Flag {
                flag: "gate-var",
                reason,
            }
            .into());
        }
        gates.check(Part::Whole, place)?;
        Ok(gates)
    }

    /// No gates.
    #[must_use]
    pub fn none(place: &Place<'_>) -> Self {
        Self {
            asked: Vec::new(),
            given: Vec::new(),
            facts: RefCell::new(candidate::unknown(place)),
            crashes: Crashes::new(&place.api, &place.service),
            told: RefCell::default(),
        }
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.asked.is_empty()
    }

    /// Whether a gate waits for something to be ready, so that it can be asked before there is traffic.
    #[must_use]
    pub fn waits(&self, place: &Place<'_>) -> bool {
        self.any(|spec| spec.wait.is_some(), place)
    }

    /// Whether a gate watches for a time.
    #[must_use]
    pub fn watches(&self, place: &Place<'_>) -> bool {
        self.any(|spec| spec.watch.is_some(), place)
    }

    fn any(&self, is: impl Fn(&Spec) -> bool, place: &Place<'_>) -> bool {
        let mut specs = self.asked.iter();
        specs.any(|asked| self.spec(asked, Part::Whole, place).is_ok_and(|spec| is(&spec)))
    }

    /// Checks that each watch can judge in so short a time; for the steps of a weighted deploy, before the first one.
    ///
    /// # Errors
    /// What is wrong with it.
    pub fn fits(&self, time: Duration, place: &Place<'_>) -> Result<(), Failure> {
        self.check(Part::Watch(time), place)
    }

    fn check(&self, part: Part, place: &Place<'_>) -> Result<(), Failure> {
        for asked in &self.asked {
            let has_part = match part {
                Part::Whole => true,
                Part::Wait => self
                    .spec(asked, Part::Whole, place)
                    .is_ok_and(|spec| spec.wait.is_some()),
                Part::Watch(_) => self
                    .spec(asked, Part::Whole, place)
                    .is_ok_and(|spec| spec.watch.is_some()),
            };
            if has_part && let Err(faults) = self.spec(asked, part, place) {
                let lines: Vec<&str> = faults.lines().collect();
                if lines.len() > 1 {
                    lines.iter().for_each(|line| place.runner.info(line));
                }
                let first = lines.first().copied().unwrap_or_default();
                let reason = match lines.len() {
                    0 | 1 => first.to_owned(),
                    count => format!("{first}; and {} more, see above", count - 1),
                };
                return Err(Error::Flag { flag: "gate", reason }.into());
            }
        }
        Ok(())
    }

    /// Asks every source once, before anything is changed: a misspelt query or a missing permission is told at once.
    ///
    /// # Errors
    /// When a source will never answer, or a secret is not there.
    pub async fn preflight(&self, place: &Place<'_>) -> Result<(), Failure> {
        let runner = place.runner;
        for asked in &self.asked {
            let refuse = |reason: String| {
                let reason = format!("{}: {reason}", asked.name);
                Failure::from(Error::Flag { flag: "gate", reason })
            };
            let spec = self.spec(asked, Part::Whole, place).map_err(refuse)?;
            let made = self.made(&spec, place).await.map_err(refuse)?;
            let observation = observation(&spec).map_err(|error| refuse(error.to_string()))?;
            let told = |progress: Progress<'_>| tell(progress, &asked.name, runner);
            let asking = preflight(&spec, &made, observation.as_ref(), place.runner.now(), &told);
            let Some(refused) = asking.await else { continue };
            let exit = match refused.trouble.kind {
                TroubleKind::Access => Exit::Access,
                TroubleKind::Question | TroubleKind::Passing => Exit::Usage,
            };
            let reason = accounts::without(&format!("`--gate`: {}: {}", asked.name, refused.reason()));
            return Err(Failure::new(exit, text::line(&reason)));
        }
        Ok(())
    }

    /// Says which version is judged from now on.
    pub fn about(&self, candidate: &Candidate<'_>, place: &Place<'_>) {
        self.facts.replace(candidate.facts(place));
        self.crashes.begin(candidate);
    }

    /// Runs only what must be ready, which needs no traffic. Without such a gate it passes.
    pub async fn ready(&self, place: &Place<'_>) -> GateSays {
        self.all(Part::Wait, place).await
    }

    /// Runs all gates side by side and whole; or for a step of a weighted deploy only their watches, each for as long as
    /// the step takes. The first no ends the others. It can be dropped half way.
    pub async fn run(&self, place: &Place<'_>, during: Option<Duration>) -> GateSays {
        self.all(during.map_or(Part::Whole, Part::Watch), place).await
    }

    async fn all(&self, part: Part, place: &Place<'_>) -> GateSays {
        let run = |asked| Box::pin(self.one(asked, part, place));
        let mut running: FuturesUnordered<_> = self.asked.iter().map(run).collect();
        let mut worst = GateSays::Pass;
        while let Some(says) = running.next().await {
            match says {
                GateSays::Fail(_) => return says,
                GateSays::Inconclusive(_) if worst == GateSays::Pass => worst = says,
                GateSays::Inconclusive(_) | GateSays::Pass | GateSays::Running => {}
            }
        }
        worst
    }

    async fn one(&self, asked: &Asked, part: Part, place: &Place<'_>) -> GateSays {
        let runner = place.runner;
        let blind = |reason: String| GateSays::Inconclusive(self.reason(asked, &reason));
        let whole = match self.spec(asked, Part::Whole, place) {
            Ok(whole) => whole,
            Err(faults) => return blind(text::line(&faults)),
        };
        let has_part = match part {
            Part::Whole => true,
            Part::Wait => whole.wait.is_some(),
            Part::Watch(_) => whole.watch.is_some(),
        };
        if !has_part {
            return GateSays::Pass;
        }
        let spec = match self.spec(asked, part, place) {
            Ok(spec) => spec,
            Err(faults) => return blind(text::line(&faults)),
        };
        let made = match self.made(&spec, place).await {
            Ok(made) => made,
            Err(reason) => return blind(reason),
        };
        let mut run = match Run::new(&spec, made) {
            Ok(run) => run,
            Err(error) => return blind(error.to_string()),
        };
        let begin = runner.elapsed();
        let now = || place.runner.now();
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
        let says = self.says(asked, &spec, &account);
        let told = Told::of(&asked.name, &account);
        told.lines().iter().for_each(|line| runner.info(line));
        self.told.borrow_mut().push(told);
        says
    }

    fn says(&self, asked: &Asked, spec: &Spec, account: &Account) -> GateSays {
        let reason = self.reason(asked, &account.reason);
        match account.verdict {
            Verdict::Pass => GateSays::Pass,
            Verdict::Fail => GateSays::Fail(match self.crashes.latest() {
                Some(stop) => format!("{reason}; task {}: {}", stop.task, stop.reason),
                None => reason,
            }),
            Verdict::Inconclusive if spec.on_inconclusive == OnInconclusive::Fail => GateSays::Fail(reason),
            Verdict::Inconclusive | Verdict::Error => GateSays::Inconclusive(reason),
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

    fn spec(&self, asked: &Asked, part: Part, place: &Place<'_>) -> Result<Spec, String> {
        let facts = self.facts.borrow();
        let offer = Offer {
            vars: &facts,
            ecs: true,
            part,
        };
        let read = spec::read_with(
            &asked.name,
            &asked.content,
            place.runner.env(),
            self.given_to(asked),
            &offer,
        );
        read.map_err(|faults| faults.to_string())
    }

    /// The variables of the flags; a preset has none.
    fn given_to(&self, asked: &Asked) -> &[(String, String)] {
        if asked.is_file { &self.given } else { &[] }
    }

    async fn made(&self, spec: &Spec, place: &Place<'_>) -> Result<Made, String> {
        let ecs = |metric: EcsMetric| -> Box<dyn Source> {
            match metric {
                EcsMetric::Crashes => Box::new(CrashSource::of(&self.crashes)),
            }
        };
        let setup = Setup::new(spec, place.runner).with_ecs(&ecs);
        let setup = setup.with_aws(place.api.config());
        Made::of(spec, &setup).await.map_err(|error| error.to_string())
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
