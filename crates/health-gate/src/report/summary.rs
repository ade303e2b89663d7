//! The report as a job summary: verdict and reason first, then what failed, then the rest. Pure.

use gate::verdict::Verdict;
use gha::summary::Summary;
use gha::{duration, markdown};

use super::Report;
use super::chart;
use super::rules::{RuleReport, limits};
use super::series::{Worse, sparkline};
use super::tries::{Row, Try, rows};
use super::wait::TargetReport;

/// How many attempts of the beginning, and as many of the end, are shown of a single target; of several they share it.
const ATTEMPTS: usize = 100;

/// How many rules have a chart.
const CHARTS: usize = 10;

/// How many targets have their attempts in the summary.
const TARGETS: usize = 20;

/// How wide a line of blocks is.
const SPARKLINE: usize = 40;

impl Report {
    /// The job summary.
    #[must_use]
    pub fn summary(&self) -> Summary {
        let mut summary = Summary::default();
        let target = match (self.about(), &self.environment) {
            (Some(about), Some(environment)) => {
                format!("{} in {}: ", markdown::code(about), markdown::plain(environment))
            }
            (Some(about), None) => format!("{}: ", markdown::code(about)),
            (None, Some(environment)) => format!("in {}: ", markdown::plain(environment)),
            (None, None) => String::new(),
        };
        summary.push(format!(
            "### {} health-gate: {}\n\n{target}{}\n",
            sign(self.verdict),
            self.verdict.word(),
            markdown::plain(&self.reason)
        ));
        self.rules_section(&mut summary);
        self.targets_section(&mut summary);
        self.comparisons_section(&mut summary);
        self.charts_section(&mut summary);
        self.attempts_section(&mut summary);
        self.notes_section(&mut summary);
        summary
    }

    fn targets(&self) -> &[TargetReport] {
        self.wait.as_ref().map_or(&[], |wait| &wait.targets)
    }

    /// The rules, the worst first.
    fn sorted_rules(&self) -> Vec<&RuleReport> {
        let mut rules: Vec<&RuleReport> = self.rules.iter().collect();
        rules.sort_by_key(|rule| {
            std::cmp::Reverse((rule.verdict != Verdict::Pass && !rule.advisory, rule.verdict))
        });
        rules
    }

    fn rules_section(&self, summary: &mut Summary) {
        let rows: Vec<Vec<String>> = self.sorted_rules().into_iter().map(rule_row).collect();
        if !rows.is_empty() {
            summary.table(
                &["rule", "value", "limit", "n", "window", "over time", "verdict"],
                &rows,
            );
        }
        let told = self.sorted_rules();
        let told: String = told
            .iter()
            .filter(|rule| rule.verdict != Verdict::Pass && !rule.cut_short)
            .map(|rule| {
                format!(
                    "- {}: {}\n",
                    markdown::code(&rule.name),
                    markdown::plain(&rule.reason)
                )
            })
            .collect();
        let cut_short = self.cut_short_line();
        let cut_short = cut_short.map(|line| format!("- {}\n", markdown::plain(&line)));
        let told: String = [told].into_iter().chain(cut_short).collect();
        if !told.is_empty() {
            summary.push(told);
        }
    }

    fn targets_section(&self, summary: &mut Summary) {
        let targets = self.targets();
        if targets.len() < 2 {
            return;
        }
        let mut sorted: Vec<&TargetReport> = targets.iter().collect();
        sorted.sort_by_key(|target| target.ready);
        let rows: Vec<Vec<String>> = sorted
            .into_iter()
            .map(|target| {
                vec![
                    markdown::code(&target.name),
                    if target.ready {
                        "✅ ready"
                    } else {
                        "❌ not ready"
                    }
                    .to_owned(),
                    target.tries.to_string(),
                    target.flaps.to_string(),
                    target
                        .phases
                        .total_ms
                        .map_or_else(String::new, |total| format!("{total:.0}ms")),
                    markdown::plain(&target.reason),
                ]
            })
            .collect();
        summary.table(
            &[
                "target",
                "state",
                "tries",
                "fell back",
                "last took",
                "last outcome",
            ],
            &rows,
        );
    }

    fn comparisons_section(&self, summary: &mut Summary) {
        let rows: Vec<Vec<String>> = self
            .comparisons
            .iter()
            .map(|one| {
                let numbers: Vec<String> = one
                    .numbers
                    .iter()
                    .map(|(name, value)| format!("{name} {}", super::value::number(*value)))
                    .collect();
                vec![
                    markdown::code(&one.name),
                    markdown::plain(&numbers.join(", ")),
                    markdown::plain(&one.reason),
                    verdict_cell(one.verdict, one.advisory),
                ]
            })
            .collect();
        if !rows.is_empty() {
            summary.table(&["comparison", "numbers", "reason", "verdict"], &rows);
        }
    }

    fn charts_section(&self, summary: &mut Summary) {
        let rules = self.sorted_rules();
        let charts = rules.into_iter().filter_map(chart::charts).take(CHARTS);
        charts.for_each(|chart| summary.push(chart));
    }

    fn attempts_section(&self, summary: &mut Summary) {
        let targets = self.targets();
        if let [one] = targets {
            attempts(summary, &one.attempts, ATTEMPTS);
            answer(summary, "Last answer", one);
            return;
        }
        let most = (ATTEMPTS / targets.len().max(1)).max(5);
        for target in targets.iter().take(TARGETS) {
            let mut inside = Summary::default();
            attempts(&mut inside, &target.attempts, most);
            summary.push(format!(
                "<details><summary>Tries of {}</summary>\n{}\n</details>\n",
                markdown::plain(&target.name),
                inside.fit(0)
            ));
            if !target.ready {
                answer(
                    summary,
                    &format!("Last answer of {}", markdown::plain(&target.name)),
                    target,
                );
            }
        }
    }

    fn notes_section(&self, summary: &mut Summary) {
        let notes: String = self
            .rules
            .iter()
            .flat_map(|rule| rule.notes.iter().map(move |note| (rule, note)))
            .map(|(rule, note)| format!("- {}: {}\n", markdown::code(&rule.name), markdown::plain(note)))
            .collect();
        if !notes.is_empty() {
            summary.push(format!(
                "<details><summary>What the sources told</summary>\n\n{notes}\n</details>\n"
            ));
        }
    }
}

fn rule_row(rule: &RuleReport) -> Vec<String> {
    let shown = rule.shown();
    let number = |value: Option<f64>| value.map_or_else(String::new, |n| super::value::number(n.round()));
    let charted = rule.charted();
    let line = sparkline(
        &rule.points,
        charted.map(|clause| clause.threshold),
        SPARKLINE,
        charted.map_or(Worse::Larger, |clause| clause.worse),
    );
    let limit =
        |clause: &Option<super::rules::ClauseReport>| clause.as_ref().map(|clause| clause.limit.clone());
    vec![
        markdown::code(&rule.name),
        shown
            .and_then(|clause| clause.text.as_deref())
            .map_or_else(|| "no data".to_owned(), markdown::plain),
        markdown::plain(&limits(
            limit(&rule.require).as_deref(),
            limit(&rule.abort).as_deref(),
        )),
        number(shown.and_then(|clause| clause.n)),
        shown
            .and_then(|clause| clause.window_ms)
            .map_or_else(String::new, |millis| {
                super::value::window(std::time::Duration::from_millis(millis))
            }),
        line,
        verdict_cell(rule.verdict, rule.advisory),
    ]
}

/// A table of tries.
fn attempts(summary: &mut Summary, tries: &[Try], most: usize) {
    let rows: Vec<Vec<String>> = rows(tries, most)
        .into_iter()
        .map(|row| match row {
            Row::Try(one) => vec![
                one.number.to_string(),
                format!("{:.1}s", one.at.as_secs_f64()),
                markdown::plain(&one.text()),
                duration::display(one.took),
            ],
            Row::More(more) => vec![
                "…".to_owned(),
                String::new(),
                format!("{more} more"),
                String::new(),
            ],
        })
        .collect();
    if !rows.is_empty() {
        summary.table(&["try", "at", "outcome", "took"], &rows);
    }
}

/// The beginning of the last answer, folded.
fn answer(summary: &mut Summary, title: &str, target: &TargetReport) {
    let Some(answer) = &target.answer else { return };
    let body = match answer.excerpt.trim() {
        "" => "(empty body)",
        _ => &answer.excerpt,
    };
    let status = answer
        .status
        .map_or_else(String::new, |status| format!(": {status}"));
    summary.push(format!(
        "<details><summary>{title}{status}</summary>\n\n{}\n</details>\n",
        markdown::fence(body)
    ));
}

fn verdict_cell(verdict: Verdict, advisory: bool) -> String {
    let advisory = if advisory { " (advisory)" } else { "" };
    format!("{} {}{advisory}", sign(verdict), verdict.word())
}

fn sign(verdict: Verdict) -> &'static str {
    match verdict {
        Verdict::Pass => "✅",
        Verdict::Fail => "❌",
        Verdict::Error | Verdict::Inconclusive => "⚠️",
    }
}
