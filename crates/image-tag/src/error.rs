//! What can be wrong with the inputs. Every variant names the input and has a help text with an example that works;
//! nothing else fails: an event that gives no tag is a warning, not an error.

use std::fmt;

use gha::Exit;

use crate::derived::{About, Outcome, Rule};
use crate::list::ListError;

/// An input of the program, named in messages.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Input {
    /// The image names.
    Images,
    /// The rules that give tags.
    Tags,
    /// What all tags have in common.
    Flavor,
    /// Labels of the user's own.
    Labels,
    /// Annotations of the user's own.
    Annotations,
    /// What must hold of the ref.
    Require,
    /// Where a version comes from when the ref is no tag.
    VersionFrom,
}

impl Input {
    /// Lines that work, for help texts.
    #[must_use]
    pub fn example(self) -> &'static str {
        match self {
            Self::Images => "ghcr.io/org/app",
            Self::Tags => "type=semver,pattern={{version}}",
            Self::Flavor => "latest=auto",
            Self::Labels | Self::Annotations => "org.opencontainers.image.title=App",
            Self::Require => "semver-tag",
            Self::VersionFrom => "dispatch:version",
        }
    }
}

impl fmt::Display for Input {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Images => "images",
            Self::Tags => "tags",
            Self::Flavor => "flavor",
            Self::Labels => "labels",
            Self::Annotations => "annotations",
            Self::Require => "require",
            Self::VersionFrom => "version-from",
        })
    }
}

/// A wrong input. Entries are cut for display, so that a message stays readable.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The quoting of a list is broken.
    #[error("input `{input}` has broken quotes")]
    List {
        /// Which input.
        input: Input,
        /// Where and how.
        source: ListError,
    },
    /// An attribute that the input does not know.
    #[error("input `{input}` has an unknown attribute `{key}` in `{entry}`, known are {known}")]
    UnknownAttribute {
        /// Which input.
        input: Input,
        /// The line as given.
        entry: String,
        /// The attribute.
        key: String,
        /// The attributes there are.
        known: &'static str,
    },
    /// An attribute that must be there.
    #[error("input `{input}` lacks `{key}` in `{entry}`")]
    MissingAttribute {
        /// Which input.
        input: Input,
        /// The line as given.
        entry: String,
        /// The attribute.
        key: &'static str,
        /// The same entry as it would work.
        example: &'static str,
    },
    /// An attribute with a value it can't have.
    #[error("input `{input}` has `{key}={value}` in `{entry}`, allowed is {allowed}")]
    AttributeValue {
        /// Which input.
        input: Input,
        /// The line as given.
        entry: String,
        /// The attribute.
        key: &'static str,
        /// The value after its expressions were filled in.
        value: String,
        /// What would be right.
        allowed: &'static str,
    },
    /// A tag type that is not there.
    #[error("input `tags` has an unknown type `{given}` in `{entry}`, supported are {supported}")]
    UnknownType {
        /// The line as given.
        entry: String,
        /// The type.
        given: String,
        /// The types there are.
        supported: &'static str,
    },
    /// An image name that no registry takes.
    #[error("input `images` has an invalid name `{name}`: {problem}")]
    ImageName {
        /// The name, lower-cased.
        name: String,
        /// What is wrong with it.
        problem: &'static str,
    },
    /// A template that can't be read or filled in.
    #[error("input `{input}` has a broken expression in `{text}`: {problem}")]
    Expression {
        /// Which input.
        input: Input,
        /// The template.
        text: String,
        /// The engine's words, on one line.
        problem: String,
    },
    /// A regular expression that can't be used.
    #[error("input `tags` has a regular expression `{pattern}` that can't be used: {problem}")]
    Regex {
        /// The attribute that holds it.
        key: &'static str,
        /// The expression.
        pattern: String,
        /// What is wrong with it.
        problem: String,
    },
    /// A word that the input does not know.
    #[error("input `{input}` has an unknown `{word}`, known are {known}")]
    Word {
        /// Which input.
        input: Input,
        /// The word.
        word: String,
        /// The words there are.
        known: &'static str,
    },
    /// A pattern of names that can't be used.
    #[error("input `{input}` has a pattern `{glob}` that can't be used: {problem}")]
    Glob {
        /// Which input.
        input: Input,
        /// The pattern.
        glob: String,
        /// What is wrong with it.
        problem: &'static str,
    },
    /// A digest that no registry would find.
    #[error("input `digest` has `{digest}`, which is no digest")]
    Digest {
        /// What was given.
        digest: String,
    },
    /// A digest, and not exactly one image it could be of.
    #[error("input `digest` is the digest of one image, and there are {images}")]
    DigestOfOne {
        /// How many there are.
        images: usize,
    },
    /// What `require` asks for does not hold.
    #[error("`{git_ref}` is refused by `{rule}`: {why}")]
    Refused {
        /// The ref, or `(none)`.
        git_ref: String,
        /// The line of `require`.
        rule: String,
        /// What does not hold.
        why: String,
    },
    /// In native mode: no rule gave a tag.
    #[error("no rule of input `tags` gave a tag for `{}`: {}", shown(&about.git_ref), reasons(rules))]
    NoTag {
        /// What was built for.
        about: About,
        /// What each rule said.
        rules: Vec<Rule>,
    },
    /// There is nothing to derive anything from.
    #[error("neither a ref nor a commit nor a repository is known")]
    NothingKnown,
}

impl Error {
    /// What the run ends with: a guard that refuses is a gate that says no, everything else a wrong input.
    #[must_use]
    pub fn exit(&self) -> Exit {
        match self {
            Self::Refused { .. } => Exit::Failed,
            _ => Exit::Usage,
        }
    }

    /// What to do about it, with an example that works.
    #[must_use]
    pub fn help(&self) -> String {
        match self {
            Self::List { input, .. } => format!(
                "quote a whole field, and double a quote inside it: `type=raw,\"value=a,b\"`; a plain line of \
                 `{input}` is `{}`",
                input.example()
            ),
            Self::UnknownAttribute { input, .. } => match input {
                Input::Images => "write one image a line: `name=ghcr.io/org/app,enable=true`".to_owned(),
                _ => "write one setting a line: `latest=auto`, `prefix=v`, `suffix=-alpine,onlatest=true`".to_owned(),
            },
            Self::MissingAttribute { example, .. } => format!("write for example `{example}`"),
            Self::AttributeValue { input, key, .. } => format!("write for example `{}`", value_example(*input, key)),
            Self::UnknownType { .. } => format!("write for example `{}`", Input::Tags.example()),
            Self::ImageName { .. } => {
                "a name is lower-case letters, digits and single `.`, `_`, `__` or `-` between them, in parts joined \
                 by `/`, with a host before it if needed and no tag: `ghcr.io/org/app`, `localhost:5000/app`"
                    .to_owned()
            }
            Self::Expression { .. } => {
                "expressions look like `{{branch}}` or `{{date 'YYYYMMDD' tz='Europe/Berlin'}}`".to_owned()
            }
            Self::Regex { key: "pattern", .. } => {
                "it is JavaScript's, bare or between slashes with flags of `dgimsuvy` after them: `pattern=^v(.*)$`, \
                 `pattern=/^v(.*)$/i`"
                    .to_owned()
            }
            Self::Regex { .. } => "the first group is what counts: `match=^svc/v(.*)$`".to_owned(),
            Self::Word { input, .. } => format!("write for example `{}`", input.example()),
            Self::Glob { .. } => "in a pattern `*` matches within a part, `**` matches parts, `[0-9]` one character: \
                 `v[0-9]*`, `release/**`"
                .to_owned(),
            Self::Digest { .. } => {
                "take the `digest` output of the build step: `sha256:` and 64 hexadecimal characters".to_owned()
            }
            Self::DigestOfOne { .. } => "name one image, and run it once for each".to_owned(),
            Self::Refused { .. } => "nothing was built; run it for a ref that `require` allows".to_owned(),
            Self::NoTag { .. } => "add a rule that fits this event, such as `type=sha`; `image-tag explain` shows what \
                 each rule sees"
                .to_owned(),
            Self::NothingKnown => "outside a runner, say what is built: `--ref refs/tags/v1.2.3`".to_owned(),
        }
    }
}

/// What the first rules said, in one line.
fn reasons(rules: &[Rule]) -> String {
    const MOST: usize = 12;
    let reason = |rule: &Rule| match &rule.outcome {
        Outcome::Nothing(reason) => format!("`{}`: {reason}", rule.text),
        Outcome::Tag { tag, .. } => format!("`{}`: `{tag}` is for another image", rule.text),
    };
    let mut reasons: Vec<String> = rules.iter().take(MOST).map(reason).collect();
    if rules.len() > MOST {
        reasons.push(format!("and {} more", rules.len() - MOST));
    }
    reasons.join("; ")
}

/// An attribute as it would work.
fn value_example(input: Input, key: &str) -> &'static str {
    match key {
        "enable" if input == Input::Images => "name=ghcr.io/org/app,enable=true",
        "enable" => "enable={{is_default_branch}}",
        "event" => "type=ref,event=branch",
        "format" => "type=sha,format=long",
        "group" => "type=match,pattern=^v(.*)$,group=1",
        "latest" => "latest=auto",
        _ => "suffix=-alpine,onlatest=true",
    }
}

/// Text for a message: on one line, and cut, as a line of YAML is worth showing and a megabyte is not.
pub(crate) fn shown(text: &str) -> String {
    const LONGEST: usize = 200;
    let one_line = |c: char| if c.is_control() { ' ' } else { c };
    let mut characters = text.chars().map(one_line);
    let mut cut: String = characters.by_ref().take(LONGEST).collect();
    if characters.next().is_some() {
        cut.push('…');
    }
    cut
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shown_text_is_one_short_line() {
        assert_eq!(shown("a\nb\0c"), "a b c");
        assert_eq!(shown(&"é".repeat(200)), "é".repeat(200));
        assert_eq!(shown(&"é".repeat(201)), format!("{}…", "é".repeat(200)));
    }
}
