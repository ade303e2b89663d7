//! What a run came to, in words and numbers: its verdict, one line that says why, and what each target, probe, rule and
//! comparison showed. Pure; it is made of what the engine saw, and nothing of it is decided here but which reason comes
//! first.
//!
//! [`record`] collects while a run goes on.

use std::time::Duration;

use gha::{duration, text};
use serde::{Serialize, Serializer};

use crate::contest::Contest;
use crate::observation::Observation;
use crate::rule::Subject;
use crate::verdict::Verdict;
use crate::wait::Until;
use crate::{observe, until_ready};

pub mod record;
pub mod rules;
pub mod series;
pub mod tries;
pub mod value;
pub mod wait;
pub mod watch;

use record::Record;
use rules::RuleReport;
use wait::WaitReport;
use watch::WatchReport;

/// The longest reason, in characters: it is read on one line.
const REASON: usize = 1200;

/// What a run came to.
#[derive(Clone, Debug, PartialEq)]
pub struct Account {
    /// The worst verdict of what counts.
    pub verdict: Verdict,
    /// One line: what failed, or what held.
    pub reason: String,
    /// The wait, if there was one.
    pub wait: Option<WaitReport>,
    /// The observation, if there was one.
    pub watch: Option<WatchReport>,
    /// Its rules.
    pub rules: Vec<RuleReport>,
    /// Its comparisons.
    pub comparisons: Vec<Comparison>,
}

/// A comparison of two versions, as it is reported.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Comparison {
    /// Its name. Foreign text.
    pub name: String,
    /// Its verdict.
    pub verdict: Verdict,
    /// Whether its verdict counts for nothing.
    pub advisory: bool,
    /// Whether the observation ended before it was decided.
    #[serde(skip)]
    pub cut_short: bool,
    /// One line without the name.
    pub reason: String,
    /// What it was decided by, by names, in the order in which they are shown.
    #[serde(serialize_with = "map")]
    pub numbers: Vec<(String, f64)>,
}

/// A wait: how it ended, if it did, and how long it took so far.
#[derive(Clone, Copy, Debug)]
pub struct Waited<'a> {
    /// Which targets had to be ready.
    pub until: Until,
    /// How it ended; none where it was cut off.
    pub ending: Option<&'a until_ready::Ending>,
}

/// An observation and how it ended, if it did.
#[derive(Clone, Copy, Debug)]
pub struct Watched<'a> {
    /// What was observed.
    pub observation: &'a Observation,
    /// How it ended; none where it was cut off.
    pub ending: Option<&'a observe::Ending>,
    /// How long it took so far.
    pub took: Duration,
}

impl Comparison {
    /// A comparison as it is reported: of an observation that came to its end, or was cut short.
    #[must_use]
    pub fn of(contest: &Contest, complete: bool) -> Self {
        let mut numbers = Vec::new();
        if let Some(look) = &contest.look {
            let rates = [
                ("canary_rate", look.canary.rate()),
                ("baseline_rate", look.baseline.rate()),
            ];
            let ratio = look.ratio.as_ref();
            let statistics = [
                ("ratio", ratio.map(|ratio| ratio.ln.exp())),
                ("ratio_lower", look.ratio_lower()),
                ("ratio_upper", look.ratio_upper()),
                ("p", look.p),
                ("level", Some(look.level)),
                ("dispersion", ratio.map(|ratio| ratio.dispersion)),
                ("intervals", Some(f64::from(look.intervals))),
                ("look", Some(f64::from(look.look))),
            ];
            let known = rates
                .into_iter()
                .chain(statistics)
                .filter_map(|(name, value)| Some((name.to_owned(), value?)));
            numbers.extend(known.filter(|(_, value)| value.is_finite()));
        }
        Self {
            name: contest.comparison.name.clone(),
            verdict: contest.verdict(complete),
            advisory: contest.comparison.advisory,
            cut_short: !complete && contest.verdict(complete) == Verdict::Inconclusive,
            reason: contest.reason(),
            numbers,
        }
    }
}

impl Account {
    /// The account of a run that waited, or observed, or both, and took so long. `cut` is why it was cut off, if it was:
    /// `cancelled by SIGINT`.
    #[must_use]
    pub fn new(
        took: Duration,
        cut: Option<&str>,
        record: &Record,
        waited: Option<Waited<'_>>,
        watched: Option<Watched<'_>>,
        comparisons: Vec<Comparison>,
    ) -> Self {
        let why = cut.unwrap_or("cut short");
        let wait =
            waited.map(|waited| WaitReport::of(record, waited.until, waited.ending.ok_or((why, took))));
        let complete = watched.is_some_and(|watched| watched.ending.is_some_and(|ending| ending.complete));
        let rules: Vec<RuleReport> = watched
            .iter()
            .flat_map(|watched| watched.observation.courses())
            .map(|course| {
                let probe = match course.rule.subject {
                    Subject::Probe(index) => record.probes().get(index),
                    _ => None,
                };
                RuleReport {
                    target: probe.map(|probe| probe.address.clone()),
                    ..RuleReport::of(course, complete)
                }
            })
            .collect();
        let watch = watched
            .map(|watched| WatchReport::of(record, watched.observation, watched.ending.ok_or(watched.took)));
        let mut account = Self {
            verdict: Verdict::Inconclusive,
            reason: String::new(),
            wait,
            watch,
            rules,
            comparisons,
        };
        account.verdict = account.worst(cut.is_some());
        account.reason = inert(&account.line(cut));
        account
    }

    /// The account of a run that did not begin, because it could not have measured what its verdict hangs on.
    #[must_use]
    pub fn unmeasured(reason: &str) -> Self {
        Self {
            verdict: Verdict::Error,
            reason: inert(reason),
            wait: None,
            watch: None,
            rules: Vec::new(),
            comparisons: Vec::new(),
        }
    }

    /// The names of the rules and comparisons that count and failed.
    pub fn failed(&self) -> impl Iterator<Item = &str> {
        let failed = self.binding().filter(|(_, verdict, _)| *verdict == Verdict::Fail);
        failed.map(|(name, ..)| name)
    }

    /// The worst verdict of what counts. A run that was cut off is no pass.
    fn worst(&self, cut: bool) -> Verdict {
        let wait = self.wait.iter().map(|wait| wait.verdict);
        let cut = cut.then_some(Verdict::Inconclusive);
        Verdict::worst(
            wait.chain(self.binding().map(|(_, verdict, _)| verdict))
                .chain(cut),
        )
    }

    /// Name, verdict and reason of the rules and comparisons that count.
    fn binding(&self) -> impl Iterator<Item = (&str, Verdict, &str)> {
        let rules = self.rules.iter().filter(|rule| !rule.advisory);
        let rules = rules.map(|rule| (rule.name.as_str(), rule.verdict, rule.reason.as_str()));
        let comparisons = self.comparisons.iter().filter(|one| !one.advisory);
        rules.chain(comparisons.map(|one| (one.name.as_str(), one.verdict, one.reason.as_str())))
    }

    /// The reason as one line: of what is worst, the first.
    fn line(&self, cut: Option<&str>) -> String {
        let wait = self.wait.as_ref();
        if let (Some(wait), Some(cut), None) = (wait, cut, &self.watch)
            && wait.verdict == Verdict::Pass
        {
            return format!("{cut} before anything was watched; {}", wait.reason);
        }
        if let Some(wait) = wait
            && (wait.verdict == self.verdict && wait.verdict != Verdict::Pass || self.watch.is_none())
        {
            return wait.reason.clone();
        }
        if self.verdict == Verdict::Pass {
            return self.held();
        }
        let worst: Vec<_> = self
            .binding()
            .filter(|(_, verdict, _)| *verdict == self.verdict)
            .collect();
        let cut = cut.filter(|_| self.verdict == Verdict::Inconclusive);
        if let Some(cut) = cut {
            let took = self.watch.as_ref().map_or(0, |watch| watch.duration_ms);
            let took = duration::display(Duration::from_millis(took));
            return format!("{cut} after {took} of watching");
        }
        match worst.split_first() {
            None => "nothing was judged that counts; give rules that are not advisory".to_owned(),
            Some(((name, _, reason), [])) => format!("{name}: {reason}"),
            Some(((name, verdict, reason), more)) => {
                let also = match verdict {
                    Verdict::Fail => "failed",
                    Verdict::Error => "not measured",
                    Verdict::Pass | Verdict::Inconclusive => "not decided",
                };
                let names: Vec<&str> = more.iter().map(|(name, ..)| *name).collect();
                format!("{name}: {reason}; also {also}: {}", names.join(", "))
            }
        }
    }

    /// What held.
    fn held(&self) -> String {
        let wait = self.wait.as_ref().map(|wait| format!("{}; ", wait.reason));
        let rules = match self.binding().count() {
            0 => "watched".to_owned(),
            1 => "1 rule held".to_owned(),
            count => format!("{count} rules held"),
        };
        let watch = self.watch.as_ref();
        let took = watch.map_or(0, |watch| watch.duration_ms);
        let samples = match watch.map(WatchReport::samples) {
            Some((all, bad)) if all > 0 => format!(" ({bad} of {all} samples bad)"),
            _ => String::new(),
        };
        let advisory: Vec<&str> = self
            .rules
            .iter()
            .filter(|rule| rule.advisory && rule.verdict != Verdict::Pass)
            .map(|rule| rule.name.as_str())
            .collect();
        let advisory = if advisory.is_empty() {
            String::new()
        } else {
            format!("; advisory and not passed: {}", advisory.join(", "))
        };
        format!(
            "{}{rules} for {}{samples}{advisory}",
            wait.unwrap_or_default(),
            duration::display(Duration::from_millis(took))
        )
    }
}

/// A reason as one line of a bounded length.
fn inert(reason: &str) -> String {
    text::cut(text::visible(reason).trim(), REASON)
}

/// Whole milliseconds.
#[must_use]
pub fn to_millis(time: Duration) -> u64 {
    u64::try_from(time.as_millis()).unwrap_or(u64::MAX)
}

fn millis<S: Serializer>(time: &Duration, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_u64(to_millis(*time))
}

fn map<S: Serializer>(pairs: &[(String, f64)], serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_map(pairs.iter().map(|(name, value)| (name, value)))
}
