//! The job summary within its budget.
//!
//! The runner drops the whole summary of a step when its file holds more than 1,048,576 bytes
//! (`FileCommandManager.cs` of actions/runner), so what is written is counted, together with what earlier writers
//! left in the file.

/// How many bytes the file may hold at the end, by our own rule; the runner's limit leaves room for other writers.
pub const BUDGET: u64 = 900 * 1024;

/// A summary: the verdict first, then tables, then details. A section is kept whole or left out.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Summary {
    sections: Vec<String>,
}

impl Summary {
    /// Adds a section of Markdown. Foreign text in it has passed [`crate::markdown`].
    pub fn push(&mut self, section: impl Into<String>) {
        let mut section = section.into();
        if !section.ends_with('\n') {
            section.push('\n');
        }
        self.sections.push(section);
    }

    /// A table of foreign or own cells, each of them Markdown already.
    pub fn table(&mut self, head: &[&str], rows: &[Vec<String>]) {
        let mut table = format!("| {} |\n|{}\n", head.join(" | "), " --- |".repeat(head.len()));
        for row in rows {
            table.push_str(&format!("| {} |\n", row.join(" | ")));
        }
        self.push(table);
    }

    /// The text to append to a file that holds `existing` bytes: as many sections as fit, in order, and a line that
    /// says how many were left out. Nothing where not even that line fits.
    #[must_use]
    pub fn fit(&self, existing: u64) -> String {
        self.within(usize::try_from(BUDGET.saturating_sub(existing)).unwrap_or(0))
    }

    /// The same in a place that holds `room` bytes.
    #[must_use]
    pub fn within(&self, room: usize) -> String {
        let mut text = String::new();
        for (taken, section) in self.sections.iter().enumerate() {
            let left = self.sections.len() - taken;
            let reserve = if left > 1 { note(left - 1).len() + 2 } else { 0 };
            if text.len() + section.len() + 1 + reserve > room {
                let note = note(left);
                if text.len() + note.len() < room {
                    text.push('\n');
                    text.push_str(&note);
                }
                return text;
            }
            text.push('\n');
            text.push_str(section);
        }
        text
    }
}

/// The line that stands for what was left out.
fn note(sections: usize) -> String {
    format!("_{sections} sections left out: there is no room for more._\n")
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::proptest;

    fn of(sections: &[&str]) -> Summary {
        let mut summary = Summary::default();
        sections.iter().for_each(|section| summary.push(*section));
        summary
    }

    #[test]
    fn sections_are_kept_whole() {
        let summary = of(&["verdict", "table", "details"]);
        assert_eq!(summary.fit(0), "\nverdict\n\ntable\n\ndetails\n");
        let little = BUDGET - 120;
        assert_eq!(
            summary.fit(little).lines().last(),
            Some("details"),
            "all fits into 120 bytes"
        );
        let long = of(&["verdict", &"x".repeat(200), "details"]);
        let text = long.fit(BUDGET - 150);
        assert!(
            text.starts_with("\nverdict\n") && text.contains("2 sections left out"),
            "{text}"
        );
        assert_eq!(long.fit(BUDGET), "");
    }

    #[test]
    fn a_table_has_one_row_a_line() {
        let mut summary = Summary::default();
        summary.table(&["a", "b"], &[vec!["1".to_owned(), "2".to_owned()]]);
        assert_eq!(summary.fit(0), "\n| a | b |\n| --- | --- |\n| 1 | 2 |\n");
    }

    proptest! {
        #[test]
        fn never_over_budget(existing in 0..BUDGET + 10, lengths in proptest::collection::vec(0usize..400_000, 0..6)) {
            let mut summary = Summary::default();
            lengths.iter().for_each(|length| summary.push("x".repeat(*length)));
            assert!(existing.max(BUDGET) >= existing + summary.fit(existing).len() as u64 || existing > BUDGET);
        }
    }
}
