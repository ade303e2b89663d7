//! A text of results, as people and workflows write it: result objects one after another, in an array, each as a text of its own, or among
//! the outputs of jobs, as `${{ toJSON(needs) }}` has them; and paths. Pure.

use gha::ledger::{self, Entry};
use serde_json::{Deserializer, Value};

/// How deep texts that hold JSON may hold further ones.
const DEEPEST: usize = 4;

/// What a text holds.
#[derive(Debug, Default)]
pub(super) struct Written<'a> {
    /// The results.
    pub(super) entries: Vec<Entry>,
    /// Lines that are no JSON: paths, where these may stand.
    pub(super) words: Vec<(usize, &'a str)>,
    /// What can't be read: the number of the line, and why.
    pub(super) strangers: Vec<(usize, String)>,
}

/// Reads a text. Empty lines, and those that start with `#`, are left out.
pub(super) fn read(text: &str) -> Written<'_> {
    let mut written = Written::default();
    let (mut rest, mut line, mut is_broken) = (text, 1, false);
    loop {
        let begins = rest.len() - rest.trim_start().len();
        line += lines(&rest[..begins]);
        rest = &rest[begins..];
        if rest.is_empty() {
            return written;
        }
        let first = rest.lines().next().unwrap_or_default();
        let mut end = first.len();
        let mut values = Deserializer::from_str(rest).into_iter::<Value>();
        let is_json = rest.starts_with(['{', '[', '"']);
        match is_json.then(|| values.next()).flatten() {
            // What stands in the lines behind a broken value says nothing by itself.
            _ if is_broken && rest.starts_with(['"', ']', '}', ',']) => {}
            Some(Ok(value)) => {
                end = values.byte_offset();
                is_broken = false;
                let found = collect(&value, 0, &mut written.entries);
                written.strangers.extend(found.into_iter().map(|why| (line, why)));
            }
            Some(Err(error)) => {
                is_broken = true;
                written.strangers.push((line, ledger::no_result(error)));
            }
            None if first.starts_with('#') => {}
            None => written.words.push((line, first.trim_end())),
        }
        line += lines(&rest[..end]);
        rest = &rest[end..];
    }
}

fn lines(text: &str) -> usize {
    text.bytes().filter(|byte| *byte == b'\n').count()
}

/// Takes the results out of a value; what is none is told.
fn collect(value: &Value, depth: usize, entries: &mut Vec<Entry>) -> Vec<String> {
    let no_result = |why: &str| vec![ledger::no_result(why)];
    match value {
        // A job that was skipped has no outputs.
        Value::Null => Vec::new(),
        Value::String(text) if text.trim().is_empty() => Vec::new(),
        Value::String(text) if depth < DEEPEST => match serde_json::from_str(text) {
            Ok(value) => collect(&value, depth + 1, entries),
            Err(error) => vec![ledger::no_result(error)],
        },
        Value::Array(all) => all.iter().flat_map(|one| collect(one, depth, entries)).collect(),
        Value::Object(fields) if fields.contains_key("schema") => {
            match ledger::entry_of(&value.to_string()) {
                Ok(entry) => {
                    entries.push(entry);
                    Vec::new()
                }
                Err(why) => vec![why],
            }
        }
        Value::Object(jobs) if !jobs.is_empty() && jobs.values().all(is_job) => {
            let outputs = jobs.values().filter_map(|job| job["outputs"].as_object());
            // Of all outputs these alone are results.
            let results = outputs.flat_map(|outputs| outputs.values()).filter(is_result);
            results
                .flat_map(|result| collect(result, depth, entries))
                .collect()
        }
        _ => no_result("it has no `schema`"),
    }
}

/// A job in the context `needs`
/// (<https://docs.github.com/en/actions/reference/workflows-and-actions/contexts#needs-context>).
fn is_job(value: &Value) -> bool {
    value["result"].is_string() && value["outputs"].is_object()
}

fn is_result(output: &&Value) -> bool {
    output
        .as_str()
        .is_some_and(|text| text.contains("deploy-actions/result@"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::{any, proptest};
    use serde_json::json;

    fn result(tool: &str) -> Value {
        json!({
            "schema": ledger::SCHEMA, "tool": tool, "version": "1", "status": "done", "exit": 0,
            "started_at": "2026-11-22T04:45:00Z", "duration_ms": 1, "headline": "{x}\n", "trace_id": "ab".repeat(16),
        })
    }

    fn tools(text: &str) -> Vec<String> {
        let written = read(text);
        assert!(
            written.strangers.is_empty() && written.words.is_empty(),
            "{written:?}"
        );
        written.entries.into_iter().map(|entry| entry.tool).collect()
    }

    #[test]
    fn results_are_read_as_they_are_written() {
        let (a, b) = (result("a"), result("b"));
        let needs = json!({
            "deploy": {"result": "failure", "outputs": {"result": a.to_string(), "tag": "1.2.3", "digest": "{"}},
            "lint": {"result": "skipped", "outputs": {}},
            "gate": {"result": "success", "outputs": {"both": json!([b]).to_string()}},
        });
        for text in [
            format!("{a}\n{b}"),
            format!("# the first\r\n\n  {a} {b}\r\n"),
            json!([a, b]).to_string(),
            json!([a.to_string(), "", null, b.to_string()]).to_string(),
            format!("{a:#}\n{b:#}"),
            needs.to_string(),
            format!("{needs:#}"),
            json!(needs.to_string()).to_string(),
        ] {
            assert_eq!(tools(&text), ["a", "b"], "{text}");
        }
        assert!(tools(r#"{"lint": {"result": "skipped", "outputs": {}}}"#).is_empty());
        assert!(tools("\n# none\n[]").is_empty());
    }

    #[test]
    fn what_is_no_result_is_told_once_with_its_line() {
        let good = result("a");
        for (text, line) in [
            (format!("\n{{\"half\":\n{good}"), 2),
            (format!("[1]\n{good}"), 1),
            (format!("{good}\n{{}}"), 2),
            (format!("{good:#}\n{{\"x\": 1}}"), 12),
            (
                format!("{{\n  \"deploy\": {{\n    \"result\": nothing,\n  }},\n}}\n{good}"),
                1,
            ),
            (format!("{good}\n\"text\""), 2),
            (
                good.to_string().replace("result@1", "result@9") + &good.to_string(),
                1,
            ),
        ] {
            let written = read(&text);
            assert_eq!(written.entries.len(), 1, "{text}");
            assert_eq!(written.strangers.len(), 1, "{text}: {written:?}");
            assert_eq!(written.strangers[0].0, line, "{text}: {written:?}");
        }
    }

    #[test]
    fn other_lines_are_paths() {
        let text = format!("results/\n {} \nno result", result("a"));
        let written = read(&text);
        assert_eq!(written.words, [(1, "results/"), (3, "no result")]);
        assert_eq!(written.entries.len(), 1);
    }

    proptest! {
        #[test]
        fn no_text_is_too_odd(text in any::<String>(), odd in "[\\[\\]{}\",:a#\n ]{0,60}") {
            for text in [text, odd] {
                let written = read(&text);
                assert!(written.entries.is_empty());
                assert!(written.words.iter().all(|(line, word)| *line <= text.matches('\n').count() + 1 && !word.is_empty()));
            }
        }
    }
}
