//! From a request and facts to tags and labels.

use crate::derived::{Derived, Outcome, Rule, json};
use crate::entry::{self, Entry};
use crate::error::{Error, Input, shown};
use crate::expression::Expressions;
use crate::facts::{Facts, Subject};
use crate::flavor::{Affix, Flavor};
use crate::request::Request;
use crate::types::{Answer, Event};
use crate::version::Version;
use crate::warning::Warning;
use crate::{images, labels, tag_name};

/// Derives tags and labels. The same arguments always give the same result.
///
/// # Errors
/// When an input is wrong; see [`Error`]. An event that no rule fits is no error but [`Warning::NoTag`].
pub fn derive(request: &Request, facts: &Facts) -> Result<Derived, Error> {
    if [&facts.git_ref, &facts.sha, &facts.repository.full_name]
        .iter()
        .all(|fact| fact.is_empty())
    {
        return Err(Error::NothingKnown);
    }
    let subject = Subject::new(facts, request.pull_request_head, request.short_sha_length);
    let expressions = Expressions::new(&subject);
    let mut warnings = Vec::new();

    let images = images::read(&request.images)?;
    let flavor = Flavor::read(&request.flavor)?;
    let tags = if request.tags.trim().is_empty() {
        Request::DEFAULT_TAGS
    } else {
        &request.tags
    };
    let entries = entry::read(tags, &mut warnings)?;

    let mut asking = Asking {
        event: Event {
            subject: &subject,
            expressions: &expressions,
        },
        flavor: &flavor,
        warnings,
    };
    let mut version = Version::default();
    let mut rules = Vec::with_capacity(entries.len());
    for entry in &entries {
        let outcome = asking.ask(entry, &mut version)?;
        rules.push(Rule {
            text: entry.text.clone(),
            outcome,
        });
    }
    if version.is_latest() {
        let latest = asking.tag(&flavor.latest_text());
        version.add(latest.unwrap_or_default(), true);
    }

    let mut warnings = asking.warnings;
    let labels = labels::all(
        &subject,
        &expressions,
        version.main(),
        &request.labels,
        &mut warnings,
    )?;
    warnings.extend(
        expressions
            .unknown_zones()
            .into_iter()
            .map(|zone| Warning::UnknownZone { zone }),
    );
    if version.main().is_empty() {
        warnings.push(Warning::NoTag);
    }
    let warnings = without_repeats(warnings);
    let tag_names = version.tags().to_vec();
    let tags = with_names(&images, &tag_names);
    Ok(Derived {
        version: version.main().to_owned(),
        json: json(&tags, &tag_names, &labels),
        tags,
        tag_names,
        labels,
        warnings,
        rules,
    })
}

/// Asks one rule after the other.
struct Asking<'a> {
    event: Event<'a>,
    flavor: &'a Flavor,
    warnings: Vec<Warning>,
}

impl Asking<'_> {
    fn ask(&mut self, entry: &Entry, version: &mut Version) -> Result<Outcome, Error> {
        if !self.is_enabled(entry)? {
            return Ok(Outcome::Nothing("it is not enabled"));
        }
        let (text, latest) = match entry.kind.answer(&self.event, &mut self.warnings)? {
            Answer::Tag { text, latest } => (text, latest),
            Answer::Nothing(reason) => return Ok(Outcome::Nothing(reason)),
        };
        let prefix = self.affix(entry.prefix.as_deref(), &self.flavor.prefix)?;
        let suffix = self.affix(entry.suffix.as_deref(), &self.flavor.suffix)?;
        let Some(tag) = self.tag(&format!("{prefix}{text}{suffix}")) else {
            return Ok(Outcome::Nothing("its text is empty"));
        };
        version.add(tag.clone(), self.flavor.latest.decide(latest));
        Ok(Outcome::Tag(tag))
    }

    fn is_enabled(&self, entry: &Entry) -> Result<bool, Error> {
        match self.event.expressions.fill(Input::Tags, &entry.enable)?.as_str() {
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

    /// The rule's own text, also when empty, otherwise that of all tags.
    fn affix(&self, own: Option<&str>, of_all: &Affix) -> Result<String, Error> {
        self.event
            .expressions
            .fill(Input::Tags, own.unwrap_or(&of_all.text))
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
}

/// Several rules often meet the same trouble, and a runner shows ten warnings at most.
fn without_repeats(warnings: Vec<Warning>) -> Vec<Warning> {
    let mut each_once: Vec<Warning> = Vec::with_capacity(warnings.len());
    for warning in warnings {
        if !each_once.contains(&warning) {
            each_once.push(warning);
        }
    }
    each_once
}

fn with_names(images: &[String], tag_names: &[String]) -> Vec<String> {
    if images.is_empty() {
        return tag_names.to_vec();
    }
    images
        .iter()
        .flat_map(|image| tag_names.iter().map(move |tag| format!("{image}:{tag}")))
        .collect()
}
