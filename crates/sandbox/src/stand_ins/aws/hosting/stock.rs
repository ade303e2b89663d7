//! What the services keep, for the services themselves, for second actors and for a test's own hands.

use std::time::Duration;

use super::settings::Settings;
use crate::stand_ins::aws::cloudfront::Distributions;
use crate::stand_ins::aws::s3::Buckets;

/// Buckets and distributions.
#[derive(Clone, Debug)]
pub struct Stock {
    now: Duration,
    /// Buckets.
    pub s3: Buckets,
    /// Distributions, with what their edge has in its cache.
    pub cloudfront: Distributions,
}

impl Stock {
    pub(crate) fn new(settings: &Settings) -> Self {
        Self {
            now: Duration::ZERO,
            s3: Buckets::new(&settings.region),
            cloudfront: Distributions::default(),
        }
    }

    /// The time on the clock.
    #[must_use]
    pub fn now(&self) -> Duration {
        self.now
    }

    pub(crate) fn advance(&mut self, now: Duration, settings: &Settings) {
        self.now = self.now.max(now);
        self.s3.advance(self.now, &settings.region);
        self.cloudfront.advance(self.now, settings);
    }
}
