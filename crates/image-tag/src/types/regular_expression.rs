//! Regular expressions as JavaScript has them: `new RegExp(pattern, flags)` and `text.match(expression)`
//! (<https://tc39.es/ecma262/#sec-regexp-regular-expression-objects>).
//!
//! Text is UTF-16, as in JavaScript: without the flag `u` or `v` a character outside the first plane is two. An
//! expression such as `(a+)+$` may take for ever; the caller has to limit the time. The engine differs from V8's at the
//! edges: without `u` it reads `\u{3}` and `\ud83d\ude00` as characters, ignores the case of `ſ` and `ı` as Unicode
//! has it, and takes a repeated `\b*` for no error.

use regress::{Flags, Match, Regex};

/// The flags there are. `d` asks for positions, which nobody does here.
const FLAGS: &str = "dgimsuvy";

/// Characters of a pattern at most.
const LONGEST: usize = 10_000;

/// Alternatives of a pattern at most. The engine reads them by recursion, and some thousands of them end the program.
const MOST_ALTERNATIVES: usize = 500;

#[derive(Debug)]
pub(super) struct RegularExpression {
    regex: Regex,
    /// Characters, not their UTF-16 units, count.
    unicode: bool,
    /// Asks for all matches and not for the groups of the first one.
    global: bool,
    /// A match must start where the text, or the match before, leaves off.
    sticky: bool,
}

/// What a group of a match holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Found {
    Text(String),
    /// There is such a group, but the match goes without it: `(a)|b` in `b`.
    Empty,
    NoGroup,
    NoMatch,
}

impl RegularExpression {
    /// The error says what is wrong with pattern or flags, without naming them.
    pub(super) fn new(pattern: &str, flags: &str) -> Result<Self, String> {
        check_flags(flags)?;
        check_size(pattern)?;
        let has = |flag| flags.contains(flag);
        let unicode = has('u') || has('v');
        let options = Flags {
            icase: has('i'),
            multiline: has('m'),
            dot_all: has('s'),
            no_opt: false,
            unicode,
            unicode_sets: has('v'),
        };
        let regex = if unicode {
            Regex::from_unicode(pattern.chars().map(u32::from), options)
        } else {
            Regex::from_unicode(pattern.encode_utf16().map(u32::from), options)
        };
        Ok(Self {
            regex: regex.map_err(|error| error.to_string())?,
            unicode,
            global: has('g'),
            sticky: has('y'),
        })
    }

    /// The group `index` of the first match, where 0 is the match itself; with the flag `g` the match `index`, from 0.
    pub(super) fn find(&self, text: &str, index: usize) -> Found {
        let units: Vec<u16> = text.encode_utf16().collect();
        let Some(first) = self.next(&units, 0) else {
            return Found::NoMatch;
        };
        if self.global {
            return match self.following(&units, first, index) {
                Some(found) => Found::Text(String::from_utf16_lossy(&units[found.range])),
                None => Found::NoGroup,
            };
        }
        if index > first.captures.len() {
            return Found::NoGroup;
        }
        match first.group(index) {
            Some(group) => Found::Text(String::from_utf16_lossy(&units[group])),
            None => Found::Empty,
        }
    }

    /// The match that comes `count` matches after `found`.
    fn following(&self, units: &[u16], found: Match, count: usize) -> Option<Match> {
        (0..count).try_fold(found, |found, _| {
            let end = found.range.end;
            let start = if found.range.is_empty() {
                end + self.width(&units[end..])
            } else {
                end
            };
            self.next(units, start)
        })
    }

    fn next(&self, units: &[u16], start: usize) -> Option<Match> {
        let found = if self.unicode {
            self.regex.find_from_utf16(units, start).next()
        } else {
            self.regex.find_from_ucs2(units, start).next()
        };
        found.filter(|found| !self.sticky || found.range.start == start)
    }

    /// Units of the first character.
    fn width(&self, units: &[u16]) -> usize {
        match char::decode_utf16(units.iter().copied()).next() {
            Some(Ok(character)) if self.unicode => character.len_utf16(),
            _ => 1,
        }
    }
}

fn check_flags(flags: &str) -> Result<(), String> {
    for (at, flag) in flags.char_indices() {
        if !FLAGS.contains(flag) {
            return Err(format!("there is no flag `{}`", flag.escape_debug()));
        }
        if flags[..at].contains(flag) {
            return Err(format!("the flag `{flag}` stands there twice"));
        }
    }
    if flags.contains('u') && flags.contains('v') {
        return Err("the flags `u` and `v` exclude each other".to_owned());
    }
    Ok(())
}

fn check_size(pattern: &str) -> Result<(), String> {
    if pattern.chars().count() > LONGEST {
        return Err(format!("it has more than {LONGEST} characters"));
    }
    if pattern.matches('|').count() > MOST_ALTERNATIVES {
        return Err(format!("it has more than {MOST_ALTERNATIVES} alternatives"));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn find(pattern: &str, flags: &str, text: &str, index: usize) -> Found {
        RegularExpression::new(pattern, flags)
            .unwrap_or_else(|problem| panic!("/{pattern}/{flags}: {problem}"))
            .find(text, index)
    }

    /// What `text.match(new RegExp(pattern, flags))[index]` is in Node.js.
    #[test]
    fn groups_are_those_of_javascript() {
        for (pattern, flags, text, index, expected) in [
            ("v(.*)", "", "v1.2.3", 1, "1.2.3"),
            (r"\d{8}", "", "20200110-RC2", 0, "20200110"),
            ("", "", "abc", 0, ""),
            (r"(?<=@)[^@]+$", "", "@scope/pkg@1.2.3", 0, "1.2.3"),
            (r"(?<=(\d+)(\d+))$", "", "1053", 1, "1"),
            (r"(?<!v)\d+", "", "v12 34", 0, "2"),
            (r"(?<major>\d+)\.(?<minor>\d+)", "", "v1.20", 2, "20"),
            (r"(?<n>a)\k<n>", "", "aa", 0, "aa"),
            ("(z)((a+)?(b+)?(c))*", "", "zaacbbbcac", 2, "ac"),
            ("a|ab", "", "abc", 0, "a"),
            ("ABC", "i", "xabc", 0, "abc"),
            ("ä", "i", "Ä", 0, "Ä"),
            ("^b", "m", "a\nb", 0, "b"),
            ("a.b", "s", "a\nb", 0, "a\nb"),
            (r"\p{L}+", "u", "1äöß2", 0, "äöß"),
            (r"\p{L}+", "", "p{L}p{LL", 0, "p{L}"),
            (r"\p{Script=Greek}+", "u", "abγδ", 0, "γδ"),
            (r"[\p{L}--[a-z]]+", "v", "abÄÖ", 0, "ÄÖ"),
            (r"\d", "d", "a1", 0, "1"),
        ] {
            assert_eq!(
                find(pattern, flags, text, index),
                Found::Text(expected.to_owned()),
                "/{pattern}/{flags}"
            );
        }
        for (pattern, text, index, expected) in [
            ("v(.*)", "1.2", 0, Found::NoMatch),
            ("v(.*)", "1.2", 9, Found::NoMatch),
            ("v(.*)", "v1.2", 2, Found::NoGroup),
            ("(a)|(b)", "b", 1, Found::Empty),
            ("a.b", "a\nb", 0, Found::NoMatch),
            ("a$", "a\n", 0, Found::NoMatch),
        ] {
            assert_eq!(find(pattern, "", text, index), expected, "{pattern} {text}");
        }
    }

    #[test]
    fn global_and_sticky() {
        let all = |pattern, flags, text| {
            let found = |index| match find(pattern, flags, text, index) {
                Found::Text(text) => Some(text),
                _ => None,
            };
            (0..).map_while(found).collect::<Vec<_>>().join("|")
        };
        for (pattern, flags, text, expected) in [
            (r"(\d)\d", "g", "10.20.30", "10|20|30"),
            (r"\d", "gy", "12a3", "1|2"),
            (r"\d", "y", "1a", "1"),
            (r"\d", "y", "a1", ""),
            ("x*", "g", "axxb", "|xx||"),
            (r"(?<=a)", "g", "aab", "|"),
            (".", "gu", "a😀b", "a|😀|b"),
            (".", "g", "a😀b", "a|\u{fffd}|\u{fffd}|b"),
            ("", "gu", "😀a", "||"),
            ("", "g", "😀a", "|||"),
        ] {
            assert_eq!(all(pattern, flags, text), expected, "/{pattern}/{flags} {text}");
        }
    }

    #[test]
    fn text_is_utf_16() {
        for (pattern, flags, matches) in [
            ("^.$", "", false),
            ("^..$", "", true),
            ("^.$", "u", true),
            ("^.$", "v", true),
            ("😀", "", true),
            ("^[😀]$", "", false),
            ("^[😀]$", "u", true),
            ("^[🌀-🙏]$", "u", true),
            (r"^\ud83d", "", true),
            (r"^\ud83d", "u", false),
            (r"^\u{1F600}$", "u", true),
            (r"^\u{1F600}$", "v", true),
            (r"^\D\D$", "", true),
        ] {
            assert_eq!(
                find(pattern, flags, "😀", 0) != Found::NoMatch,
                matches,
                "/{pattern}/{flags}"
            );
        }
    }

    #[test]
    fn what_is_wrong() {
        let alternatives = "a*|".repeat(501);
        let long = "a".repeat(10_001);
        let deep = "(".repeat(5_000);
        for (pattern, flags, expected) in [
            ("a", "x", "no flag `x`"),
            ("a", "i\n", "no flag `\\n`"),
            ("a", "gig", "`g` stands there twice"),
            ("a", "uv", "exclude each other"),
            ("(", "", "Unbalanced parenthesis"),
            (r"\-", "u", "Invalid"),
            (&deep, "", "too deeply nested"),
            (&alternatives, "", "more than 500 alternatives"),
            (&long, "", "more than 10000 characters"),
        ] {
            let problem = RegularExpression::new(pattern, flags).unwrap_err();
            assert!(problem.contains(expected), "/{pattern:.20}/{flags}: {problem}");
        }
    }

    #[test]
    fn largest_patterns_fit_the_stack() {
        let nested = format!("{}a{}", "(?:".repeat(250), "|a)*".repeat(250));
        for pattern in [
            &*"a*|".repeat(500),
            &*(nested + &"|a[b]".repeat(250)),
            &*"a".repeat(10_000),
        ] {
            RegularExpression::new(pattern, "i").unwrap().find("aaaa", 0);
        }
    }

    proptest! {
        #[test]
        fn nothing_panics(pattern in any::<String>(), flags in "[dgimsuvy]{0,3}", text in any::<String>(), index in 0..5_usize) {
            if let Ok(expression) = RegularExpression::new(&pattern, &flags) {
                let text: String = text.chars().take(20).collect();
                expression.find(&text, index);
            }
        }

        #[test]
        fn what_looks_like_an_expression_never_panics(
            pattern in r"(a|b|😀|\.|\\[dwsbuk1]|\[|\]|\(\?<?[=!:]|\(|\)|[*+?|^$-]|\{[0-9]?,?[0-9]?\}){0,8}",
            flags in "[dgimsuvy]{0,3}",
            text in "(a|b|😀|1| ){0,8}",
            index in 0..5_usize,
        ) {
            if let Ok(expression) = RegularExpression::new(&pattern, &flags) {
                expression.find(&text, index);
            }
        }
    }
}
