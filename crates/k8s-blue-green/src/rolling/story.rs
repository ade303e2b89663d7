//! What is known of a rolling deploy so far: the facts of its result, whatever it came to.

use std::time::Duration;

use gha::outcome::Outcome;
use gha::summary::Summary;
use gha::{Exit, Failure, Runner, duration, markdown, text};

use crate::cli::INTERFACE;
use crate::diagnose::Findings;
use crate::place::Place;
use crate::story;
use crate::workload::Workload;

pub use crate::story::Became;

/// What is known of a deploy.
#[derive(Clone, Debug, Default)]
pub struct Story {
    /// The workload, once it is known.
    pub workload: Option<Workload>,
    /// The Services that were named.
    pub services: Vec<String>,
    /// What serves, or is to: `web@3`.
    pub revision: Option<String>,
    /// What served before.
    pub previous: Option<String>,
    /// Images, as `container=reference`.
    pub images: Vec<String>,
    /// What happened when, from the start of the run.
    pub timeline: Vec<(Duration, String)>,
    /// Whether a rollback would bring the earlier version back.
    pub can_undo: bool,
    /// Why pods did not come up.
    pub findings: Option<Findings>,
}

impl Story {
    /// Notes what happens, and says it.
    pub fn note(&mut self, line: impl Into<String>, runner: &Runner) {
        let line = line.into();
        runner.info(&line);
        self.timeline.push((runner.elapsed(), line));
    }

    /// The workload, as a person writes it.
    #[must_use]
    pub fn name(&self) -> String {
        self.workload
            .as_ref()
            .map(ToString::to_string)
            .unwrap_or_default()
    }

    /// The result of a deploy that became this.
    #[must_use]
    pub fn outcome(&self, became: Became, headline: impl Into<String>, place: &Place<'_>) -> Outcome {
        let services: Vec<String> = self.services.iter().map(|name| text::line(name)).collect();
        let known = [
            (
                "service",
                Some(services.join("\n")).filter(|names| !names.is_empty()),
            ),
            ("namespace", Some(text::line(&place.namespace))),
            ("workload", Some(self.name()).filter(|name| !name.is_empty())),
            ("revision", self.revision.clone()),
            ("previous-revision", self.previous.clone()),
        ];
        let mut outcome = Outcome::new(became.status(), headline).fact("status", became.word());
        for (fact, value) in known {
            if let Some(value) = value {
                outcome = outcome.fact(fact, value);
            }
        }
        if !self.images.is_empty() {
            outcome = outcome.fact("images", self.images.clone());
        }
        let took = u64::try_from(place.runner.elapsed().as_millis()).unwrap_or(u64::MAX);
        outcome = outcome.fact("duration-ms", took);
        let target = self.workload.as_ref().map(|workload| workload.name.as_str());
        if let Some(name) = target.or(self.services.first().map(String::as_str)) {
            outcome = outcome.target(place.target(name));
        }
        outcome.environment.clone_from(&place.flags.environment);
        outcome.undo = self.undo(place);
        outcome
    }

    /// A failure with all that is known.
    #[must_use]
    pub fn failure(
        &self,
        exit: Exit,
        became: Became,
        headline: impl Into<String>,
        place: &Place<'_>,
    ) -> Failure {
        let headline = headline.into();
        let known = self.outcome(became, headline.clone(), place);
        let mut failure = Failure::new(exit, headline).knowing(known);
        // What became of the workload says more than the code where the code is of a failure.
        if matches!(exit, Exit::Failed | Exit::Inconclusive | Exit::Locked) && became != Became::Failed {
            failure.outcome.status = became.status();
        }
        failure
    }

    /// Adds what is known to a failure from before anything was changed.
    #[must_use]
    pub fn complete(&self, failure: Failure, place: &Place<'_>) -> Failure {
        if failure.outcome.facts.contains_key("status") {
            return failure;
        }
        let known = self.outcome(Became::Failed, "", place);
        failure.knowing(known)
    }

    /// The command line that brings the earlier version back.
    #[must_use]
    pub fn undo(&self, place: &Place<'_>) -> Option<String> {
        let workload = self.workload.as_ref().filter(|_| self.can_undo)?;
        Some(format!(
            "k8s-blue-green rollback --workload {workload}{}",
            place.again()
        ))
    }

    /// Writes the outputs that are known, at once, so that a cancelled step has them.
    pub fn publish(&self, place: &Place<'_>) {
        let known = self.outcome(Became::Failed, "", place);
        for output in INTERFACE
            .outputs
            .iter()
            .filter(|output| !matches!(output.name, "status" | "duration-ms"))
        {
            if let Some(value) = known.facts.get(output.name).and_then(|value| value.as_str()) {
                place.runner.output(output.name, value);
            }
        }
    }

    /// Writes outputs and summary of an end.
    pub fn conclude(&self, ended: &Result<Outcome, Failure>, place: &Place<'_>) {
        let outcome = match ended {
            Ok(outcome) => outcome,
            Err(failure) => &failure.outcome,
        };
        story::conclude(ended, place);
        self.summary(ended, outcome, place);
    }

    fn summary(&self, ended: &Result<Outcome, Failure>, outcome: &Outcome, place: &Place<'_>) {
        let mut summary = Summary::default();
        let mark = if ended.is_ok() { "✅" } else { "❌" };
        summary.push(format!("### {mark} {}\n", markdown::plain(&outcome.headline)));
        let row = |(title, fact): (&str, &str)| {
            let value = outcome.facts.get(fact)?.as_str()?;
            Some(vec![title.to_owned(), markdown::code(value)])
        };
        let rows = [
            ("Revision", "revision"),
            ("Before", "previous-revision"),
            ("Namespace", "namespace"),
        ];
        let images = self
            .images
            .iter()
            .map(|image| vec!["Image".to_owned(), markdown::code(image)]);
        let rows: Vec<Vec<String>> = rows.into_iter().filter_map(row).chain(images).collect();
        summary.table(&["", ""], &rows);
        if let Err(failure) = ended
            && let Some(help) = &failure.help
        {
            summary.push(format!("\n{}\n", markdown::plain(help)));
        }
        if let Some(findings) = &self.findings {
            findings.summary(&mut summary);
        }
        let rows: Vec<Vec<String>> = self
            .timeline
            .iter()
            .map(|(at, line)| vec![duration::display(*at), markdown::plain(line)])
            .collect();
        if !rows.is_empty() {
            summary.table(&["After", "What"], &rows);
        }
        if let Some(undo) = &outcome.undo {
            summary.push(format!(
                "\nBring the earlier version back:\n\n{}\n",
                markdown::fence(undo)
            ));
        }
        place.runner.summary(&summary);
    }
}
