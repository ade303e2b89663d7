//! What later steps and a run's page get of a report: outputs and annotations. Pure.

use gate::verdict::Verdict;
use gha::command::Level;
use gha::text;

use super::Report;
use super::value::{Unit, trimmed};

/// The most annotations: a runner shows ten of each kind and step
/// (<https://docs.github.com/en/actions/reference/workflows-and-actions/workflow-commands>).
const ANNOTATIONS: usize = 10;

/// A note on a run's page.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Annotation {
    /// How grave.
    pub level: Level,
    /// The rule. Foreign text.
    pub title: String,
    /// Why. Foreign text.
    pub message: String,
}

impl Report {
    /// The outputs by their names. What was not measured has none.
    #[must_use]
    pub fn outputs(&self) -> Vec<(&'static str, serde_json::Value)> {
        let watch = self.watch.as_ref();
        let samples = watch.map(|watch| watch.samples().0);
        let mut outputs = vec![
            ("verdict", self.verdict.word().into()),
            ("reason", self.reason.as_str().into()),
            ("failed-rules", self.failed_rules().into()),
        ];
        if let Some(rate) = self.error_rate() {
            outputs.push(("error-rate", format!("{rate:.4}").into()));
        }
        if let Some(p95) = self.p95_ms() {
            outputs.push(("p95-ms", trimmed(p95, 3).into()));
        }
        if let Some(samples) = samples {
            outputs.push(("samples", samples.into()));
        }
        if self.wait.is_some() {
            outputs.push(("attempts", self.attempts().into()));
        }
        outputs.push(("duration-ms", self.duration_ms.into()));
        outputs
    }

    /// The names of the targets, rules and comparisons that failed the run.
    #[must_use]
    pub fn failed_rules(&self) -> Vec<String> {
        let failed = self.wait.iter().filter(|wait| wait.verdict == Verdict::Fail);
        let targets = failed
            .flat_map(|wait| &wait.targets)
            .filter(|target| !target.ready)
            .map(|target| target.name.clone());
        let rules = self.rules.iter();
        let rules = rules.map(|rule| (&rule.name, rule.verdict, rule.advisory));
        let comparisons = self.comparisons.iter();
        let comparisons = comparisons.map(|one| (&one.name, one.verdict, one.advisory));
        let rules = rules
            .chain(comparisons)
            .filter(|(_, verdict, advisory)| *verdict == Verdict::Fail && !advisory)
            .map(|(name, ..)| name.clone());
        targets.chain(rules).collect()
    }

    /// How many tries were made.
    #[must_use]
    pub fn attempts(&self) -> u32 {
        let targets = self.wait.iter().flat_map(|wait| &wait.targets);
        targets.map(|target| target.tries).sum()
    }

    /// The share of bad ones among the own samples, or where there are none, what the first rule about a share saw last.
    fn error_rate(&self) -> Option<f64> {
        #[expect(clippy::cast_precision_loss, reason = "far fewer samples than 2^52")]
        let own = self
            .watch
            .as_ref()
            .map(super::watch::WatchReport::samples)
            .filter(|(all, _)| *all > 0)
            .map(|(all, bad)| bad as f64 / all as f64);
        own.or_else(|| self.first_value(|unit| unit == Unit::Share))
    }

    /// The slowest probe's 95th percentile, or where there is none, what the first rule about it saw last.
    fn p95_ms(&self) -> Option<f64> {
        let probes = self.watch.iter().flat_map(|watch| &watch.probes);
        let own = probes.filter_map(|probe| probe.p95_ms).reduce(f64::max);
        let clauses = self.rules.iter().filter_map(super::rules::RuleReport::shown);
        own.or_else(|| {
            clauses
                .filter(|clause| clause.condition.trim_start().starts_with("p95"))
                .find_map(|clause| clause.value)
                .map(|seconds| seconds * 1000.0)
        })
    }

    fn first_value(&self, wanted: impl Fn(Unit) -> bool) -> Option<f64> {
        let clauses = self.rules.iter().filter_map(super::rules::RuleReport::shown);
        clauses
            .filter(|clause| wanted(clause.unit))
            .find_map(|clause| clause.value)
    }

    /// One annotation for each rule that failed or could not be judged, the failed ones first; ten at most, the tenth
    /// then counts the rest. Rules that were cut short share a line at the end.
    #[must_use]
    pub fn annotations(&self) -> Vec<Annotation> {
        let rules = self.rules.iter().filter(|rule| !rule.cut_short);
        let rules = rules.map(|rule| (&rule.name, rule.verdict, rule.advisory, &rule.reason));
        let comparisons = self.comparisons.iter().filter(|one| !one.cut_short);
        let comparisons = comparisons.map(|one| (&one.name, one.verdict, one.advisory, &one.reason));
        let mut bad: Vec<_> = rules
            .chain(comparisons)
            .filter(|(_, verdict, ..)| *verdict != Verdict::Pass)
            .collect();
        bad.sort_by_key(|(_, verdict, advisory, _)| std::cmp::Reverse((!advisory, *verdict)));
        let cut_short = self.cut_short_line();
        let room = ANNOTATIONS - usize::from(cut_short.is_some());
        let more = bad.len().saturating_sub(room);
        let shown = if more > 0 { room - 1 } else { bad.len() };
        let mut annotations: Vec<Annotation> = bad
            .iter()
            .take(shown)
            .map(|(name, verdict, advisory, reason)| Annotation {
                level: match verdict {
                    Verdict::Fail if !advisory => Level::Error,
                    _ => Level::Warning,
                },
                title: text::cut(&text::visible(name), 100),
                message: format!("{}: {reason}", verdict.word()),
            })
            .collect();
        if more > 0 {
            annotations.push(Annotation {
                level: Level::Warning,
                title: "health-gate".to_owned(),
                message: format!(
                    "{} more rules did not pass; the report has them",
                    bad.len() - shown
                ),
            });
        }
        annotations.extend(cut_short.map(|line| Annotation {
            level: Level::Warning,
            title: "health-gate".to_owned(),
            message: line,
        }));
        annotations
    }

    /// The annotations beside the failure that a run ends with, which is one itself: it speaks of the worst rule, or where
    /// `of_cut`, of what cut the run off.
    #[must_use]
    pub fn annotations_beside(&self, of_cut: bool) -> Vec<Annotation> {
        let rules = self.rules.iter().map(|rule| (rule.verdict, rule.advisory));
        let comparisons = self.comparisons.iter().map(|one| (one.verdict, one.advisory));
        let mut binding = rules.chain(comparisons).filter(|(_, advisory)| !advisory);
        let is_told =
            self.verdict != Verdict::Pass && !of_cut && binding.any(|(verdict, _)| verdict == self.verdict);
        let annotations = self.annotations().into_iter();
        annotations.skip(usize::from(is_told)).collect()
    }
}
