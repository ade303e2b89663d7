//! What a gate came to, for the log, the result and the job summary.

use gha::outcome::Outcome;
use gha::summary::Summary;
use gha::{accounts, markdown, text};
use serde_json::{Value, json};

use crate::account::rules::RuleReport;
use crate::account::watch::WatchReport;
use crate::account::{Account, Comparison};
use crate::verdict::Verdict;

/// What a gate came to.
#[derive(Clone, Debug, PartialEq)]
pub struct Told {
    /// Its name.
    pub gate: String,
    /// Its verdict.
    pub verdict: Verdict,
    /// Why, as one line.
    pub reason: String,
    /// Its rules and comparisons.
    pub rules: Vec<Row>,
    /// Samples of its own probes that were measured, and the bad ones; none where it has no probe.
    pub samples: Option<(u64, u64)>,
    /// The 95th percentile of its probes' latency in milliseconds: of several probes the longest.
    pub p95_ms: Option<f64>,
}

/// A rule or a comparison.
#[derive(Clone, Debug, PartialEq)]
pub struct Row {
    /// Its name.
    pub name: String,
    /// Its verdict.
    pub verdict: Verdict,
    /// Whether its verdict counts for nothing.
    pub advisory: bool,
    /// What was measured, for people; else why nothing was.
    pub seen: String,
    /// The value, as a number in the rule's unit.
    pub value: Option<f64>,
    /// Its limit, for people.
    pub limit: String,
    /// Of how many samples.
    pub n: Option<f64>,
}

impl Told {
    pub(super) fn of(gate: &str, account: &Account) -> Self {
        let probes = || account.watch.iter().flat_map(|watch| &watch.probes);
        let rules = account.rules.iter().map(Row::of);
        Self {
            gate: gate.to_owned(),
            verdict: account.verdict,
            reason: accounts::without(&account.reason),
            rules: rules
                .chain(account.comparisons.iter().map(Row::of_comparison))
                .collect(),
            samples: account
                .watch
                .as_ref()
                .filter(|watch| !watch.probes.is_empty())
                .map(WatchReport::samples),
            p95_ms: probes().filter_map(|probe| probe.p95_ms).max_by(f64::total_cmp),
        }
    }

    /// The lines for a log: the verdict, and the rules that did not pass.
    #[must_use]
    pub fn lines(&self) -> Vec<String> {
        let bad = self
            .rules
            .iter()
            .filter(|row| row.verdict != Verdict::Pass && !row.advisory);
        let verdict = format!("gate {}: {}, {}", self.gate, self.verdict.word(), self.reason);
        std::iter::once(verdict)
            .chain(bad.skip(1).map(|row| {
                let (name, word) = (&row.name, row.verdict.word());
                format!(
                    "gate {}: {name}: {word}, {} (limit {})",
                    self.gate, row.seen, row.limit
                )
            }))
            .collect()
    }

    /// The same for the result.
    #[must_use]
    pub fn json(&self) -> Value {
        let failed: Vec<&str> = self
            .rules
            .iter()
            .filter(|row| row.verdict == Verdict::Fail && !row.advisory)
            .map(|row| row.name.as_str())
            .collect();
        let rules = self.rules.iter().map(|row| {
            json!({
                "name": row.name, "verdict": row.verdict.word(), "advisory": row.advisory, "seen": row.seen,
                "value": row.value.filter(|value| value.is_finite()), "limit": row.limit, "n": row.n,
            })
        });
        json!({
            "gate": self.gate, "verdict": self.verdict.word(), "reason": self.reason, "failed-rules": failed,
            "rules": rules.collect::<Vec<_>>(), "samples": self.samples.map(|(all, _)| all),
            "bad-samples": self.samples.map(|(_, bad)| bad), "p95-ms": self.p95_ms,
        })
    }
}

impl Row {
    fn of(rule: &RuleReport) -> Self {
        let shown = rule.shown();
        let seen = shown.and_then(|clause| clause.text.clone());
        Self {
            name: text::line(&rule.name),
            verdict: rule.verdict,
            advisory: rule.advisory,
            seen: accounts::without(&seen.unwrap_or_else(|| rule.reason.clone())),
            value: shown.and_then(|clause| clause.value),
            limit: shown.map_or_else(String::new, |clause| clause.limit.clone()),
            n: shown.and_then(|clause| clause.n),
        }
    }

    fn of_comparison(one: &Comparison) -> Self {
        let number = |name: &str| {
            one.numbers
                .iter()
                .find(|(known, _)| known == name)
                .map(|(_, value)| *value)
        };
        Self {
            name: text::line(&one.name),
            verdict: one.verdict,
            advisory: one.advisory,
            seen: accounts::without(&one.reason),
            value: number("ratio"),
            limit: String::new(),
            n: number("intervals"),
        }
    }
}

/// The gates of a result as a part of its job summary.
pub fn summary(summary: &mut Summary, outcome: &Outcome) {
    let gates = outcome.facts.get("gates").and_then(Value::as_array);
    for gate in gates.into_iter().flatten() {
        let of = |value: &Value, key: &str| value[key].as_str().unwrap_or_default().to_owned();
        summary.push(format!(
            "\n**Gate {}: {}.** {}\n",
            markdown::plain(&of(gate, "gate")),
            of(gate, "verdict"),
            markdown::plain(&of(gate, "reason"))
        ));
        let rules = gate["rules"].as_array().into_iter().flatten();
        let rows: Vec<Vec<String>> = rules
            .map(|rule| {
                let samples = rule["n"].as_f64().map_or_else(String::new, |n| n.to_string());
                let cells = ["name", "verdict", "seen", "limit"].map(|key| markdown::plain(&of(rule, key)));
                cells.into_iter().chain([samples]).collect()
            })
            .collect();
        if !rows.is_empty() {
            summary.table(&["Rule", "Verdict", "Seen", "Limit", "Samples"], &rows);
        }
    }
}
