//! What a person sees of a run: the report as JSON, and everything that is made of it: outputs, annotations, job summary,
//! JUnit. Pure; a report is the [`Account`] of a run under a head of its own.
//!
//! [`live`] shows on a terminal what [`record`] collects while a run goes on.

use std::time::Duration;

use gate::verdict::Verdict;
use gha::mask::Masker;
use gha::text;
use jiff::Timestamp;
use serde::Serialize;

pub mod chart;
mod junit;
pub mod live;
pub mod outputs;
mod summary;
#[cfg(test)]
mod tests;

pub use gate::account::{Account, Comparison, record, rules, series, to_millis, tries, value, wait, watch};

use rules::RuleReport;
use wait::WaitReport;
use watch::WatchReport;

/// The schema of a report.
pub const SCHEMA: &str = "deploy-actions/health-gate@1";

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

impl Report {
    /// The report of a run that came to this.
    #[must_use]
    pub fn of(run: &Run, account: Account) -> Self {
        Self {
            schema: SCHEMA,
            tool: "health-gate",
            version: run.version.clone(),
            trace_id: run.trace_id.clone(),
            started_at: run.started_at,
            duration_ms: to_millis(run.took),
            verdict: account.verdict,
            reason: account.reason,
            target: run.target.clone(),
            environment: run.environment.clone(),
            config_hash: run.config_hash.clone(),
            wait: account.wait,
            watch: account.watch,
            rules: account.rules,
            comparisons: account.comparisons,
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

    /// The names of the rules and comparisons that were cut short, by another that did not pass or with the whole run.
    fn cut_short(&self) -> Vec<&str> {
        let rules = self.rules.iter();
        let rules = rules.map(|rule| (rule.name.as_str(), rule.cut_short));
        let comparisons = self.comparisons.iter();
        let all = rules.chain(comparisons.map(|one| (one.name.as_str(), one.cut_short)));
        all.filter(|(_, cut_short)| *cut_short)
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
}
