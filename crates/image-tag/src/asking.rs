//! One rule after the other: what it gives, whether that floats, and whether this version may have it.

use std::cell::OnceCell;

use crate::derived::{Outcome, Rule};
use crate::entry::Entry;
use crate::error::{Error, Input, shown};
use crate::flavor::{Flavor, Latest};
use crate::lines::{Lines, Standing};
use crate::mode::Mode;
use crate::tag_name;
use crate::types::{Answer, Event};
use crate::warning::Warning;
use crate::worlds::{World, neighbours};

/// A tag that a rule gives.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Given {
    pub(crate) tag: String,
    /// Other builds get it too.
    pub(crate) floating: bool,
    /// As the first tag, it brings `latest`.
    pub(crate) latest: bool,
}

/// Asks rules about one build.
pub(crate) struct Asking<'a> {
    mode: Mode,
    flavor: &'a Flavor,
    here: &'a World<'a>,
    /// What is known of the repository's versions, where floating tags follow the highest.
    lines: Option<Lines>,
    at_another_commit: OnceCell<World<'a>>,
    /// The worlds in which the git tag is another one.
    with_other_tags: OnceCell<Vec<World<'a>>>,
    pub(crate) warnings: Vec<Warning>,
}

impl<'a> Asking<'a> {
    pub(crate) fn new(
        mode: Mode,
        flavor: &'a Flavor,
        here: &'a World<'a>,
        lines: Option<Lines>,
        warnings: Vec<Warning>,
    ) -> Self {
        Self {
            mode,
            flavor,
            here,
            lines,
            at_another_commit: OnceCell::new(),
            with_other_tags: OnceCell::new(),
            warnings,
        }
    }

    /// Asks one rule.
    pub(crate) fn ask(&mut self, entry: &Entry) -> Result<(Rule, Option<Given>), Error> {
        let nothing = |reason: String| {
            let text = entry.text.clone();
            let outcome = Outcome::Nothing(reason);
            Ok((Rule { text, outcome }, None))
        };
        let event = self.here.event();
        if !is_enabled(entry, &event)? {
            return nothing("it is not enabled".to_owned());
        }
        let (text, latest) = match entry.kind.answer(&event, &mut self.warnings)? {
            Answer::Tag { text, latest } => (text, latest),
            Answer::Nothing(reason) => return nothing(reason.into_owned()),
        };
        let text = self.with_affixes(entry, &event, &text)?;
        let Some(tag) = self.tag(&text) else {
            return nothing("its text is empty".to_owned());
        };
        let version = entry.kind.version_text(&event)?;
        let floating = self.floats(entry, &tag, version.as_deref())?;
        if floating && let Some(refusal) = self.refusal(entry, &tag, version.as_deref())? {
            return nothing(refusal);
        }
        let latest = match self.flavor.latest(self.mode) {
            Latest::Auto => latest,
            Latest::Always => true,
            Latest::Never => false,
            Latest::Highest => latest && self.is_highest(version.as_deref())?,
        };
        let rule = Rule {
            text: entry.text.clone(),
            outcome: Outcome::Tag {
                tag: tag.clone(),
                floating,
            },
        };
        Ok((
            rule,
            Some(Given {
                tag,
                floating,
                latest,
            }),
        ))
    }

    /// The tag `latest` with what it gets of prefix and suffix.
    pub(crate) fn latest(&mut self) -> Result<Option<String>, Error> {
        let text = match self.mode {
            // There it is said that expressions stay as they are.
            Mode::Compatible => self.flavor.latest_text(self.mode),
            Mode::Native => self
                .here
                .event()
                .expressions
                .fill(Input::Flavor, &self.flavor.latest_text(self.mode))?,
        };
        Ok(self.tag(&text))
    }

    fn with_affixes(&self, entry: &Entry, event: &Event<'_>, text: &str) -> Result<String, Error> {
        let flavor = self.flavor;
        let own = |own: &Option<String>| own.clone().unwrap_or_default();
        let (prefix, suffix) = match self.mode {
            // The rule's own text, also when empty, otherwise that of all tags.
            Mode::Compatible => (
                entry.prefix.clone().unwrap_or(flavor.prefix.text.clone()),
                entry.suffix.clone().unwrap_or(flavor.suffix.text.clone()),
            ),
            Mode::Native => (
                flavor.prefix.text.clone() + &own(&entry.prefix),
                own(&entry.suffix) + &flavor.suffix.text,
            ),
        };
        let fill = |affix: &str| event.expressions.fill(Input::Tags, affix);
        Ok(format!("{}{text}{}", fill(&prefix)?, fill(&suffix)?))
    }

    fn tag(&mut self, text: &str) -> Option<String> {
        let (tag, mended) = tag_name::from_text(text)?;
        if let Some(how) = mended {
            self.warnings.push(Warning::Mended {
                text: shown(text),
                tag: tag.clone(),
                how,
            });
        }
        Some(tag)
    }

    /// What the rule gives in another world; nobody is warned of what happens there.
    fn tag_in(&self, entry: &Entry, world: &World<'_>) -> Result<Option<String>, Error> {
        let event = world.event();
        let Answer::Tag { text, .. } = entry.kind.answer(&event, &mut Vec::new())? else {
            return Ok(None);
        };
        let text = self.with_affixes(entry, &event, &text)?;
        Ok(tag_name::from_text(&text).map(|(tag, _)| tag))
    }

    /// Whether other builds get the same tag: those of another commit, and those of at least one other version.
    fn floats(&self, entry: &Entry, tag: &str, version: Option<&str>) -> Result<bool, Error> {
        let stays = |world: &World<'_>| Ok(self.tag_in(entry, world)?.as_deref() == Some(tag));
        let at_another_commit = self
            .at_another_commit
            .get_or_init(|| self.here.at_another_commit());
        if !stays(at_another_commit)? {
            return Ok(false);
        }
        let git_tag = self.here.event().subject.tag();
        let own;
        let others = match version.filter(|version| Some(*version) != git_tag) {
            Some(version) => {
                own = self.with_versions_beside(version, false);
                &own
            }
            None => match git_tag {
                Some(tag) => self
                    .with_other_tags
                    .get_or_init(|| self.with_versions_beside(tag, true)),
                None => return Ok(true),
            },
        };
        for other in others {
            if stays(other)? {
                return Ok(true);
            }
        }
        Ok(false)
    }

    fn with_versions_beside(&self, version: &str, is_tag: bool) -> Vec<World<'a>> {
        neighbours(version)
            .iter()
            .map(|neighbour| self.here.with_version(neighbour, is_tag))
            .collect()
    }

    /// Why this version may not have a floating tag, where those follow the highest of their line.
    fn refusal(&mut self, entry: &Entry, tag: &str, version: Option<&str>) -> Result<Option<String>, Error> {
        let (Some(lines), Some(version)) = (&self.lines, version) else {
            return Ok(None);
        };
        let is_tag = self.here.event().subject.tag() == Some(version);
        let standing = lines.standing(version, |other| {
            let world = self.here.with_version(other, is_tag);
            Ok::<_, Error>(self.tag_in(entry, &world)?.as_deref() == Some(tag))
        })?;
        Ok(match standing {
            Standing::Highest => None,
            Standing::Below(other) => Some(format!("`{tag}` belongs to `{}`", shown(&other))),
            Standing::NotARelease => Some(format!(
                "`{tag}` follows the highest release, and `{}` is none",
                shown(version)
            )),
            Standing::Unknown => {
                self.warnings.push(Warning::TagsUnknown);
                Some(format!(
                    "`{tag}` may belong to a higher version: the repository's tags are not known"
                ))
            }
        })
    }

    fn is_highest(&mut self, version: Option<&str>) -> Result<bool, Error> {
        let (Some(lines), Some(version)) = (&self.lines, version) else {
            return Ok(false);
        };
        let standing = lines.standing(version, |_| Ok::<_, Error>(true))?;
        if standing == Standing::Unknown {
            self.warnings.push(Warning::TagsUnknown);
        }
        Ok(standing == Standing::Highest)
    }
}

fn is_enabled(entry: &Entry, event: &Event<'_>) -> Result<bool, Error> {
    match event.expressions.fill(Input::Tags, &entry.enable)?.as_str() {
        "true" => Ok(true),
        "false" => Ok(false),
        other => Err(Error::AttributeValue {
            input: Input::Tags,
            entry: entry.text.clone(),
            key: "enable",
            value: shown(other),
            allowed: "`true` or `false`",
        }),
    }
}
