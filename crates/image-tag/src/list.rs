//! The list grammar of the inputs: CSV, one record a line.
//!
//! A field in double quotes may hold commas, line ends and doubled quotes; `#` in the first column starts a comment;
//! blank lines count for nothing. `docker/metadata-action` reads its lists twice, so that a quoted comma only survives
//! when it is quoted twice. Here one reading is enough, and what people write for two readings is understood too.
//!
//! Own code because CSV crates forgive what must be an error here (a stray or an unclosed quote) and don't tell
//! whether a field was quoted, which decides on comments and on the second reading.

use std::iter::Peekable;
use std::str::Chars;

/// Where and how the quoting of a list is broken.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("line {line}: {problem}")]
pub struct ListError {
    /// Line of the record in the input, from 1.
    pub line: usize,
    /// What is wrong, for a person.
    pub problem: &'static str,
}

/// One line of a list, or several when a quoted field holds line ends.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Record {
    /// Line of its start, from 1.
    pub(crate) line: usize,
    /// The fields, trimmed and without their quotes; never empty.
    pub(crate) fields: Vec<String>,
    /// It starts with spaces and `#`, which is no comment, but may have been meant as one.
    pub(crate) like_comment: bool,
}

impl Record {
    /// The record on one line, for messages.
    pub(crate) fn text(&self) -> String {
        self.fields.join(",")
    }
}

/// A field splits at its first `=` that has something before it; the key is lower-cased. Without one, it is a value.
pub(crate) fn key_and_value(field: &str) -> (Option<String>, &str) {
    match field.find('=') {
        Some(at) if at > 0 => (Some(trim(&field[..at]).to_lowercase()), trim(&field[at + 1..])),
        _ => (None, trim(field)),
    }
}

/// The text without the blanks around it that JavaScript takes for such: a byte order mark is one, U+0085 is none.
fn trim(text: &str) -> &str {
    text.trim_matches(is_blank)
}

fn is_blank(c: char) -> bool {
    c == '\u{feff}' || (c.is_whitespace() && c != '\u{85}')
}

/// Whether a list holds nothing but comments and blank lines.
pub(crate) fn is_empty(input: &str) -> bool {
    Reader::new(input, Quotes::Strict).next().is_none()
}

/// Reads a list of fields: `images`, `tags`, `flavor`.
pub(crate) fn records(input: &str) -> Result<Vec<Record>, ListError> {
    let mut records = Vec::new();
    for raw in Reader::new(input, Quotes::Strict) {
        let raw = raw?;
        let like_comment = raw
            .fields
            .first()
            .is_some_and(|f| !f.quoted && trim(&f.text).starts_with('#'));
        let fields = unquote_again(raw.fields, raw.line)?;
        records.push(Record {
            line: raw.line,
            fields,
            like_comment,
        });
    }
    Ok(records)
}

/// Reads a list of whole lines, in which commas and inner quotes mean nothing: `labels`.
pub(crate) fn lines(input: &str) -> Result<Vec<String>, ListError> {
    Reader::new(input, Quotes::Relaxed)
        .map(|raw| {
            let fields: Vec<String> = raw?.fields.into_iter().map(|field| field.text).collect();
            Ok(trim(&fields.join(",")).to_owned())
        })
        .collect()
}

/// Understands what is quoted for two readings: a line quoted as a whole, and a field within quoted quotes.
fn unquote_again(fields: Vec<Field>, line: usize) -> Result<Vec<String>, ListError> {
    let whole = matches!(&fields[..], [only] if !only.within_blanks);
    let mut plain = Vec::with_capacity(fields.len());
    for field in fields {
        let text = trim(&field.text);
        if field.quoted && (whole || text.starts_with('"')) {
            let inner = Reader::new(text, Quotes::Strict).next();
            match inner.transpose().map_err(|error| ListError { line, ..error })? {
                Some(record) => plain.extend(record.fields.iter().map(|f| trim(&f.text).to_owned())),
                None => plain.push(String::new()),
            }
        } else {
            plain.push(text.to_owned());
        }
    }
    Ok(plain)
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Quotes {
    /// A quote within an unquoted field, or text after a closing quote, is an error.
    Strict,
    /// There it is a character like any other.
    Relaxed,
}

struct Field {
    text: String,
    quoted: bool,
    /// Its line starts or ends with blanks, which hid the quotes from the first of two readings.
    within_blanks: bool,
}

struct RawRecord {
    line: usize,
    fields: Vec<Field>,
}

/// Walks over the records of an input, comments and blank lines left out.
struct Reader<'a> {
    rest: Peekable<Chars<'a>>,
    line: usize,
    quotes: Quotes,
}

impl<'a> Reader<'a> {
    fn new(input: &'a str, quotes: Quotes) -> Self {
        let skipped = &input[..input.len() - input.trim_start_matches(is_blank).len()];
        let line = 1 + skipped.matches('\n').count();
        Self {
            rest: trim(input).chars().peekable(),
            line,
            quotes,
        }
    }

    /// Takes a line end if one is next.
    fn take_line_end(&mut self) -> bool {
        match self.rest.peek() {
            Some('\r') => {
                self.rest.next();
                self.rest.next_if_eq(&'\n');
            }
            Some('\n') => {
                self.rest.next();
            }
            _ => return false,
        }
        self.line += 1;
        true
    }

    fn at_field_end(&mut self) -> bool {
        matches!(self.rest.peek(), None | Some(',' | '\r' | '\n'))
    }

    /// Takes blanks if what is meant follows them.
    fn take_blanks_before(&mut self, meant: fn(Option<&char>) -> bool) -> bool {
        let mut ahead = self.rest.clone();
        let mut found = false;
        while ahead.next_if(|c| matches!(c, ' ' | '\t')).is_some() {
            found = true;
        }
        found = found && meant(ahead.peek());
        if found {
            self.rest = ahead;
        }
        found
    }

    fn skip_comment(&mut self) {
        while self.rest.next_if(|c| !matches!(c, '\r' | '\n')).is_some() {}
    }

    fn record(&mut self) -> Result<RawRecord, ListError> {
        let line = self.line;
        let mut fields = Vec::new();
        let indented = self.quotes == Quotes::Strict && self.take_blanks_before(|next| next == Some(&'"'));
        loop {
            let mut field = self.field().map_err(|problem| ListError { line, problem })?;
            field.within_blanks |= indented;
            fields.push(field);
            if self.rest.next_if_eq(&',').is_none() {
                return Ok(RawRecord { line, fields });
            }
        }
    }

    fn field(&mut self) -> Result<Field, &'static str> {
        let mut text = String::new();
        if self.rest.next_if_eq(&'"').is_some() {
            self.quoted_text(&mut text)?;
            let within_blanks = self.quotes == Quotes::Strict
                && self.take_blanks_before(|next| matches!(next, None | Some('\r' | '\n')));
            if self.at_field_end() {
                return Ok(Field {
                    text,
                    quoted: true,
                    within_blanks,
                });
            }
            if self.quotes == Quotes::Strict {
                return Err("there is text after a closing quote");
            }
            text = format!("\"{text}\"");
        }
        while !self.at_field_end() {
            match self.rest.next() {
                Some('"') if self.quotes == Quotes::Strict => {
                    return Err("a quote must start its field, or be doubled within a quoted one");
                }
                Some(c) => text.push(c),
                None => break,
            }
        }
        Ok(Field {
            text,
            quoted: false,
            within_blanks: false,
        })
    }

    /// Reads up to and over the closing quote.
    fn quoted_text(&mut self, text: &mut String) -> Result<(), &'static str> {
        loop {
            match self.rest.next() {
                None => return Err("a quote is not closed"),
                Some('"') if self.rest.next_if_eq(&'"').is_some() => text.push('"'),
                Some('"') => return Ok(()),
                Some(c) => {
                    self.line += usize::from(c == '\n');
                    text.push(c);
                }
            }
        }
    }
}

impl Iterator for Reader<'_> {
    type Item = Result<RawRecord, ListError>;

    fn next(&mut self) -> Option<Self::Item> {
        loop {
            match self.rest.peek()? {
                '#' => self.skip_comment(),
                '\r' | '\n' => {
                    self.take_line_end();
                }
                _ => {
                    let record = self.record();
                    if record.is_err() {
                        // Nothing after broken quotes can be told apart any more.
                        self.rest = "".chars().peekable();
                    }
                    match &record {
                        Ok(raw) if is_blank_record(raw) => {}
                        _ => return Some(record),
                    }
                }
            }
        }
    }
}

fn is_blank_record(record: &RawRecord) -> bool {
    matches!(&record.fields[..], [only] if trim(&only.text).is_empty())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn fields(input: &str) -> Vec<Vec<String>> {
        records(input)
            .unwrap()
            .into_iter()
            .map(|record| record.fields)
            .collect()
    }

    #[test]
    fn records_of_fields() {
        let cases: &[(&str, &[&[&str]])] = &[
            ("", &[]),
            (" \n \n", &[]),
            ("a", &[&["a"]]),
            ("a,b\nc", &[&["a", "b"], &["c"]]),
            ("a\r\nb\r\n", &[&["a"], &["b"]]),
            ("a\rb", &[&["a"], &["b"]]),
            ("\n\n  a,b \n\n\n   c  \n", &[&["a", "b"], &["c"]]),
            ("a,", &[&["a", ""]]),
            ("a,,b", &[&["a", "", "b"]]),
            ("# gone\na #kept\n#gone, \"too\nb", &[&["a #kept"], &["b"]]),
            (
                r#"type=match,"pattern=\d{1,2}""#,
                &[&["type=match", r"pattern=\d{1,2}"]],
            ),
            (
                r#"type=match,"""pattern=\d{1,2}""""#,
                &[&["type=match", r"pattern=\d{1,2}"]],
            ),
            (r#""type=raw,""value=a,b""""#, &[&["type=raw", "value=a,b"]]),
            (r#"x,"a ""b"" c""#, &[&["x", r#"a "b" c"#]]),
            ("x,\"a\nb\"\ny", &[&["x", "a\nb"], &["y"]]),
            ("\"type=raw,value=a\nb\"", &[&["type=raw", "value=a"]]),
            ("\"\"\n\" \"\na", &[&["a"]]),
            (
                "a\n \"b,c\" \n\t\"d\",\"e,f\"",
                &[&["a"], &["b,c"], &["d", "e,f"]],
            ),
        ];
        for (input, expected) in cases {
            assert_eq!(&fields(input), expected, "{input:?}");
        }
    }

    #[test]
    fn broken_quotes_name_their_line() {
        let cases = [
            ("type=raw,value=a\"b", 1, "must start"),
            ("a\n\nb, \"c\"", 3, "must start"),
            ("a\n\"b\"c", 2, "after a closing"),
            ("\n\na\n\"b\nc", 4, "not closed"),
            ("a,\"\"\"b\"", 1, "not closed"),
        ];
        for (input, line, problem) in cases {
            let error = records(input).unwrap_err();
            assert_eq!(error.line, line, "{input:?}");
            assert!(error.problem.contains(problem), "{input:?}: {error}");
        }
    }

    #[test]
    fn line_numbers_count_the_lines_within_quotes() {
        let lines: Vec<usize> = records("x,\"a\nb\"\ny")
            .unwrap()
            .iter()
            .map(|record| record.line)
            .collect();
        assert_eq!(lines, [1, 3]);
    }

    #[test]
    fn indented_comment_is_told() {
        let records = records("a\n  # b\n#c").unwrap();
        assert_eq!(
            records.iter().map(|r| r.like_comment).collect::<Vec<_>>(),
            [false, true]
        );
    }

    #[test]
    fn whole_lines_keep_commas_and_inner_quotes() {
        let cases: &[(&str, &[&str])] = &[
            (
                "k=\"v w\"\nj={\"a\":1,\"b\":2}",
                &["k=\"v w\"", "j={\"a\":1,\"b\":2}"],
            ),
            ("\"k=a,b\"", &["k=a,b"]),
            ("\"k\"=v", &["\"k\"=v"]),
            ("# c\n k=v ", &["k=v"]),
        ];
        for (input, expected) in cases {
            assert_eq!(&lines(input).unwrap(), expected, "{input:?}");
        }
        assert!(lines("\"k=v").is_err());
    }

    #[test]
    fn comments_alone_are_nothing() {
        for (input, expected) in [
            ("", true),
            (" \n", true),
            ("# a\n#b", true),
            ("#a\nb", false),
            ("\"", false),
        ] {
            assert_eq!(is_empty(input), expected, "{input:?}");
        }
    }

    #[test]
    fn blanks_are_those_of_javascript() {
        assert_eq!(
            key_and_value("\u{feff}type\u{feff}= sha\u{a0}"),
            (Some("type".to_owned()), "sha")
        );
        assert_eq!(key_and_value("x=\u{85}y"), (Some("x".to_owned()), "\u{85}y"));
    }

    #[test]
    fn keys_and_values() {
        assert_eq!(key_and_value(" Type = raw "), (Some("type".to_owned()), "raw"));
        assert_eq!(key_and_value("value==a"), (Some("value".to_owned()), "=a"));
        assert_eq!(key_and_value("=x"), (None, "=x"));
        assert_eq!(key_and_value("x"), (None, "x"));
    }

    proptest! {
        #[test]
        fn no_input_panics(input in any::<String>()) {
            let _ = records(&input);
            let _ = lines(&input);
        }

        #[test]
        fn csv_like_input_never_panics(input in "[a=,\"#\r\n ]{0,40}") {
            for record in records(&input).unwrap_or_default() {
                prop_assert!(!record.fields.is_empty());
            }
            let _ = lines(&input);
        }

        /// A quoted field gives back what it holds, whatever that is.
        #[test]
        fn quoting_is_undone(value in "[^\"]{0,40}") {
            let read = fields(&format!("type=raw,\"value={value}\""));
            prop_assert_eq!(read, vec![vec!["type=raw".to_owned(), trim(&format!("value={value}")).to_owned()]]);
        }
    }
}
