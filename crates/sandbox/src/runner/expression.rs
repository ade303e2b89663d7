//! Finds `${{ … }}` in texts and conditions, and puts values in their place.
//!
//! A text that is one expression keeps the expression's type; otherwise every value becomes text.

use std::error::Error as _;

use github_actions_expressions::call::Function;
use github_actions_expressions::{Expr, SpannedExpr};
use serde_json::Value;

use super::evaluate::{EvaluateError, Scope, evaluate, text, truthy};
use super::report::Outcome;

/// Why a text with expressions has no value.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ExpressionError {
    #[error(
        "The expression is not closed. An unescaped ${{{{ sequence was found, but the closing }}}} was not found."
    )]
    Open,
    #[error("failed to parse `{source_text}`: {reason}")]
    Parse { source_text: String, reason: String },
    #[error("failed to evaluate `{source_text}`: {reason}")]
    Evaluate {
        source_text: String,
        reason: EvaluateError,
    },
}

/// The text with every expression replaced by its value.
pub(crate) fn interpolate(template: &str, scope: Scope<'_>) -> Result<String, ExpressionError> {
    Ok(text(&value(template, scope)?))
}

/// The value of a template: an expression's own value if it is nothing but that.
pub(crate) fn value(template: &str, scope: Scope<'_>) -> Result<Value, ExpressionError> {
    let pieces = pieces(template)?;
    if let [Piece::Expression(source)] = pieces[..] {
        return value_of(source, scope);
    }
    let mut out = String::with_capacity(template.len());
    for piece in pieces {
        match piece {
            Piece::Text(plain) => out.push_str(plain),
            Piece::Expression(source) => out.push_str(&text(&value_of(source, scope)?)),
        }
    }
    Ok(Value::String(out))
}

/// Whether a step with this `if:` runs. Without a status function in it, `success()` must hold too.
pub(crate) fn condition(source: Option<&str>, scope: Scope<'_>) -> Result<bool, ExpressionError> {
    let succeeded = scope.status.current == Outcome::Success;
    let Some(source) = source.map(str::trim).filter(|source| !source.is_empty()) else {
        return Ok(succeeded);
    };
    let bare = match pieces(source)?[..] {
        [Piece::Expression(inner)] => inner,
        [Piece::Text(plain)] => plain,
        // Text around `${{ }}` makes the whole a string, which is true unless empty: the well-known trap.
        _ => return Ok(succeeded && truthy(&value(source, scope)?)),
    };
    let parsed = parse(bare)?;
    Ok((succeeded || asks_status(&parsed)) && truthy(&evaluated(bare, &parsed, scope)?))
}

fn value_of(source: &str, scope: Scope<'_>) -> Result<Value, ExpressionError> {
    evaluated(source, &parse(source)?, scope)
}

fn evaluated(source: &str, parsed: &SpannedExpr<'_>, scope: Scope<'_>) -> Result<Value, ExpressionError> {
    evaluate(parsed, scope).map_err(|reason| ExpressionError::Evaluate {
        source_text: source.trim().to_owned(),
        reason,
    })
}

fn parse(source: &str) -> Result<SpannedExpr<'_>, ExpressionError> {
    Expr::parse(source).map_err(|error| {
        let cause = error
            .source()
            .map(|cause| format!(": {cause}"))
            .unwrap_or_default();
        ExpressionError::Parse {
            source_text: source.trim().to_owned(),
            reason: format!("{error}{cause}"),
        }
    })
}

fn asks_status(expression: &SpannedExpr<'_>) -> bool {
    match &expression.inner {
        Expr::Call(call) => {
            let status = [
                Function::Success,
                Function::Failure,
                Function::Always,
                Function::Cancelled,
            ];
            status.contains(&call.func) || call.args.iter().any(asks_status)
        }
        Expr::Context(context) => context.parts.iter().any(asks_status),
        Expr::Index(inner) => asks_status(inner),
        Expr::BinExpr(binary) => asks_status(&binary.lhs) || asks_status(&binary.rhs),
        Expr::UnExpr { expr, .. } => asks_status(expr),
        Expr::Literal(_) | Expr::Star | Expr::Identifier(_) => false,
    }
}

#[derive(Debug, PartialEq)]
enum Piece<'a> {
    Text(&'a str),
    Expression(&'a str),
}

fn pieces(template: &str) -> Result<Vec<Piece<'_>>, ExpressionError> {
    let mut pieces = Vec::new();
    let mut rest = template;
    while let Some(start) = rest.find("${{") {
        if start > 0 {
            pieces.push(Piece::Text(&rest[..start]));
        }
        let inner = &rest[start + 3..];
        let end = closing(inner).ok_or(ExpressionError::Open)?;
        pieces.push(Piece::Expression(&inner[..end]));
        rest = &inner[end + 2..];
    }
    if !rest.is_empty() {
        pieces.push(Piece::Text(rest));
    }
    Ok(pieces)
}

/// Where the `}}` is that is not inside a quoted string; a doubled quote closes and opens again.
fn closing(inner: &str) -> Option<usize> {
    let mut quoted = false;
    inner.char_indices().find_map(|(at, char)| {
        if char == '\'' {
            quoted = !quoted;
        }
        (!quoted && inner[at..].starts_with("}}")).then_some(at)
    })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::{Map, json};

    use super::*;
    use crate::runner::evaluate::Status;

    fn contexts() -> Map<String, Value> {
        let value = json!({
            "github": {"sha": "abc", "Ref_Name": "v1", "event": {"commits": [{"id": "a"}, {"id": "b"}, {"x": 1}]}},
            "env": {"PORT": "8080", "port": "9"},
            "steps": {"one": {"outputs": {"tag": "v1.2"}, "outcome": "failure"}},
            "inputs": {"flag": "true", "empty": ""},
        });
        value.as_object().unwrap().clone()
    }

    fn scope(contexts: &Map<String, Value>, current: Outcome) -> Scope<'_> {
        let job = if current == Outcome::Cancelled {
            current
        } else {
            Outcome::Success
        };
        Scope {
            contexts,
            status: Status { current, job },
        }
    }

    #[test]
    fn texts() {
        let contexts = contexts();
        let table = [
            ("plain", "plain"),
            ("", ""),
            ("${{ github.SHA }}", "abc"),
            ("${{ github.ref_name }}", "v1"),
            ("a ${{ github['sha'] }} b ${{ 1 + '' }}", "error"),
            ("${{ env.PORT }}-${{ env.port }}-${{ env.Port }}", "8080-9-"),
            ("${{ steps.one.outputs.tag }}", "v1.2"),
            ("${{ steps.none.outputs.tag }}", ""),
            ("${{ '}}' }}", "}}"),
            ("${{ 'it''s }}' }}", "it's }}"),
            ("${{ github.event.commits.*.id }}", "Array"),
            ("${{ join(github.event.commits.*.id, '+') }}", "a+b"),
            ("${{ join(github.event.commits[*].id) }}", "a,b"),
            ("${{ github.event.commits[1].id }}", "b"),
            ("${{ github.event.commits[9].id }}", ""),
            ("${{ format('{{{0}}} {1}', 'x', 2) }}", "{x} 2"),
            ("${{ format('{1}', 'x') }}", "error"),
            ("${{ format('{', 'x') }}", "error"),
            ("${{ fromJSON('{\"a\":[1,2]}').a[1] }}", "2"),
            ("${{ fromJSON('nope') }}", "error"),
            (
                "${{ toJSON(fromJSON('{\"b\":1,\"a\":[]}')) }}",
                "{\n  \"b\": 1,\n  \"a\": []\n}",
            ),
            ("${{ 'A' == 'a' }}", "true"),
            ("${{ '1' == 1 }}", "true"),
            ("${{ '' == 0 }}", "true"),
            ("${{ null == 0 }}", "true"),
            ("${{ 'x' == 0 }}", "false"),
            ("${{ 2 > '10' }}", "false"),
            ("${{ '0x10' >= 16 }}", "true"),
            ("${{ github.sha && 'yes' || 'no' }}", "yes"),
            ("${{ inputs.empty && 'yes' || 'no' }}", "no"),
            ("${{ contains('Hello', 'ELL') }}", "true"),
            ("${{ contains(fromJSON('[1,2]'), '2') }}", "true"),
            ("${{ startsWith('Abc', 'aB') && endsWith('abC', 'bc') }}", "true"),
            ("${{ case(false, 1, true, 2, 3) }}", "2"),
            ("${{ case(false, 1, false, 2, 3) }}", "3"),
            ("${{ secrets.TOKEN }}", "error"),
            ("${{ hashFiles('x') }}", "error"),
            ("${{ github.sha", "error"),
            ("${{ nope( }}", "error"),
            ("${{ 1.50 }}", "1.5"),
        ];
        for (template, expected) in table {
            let got = interpolate(template, scope(&contexts, Outcome::Success));
            assert_eq!(got.unwrap_or_else(|_| "error".to_owned()), expected, "{template}");
        }
    }

    #[test]
    fn conditions() {
        use Outcome::{Cancelled, Failure, Success};
        let contexts = contexts();
        let table = [
            (None, Success, true),
            (None, Failure, false),
            (None, Cancelled, false),
            (Some("always()"), Cancelled, true),
            (Some("${{ always() }}"), Failure, true),
            (Some("failure()"), Failure, true),
            (Some("failure()"), Cancelled, false),
            (Some("failure()"), Success, false),
            (Some("cancelled()"), Cancelled, true),
            (Some("cancelled() || failure()"), Cancelled, true),
            (Some("cancelled() || failure()"), Success, false),
            (Some("!cancelled()"), Failure, true),
            (Some("!cancelled()"), Cancelled, false),
            (Some("true"), Failure, false),
            (Some("inputs.flag == 'true'"), Success, true),
            (Some("inputs.flag"), Success, true),
            (Some("inputs.empty"), Success, false),
            (Some("${{ false }} && true"), Success, true),
            (
                Some("contains(steps.*.outcome, 'failure') && always()"),
                Failure,
                true,
            ),
        ];
        for (source, status, expected) in table {
            assert_eq!(
                condition(source, scope(&contexts, status)).unwrap(),
                expected,
                "{source:?} {status}"
            );
        }
    }

    /// Expressions without contexts, as text.
    fn constants() -> impl Strategy<Value = String> {
        let leaf = prop_oneof![
            Just("true".to_owned()),
            Just("false".to_owned()),
            Just("null".to_owned()),
            (-20i32..20).prop_map(|number| number.to_string()),
            "[a-cA-C0-9 ]{0,3}".prop_map(|text| format!("'{text}'")),
        ];
        leaf.prop_recursive(4, 24, 2, |inner| {
            let operator = prop_oneof!["==", "!=", "<", "<=", ">", ">=", "&&", r"\|\|"];
            let function = prop_oneof!["contains", "startsWith", "endsWith", "join"];
            let (a, b) = (inner.clone(), inner.clone());
            prop_oneof![
                (a, operator, b).prop_map(|(a, operator, b)| format!("({a} {operator} {b})")),
                (inner.clone(), function, inner.clone()).prop_map(|(a, name, b)| format!("{name}({a}, {b})")),
                (inner.clone(), inner.clone()).prop_map(|(a, b)| format!("format('{{0}}-{{1}}', {a}, {b})")),
                inner.prop_map(|inner| format!("!{inner}")),
            ]
        })
    }

    proptest! {
        #[test]
        fn text_without_expressions_is_kept(text in "[^$]*") {
            let contexts = contexts();
            prop_assert_eq!(interpolate(&text, scope(&contexts, Outcome::Success)).unwrap(), text);
        }

        #[test]
        fn a_quoted_string_comes_back(text in "[^\\x00]*", before in "[^$]{0,5}") {
            let contexts = contexts();
            let template = format!("{before}${{{{ '{}' }}}}", text.replace('\'', "''"));
            prop_assert_eq!(interpolate(&template, scope(&contexts, Outcome::Success)).unwrap(), format!("{before}{text}"));
        }

        /// The judge is the constant evaluation of `github-actions-expressions`, which ours does not use.
        #[test]
        fn constants_have_the_value_that_others_give_them(source in constants()) {
            let none = Map::new();
            let parsed = Expr::parse(&source).unwrap();
            let theirs: Value = parsed.consteval().unwrap().try_into().unwrap();
            prop_assert_eq!(evaluate(&parsed, scope(&none, Outcome::Success)).unwrap(), theirs, "{}", source);
        }

        #[test]
        fn nothing_panics(text in ".*", inner in "[a-z.()\\[\\]*'&|=!<>{}, 0-9]*") {
            let contexts = contexts();
            let _ = interpolate(&text, scope(&contexts, Outcome::Success));
            let _ = interpolate(&format!("${{{{ {inner} }}}}"), scope(&contexts, Outcome::Success));
            let _ = condition(Some(&inner), scope(&contexts, Outcome::Success));
        }
    }
}
