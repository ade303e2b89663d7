//! [Metric math](https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/using-metric-math.html), a part of it: numbers,
//! ids, `+ - * /`, brackets, and `FILL(id, number)`.
//!
//! A point of an operation is where both sides have one; a division by zero has none.

use super::query::Points;

/// Brackets in brackets.
const DEEPEST: usize = 32;

#[derive(Clone, Debug)]
enum Term {
    Number(f64),
    Series(Points),
}

/// The points of an expression over those of others.
///
/// What is wrong with it is the error.
pub(super) fn evaluate(expression: &str, known: &[(&str, &Points)]) -> Result<Points, String> {
    let mut reader = Reader {
        rest: expression,
        known,
        depth: 0,
    };
    let term = reader.sum()?;
    match (term, reader.rest.trim()) {
        (Term::Series(points), "") => Ok(points),
        (Term::Number(_), "") => Err("it is no time series".to_owned()),
        (_, rest) => Err(format!("the stand-in does not read `{rest}`")),
    }
}

struct Reader<'a> {
    rest: &'a str,
    known: &'a [(&'a str, &'a Points)],
    depth: usize,
}

impl<'a> Reader<'a> {
    fn sum(&mut self) -> Result<Term, String> {
        let mut left = self.product()?;
        loop {
            left = if self.eats('+') {
                apply(left, self.product()?, |one, other| one + other)
            } else if self.eats('-') {
                apply(left, self.product()?, |one, other| one - other)
            } else {
                return Ok(left);
            };
        }
    }

    fn product(&mut self) -> Result<Term, String> {
        let mut left = self.term()?;
        loop {
            left = if self.eats('*') {
                apply(left, self.term()?, |one, other| one * other)
            } else if self.eats('/') {
                apply(left, self.term()?, |one, other| one / other)
            } else {
                return Ok(left);
            };
        }
    }

    fn term(&mut self) -> Result<Term, String> {
        self.depth += 1;
        if self.depth > DEEPEST {
            return Err("it is too deep".to_owned());
        }
        let term = self.bracket_or_word();
        self.depth -= 1;
        term
    }

    fn bracket_or_word(&mut self) -> Result<Term, String> {
        if self.eats('(') {
            let inner = self.sum()?;
            return self.closed(inner);
        }
        let word = self.word();
        if word == "FILL" && self.eats('(') {
            let series = self.sum()?;
            let value = match self.eats(',').then(|| self.sum()).transpose()? {
                Some(Term::Number(value)) => value,
                _ => return Err("FILL takes a number".to_owned()),
            };
            let filled = self.fill(series, value);
            return self.closed(filled);
        }
        if let Ok(number) = word.parse() {
            return Ok(Term::Number(number));
        }
        let found = self.known.iter().find(|(id, _)| *id == word);
        found
            .map(|(_, points)| Term::Series((*points).clone()))
            .ok_or_else(|| format!("the stand-in does not know `{word}`"))
    }

    fn closed(&mut self, term: Term) -> Result<Term, String> {
        if self.eats(')') {
            Ok(term)
        } else {
            Err("a bracket is open".to_owned())
        }
    }

    /// Gives a series a value wherever any other has one.
    fn fill(&self, term: Term, value: f64) -> Term {
        let Term::Series(mut points) = term else {
            return term;
        };
        for (at, _) in self.known.iter().flat_map(|(_, points)| points.iter()) {
            if !points.iter().any(|(known, _)| known == at) {
                points.push((*at, value));
            }
        }
        Term::Series(points)
    }

    fn eats(&mut self, character: char) -> bool {
        let rest = self.rest.trim_start().strip_prefix(character);
        self.rest = rest.unwrap_or(self.rest);
        rest.is_some()
    }

    fn word(&mut self) -> &'a str {
        let rest = self.rest.trim_start();
        let end = rest
            .find(|character: char| {
                !(character.is_ascii_alphanumeric() || character == '_' || character == '.')
            })
            .unwrap_or(rest.len());
        let (word, rest) = rest.split_at(end);
        self.rest = rest;
        word
    }
}

fn apply(left: Term, right: Term, operation: impl Fn(f64, f64) -> f64) -> Term {
    let points: Points = match (left, right) {
        (Term::Number(one), Term::Number(other)) => return Term::Number(operation(one, other)),
        (Term::Series(points), Term::Number(other)) => points
            .into_iter()
            .map(|(at, value)| (at, operation(value, other)))
            .collect(),
        (Term::Number(one), Term::Series(points)) => points
            .into_iter()
            .map(|(at, value)| (at, operation(one, value)))
            .collect(),
        (Term::Series(left), Term::Series(right)) => left
            .into_iter()
            .filter_map(|(at, value)| {
                let (_, other) = right.iter().find(|(known, _)| *known == at)?;
                Some((at, operation(value, *other)))
            })
            .collect(),
    };
    Term::Series(
        points
            .into_iter()
            .filter(|(_, value)| value.is_finite())
            .collect(),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn operations_are_of_points_that_both_sides_have() {
        let (errors, requests) = (vec![(60.0, 3.0)], vec![(0.0, 50.0), (60.0, 100.0), (120.0, 0.0)]);
        let known = [("e", &errors), ("r", &requests)];
        for (expression, expected) in [
            ("e / r * 100", vec![(60.0, 3.0)]),
            ("100*(e/r)", vec![(60.0, 3.0)]),
            ("r - 2 * 10", vec![(0.0, 30.0), (60.0, 80.0), (120.0, -20.0)]),
            ("FILL(e, 0) / r", vec![(60.0, 0.03), (0.0, 0.0)]),
        ] {
            assert_eq!(evaluate(expression, &known), Ok(expected), "{expression}");
        }
        for wrong in [
            "",
            "e +",
            "e)",
            "(e",
            "m1",
            "1 + 1",
            "SUM([e])",
            "FILL(e)",
            &"(".repeat(100),
        ] {
            assert!(evaluate(wrong, &known).is_err(), "{wrong}");
        }
    }
}
