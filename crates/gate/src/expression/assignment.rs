//! A single `=` in a condition. In jq it assigns, and what it gives is its whole input: never `true` by itself, and always
//! true beside an `and` or an `or`. So such a condition never holds, or can never fail, and `==` was meant. Pure.
//!
//! It is so in the arguments of filters too: `all(.checks[]; .status = "up")` is always true, because what an assignment gives
//! is neither `false` nor `null`. Not refused is the body of a `reduce` or `foreach`, which builds a value.
//! <https://jqlang.org/manual/#assignment>

use jaq_core::load::Lexer;
use jaq_core::load::lex::{StrPart, Tok, Token};

use super::language::place;

/// Where a condition assigns, in words: `column 9`.
pub(super) fn assignment(code: &str) -> Option<String> {
    let tokens = Lexer::new(code).lex().ok()?;
    place(code, first(&tokens)?)
}

fn first<'s>(tokens: &[Token<&'s str>]) -> Option<&'s str> {
    let before = std::iter::once(None).chain(tokens.iter().map(Some));
    let mut pairs = before.zip(tokens);
    pairs.find_map(|(before, Token(text, token))| match token {
        Tok::Sym if *text == "=" => Some(*text),
        // `reduce … as $x (…)`: what is built there is a value and no condition.
        Tok::Block(_) if matches!(before, Some(Token(_, Tok::Var))) => None,
        Tok::Block(inside) => first(inside),
        Tok::Str(parts) => parts.iter().find_map(|part| match part {
            StrPart::Term(term) => first(std::slice::from_ref(term)),
            _ => None,
        }),
        _ => None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::{any, proptest};

    #[test]
    fn an_assignment_is_found_where_it_decides() {
        for (code, found) in [
            (".status = \"ok\"", Some("column 9")),
            (".status=\"ok\"", Some("column 8")),
            (".a == 1 and .b = 2", Some("column 16")),
            ("(.a = 1) and true", Some("column 5")),
            (".ok or (.a = 1)", Some("column 12")),
            (".ok and\n  .a = 1", Some("line 2, column 6")),
            (".status == \"ok\"", None),
            (".n >= 1 and .n <= 2 and .n != 3", None),
            (".a |= 1 | .a == 1", None),
            (".status == \"a = b\"", None),
            ("[.items[] | select(.up)] | map(.n |= 1) | length == 2", None),
            ("all(.checks[]; .status = \"up\")", Some("column 24")),
            (".checks | any(.status = \"up\")", Some("column 23")),
            (
                "[.checks[] | select(.status = \"up\")] | length > 0",
                Some("column 29"),
            ),
            ("{a: (.b = 1)} == {}", Some("column 9")),
            ("\"\\(.a = 1)\" == \"x\"", Some("column 7")),
            ("reduce .[] as $x ({}; .[$x] = 1) | length == 2", None),
            ("{a: (1)} == {\"a\": 1} # a = b", None),
        ] {
            assert_eq!(assignment(code).as_deref(), found, "{code}");
        }
    }

    proptest! {
        #[test]
        fn no_text_panics(code in any::<String>()) {
            let _ = assignment(&code);
        }
    }
}
