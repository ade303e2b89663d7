//! Evaluates a parsed expression over contexts, with the rules of
//! <https://docs.github.com/en/actions/reference/workflows-and-actions/expressions>.
//!
//! Comparison, truth and the text form of a value are those of `github-actions-expressions`; walking contexts and
//! calling functions is here. Pure: contexts and status come as values.

use github_actions_expressions::context::Context;
use github_actions_expressions::literal::Literal;
use github_actions_expressions::op::{BinExpr, BinOp};
use github_actions_expressions::{Evaluation, Expr, SpannedExpr};
use serde_json::{Map, Value};

use super::functions;
use super::report::Outcome;

/// The only context whose names are compared with their case on Linux.
const CASE_SENSITIVE: &str = "env";

/// What the status functions answer from.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Status {
    /// The job's status, or the action's for a step inside a composite action: `success()` and `failure()`.
    pub(crate) current: Outcome,
    /// The job's status: `cancelled()`.
    pub(crate) job: Outcome,
}

/// What an expression can see.
#[derive(Clone, Copy)]
pub(crate) struct Scope<'a> {
    /// Top-level names (`github`, `env`, …); a name that is not here is an error, as in GitHub's parser.
    pub(crate) contexts: &'a Map<String, Value>,
    pub(crate) status: Status,
}

/// Why an expression has no value.
#[derive(Debug, PartialEq, thiserror::Error)]
pub(crate) enum EvaluateError {
    #[error("Unrecognized named-value: '{0}'")]
    UnknownContext(String),
    #[error("Error parsing fromJson: {0}")]
    FromJson(String),
    #[error("The following format string is invalid: {0}")]
    Format(String),
    #[error("The expression is too large a number to be JSON")]
    Number,
    #[error("the function hashFiles is not part of the fake runner")]
    HashFiles,
}

/// The value of `expression`.
pub(crate) fn evaluate(expression: &SpannedExpr<'_>, scope: Scope<'_>) -> Result<Value, EvaluateError> {
    match &expression.inner {
        Expr::Literal(Literal::Number(number)) => from_evaluation(Evaluation::Number(*number)),
        Expr::Literal(Literal::String(text)) => Ok(Value::from(text.as_ref())),
        Expr::Literal(Literal::Boolean(truth)) => Ok(Value::from(*truth)),
        Expr::Literal(Literal::Null) | Expr::Star => Ok(Value::Null),
        Expr::Identifier(name) => named(name.as_str(), scope).cloned(),
        Expr::Index(inner) => evaluate(inner, scope),
        Expr::Context(context) => walk(context, scope),
        Expr::Call(call) => functions::call(call, scope),
        Expr::UnExpr { expr, .. } => Ok(Value::Bool(!truthy(&evaluate(expr, scope)?))),
        Expr::BinExpr(binary) => combine(binary, scope),
    }
}

/// Whether an `if:` with this value holds.
pub(crate) fn truthy(value: &Value) -> bool {
    to_evaluation(value).as_boolean()
}

/// The text a value becomes inside a string.
pub(crate) fn text(value: &Value) -> String {
    to_evaluation(value).sema().to_string()
}

/// GitHub's loose equality: numbers for mixed types, text without case.
pub(crate) fn loosely_equal(left: &Value, right: &Value) -> bool {
    to_evaluation(left).sema() == to_evaluation(right).sema()
}

/// Only text, numbers, booleans and null become text in functions such as `contains`.
pub(crate) fn is_primitive(value: &Value) -> bool {
    !value.is_array() && !value.is_object()
}

fn combine(binary: &BinExpr<'_>, scope: Scope<'_>) -> Result<Value, EvaluateError> {
    let left = evaluate(&binary.lhs, scope)?;
    match binary.op {
        BinOp::And if !truthy(&left) => return Ok(left),
        BinOp::Or if truthy(&left) => return Ok(left),
        BinOp::And | BinOp::Or => return evaluate(&binary.rhs, scope),
        _ => {}
    }
    let right = evaluate(&binary.rhs, scope)?;
    let (a, b) = (to_evaluation(&left), to_evaluation(&right));
    Ok(Value::Bool(match binary.op {
        BinOp::Eq => a.sema() == b.sema(),
        BinOp::Neq => a.sema() != b.sema(),
        BinOp::Gt => a.sema() > b.sema(),
        BinOp::Ge => a.sema() >= b.sema(),
        BinOp::Lt => a.sema() < b.sema(),
        BinOp::Le => a.sema() <= b.sema(),
        BinOp::And | BinOp::Or => truthy(&left) && truthy(&right),
    }))
}

/// A value, or the several values behind a `.*`.
enum Cursor {
    One(Value),
    Many(Vec<Value>),
}

fn walk(context: &Context<'_>, scope: Scope<'_>) -> Result<Value, EvaluateError> {
    let Some((first, rest)) = context.parts.split_first() else {
        return Ok(Value::Null);
    };
    let exact =
        matches!(&first.inner, Expr::Identifier(name) if name.as_str().eq_ignore_ascii_case(CASE_SENSITIVE));
    let mut cursor = Cursor::One(evaluate(first, scope)?);
    for part in rest {
        cursor = match (&part.inner, cursor) {
            (Expr::Star, from) => spread(from),
            (Expr::Index(inner), from) if matches!(inner.inner, Expr::Star) => spread(from),
            (Expr::Identifier(name), from) => descend(from, &Value::from(name.as_str()), exact),
            (_, from) => descend(from, &evaluate(part, scope)?, exact),
        };
    }
    Ok(match cursor {
        Cursor::One(value) => value,
        Cursor::Many(values) => Value::Array(values),
    })
}

fn named<'a>(name: &str, scope: Scope<'a>) -> Result<&'a Value, EvaluateError> {
    let found = scope
        .contexts
        .iter()
        .find(|(key, _)| key.eq_ignore_ascii_case(name));
    found
        .map(|(_, value)| value)
        .ok_or_else(|| EvaluateError::UnknownContext(name.to_owned()))
}

fn spread(from: Cursor) -> Cursor {
    let children = |value: Value| match value {
        Value::Array(items) => items,
        Value::Object(entries) => entries.into_iter().map(|(_, value)| value).collect(),
        _ => Vec::new(),
    };
    Cursor::Many(match from {
        Cursor::One(value) => children(value),
        Cursor::Many(values) => values.into_iter().flat_map(children).collect(),
    })
}

fn descend(from: Cursor, key: &Value, exact: bool) -> Cursor {
    match from {
        Cursor::One(value) => Cursor::One(child(&value, key, exact).cloned().unwrap_or(Value::Null)),
        Cursor::Many(values) => Cursor::Many(
            values
                .iter()
                .filter_map(|value| child(value, key, exact).cloned())
                .collect(),
        ),
    }
}

fn child<'a>(value: &'a Value, key: &Value, exact: bool) -> Option<&'a Value> {
    match value {
        Value::Object(entries) => {
            let name = text(key);
            let loose = || {
                entries
                    .iter()
                    .find(|(key, _)| key.eq_ignore_ascii_case(&name))
                    .map(|(_, v)| v)
            };
            entries.get(&name).or_else(|| if exact { None } else { loose() })
        }
        Value::Array(items) => {
            let index = to_evaluation(key).as_number();
            (index >= 0.0).then(|| items.get(index as usize)).flatten()
        }
        _ => None,
    }
}

fn to_evaluation(value: &Value) -> Evaluation {
    // Every JSON number of serde_json has an f64, so the conversion of foreign JSON cannot fail.
    Evaluation::try_from(value.clone()).unwrap_or(Evaluation::Null)
}

fn from_evaluation(evaluation: Evaluation) -> Result<Value, EvaluateError> {
    evaluation.try_into().map_err(|()| EvaluateError::Number)
}
