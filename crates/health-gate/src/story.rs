//! What was seen, kept for the log, the outputs and the summary. Pure.

use std::time::Duration;

use gate::finding::{Fault, FaultKind, Finding};
use gate::wait::Step;
use gate::watch_over::{Attempt, Ending};
use gha::summary::Summary;
use gha::{duration, markdown, text};

/// How many attempts of the beginning, and as many of the end, the summary shows.
const SHOWN: usize = 100;

/// The attempts so far: the first and the last ones, and how many there were.
#[derive(Debug, Default)]
pub struct Story {
    first: Vec<Attempt>,
    last: Vec<Attempt>,
    count: u32,
}

impl Story {
    /// Takes in an attempt, and gives the line for the log if it tells something new.
    pub fn told(&mut self, attempt: &Attempt) -> Option<String> {
        let same = self
            .latest()
            .is_some_and(|before| before.look.finding == attempt.look.finding);
        self.count += 1;
        if self.first.len() < SHOWN {
            self.first.push(attempt.clone());
        } else {
            self.last.push(attempt.clone());
            if self.last.len() > SHOWN {
                self.last.remove(0);
            }
        }
        let good = attempt.look.finding.is_good();
        (!same || good).then(|| format!("try {}: {}", attempt.number, attempt_text(attempt)))
    }

    /// The latest attempt.
    #[must_use]
    pub fn latest(&self) -> Option<&Attempt> {
        self.last.last().or_else(|| self.first.last())
    }

    /// How many attempts there were.
    #[must_use]
    pub fn count(&self) -> u32 {
        self.count
    }

    /// The latest fault, if the latest attempt had one.
    #[must_use]
    pub fn fault(&self) -> Option<&Fault> {
        self.latest().and_then(|attempt| match &attempt.look.finding {
            Finding::Bad(fault) => Some(fault),
            Finding::Good => None,
        })
    }

    /// The attempts, counted in words.
    #[must_use]
    pub fn tries(&self) -> String {
        if self.count == 1 {
            "1 try".to_owned()
        } else {
            format!("{} tries", self.count)
        }
    }

    /// Why it ended, as one line.
    #[must_use]
    pub fn reason(&self, ending: &Ending) -> String {
        let tries = self.tries();
        let took = duration::display(ending.took);
        let last = self
            .latest()
            .map_or_else(|| "nothing was seen".to_owned(), last_words);
        let flaps = match ending.progress.flaps {
            0 => String::new(),
            1 => "; it was good once and fell back".to_owned(),
            n => format!("; it was good and fell back {n} times"),
        };
        match ending.step {
            Step::Pass => format!("ready after {tries} in {took}"),
            Step::TooLate { missing, left } => format!(
                "not ready after {tries} in {took}: {last}; {missing} more good tries in a row do not fit into the \
                 {} left{flaps}",
                duration::display(left)
            ),
            Step::TimedOut | Step::Try { .. } => {
                format!("not ready after {tries} in {took}: {last}{flaps}")
            }
        }
    }

    /// The job summary: verdict, attempts, last answer.
    #[must_use]
    pub fn summary(&self, verdict: &str, target: &str, reason: &str) -> Summary {
        let mut summary = Summary::default();
        let sign = match verdict {
            "pass" => "✅",
            "fail" => "❌",
            _ => "⚠️",
        };
        summary.push(format!(
            "### {sign} health-gate: {verdict}\n\n{}: {}\n",
            markdown::code(target),
            markdown::plain(reason)
        ));
        let mut rows: Vec<Vec<String>> = self.first.iter().map(row).collect();
        let left_out = self.count as usize - self.first.len() - self.last.len();
        if left_out > 0 {
            rows.push(vec![
                "…".to_owned(),
                String::new(),
                format!("{left_out} more"),
                String::new(),
            ]);
        }
        rows.extend(self.last.iter().map(row));
        if !rows.is_empty() {
            summary.table(&["try", "at", "outcome", "took"], &rows);
        }
        if let Some((status, body)) = self
            .latest()
            .and_then(|attempt| attempt.look.status.zip(attempt.look.excerpt.as_ref()))
        {
            let body = if body.trim().is_empty() {
                "(empty body)"
            } else {
                body
            };
            summary.push(format!(
                "<details><summary>Last answer: {status}</summary>\n\n{}\n</details>\n",
                markdown::fence(body)
            ));
        }
        summary
    }
}

/// An attempt as a row of the table.
fn row(attempt: &Attempt) -> Vec<String> {
    vec![
        attempt.number.to_string(),
        format!("{:.1}s", attempt.started.as_secs_f64()),
        markdown::plain(&attempt_text(attempt)),
        duration::display(round(attempt.took)),
    ]
}

/// What an attempt found, as one line.
fn attempt_text(attempt: &Attempt) -> String {
    match (&attempt.look.finding, attempt.look.status) {
        (Finding::Good, Some(status)) => format!("good ({status}), {} in a row", attempt.streak),
        (Finding::Good, None) => format!("good, {} in a row", attempt.streak),
        (Finding::Bad(fault), _) => fault.reason.clone(),
    }
}

/// What was seen last. Of an error page its own words too: they are what the person on call looks for.
fn last_words(attempt: &Attempt) -> String {
    let said = attempt
        .look
        .excerpt
        .as_deref()
        .map(str::trim)
        .filter(|said| !said.is_empty());
    match (&attempt.look.finding, said) {
        (
            Finding::Bad(Fault {
                kind: FaultKind::Status,
                reason,
            }),
            Some(said),
        ) => {
            format!("{reason}; it said `{}`", text::cut(&text::visible(said), 160))
        }
        (finding, _) => finding.text().to_owned(),
    }
}

/// To the millisecond.
fn round(time: Duration) -> Duration {
    Duration::from_millis(u64::try_from(time.as_millis()).unwrap_or(u64::MAX))
}

#[cfg(test)]
mod tests {
    use super::*;
    use gate::probe::Look;
    use gate::wait::Progress;

    fn attempt(number: u32, finding: Finding) -> Attempt {
        let look = Look {
            finding,
            status: Some(503),
            excerpt: Some("down </details> ```".to_owned()),
        };
        Attempt {
            number,
            started: Duration::from_secs(5 * u64::from(number - 1)),
            took: Duration::from_millis(12),
            look,
            streak: 0,
        }
    }

    fn bad() -> Finding {
        Finding::bad(FaultKind::Status, "answered 503, expected 2xx")
    }

    #[test]
    fn the_log_says_only_what_is_new() {
        let mut story = Story::default();
        let lines: Vec<bool> = [bad(), bad(), Finding::Good, Finding::Good, bad()]
            .into_iter()
            .zip(1..)
            .map(|(f, n)| story.told(&attempt(n, f)).is_some())
            .collect();
        assert_eq!(lines, [true, false, true, true, true]);
    }

    #[test]
    fn a_long_story_is_cut_in_the_middle() {
        let mut story = Story::default();
        for number in 1..=300 {
            story.told(&attempt(number, bad()));
        }
        let text = story.summary("fail", "http://x", "not ready").fit(0);
        assert!(
            text.contains("| 100 |") && text.contains("| … |  | 100 more |  |") && text.contains("| 201 |"),
            "{text}"
        );
        assert!(
            !text.contains("| 101 |") && text.contains("````text\ndown </details> ```\n````"),
            "{text}"
        );
    }

    #[test]
    fn the_reason_says_what_was_seen_last() {
        let mut story = Story::default();
        story.told(&attempt(1, bad()));
        let mut progress = Progress::default();
        progress.record(true);
        progress.record(false);
        let took = Duration::from_secs(5);
        for (step, reason) in [
            (
                Step::TimedOut,
                "not ready after 1 try in 5s: answered 503, expected 2xx; it said `down </details> ````; it was good once and fell back",
            ),
            (Step::Pass, "ready after 1 try in 5s"),
        ] {
            assert_eq!(story.reason(&Ending { step, progress, took }), reason);
        }
    }
}
