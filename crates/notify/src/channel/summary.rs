//! The message in the job summary.

use gha::summary::Summary;
use gha::{markdown, text};

use crate::message::Message;

/// The message as Markdown in a place that holds `room` bytes. A long text of the user does not push out what stands behind it.
#[must_use]
pub fn within(message: &Message, room: usize) -> String {
    // What is escaped is up to ten times as long.
    let short = |text: &String| text::cut(text, room / 10);
    let message = Message {
        text: message.text.as_ref().map(short),
        ..message.clone()
    };
    render(&message, &[]).within(room)
}

/// The message as Markdown, and below it how it was delivered.
#[must_use]
pub fn render(message: &Message, deliveries: &[String]) -> Summary {
    let mut summary = Summary::default();
    summary.push(format!("### {}\n", markdown::plain(&message.headline)));
    let reasons: String = message
        .reasons
        .iter()
        .map(|reason| format!("- {}\n", markdown::plain(reason)))
        .collect();
    if !reasons.is_empty() {
        summary.push(reasons);
    }
    let done = message
        .done
        .iter()
        .map(|done| format!("- {}\n", markdown::plain(done)));
    let done: String = done.collect();
    if !done.is_empty() {
        summary.push(done);
    }
    if let Some(text) = &message.text {
        let lines: Vec<String> = text.lines().map(markdown::plain).collect();
        summary.push(lines.join("  \n"));
    }
    let rows: Vec<Vec<String>> = message
        .fields
        .iter()
        .map(|(name, value)| vec![(*name).to_owned(), markdown::plain(value)])
        .collect();
    if !rows.is_empty() {
        summary.table(&["", ""], &rows);
    }
    for undo in &message.undo {
        summary.push(format!("To undo:\n\n{}", markdown::fence(undo)));
    }
    let links: Vec<String> = message
        .links
        .iter()
        .map(|link| markdown::link(&link.text, &link.url))
        .collect();
    if !links.is_empty() {
        summary.push(links.join(" · "));
    }
    let deliveries: String = deliveries
        .iter()
        .map(|line| format!("- {}\n", markdown::plain(line)))
        .collect();
    if !deliveries.is_empty() {
        summary.push(deliveries);
    }
    summary
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::JobStatus;
    use crate::message::tests::{entry, message};

    #[test]
    fn foreign_text_stays_text() {
        let failed = message(
            Some(JobStatus::Failure),
            vec![entry("gate", "failed", "</summary>\n# x @me | y")],
        )
        .unwrap();
        let text = render(&failed, &["slack: delivered".to_owned()]).fit(0);
        assert!(
            text.contains("- gate failed: &lt;/summary&gt;\\\\n\\#\u{200b} x @\u{200b}me \\| y\n"),
            "{text}"
        );
        assert!(
            text.contains("| Author | ada |\n") && text.ends_with("- slack: delivered\n"),
            "{text}"
        );
    }

    #[test]
    fn a_long_text_leaves_room_for_what_stands_behind_it() {
        let mut failed = message(Some(JobStatus::Failure), vec![entry("gate", "failed", "x")]).unwrap();
        failed.text = Some("<@&|\u{202e}".repeat(50_000));
        for room in [20_000, 60_000] {
            let text = within(&failed, room);
            assert!(text.len() <= room);
            assert!(
                text.contains("| Author | ada |\n") && text.contains("health-gate undo"),
                "{text}"
            );
        }
    }
}
