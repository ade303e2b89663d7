//! A single `=` in a condition. In jq it assigns, and what it gives is its whole input: never `true` by itself, and always
//! true beside an `and` or an `or`. So such a condition never holds, or can never fail, and `==` was meant. Pure.
//!
//! Not refused is an assignment where a condition may have a use for it: in the arguments of a filter
//! (`map(.seen = 1)`) and in the body of a `reduce` or `foreach`. <https://jqlang.org/manual/#assignment>

use jaq_core::load::Lexer;
use jaq_core::load::lex::{Tok, Token};

use super::language::place;

/// The words after which a parenthesis groups and is no argument.
const KEYWORDS: [&str; 8] = ["and", "or", "if", "then", "elif", "else", "try", "catch"];

/// Where a condition assigns at its own level, in words: `column 9`.
pub(super) fn assignment(code: &str) -> Option<String> {
    let tokens = Lexer::new(code).lex().ok()?;
    place(code, first(&tokens)?)
}

fn first<'s>(tokens: &[Token<&'s str>]) -> Option<&'s str> {
    let before = std::iter::once(None).chain(tokens.iter().map(Some));
    let mut pairs = before.zip(tokens);
    pairs.find_map(|(before, Token(text, token))| match token {
        Tok::Sym if *text == "=" => Some(*text),
        Tok::Block(inside) if text.starts_with('(') && groups(before) => first(inside),
        _ => None,
    })
}

/// Whether a parenthesis behind this token only groups.
fn groups(before: Option<&Token<&str>>) -> bool {
    match before {
        Some(Token(word, Tok::Word)) => KEYWORDS.contains(word),
        Some(Token(_, Tok::Var)) => false,
        _ => true,
    }
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
            ("[.items[] | select(.up)] | map(.n = 1) | length == 2", None),
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
