//! S3 and CloudFront of one account behind one address: where a site is put and from where visitors get it.
//!
//! ```no_run
//! use sandbox::stand_ins::aws::{Clock, Distribution, Fault, Hosting, Object, Turn};
//!
//! let hosting = Hosting::open(Clock::compressed(60))?;
//! let id = hosting.stock(|stock| {
//!     stock.s3.put("site", "foreign.txt", Object::new("of somebody else"));
//!     stock.cloudfront.add(Distribution::of("site").root("index.html"))
//! });
//! hosting.fault("PutObject assets/*", Turn::Nth(3), Fault::Denied);
//! // … run a tool with hosting.environment() …
//! assert_eq!(hosting.visit(&id, "/").status, 200);
//! # Ok::<(), std::io::Error>(())
//! ```
//!
//! What is signed for another service goes on to a [`Cloud`](super::Cloud) with the same clock and keys.

pub(crate) mod address;
pub(crate) mod answered;
mod control;
mod faults;
mod handle;
mod inside;
mod log;
mod route;
mod settings;
mod stock;
mod wire;

pub(crate) use answered::{Answered, Refused};
pub use handle::Hosting;
pub use log::HostingEntry;
pub use settings::{Conditions, Settings};
pub use stock::Stock;
