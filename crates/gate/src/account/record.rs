//! What a run sees, kept small while it sees it, and the lines that its log gets of it. Pure: it prints nothing.
//!
//! The samples of an observation stand on its own tapes; here is only what they leave out.

use std::time::Duration;

use crate::course::{Course, Standing};
use crate::finding::{Fault, FaultKind, Finding};
use crate::observation::Observation;
use crate::observe::Told;
use crate::probe::Look;
use crate::until_ready::{Attempt, End, Ending};
use gha::text;

use super::rules;
use super::tries::{Tries, Try};

/// How many tries are kept of one target, and of all together.
const TRIES: usize = 500;
const ALL_TRIES: usize = 4000;

/// From one line about a probe to the next, so that one that is up and down does not fill a log.
const PROBE_PAUSE: Duration = Duration::from_secs(10);

/// How wide the line of blocks in a table is that is drawn again.
const SPARKLINE: usize = 20;

/// What is waited for, for people.
#[derive(Clone, Debug)]
pub struct Named {
    /// Its name.
    pub name: String,
    /// Its address without secrets.
    pub address: String,
    /// How many good tries in a row make it ready.
    pub wanted: u32,
}

/// What an observation looks at, for people.
#[derive(Clone, Debug)]
pub struct Looked {
    /// Its name.
    pub name: String,
    /// Its address without secrets.
    pub address: String,
    /// From the start of one look to the start of the next.
    pub interval: Duration,
}

/// What a run has seen so far.
#[derive(Debug, Default)]
pub struct Record {
    targets: Vec<Target>,
    probes: Vec<Probe>,
    rules: Vec<RuleRow>,
}

/// A target of a wait.
#[derive(Clone, Debug)]
pub struct Target {
    /// Its name.
    pub name: String,
    /// Its address without secrets.
    pub address: String,
    /// Its tries.
    pub tries: Tries,
    /// How often it was good and fell back.
    pub flaps: u32,
    /// The latest attempt.
    pub latest: Option<Attempt>,
    wanted: u32,
}

/// A probe of an observation.
#[derive(Clone, Debug)]
pub struct Probe {
    /// Its name.
    pub name: String,
    /// Its address without secrets.
    pub address: String,
    /// From the start of one look to the start of the next.
    pub interval: Duration,
    /// How many looks ended, and how many of them were bad.
    pub looks: (u64, u64),
    /// How many looks could not be made.
    pub unmeasured: u64,
    /// What was wrong last.
    pub last_fault: Option<String>,
    /// What was found last.
    pub now: Option<Finding>,
    told_at: Option<Duration>,
    untold: u32,
}

/// A rule as it stands, for a table.
#[derive(Clone, Debug)]
pub struct RuleRow {
    /// Its name.
    pub name: String,
    /// How it stands, in words.
    pub text: String,
    /// Its limits.
    pub limits: String,
    /// Its values so far, as blocks.
    pub sparkline: String,
    /// How it stands.
    pub standing: Standing,
    /// Whether it was well before.
    was_well: bool,
}

impl Record {
    /// A record of a wait for targets, and of an observation by probes.
    #[must_use]
    pub fn new(targets: Vec<Named>, probes: Vec<Looked>) -> Self {
        let limit = (ALL_TRIES / targets.len().max(1)).min(TRIES);
        let target = |named: Named| Target {
            name: named.name,
            address: named.address,
            tries: Tries::new(limit),
            flaps: 0,
            latest: None,
            wanted: named.wanted.max(1),
        };
        let probe = |looked: Looked| Probe {
            name: looked.name,
            address: looked.address,
            interval: looked.interval,
            looks: (0, 0),
            unmeasured: 0,
            last_fault: None,
            now: None,
            told_at: None,
            untold: 0,
        };
        Self {
            targets: targets.into_iter().map(target).collect(),
            probes: probes.into_iter().map(probe).collect(),
            ..Self::default()
        }
    }

    /// Takes in a try, and gives the line for the log if it tells something new.
    pub fn attempt(&mut self, attempt: &Attempt) -> Option<String> {
        let is_one = self.targets.len() == 1;
        let target = self.targets.get_mut(attempt.target)?;
        let one = Try::of(attempt);
        let before = target.latest.as_ref().map(|before| &before.look.finding);
        let same = before.is_some_and(|before| before.tells_the_same(&attempt.look.finding));
        let fell_back = before.is_some_and(Finding::is_good) && !one.good;
        target.flaps += u32::from(fell_back);
        let text = format!("try {}: {}", one.number, one.text());
        // Of a good row its begin is new, and that it is long enough; how far it is the heartbeat tells.
        let is_ready = one.good && one.streak == target.wanted;
        target.tries.push(one);
        target.latest = Some(attempt.clone());
        let line = if is_one {
            text
        } else {
            format!("{}: {text}", target.name)
        };
        (!same || is_ready).then_some(line)
    }

    /// Takes in the rules of an observation that begins, of which nothing is judged yet.
    pub fn begin(&mut self, observation: &Observation) {
        self.rules = observation.courses().iter().map(RuleRow::of).collect();
    }

    /// Takes in what happens while it is observed, and gives the lines for the log: one for each change.
    pub fn told(&mut self, told: &Told<'_>) -> Vec<String> {
        match told {
            Told::Look { probe, due, look } => self.look(*probe, *due, look).into_iter().collect(),
            Told::Judged { observation, .. } => self.judged(observation),
        }
    }

    /// A look of a probe.
    fn look(&mut self, probe: usize, due: Duration, look: &Look) -> Option<String> {
        let probe = self.probes.get_mut(probe)?;
        let fault = (!look.finding.is_good()).then(|| look.finding.text());
        probe.looks.0 += 1;
        probe.looks.1 += u64::from(look.finding.fault().is_some());
        probe.unmeasured += u64::from(matches!(look.finding, Finding::Unmeasured(_)));
        let before = probe.now.replace(look.finding.clone());
        if before.is_some_and(|before| before.tells_the_same(&look.finding)) {
            return None;
        }
        if let Some(fault) = fault {
            probe.last_fault = Some(text::cut(fault, 400));
        }
        if fault.is_none() && probe.looks.0 == 1 {
            return Some(format!("{}: good", probe.name));
        }
        if probe
            .told_at
            .is_some_and(|told| due.saturating_sub(told) < PROBE_PAUSE)
        {
            probe.untold += 1;
            return None;
        }
        probe.told_at = Some(due);
        let more = match std::mem::take(&mut probe.untold) {
            0 => String::new(),
            1 => " (and 1 change before)".to_owned(),
            n => format!(" (and {n} changes before)"),
        };
        let (all, bad) = probe.looks;
        Some(match fault {
            Some(fault) => format!("{}: {fault}{more}", probe.name),
            None => format!("{}: good again, {bad} of {all} looks were bad{more}", probe.name),
        })
    }

    /// A judgement of the rules.
    fn judged(&mut self, observation: &Observation) -> Vec<String> {
        let mut rows: Vec<RuleRow> = observation.courses().iter().map(RuleRow::of).collect();
        for (row, before) in rows.iter_mut().zip(&self.rules) {
            row.was_well = before.was_well || before.standing == Standing::Well;
        }
        let lines = rows
            .iter()
            .enumerate()
            .filter_map(|(index, row)| row.change(self.rules.get(index).map(|before| &before.standing)))
            .collect();
        self.rules = rows;
        lines
    }

    /// The targets.
    #[must_use]
    pub fn targets(&self) -> &[Target] {
        &self.targets
    }

    /// The probes.
    #[must_use]
    pub fn probes(&self) -> &[Probe] {
        &self.probes
    }

    /// The rules as they were judged last.
    #[must_use]
    pub fn rules(&self) -> &[RuleRow] {
        &self.rules
    }

    /// How many tries were made of all targets.
    #[must_use]
    pub fn attempts(&self) -> u32 {
        self.targets.iter().map(|target| target.tries.count()).sum()
    }

    /// The target that a wait ended by.
    #[must_use]
    pub fn ended_by(&self, ending: &Ending) -> Option<&Target> {
        match &ending.end {
            End::Ready => None,
            End::TimedOut { target }
            | End::TooLate { target, .. }
            | End::GaveUp { target }
            | End::Trouble { target, .. } => self.targets.get(*target),
        }
    }

    /// What to look at after a wait that failed.
    #[must_use]
    pub fn advice(&self, ending: &Ending) -> &'static str {
        let fault = self.ended_by(ending).and_then(Target::fault);
        fault.map_or(FaultKind::Slow, |fault| fault.kind).advice()
    }
}

impl Target {
    /// Whether so many good tries in a row were the latest as it takes.
    #[must_use]
    pub fn is_ready(&self) -> bool {
        self.streak() >= self.wanted
    }

    /// Good tries in a row, up to now.
    #[must_use]
    pub fn streak(&self) -> u32 {
        self.latest.as_ref().map_or(0, |attempt| attempt.streak)
    }

    /// How many good tries in a row it takes.
    #[must_use]
    pub fn wanted(&self) -> u32 {
        self.wanted
    }

    /// The latest fault, if the latest attempt had one.
    #[must_use]
    pub fn fault(&self) -> Option<&Fault> {
        self.latest
            .as_ref()
            .and_then(|attempt| attempt.look.finding.fault())
    }
}

impl RuleRow {
    fn of(course: &Course) -> Self {
        let limit = |clause: &Option<_>| clause.as_ref().map(rules::limit);
        Self {
            name: course.rule.name.clone(),
            text: text::visible(&rules::standing(course)),
            limits: rules::limits(
                limit(&course.rule.require).as_deref(),
                limit(&course.rule.abort).as_deref(),
            ),
            sparkline: rules::sparkline(course, SPARKLINE),
            standing: course.standing.clone(),
            was_well: false,
        }
    }

    /// The line for the log, if the rule stands otherwise than before.
    fn change(&self, before: Option<&Standing>) -> Option<String> {
        let waiting = Standing::Waiting;
        let before = before.unwrap_or(&waiting);
        if !self.standing.differs(before) {
            return None;
        }
        let Self {
            name, text, limits, ..
        } = self;
        Some(match &self.standing {
            Standing::Waiting => return None,
            Standing::Well if !self.was_well => format!("{name}: {text}, limit {limits}"),
            Standing::Well => format!("{name}: well again, {text}"),
            Standing::Unknown(_) => format!("{name}: not known yet, {text}"),
            Standing::Bad(_) => format!("{name}: bad so far, {text}"),
            Standing::Trouble(_) => format!("{name}: {text}"),
            Standing::Failed(_) => format!("{name}: failed, {text}"),
        })
    }
}
