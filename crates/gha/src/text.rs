//! Foreign text made inert: commit messages, branch names, bodies of servers and logs of pods are data, whatever
//! they contain.
//!
//! The runner takes `::command::` at the start of a line, after blanks, and `##[command]` anywhere in a line, from
//! stdout and stderr alike (`ActionCommand.cs` of actions/runner). Control characters and bidirectional marks
//! could rewrite what a reader sees.

use unicode_segmentation::GraphemeCursor;

/// One line of foreign text for a log: control characters and bidirectional marks are shown as escapes, and what
/// the runner would take for a command is broken up. Line ends become `\n`, so the result is one line.
#[must_use]
pub fn line(text: &str) -> String {
    without_commands(&visible(text))
}

/// Foreign text as one line in which every character is seen: control characters and bidirectional marks as
/// escapes, line ends as `\n`. For places that the runner does not read for commands.
#[must_use]
pub fn visible(text: &str) -> String {
    // Nearly all text is of this kind, and some is long.
    if text.bytes().all(|byte| matches!(byte, b' '..=b'~')) {
        return text.to_owned();
    }
    let mut shown = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '\n' => shown.push_str("\\n"),
            '\r' => shown.push_str("\\r"),
            '\t' => shown.push(' '),
            c if is_hidden(c) => shown.push_str(&format!("\\u{{{:x}}}", u32::from(c))),
            c => shown.push(c),
        }
    }
    shown
}

/// Several lines of foreign text for a log, each made inert by [`line()`] and marked with `| `, at most `max_lines`.
#[must_use]
pub fn block(text: &str, max_lines: usize) -> Vec<String> {
    let mut lines: Vec<String> = text
        .lines()
        .take(max_lines)
        .map(|one| format!("| {}", line(one)))
        .collect();
    let left = text.lines().count().saturating_sub(max_lines);
    if left > 0 {
        lines.push(format!("| … {left} more lines"));
    }
    lines
}

/// The beginning of a text, at most `max` characters; the last one is `…` where something was cut. What a reader sees as one character,
/// such as a letter with its accents or a family of emoji, stays whole
/// (<https://www.unicode.org/reports/tr29/#Grapheme_Cluster_Boundaries>), unless it alone is too long.
#[must_use]
pub fn cut(text: &str, max: usize) -> String {
    let Some((limit, _)) = text.char_indices().nth(max) else {
        return text.to_owned();
    };
    // The last of the `max` characters gives way to the sign.
    let limit = text[..limit].char_indices().last().map_or(0, |(at, _)| at);
    let mut boundaries = GraphemeCursor::new(limit, text.len(), true);
    let whole = match boundaries.is_boundary(text, 0) {
        Ok(false) => boundaries.prev_boundary(text, 0).ok().flatten().unwrap_or(0),
        _ => limit,
    };
    let kept = if whole == 0 {
        &text[..limit]
    } else {
        &text[..whole]
    };
    format!("{kept}…")
}

/// The beginning of a body of unknown encoding, at most `max` characters, as text.
#[must_use]
pub fn excerpt(bytes: &[u8], max: usize) -> String {
    // A character has at most four bytes; reading more of a large body would be work for nothing.
    let head = &bytes[..bytes.len().min(max.saturating_mul(4).saturating_add(4))];
    cut(&String::from_utf8_lossy(head), max)
}

/// Whether a character steers a terminal or the order of text instead of standing for itself.
#[must_use]
pub fn is_hidden(c: char) -> bool {
    c.is_control()
        || matches!(c,
            // Not U+200D, which joins emoji.
            '\u{061c}' | '\u{200b}' | '\u{200c}' | '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{2069}' | '\u{feff}' | '\u{fff9}'..='\u{fffb}'
            | '\u{e0000}'..='\u{e007f}')
}

/// One line of JSON for a log or a pipe: what a terminal or the runner would act on becomes a JSON escape, so that the
/// value stays what it was.
#[must_use]
pub fn json_line(json: &str) -> String {
    let mut line = String::with_capacity(json.len());
    for c in json.chars() {
        if is_hidden(c) {
            let mut units = [0; 2];
            c.encode_utf16(&mut units)
                .iter()
                .for_each(|unit| line.push_str(&format!("\\u{unit:04x}")));
        } else {
            line.push(c);
        }
    }
    line.replace("##[", "#\\u0023[")
}

/// Breaks up what the runner would take for a command, in a line that may hold one.
#[must_use]
pub fn without_commands(line: &str) -> String {
    let broken = line.replace("##[", "## [");
    if broken.trim_start().starts_with("::") {
        format!("| {broken}")
    } else {
        broken
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::{any, proptest};

    #[test]
    fn commands_and_control_characters_are_inert() {
        for (text, shown) in [
            ("plain", "plain"),
            ("::error::x", "| ::error::x"),
            ("  ::error::x", "|   ::error::x"),
            ("a ::error::x", "a ::error::x"),
            ("a##[error]x", "a## [error]x"),
            ("a\nb", "a\\nb"),
            ("a\r::set-output name=x::y", "a\\r::set-output name=x::y"),
            ("\u{1b}[31mred", "\\u{1b}[31mred"),
            ("user\u{202e}gpj", "user\\u{202e}gpj"),
            ("nul\0", "nul\\u{0}"),
            ("\u{feff}::error::x", "\\u{feff}::error::x"),
            ("\t::error::x", "|  ::error::x"),
            ("emoji 🚀 ok", "emoji 🚀 ok"),
        ] {
            assert_eq!(line(text), shown, "{text:?}");
        }
    }

    #[test]
    fn a_block_marks_each_line_and_counts_what_it_leaves_out() {
        assert_eq!(
            block("a\n::error::b\nc\nd", 2),
            ["| a", "| | ::error::b", "| … 2 more lines"]
        );
    }

    #[test]
    fn cuts_on_characters() {
        assert_eq!(cut("äöü", 3), "äöü");
        assert_eq!(cut("äöüß", 3), "äö…");
        assert_eq!(cut("", 0), "");
        assert_eq!(cut("x", 0), "…");
        // A family is seven characters, and an accent that is written apart is one.
        let family = "👩\u{200d}👩\u{200d}👧\u{200d}👦";
        assert_eq!(cut(&format!("ab{family}"), 8), "ab…");
        assert_eq!(cut(&format!("ab{family}"), 9), format!("ab{family}"));
        assert_eq!(cut(&format!("{family}{family}"), 10), format!("{family}…"));
        assert_eq!(cut("xe\u{301}y", 3), "x…");
        // What alone is too long is cut all the same.
        assert_eq!(cut(&format!("e{}", "\u{301}".repeat(9)), 4), "e\u{301}\u{301}…");
        assert_eq!(excerpt("äöüß".as_bytes(), 3), "äö…");
        assert_eq!(excerpt(&[0xff, b'a'], 9), "\u{fffd}a");
    }

    #[test]
    fn a_line_of_json_keeps_its_value() {
        let value = serde_json::json!({"a": "##[error]\u{202e}x\u{e0001}👩\u{200d}🚀\u{1b}"});
        let line = json_line(&value.to_string());
        assert!(!line.contains("##[") && !line.chars().any(is_hidden), "{line}");
        assert_eq!(serde_json::from_str::<serde_json::Value>(&line).unwrap(), value);
    }

    proptest! {
        #[test]
        fn what_is_cut_begins_as_it_did_and_fits(text in any::<String>(), max in 1usize..40) {
            let shown = cut(&text, max);
            assert!(shown.chars().count() <= max);
            let kept = shown.strip_suffix('…').unwrap_or(&shown);
            assert!(text.starts_with(kept) || text == shown);
        }

        #[test]
        fn a_line_is_one_line_without_a_command(text in any::<String>()) {
            let shown = line(&text);
            assert!(!shown.contains(['\n', '\r', '\u{1b}', '\0', '\u{202e}']));
            assert!(!shown.trim_start().starts_with("::"));
            assert!(!shown.contains("##["));
        }
    }
}
