//! What each rule came to: its verdict and why, what its clauses saw last, its values over time. Pure.

use std::time::Duration;

use crate::clause::{Reading, Role};
use crate::condition::Measure;
use crate::course::{Course, Judged, Standing};
use crate::measured::{Measured, Seen};
use crate::rule::{Clause, NoData, Rule, Subject};
use crate::verdict::Verdict;
use gha::{duration, text};
use serde::Serialize;

use super::series::{self, Point, Worse};
use super::to_millis;
use super::value::{self, Unit};

/// How many points a report holds of a rule.
const POINTS: usize = 500;

/// The longest reason, in characters.
const REASON: usize = 600;

/// A rule in a report.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct RuleReport {
    /// Its name. Foreign text.
    pub name: String,
    /// Its verdict.
    pub verdict: Verdict,
    /// Whether its verdict counts for nothing.
    pub advisory: bool,
    /// Whether the observation ended before it was decided.
    #[serde(skip)]
    pub cut_short: bool,
    /// The address of the probe that it judges, without secrets; none of a source's.
    pub target: Option<String>,
    /// One line without the name: what held, or why not.
    pub reason: String,
    /// What had to hold, and what was seen of it last.
    pub require: Option<ClauseReport>,
    /// What would have ended the observation, and what was seen of it last.
    pub abort: Option<ClauseReport>,
    /// The values over time of `abort`, or where there is none of `require`: at most 500, the worst of each stretch.
    pub points: Vec<Point>,
    /// How often measuring failed.
    pub troubles: u32,
    /// What its source told beside the values.
    pub notes: Vec<String>,
}

/// A clause and what was seen of it last.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct ClauseReport {
    /// The condition as it was written.
    pub condition: String,
    /// What is compared.
    #[serde(skip)]
    pub measure: Measure,
    /// The number in it, in `unit`; for `failing` the time that is allowed.
    pub threshold: f64,
    /// The unit of `threshold`, `value` and the points.
    pub unit: Unit,
    /// Whether a larger value is the worse one.
    #[serde(skip)]
    pub worse: Worse,
    /// Condition and hysteresis, for people: `> 2% in 2 windows in a row of 60s`.
    pub limit: String,
    /// The value for people: `3.2% (19 of 600)`.
    pub text: Option<String>,
    /// The value as a number in `unit`; of a histogram's bucket its upper bound.
    pub value: Option<f64>,
    /// Of how many samples.
    pub n: Option<f64>,
    /// How many of them were bad.
    pub bad: Option<f64>,
    /// The window, in milliseconds.
    pub window_ms: Option<u64>,
    /// `waiting`, `well`, `bad` (crossed, not yet often or long enough), `failed` (it counts), `unknown` or `trouble`.
    pub standing: &'static str,
}

impl RuleReport {
    /// A rule's course as it is reported: of an observation that came to its end, or was cut short.
    #[must_use]
    pub fn of(course: &Course, complete: bool) -> Self {
        let rule = &course.rule;
        let verdict = course.verdict(complete);
        Self {
            name: rule.name.clone(),
            verdict,
            advisory: rule.advisory,
            cut_short: !complete && verdict == Verdict::Inconclusive,
            target: None,
            reason: text::cut(&text::visible(&reason(course, verdict, complete)), REASON),
            require: rule
                .require
                .as_ref()
                .map(|clause| ClauseReport::of(clause, Role::Require, course.require.as_ref())),
            abort: rule
                .abort
                .as_ref()
                .map(|clause| ClauseReport::of(clause, Role::Abort, course.abort.as_ref())),
            points: series::thinned(&series::points(course), POINTS, worse(rule)),
            troubles: course.troubles,
            notes: course.notes.iter().map(|note| text::cut(note, REASON)).collect(),
        }
    }

    /// The clause whose values `points` are.
    #[must_use]
    pub fn charted(&self) -> Option<&ClauseReport> {
        self.abort.as_ref().or(self.require.as_ref())
    }

    /// The clause that a table shows: the one that failed, else what had to hold.
    #[must_use]
    pub fn shown(&self) -> Option<&ClauseReport> {
        let fired = self
            .abort
            .as_ref()
            .filter(|clause| self.verdict == Verdict::Fail && clause.standing == "failed");
        fired.or(self.require.as_ref()).or(self.abort.as_ref())
    }
}

impl ClauseReport {
    fn of(clause: &Clause, role: Role, judged: Option<&Judged>) -> Self {
        let test = &clause.test;
        let measured = judged.and_then(measured);
        Self {
            condition: test.written.clone(),
            measure: test.measure.clone(),
            threshold: threshold(clause),
            unit: Unit::of(test),
            worse: worse_of(clause, role),
            limit: limit(clause),
            text: measured.map(|measured| value::text(test, measured)),
            value: measured.and_then(|measured| test.number(measured)),
            n: measured.and_then(Measured::samples),
            bad: measured.and_then(|measured| match measured {
                Measured::Share(share) => Some(share.bad),
                _ => None,
            }),
            window_ms: judged.map(|judged| to_millis(judged.window)),
            standing: match judged.map(|judged| &judged.reading) {
                None => "waiting",
                Some(Reading::Well) => "well",
                Some(Reading::Bad(_)) => "bad",
                Some(Reading::Met(_)) => "failed",
                Some(Reading::Unknown(_)) => "unknown",
                Some(Reading::Trouble(_)) => "trouble",
            },
        }
    }
}

/// How a rule stands now, for a log and a table that is drawn again: `3.2% (19 of 600) > 2% in 1 of 2 windows in a row`.
#[must_use]
pub fn standing(course: &Course) -> String {
    let seen = || {
        let judged = course.require.as_ref().or(course.abort.as_ref());
        let clause = course.rule.require.as_ref().or(course.rule.abort.as_ref());
        let measured = judged.and_then(measured).zip(clause);
        measured.map_or_else(
            || "no data".to_owned(),
            |(measured, clause)| value::text(&clause.test, measured),
        )
    };
    match &course.standing {
        Standing::Waiting => "nothing judged yet".to_owned(),
        Standing::Well => seen(),
        Standing::Unknown(why) => why.clone(),
        Standing::Bad(_) | Standing::Failed(_) => crossed(course),
        Standing::Trouble(trouble) => format!("not measured: {}", trouble.reason),
    }
}

/// The limits of a rule, for people: `< 1%; abort > 2% in 2 windows in a row of 60s`.
#[must_use]
pub fn limits(require: Option<&str>, abort: Option<&str>) -> String {
    match (require, abort) {
        (Some(require), Some(abort)) => format!("{require}; abort {abort}"),
        (Some(require), None) => require.to_owned(),
        (None, Some(abort)) => format!("abort {abort}"),
        (None, None) => String::new(),
    }
}

/// A clause for people.
#[must_use]
pub fn limit(clause: &Clause) -> String {
    let mut limit = clause.test.written.clone();
    let window = clause.window.map(value::window);
    match (clause.consecutive, &window) {
        (2.., Some(window)) => limit.push_str(&format!(
            " in {} windows in a row of {window}",
            clause.consecutive
        )),
        (_, Some(window)) if clause.test.measure != Measure::Failing => {
            limit.push_str(&format!(" in {window}"));
        }
        _ => {}
    }
    if !clause.hold.is_zero() {
        limit.push_str(&format!(" for {}", duration::display(clause.hold)));
    }
    limit
}

/// Why a rule has its verdict.
fn reason(course: &Course, verdict: Verdict, complete: bool) -> String {
    match verdict {
        Verdict::Fail => crossed(course),
        Verdict::Pass => held(course),
        Verdict::Error => not_measured(course),
        Verdict::Inconclusive if !complete => {
            format!("cut short before it was decided; last: {}", standing(course))
        }
        Verdict::Inconclusive => unknown(course),
    }
}

/// What crossed its limit, how far and how often.
fn crossed(course: &Course) -> String {
    let rule = &course.rule;
    let clauses = [
        (rule.abort.as_ref(), course.abort.as_ref(), Role::Abort),
        (rule.require.as_ref(), course.require.as_ref(), Role::Require),
    ];
    let known: Vec<_> = clauses
        .into_iter()
        .filter_map(|(clause, judged, role)| Some((clause?, judged?, role)))
        .collect();
    let met = known
        .iter()
        .find(|(_, judged, _)| matches!(judged.reading, Reading::Met(_)));
    let bad = || {
        known
            .iter()
            .find(|(_, judged, _)| matches!(judged.reading, Reading::Bad(_)))
    };
    match met.or_else(bad) {
        Some((clause, judged, role)) => crossing(clause, judged, *role),
        None => "a limit was crossed".to_owned(),
    }
}

fn crossing(clause: &Clause, judged: &Judged, role: Role) -> String {
    let test = &clause.test;
    let Some(measured) = measured(judged) else {
        let why = match &judged.seen {
            Seen::Nothing(why) => why.as_str(),
            _ => "nothing was measured",
        };
        return format!("no data: {why}; the rule says that this is bad (`no_data`)");
    };
    let value = value::text(test, measured);
    let often = match &judged.reading {
        Reading::Met(why) | Reading::Bad(why) => why.as_str(),
        _ => "",
    };
    if test.measure == Measure::Failing {
        let allowed = match (&judged.reading, clause.hold) {
            (_, Duration::ZERO) => String::new(),
            (_, hold) => format!(", {} is the limit", duration::display(hold)),
        };
        return format!("{value}{allowed}");
    }
    let sign = match role {
        Role::Abort => value::limit(test).to_owned(),
        Role::Require => format!("and not {}", value::limit(test)),
    };
    let span = match clause.window {
        Some(_) => value::window(judged.window),
        None => format!("the whole {}", duration::display(judged.window)),
    };
    let often = match often {
        "" => format!("in {span}"),
        often if often.ends_with("in a row") => format!("{often} of {span}"),
        often if often.starts_with("for ") => often.to_owned(),
        often => format!("in {span}, {often}"),
    };
    format!("{value} {sign} {often}")
}

/// What held.
fn held(course: &Course) -> String {
    let rule = &course.rule;
    let (clause, judged) = match (&rule.require, &course.require) {
        (Some(clause), Some(judged)) => (clause, judged),
        _ => match (&rule.abort, &course.abort) {
            (Some(clause), Some(judged)) => (clause, judged),
            _ => return "nothing was wrong".to_owned(),
        },
    };
    match (measured(judged), rule.no_data) {
        (Some(measured), _) if rule.require.is_some() && clause.test.measure != Measure::Failing => {
            format!(
                "{} {}",
                value::text(&clause.test, measured),
                value::limit(&clause.test)
            )
        }
        (Some(measured), _) => format!("{}, limit {}", value::text(&clause.test, measured), limit(clause)),
        (None, NoData::Zero) => "no data, which the rule takes for zero".to_owned(),
        (None, _) => "no data, which the rule takes for good".to_owned(),
    }
}

/// Why nothing could be measured.
fn not_measured(course: &Course) -> String {
    let troubles = [&course.require, &course.abort];
    let last = troubles
        .into_iter()
        .flatten()
        .find_map(|judged| match &judged.reading {
            Reading::Trouble(trouble) => Some(trouble.reason.as_str()),
            _ => None,
        });
    let times = match course.troubles {
        0 | 1 => String::new(),
        n => format!(" ({n} times)"),
    };
    format!(
        "not measured{times}: {}",
        last.unwrap_or("the source gave no answer")
    )
}

/// Which clause knew too little, and what to do.
fn unknown(course: &Course) -> String {
    let rule = &course.rule;
    let clauses = [
        (rule.require.as_ref(), course.require.as_ref()),
        (rule.abort.as_ref(), course.abort.as_ref()),
    ];
    let unknown = clauses.into_iter().find_map(|(clause, judged)| {
        let (clause, judged) = clause.zip(judged)?;
        match &judged.reading {
            Reading::Unknown(why) => Some((clause, judged, why)),
            _ => None,
        }
    });
    let Some((clause, judged, why)) = unknown else {
        return "nothing was judged; watch longer than the warm-up".to_owned();
    };
    let advice = match (&judged.seen, &rule.subject) {
        (Seen::Nothing(_), Subject::Number { .. }) => {
            "; if the series exists only after the first error, say `no_data: zero`"
        }
        (Seen::Nothing(_), Subject::Probe(_)) => "; watch longer, or raise the rate",
        (Seen::Nothing(_), _) => "; check the query, and that there is traffic",
        (Seen::Value(measured), subject) if lacks_samples(clause, measured) => match subject {
            Subject::Probe(_) => {
                "; watch longer, raise the rate, or lower `min_samples`, as a flag `--min-samples`"
            }
            _ => "; watch longer, send more traffic, or lower `min_samples`",
        },
        _ => "",
    };
    format!("{why}{advice}")
}

fn lacks_samples(clause: &Clause, measured: &Measured) -> bool {
    let wanted = f64::from(clause.min_samples);
    measured.samples().is_some_and(|samples| samples.round() < wanted)
}

fn measured(judged: &Judged) -> Option<&Measured> {
    match &judged.seen {
        Seen::Value(measured) => Some(measured),
        Seen::Nothing(_) | Seen::Trouble(_) => None,
    }
}

/// The number that a clause's values are held against: for `failing` the time that is allowed.
fn threshold(clause: &Clause) -> f64 {
    match clause.test.measure {
        Measure::Failing => clause.hold.as_secs_f64(),
        _ => clause.test.threshold,
    }
}

/// `require: < 1%` and `abort: > 2%` both fear what is large.
fn worse_of(clause: &Clause, role: Role) -> Worse {
    let wants_little = clause.test.op.is_upper_limit() == (role == Role::Require);
    if wants_little || clause.test.measure == Measure::Failing {
        Worse::Larger
    } else {
        Worse::Smaller
    }
}

/// Which of the values over time are the worse ones.
fn worse(rule: &Rule) -> Worse {
    match (&rule.abort, &rule.require) {
        (Some(abort), _) => worse_of(abort, Role::Abort),
        (None, Some(require)) => worse_of(require, Role::Require),
        (None, None) => Worse::Larger,
    }
}

/// A rule's values so far as a line of blocks.
#[must_use]
pub fn sparkline(course: &Course, most: usize) -> String {
    let limit = course.rule.charted().map(threshold);
    series::sparkline(&series::points(course), limit, most, worse(&course.rule))
}
