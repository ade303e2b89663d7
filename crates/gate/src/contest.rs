//! The course of one comparison through an observation: what both arms counted, interval after interval, what the
//! planned looks decided, and what it comes to. Pure; all times count from the start of the observation.
//!
//! Intervals stand on a grid that begins where the warm-up ends; what is left at the end is no whole one and not counted.
//! Each is asked about as it was at its very end, at the first judgement from then on. An interval that could not be
//! measured is left out of both arms, never taken for a good one.

use std::time::Duration;

use crate::asked::{Answered, Asked, answer_to, see_ratio, traffic};
use crate::compare::{Counts, Interval, Look, Plan, SettingsError, Verdict as Decision};
use crate::course::{Standing, keep_notes};
use crate::measured::{Measured, Seen};
use crate::source::{Query, Question, Reading};
use crate::spec::comparison::{Arm, Comparison};
use crate::trouble::Trouble;
use crate::verdict::Verdict;

/// How many failed measurements in a row it forgives, as a rule does.
const MAX_ERRORS: u32 = 4;

/// How many past intervals one judgement asks about. More than one are open only where judgements came late; of too many
/// the oldest are left out, so that catching up never becomes a burst.
const MOST_OPEN: u32 = 10;

/// A comparison and all that is known of it.
#[derive(Clone, Debug)]
pub struct Contest {
    /// The comparison.
    pub comparison: Comparison,
    /// How it stands.
    pub standing: Standing,
    /// What was counted; intervals that could not be measured are not among them.
    pub counted: Vec<Counted>,
    /// The last planned look that was made.
    pub look: Option<Look>,
    /// How many intervals could not be measured.
    pub troubles: u32,
    /// How many intervals were left out because judgements came too late.
    pub missed: u32,
    /// What its sources told beside the values: warnings, and why there may be nothing.
    pub notes: Vec<String>,
    /// How late its sources are.
    lag: Duration,
    /// How long after the warm-up its first interval begins.
    late: Duration,
    plan: Plan,
    begin: Duration,
    judged: Duration,
    /// How many intervals are done with: counted, in trouble or missed.
    done: u32,
    /// How many of the planned looks are done with.
    looks: u32,
    troubles_in_a_row: u32,
    /// The last trouble.
    trouble: Option<Trouble>,
}

/// What both arms counted in one interval.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Counted {
    /// When the interval ended.
    pub end: Duration,
    /// The counts.
    pub interval: Interval,
}

impl Contest {
    /// A comparison that begins after the warm-up and is judged for so long. `binding` is how many comparisons of the
    /// observation are not advisory: they share the chance of a false no.
    ///
    /// # Errors
    /// When the comparison's settings can't work.
    pub fn new(
        comparison: Comparison,
        binding: u32,
        warmup: Duration,
        judged: Duration,
    ) -> Result<Self, SettingsError> {
        let plan = Plan::new(comparison.settings(binding))?;
        Ok(Self {
            comparison,
            standing: Standing::Waiting,
            counted: Vec::new(),
            look: None,
            troubles: 0,
            missed: 0,
            notes: Vec::new(),
            lag: Duration::ZERO,
            late: Duration::ZERO,
            plan,
            begin: warmup,
            judged,
            done: 0,
            looks: 0,
            troubles_in_a_row: 0,
            trouble: None,
        })
    }

    /// Its sources are so late, and their first whole step begins so long after the warm-up.
    pub(crate) fn reach(&mut self, lag: Duration, late: Duration) {
        self.lag = lag;
        self.late = late;
    }

    /// When its first interval begins.
    fn first(&self) -> Duration {
        self.begin.saturating_add(self.late)
    }

    /// What must be asked at a time: four counts of each interval that has ended and is not done with.
    #[must_use]
    pub fn questions(&self, at: Duration) -> Vec<Asked> {
        let open = self.open(at);
        open.flat_map(|number| self.four(self.end(number))).collect()
    }

    /// Takes in what was answered, and makes the look that is due.
    pub(crate) fn judge(&mut self, at: Duration, answers: &[Answered]) {
        if self.is_over() {
            return;
        }
        let (open, ended) = (self.open(at), self.ended(at));
        let since = ended.saturating_sub(self.done);
        self.missed = self.missed.saturating_add(since.saturating_sub(MOST_OPEN));
        self.done = self.done.max(ended);
        for number in open {
            self.take(self.end(number), answers);
        }
        let elapsed = at.saturating_sub(self.begin);
        let due = self.plan.due(elapsed, self.judged);
        if due > self.looks && at > self.begin {
            self.looks = due;
            self.decide(due);
        }
    }

    /// Whether nothing that comes can change it.
    fn is_over(&self) -> bool {
        matches!(self.standing, Standing::Failed(_)) || self.looks == self.plan.settings().looks
    }

    /// How many intervals have ended, of those that end within the time that is judged.
    fn ended(&self, at: Duration) -> u32 {
        let elapsed = at
            .saturating_sub(self.first())
            .saturating_sub(self.lag)
            .min(self.judged.saturating_sub(self.late));
        let ended = elapsed.as_nanos() / self.comparison.interval.as_nanos().max(1);
        u32::try_from(ended).unwrap_or(u32::MAX)
    }

    /// The numbers, from 1, of the intervals that are asked about at a time.
    fn open(&self, at: Duration) -> impl Iterator<Item = u32> + use<> {
        let ended = if self.is_over() { self.done } else { self.ended(at) };
        let first = self.done.max(ended.saturating_sub(MOST_OPEN));
        (first..ended).map(|before| before + 1)
    }

    fn end(&self, number: u32) -> Duration {
        self.first()
            .saturating_add(self.comparison.interval.saturating_mul(number))
    }

    /// The four counts of the interval that ended then: bad ones and all, of the canary and of the baseline.
    fn four(&self, end: Duration) -> [Asked; 4] {
        let ask = |arm: &Arm, query: &Query| Asked {
            source: arm.source,
            question: Question {
                query: query.clone(),
                window: self.comparison.interval,
            },
            at: end.saturating_add(self.lag),
        };
        let Comparison { canary, baseline, .. } = &self.comparison;
        [
            ask(canary, &canary.bad),
            ask(canary, &canary.total),
            ask(baseline, &baseline.bad),
            ask(baseline, &baseline.total),
        ]
    }

    /// Takes in one interval.
    fn take(&mut self, end: Duration, answers: &[Answered]) {
        let four = self.four(end).map(|asked| answer_to(answers, &asked));
        let [Some(canary_bad), Some(canary), Some(baseline_bad), Some(baseline)] = four else {
            self.missed += 1;
            return;
        };
        let answers = [canary_bad, canary, baseline_bad, baseline];
        let told = answers.iter().filter_map(|answer| answer.as_ref().ok());
        keep_notes(&mut self.notes, told);
        match interval(&answers) {
            Ok(interval) => {
                self.counted.push(Counted { end, interval });
                self.troubles_in_a_row = 0;
                self.stand();
            }
            Err(trouble) => {
                self.troubles += 1;
                self.troubles_in_a_row += 1;
                self.trouble = Some(trouble.clone());
                self.standing = Standing::Trouble(trouble);
            }
        }
    }

    /// Makes a planned look.
    fn decide(&mut self, number: u32) {
        let intervals: Vec<Interval> = self.counted.iter().map(|counted| counted.interval).collect();
        self.look = Some(self.plan.look(number, &intervals));
        self.stand();
    }

    /// Stands as the last look says; but where the last thing that is known is trouble, in trouble, until the last look
    /// could be made in spite of it.
    fn stand(&mut self) {
        let decision = self.look.as_ref().map(|look| look.verdict);
        let is_last = self.looks == self.plan.settings().looks;
        self.standing = match (&self.look, decision, &self.trouble) {
            (Some(look), Some(Decision::Fail), _) => Standing::Failed(look.reason()),
            (_, _, Some(trouble)) if self.is_stopped_by(trouble) => Standing::Trouble(trouble.clone()),
            (_, Some(Decision::Pass(_)), _) => Standing::Well,
            (_, _, Some(trouble)) if is_last && self.troubles_took_it() => Standing::Trouble(trouble.clone()),
            (_, _, Some(trouble)) if !is_last && self.troubles_in_a_row > 0 => {
                Standing::Trouble(trouble.clone())
            }
            (Some(look), Some(Decision::Continue), _) if look.ratio.is_some() => Standing::Well,
            (Some(look), _, _) => Standing::Unknown(look.reason()),
            (None, _, _) => Standing::Waiting,
        };
    }

    /// Whether the last trouble is still there and would stay.
    fn is_stopped_by(&self, trouble: &Trouble) -> bool {
        self.troubles_in_a_row > 0 && (trouble.lasts() || self.is_blind())
    }

    /// Whether measuring has failed too often in a row.
    #[must_use]
    pub fn is_blind(&self) -> bool {
        self.troubles_in_a_row > MAX_ERRORS
    }

    /// The verdict, where the observation came to its end, or was cut short. Only the last look passes anything.
    #[must_use]
    pub fn verdict(&self, complete: bool) -> Verdict {
        let is_last = self.looks == self.plan.settings().looks;
        match &self.standing {
            Standing::Failed(_) => Verdict::Fail,
            Standing::Trouble(trouble) if trouble.lasts() || self.is_blind() => Verdict::Error,
            _ if !complete || !is_last => Verdict::Inconclusive,
            Standing::Well => Verdict::Pass,
            Standing::Trouble(_) => Verdict::Error,
            Standing::Waiting | Standing::Unknown(_) | Standing::Bad(_) => Verdict::Inconclusive,
        }
    }

    /// Why it stands as it does, as one line.
    #[must_use]
    pub fn reason(&self) -> String {
        match (&self.standing, &self.look) {
            (Standing::Trouble(trouble), _) => trouble.reason.clone(),
            (_, Some(look)) => look.reason(),
            (Standing::Failed(why) | Standing::Bad(why) | Standing::Unknown(why), None) => why.clone(),
            (Standing::Waiting | Standing::Well, None) => "no planned look was made".to_owned(),
        }
    }

    /// Whether there would have been enough intervals, had all been measured.
    fn troubles_took_it(&self) -> bool {
        let counted = u32::try_from(self.counted.len()).unwrap_or(u32::MAX);
        let needs = self.comparison.min_intervals;
        self.troubles > 0
            && (counted == 0 || (counted < needs && counted.saturating_add(self.troubles) >= needs))
    }
}

/// What the four answers say of an interval; trouble that lasts before trouble that may pass.
fn interval(answers: &[&Result<Reading, Trouble>; 4]) -> Result<Interval, Trouble> {
    let troubles = answers.iter().filter_map(|answer| answer.as_ref().err());
    if let Some(trouble) = troubles.max_by_key(|trouble| trouble.lasts()) {
        return Err(trouble.clone());
    }
    let [canary_bad, canary, baseline_bad, baseline] = *answers;
    Ok(Interval {
        canary: counts(canary_bad, canary)?,
        baseline: counts(baseline_bad, baseline)?,
    })
}

/// The counts of one arm. Without data of all there was no traffic, and an interval without traffic tells nothing about
/// either arm. Traffic without data of the bad ones was not measured.
fn counts(bad: &Result<Reading, Trouble>, total: &Result<Reading, Trouble>) -> Result<Counts, Trouble> {
    match see_ratio(Some(bad), Some(total)) {
        Seen::Value(Measured::Share(share)) => Counts::new(share.bad, share.total)
            .map_err(|error| Trouble::passing(format!("a source answered what can't be: {error}"))),
        Seen::Nothing(why) if traffic(Some(total)).is_ok() => {
            Err(Trouble::passing(format!("no data: {why}")))
        }
        Seen::Value(_) | Seen::Nothing(_) => Ok(Counts::default()),
        Seen::Trouble(trouble) => Err(trouble),
    }
}
