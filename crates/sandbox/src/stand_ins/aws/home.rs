//! Where and when a cloud is: its account, its region, and the date at which its clock stood at zero.

use std::time::Duration;

use jiff::Timestamp;

/// One account in one region.
#[derive(Clone, Debug, PartialEq)]
pub struct Home {
    /// Such as `eu-central-1`.
    pub region: String,
    /// Twelve digits.
    pub account: String,
    /// When the cloud's clock stood at zero, in seconds since 1970.
    pub began: f64,
}

impl Home {
    /// `arn:aws:SERVICE:REGION:ACCOUNT:RESOURCE`.
    #[must_use]
    pub fn arn(&self, service: &str, resource: &str) -> String {
        format!("arn:aws:{service}:{}:{}:{resource}", self.region, self.account)
    }

    /// A moment of the cloud's clock as seconds since 1970, to the millisecond.
    #[must_use]
    pub fn time(&self, now: Duration) -> f64 {
        ((self.began + now.as_secs_f64()) * 1000.0).round() / 1000.0
    }

    /// A moment of the cloud's clock as headers have it, such as `Date`.
    #[must_use]
    pub fn date(&self, now: Duration) -> String {
        // Times of a test are far from where this saturates.
        let time = Timestamp::from_second(self.time(now) as i64);
        time.map_or_else(
            |_| String::new(),
            |time| time.strftime("%a, %d %b %Y %H:%M:%S GMT").to_string(),
        )
    }
}

impl Default for Home {
    fn default() -> Self {
        Self {
            region: "eu-central-1".to_owned(),
            account: "123456789012".to_owned(),
            // 2026-01-01T00:00:00Z
            began: 1_767_225_600.0,
        }
    }
}
