//! What a person sees while a tool runs and nothing is new enough for a line of the log.

use super::Runner;
use crate::edge::live::Line;

impl Runner {
    /// What is going on right now.
    pub fn progress(&self, message: &str) {
        self.writer().progress(message);
    }

    /// What is going on right now, for a terminal alone: a log gets a line only where something is new.
    pub fn quiet_progress(&self, message: &str) {
        self.writer().quiet_progress(message);
    }

    /// A block of lines that is drawn in place of the one before: on a terminal alone, and at most ten times a second.
    /// `lines` is called only where they will be seen; it must not print.
    pub fn live(&self, lines: impl FnOnce() -> Vec<Line>) {
        // The writer is free again while the lines are made.
        let is_live = self.writer().is_live();
        if is_live {
            let lines = lines();
            self.writer().live(&lines);
        }
    }

    /// Removes the block that is drawn in place. The next line of the log does so too.
    pub fn end_live(&self) {
        self.writer().end_progress();
    }

    /// How far the tool is, for the line that a log gets after a long silence.
    pub fn heartbeat(&self, text: impl Into<String>) {
        self.writer().set_heartbeat(text.into());
    }
}
