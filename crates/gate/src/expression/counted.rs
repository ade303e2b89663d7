//! Makes a parsed program count what it does: whatever comes again and again is a step, whatever makes a value pays for it.
//! Pure: terms to terms. What each of the filters put in does stands in `filters`.
//!
//! It is done to jq's own definitions too, which loop and build as well as the program does.

use jaq_core::load::lex::StrPart;
use jaq_core::load::parse::{BinaryOp, Def, Pattern, Term};
use jaq_core::ops::Math;
use jaq_core::path::{Part, Path};

/// The variable that holds what is added in `.a += 1`. No program can write it.
const OPERAND: &str = "$ operand";

type T<'s> = Term<&'s str>;

/// A definition that counts.
pub(super) fn definition(def: Def<&str>) -> Def<&str> {
    Def {
        body: term(def.body),
        ..def
    }
}

/// A term that counts.
pub(super) fn term(written: T<'_>) -> T<'_> {
    match written {
        Term::Id | Term::Num(_) | Term::Arr(None) | Term::Break(_) | Term::Var(_) => written,
        Term::Recurse => then(Term::Recurse, "step_"),
        Term::Str(format, parts) => text(format, parts),
        Term::Arr(Some(inside)) => then(Term::Arr(Some(Box::new(then(term(*inside), "step_")))), "made_"),
        Term::Obj(fields) => {
            let fields = fields.into_iter();
            let fields = fields.map(|(key, value)| (term(key), value.map(term)));
            then(Term::Obj(fields.collect()), "made_")
        }
        Term::Neg(inside) => Term::Neg(boxed(*inside)),
        Term::BinOp(left, op, right) => operation(*left, op, *right),
        Term::Label(name, inside) => Term::Label(name, boxed(*inside)),
        Term::Fold(kind, source, bound, terms) => Term::Fold(
            kind,
            boxed(*source),
            pattern(bound),
            terms.into_iter().map(term).collect(),
        ),
        Term::TryCatch(inside, caught) => {
            // The message of an error may hold a whole value.
            let caught = caught.map(|caught| Box::new(pipe(call("made_", []), term(*caught))));
            Term::TryCatch(boxed(*inside), caught)
        }
        Term::IfThenElse(branches, otherwise) => {
            let branches = branches.into_iter();
            let branches = branches.map(|(when, then)| (term(when), term(then)));
            Term::IfThenElse(branches.collect(), otherwise.map(|last| boxed(*last)))
        }
        Term::Def(definitions, inside) => {
            let definitions = definitions.into_iter().map(definition);
            Term::Def(definitions.collect(), boxed(*inside))
        }
        Term::Call(name, arguments) => Term::Call(name, arguments.into_iter().map(term).collect()),
        Term::Path(from, Path(parts)) => path(*from, parts),
    }
}

fn boxed(written: T<'_>) -> Box<T<'_>> {
    Box::new(term(written))
}

fn call<'s, const N: usize>(name: &'static str, arguments: [T<'s>; N]) -> T<'s> {
    Term::Call(name, arguments.into())
}

fn pipe<'s>(first: T<'s>, second: T<'s>) -> T<'s> {
    Term::BinOp(Box::new(first), BinaryOp::Pipe(None), Box::new(second))
}

fn then<'s>(first: T<'s>, filter: &'static str) -> T<'s> {
    pipe(first, call(filter, []))
}

/// An operator between two terms.
fn operation<'s>(left: T<'s>, op: BinaryOp<&'s str>, right: T<'s>) -> T<'s> {
    let whole = |op, left, right| Term::BinOp(Box::new(left), op, Box::new(right));
    let (left, right) = (term(left), term(right));
    match op {
        BinaryOp::Pipe(Some(bound)) => whole(BinaryOp::Pipe(Some(pattern(bound))), left, right),
        BinaryOp::Comma => then(whole(op, left, right), "step_"),
        BinaryOp::Math(op) => arithmetic(left, op, right),
        BinaryOp::Assign | BinaryOp::Update | BinaryOp::UpdateAlt => then(whole(op, left, right), "made_"),
        // As jq defines it: `r as $x | l |= . + $x`.
        BinaryOp::UpdateMath(op) => {
            let changed = arithmetic(Term::Id, op, Term::Var(OPERAND));
            let update = then(whole(BinaryOp::Update, left, changed), "made_");
            whole(BinaryOp::Pipe(Some(Pattern::Var(OPERAND))), right, update)
        }
        BinaryOp::Pipe(None) | BinaryOp::Alt | BinaryOp::Or | BinaryOp::And | BinaryOp::Cmp(_) => {
            whole(op, left, right)
        }
    }
}

/// What is no larger than what was there stays as it is.
fn arithmetic<'s>(left: T<'s>, op: Math, right: T<'s>) -> T<'s> {
    match op {
        Math::Add => call("sum_", [left, right]),
        Math::Mul => call("product_", [left, right]),
        Math::Div => call("quotient_", [left, right]),
        Math::Sub | Math::Rem => Term::BinOp(Box::new(left), BinaryOp::Math(op), Box::new(right)),
    }
}

/// A text with terms in it is the sum of its parts.
fn text<'s>(format: Option<&'s str>, parts: Vec<StrPart<&'s str, T<'s>>>) -> T<'s> {
    let literal = |part: &StrPart<_, _>| !matches!(part, StrPart::Term(_));
    if parts.iter().all(literal) {
        return Term::Str(None, parts);
    }
    let mut sum: Option<T<'s>> = None;
    for part in parts.into_iter().rev() {
        let part = match part {
            StrPart::Term(inside) => match format {
                Some(format) => pipe(term(inside), Term::Call(format, Vec::new())),
                None => then(term(inside), "text_"),
            },
            literal => Term::Str(None, vec![literal]),
        };
        sum = Some(match sum {
            Some(rest) => call("sum_", [part, rest]),
            None => part,
        });
    }
    sum.unwrap_or_default()
}

fn path<'s>(from: T<'s>, parts: Vec<(Part<T<'s>>, jaq_core::path::Opt)>) -> T<'s> {
    let (mut goes_through, mut cuts) = (false, false);
    let parts = parts.into_iter().map(|(part, opt)| {
        let part = match part {
            Part::Index(Term::Str(None, name)) => Part::Index(text(None, name)),
            Part::Index(index) => Part::Index(then(term(index), "index_")),
            Part::Range(None, None) => {
                goes_through = true;
                Part::Range(None, None)
            }
            Part::Range(begin, end) => {
                cuts = true;
                Part::Range(begin.map(term), end.map(term))
            }
        };
        (part, opt)
    });
    let parts = Path(parts.collect());
    let whole = Term::Path(boxed(from), parts);
    match (goes_through, cuts) {
        (_, true) => then(whole, "cut_"),
        (true, false) => then(whole, "step_"),
        (false, false) => whole,
    }
}

fn pattern(written: Pattern<&str>) -> Pattern<&str> {
    match written {
        Pattern::Var(_) => written,
        Pattern::Arr(inside) => Pattern::Arr(inside.into_iter().map(pattern).collect()),
        Pattern::Obj(fields) => {
            let fields = fields.into_iter();
            Pattern::Obj(fields.map(|(key, bound)| (term(key), pattern(bound))).collect())
        }
    }
}
