//! The functions of GitHub's expression language.
//!
//! Rules: <https://docs.github.com/en/actions/reference/workflows-and-actions/expressions#functions>.

use github_actions_expressions::call::{Call, Function};
use serde_json::Value;

use super::evaluate::{EvaluateError, Scope, evaluate, is_primitive, loosely_equal, text, truthy};
use super::report::Outcome;

pub(crate) fn call(call: &Call<'_>, scope: Scope<'_>) -> Result<Value, EvaluateError> {
    match call.func {
        Function::Success => return Ok(Value::Bool(scope.status.current == Outcome::Success)),
        Function::Failure => return Ok(Value::Bool(scope.status.current == Outcome::Failure)),
        Function::Cancelled => return Ok(Value::Bool(scope.status.job == Outcome::Cancelled)),
        Function::Always => return Ok(Value::Bool(true)),
        Function::HashFiles => return Err(EvaluateError::HashFiles),
        _ => {}
    }
    let args = call
        .args
        .iter()
        .map(|arg| evaluate(arg, scope))
        .collect::<Result<Vec<_>, _>>()?;
    let arg = |index: usize| args.get(index).unwrap_or(&Value::Null);
    Ok(match call.func {
        Function::Contains => Value::Bool(contains(arg(0), arg(1))),
        Function::StartsWith => Value::Bool(compare_ends(arg(0), arg(1), |text, end| text.starts_with(end))),
        Function::EndsWith => Value::Bool(compare_ends(arg(0), arg(1), |text, end| text.ends_with(end))),
        Function::Format => Value::String(format(&text(arg(0)), args.get(1..).unwrap_or_default())?),
        Function::Join => Value::String(join(arg(0), args.get(1))),
        Function::ToJSON => Value::String(format!("{:#}", arg(0))),
        Function::FromJSON => {
            serde_json::from_str(&text(arg(0))).map_err(|error| EvaluateError::FromJson(error.to_string()))?
        }
        _ => case(&args),
    })
}

fn contains(haystack: &Value, needle: &Value) -> bool {
    match haystack {
        Value::Array(items) => items.iter().any(|item| loosely_equal(item, needle)),
        _ => compare_ends(haystack, needle, |text, part| text.contains(part)),
    }
}

fn compare_ends(left: &Value, right: &Value, holds: impl Fn(&str, &str) -> bool) -> bool {
    is_primitive(left)
        && is_primitive(right)
        && holds(&text(left).to_uppercase(), &text(right).to_uppercase())
}

fn join(list: &Value, separator: Option<&Value>) -> String {
    let separator = separator
        .filter(|value| is_primitive(value))
        .map_or_else(|| ",".to_owned(), text);
    match list {
        Value::Array(items) => items.iter().map(text).collect::<Vec<_>>().join(&separator),
        other if is_primitive(other) => text(other),
        _ => String::new(),
    }
}

/// `case(condition, value, …, default)`.
fn case(args: &[Value]) -> Value {
    let chosen = args
        .chunks_exact(2)
        .find(|pair| truthy(&pair[0]))
        .map(|pair| &pair[1]);
    chosen.or_else(|| args.last()).cloned().unwrap_or_default()
}

/// `{0}` is an argument, `{{` and `}}` are braces; anything else in braces is an error.
fn format(pattern: &str, args: &[Value]) -> Result<String, EvaluateError> {
    let invalid = || EvaluateError::Format(pattern.to_owned());
    let mut out = String::new();
    let mut rest = pattern;
    while let Some(at) = rest.find(['{', '}']) {
        out.push_str(&rest[..at]);
        let tail = &rest[at..];
        if tail.starts_with("{{") || tail.starts_with("}}") {
            out.push_str(&tail[..1]);
            rest = &tail[2..];
        } else {
            let inner = tail.strip_prefix('{').ok_or_else(invalid)?;
            let (index, after) = inner.split_once('}').ok_or_else(invalid)?;
            let value = index
                .parse::<usize>()
                .ok()
                .and_then(|index| args.get(index))
                .ok_or_else(invalid)?;
            out.push_str(&text(value));
            rest = after;
        }
    }
    out.push_str(rest);
    Ok(out)
}
