//! What was found, for the log and for the job summary: bounded, and inert whatever a pod printed. Pure.

use gha::summary::Summary;
use gha::{duration, markdown, text};

use super::judge::{Findings, Noticed};
use super::pod::{Trouble, Verdict};

/// The most pods that are shown.
const PODS: usize = 10;

/// The most events that are shown.
const EVENTS: usize = 15;

/// The most lines of a container that the log shows; the summary has all that were read.
const LINES: usize = 20;

impl Findings {
    /// Lines for the log. The names in them may be foreign; all are inert.
    #[must_use]
    pub fn lines(&self) -> Vec<String> {
        let mut lines = self.workloads.clone();
        lines.extend(self.blocked.iter().cloned());
        lines.extend(self.pods.iter().take(PODS).map(pod));
        lines.extend(more(self.pods.len(), PODS, "pods"));
        lines.extend(self.events.iter().take(EVENTS).map(event));
        lines.extend(more(self.events.len(), EVENTS, "kinds of events"));
        lines.extend(self.services.iter().cloned());
        lines.extend(self.others.iter().cloned());
        for tail in &self.tails {
            lines.push(format!("last lines of {}:", tail.title()));
            let skipped = tail.lines.len().saturating_sub(LINES);
            lines.extend(text::block(&tail.lines[skipped..].join("\n"), LINES));
        }
        lines.extend(self.missing.iter().map(|what| format!("not shown: {what}")));
        lines
    }

    /// Sections of the job summary.
    pub fn summary(&self, summary: &mut Summary) {
        let plain = |lines: &[String]| -> String {
            lines
                .iter()
                .map(|line| format!("- {}\n", markdown::plain(line)))
                .collect()
        };
        let state: Vec<String> = [&self.workloads, &self.blocked, &self.services, &self.others]
            .into_iter()
            .flatten()
            .cloned()
            .collect();
        if !state.is_empty() {
            summary.push(plain(&state));
        }
        if !self.pods.is_empty() {
            let rows: Vec<Vec<String>> = self.pods.iter().take(PODS).map(row).collect();
            summary.table(&["Pod", "Ready", "Restarts", "Why", "Image", "Node"], &rows);
            if let Some(more) = more(self.pods.len(), PODS, "pods") {
                summary.push(format!("\n{more}\n"));
            }
        }
        if !self.events.is_empty() {
            let rows: Vec<Vec<String>> = self
                .events
                .iter()
                .take(EVENTS)
                .map(|event| {
                    vec![
                        markdown::code(&event.reason),
                        event.count.to_string(),
                        markdown::code(&event.about),
                        markdown::plain(&event.message),
                    ]
                })
                .collect();
            summary.table(&["Event", "Times", "About", "What"], &rows);
        }
        for tail in &self.tails {
            let title = markdown::plain(&format!("Last lines of {}", tail.title()));
            summary.push(format!(
                "\n{title}\n\n{}\n",
                markdown::fence(&tail.lines.join("\n"))
            ));
        }
        if !self.missing.is_empty() {
            summary.push(format!("\nNot shown:\n\n{}", plain(&self.missing)));
        }
    }
}

fn pod(pod: &Verdict) -> String {
    let node = if pod.node.is_empty() {
        String::new()
    } else {
        format!(" on {}", pod.node)
    };
    let restarts = if pod.restarts == 0 {
        String::new()
    } else {
        format!(", {} restarts", pod.restarts)
    };
    let (ready, of) = pod.ready;
    let what = if pod.trouble == Trouble::Fine {
        &pod.digest
    } else {
        ""
    };
    let what = if what.is_empty() {
        String::new()
    } else {
        format!(", {what}")
    };
    format!(
        "pod `{}`{node}: {ready} of {of} ready{restarts}: {}{what}",
        pod.pod,
        pod.why()
    )
}

fn row(pod: &Verdict) -> Vec<String> {
    let image = if pod.digest.is_empty() {
        &pod.image
    } else {
        &pod.digest
    };
    vec![
        markdown::code(&pod.pod),
        format!("{}/{}", pod.ready.0, pod.ready.1),
        pod.restarts.to_string(),
        markdown::plain(&pod.why()),
        markdown::code(image),
        markdown::plain(&pod.node),
    ]
}

fn event(event: &Noticed) -> String {
    let times = if event.count == 1 {
        String::new()
    } else {
        format!(", {} times", event.count)
    };
    let age = event
        .age
        .map(|age| format!(", {} ago", duration::display(age)))
        .unwrap_or_default();
    format!(
        "event {} ({}{times}{age}): {}",
        event.reason, event.about, event.message
    )
}

fn more(all: usize, shown: usize, what: &str) -> Option<String> {
    let left = all.checked_sub(shown).filter(|left| *left > 0)?;
    Some(format!("… and {left} more {what}"))
}
