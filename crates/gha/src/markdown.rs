//! Foreign text inside GitHub-flavoured Markdown: job summaries and messages.

use crate::text;

/// Text as an inline code span. The fence is longer than any run of backticks inside
/// (<https://spec.commonmark.org/0.31.2/#code-spans>), and a `|` is escaped so that the span also fits a table.
#[must_use]
pub fn code(text: &str) -> String {
    let shown = text::visible(text).replace('|', "\\|");
    if shown.trim().is_empty() {
        return "(empty)".to_owned();
    }
    let fence = "`".repeat(longest_run(&shown, '`') + 1);
    if fence.len() > 1 {
        format!("{fence} {shown} {fence}")
    } else {
        format!("`{shown}`")
    }
}

/// Text as a fenced block. `<details>` and links inside it stay text.
#[must_use]
pub fn fence(text: &str) -> String {
    let shown: Vec<String> = text.lines().map(text::visible).collect();
    let shown = shown.join("\n");
    let fence = "`".repeat(longest_run(&shown, '`').max(2) + 1);
    format!("{fence}text\n{shown}\n{fence}\n")
}

/// Text in running Markdown or a table cell: every ASCII punctuation character that could start a construct is
/// escaped (<https://spec.commonmark.org/0.31.2/#backslash-escapes>), mentions are broken up, line ends are shown.
#[must_use]
pub fn plain(text: &str) -> String {
    let mut shown = String::with_capacity(text.len());
    for c in text::visible(text).chars() {
        match c {
            '<' => shown.push_str("&lt;"),
            '>' => shown.push_str("&gt;"),
            '&' => shown.push_str("&amp;"),
            // A reference with a zero-width character behind it neither mentions a person nor links an issue.
            '@' => shown.push_str("@\u{200b}"),
            '#' => shown.push_str("\\#\u{200b}"),
            '\\' | '`' | '*' | '_' | '[' | ']' | '|' | '~' | '!' | '$' => {
                shown.push('\\');
                shown.push(c);
            }
            c => shown.push(c),
        }
    }
    // GitHub links bare addresses; broken up they stay text.
    inert_start(&shown.replace("://", "&#58;//").replace("www.", "www&#46;"))
}

/// Text that may stand at the start of a line: no list, heading underline or break begins there.
fn inert_start(text: &str) -> String {
    let digits = text.bytes().take_while(u8::is_ascii_digit).count();
    match text[digits..].chars().next() {
        Some('-' | '+' | '=') if digits == 0 => format!("\\{text}"),
        Some('.' | ')') if digits > 0 => format!("{}\\{}", &text[..digits], &text[digits..]),
        _ => text.to_owned(),
    }
}

/// A link; the address must be one of ours or checked, and is percent-encoded where it would end the link.
#[must_use]
pub fn link(label: &str, url: &str) -> String {
    let target: String = url
        .chars()
        .map(|c| match c {
            ' ' => "%20".to_owned(),
            '(' => "%28".to_owned(),
            ')' => "%29".to_owned(),
            '<' => "%3C".to_owned(),
            '>' => "%3E".to_owned(),
            c if text::is_hidden(c) => String::new(),
            c => c.to_string(),
        })
        .collect();
    format!("[{}]({target})", plain(label))
}

/// The longest run of `wanted` in `text`.
fn longest_run(text: &str, wanted: char) -> usize {
    let mut longest = 0;
    let mut run = 0;
    for c in text.chars() {
        run = if c == wanted { run + 1 } else { 0 };
        longest = longest.max(run);
    }
    longest
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::{any, proptest};
    use pulldown_cmark::{Event, Options, Parser, Tag, TagEnd};

    /// What who reads a paragraph sees of it, where nothing but text is in it.
    fn seen(markdown: &str) -> String {
        let github = Options::ENABLE_TABLES
            | Options::ENABLE_FOOTNOTES
            | Options::ENABLE_STRIKETHROUGH
            | Options::ENABLE_TASKLISTS
            | Options::ENABLE_MATH
            | Options::ENABLE_GFM;
        let mut seen = String::new();
        for event in Parser::new_ext(markdown, github) {
            match event {
                Event::Text(text) => seen.push_str(&text),
                Event::Start(Tag::Paragraph) | Event::End(TagEnd::Paragraph) => {}
                other => panic!("{other:?} in {markdown}"),
            }
        }
        seen
    }

    #[test]
    fn code_spans_hold_anything() {
        for (text, shown) in [
            ("a", "`a`"),
            ("a`b", "`` a`b ``"),
            ("a|b", "`a\\|b`"),
            ("", "(empty)"),
            ("a\nb", "`a\\nb`"),
            ("<img>", "`<img>`"),
        ] {
            assert_eq!(code(text), shown);
        }
    }

    #[test]
    fn running_text_holds_no_construct() {
        assert_eq!(
            plain("<b> @me #1 [x](y)"),
            "&lt;b&gt; @\u{200b}me \\#\u{200b}1 \\[x\\](y)"
        );
        assert_eq!(plain("https://evil"), "https&#58;//evil");
        for (text, shown) in [
            ("---", "\\---"),
            ("1. x", "1\\. x"),
            ("10) x", "10\\) x"),
            ("1.2.3", "1\\.2.3"),
            ("2 x", "2 x"),
        ] {
            assert_eq!(plain(text), shown);
        }
        assert_eq!(plain("a|b\nc"), "a\\|b\\\\nc");
    }

    #[test]
    fn a_fence_is_longer_than_what_it_holds() {
        assert_eq!(fence("a\n```\nb"), "````text\na\n```\nb\n````\n");
        assert_eq!(fence("::error::x"), "```text\n::error::x\n```\n");
    }

    proptest! {
        #[test]
        fn running_text_reads_as_it_was(text in any::<String>(), ascii in "[ -~]{0,60}", marks in "[-+*_#=.()0-9a<>&;!$~|`\\[\\]:/\\\\ ]{0,30}") {
            for text in [text, ascii, marks] {
                let was = text::visible(text.trim());
                let read = |markdown: &str| seen(markdown).replace('\u{200b}', "");
                assert_eq!(read(&plain(text.trim())), was.trim().replace('\u{200b}', ""));
                assert_eq!(read(&format!("a{}z", plain(&was))), format!("a{was}z").replace('\u{200b}', ""));
            }
        }

        #[test]
        fn a_cell_stays_in_its_row(text in any::<String>()) {
            for shown in [plain(&text), code(&text)] {
                assert!(!shown.contains(['\n', '\r']));
                assert!(!shown.replace("\\|", "").contains('|'), "{shown}");
            }
        }
    }
}
