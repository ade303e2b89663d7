//! The command files of a step (`GITHUB_OUTPUT`, `GITHUB_ENV`, `GITHUB_PATH`, `GITHUB_STATE`,
//! `GITHUB_STEP_SUMMARY`): made fresh for each step, read when it ended, however it ended.
//!
//! The grammar is that of `FileCommandManager.cs` in actions/runner; entries before a broken one count.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use uuid::Uuid;

/// A summary file of more bytes is dropped whole.
pub(crate) const SUMMARY_LIMIT: usize = 1024 * 1024;

/// The files of one step.
#[derive(Debug)]
pub(crate) struct CommandFiles {
    pub(crate) output: PathBuf,
    pub(crate) env: PathBuf,
    pub(crate) path: PathBuf,
    pub(crate) state: PathBuf,
    pub(crate) summary: PathBuf,
}

impl CommandFiles {
    /// Makes empty files under `temp`.
    pub(crate) fn create(temp: &Path) -> io::Result<Self> {
        let folder = temp.join("_runner_file_commands");
        fs::create_dir_all(&folder)?;
        let suffix = Uuid::new_v4();
        let file = |prefix: &str| {
            let path = folder.join(format!("{prefix}_{suffix}"));
            fs::write(&path, "").map(|()| path)
        };
        Ok(Self {
            output: file("set_output")?,
            env: file("set_env")?,
            path: file("add_path")?,
            state: file("save_state")?,
            summary: file("step_summary")?,
        })
    }

    /// Removes the files; a step's leftovers are no concern of the next.
    pub(crate) fn remove(&self) {
        for path in [&self.output, &self.env, &self.path, &self.state, &self.summary] {
            // Already gone is as good as removed.
            let _ = fs::remove_file(path);
        }
    }
}

/// The entries of a file and, where it is broken, why: what came before counts all the same.
#[derive(Debug, PartialEq)]
pub struct Entries {
    /// Names and values in order.
    pub pairs: Vec<(String, String)>,
    /// What is wrong with the entry that ended the reading.
    pub broken: Option<String>,
}

/// Reads a `NAME=VALUE` / heredoc file; a file that is not there has no entries.
pub(crate) fn read_entries(path: &Path) -> Entries {
    parse_entries(&read_text(path))
}

/// Reads a `GITHUB_PATH` file: one folder a line.
pub(crate) fn read_paths(path: &Path) -> Vec<String> {
    read_text(path)
        .lines()
        .filter(|line| !line.is_empty())
        .map(str::to_owned)
        .collect()
}

/// Reads as .NET's `File.ReadAllText` does: without a byte order mark, foreign bytes as U+FFFD.
pub(crate) fn read_text(path: &Path) -> String {
    let text = String::from_utf8_lossy(&fs::read(path).unwrap_or_default()).into_owned();
    text.strip_prefix('\u{feff}').map(str::to_owned).unwrap_or(text)
}

/// Parses the text of a `GITHUB_OUTPUT`, `GITHUB_ENV` or `GITHUB_STATE` file.
#[must_use]
pub fn parse_entries(text: &str) -> Entries {
    let mut pairs = Vec::new();
    let mut rest = text;
    while let Some((line, _)) = take_line(&mut rest) {
        if line.is_empty() {
            continue;
        }
        match parse_entry(line, &mut rest) {
            Ok(pair) => pairs.push(pair),
            Err(reason) => {
                return Entries {
                    pairs,
                    broken: Some(reason),
                };
            }
        }
    }
    Entries { pairs, broken: None }
}

fn parse_entry(line: &str, rest: &mut &str) -> Result<(String, String), String> {
    let (equals, heredoc) = (line.find('='), line.find("<<"));
    match (equals, heredoc) {
        (Some(equals), heredoc) if heredoc.is_none_or(|heredoc| equals < heredoc) => {
            if equals == 0 {
                return Err(format!("Invalid format '{line}'. Name must not be empty"));
            }
            Ok((line[..equals].to_owned(), line[equals + 1..].to_owned()))
        }
        (_, Some(heredoc)) => {
            let (name, delimiter) = (&line[..heredoc], &line[heredoc + 2..]);
            if name.is_empty() || delimiter.is_empty() {
                return Err(format!(
                    "Invalid format '{line}'. Name must not be empty and delimiter must not be empty"
                ));
            }
            Ok((name.to_owned(), heredoc_value(delimiter, rest)?))
        }
        _ => Err(format!("Invalid format '{line}'")),
    }
}

fn heredoc_value(delimiter: &str, rest: &mut &str) -> Result<String, String> {
    let start = *rest;
    let mut length = 0;
    loop {
        let before = rest.len();
        match take_line(rest) {
            None => {
                return Err(format!(
                    "Invalid value. Matching delimiter not found '{delimiter}'"
                ));
            }
            Some((line, _)) if line == delimiter => break,
            Some((_, false)) => return Err("Invalid value. EOF marker missing new line.".to_owned()),
            Some((_, true)) => length += before - rest.len(),
        }
    }
    // The newline before the delimiter is not part of the value.
    Ok(start[..length.saturating_sub(1)].to_owned())
}

/// The next line without its newline, and whether it had one.
fn take_line<'a>(rest: &mut &'a str) -> Option<(&'a str, bool)> {
    if rest.is_empty() {
        return None;
    }
    let (line, after, ended) = match rest.split_once('\n') {
        Some((line, after)) => (line, after, true),
        None => (*rest, "", false),
    };
    *rest = after;
    Some((line, ended))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn grammar() {
        /// A file, its entries, and part of why it is broken.
        type Row = (
            &'static str,
            &'static [(&'static str, &'static str)],
            Option<&'static str>,
        );
        let table: [Row; 19] = [
            ("", &[], None),
            ("\n\n", &[], None),
            ("a=1", &[("a", "1")], None),
            ("a=1\n", &[("a", "1")], None),
            ("a=\n", &[("a", "")], None),
            ("a=b=c<<d\n", &[("a", "b=c<<d")], None),
            ("a=1\r\n", &[("a", "1\r")], None),
            ("a<<E\none\ntwo\nE\n", &[("a", "one\ntwo")], None),
            ("a<<E\none\ntwo\nE", &[("a", "one\ntwo")], None),
            ("a<<E\nE\n", &[("a", "")], None),
            ("a<<E\n\nE\n", &[("a", "")], None),
            ("a<<E\n\n\nE\n", &[("a", "\n")], None),
            ("a<<E=\nx\nE=\nb=2\n", &[("a", "x"), ("b", "2")], None),
            ("a<<E\none\n", &[], Some("Matching delimiter not found 'E'")),
            ("a<<E\noneE", &[], Some("EOF marker missing new line")),
            ("a<<E\r\none\r\nE\r\n", &[("a", "one\r")], None),
            (
                "a=1\nbroken\nb=2\n",
                &[("a", "1")],
                Some("Invalid format 'broken'"),
            ),
            ("<<E\nx\nE\n", &[], Some("Name must not be empty")),
            ("=x\n", &[], Some("Name must not be empty")),
        ];
        for (text, pairs, broken) in table {
            let got = parse_entries(text);
            let owned: Vec<_> = pairs
                .iter()
                .map(|(n, v)| ((*n).to_owned(), (*v).to_owned()))
                .collect();
            assert_eq!(got.pairs, owned, "{text:?}");
            match (&got.broken, broken) {
                (None, None) => {}
                (Some(got), Some(expected)) => assert!(got.contains(expected), "{got} for {text:?}"),
                _ => panic!("{got:?} for {text:?}"),
            }
        }
    }

    #[test]
    fn a_missing_file_and_foreign_bytes() {
        let folder = tempfile::tempdir().unwrap();
        assert_eq!(read_entries(&folder.path().join("none")).pairs, []);
        let path = folder.path().join("bytes");
        fs::write(&path, b"\xef\xbb\xbfa=\xff\n").unwrap();
        assert_eq!(
            read_entries(&path).pairs,
            [("a".to_owned(), "\u{fffd}".to_owned())]
        );
    }

    proptest! {
        #[test]
        fn heredoc_brings_any_value_back(value in "(?s).*", tail in "[a-z]{1,5}") {
            let text = format!("name<<ghadelimiter_5e1f\n{value}\nghadelimiter_5e1f\nlast={tail}\n");
            let got = parse_entries(&text);
            prop_assert_eq!(got.broken, None);
            prop_assert_eq!(got.pairs, vec![("name".to_owned(), value), ("last".to_owned(), tail)]);
        }

        #[test]
        fn any_text_is_read_to_its_end_or_refused(text in "(?s)[a-z=<\\n\\rE]*") {
            let got = parse_entries(&text);
            prop_assert!(got.pairs.iter().all(|(name, _)| !name.is_empty() && !name.contains('\n')));
            if got.broken.is_none() {
                // Every line that is not empty belongs to an entry.
                prop_assert!(!got.pairs.is_empty() || text.bytes().all(|byte| byte == b'\n'));
            }
        }
    }
}
