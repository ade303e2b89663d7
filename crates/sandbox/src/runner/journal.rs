//! The log of the job: masked lines for the report and the sink, annotations within their budget.

use std::collections::BTreeMap;
use std::mem;

use super::cancel::CancelHandle;
use super::mask::Masker;
use super::report::{Annotation, Level, LogLine};
use super::setup::Sink;

/// Annotations of one level that a step may have (`ExecutionContext.cs` in actions/runner).
const ANNOTATIONS: usize = 10;

/// Characters of an annotation's message.
const MESSAGE: usize = 4096;

/// Writes down what happens in one job.
pub(crate) struct Journal {
    pub(crate) masker: Masker,
    pub(crate) debugs: bool,
    sink: Option<Sink>,
    /// Texts that cancel the job when a process writes them.
    triggers: Vec<String>,
    cancel: CancelHandle,
    step: String,
    page: Page,
}

/// What the journal holds of the current top-level step.
#[derive(Debug, Default)]
pub(crate) struct Page {
    pub(crate) log: Vec<String>,
    pub(crate) annotations: Vec<Annotation>,
    pub(crate) warnings: Vec<String>,
}

impl Journal {
    pub(crate) fn new(debugs: bool, sink: Option<Sink>, triggers: Vec<String>, cancel: CancelHandle) -> Self {
        let (step, page) = (String::new(), Page::default());
        Self {
            masker: Masker::default(),
            debugs,
            sink,
            triggers,
            cancel,
            step,
            page,
        }
    }

    /// Turns to a fresh page for a top-level step.
    pub(crate) fn open(&mut self, step: &str) {
        step.clone_into(&mut self.step);
        self.page = Page::default();
    }

    /// Takes the page out.
    pub(crate) fn close(&mut self) -> Page {
        mem::take(&mut self.page)
    }

    /// How many lines the page has.
    pub(crate) fn lines(&self) -> usize {
        self.page.log.len()
    }

    /// The page's lines from `start` on.
    pub(crate) fn since(&self, start: usize) -> Vec<String> {
        self.page.log.get(start..).unwrap_or_default().to_vec()
    }

    /// The runner's own warnings on the page.
    pub(crate) fn warnings(&self) -> &[String] {
        &self.page.warnings
    }

    /// Cancels the job if a rule waits for this line of a process.
    pub(crate) fn watch(&self, line: &str) {
        if !self.triggers.is_empty() {
            let masked = self.masker.mask(line);
            if self.triggers.iter().any(|trigger| masked.contains(trigger)) {
                self.cancel.cancel();
            }
        }
    }

    /// Writes a text, masked; one entry for each line of it.
    pub(crate) fn print(&mut self, text: &str) {
        let masked = self.masker.mask(text);
        for line in masked.split('\n') {
            if let Some(sink) = &self.sink {
                sink(LogLine {
                    step: &self.step,
                    text: line,
                });
            }
            self.page.log.push(line.to_owned());
        }
    }

    /// Writes a text when step debugging is on.
    pub(crate) fn debug(&mut self, text: &str) {
        if self.debugs {
            self.print(&format!("##[debug]{text}"));
        }
    }

    /// An error of the runner itself.
    pub(crate) fn error(&mut self, text: &str) {
        self.issue(Level::Error, &BTreeMap::new(), text);
    }

    /// A warning of the runner itself.
    pub(crate) fn warn(&mut self, text: &str) {
        let masked = self.masker.mask(text);
        self.page.warnings.push(masked);
        self.issue(Level::Warning, &BTreeMap::new(), text);
    }

    /// Writes an annotation to the log, and keeps it while the budget lasts.
    pub(crate) fn issue(&mut self, level: Level, properties: &BTreeMap<String, String>, message: &str) {
        let message: String = self.masker.mask(message).chars().take(MESSAGE).collect();
        self.print(&format!("##[{}]{message}", level.as_str()));
        if self
            .page
            .annotations
            .iter()
            .filter(|other| other.level == level)
            .count()
            < ANNOTATIONS
        {
            let property = |name: &str| properties.get(name).map(|value| self.masker.mask(value));
            let (title, file, line) = (property("title"), property("file"), property("line"));
            self.page.annotations.push(Annotation {
                level,
                title,
                file,
                line,
                message,
            });
        }
    }
}
