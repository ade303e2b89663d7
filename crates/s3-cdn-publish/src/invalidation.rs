//! Which paths of a distribution are invalidated: the fewest that take away all that changed.
//!
//! - Up to [`Limits::paths`] paths are named exactly: nothing else leaves the cache. Names that can't be written
//!   ([`encoding`]) are cut to a wildcard.
//! - Beyond that, common beginnings with a wildcard take their place (`beginnings`), weighed so that few other objects leave
//!   the cache with them, assets for good the least; `/*` is the last resort.
//! - Objects with tags are named by [`tags`], where the distribution has them.
//!
//! Limits: what is cached under names that nobody can know from the keys (query strings unless [`Web::query_strings`], error
//! pages that stand for other paths, links that are written in unusual ways) is not named.

use encoding::{Name, comparable, name};
use need::Need;
pub use urls::{Forms, Web};

mod beginnings;
pub mod encoding;
mod need;
pub mod reference;
pub mod tags;
pub mod urls;
pub mod wait;

/// How many paths an invalidation may have.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Paths in all; each is billed beyond the first 1,000 a month of the account.
    pub paths: usize,
    /// Paths with a wildcard.
    pub wildcards: usize,
}

impl Limits {
    /// A tenth of what is free in a month: ten deploys of changes all over a site cost nothing.
    pub const STANDARD: Self = Self {
        paths: 100,
        wildcards: Self::MOST_WILDCARDS,
    };

    /// How many paths of a distribution can be in progress
    /// (<https://docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/InvalidationLimits.html>).
    pub const MOST: usize = 3000;

    /// How many paths with a wildcard can be in progress (the same page).
    pub const MOST_WILDCARDS: usize = 15;

    /// So many paths, within what CloudFront takes. None at all would name nothing, so there is one at least.
    #[must_use]
    pub fn of(paths: usize) -> Self {
        Self {
            paths: paths.clamp(1, Self::MOST),
            wildcards: Self::MOST_WILDCARDS,
        }
    }
}

/// What is to be invalidated, and what else goes with it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Invalidation {
    /// Paths and tags as CloudFront takes them, sorted.
    pub items: Vec<String>,
    /// How they were chosen.
    pub covers: Covers,
    /// Unchanged objects that leave the cache too.
    pub taken: Taken,
    /// Changed objects that no visitor can reach, because they are outside of the origin path.
    pub outside: Outside,
    /// Why it is these, in words.
    pub why: String,
}

/// How items were chosen.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Covers {
    /// There is nothing to invalidate.
    #[default]
    Nothing,
    /// What changed, each by its name.
    Exactly,
    /// Some by wildcards.
    Beginnings,
    /// The whole distribution.
    Everything,
    /// What has these tags.
    Tags,
}

/// Unchanged objects that leave the cache together with the changed ones. One that has two paths counts for each.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Taken {
    /// Assets that never change.
    pub immutable: usize,
    /// Others.
    pub mutable: usize,
}

/// Changed objects without a path.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Outside {
    /// How many.
    pub count: usize,
    /// The first of them, relative to the prefix.
    pub first: Option<String>,
}

/// An object that did not change.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Kept<'a> {
    /// Relative to the prefix.
    pub key: &'a str,
    /// Whether its name is its content's, so that it is cached for good.
    pub immutable: bool,
}

/// Chooses the paths. `changed` are the keys, in any order, whose object was overwritten or deleted and that may be cached:
/// new keys and names that stand for their content are none of them. `kept` are all others of the site, which are only
/// counted; it is read where there are wildcards.
pub fn plan<'a>(
    changed: impl IntoIterator<Item = &'a str>,
    kept: impl IntoIterator<Item = Kept<'a>>,
    web: &Web,
    limits: Limits,
) -> Invalidation {
    let mut outside = Outside::default();
    let mut needs = Vec::new();
    for key in changed {
        let paths = web.all_paths(key);
        if paths.is_empty() {
            outside.first.get_or_insert_with(|| key.to_owned());
            outside.count += 1;
        }
        for path in paths {
            need::of(&path, web.query_strings, &mut needs);
        }
    }
    let needs = need::fewest(needs);
    let named = needs.len();
    let unsure = needs.iter().filter(|need| !need.exact).count();
    let (needs, taken) = if named <= limits.paths && unsure <= limits.wildcards {
        let taken = beginnings::taken(&needs, seen(kept, web));
        (needs, taken)
    } else {
        beginnings::choose(&needs, seen(kept, web), limits)
    };
    let mut items: Vec<String> = needs.into_iter().map(Need::item).collect();
    items.sort();
    let covers = covers(&items);
    let why = why(&items, named, unsure, taken, limits);
    Invalidation {
        items,
        covers,
        taken,
        outside,
        why,
    }
}

/// The paths of unchanged objects, to be compared with wildcards.
fn seen<'a>(
    kept: impl IntoIterator<Item = Kept<'a>>,
    web: &Web,
) -> impl Iterator<Item = (Vec<String>, bool)> {
    kept.into_iter().map(|kept| {
        let paths = web.paths(kept.key).iter().map(|path| comparable(path)).collect();
        (paths, kept.immutable)
    })
}

fn covers(items: &[String]) -> Covers {
    match items {
        [] => Covers::Nothing,
        [one] if one == "/*" => Covers::Everything,
        _ if items.iter().any(|item| item.ends_with('*')) => Covers::Beginnings,
        _ => Covers::Exactly,
    }
}

fn why(items: &[String], named: usize, unsure: usize, taken: Taken, limits: Limits) -> String {
    let wildcards = items.iter().filter(|item| item.ends_with('*')).count();
    if items.is_empty() {
        return "nothing that is cached has changed".to_owned();
    }
    if wildcards == 0 {
        return "each changed path by its name".to_owned();
    }
    let reason = if named <= limits.paths && unsure <= limits.wildcards {
        format!("{} can't be named exactly", counted(unsure, "changed path"))
    } else if named > limits.paths {
        format!("{named} changed paths are more than {}", limits.paths)
    } else {
        format!(
            "{unsure} paths that can't be named exactly are more than {} wildcards",
            limits.wildcards
        )
    };
    let beside = match taken.immutable + taken.mutable {
        0 => "nothing unchanged leaves the cache".to_owned(),
        count => format!(
            "{} {} the cache too, {} of them immutable",
            counted(count, "unchanged object"),
            if count == 1 { "leaves" } else { "leave" },
            taken.immutable
        ),
    };
    format!("{reason}; {beside}")
}

fn counted(count: usize, what: &str) -> String {
    let plural = if count == 1 { "" } else { "s" };
    format!("{count} {what}{plural}")
}

impl Invalidation {
    /// Items that were chosen before.
    #[must_use]
    pub fn of_items(items: Vec<String>) -> Self {
        let is_tag = items.iter().any(|item| item.starts_with('#'));
        Self {
            covers: if is_tag { Covers::Tags } else { covers(&items) },
            items,
            ..Self::default()
        }
    }

    /// Whether there is nothing to do.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.items.is_empty()
    }

    /// How many paths are billed: a wildcard and a tag count one each
    /// (<https://docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/PayingForInvalidation.html>).
    #[must_use]
    pub fn cost(&self) -> usize {
        self.items.len()
    }

    /// How many wildcards there are.
    #[must_use]
    pub fn wildcards(&self) -> usize {
        self.items.iter().filter(|item| is_wildcard(item)).count()
    }

    /// What it costs, in words (<https://aws.amazon.com/cloudfront/pricing/>).
    #[must_use]
    pub fn price(&self) -> String {
        let kind = match self.covers {
            Covers::Nothing => return "nothing to invalidate".to_owned(),
            Covers::Tags => "tag",
            _ => "path",
        };
        format!(
            "{}; the first 1,000 of a month are free, then $0.005 each",
            counted(self.cost(), kind)
        )
    }

    /// One wildcard in the place of all paths, for where too many are in progress. None where it is one already, or names
    /// tags, which have no common beginning. What else it takes away is not counted anew.
    #[must_use]
    pub fn widened(&self) -> Option<Self> {
        let (first, last) = (self.items.first()?, self.items.last()?);
        if self.covers == Covers::Tags || (self.items.len() == 1 && is_wildcard(first)) {
            return None;
        }
        let shared = common(
            first.strip_suffix('*').unwrap_or(first),
            last.strip_suffix('*').unwrap_or(last),
        );
        let item = format!("{}*", &first[..encoding::whole(first, shared)]);
        let items = vec![item];
        Some(Self {
            covers: covers(&items),
            items,
            why: "too many invalidations are in progress for single paths".to_owned(),
            ..self.clone()
        })
    }
}

/// Whether an item is a path with a wildcard.
fn is_wildcard(item: &str) -> bool {
    item.starts_with('/') && item.ends_with('*')
}

/// How many bytes two texts share at their beginning.
fn common(one: &str, other: &str) -> usize {
    one.bytes().zip(other.bytes()).take_while(|(a, b)| a == b).count()
}

#[cfg(test)]
mod tests;
