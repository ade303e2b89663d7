//! Regular expressions of jq with bounds: matching takes time that is linear in the text, and every part that is found is
//! paid for.

use jaq_core::{Cv, Error, ValT as _};
use jaq_json::Val;
use regex::RegexBuilder;

use super::filters::string;
use super::language::Kind;

/// What a group of a match is paid with: a map of four.
const GROUP: usize = 512;

/// What jaq's `test`, `match`, `capture`, `scan`, `split`, `sub` and `gsub` are made of: the parts of the input between
/// matches, and for each match itself and its groups. <https://jqlang.org/manual/#regular-expressions>
pub(super) fn matching(mut cv: Cv<'_, Kind>, between: bool, matched: bool) -> Result<Val, Error<Val>> {
    let room = cv.0.data().room;
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
        room.step()?;
        room.take(GROUP.saturating_mul(captures.len()).saturating_add(whole.len()))?;
        if between {
            room.take(whole.start() - end)?;
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
