//! S3 as a publisher of sites meets it: buckets of objects, conditions, checksums, copies, uploads in parts, listings.
//!
//! Behaviours are those of the [API reference](https://docs.aws.amazon.com/AmazonS3/latest/API/Welcome.html) for general
//! purpose buckets as they are made since 2023: no ACLs, strong consistency, a CRC64NVME where no checksum was asked for.
//! Limits: no versions, no tags, no policies, no lifecycle, no presigned addresses, no copies of parts; everybody who
//! signs well may do everything.

mod ask;
mod authorize;
mod buckets;
mod chunked;
mod copy;
mod delete;
mod headers;
mod intake;
mod list;
mod multipart;
mod object;
mod parts;
mod read;
mod sums;
mod uploads;
mod write;

pub(crate) use ask::Ask;
pub(crate) use authorize::{Regions, check};
pub use buckets::Buckets;
pub(crate) use delete::keys_of;
pub(crate) use intake::{Intake, Taken};
pub use object::{Content, Encryption, Object};
pub use sums::{Algorithm, Checksum};

use std::time::Duration;

use jiff::Timestamp;

use super::call::Refusal;
use super::home::Home;
use super::hosting::{Answered, Refused, Settings};
use crate::http::Request;

/// The namespace of its XML.
const NAMESPACE: &str = "http://s3.amazonaws.com/doc/2006-03-01/";

/// One request that is done.
pub(crate) struct Work<'a> {
    pub(crate) ask: &'a Ask,
    pub(crate) head: &'a Request,
    pub(crate) taken: &'a Taken,
    pub(crate) settings: &'a Settings,
    pub(crate) home: &'a Home,
    pub(crate) now: Duration,
    /// Why a single key of a batch can't be deleted.
    pub(crate) refusal: &'a dyn Fn(&str) -> Option<Refusal>,
}

/// What an operation says.
pub(crate) type Answer = Result<Answered, Refused>;

impl Work<'_> {
    /// A moment as XML has it; S3 knows whole seconds.
    fn time(&self, moment: Duration) -> String {
        self.timestamp(moment)
            .map_or_else(String::new, |time| format!("{time:.3}"))
    }

    /// A moment as headers have it.
    fn date(&self, moment: Duration) -> String {
        self.home.date(moment)
    }

    fn timestamp(&self, moment: Duration) -> Option<Timestamp> {
        // Times of a test are far from where this saturates.
        Timestamp::from_second(self.home.time(moment) as i64).ok()
    }

    /// An answer in XML.
    fn xml(&self, root: &str, content: &str) -> Answered {
        Answered::xml(200, root, NAMESPACE, content)
    }
}
