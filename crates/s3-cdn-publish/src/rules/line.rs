//! Rules as lines of an input: `assets/** = public, max-age=600`. One line, one pattern, what `Cache-Control` it gets.

use gha::text;

use super::{Pattern, Place, Rule, pattern, value};

/// How many lines there may be.
const MOST: usize = 500;

/// A line that is no rule.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("line {line}: {reason}")]
pub struct LineError {
    /// Its number, from 1.
    pub line: usize,
    /// What is wrong.
    pub reason: String,
}

/// The rules of lines.
pub(super) fn read(lines: &[String]) -> Result<Vec<Rule>, LineError> {
    if lines.len() > MOST {
        let reason = format!("there are {} rules, and may be {MOST}", lines.len());
        return Err(LineError { line: MOST, reason });
    }
    let numbered = lines.iter().enumerate();
    numbered
        .map(|(index, written)| {
            let line = index + 1;
            rule(written, line).map_err(|reason| LineError { line, reason })
        })
        .collect()
}

fn rule(written: &str, line: usize) -> Result<Rule, String> {
    let Some((glob, value)) = written.split_once('=') else {
        let shown = text::cut(&text::visible(written), 80);
        return Err(format!("`{shown}` has no `=`; write `pattern = cache-control`"));
    };
    let at = Place {
        line: u64::try_from(line).unwrap_or(u64::MAX),
        column: 1,
    };
    Ok(Rule {
        patterns: vec![Pattern {
            at,
            glob: pattern::read(glob.trim())?,
        }],
        cache_control: Some(value::cache_control(value.trim())?),
        ..Rule::default()
    })
}
