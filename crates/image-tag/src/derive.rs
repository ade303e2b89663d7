//! From a request and facts to tags, labels and annotations.

use crate::asking::{Asking, Given};
use crate::derived::{About, Derived, ImageTags, Outcome, Rule};
use crate::entry::{self, Entry};
use crate::error::{Error, Input};
use crate::facts::Facts;
use crate::flavor::{Flavor, Latest};
use crate::lines::Lines;
use crate::request::Request;
use crate::subject::Subject;
use crate::version::{Tag, Version};
use crate::version_from;
use crate::warning::Warning;
use crate::worlds::World;
use crate::{digest, guard, images, labels};

/// Derives tags, labels and annotations. The same arguments always give the same result.
///
/// # Errors
/// When an input is wrong, a rule of `require` does not hold, or, in native mode, no rule gives a tag; see [`Error`].
/// In compatible mode an event that no rule fits is [`Warning::NoTag`].
pub fn derive(request: &Request, facts: &Facts) -> Result<Derived, Error> {
    if [&facts.git_ref, &facts.sha, &facts.repository.full_name]
        .iter()
        .all(|fact| fact.is_empty())
    {
        return Err(Error::NothingKnown);
    }
    let mut subject = Subject::new(facts, request);
    let mut warnings = Vec::new();
    match guard::check(&request.require, &subject) {
        Err(refused @ Error::Refused { .. }) if request.explaining => warnings.push(Warning::Refused {
            reason: refused.to_string(),
        }),
        checked => checked?,
    }
    let version = version_from::find(request.version_sources(), facts, &request.tag_prefix)?;
    subject.version = version.filter(|_| subject.tag().is_none());
    if !request.digest.is_empty() {
        digest::check(&request.digest)?;
    }

    let mut names = images::read(&request.images, &mut warnings)?;
    if !request.digest.is_empty() && names.len() != 1 {
        return Err(Error::DigestOfOne { images: names.len() });
    }
    if names.is_empty() {
        // Tags have no name in front.
        names.push(String::new());
    }
    let flavor = Flavor::read(&request.flavor)?;
    let entries = entry::read(request.rules(), &mut warnings)?;
    let about = About::new(&subject);
    let here = World::new(subject);
    let follows_highest = flavor.latest(request.mode) == Latest::Highest;
    let lines = follows_highest.then(|| Lines::new(facts.tags.as_deref(), &request.tag_prefix));

    let mut asking = Asking::new(request.mode, &flavor, &here, lines, warnings);
    let mut rules: Vec<Rule> = Vec::with_capacity(entries.len());
    let mut given: Vec<(&Entry, Given)> = Vec::with_capacity(entries.len());
    for entry in &entries {
        if !names.iter().any(|name| entry.is_for(name)) {
            rules.push(Rule {
                text: entry.text.clone(),
                outcome: Outcome::Nothing("no image is the one it is for".to_owned()),
            });
            continue;
        }
        let (rule, tag) = asking.ask(entry)?;
        rules.push(rule);
        given.extend(tag.map(|tag| (entry, tag)));
    }
    let images = tags_by_image(&names, &given, &mut asking, &request.digest)?;
    // The first tag decides on `latest`, and nobody else's reason counts.
    let refusal = given.first().and_then(|(_, first)| first.latest_refused.clone());
    rules.extend(refusal.map(|reason| Rule {
        text: "latest".to_owned(),
        outcome: Outcome::Nothing(reason),
    }));
    let mut warnings = asking.warnings;

    let version = images
        .iter()
        .map(|image| image.version.as_str())
        .find(|version| !version.is_empty())
        .unwrap_or_default()
        .to_owned();
    let event = here.event();
    let mut own = |input: Input, text: &str| {
        let (subject, expressions) = (event.subject, event.expressions);
        labels::all(subject, expressions, &version, input, text, &mut warnings)
    };
    let labels = own(Input::Labels, &request.labels)?;
    let annotations = own(Input::Annotations, &request.annotations)?;
    if request.mentions("commit_date") && event.subject.is_undated() {
        warnings.push(Warning::NoCommitDate);
    }
    if facts.history.is_none() && request.mentions_history() {
        warnings.push(Warning::NoHistory);
    }
    let zones = event.expressions.unknown_zones().into_iter();
    warnings.extend(zones.map(|zone| Warning::UnknownZone { zone }));
    if version.is_empty() {
        if request.mode.is_native() && !request.explaining {
            return Err(Error::NoTag { about, rules });
        }
        warnings.push(Warning::NoTag);
    }
    Ok(Derived::new(
        request,
        about,
        version,
        images,
        [labels, annotations],
        without_repeats(warnings),
        rules,
    ))
}

/// What each image gets of the tags that the rules gave.
fn tags_by_image(
    names: &[String],
    given: &[(&Entry, Given)],
    asking: &mut Asking<'_>,
    digest: &str,
) -> Result<Vec<ImageTags>, Error> {
    let mut images = Vec::with_capacity(names.len());
    for name in names {
        let mut version = Version::default();
        for (_, tag) in given.iter().filter(|(entry, _)| entry.is_for(name)) {
            let named = Tag {
                name: tag.tag.clone(),
                floating: tag.floating,
            };
            version.add(named, tag.latest);
        }
        if version.is_latest()
            && let Some(name) = asking.latest()?
        {
            let floating = true;
            version.add(Tag { name, floating }, true);
        }
        if version.main().is_empty() && !given.is_empty() {
            asking
                .warnings
                .push(Warning::NoTagForImage { image: name.clone() });
        }
        images.push(ImageTags::new(name, &version, digest));
    }
    Ok(images)
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
