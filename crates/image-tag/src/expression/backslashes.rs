//! Backslashes in the strings of expressions: `{{date 'YYYY\TMM'}}`.
//!
//! Handlebars leaves them alone but before the quote of the string; this engine reads them as JSON does. Doubled, they
//! come out as they went in.

use std::borrow::Cow;

/// The same text with every backslash doubled that stands in a string of an expression.
pub(super) fn doubled(text: &str) -> Cow<'_, str> {
    if !text.contains('\\') || !text.contains("{{") {
        return text.into();
    }
    let mut out = String::with_capacity(text.len() + 8);
    let mut rest = text;
    while let Some(start) = rest.find("{{") {
        let (plain, expression) = rest.split_at(start);
        out.push_str(plain);
        let end = inner_end(expression);
        double_in_strings(&expression[..end], &mut out);
        rest = &expression[end..];
    }
    out.push_str(rest);
    out.into()
}

/// Where an expression ends: at its `}}` outside of strings, else with the text.
fn inner_end(expression: &str) -> usize {
    let mut quote = None;
    let mut before = '\0';
    for (at, c) in expression.char_indices() {
        match quote {
            Some(open) if c == open && before != '\\' => quote = None,
            Some(_) => {}
            None if matches!(c, '"' | '\'') => quote = Some(c),
            None if expression[at..].starts_with("}}") => return at + 2,
            None => {}
        }
        before = c;
    }
    expression.len()
}

fn double_in_strings(expression: &str, out: &mut String) {
    let mut quote = None;
    let mut characters = expression.chars().peekable();
    while let Some(c) = characters.next() {
        out.push(c);
        match quote {
            Some(open) if c == '\\' => match characters.next_if_eq(&open) {
                // It is the quote that is meant.
                Some(quoted) => out.push(quoted),
                None => out.push('\\'),
            },
            Some(open) if c == open => quote = None,
            Some(_) => {}
            None if matches!(c, '"' | '\'') => quote = Some(c),
            None => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn only_strings_of_expressions_change() {
        for (text, expected) in [
            (r"a\b", r"a\b"),
            (r"a\b{{x}}", r"a\b{{x}}"),
            (r"\{{x}}", r"\{{x}}"),
            (r"{{date 'YYYY\TMM'}}\x", r"{{date 'YYYY\\TMM'}}\x"),
            (
                r#"{{date "Y\n"}}{{date 'a\\b'}}"#,
                r#"{{date "Y\\n"}}{{date 'a\\\\b'}}"#,
            ),
            (r"{{date 'a\'b}}\c'}}\d", r"{{date 'a\'b}}\\c'}}\d"),
            (r"{{date 'open\", r"{{date 'open\\"),
        ] {
            assert_eq!(doubled(text), expected, "{text}");
        }
    }

    proptest! {
        #[test]
        fn nothing_but_backslashes_is_added(text in r#"[{}'"\\ab]{0,30}"#) {
            let out = doubled(&text);
            prop_assert_eq!(out.replace('\\', ""), text.replace('\\', ""));
        }
    }
}
