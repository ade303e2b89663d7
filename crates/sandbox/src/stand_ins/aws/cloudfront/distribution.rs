//! Distributions: what each is in front of, and what it has been asked and has in its cache.

use std::collections::BTreeMap;
use std::time::Duration;

use super::edge::Cached;
use super::invalidations::Invalidation;
use super::{Ask, invalidations, shown};
use crate::stand_ins::aws::home::Home;
use crate::stand_ins::aws::hosting::Settings;
use crate::stand_ins::aws::hosting::answered::{Answered, Refused, refused};
use crate::stand_ins::aws::s3::Taken;

/// One distribution, in front of a bucket.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Distribution {
    /// Such as `E0000000000001`.
    pub id: String,
    /// Such as `d0000000000001.cloudfront.net`.
    pub domain: String,
    /// Other names it is visited by.
    pub aliases: Vec<String>,
    /// The bucket.
    pub bucket: String,
    /// What stands before each path in the bucket: empty, or `/site`.
    pub origin_path: String,
    /// What `/` is, without a slash.
    pub root: Option<String>,
    /// The header of the origin that holds the cache tags, where it has them.
    pub tags: Option<String>,
    /// What is served with 200 in place of what is not there, with a slash: the way of single-page applications.
    pub fallback: Option<String>,
}

/// All distributions of an account.
#[derive(Clone, Debug, Default)]
pub struct Distributions {
    pub(super) now: Duration,
    /// How long an invalidation is in progress.
    pub(super) takes: Duration,
    /// How long it is until one takes things out of the cache.
    pub(super) lag: Duration,
    pub(super) all: BTreeMap<String, Kept>,
    /// Invalidations so far, for their ids.
    pub(super) asked: u64,
}

/// A distribution with its past.
#[derive(Clone, Debug)]
pub(super) struct Kept {
    pub(super) distribution: Distribution,
    /// Oldest first.
    pub(super) invalidations: Vec<Invalidation>,
    /// By the path that visitors send.
    pub(super) cache: BTreeMap<String, Cached>,
    /// Paths that are still to be taken out of the cache, and when.
    pub(super) due: Vec<(Duration, Vec<String>)>,
}

impl Distribution {
    /// One in front of a bucket, which gets its id when it is added.
    #[must_use]
    pub fn of(bucket: &str) -> Self {
        Self {
            id: String::new(),
            domain: String::new(),
            aliases: Vec::new(),
            bucket: bucket.to_owned(),
            origin_path: String::new(),
            root: None,
            tags: None,
            fallback: None,
        }
    }

    /// The same with another name.
    #[must_use]
    pub fn alias(mut self, name: &str) -> Self {
        self.aliases.push(name.to_owned());
        self
    }

    /// The same with an origin path, such as `/site`.
    #[must_use]
    pub fn path(mut self, path: &str) -> Self {
        path.clone_into(&mut self.origin_path);
        self
    }

    /// The same with a default root object, such as `index.html`.
    #[must_use]
    pub fn root(mut self, object: &str) -> Self {
        self.root = Some(object.to_owned());
        self
    }

    /// The same with cache tags in a header of the origin, such as `x-amz-meta-cache-tag`.
    #[must_use]
    pub fn tags(mut self, header: &str) -> Self {
        self.tags = Some(header.to_ascii_lowercase());
        self
    }

    /// The same with a page for what is not there, such as `/index.html`.
    #[must_use]
    pub fn fallback(mut self, path: &str) -> Self {
        self.fallback = Some(path.to_owned());
        self
    }
}

impl Distributions {
    /// Adds one; its id.
    pub fn add(&mut self, mut distribution: Distribution) -> String {
        let number = self.all.len() + 1;
        distribution.id = format!("E{number:013}");
        distribution.domain = format!("d{number:013}.cloudfront.net");
        let id = distribution.id.clone();
        let kept = Kept {
            distribution,
            invalidations: Vec::new(),
            cache: BTreeMap::new(),
            due: Vec::new(),
        };
        self.all.insert(id.clone(), kept);
        id
    }

    /// One of them.
    #[must_use]
    pub fn distribution(&self, id: &str) -> Option<&Distribution> {
        self.all.get(id).map(|kept| &kept.distribution)
    }

    /// What one was asked to invalidate, oldest first.
    #[must_use]
    pub fn invalidations(&self, id: &str) -> Vec<Invalidation> {
        let kept = self.all.get(id);
        kept.map(|kept| kept.invalidations.clone()).unwrap_or_default()
    }

    /// The paths that the edge of one has in its cache, fresh or not.
    #[must_use]
    pub fn cached(&self, id: &str) -> Vec<String> {
        let kept = self.all.get(id);
        kept.map(|kept| kept.cache.keys().cloned().collect())
            .unwrap_or_default()
    }

    /// Whether visitors come by this name.
    pub(crate) fn serves(&self, host: &str) -> bool {
        self.id_of(host).is_some()
    }

    pub(super) fn id_of(&self, host: &str) -> Option<String> {
        let named = |kept: &&Kept| {
            let Distribution { domain, aliases, .. } = &kept.distribution;
            domain == host || aliases.iter().any(|alias| alias.eq_ignore_ascii_case(host))
        };
        let kept = self.all.values().find(named)?;
        Some(kept.distribution.id.clone())
    }

    /// Lets invalidations take their effect.
    pub(crate) fn advance(&mut self, now: Duration, settings: &Settings) {
        self.now = now;
        self.takes = settings.invalidation_takes;
        self.lag = settings.invalidation_lag;
        for kept in self.all.values_mut() {
            kept.apply(now);
        }
    }

    /// Does a request that is allowed.
    pub(crate) fn answer(
        &mut self,
        ask: &Ask,
        taken: &Taken,
        settings: &Settings,
        home: &Home,
    ) -> Result<Answered, Refused> {
        let now = self.now;
        if ask.operation == "CreateInvalidation" {
            return self.invalidate(ask, taken, settings, home);
        }
        let kept = self.kept(&ask.distribution)?;
        match ask.operation {
            "GetDistribution" => Ok(shown::distribution(kept, home, now)),
            "GetDistributionConfig" => Ok(shown::config(kept, home)),
            "ListInvalidations" => invalidations::list(kept, ask, home, now),
            _ => invalidations::get(kept, ask, home, now),
        }
    }

    pub(super) fn kept(&mut self, id: &str) -> Result<&mut Kept, Refused> {
        let kept = self.all.get_mut(id);
        kept.ok_or_else(|| {
            refused(
                404,
                "NoSuchDistribution",
                "The specified distribution does not exist.",
            )
        })
    }
}
