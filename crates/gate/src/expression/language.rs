//! The language of an expression: which of jq's filters there are, and what a run costs at most.
//!
//! Left out is what reaches outside (`input`, `env`, `now`, `halt`, `debug`, …), and definitions, because only a
//! function that calls itself can nest without end. Every step is counted, and all that is made is paid for, see
//! [`super::room`]. `fromjson` and the regular expressions are ours: foreign text can neither overflow the stack nor take
//! exponential time.

use std::fmt::{self, Write as _};
use std::sync::atomic::AtomicBool;

use jaq_core::compile::Undefined;
use jaq_core::data::HasLut;
use jaq_core::load::lex::{StrPart, Tok, Token};
use jaq_core::load::{self, Arena, File, Lexer, Loader, parse};
use jaq_core::{Compiler, Ctx, DataT, Lut, Vars};
use jaq_json::{Num, Val};
use jaq_std::ValT as _;
use serde::Deserialize as _;
use serde_json::Value;

use gha::text;

use super::room::Room;
use super::{counted, filters};
use crate::expect::quoted;

/// The deepest output, as of the JSON that is read.
const DEPTH: usize = 128;

/// How much of a message is kept, in bytes.
const MESSAGE: usize = 1000;

/// The most values in the outputs of a run.
const VALUES: usize = 100_000;

/// The most bytes of text in the outputs of a run.
const TEXT: usize = 4 * 1024 * 1024;

/// jq's loops, with their rounds counted.
const LOOPS: &str = "
    def repeat(f): def rec: round_of_a_loop as $x | f, rec; rec;
    def recurse(f): def rec: round_of_a_loop as $x | ., (f | rec); rec;
    def recurse: recurse(.[]?);
    def recurse(f; cond): recurse(f | select(cond));
    def while(cond; update): def rec: round_of_a_loop as $x | if cond then ., (update | rec) else empty end; rec;
    def until(cond; update): def rec: round_of_a_loop as $x | if cond then . else update | rec end; rec;
    def combinations($n): [limit($n; repeat(.))] | combinations;
";

/// The name under which a program is compiled.
const PROGRAM: &str = "the_program";

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
pub(super) struct Kind;

#[derive(Clone, Copy)]
pub(super) struct Running<'a> {
    lut: &'a Lut<Kind>,
    pub(super) room: &'a Room<'a>,
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
    if let Ok(tokens) = Lexer::new(code).lex() {
        if let Some(def) = word(&tokens, "def") {
            let place = place(code, def).unwrap_or_default();
            return Err(format!("definitions are not taken ({place})"));
        }
        if let Some(name) = word(&tokens, PROGRAM) {
            // By its name it could call itself.
            return Err(undefined_name(code, name, &Undefined::Filter(0)));
        }
    }
    let arena = Arena::default();
    // Only what can be read can be counted.
    read(&arena, Vec::new(), code)?;
    let modules = read(&arena, prelude(code), PROGRAM)?;
    let filter = Compiler::default()
        .with_funs(filters::all())
        .with_global_vars(names.iter().map(String::as_str))
        .compile(modules)
        .map_err(|errors| {
            let undefined = errors.into_iter().flat_map(|(_, errors)| errors);
            first(undefined.map(|(name, kind)| undefined_name(code, name, &kind)))
        })?;
    Ok(Program { filter, variables })
}

fn read<'s>(
    arena: &'s Arena,
    prelude: Vec<parse::Def<&'s str>>,
    code: &'s str,
) -> Result<load::Modules<&'s str, ()>, String> {
    let modules = Loader::new(prelude).load(arena, File { code, path: () });
    modules.map_err(|errors| first(errors.into_iter().map(|(_, error)| unreadable(code, error))))
}

/// jq's definitions and the program as one more, all of them counting what they do.
fn prelude<'s>(code: &'s str) -> Vec<parse::Def<&'s str>> {
    let program = parse::Def {
        name: PROGRAM,
        args: Vec::new(),
        body: parse(code, |parser| parser.term()).unwrap_or_default(),
    };
    let kept = |def: &parse::Def<&'static str>| !LEFT_OUT.contains(&def.name);
    let of = |written| parse(written, |parser| parser.defs()).unwrap_or_default();
    of(filters::PAID)
        .into_iter()
        .chain(jaq_core::defs())
        .chain(jaq_std::defs().filter(kept))
        .chain(jaq_json::defs())
        .chain(of(LOOPS))
        .map(|def| -> parse::Def<&'s str> { counted::definition(def) })
        .chain([counted::definition(program)])
        .collect()
}

/// Where a program has a word for the first time.
fn word<'s>(tokens: &[Token<&'s str>], wanted: &str) -> Option<&'s str> {
    tokens.iter().find_map(|Token(text, token)| match token {
        Tok::Word => (*text == wanted).then_some(*text),
        Tok::Block(inside) => word(inside, wanted),
        Tok::Str(parts) => parts.iter().find_map(|part| match part {
            StrPart::Term(term) => word(std::slice::from_ref(term), wanted),
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
fn undefined_name(code: &str, name: &str, kind: &Undefined) -> String {
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
        let left = Room::new(over);
        let running = Running {
            lut: &self.filter.lut,
            room: &left,
        };
        let variables = self.variables.iter().map(val).collect::<Result<Vec<_>, _>>()?;
        let context = Ctx::<Kind>::new(running, Vars::new(variables));
        let mut room = Output {
            values: VALUES,
            text: TEXT,
        };
        let outputs = self.filter.id.run((context, val(input)?)).take(wanted);
        let outputs = outputs
            .map(|output| match output {
                Ok(output) => json(&output, DEPTH, &mut room),
                Err(exception) => Err(exception
                    .get_err()
                    .map_or_else(|_| "it breaks out of itself".to_owned(), |error| begin(&error))),
            })
            .collect();
        // A program may have caught it, and then what it gives means nothing.
        left.spent().map_or(outputs, |why| Err(why.to_owned()))
    }
}

/// The beginning of a message, which may show a large value.
fn begin(message: &impl fmt::Display) -> String {
    struct Begin(String);
    impl fmt::Write for Begin {
        fn write_str(&mut self, part: &str) -> fmt::Result {
            self.0.push_str(&text::cut(part, MESSAGE));
            if self.0.len() < MESSAGE {
                Ok(())
            } else {
                Err(fmt::Error)
            }
        }
    }
    let mut begin = Begin(String::new());
    // An error is what ends it early.
    let _ = write!(begin, "{message}");
    begin.0
}

fn val(value: &Value) -> Result<Val, String> {
    Val::deserialize(value).map_err(|error| error.to_string())
}

/// What is left for outputs.
struct Output {
    values: usize,
    text: usize,
}

impl Output {
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
fn json(value: &Val, depth: usize, room: &mut Output) -> Result<Value, String> {
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
