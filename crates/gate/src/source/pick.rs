//! Which number of a JSON document is asked for: a pointer (RFC 6901, starts with `/`), an expression of jq, or nothing
//! where the document is the number.

use std::cell::RefCell;
use std::collections::HashMap;

use serde_json::Value;

use crate::expect::quoted;
use crate::expression::Expression;
use crate::source::{Query, Question, Reading};
use crate::trouble::{About, Trouble};

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
#[derive(Debug)]
pub(crate) struct Picks {
    /// What kind of source it is, for reasons.
    source: &'static str,
    known: RefCell<HashMap<String, Result<Pick, String>>>,
}

impl Picks {
    /// No picks yet, of such a source.
    pub(crate) fn of(source: &'static str) -> Self {
        Self {
            source,
            known: RefCell::default(),
        }
    }

    /// The pick that a question asks for.
    pub(crate) fn pick(&self, query: &Query) -> Result<Pick, String> {
        let Query::Text(written) = query else {
            let source = self.source;
            return Err(format!(
                "{source} takes a JSON pointer or an expression of jq, or nothing"
            ));
        };
        let mut known = self.known.borrow_mut();
        if let Some(pick) = known.get(written) {
            return pick.clone();
        }
        let pick = Pick::parse(written);
        known.insert(written.clone(), pick.clone());
        pick
    }

    /// Answers questions. What `asked` makes of a question is got once for all questions that make the same of it, one
    /// after another, and `read` finds the number of each question there.
    pub(crate) async fn answers<A: PartialEq, D>(
        &self,
        questions: &[Question],
        asked: impl Fn(&Question) -> A,
        get: impl AsyncFn(&A) -> Result<D, Trouble>,
        read: impl Fn(&D, &Pick) -> Result<Reading, Trouble>,
    ) -> Vec<Result<Reading, Trouble>> {
        let mut got: Vec<(A, Result<D, Trouble>)> = Vec::new();
        let mut answers = Vec::with_capacity(questions.len());
        for question in questions {
            let asked = asked(question);
            let index = match got.iter().position(|(known, _)| *known == asked) {
                Some(index) => index,
                None => {
                    let document = get(&asked).await;
                    got.push((asked, document));
                    got.len() - 1
                }
            };
            answers.push(match &got[index].1 {
                Err(trouble) => Err(trouble.clone()),
                Ok(document) => match self.pick(&question.query) {
                    Ok(pick) => read(document, &pick),
                    Err(reason) => Err(Trouble::question(reason).about(About::Expression)),
                },
            });
        }
        answers
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
    }

    #[test]
    fn questions_without_a_pick_are_refused() {
        let picks = Picks::of("a program");
        for _ in 0..2 {
            let refused = picks.pick(&Query::Text(".a |".to_owned())).unwrap_err();
            assert!(refused.contains("expected term"), "{refused}");
        }
        assert_eq!(
            picks.pick(&Query::Buckets("x".to_owned())).unwrap_err(),
            "a program takes a JSON pointer or an expression of jq, or nothing"
        );
    }
}
