//! What the user should know though nothing failed. The edge prints these; here they are values.

use std::fmt;

use crate::error::{Input, shown};
use crate::tag_name::Mended;

/// Something that may not be what was meant.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Warning {
    /// No rule gave a tag.
    NoTag,
    /// A `type=semver` rule met something that is no version.
    NotSemver {
        /// What it met.
        value: String,
    },
    /// A `type=pep440` rule met something that is no version.
    NotPep440 {
        /// What it met.
        value: String,
    },
    /// The pattern of a `type=match` rule does not fit.
    NotMatching {
        /// The pattern.
        pattern: String,
        /// What it did not fit.
        value: String,
    },
    /// The pattern of a `type=match` rule fits, but has nothing for the group asked for.
    NoGroup {
        /// The pattern.
        pattern: String,
        /// The group.
        group: String,
        /// What the pattern fits.
        value: String,
    },
    /// The regular expression of `match=` does not fit, so that the whole value was taken.
    NoMatch {
        /// The expression.
        pattern: String,
        /// What it did not fit.
        value: String,
    },
    /// A priority that is no number: such a rule stays where it stands.
    Priority {
        /// The rule.
        entry: String,
        /// The priority.
        value: String,
    },
    /// An attribute that the type of its rule does not know.
    UnusedAttribute {
        /// The rule.
        entry: String,
        /// The attribute.
        key: String,
    },
    /// An indented `#`, which is no comment but a rule or label.
    LikeComment {
        /// Line in the input `tags`, from 1.
        line: usize,
    },
    /// A time zone that does not exist; UTC was taken.
    UnknownZone {
        /// Its name.
        zone: String,
    },
    /// A tag had to be changed beyond replacing characters.
    Mended {
        /// What it was to be.
        text: String,
        /// What it became.
        tag: String,
        /// How.
        how: Mended,
    },
    /// Rules gave tags, but none for this image.
    NoTagForImage {
        /// Its name.
        image: String,
    },
    /// What `require` asks for does not hold.
    Refused {
        /// The ref, the rule and why.
        reason: String,
    },
    /// Two names stand on one line, of which the last counts.
    LostImage {
        /// The name that does not count.
        image: String,
    },
    /// An expression asks for the commit's time, which is not known.
    NoCommitDate,
    /// Floating tags follow the highest version, and the repository's tags are not known.
    TagsUnknown,
    /// An expression asks for the commit's history, which is not known.
    NoHistory,
    /// A `type=edge` rule without `branch=` where the default branch is not known.
    NoDefaultBranch,
    /// A line of labels or annotations without a key or without `=`.
    NoLabel {
        /// Which input.
        input: Input,
        /// The line.
        line: String,
    },
}

impl fmt::Display for Warning {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoTag => f.write_str("no rule of input `tags` gave a tag for this event"),
            Self::NotSemver { value } => {
                write!(
                    f,
                    "`{}` is not a semantic version (https://semver.org), so `type=semver` gives no tag",
                    shown(value)
                )
            }
            Self::NotPep440 { value } => {
                write!(
                    f,
                    "`{}` is not a version of PEP 440 (https://peps.python.org/pep-0440/), so `type=pep440` gives no tag",
                    shown(value)
                )
            }
            Self::NotMatching { pattern, value } => {
                write!(
                    f,
                    "`pattern={}` does not fit `{}`, so `type=match` gives no tag",
                    shown(pattern),
                    shown(value)
                )
            }
            Self::NoGroup {
                pattern,
                group,
                value,
            } => {
                write!(
                    f,
                    "`pattern={}` has no group `{}` in `{}`, so `type=match` gives no tag",
                    shown(pattern),
                    shown(group),
                    shown(value)
                )
            }
            Self::NoMatch { pattern, value } => {
                write!(
                    f,
                    "`match={}` does not fit `{}`, the whole is taken",
                    shown(pattern),
                    shown(value)
                )
            }
            Self::Priority { entry, value } => {
                write!(f, "priority `{}` in `{entry}` is not a number", shown(value))
            }
            Self::UnusedAttribute { entry, key } => {
                write!(f, "attribute `{}` in `{entry}` means nothing there", shown(key))
            }
            Self::LikeComment { line } => {
                write!(
                    f,
                    "line {line} of input `tags` is no comment: `#` must be the first character of its line"
                )
            }
            Self::UnknownZone { zone } => {
                write!(f, "time zone `{}` does not exist, UTC is taken", shown(zone))
            }
            Self::Mended { text, tag, how } => {
                let why = match how {
                    Mended::Start => "can't be a tag, as one starts with a letter, a digit or `_`",
                    Mended::Cut => "is too long for a tag of 128 characters",
                    Mended::Hashed => "has no character that a tag may have",
                };
                write!(f, "`{}` {why}: it becomes `{tag}`", shown(text))
            }
            Self::NoDefaultBranch => f.write_str(
                "`type=edge` gives no tag: the default branch is not known, name it by `branch=main`",
            ),
            Self::NoLabel { input, line } => write!(
                f,
                "`{}` of input `{input}` is left out: it has no `key=`",
                shown(line)
            ),
            Self::NoTagForImage { image } => write!(f, "no rule of input `tags` gave a tag for `{}`", shown(image)),
            Self::TagsUnknown => f.write_str(
                "`latest` and other tags that move follow the highest version, and the repository's tags are not \
                 known: check out the whole history with the tag that is built (`fetch-depth: 0` on GitHub), or let \
                 the step ask GitHub's API with `github-token`",
            ),
            Self::Refused { reason } => f.write_str(reason),
            Self::LostImage { image } => write!(
                f,
                "image `{}` does not count: one name a line, another one follows it on its line",
                shown(image)
            ),
            Self::NoCommitDate => f.write_str("the commit's time is not known, `commit_date` is the time of this run"),
            Self::NoHistory => f.write_str(
                "`describe`, `distance` and `commit_count` are empty: they need a checkout of the commit that is built, with its history \
                 (`fetch-depth: 0`)",
            ),
        }
    }
}
