//! The language of an expression: which of jq's filters there are, and what a run costs at most.
//!
//! Left out is what reaches outside (`input`, `env`, `now`, `halt`, `debug`, …), and definitions, because only a
//! function that calls itself can nest without end. Loops count their rounds. `fromjson` and the regular expressions
//! are ours: foreign text can neither overflow the stack nor take exponential time.

use std::cell::Cell;
use std::sync::atomic::{AtomicBool, Ordering};

use jaq_core::data::HasLut;
use jaq_core::load::lex::{StrPart, Tok, Token};
use jaq_core::load::{self, Arena, File, Lexer, Loader, parse};
use jaq_core::native::{Filter, Fun, bome, run, v};
use jaq_core::{Compiler, Ctx, DataT, Error, Lut, RunPtr, ValT as _, Vars};
use jaq_json::{Num, Val};
use jaq_std::ValT as _;
use regex::RegexBuilder;
use serde::Deserialize as _;
use serde_json::Value;

use crate::expect::quoted;

/// The most rounds of all loops of a run.
const ROUNDS: u32 = 1_000_000;

/// The deepest output, as of the JSON that is read.
const DEPTH: usize = 128;

/// The most values in the outputs of a run.
const VALUES: usize = 100_000;

/// The most bytes of text in the outputs of a run.
const TEXT: usize = 4 * 1024 * 1024;

/// jq's loops, with their rounds counted.
const LOOPS: &str = "
    def range(from; to; by): counted_range(from; to; by) | round_of_a_loop;
    def range(from; to): range(from; to; 1);
    def range(to): range(0; to);
    def repeat(f): def rec: round_of_a_loop as $x | f, rec; rec;
    def recurse(f): def rec: round_of_a_loop as $x | ., (f | rec); rec;
    def recurse: recurse(.[]?);
    def recurse(f; cond): recurse(f | select(cond));
    def while(cond; update): def rec: round_of_a_loop as $x | if cond then ., (update | rec) else empty end; rec;
    def until(cond; update): def rec: round_of_a_loop as $x | if cond then . else update | rec end; rec;
    def combinations($n): [limit($n; repeat(.))] | combinations;
";

/// What jaq's library defines upon filters that are left out.
const LEFT_OUT: [&str; 18] = [
    "stderr",
    "debug",
    "halt",
    "halt_error",
    "logb",
    "significand",
    "drem",
    "nexttoward",
    "scalb",
    "gamma",
    "todate",
    "fromdate",
    "@html",
    "@htmld",
    "@uri",
    "@urid",
    "@base64",
    "@base64d",
];

/// A compiled program and the values of its variables.
pub(super) struct Program {
    filter: jaq_core::Filter<Kind>,
    variables: Vec<Value>,
}

/// The values are jaq's, and a run carries what it counts.
struct Kind;

#[derive(Clone, Copy)]
struct Running<'a> {
    lut: &'a Lut<Kind>,
    rounds: &'a Cell<u32>,
    over: &'a AtomicBool,
}

impl DataT for Kind {
    type V<'a> = Val;
    type Data<'a> = Running<'a>;
}

impl<'a> HasLut<'a, Kind> for Running<'a> {
    fn lut(&self) -> &'a Lut<Kind> {
        self.lut
    }
}

/// Compiles a program; `names` start with `$` and belong to `variables`. The error is a fragment that says where.
pub(super) fn compile(code: &str, names: &[String], variables: Vec<Value>) -> Result<Program, String> {
    if let Ok(tokens) = Lexer::new(code).lex()
        && let Some(def) = definition(&tokens)
    {
        return Err(format!(
            "definitions are not taken ({})",
            place(code, def).unwrap_or_default()
        ));
    }
    let kept = |def: &parse::Def<&'static str>| !LEFT_OUT.contains(&def.name);
    let loops = parse(LOOPS, |parser| parser.defs()).unwrap_or_default();
    let prelude = jaq_core::defs()
        .chain(jaq_std::defs().filter(kept))
        .chain(jaq_json::defs())
        .chain(loops);
    let arena = Arena::default();
    let modules = Loader::new(prelude)
        .load(&arena, File { code, path: () })
        .map_err(|errors| first(errors.into_iter().map(|(_, error)| unreadable(code, error))))?;
    let filter = Compiler::default()
        .with_funs(filters())
        .with_global_vars(names.iter().map(String::as_str))
        .compile(modules)
        .map_err(|errors| {
            let undefined = errors.into_iter().flat_map(|(_, errors)| errors);
            first(undefined.map(|(name, kind)| undefined_name(code, name, &kind)))
        })?;
    Ok(Program { filter, variables })
}

/// The first `def` of a program.
fn definition<'s>(tokens: &[Token<&'s str>]) -> Option<&'s str> {
    tokens.iter().find_map(|Token(text, token)| match token {
        Tok::Word => (*text == "def").then_some(*text),
        Tok::Block(inside) => definition(inside),
        Tok::Str(parts) => parts.iter().find_map(|part| match part {
            StrPart::Term(term) => definition(std::slice::from_ref(term)),
            StrPart::Str(_) | StrPart::Char(_) => None,
        }),
        Tok::Var | Tok::Fmt | Tok::Num | Tok::Sym => None,
    })
}

fn first(mut reasons: impl Iterator<Item = String>) -> String {
    reasons.next().unwrap_or_default()
}

/// Why a program can't be read.
fn unreadable(code: &str, error: load::Error<&str>) -> String {
    let expected = |what: &str, found: &str| {
        let found = match place(code, found) {
            Some(place) if !found.is_empty() => format!("found {} ({place})", quoted(found)),
            _ => "found the end".to_owned(),
        };
        format!("expected {what}, {found}")
    };
    match error {
        load::Error::Io(_) => "modules are not taken".to_owned(),
        load::Error::Lex(errors) => first(errors.iter().map(|(what, found)| expected(what.as_str(), found))),
        load::Error::Parse(errors) => {
            first(errors.iter().map(|(what, found)| expected(what.as_str(), found)))
        }
    }
}

/// A name that stands for nothing.
fn undefined_name(code: &str, name: &str, kind: &jaq_core::compile::Undefined) -> String {
    use jaq_core::compile::Undefined;
    let place = place(code, name).map_or_else(String::new, |place| format!(" ({place})"));
    match kind {
        Undefined::Filter(0) => format!("there is no filter {}{place}", quoted(name)),
        Undefined::Filter(count) => {
            format!("there is no filter {} of {count} arguments{place}", quoted(name))
        }
        kind => format!("there is no {} {}{place}", kind.as_str(), quoted(name)),
    }
}

/// Where a part of the program stands, counted in characters from 1.
pub(super) fn place(code: &str, part: &str) -> Option<String> {
    let start = (part.as_ptr() as usize).checked_sub(code.as_ptr() as usize)?;
    let before = code.get(..start)?;
    let column = before.rsplit('\n').next().unwrap_or_default().chars().count() + 1;
    let line = before.matches('\n').count() + 1;
    Some(if code.contains('\n') {
        format!("line {line}, column {column}")
    } else {
        format!("column {column}")
    })
}

impl Program {
    /// The first outputs for an input, at most `wanted`. The error is what jq says of it; foreign text.
    pub(super) fn run(&self, input: &Value, wanted: usize, over: &AtomicBool) -> Result<Vec<Value>, String> {
        let rounds = Cell::new(ROUNDS);
        let running = Running {
            lut: &self.filter.lut,
            rounds: &rounds,
            over,
        };
        let variables = self.variables.iter().map(val).collect::<Result<Vec<_>, _>>()?;
        let context = Ctx::<Kind>::new(running, Vars::new(variables));
        let mut room = Room {
            values: VALUES,
            text: TEXT,
        };
        let outputs = self.filter.id.run((context, val(input)?)).take(wanted);
        outputs
            .map(|output| match output {
                Ok(output) => json(&output, DEPTH, &mut room),
                Err(exception) => Err(exception.get_err().map_or_else(
                    |_| "it breaks out of itself".to_owned(),
                    |error| error.to_string(),
                )),
            })
            .collect()
    }
}

fn val(value: &Value) -> Result<Val, String> {
    Val::deserialize(value).map_err(|error| error.to_string())
}

/// What is left for outputs.
struct Room {
    values: usize,
    text: usize,
}

impl Room {
    fn take(&mut self, text: usize) -> Result<(), String> {
        let left = (self.values.checked_sub(1), self.text.checked_sub(text));
        let (Some(values), Some(text)) = left else {
            return Err("its output is too large".to_owned());
        };
        *self = Self { values, text };
        Ok(())
    }
}

/// A value as JSON. A number that JSON has no form for is `null`.
fn json(value: &Val, depth: usize, room: &mut Room) -> Result<Value, String> {
    let deeper = || depth.checked_sub(1).ok_or("its output is nested too deep");
    room.take(match value {
        Val::BStr(bytes) | Val::TStr(bytes) => bytes.len(),
        _ => 0,
    })?;
    Ok(match value {
        Val::Null => Value::Null,
        Val::Bool(bool) => Value::Bool(*bool),
        Val::Num(Num::Int(int)) => Value::from(*int),
        Val::Num(_) => value.as_f64().map_or(Value::Null, Value::from),
        Val::BStr(bytes) | Val::TStr(bytes) => Value::from(String::from_utf8_lossy(bytes)),
        Val::Arr(values) => {
            let depth = deeper()?;
            let values = values.iter().map(|value| json(value, depth, room));
            Value::Array(values.collect::<Result<_, _>>()?)
        }
        Val::Obj(fields) => {
            let depth = deeper()?;
            let fields = fields.iter().map(|(key, value)| {
                let key = match json(key, depth, room)? {
                    Value::String(key) => key,
                    other => other.to_string(),
                };
                Ok::<_, String>((key, json(value, depth, room)?))
            });
            Value::Object(fields.collect::<Result<_, _>>()?)
        }
    })
}

/// The filters that are not defined in jq itself.
fn filters() -> impl Iterator<Item = Fun<Kind>> {
    let outside = |name: &str| matches!(name, "halt" | "fromjson");
    let counted = jaq_core::funs()
        .filter(|(name, ..)| *name == "range")
        .map(|(_, arguments, filter)| ("counted_range", arguments, filter));
    jaq_core::funs()
        .chain(jaq_std::base_funs())
        .chain(jaq_json::funs())
        .filter(move |(name, ..)| !outside(name))
        .chain(counted)
        .chain(ours().into_vec().into_iter().map(run::<Kind>))
}

fn ours() -> Box<[Filter<RunPtr<Kind>>]> {
    Box::new([
        ("round_of_a_loop", v(0), |cv| {
            let Running { rounds, over, .. } = *cv.0.data();
            let left = rounds
                .get()
                .checked_sub(1)
                .filter(|_| !over.load(Ordering::Relaxed));
            rounds.set(left.unwrap_or_default());
            let error = || Error::str(format_args!("over {ROUNDS} rounds of its loops"));
            bome(left.map(|_| cv.1).ok_or_else(error))
        }),
        ("fromjson", v(0), |cv| bome(from_json(&cv.1))),
        ("matches", v(2), |cv| bome(matching(cv, false, true))),
        ("split_matches", v(2), |cv| bome(matching(cv, true, true))),
        ("split_", v(2), |cv| bome(matching(cv, true, false))),
        ("pow", v(2), |mut cv| {
            let exponent = cv.0.pop_var();
            let base = cv.0.pop_var();
            bome(real(&base).and_then(|base| Ok(base.powf(real(&exponent)?).into())))
        }),
        ("sqrt", v(0), |cv| bome(real(&cv.1).map(|x| x.sqrt().into()))),
        ("exp", v(0), |cv| bome(real(&cv.1).map(|x| x.exp().into()))),
        ("log", v(0), |cv| bome(real(&cv.1).map(|x| x.ln().into()))),
        ("log2", v(0), |cv| bome(real(&cv.1).map(|x| x.log2().into()))),
        ("log10", v(0), |cv| bome(real(&cv.1).map(|x| x.log10().into()))),
        ("fabs", v(0), |cv| bome(real(&cv.1).map(|x| x.abs().into()))),
        ("trunc", v(0), |cv| bome(real(&cv.1).map(|x| x.trunc().into()))),
    ])
}

fn real(value: &Val) -> Result<f64, Error<Val>> {
    value.as_f64().ok_or_else(|| Error::typ(value.clone(), "number"))
}

fn string(value: &Val) -> Result<&str, Error<Val>> {
    let text = value.as_utf8_bytes().and_then(|bytes| str::from_utf8(bytes).ok());
    text.ok_or_else(|| Error::typ(value.clone(), "string"))
}

/// jaq's own nests as deep as the text does.
fn from_json(value: &Val) -> Result<Val, Error<Val>> {
    let fail = |error| {
        Error::str(format_args!(
            "cannot parse {} as JSON: {error}",
            quoted(&value.to_string())
        ))
    };
    let parsed: Value = serde_json::from_str(string(value)?).map_err(fail)?;
    Val::deserialize(&parsed).map_err(Error::str)
}

/// What jaq's `test`, `match`, `capture`, `scan`, `split`, `sub` and `gsub` are made of: the parts of the input between
/// matches, and for each match itself and its groups. <https://jqlang.org/manual/#regular-expressions>
fn matching<'a>(mut cv: jaq_core::Cv<'a, Kind>, between: bool, matched: bool) -> Result<Val, Error<Val>> {
    let (flags, pattern) = (cv.0.pop_var(), cv.0.pop_var());
    let flags = if matches!(flags, Val::Null) {
        ""
    } else {
        string(&flags)?
    };
    let input = string(&cv.1)?;
    if let Some(unknown) = flags.chars().find(|flag| !"gnimslxp".contains(*flag)) {
        return Err(Error::str(format_args!(
            "invalid flag `{unknown}` of a regular expression"
        )));
    }
    let has = |flag: char| flags.contains(flag);
    let pattern = RegexBuilder::new(string(&pattern)?)
        .case_insensitive(has('i'))
        .multi_line(has('m') || has('p'))
        .dot_matches_new_line(has('s') || has('p'))
        .swap_greed(has('l'))
        .ignore_whitespace(has('x'))
        .build()
        .map_err(|error| Error::str(format_args!("invalid regular expression: {error}")))?;
    let (mut parts, mut end) = (Vec::new(), 0);
    let (mut counted, mut characters) = (0, 0);
    for captures in pattern.captures_iter(input) {
        let Some(whole) = captures.get(0).filter(|whole| !has('n') || !whole.is_empty()) else {
            continue;
        };
        if between {
            parts.push(Val::from(input[end..whole.start()].to_owned()));
            end = whole.end();
        }
        if matched {
            characters += input[counted..whole.start()].chars().count();
            counted = whole.start();
            let groups = captures.iter().zip(pattern.capture_names());
            let groups = groups.filter_map(|(group, name)| Some((group?, name)));
            let groups = groups.map(|(group, name)| {
                // A group may lie before the whole match's end only, so this counts within the match.
                let offset = characters + input[whole.start()..group.start()].chars().count();
                let fields = [
                    ("offset", Val::from(offset)),
                    ("length", Val::from(group.as_str().chars().count())),
                    ("string", Val::from(group.as_str().to_owned())),
                ];
                let name = name.map(|name| ("name", Val::from(name.to_owned())));
                let fields = fields.into_iter().chain(name);
                Val::from_map(fields.map(|(key, value)| (Val::from(key.to_owned()), value)))
            });
            parts.push(groups.collect::<Result<_, _>>()?);
        }
        if !has('g') {
            break;
        }
    }
    if between {
        parts.push(Val::from(input[end..].to_owned()));
    }
    Ok(parts.into_iter().collect())
}
