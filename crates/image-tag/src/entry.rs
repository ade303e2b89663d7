//! The `tags` input: rules, each with a type and what all types share.

use glob::Pattern;

use crate::attributes::Attributes;
use crate::error::{Error, Input, shown};
use crate::guard::GLOB;
use crate::types::Type;
use crate::warning::Warning;
use crate::{list, number};

/// One rule.
#[derive(Debug, Clone)]
pub(crate) struct Entry {
    /// As written, cut for messages.
    pub(crate) text: String,
    pub(crate) kind: Type,
    /// Must be `true` or `false` once its expressions are filled in.
    pub(crate) enable: String,
    /// NaN when it is no number.
    pub(crate) priority: f64,
    /// In place of the flavor's, also when empty.
    pub(crate) prefix: Option<String>,
    /// In place of the flavor's, also when empty.
    pub(crate) suffix: Option<String>,
    /// The images that it is for; all when there is none.
    images: Vec<Pattern>,
}

impl Entry {
    /// Whether the rule is for this image.
    pub(crate) fn is_for(&self, image: &str) -> bool {
        self.images.is_empty() || self.images.iter().any(|glob| glob.matches_with(image, GLOB))
    }
}

/// Reads the rules, the first to ask first.
pub(crate) fn read(input: &str, warnings: &mut Vec<Warning>) -> Result<Vec<Entry>, Error> {
    let records = list::records(input).map_err(|source| Error::List {
        input: Input::Tags,
        source,
    })?;
    let mut entries = Vec::with_capacity(records.len());
    for record in &records {
        if record.like_comment {
            warnings.push(Warning::LikeComment { line: record.line });
        }
        entries.push(entry(record, warnings)?);
    }
    Ok(by_priority(entries))
}

fn entry(record: &list::Record, warnings: &mut Vec<Warning>) -> Result<Entry, Error> {
    let mut attributes = Attributes::read(record);
    let text = attributes.entry();
    let kind = Type::read(&mut attributes)?;
    let priority = match attributes.take("priority") {
        None => kind.priority(),
        Some(value) => {
            let priority = number::read(&value);
            if priority.is_nan() {
                warnings.push(Warning::Priority {
                    entry: text.clone(),
                    value,
                });
            }
            priority
        }
    };
    let entry = Entry {
        enable: attributes.take("enable").unwrap_or_else(|| "true".to_owned()),
        prefix: attributes
            .take("prefix")
            .or_else(|| kind.prefix().map(str::to_owned)),
        suffix: attributes.take("suffix"),
        images: images(&attributes.take("image").unwrap_or_default())?,
        text: text.clone(),
        kind,
        priority,
    };
    warnings.extend(
        attributes
            .unused()
            .into_iter()
            .map(|key| Warning::UnusedAttribute {
                entry: text.clone(),
                key,
            }),
    );
    Ok(entry)
}

/// The images that a rule is for: names or patterns with `;` between them.
fn images(globs: &str) -> Result<Vec<Pattern>, Error> {
    let globs = globs.split(';').map(str::trim).filter(|glob| !glob.is_empty());
    globs
        .map(|glob| {
            Pattern::new(&glob.to_lowercase()).map_err(|error| Error::Glob {
                input: Input::Tags,
                glob: shown(glob),
                problem: error.msg,
            })
        })
        .collect()
}

/// The higher priority first, otherwise as written. A priority that is no number equals every other, which is no order
/// at all; the result is then that of the original: a run already in order is kept, the rest goes in by binary search,
/// as JavaScript's engine sorts short lists.
fn by_priority(entries: Vec<Entry>) -> Vec<Entry> {
    let mut sorted: Vec<Entry> = Vec::with_capacity(entries.len());
    let mut within_run = true;
    for entry in entries {
        within_run = within_run && !sorted.last().is_some_and(|last| entry.priority > last.priority);
        let (mut left, mut right) = (if within_run { sorted.len() } else { 0 }, sorted.len());
        while left < right {
            let middle = left + (right - left) / 2;
            if entry.priority > sorted[middle].priority {
                right = middle;
            } else {
                left = middle + 1;
            }
        }
        sorted.insert(left, entry);
    }
    sorted
}

#[cfg(test)]
mod tests {
    use super::*;

    fn order(input: &str) -> Vec<String> {
        read(input, &mut Vec::new())
            .unwrap()
            .into_iter()
            .map(|entry| entry.text)
            .collect()
    }

    #[test]
    fn types_have_an_order() {
        let input = "type=sha\ntype=raw,x\ntype=ref,event=tag\ntype=edge\ntype=match,pattern=x\ntype=pep440,pattern=x\n\
                     type=schedule";
        let mut expected: Vec<&str> = input.lines().collect();
        expected.reverse();
        assert_eq!(order(input), expected);
    }

    #[test]
    fn equal_priorities_keep_their_order() {
        assert_eq!(
            order("b\na\nc,priority=200\nd,priority=201"),
            ["d,priority=201", "b", "a", "c,priority=200"]
        );
    }

    #[test]
    fn priority_that_is_no_number_stays() {
        let mut warnings = Vec::new();
        let entries = read("a,priority=x\nb,priority=900\ntype=sha", &mut warnings).unwrap();
        assert_eq!(
            entries.iter().map(|e| e.text.as_str()).collect::<Vec<_>>(),
            ["a,priority=x", "b,priority=900", "type=sha"]
        );
        assert_eq!(warnings.len(), 1);
    }

    #[test]
    fn order_without_numbers_is_that_of_javascript() {
        // What `list.sort((a, b) => Number(b) - Number(a))` makes of it.
        for (given, expected) in [
            ("100 50 40 x 900 800", "100 50 40 x 900 800"),
            ("1 2 x 3 x 2 9 1", "9 3 2 2 1 x x 1"),
        ] {
            let input: Vec<String> = given
                .split(' ')
                .map(|priority| format!("a,priority={priority}"))
                .collect();
            let sorted: Vec<String> = order(&input.join("\n"))
                .iter()
                .map(|text| text.replace("a,priority=", ""))
                .collect();
            assert_eq!(sorted.join(" "), expected);
        }
    }

    #[test]
    fn prefixes_of_types_and_rules() {
        let prefix = |input| read(input, &mut Vec::new()).unwrap().remove(0).prefix;
        assert_eq!(prefix("type=sha").as_deref(), Some("sha-"));
        assert_eq!(prefix("type=sha,prefix=").as_deref(), Some(""));
        assert_eq!(prefix("type=ref,event=pr").as_deref(), Some("pr-"));
        assert_eq!(prefix("type=ref,event=branch"), None);
    }

    #[test]
    fn wrong_rules_say_what_is_right() {
        for (input, message, help) in [
            (
                "type=calver,pattern=x",
                "unknown type `calver`",
                "type=semver,pattern={{version}}",
            ),
            (
                "type=pep440",
                "lacks `pattern`",
                "`type=pep440,pattern={{version}}`",
            ),
            (
                "type=match,group=1",
                "lacks `pattern`",
                "`type=match,pattern=^v(.*)$,group=1`",
            ),
            (
                "type=match,pattern=v(?<x>.*),group=x",
                "`group=x` in `type=match,pattern=v(?<x>.*),group=x`, allowed is a number",
                "`type=match,pattern=^v(.*)$,group=1`",
            ),
            ("type=Raw,value=x", "supported are `schedule`, `semver`", "type="),
            (
                "type=semver",
                "lacks `pattern` in `type=semver`",
                "`type=semver,pattern={{version}}`",
            ),
            ("type=ref", "lacks `event`", "type=ref,event=branch"),
            (
                "type=ref,event=push",
                "allowed is `branch`, `tag` or `pr`",
                "type=ref,event=branch",
            ),
            ("type=raw", "lacks `value`", "type=raw,value=stable"),
            (
                "type=sha,format=x",
                "allowed is `short` or `long`",
                "type=sha,format=long",
            ),
            ("type=raw,value=a\"b", "broken quotes", "`type=raw,\"value=a,b\"`"),
        ] {
            let error = read(input, &mut Vec::new()).unwrap_err();
            assert!(error.to_string().contains(message), "{input}: {error}");
            assert!(error.help().contains(help), "{input}: {}", error.help());
        }
    }

    #[test]
    fn what_means_nothing_is_told() {
        let mut warnings = Vec::new();
        read("type=sha,fromat=long,\n  # x\ntype=raw,x,", &mut warnings).unwrap();
        let expected = [
            Warning::UnusedAttribute {
                entry: "type=sha,fromat=long,".to_owned(),
                key: "fromat".to_owned(),
            },
            Warning::LikeComment { line: 2 },
        ];
        assert_eq!(warnings, expected);
    }
}
