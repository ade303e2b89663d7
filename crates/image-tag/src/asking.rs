//! One rule after the other: what it gives, whether that floats, and whether this version may have it.

use std::cell::{OnceCell, RefCell};
use std::collections::HashMap;
use std::rc::Rc;

use crate::derived::{Outcome, Rule};
use crate::entry::Entry;
use crate::error::{Error, Input, shown};
use crate::flavor::{Flavor, Latest};
use crate::lines::{Lines, Order, Standing};
use crate::mode::Mode;
use crate::tag_name;
use crate::types::{Answer, Event, NamedRef};
use crate::version_order::Key;
use crate::warning::Warning;
use crate::worlds::{Place, World, neighbours};

/// A tag that a rule gives.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Given {
    pub(crate) tag: String,
    /// Other builds get it too.
    pub(crate) floating: bool,
    /// As the first tag, it brings `latest`.
    pub(crate) latest: bool,
    /// Why it does not bring `latest`, where only a higher version is in the way.
    pub(crate) latest_refused: Option<String>,
}

/// Asks rules about one build.
pub(crate) struct Asking<'a> {
    mode: Mode,
    flavor: &'a Flavor,
    here: &'a World<'a>,
    /// What is known of the repository's versions, where floating tags follow the highest.
    lines: Option<Lines>,
    at_another_commit: OnceCell<World<'a>>,
    /// The worlds in which a version is another one.
    worlds: RefCell<HashMap<(String, Place), Rc<World<'a>>>>,
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
            worlds: RefCell::default(),
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
        let around = self.with_affixes(entry, &event, &text)?;
        let Some(tag) = self.tag(&around) else {
            return nothing("its text is empty".to_owned());
        };
        if let Some(refusal) = self.reserved(entry, &text, &tag) {
            return nothing(refusal);
        }
        let version = entry.kind.version_text(&event)?;
        let at_another_commit = self
            .at_another_commit
            .get_or_init(|| self.here.at_another_commit());
        let floating = if self.stays(entry, &tag, at_another_commit)? {
            let floating = self.floats(entry, &tag, version.as_deref())?;
            if floating && let Some(refusal) = self.refusal(entry, &tag, version.as_deref())? {
                return nothing(refusal);
            }
            floating
        } else {
            // It names the commit. Another run may build that very one, and this run its merge.
            event.subject.is_of_unmerged_head()
        };
        let (latest, latest_refused) = match self.flavor.latest(self.mode) {
            Latest::Auto => (latest, None),
            Latest::Always => (true, None),
            Latest::Never => (false, None),
            Latest::Highest if !latest => (false, None),
            Latest::Highest => {
                let refusal = self.not_latest(entry, version.as_deref())?;
                (refusal.is_none(), refusal)
            }
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
                latest_refused,
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

    /// Whether other builds get the same tag, which those of another commit do: those of at least one other version.
    fn floats(&self, entry: &Entry, tag: &str, version: Option<&str>) -> Result<bool, Error> {
        match version.or(self.here.event().subject.version_text()) {
            Some(version) => self.stays_beside(entry, tag, version, true),
            None => Ok(true),
        }
    }

    /// Whether the tag stays the same with a neighbour of the version; with `any` of them, or else with all.
    fn stays_beside(&self, entry: &Entry, tag: &str, version: &str, any: bool) -> Result<bool, Error> {
        let place = self.here.place(version);
        for neighbour in neighbours(version) {
            if self.stays(entry, tag, &self.world(&neighbour, place))? == any {
                return Ok(any);
            }
        }
        Ok(!any)
    }

    fn stays(&self, entry: &Entry, tag: &str, world: &World<'_>) -> Result<bool, Error> {
        Ok(self.tag_in(entry, world)?.as_deref() == Some(tag))
    }

    /// The world with another version, which many rules ask for.
    fn world(&self, version: &str, place: Place) -> Rc<World<'a>> {
        let mut known = self.worlds.borrow_mut();
        let key = (version.to_owned(), place);
        Rc::clone(
            known
                .entry(key)
                .or_insert_with(|| Rc::new(self.here.with_version(version, place))),
        )
    }

    /// Why this version may not have a floating tag, where those follow the highest of their line.
    fn refusal(&mut self, entry: &Entry, tag: &str, version: Option<&str>) -> Result<Option<String>, Error> {
        if self.lines.is_none() {
            return Ok(None);
        }
        let of_build = self.here.event().subject.version_text();
        let version = match (version, of_build) {
            (Some(version), _) => version,
            // Other types may use a version in their expressions.
            (None, Some(version)) if !self.stays_beside(entry, tag, version, false)? => version,
            _ => return Ok(None),
        };
        let standing = self.standing(entry, version, |_, there| there == Some(tag))?;
        Ok(standing.and_then(|standing| self.why_not(tag, version, standing)))
    }

    /// Why this version is not the one that `latest` stands for.
    fn not_latest(&mut self, entry: &Entry, version: Option<&str>) -> Result<Option<String>, Error> {
        let Some(version) = version else {
            return Ok(Some("the first tag is of no version".to_owned()));
        };
        // A repository may have changed from `v1.2` to `v1.2.3`: what this rule has no tag for may be higher all the same.
        // A number alone is more likely a day.
        let plain = !entry.kind.takes_out();
        let counts = |other: &str, there: Option<&str>| there.is_some() || (plain && other.contains('.'));
        let standing = self.standing(entry, version, counts)?;
        Ok(standing.and_then(|standing| self.why_not("latest", version, standing)))
    }

    /// Where a version stands among the higher ones for which `counts` holds, given with the tag that the rule has for
    /// them; nothing where tags don't follow the highest.
    fn standing(
        &self,
        entry: &Entry,
        version: &str,
        counts: impl Fn(&str, Option<&str>) -> bool,
    ) -> Result<Option<Standing>, Error> {
        let Some(lines) = &self.lines else {
            return Ok(None);
        };
        if self.here.event().subject.is_marked_prerelease() {
            return Ok(Some(Standing::NotARelease));
        }
        let place = self.here.place(version);
        let order = |text: &str| entry.kind.order(text);
        let order: Option<Order<'_>> = entry.kind.takes_out().then_some(&order);
        let standing = lines.standing(version, order, |other| {
            let there = self.tag_in(entry, &self.world(other, place))?;
            Ok::<_, Error>(counts(other, there.as_deref()))
        })?;
        Ok(Some(standing))
    }

    fn why_not(&mut self, tag: &str, version: &str, standing: Standing) -> Option<String> {
        Some(match standing {
            Standing::Highest => return None,
            Standing::Below(other) => format!("`{tag}` belongs to `{}`", shown(&other)),
            Standing::NotARelease => format!(
                "`{tag}` follows the highest release, and `{}` is none",
                shown(version)
            ),
            Standing::Unknown => {
                self.warnings.push(Warning::TagsUnknown);
                format!("`{tag}` may belong to a higher version: the repository's tags are not known")
            }
        })
    }

    /// Why a branch, a pull request or a git tag may not take a name that versions have: it would move theirs. `text` is
    /// the name before anything was put around it.
    fn reserved(&self, entry: &Entry, text: &str, tag: &str) -> Option<String> {
        if !self.mode.is_native() {
            return None;
        }
        let is_latest = || tag == self.flavor.latest_text(self.mode);
        let is_version = |text: &str| Key::parse(text).is_some();
        let taken = match entry.kind.names_ref()? {
            NamedRef::Tag => is_latest(),
            NamedRef::Branch => is_latest() || is_version(text) || is_version(tag),
            NamedRef::PullRequest => is_version(tag),
        };
        taken.then(|| format!("`{tag}` is kept for versions"))
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
