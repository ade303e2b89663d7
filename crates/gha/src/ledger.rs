//! The ledger: one JSON line per run of a tool, the same object as the output `result`.
//!
//! It is what makes one `notify` step enough: whatever ran before left its verdict here. Between jobs the objects
//! travel by the `result` outputs.

use std::path::PathBuf;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::accounts;
use crate::env::Env;
use crate::outcome::{Link, Outcome, Status};
use crate::text;

/// The fact of a deploy that failed and was brought back: the milliseconds from the failure until what served before served again.
pub const WAY_BACK: &str = "way-back-ms";

/// The schema that this version writes.
pub const SCHEMA: &str = "deploy-actions/result@1";

/// The result object.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Entry {
    /// [`SCHEMA`].
    pub schema: String,
    /// The program.
    pub tool: String,
    /// Its version.
    pub version: String,
    /// The state in which it left its target.
    pub status: Status,
    /// Its exit code.
    pub exit: u8,
    /// When it started, RFC 3339 in UTC.
    pub started_at: jiff::Timestamp,
    /// How long it ran.
    pub duration_ms: u64,
    /// One line for a person. Foreign text when it is read back.
    pub headline: String,
    /// The facts behind it.
    #[serde(default)]
    pub facts: Map<String, Value>,
    /// Places to look at next.
    #[serde(default)]
    pub links: Vec<Link>,
    /// The command line that undoes it, if there is something to undo.
    #[serde(default)]
    pub undo: Option<String>,
    /// The run's trace id, 32 hexadecimal digits.
    pub trace_id: String,
    /// What was acted on.
    #[serde(default)]
    pub target: Option<String>,
    /// The deployment environment.
    #[serde(default)]
    pub environment: Option<String>,
}

/// What the edge knows about a run, beside its outcome.
#[derive(Clone, Debug)]
pub struct Run<'a> {
    /// The program.
    pub tool: &'a str,
    /// Its version.
    pub version: &'a str,
    /// Its exit code.
    pub exit: u8,
    /// When it started.
    pub started_at: jiff::Timestamp,
    /// How long it ran.
    pub duration: std::time::Duration,
    /// The run's trace id.
    pub trace_id: String,
}

/// The result object of a run, without account numbers.
#[must_use]
pub fn entry(run: &Run<'_>, outcome: &Outcome) -> Entry {
    let clean = |text: &String| accounts::without(text);
    Entry {
        schema: SCHEMA.to_owned(),
        tool: run.tool.to_owned(),
        version: run.version.to_owned(),
        status: outcome.status,
        exit: run.exit,
        started_at: run
            .started_at
            .round(jiff::Unit::Millisecond)
            .unwrap_or(run.started_at),
        duration_ms: u64::try_from(run.duration.as_millis()).unwrap_or(u64::MAX),
        headline: text::cut(&text::visible(&clean(&outcome.headline)), 1000),
        facts: outcome
            .facts
            .iter()
            .map(|(name, value)| (name.clone(), clean_value(value)))
            .collect(),
        links: outcome
            .links
            .iter()
            .map(|link| Link {
                text: clean(&link.text),
                url: clean(&link.url),
            })
            .collect(),
        undo: outcome.undo.as_ref().map(clean),
        trace_id: run.trace_id.clone(),
        target: outcome.target.as_ref().map(clean),
        environment: outcome.environment.clone(),
    }
}

/// A JSON value without account numbers.
fn clean_value(value: &Value) -> Value {
    match value {
        Value::String(text) => Value::String(accounts::without(text)),
        Value::Array(items) => items.iter().map(clean_value).collect(),
        Value::Object(fields) => Value::Object(
            fields
                .iter()
                .map(|(key, item)| (key.clone(), clean_value(item)))
                .collect(),
        ),
        other => other.clone(),
    }
}

/// Where the ledger is: `DEPLOY_LEDGER`, else under the runner's temporary folder, else (on a laptop) nowhere.
#[must_use]
pub fn path(env: &Env) -> Option<PathBuf> {
    env.get("DEPLOY_LEDGER").map(PathBuf::from).or_else(|| {
        env.get("RUNNER_TEMP")
            .map(|temp| PathBuf::from(temp).join("deploy-actions").join("ledger.jsonl"))
    })
}

/// Reads a ledger, one result object a line. Lines that are none are left out and named in the second list.
#[must_use]
pub fn read(lines: &str) -> (Vec<Entry>, Vec<String>) {
    let mut entries = Vec::new();
    let mut warnings = Vec::new();
    for (number, line) in lines
        .lines()
        .enumerate()
        .filter(|(_, line)| !line.trim().is_empty())
    {
        match entry_of(line) {
            Ok(entry) => entries.push(entry),
            Err(why) => warnings.push(format!("line {} {why}", number + 1)),
        }
    }
    (entries, warnings)
}

/// Reads one result object.
///
/// # Errors
/// Why it is none, as a sentence goes on.
pub fn entry_of(json: &str) -> Result<Entry, String> {
    match serde_json::from_str::<Entry>(json) {
        Ok(entry) if entry.schema == SCHEMA => Ok(entry),
        Ok(entry) => Err(format!(
            "has the unknown schema `{}`",
            text::visible(&entry.schema)
        )),
        Err(error) => Err(no_result(error)),
    }
}

/// That something is no result object, as a sentence goes on.
#[must_use]
pub fn no_result(why: impl std::fmt::Display) -> String {
    format!("is not a result object ({why})")
}

/// The last entry of each tool and target, in the order in which they ended: a re-run's verdict replaces the
/// earlier one.
#[must_use]
pub fn verdicts(entries: Vec<Entry>) -> Vec<Entry> {
    let mut last: Vec<Entry> = Vec::new();
    for entry in entries {
        last.retain(|known| (&known.tool, &known.target) != (&entry.tool, &entry.target));
        last.push(entry);
    }
    last
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::{any, proptest};
    use std::time::Duration;

    fn made(tool: &str, target: &str, status: Status) -> Entry {
        let run = Run {
            tool,
            version: "1.2.3",
            exit: 0,
            started_at: "2026-11-22T04:45:38Z".parse().unwrap(),
            duration: Duration::from_millis(1500),
            trace_id: "ab".repeat(16),
        };
        let outcome = Outcome::new(status, "pushed 123456789012.dkr.ecr.eu-west-1.amazonaws.com/a")
            .fact("tags", vec!["123456789012.dkr.ecr.eu-west-1.amazonaws.com/a:1"])
            .target(target);
        entry(&run, &outcome)
    }

    #[test]
    fn a_line_has_the_documented_shape() {
        assert_eq!(
            serde_json::to_string(&made("image-tag", "a", Status::Done)).unwrap(),
            "{\"schema\":\"deploy-actions/result@1\",\"tool\":\"image-tag\",\"version\":\"1.2.3\",\"status\":\"done\",\
             \"exit\":0,\"started_at\":\"2026-11-22T04:45:38Z\",\"duration_ms\":1500,\
             \"headline\":\"pushed <account>.dkr.ecr.eu-west-1.amazonaws.com/a\",\
             \"facts\":{\"tags\":[\"<account>.dkr.ecr.eu-west-1.amazonaws.com/a:1\"]},\"links\":[],\"undo\":null,\
             \"trace_id\":\"abababababababababababababababab\",\"target\":\"a\",\"environment\":null}"
        );
    }

    #[test]
    fn the_last_line_of_a_target_is_its_verdict() {
        let entries = vec![
            made("a", "x", Status::Failed),
            made("b", "x", Status::Done),
            made("a", "x", Status::Done),
        ];
        let verdicts: Vec<_> = verdicts(entries)
            .into_iter()
            .map(|entry| (entry.tool, entry.status))
            .collect();
        assert_eq!(
            verdicts,
            [("b".to_owned(), Status::Done), ("a".to_owned(), Status::Done)]
        );
    }

    #[test]
    fn rubbish_between_lines_is_named_and_left_out() {
        let good = serde_json::to_string(&made("a", "x", Status::Done)).unwrap();
        let newer = good.replace("result@1", "result@9");
        let (entries, warnings) = read(&format!("{good}\n{{\"half\":\n\n{newer}\n{good}\n"));
        assert_eq!(entries.len(), 2);
        assert_eq!(warnings.len(), 2);
        assert!(
            warnings[1].contains("line 4 has the unknown schema `deploy-actions/result@9`"),
            "{warnings:?}"
        );
    }

    #[test]
    fn on_a_laptop_there_is_none() {
        let path_of = |pairs: &[(&str, &str)]| path(&pairs.iter().copied().collect());
        assert_eq!(path_of(&[]), None);
        assert_eq!(
            path_of(&[("RUNNER_TEMP", "/t")]),
            Some("/t/deploy-actions/ledger.jsonl".into())
        );
        assert_eq!(
            path_of(&[("RUNNER_TEMP", "/t"), ("DEPLOY_LEDGER", "/l")]),
            Some("/l".into())
        );
    }

    proptest! {
        #[test]
        fn what_is_written_is_read_back(headline in any::<String>(), target in any::<String>()) {
            let mut entry = made("a", &target, Status::Inconclusive);
            entry.headline = headline;
            let (read, warnings) = read(&serde_json::to_string(&entry).unwrap());
            assert_eq!((read, warnings), (vec![entry], vec![]));
        }

        #[test]
        fn never_panics(text in any::<String>()) {
            let _ = read(&text);
        }
    }
}
