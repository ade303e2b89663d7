//! The report as JUnit XML, for systems that show tests: one case for each target, rule and comparison. There is no
//! standard; this is what [Jenkins' schema](https://github.com/jenkinsci/xunit-plugin/blob/master/src/main/resources/org/jenkinsci/plugins/xunit/types/model/xsd/junit-10.xsd)
//! takes.
//!
//! What is inconclusive is an error here and not skipped: a skipped test is green. Skipped is what counts for nothing:
//! an advisory rule that did not pass, a target that was not needed, and a rule that was cut short by the failure of
//! another, which has its own element.

use gate::verdict::Verdict;
use gha::mask::Masker;
use gha::text;

use super::{Report, to_millis};

/// The class of what ended a run before anything was looked at.
const BEFORE: &str = "health-gate";

/// The longest message, in characters.
const MESSAGE: usize = 2000;

/// A case.
struct Case<'a> {
    class: &'static str,
    name: &'a str,
    millis: u64,
    verdict: Verdict,
    counts: bool,
    message: String,
}

impl Report {
    /// The report as JUnit XML, with every known secret in it hidden.
    #[must_use]
    pub fn junit(&self, masker: &Masker) -> String {
        let cases = self.cases();
        let suites: String = ["health-gate.wait", "health-gate.watch", BEFORE]
            .iter()
            .map(|class| {
                let own: Vec<&Case<'_>> = cases.iter().filter(|case| case.class == *class).collect();
                if own.is_empty() {
                    return String::new();
                }
                let duration = own.iter().map(|case| case.millis).max().unwrap_or_default();
                let body: String = own.iter().map(|case| case.xml(masker)).collect();
                format!(
                    "  <testsuite name=\"{class}\" {} skipped=\"{}\" time=\"{}\" timestamp=\"{}\">\n{body}  </testsuite>\n",
                    counts(&own),
                    own.iter().filter(|case| case.kind() == "skipped").count(),
                    seconds(duration),
                    self.started_at.strftime("%Y-%m-%dT%H:%M:%S"),
                )
            })
            .collect();
        let all: Vec<&Case<'_>> = cases.iter().collect();
        format!(
            "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuites name=\"health-gate\" {} time=\"{}\">\n{suites}</testsuites>\n",
            counts(&all),
            seconds(self.duration_ms),
        )
    }

    fn cases(&self) -> Vec<Case<'_>> {
        let mut cases = Vec::new();
        if let Some(wait) = &self.wait {
            cases.extend(wait.targets.iter().map(|target| {
                Case {
                    class: "health-gate.wait",
                    name: &target.name,
                    millis: target
                        .attempts
                        .last()
                        .map_or(0, |last| to_millis(last.at.saturating_add(last.took))),
                    verdict: match (target.ready, wait.verdict) {
                        (true, _) => Verdict::Pass,
                        (false, Verdict::Pass) => Verdict::Fail,
                        (false, verdict) => verdict,
                    },
                    counts: wait.verdict != Verdict::Pass,
                    message: target.reason.clone(),
                }
            }));
        }
        let millis = self.watch.as_ref().map_or(0, |watch| watch.duration_ms);
        let ended = self.was_ended();
        let watch = |name, verdict, skips: bool, reason: &str| Case {
            class: "health-gate.watch",
            name,
            millis,
            verdict,
            counts: !skips,
            message: reason.to_owned(),
        };
        cases.extend(
            self.rules
                .iter()
                .map(|rule| (rule, rule.advisory || rule.cut_short && ended))
                .map(|(rule, skips)| watch(&rule.name, rule.verdict, skips, &rule.reason)),
        );
        cases.extend(
            self.comparisons
                .iter()
                .map(|one| (one, one.advisory || one.cut_short && ended))
                .map(|(one, skips)| watch(&one.name, one.verdict, skips, &one.reason)),
        );
        if cases.is_empty() {
            // A file without a test is green.
            cases.push(Case {
                class: BEFORE,
                millis: self.duration_ms,
                ..watch("before the run", self.verdict, false, &self.reason)
            });
        }
        cases
    }
}

impl Case<'_> {
    /// The element that says how it went; empty where it passed.
    fn kind(&self) -> &'static str {
        match self.verdict {
            Verdict::Pass => "",
            _ if !self.counts => "skipped",
            Verdict::Fail => "failure",
            Verdict::Error | Verdict::Inconclusive => "error",
        }
    }

    fn xml(&self, masker: &Masker) -> String {
        let open = format!(
            "    <testcase classname=\"{}\" name=\"{}\" time=\"{}\"",
            self.class,
            escaped(&masker.hide(self.name)),
            seconds(self.millis)
        );
        let message = escaped(&masker.hide(&self.message));
        match self.kind() {
            "" => format!("{open}/>\n"),
            "skipped" => {
                format!("{open}>\n      <skipped message=\"{message}\"/>\n    </testcase>\n")
            }
            kind => format!(
                "{open}>\n      <{kind} type=\"{}\" message=\"{message}\">{message}</{kind}>\n    </testcase>\n",
                self.verdict.word()
            ),
        }
    }
}

fn counts(cases: &[&Case<'_>]) -> String {
    let count = |kind: &str| cases.iter().filter(|case| case.kind() == kind).count();
    format!(
        "tests=\"{}\" failures=\"{}\" errors=\"{}\"",
        cases.len(),
        count("failure"),
        count("error")
    )
}

fn seconds(millis: u64) -> String {
    format!("{}.{:03}", millis / 1000, millis % 1000)
}

/// Foreign text in an attribute or an element. XML 1.0 has no way to write most control characters, and none for
/// U+FFFE and U+FFFF (<https://www.w3.org/TR/xml/#charsets>).
fn escaped(foreign: &str) -> String {
    let mut shown = String::with_capacity(foreign.len());
    for c in text::cut(&text::visible(foreign), MESSAGE).chars() {
        match c {
            '&' => shown.push_str("&amp;"),
            '<' => shown.push_str("&lt;"),
            '>' => shown.push_str("&gt;"),
            '"' => shown.push_str("&quot;"),
            '\'' => shown.push_str("&apos;"),
            '\u{fffe}' | '\u{ffff}' => shown.push('\u{fffd}'),
            c => shown.push(c),
        }
    }
    shown
}
