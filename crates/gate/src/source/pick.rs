//! Which number of a JSON document is asked for: a pointer (RFC 6901, starts with `/`), an expression of jq, or nothing
//! where the document is the number.

use std::cell::RefCell;
use std::collections::HashMap;

use serde_json::Value;

use crate::expect::quoted;
use crate::expression::Expression;
use crate::source::Reading;
use crate::trouble::Trouble;

/// A way to the number.
#[derive(Clone, Debug)]
pub enum Pick {
    /// Where it stands; empty for the whole document.
    Pointer(String),
    /// How it is made.
    Expression(Expression),
}

impl Pick {
    /// Reads a pointer or an expression.
    ///
    /// # Errors
    /// When it is an expression and none of jq.
    pub fn parse(written: &str) -> Result<Self, String> {
        let written = written.trim();
        if written.is_empty() || written.starts_with('/') {
            return Ok(Self::Pointer(written.to_owned()));
        }
        let expression = written.parse::<Expression>().map_err(|error| error.to_string())?;
        Ok(Self::Expression(expression))
    }

    /// The number in a document. What is not there, `null`, NaN and what was divided by zero are no data.
    ///
    /// # Errors
    /// When something else than a number stands there, or the expression fails.
    pub fn reading(&self, document: &Value) -> Result<Reading, Trouble> {
        match self {
            Self::Expression(expression) => {
                let number = expression.number(document)?;
                let hint = || Reading::nothing(format!("{} gives no number", quoted(expression.written())));
                Ok(number.map_or_else(hint, Reading::number))
            }
            Self::Pointer(pointer) => {
                let at = if pointer.is_empty() {
                    "the answer".to_owned()
                } else {
                    quoted(pointer)
                };
                match document.pointer(pointer) {
                    None => Ok(Reading::nothing(format!("the answer has no {at}"))),
                    Some(Value::Null) => Ok(Reading::nothing(format!("{at} is null"))),
                    Some(Value::Number(number)) => Ok(number
                        .as_f64()
                        .map_or_else(|| Reading::nothing(format!("{at} is no number")), Reading::number)),
                    Some(other) => {
                        let hint = if other.as_str().is_some_and(|text| text.parse::<f64>().is_ok()) {
                            "; an expression of jq can convert it by `tonumber`"
                        } else {
                            ""
                        };
                        Err(Trouble::passing(format!(
                            "{at} is {}, expected a number{hint}",
                            quoted(&other.to_string())
                        )))
                    }
                }
            }
        }
    }
}

/// The picks of a source's questions, each read once.
#[derive(Debug, Default)]
pub(crate) struct Picks(RefCell<HashMap<String, Result<Pick, String>>>);

impl Picks {
    /// The pick of a question's text.
    pub(crate) fn of(&self, written: &str) -> Result<Pick, String> {
        let mut known = self.0.borrow_mut();
        if !known.contains_key(written) {
            known.insert(written.to_owned(), Pick::parse(written));
        }
        known
            .get(written)
            .cloned()
            .unwrap_or_else(|| Pick::parse(written))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::source::Value as Answer;
    use serde_json::json;

    #[test]
    fn finds_the_number() {
        let document = json!({"a": {"b": [1, 2.5]}, "none": null, "text": "1.5", "word": "x\ny", "list": []});
        for (written, found) in [
            ("/a/b/1", Ok(Some(2.5))),
            (".a.b | add", Ok(Some(3.5))),
            ("/nope", Ok(None)),
            (".nope", Ok(None)),
            ("/none", Ok(None)),
            (".none", Ok(None)),
            (".list[]", Ok(None)),
            ("nan", Ok(None)),
            (".a.b[0] / 0", Ok(None)),
            (
                "/text",
                Err(
                    "`/text` is `\"1.5\"`, expected a number; an expression of jq can convert it by `tonumber`",
                ),
            ),
            (".text | tonumber", Ok(Some(1.5))),
            ("/word", Err("`/word` is `\"x\\ny\"`, expected a number")),
            ("", Err("the answer is `{\"a\":")),
            (".word.x", Err("fails: cannot index")),
        ] {
            match (Pick::parse(written).unwrap().reading(&document), found) {
                (Ok(reading), Ok(Some(number))) => {
                    assert_eq!(reading.value, Answer::Number(number), "{written}");
                }
                (Ok(reading), Ok(None)) => {
                    assert_eq!(reading.value, Answer::Nothing, "{written}");
                    assert_eq!(reading.notes.len(), 1);
                }
                (Err(trouble), Err(part)) => {
                    assert!(trouble.reason.contains(part) && !trouble.lasts(), "{trouble:?}");
                }
                (found, _) => panic!("{written}: {found:?}"),
            }
        }
        assert_eq!(
            Pick::parse("").unwrap().reading(&json!(7)).unwrap(),
            Reading::number(7.0)
        );
        assert!(Picks::default().of(".a |").unwrap_err().contains("expected term"));
    }
}
