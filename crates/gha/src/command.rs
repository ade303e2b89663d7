//! Workflow commands: the lines by which a step talks to its runner
//! (<https://docs.github.com/en/actions/reference/workflows-and-actions/workflow-commands>).

use crate::text;

/// The longest message an annotation keeps; the runner cuts the rest (`ExecutionContext.cs` of actions/runner).
pub const MESSAGE_LIMIT: usize = 4096;

/// The weight of an annotation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Level {
    /// Red; one per failure, because the runner shows ten of them per step at most.
    Error,
    /// Yellow.
    Warning,
    /// Blue.
    Notice,
}

impl Level {
    /// The command's name.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Error => "error",
            Self::Warning => "warning",
            Self::Notice => "notice",
        }
    }
}

/// An annotation as a workflow command: foreign text inert, the message cut at [`MESSAGE_LIMIT`] characters.
#[must_use]
pub fn annotation(level: Level, title: &str, message: &str) -> String {
    let message: Vec<String> = message.lines().map(visible).collect();
    let message = text::cut(&message.join("\n"), MESSAGE_LIMIT);
    format!(
        "::{} title={}::{}",
        level.word(),
        property(&visible(title)),
        data(&message)
    )
}

/// Hides a value in everything the job prints from now on.
#[must_use]
pub fn add_mask(value: &str) -> String {
    format!("::add-mask::{}", data(value))
}

/// Opens a group that the reader can fold. Groups do not nest.
#[must_use]
pub fn group(title: &str) -> String {
    format!("::group::{}", data(&visible(title)))
}

/// Closes the group.
#[must_use]
pub fn end_group() -> String {
    "::endgroup::".to_owned()
}

/// Escapes a command's data as `@actions/core` does: `%` first, then the line ends.
fn data(text: &str) -> String {
    text.replace('%', "%25").replace('\r', "%0D").replace('\n', "%0A")
}

/// Escapes a command's property: as data, and the two characters that end a property.
fn property(text: &str) -> String {
    data(text).replace(':', "%3A").replace(',', "%2C")
}

/// A line's text with control characters shown. It stands behind a command already, so only the old `##[` form,
/// which the runner finds anywhere, needs breaking up.
fn visible(line: &str) -> String {
    text::visible(line).replace("##[", "## [")
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::{any, proptest};

    #[test]
    fn escapes_data_and_properties() {
        for (title, message, command) in [
            (
                "gate",
                "100 % sure\nreally",
                "::error title=gate::100 %25 sure%0Areally",
            ),
            ("a: b, c", "x", "::error title=a%3A b%2C c::x"),
            ("t", "%0A::warning::x", "::error title=t::%250A::warning::x"),
            ("t", "x##[error]y", "::error title=t::x## [error]y"),
            ("a\nb", "x\u{1b}[0m", "::error title=a\\nb::x\\u{1b}[0m"),
        ] {
            assert_eq!(annotation(Level::Error, title, message), command);
        }
        assert_eq!(group("a\nb"), "::group::a\\nb");
        assert_eq!(add_mask("a\nb%"), "::add-mask::a%0Ab%25");
    }

    #[test]
    fn a_long_message_is_cut() {
        let command = annotation(Level::Warning, "t", &"ä".repeat(5000));
        assert_eq!(command.chars().filter(|c| *c == 'ä').count(), MESSAGE_LIMIT - 1);
    }

    proptest! {
        #[test]
        fn an_annotation_is_one_line(title in any::<String>(), message in any::<String>()) {
            let command = annotation(Level::Error, &title, &message);
            assert!(!command.contains(['\n', '\r']));
            assert!(!command.contains("##["));
        }
    }
}
