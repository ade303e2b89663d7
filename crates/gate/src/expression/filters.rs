//! The filters that are not written in jq: jaq's own, those that [`super::counted`] puts into a program, and ours in place
//! of those that foreign values could make slow or large.

use jaq_core::box_iter::box_once;
use jaq_core::native::{Filter, Fun, bome, run, v};
use jaq_core::{Cv, Error, Exn, Native, RunPtr, ValR, ValT as _, ValXs};
use jaq_json::{Num, Rc, Val};
use jaq_std::ValT as _;
use serde::Deserialize as _;
use serde_json::Value;

use super::language::Kind;
use super::matching::matching;
use super::room::{Room, counted, shallow};
use crate::expect::quoted;

/// Filters of jaq that give more than they are given, or hold it, with what they are paid with: so many times their input.
/// jaq's own are called with `own_` before their name.
pub(super) const PAID: &str = "
    def range($from; $to; $by): own_range($from; $to; $by) | round_of_a_loop;
    def explode: costs_(16) | own_explode;
    def implode: costs_(1) | own_implode;
    def ascii_downcase: costs_(1) | own_ascii_downcase;
    def ascii_upcase: costs_(1) | own_ascii_upcase;
    def escape_sh: costs_(4) | own_escape_sh;
    def reverse: costs_(1) | own_reverse;
    def sort: costs_(1) | own_sort;
    def sort_by(f): costs_(6) | own_sort_by(f);
    def group_by(f): costs_(8) | own_group_by(f);
    def min_by_or_empty(f): costs_(1) | own_min_by_or_empty(f);
    def max_by_or_empty(f): costs_(1) | own_max_by_or_empty(f);
    def keys_unsorted: costs_(2) | own_keys_unsorted;
    def key_values: costs_(8) | own_key_values;
    def path(f): own_path(f) | made_;
    def path_value(f): own_path_value(f) | made_;
    def tobytes: made_ | own_tobytes;
    def tojson: json_ | own_tojson;
    def contains($part): compared_($part) | own_contains($part);
    def indices($part): costs_(1) | searched_($part) | own_indices($part);
    def has($key): ($key | index_) as $key | own_has($key);
";

/// The names of jaq's filters that [`PAID`] takes the place of.
const OWN: [(&str, &str); 21] = [
    ("explode", "own_explode"),
    ("implode", "own_implode"),
    ("ascii_downcase", "own_ascii_downcase"),
    ("ascii_upcase", "own_ascii_upcase"),
    ("escape_sh", "own_escape_sh"),
    ("reverse", "own_reverse"),
    ("sort", "own_sort"),
    ("sort_by", "own_sort_by"),
    ("group_by", "own_group_by"),
    ("min_by_or_empty", "own_min_by_or_empty"),
    ("max_by_or_empty", "own_max_by_or_empty"),
    ("keys_unsorted", "own_keys_unsorted"),
    ("key_values", "own_key_values"),
    ("path", "own_path"),
    ("path_value", "own_path_value"),
    ("tobytes", "own_tobytes"),
    ("tojson", "own_tojson"),
    ("contains", "own_contains"),
    ("indices", "own_indices"),
    ("has", "own_has"),
    ("range", "own_range"),
];

/// jaq's filters that reach outside, or that ours stand for.
const LEFT_OUT: [&str; 2] = ["halt", "fromjson"];

/// The longest list that something is looked for by, as in `.[[1, 2]]`.
const LONGEST_INDEX: usize = 64;

/// How much larger a text may be as the value that it is the JSON of: `[1,1,1]`.
const FROM_JSON: usize = 24;

/// What a part of a text is paid with.
const PART: usize = 64;

/// Every filter.
pub(super) fn all() -> impl Iterator<Item = Fun<Kind>> {
    let known = |name: &str| OWN.iter().find(|(known, _)| *known == name);
    jaq_core::funs()
        .chain(jaq_std::base_funs())
        .chain(jaq_json::funs())
        .filter(|(name, ..)| !LEFT_OUT.contains(name))
        .map(move |(name, arguments, filter)| (known(name).map_or(name, |(_, own)| *own), arguments, filter))
        .chain([passing::<false>("step_"), passing::<true>("cut_")])
        .chain(ours().into_vec().into_iter().map(run::<Kind>))
}

/// A filter that lets everything pass, as a path too, and counts it; `CUT` pays for a new list or text.
fn passing<const CUT: bool>(name: &'static str) -> Fun<Kind> {
    fn pay<const CUT: bool>(room: &Room<'_>, value: &Val) -> Result<(), Exn<'static, Val>> {
        let size = if CUT { shallow(value) } else { 0 };
        Ok(room.step().and_then(|()| room.take(size))?)
    }
    let filter = Native::<Kind>::new(|cv| {
        let paid = pay::<CUT>(cv.0.data().room, &cv.1);
        box_once(paid.map(|()| cv.1))
    });
    let filter = filter.with_paths(|cv| {
        let paid = pay::<CUT>(cv.0.data().room, &cv.1.0);
        box_once(paid.map(|()| cv.1))
    });
    let filter = filter.with_update(|cv, update| match pay::<CUT>(cv.0.data().room, &cv.1) {
        Ok(()) => update(cv.1),
        Err(error) => box_once(Err(error)),
    });
    (name, v(0), filter)
}

fn ours() -> Box<[Filter<RunPtr<Kind>>]> {
    Box::new([
        ("round_of_a_loop", v(0), |cv| {
            let room = cv.0.data().room;
            bome(room.round().map(|()| cv.1))
        }),
        ("made_", v(0), |cv| {
            let room = cv.0.data().room;
            bome(room.step().and_then(|()| room.take_value(&cv.1)).map(|()| cv.1))
        }),
        ("costs_", v(1), |mut cv| {
            let (room, times) = (cv.0.data().room, cv.0.pop_var());
            let times = times.as_isize().and_then(|times| usize::try_from(times).ok());
            let cost = shallow(&cv.1).saturating_mul(times.unwrap_or(1));
            bome(room.step().and_then(|()| room.take(cost)).map(|()| cv.1))
        }),
        ("index_", v(0), |cv| {
            bome(match &cv.1 {
                Val::Arr(values) if values.len() > LONGEST_INDEX => {
                    let over = format_args!("a list of {} can't be an index", values.len());
                    Err(Error::str(over))
                }
                _ => Ok(cv.1),
            })
        }),
        ("sum_", v(2), |cv| two(cv, sum)),
        ("product_", v(2), |cv| two(cv, product)),
        ("quotient_", v(2), |cv| two(cv, quotient)),
        ("text_", v(0), |cv| {
            let cost = cost_as_text(cv.0.data().room, &cv.1);
            bome(cost.map(|()| cv.1.into_string()))
        }),
        ("json_", v(0), |cv| {
            let cost = cost_as_json(cv.0.data().room, &cv.1);
            bome(cost.map(|()| cv.1))
        }),
        ("compared_", v(1), |mut cv| {
            let (room, part) = (cv.0.data().room, cv.0.pop_var());
            let (values, text) = counted(&cv.1);
            let (parts, part_text) = counted(&part);
            // Each value is compared with each, and each text looked through for each.
            let texts = values
                .saturating_mul(part_text)
                .saturating_add(parts.saturating_mul(text));
            let work = values.saturating_mul(parts).saturating_add(texts);
            bome(room.work(work).map(|()| cv.1))
        }),
        ("searched_", v(1), |mut cv| {
            let (room, part) = (cv.0.data().room, cv.0.pop_var());
            let places = match &cv.1 {
                Val::BStr(bytes) | Val::TStr(bytes) => bytes.len(),
                Val::Arr(values) => values.len(),
                _ => 0,
            };
            let (values, text) = counted(&part);
            let work = places.saturating_mul(values.saturating_add(text / 16));
            bome(room.work(work).map(|()| cv.1))
        }),
        ("fromjson", v(0), |cv| {
            let room = cv.0.data().room;
            bome(from_json(room, &cv.1))
        }),
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

/// An operator on two values. What holds the input is let go first, so that a sum can grow in its place.
fn two<'a>(mut cv: Cv<'a, Kind>, op: fn(&Room<'_>, Val, Val) -> ValR<Val>) -> ValXs<'a, Val> {
    let (room, right, left) = (cv.0.data().room, cv.0.pop_var(), cv.0.pop_var());
    drop(cv);
    bome(op(room, left, right))
}

/// What is not held elsewhere grows in its place; else it is copied.
fn sum(room: &Room<'_>, left: Val, right: Val) -> ValR<Val> {
    let is_shared = match (&left, &right) {
        (Val::Null | Val::Num(_), _) | (_, Val::Null | Val::Num(_)) => return left + right,
        (Val::BStr(left) | Val::TStr(left), _) => !left.is_unique(),
        (Val::Arr(left), _) => Rc::strong_count(left) > 1,
        (Val::Obj(left), _) => Rc::strong_count(left) > 1,
        (Val::Bool(_), _) => false,
    };
    if is_shared {
        room.take(shallow(&left))?;
    }
    room.take_value(&right)?;
    left + right
}

/// jq repeats a text so often as a number says, and the number may be a stranger's.
fn product(room: &Room<'_>, left: Val, right: Val) -> ValR<Val> {
    match (&left, &right) {
        (Val::BStr(_) | Val::TStr(_), Val::Num(_)) | (Val::Num(_), Val::BStr(_) | Val::TStr(_)) => {
            Err(Error::str("a text can't be multiplied"))
        }
        (Val::Num(left), Val::Num(right)) => room.bits(bits(left).saturating_add(bits(right))),
        _ => room.take_value(&left).and_then(|()| room.take_value(&right)),
    }?;
    left * right
}

fn bits(number: &Num) -> u64 {
    match number {
        Num::BigInt(whole) => whole.bits(),
        Num::Int(_) | Num::Float(_) | Num::Dec(_) => 0,
    }
}

/// A text divided by another is its parts.
fn quotient(room: &Room<'_>, left: Val, right: Val) -> ValR<Val> {
    if let (Val::BStr(text) | Val::TStr(text), Val::BStr(by) | Val::TStr(by)) = (&left, &right) {
        let parts = if by.is_empty() {
            text.len()
        } else {
            count(text, by) + 1
        };
        room.take(parts.saturating_mul(PART))?;
    }
    left / right
}

fn count(text: &[u8], part: &[u8]) -> usize {
    let (text, part) = (String::from_utf8_lossy(text), String::from_utf8_lossy(part));
    text.matches(&*part).count()
}

/// What a value costs as a text: a text is one already.
fn cost_as_text(room: &Room<'_>, value: &Val) -> Result<(), Error<Val>> {
    match value {
        Val::BStr(_) | Val::TStr(_) => Ok(()),
        _ => cost_as_json(room, value),
    }
}

/// A control character is six as JSON, and a whole number has three digits for a byte at most.
fn cost_as_json(room: &Room<'_>, value: &Val) -> Result<(), Error<Val>> {
    let size = room.weight(value)?;
    let (_, text) = counted(value);
    room.take(size.saturating_mul(3).saturating_add(text.saturating_mul(6)))
}

fn real(value: &Val) -> Result<f64, Error<Val>> {
    value.as_f64().ok_or_else(|| Error::typ(value.clone(), "number"))
}

pub(super) fn string(value: &Val) -> Result<&str, Error<Val>> {
    let text = value.as_utf8_bytes().and_then(|bytes| str::from_utf8(bytes).ok());
    text.ok_or_else(|| Error::typ(value.clone(), "string"))
}

/// jaq's own nests as deep as the text does.
fn from_json(room: &Room<'_>, value: &Val) -> Result<Val, Error<Val>> {
    let fail = |error| {
        Error::str(format_args!(
            "cannot parse {} as JSON: {error}",
            quoted(&value.to_string())
        ))
    };
    let text = string(value)?;
    room.step()?;
    room.take(text.len().saturating_mul(FROM_JSON))?;
    let parsed: Value = serde_json::from_str(text).map_err(fail)?;
    Val::deserialize(&parsed).map_err(Error::str)
}
