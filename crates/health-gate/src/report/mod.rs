//! What a person sees of a run: the report as JSON, and everything that is made of it: outputs, annotations, job summary,
//! JUnit. Pure; a report is made of what the engine saw, and nothing of it is decided here but which reason comes first.
//!
//! [`record`] collects while a run goes on, and [`live`] shows it on a terminal.

use std::time::Duration;

use gate::observation::Observation;
use gate::rule::Subject;
use gate::verdict::Verdict;
use gate::wait::Until;
use gate::{observe, until_ready};
use gha::mask::Masker;
use gha::{duration, text};
use jiff::Timestamp;
use serde::{Serialize, Serializer};

pub mod chart;
mod junit;
pub mod live;
pub mod outputs;
pub mod record;
pub mod rules;
pub mod series;
mod summary;
#[cfg(test)]
mod tests;
pub mod tries;
pub mod value;
pub mod wait;
pub mod watch;

use record::Record;
use rules::RuleReport;
use wait::WaitReport;
use watch::WatchReport;

/// The schema of a report.
pub const SCHEMA: &str = "deploy-actions/health-gate@1";

/// The longest reason, in characters: an output is read on one line.
const REASON: usize = 1200;

/// A run, as it is written to a file.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Report {
    /// [`SCHEMA`].
    pub schema: &'static str,
    /// The name of this program.
    pub tool: &'static str,
    /// Its version.
    pub version: String,
    /// The trace that all tools of a run share.
    pub trace_id: String,
    /// When the run started.
    pub started_at: Timestamp,
    /// How long it took, in milliseconds.
    pub duration_ms: u64,
    /// What it came to.
    #[serde(serialize_with = "verdict_word")]
    pub verdict: Verdict,
    /// One line: what failed, or what held.
    pub reason: String,
    /// What the run is about, without secrets: an address, or names.
    pub target: String,
    /// The deployment environment, as the user calls it.
    pub environment: Option<String>,
    /// A hash of the configuration, to tell whether two runs asked the same.
    pub config_hash: Option<String>,
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
    #[serde(serialize_with = "verdict_word")]
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

/// What a report says of the run as a whole.
#[derive(Clone, Debug)]
pub struct Run {
    /// The version of this program.
    pub version: String,
    /// The trace.
    pub trace_id: String,
    /// When it started.
    pub started_at: Timestamp,
    /// How long it took.
    pub took: Duration,
    /// What it is about, without secrets.
    pub target: String,
    /// The deployment environment.
    pub environment: Option<String>,
    /// A hash of the configuration.
    pub config_hash: Option<String>,
    /// Why it was cut off, if it was: `cancelled by SIGINT`.
    pub cut: Option<String>,
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

impl Report {
    /// The report of a run that waited, or observed, or both.
    #[must_use]
    pub fn new(
        run: &Run,
        record: &Record,
        waited: Option<Waited<'_>>,
        watched: Option<Watched<'_>>,
        comparisons: Vec<Comparison>,
    ) -> Self {
        let why = run.cut.as_deref().unwrap_or("cut short");
        let wait =
            waited.map(|waited| WaitReport::of(record, waited.until, waited.ending.ok_or((why, run.took))));
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
        let mut report = Self {
            schema: SCHEMA,
            tool: "health-gate",
            version: run.version.clone(),
            trace_id: run.trace_id.clone(),
            started_at: run.started_at,
            duration_ms: to_millis(run.took),
            verdict: Verdict::Inconclusive,
            reason: String::new(),
            target: run.target.clone(),
            environment: run.environment.clone(),
            config_hash: run.config_hash.clone(),
            wait,
            watch,
            rules,
            comparisons,
        };
        report.verdict = report.worst(run.cut.is_some());
        report.reason = text::cut(text::visible(&report.line(run.cut.as_deref())).trim(), REASON);
        report
    }

    /// The report of a run that did not begin, because it could not have measured what its verdict hangs on.
    #[must_use]
    pub fn unmeasured(run: &Run, reason: &str) -> Self {
        Self {
            verdict: Verdict::Error,
            reason: text::cut(text::visible(reason).trim(), REASON),
            ..Self::new(run, &Record::new(Vec::new(), Vec::new()), None, None, Vec::new())
        }
    }

    /// The report as JSON, for a file, with every known secret in it hidden.
    ///
    /// # Errors
    /// Never for a report that was made here; the type is the serializer's.
    pub fn json(&self, masker: &Masker) -> Result<Vec<u8>, serde_json::Error> {
        let mut json = serde_json::to_vec_pretty(&masker.hide_json(serde_json::to_value(self)?))?;
        json.push(b'\n');
        Ok(json)
    }

    /// The reason with what it is about, for a person who sees nothing else.
    #[must_use]
    pub fn headline(&self) -> String {
        let environment = self.environment.as_deref();
        let environment = environment.map_or_else(String::new, |name| format!(" ({})", text::visible(name)));
        match self.about() {
            Some(about) if self.reason.starts_with("ready ") || self.reason.starts_with("not ready ") => {
                format!("{about}{environment} is {}", self.reason)
            }
            Some(about) => format!("{about}{environment}: {}", self.reason),
            None => format!("{}{environment}", self.reason),
        }
    }

    /// What the reason is about: the address that the rule looked at which it names, or the only one there is. None where
    /// the reason names its targets itself.
    fn about(&self) -> Option<&str> {
        let waited = self.wait.as_ref().map(|wait| wait.targets.as_slice());
        match (waited, &self.watch) {
            (Some([one]), watch) if watch.is_none() || self.verdict == Verdict::Pass => {
                return Some(&one.address);
            }
            (Some(_), None) => return None,
            _ => {}
        }
        let mut rules = self.rules.iter().filter(|rule| !rule.advisory);
        let named = rules.find(|rule| rule.verdict == self.verdict && self.verdict != Verdict::Pass);
        let own = named.and_then(|rule| rule.target.as_deref());
        own.or(Some(self.target.as_str()).filter(|target| !target.is_empty()))
    }

    /// Whether what did not pass ended the run before the other rules were decided: then these have nothing to tell.
    fn was_ended(&self) -> bool {
        matches!(self.verdict, Verdict::Fail | Verdict::Error)
    }

    /// The names of the rules and comparisons that count and were cut short by one that did not pass.
    fn cut_short(&self) -> Vec<&str> {
        let rules = self.rules.iter();
        let rules = rules.map(|rule| (rule.name.as_str(), rule.cut_short));
        let comparisons = self.comparisons.iter();
        let all = rules.chain(comparisons.map(|one| (one.name.as_str(), one.cut_short)));
        all.filter(|(_, cut_short)| *cut_short && self.was_ended())
            .map(|(name, _)| name)
            .collect()
    }

    /// One line about them; none where there are none.
    fn cut_short_line(&self) -> Option<String> {
        let names = self.cut_short();
        let (count, are) = match names.len() {
            0 => return None,
            1 => ("1 rule".to_owned(), "was"),
            count => (format!("{count} rules"), "were"),
        };
        let shown = text::cut(&text::visible(&names.join(", ")), 400);
        Some(format!("{count} {are} cut short before a decision: {shown}"))
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

/// Whole milliseconds.
pub(crate) fn to_millis(time: Duration) -> u64 {
    u64::try_from(time.as_millis()).unwrap_or(u64::MAX)
}

fn millis<S: Serializer>(time: &Duration, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_u64(to_millis(*time))
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde's signature")]
fn verdict_word<S: Serializer>(verdict: &Verdict, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(verdict.word())
}

fn map<S: Serializer>(pairs: &[(String, f64)], serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_map(pairs.iter().map(|(name, value)| (name, value)))
}
