//! The course of one rule through an observation: what its clauses saw, how it stands, what it comes to. Pure.

use std::time::Duration;

use crate::clause::{History, Reading, Role};
use crate::condition::{Measure, Op};
use crate::measured::Seen;
use crate::rule::{Clause, NoData, Rule};
use crate::source;
use crate::trouble::Trouble;
use crate::verdict::Verdict;

/// How many points are kept; of more, every second one goes.
const POINTS: usize = 2_000;

/// How many different notes of its sources are kept.
const NOTES: usize = 10;

/// How a rule stands. The order is that of what matters most to a person.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Standing {
    /// Nothing was judged yet.
    Waiting,
    /// Nothing is wrong.
    Well,
    /// Too little is known.
    Unknown(String),
    /// A limit is crossed, but not yet often, long or much enough.
    Bad(String),
    /// It could not be measured.
    Trouble(Trouble),
    /// It has failed.
    Failed(String),
}

/// What a clause saw last.
#[derive(Clone, Debug, PartialEq)]
pub struct Judged {
    /// The window, ending at the time of the look.
    pub window: Duration,
    /// What was measured.
    pub seen: Seen,
    /// What it means.
    pub reading: Reading,
}

/// A point of a rule's course.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Point {
    /// When.
    pub at: Duration,
    /// What: a share, seconds, a number; none where there was no value.
    pub value: Option<f64>,
}

/// A rule and all that is known of it.
#[derive(Clone, Debug)]
pub struct Course {
    /// The rule.
    pub rule: Rule,
    /// How it stands.
    pub standing: Standing,
    /// What its `require` saw last.
    pub require: Option<Judged>,
    /// What its `abort` saw last; once it has fired, what it saw then.
    pub abort: Option<Judged>,
    /// Its values over time.
    pub points: Vec<Point>,
    /// How often measuring failed.
    pub troubles: u32,
    /// What its source told beside the values: warnings, and why there may be nothing.
    pub notes: Vec<String>,
    require_history: History,
    abort_history: History,
    troubles_in_a_row: u32,
}

impl Course {
    pub(crate) fn new(rule: Rule) -> Self {
        Self {
            rule,
            standing: Standing::Waiting,
            require: None,
            abort: None,
            points: Vec::new(),
            troubles: 0,
            notes: Vec::new(),
            require_history: History::default(),
            abort_history: History::default(),
            troubles_in_a_row: 0,
        }
    }

    /// Takes in what a clause's window shows. A `require` with a window of its own fails the rule as soon as a full window
    /// is bad; one over the whole observation is judged at the end.
    pub(crate) fn take(&mut self, clause: &Clause, role: Role, at: Duration, window: Duration, seen: Seen) {
        let full = clause.window.is_some_and(|length| window >= length);
        if matches!(self.standing, Standing::Failed(_)) {
            return;
        }
        let history = match role {
            Role::Require => &mut self.require_history,
            Role::Abort => &mut self.abort_history,
        };
        let reading = if full
            || clause.window.is_none()
            || !takes_a_full_window(clause, role, self.rule.no_data, &seen)
        {
            history.take(clause, role, self.rule.no_data, at, &seen)
        } else {
            Reading::Unknown("the first window is not full yet".to_owned())
        };
        if let Reading::Met(why) = &reading
            && (role == Role::Abort || full)
        {
            self.standing = Standing::Failed(why.clone());
        }
        let judged = Some(Judged {
            window,
            seen,
            reading,
        });
        match role {
            Role::Require => self.require = judged,
            Role::Abort => self.abort = judged,
        }
    }

    /// Keeps what the sources told beside the values, each thing once.
    pub(crate) fn note<'a>(&mut self, readings: impl Iterator<Item = &'a source::Reading>) {
        keep_notes(&mut self.notes, readings);
    }

    /// How the rule stands after all its clauses were judged.
    pub(crate) fn settle(&mut self, at: Duration) {
        if !matches!(self.standing, Standing::Failed(_)) {
            let clauses = [&self.require, &self.abort].into_iter().flatten();
            self.standing = clauses.fold(Standing::Waiting, |worst, judged| worse(worst, &judged.reading));
        }
        if matches!(self.standing, Standing::Trouble(_)) {
            self.troubles += 1;
            self.troubles_in_a_row += 1;
        } else {
            self.troubles_in_a_row = 0;
        }
        let judged = self.abort.as_ref().or(self.require.as_ref());
        if let Some((judged, clause)) = judged.zip(self.rule.charted()) {
            let value = match &judged.seen {
                Seen::Value(measured) => clause.test.number(measured),
                Seen::Nothing(_) | Seen::Trouble(_) => None,
            };
            self.points.push(Point { at, value });
        }
        if self.points.len() > POINTS {
            let mut index = 0;
            self.points.retain(|_| {
                index += 1;
                index % 2 == 0
            });
        }
    }

    /// Whether measuring has failed too often in a row.
    #[must_use]
    pub fn is_blind(&self) -> bool {
        self.troubles_in_a_row > self.rule.max_errors
    }

    /// The verdict, where the observation came to its end, or was cut short.
    #[must_use]
    pub fn verdict(&self, complete: bool) -> Verdict {
        match &self.standing {
            Standing::Failed(_) => Verdict::Fail,
            Standing::Trouble(trouble) if trouble.lasts() || self.is_blind() => Verdict::Error,
            _ if !complete => Verdict::Inconclusive,
            _ => self.final_verdict(),
        }
    }

    /// What counts at the end is what was seen at the end: by `require`, or where there is none, by `abort`. A window of an
    /// `abort` that is too short for a judgement takes nothing from a `require` that could be judged.
    fn final_verdict(&self) -> Verdict {
        let of = |judged: &Option<Judged>| {
            judged
                .as_ref()
                .map_or(Verdict::Inconclusive, |judged| match judged.reading {
                    Reading::Well => Verdict::Pass,
                    Reading::Bad(_) | Reading::Met(_) => Verdict::Fail,
                    Reading::Unknown(_) => Verdict::Inconclusive,
                    Reading::Trouble(_) => Verdict::Error,
                })
        };
        let abort = match of(&self.abort) {
            // Crossed, but not often or long enough to count.
            Verdict::Fail => Verdict::Pass,
            other => other,
        };
        match (&self.rule.require, &self.rule.abort) {
            (Some(_), Some(_)) if abort == Verdict::Error => of(&self.require).max(Verdict::Error),
            (Some(_), _) => of(&self.require),
            (None, _) => abort,
        }
    }
}

/// Keeps what sources told beside the values, each thing once, and not more than a person would read.
pub(crate) fn keep_notes<'a>(kept: &mut Vec<String>, readings: impl Iterator<Item = &'a source::Reading>) {
    for note in readings.flat_map(|reading| &reading.notes) {
        if kept.len() < NOTES && !kept.contains(note) {
            kept.push(note.clone());
        }
    }
}

/// Whether the window must be full before an abort can be judged: where little, or nothing, is bad, a window that has just
/// begun would be.
fn takes_a_full_window(clause: &Clause, role: Role, no_data: NoData, seen: &Seen) -> bool {
    let rising = matches!(clause.test.op, Op::More | Op::AtLeast);
    let counted = matches!(
        clause.test.measure,
        Measure::CountBad | Measure::CountStatus(_) | Measure::Number
    );
    let empty = matches!(seen, Seen::Nothing(_)) && matches!(no_data, NoData::Fail | NoData::Zero);
    role == Role::Abort && (counted && !rising || empty)
}

/// The worse of a standing and a reading.
fn worse(standing: Standing, reading: &Reading) -> Standing {
    let other = match reading {
        Reading::Well => Standing::Well,
        Reading::Unknown(why) => Standing::Unknown(why.clone()),
        Reading::Bad(why) | Reading::Met(why) => Standing::Bad(why.clone()),
        Reading::Trouble(trouble) => Standing::Trouble(trouble.clone()),
    };
    if other.rank() > standing.rank() {
        other
    } else {
        standing
    }
}

impl Standing {
    /// Its place in the order.
    fn rank(&self) -> u8 {
        match self {
            Self::Waiting => 0,
            Self::Well => 1,
            Self::Unknown(_) => 2,
            Self::Bad(_) => 3,
            Self::Trouble(_) => 4,
            Self::Failed(_) => 5,
        }
    }

    /// Whether two standings differ in kind, and not only in their words.
    #[must_use]
    pub fn differs(&self, other: &Self) -> bool {
        self.rank() != other.rank()
    }
}
