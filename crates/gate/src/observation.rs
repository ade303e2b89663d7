//! An observation: samples and answers go in, and the standing of each rule and comparison comes out. Pure; all times
//! count from the start of the observation.

use std::time::Duration;

use jiff::Timestamp;

use crate::asked::{answer_to, number, see, see_ratio};
use crate::clause::Role;
use crate::compare::SettingsError;
use crate::condition::{Measure, Test};
use crate::contest::Contest;
use crate::course::{Course, Standing};
use crate::measured::{Measured, Seen, Share, percentile_of};
use crate::rule::{Clause, Rule, Subject};
use crate::source::{Query, Question, Value};
use crate::spec::comparison::Comparison;
use crate::tape::{Sample, Tape, Unseen};
use crate::trouble::Trouble;
use crate::verdict::Verdict;

pub use crate::asked::{Answered, Asked};

/// How far into the past a source tells, and in which steps.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Reach {
    /// How old the newest data is that it tells of. A window that reaches behind the beginning would show the version
    /// that served before.
    pub lag: Duration,
    /// What windows are multiples of; zero where they may be of any length.
    pub step: Duration,
}

/// The observation.
#[derive(Clone, Debug)]
pub struct Observation {
    warmup: Duration,
    tapes: Vec<Tape>,
    courses: Vec<Course>,
    contests: Vec<Contest>,
    reaches: Vec<Reach>,
    /// When it begins, from 1970: windows of a source with steps end and begin on these.
    begin: Duration,
}

impl Observation {
    /// An observation of so many probes under these rules and comparisons. What is due during the warm-up is kept and not
    /// judged; `judged` is how long it goes on after it.
    ///
    /// # Errors
    /// When a comparison's settings can't work.
    pub fn new(
        rules: Vec<Rule>,
        comparisons: Vec<Comparison>,
        probes: usize,
        warmup: Duration,
        judged: Duration,
    ) -> Result<Self, SettingsError> {
        let binding = comparisons
            .iter()
            .filter(|comparison| !comparison.advisory)
            .fold(0_u32, |count, _| count + 1);
        let contests = comparisons
            .into_iter()
            .map(|comparison| Contest::new(comparison, binding.max(1), warmup, judged));
        Ok(Self {
            warmup,
            tapes: vec![Tape::default(); probes],
            courses: rules.into_iter().map(Course::new).collect(),
            contests: contests.collect::<Result<_, _>>()?,
            reaches: Vec::new(),
            begin: Duration::ZERO,
        })
    }

    /// The same with sources that tell of the past alone, in their order: without this, none is late.
    #[must_use]
    pub fn reaching(mut self, reaches: Vec<Reach>) -> Self {
        self.reaches = reaches;
        self.reach(Duration::ZERO);
        self
    }

    /// Says at which instant it begins: windows of a source with steps begin and end on these.
    pub fn begin(&mut self, instant: Timestamp) {
        self.begin = Duration::try_from(instant.as_duration()).unwrap_or_default();
        self.reach(self.begin);
    }

    /// How late the comparisons are, and when their first whole step begins.
    fn reach(&mut self, begin: Duration) {
        let first = begin.saturating_add(self.warmup);
        for contest in &mut self.contests {
            let arms = [
                contest.comparison.canary.source,
                contest.comparison.baseline.source,
            ];
            let reaches = || arms.into_iter().filter_map(|source| self.reaches.get(source));
            let lag = reaches().map(|reach| reach.lag).max().unwrap_or_default();
            let step = reaches().map(|reach| reach.step).max().unwrap_or_default();
            contest.reach(lag, up_to(first, step).saturating_sub(first));
        }
    }

    /// Takes in a sample of a probe.
    pub fn sample(&mut self, probe: usize, sample: Sample) {
        if let Some(tape) = self.tapes.get_mut(probe) {
            tape.push(sample);
        }
    }

    /// Takes in why a look of a probe could not be made.
    pub fn trouble(&mut self, probe: usize, trouble: Trouble) {
        if let Some(tape) = self.tapes.get_mut(probe) {
            tape.keep_trouble(trouble);
        }
    }

    /// The samples of each probe.
    #[must_use]
    pub fn tapes(&self) -> &[Tape] {
        &self.tapes
    }

    /// The rules and what is known of them.
    #[must_use]
    pub fn courses(&self) -> &[Course] {
        &self.courses
    }

    /// The comparisons and what is known of them.
    #[must_use]
    pub fn comparisons(&self) -> &[Contest] {
        &self.contests
    }

    /// What must be asked to judge rules and comparisons at a time; each thing once. Rules ask about that instant,
    /// comparisons about the end of each interval since the last judgement.
    #[must_use]
    pub fn questions(&self, at: Duration) -> Vec<Asked> {
        let mut asked: Vec<Asked> = Vec::new();
        let mut ask = |question: Asked| {
            if !asked.contains(&question) {
                asked.push(question);
            }
        };
        for course in &self.courses {
            for (clause, _) in course.rule.clauses() {
                let Some(window) = self.window(&course.rule.subject, clause, at) else {
                    continue;
                };
                course
                    .rule
                    .subject
                    .questions(window, at)
                    .into_iter()
                    .for_each(&mut ask);
            }
        }
        for contest in &self.contests {
            contest.questions(at).into_iter().for_each(&mut ask);
        }
        asked
    }

    /// Judges every rule and comparison at a time, by the samples so far and by what the sources answered.
    pub fn judge(&mut self, at: Duration, answers: &[Answered]) {
        self.judge_own(at);
        self.judge_asked(at, answers);
    }

    /// Judges the rules about the gate's own samples, which wait for no source.
    pub fn judge_own(&mut self, at: Duration) {
        self.judge_rules(at, &[], |subject| subject.source().is_none());
    }

    /// Judges the rules and comparisons that sources were asked for.
    pub fn judge_asked(&mut self, at: Duration, answers: &[Answered]) {
        self.judge_rules(at, answers, |subject| subject.source().is_some());
        for contest in &mut self.contests {
            contest.judge(at, answers);
        }
    }

    fn judge_rules(&mut self, at: Duration, answers: &[Answered], which: impl Fn(&Subject) -> bool) {
        for index in 0..self.courses.len() {
            if !which(&self.courses[index].rule.subject) {
                continue;
            }
            let rule = self.courses[index].rule.clone();
            for (clause, role) in rule.clauses() {
                let Some(window) = self.window(&rule.subject, clause, at) else {
                    continue;
                };
                let seen = self.see(&rule.subject, (clause, role), at, window, answers);
                self.courses[index].take(clause, role, at, window, seen);
            }
            let mine = answers
                .iter()
                .filter(|(asked, _)| asked.at == at && rule.subject.asked(asked));
            self.courses[index].note(mine.filter_map(|(_, answer)| answer.as_ref().ok()));
            self.courses[index].settle(at);
        }
    }

    /// Why going on would be of no use, as the verdict it would have; `None` while it would be.
    #[must_use]
    pub fn settled(&self) -> Option<Verdict> {
        let binding = self.courses.iter().filter(|course| !course.rule.advisory);
        let rules = binding.map(|course| (&course.standing, course.is_blind()));
        let binding = self
            .contests
            .iter()
            .filter(|contest| !contest.comparison.advisory);
        let comparisons = binding.map(|contest| (&contest.standing, contest.is_blind()));
        let settled = rules
            .chain(comparisons)
            .filter_map(|(standing, is_blind)| match standing {
                Standing::Failed(_) => Some(Verdict::Fail),
                Standing::Trouble(trouble) if trouble.lasts() || is_blind => Some(Verdict::Error),
                _ => None,
            });
        settled.max()
    }

    /// A clause's window at a time: shorter while the observation is younger, and never further back than what is judged
    /// began. `None` before anything can be judged.
    fn window(&self, subject: &Subject, clause: &Clause, at: Duration) -> Option<Duration> {
        let reach = subject.source().and_then(|source| self.reaches.get(source));
        let Reach { lag, step } = reach.copied().unwrap_or_default();
        let first = up_to(self.begin.saturating_add(self.warmup), step);
        let last = down_to(self.begin.saturating_add(at.checked_sub(lag)?), step);
        let judged = last.checked_sub(first)?;
        let window = down_to(clause.window.map_or(judged, |length| length.min(judged)), step);
        (!window.is_zero()).then_some(window)
    }

    /// What a window shows.
    fn see(
        &self,
        subject: &Subject,
        (clause, role): (&Clause, Role),
        at: Duration,
        window: Duration,
        answers: &[Answered],
    ) -> Seen {
        let answer = |source: usize, query: &Query| answer_to(answers, &ask(source, query, window, at));
        match subject {
            Subject::Probe(probe) => match self.tapes.get(*probe) {
                Some(tape) => see_tape(tape, &clause.test, role, at.saturating_sub(window), at),
                None => Seen::Nothing("no such probe".to_owned()),
            },
            Subject::Ratio { source, bad, total } => see_ratio(answer(*source, bad), answer(*source, total)),
            Subject::Histogram { source, selector } => {
                let percent = match clause.test.measure {
                    Measure::Percentile(percent) => percent,
                    _ => 50.0,
                };
                see(answer(*source, selector), |value| match value {
                    Value::Buckets(buckets) => percentile_of(buckets, percent).map(Measured::Latency),
                    Value::Number(_) | Value::Absent | Value::Nothing => None,
                })
            }
            Subject::Number { source, query } => see(answer(*source, query), number),
        }
    }
}

impl Rule {
    /// Its clauses and what they are.
    fn clauses(&self) -> impl Iterator<Item = (&Clause, Role)> {
        let require = self.require.as_ref().map(|clause| (clause, Role::Require));
        let abort = self.abort.as_ref().map(|clause| (clause, Role::Abort));
        require.into_iter().chain(abort)
    }
}

impl Subject {
    /// What is asked for the window that ends at a time.
    fn questions(&self, window: Duration, at: Duration) -> Vec<Asked> {
        let ask = |source: usize, query: &Query| ask(source, query, window, at);
        match self {
            Self::Probe(_) => Vec::new(),
            Self::Ratio { source, bad, total } => vec![ask(*source, bad), ask(*source, total)],
            Self::Histogram { source, selector } => vec![ask(*source, selector)],
            Self::Number { source, query } => vec![ask(*source, query)],
        }
    }

    /// Whether something was asked for this subject.
    fn asked(&self, asked: &Asked) -> bool {
        self.questions(asked.question.window, asked.at).contains(asked)
    }
}

fn ask(source: usize, query: &Query, window: Duration, at: Duration) -> Asked {
    let query = query.clone();
    Asked {
        source,
        question: Question { query, window },
        at,
    }
}

/// The last multiple of a step that is not above a time.
fn down_to(time: Duration, step: Duration) -> Duration {
    let over = time.as_nanos().checked_rem(step.as_nanos()).unwrap_or_default();
    time.saturating_sub(Duration::from_nanos(u64::try_from(over).unwrap_or(u64::MAX)))
}

/// The first multiple of a step that is not below a time.
fn up_to(time: Duration, step: Duration) -> Duration {
    let down = down_to(time, step);
    if down == time {
        time
    } else {
        down.saturating_add(step)
    }
}

/// What a probe's samples of a span show. Where it depends on looks that were not made, it is not known: a requirement must
/// hold whatever they would have shown. A condition to end early is never met by a look that nobody made, so only those count
/// that the target left no room for.
fn see_tape(tape: &Tape, test: &Test, role: Role, from: Duration, to: Duration) -> Seen {
    let gaps = tape.gaps(from, to);
    if let Some(trouble) = gaps.blind() {
        return Seen::Trouble(trouble);
    }
    let known = measured(tape, &test.measure, (from, to), Unseen::Known);
    if let Some(trouble) = gaps.incomplete() {
        let truth = |value: &Option<Measured>| value.as_ref().map(|value| test.of(value));
        let at_worst = match role {
            Role::Require => Unseen::Worst,
            Role::Abort => Unseen::Crowded,
        };
        let at_worst = measured(tape, &test.measure, (from, to), at_worst);
        if truth(&known) != truth(&at_worst) {
            return Seen::Trouble(trouble);
        }
    }
    known.map_or_else(
        || Seen::Nothing("no samples in the window".to_owned()),
        Seen::Value,
    )
}

fn measured(
    tape: &Tape,
    measure: &Measure,
    (from, to): (Duration, Duration),
    unseen: Unseen,
) -> Option<Measured> {
    let counted = |share: Share| (share.total > 0.0).then_some(Measured::Share(share));
    match measure {
        Measure::Percentile(percent) => tape.percentile(from, to, *percent, unseen).map(Measured::Latency),
        Measure::CountStatus(set) => counted(tape.statuses(from, to, set, unseen)),
        // Looks of the warm-up are not judged.
        Measure::Failing => tape
            .failing(to)
            .map(|time| Measured::Failing(time.min(to.saturating_sub(from)).as_secs_f64())),
        Measure::ErrorRate | Measure::CountBad | Measure::Number => counted(tape.share(from, to, unseen)),
    }
}
