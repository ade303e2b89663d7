//! AWS as a deploy to ECS meets it: one account in one region behind one address, on a clock of its own.
//!
//! ```no_run
//! use sandbox::stand_ins::aws::{Clock, Cloud, Fault, Setup, Turn};
//!
//! let cloud = Cloud::open(Clock::compressed(60))?;
//! let shop = Setup::new("prod", "web").image("shop:1.0.0").desired(3).balanced().build(&cloud);
//! cloud.fault("UpdateService", Turn::Nth(1), Fault::Lost);
//! // … run a tool with cloud.environment(), let it deploy `shop:1.1.0-crash` …
//! assert_eq!(cloud.serving(&shop), ["shop:1.0.0"]);
//! # Ok::<(), std::io::Error>(())
//! ```
//!
//! [`Hosting`] is S3 and CloudFront as a publisher of sites meets them, with a cloud behind it for the rest.
//!
//! What becomes of a task is said by its image ([`Behaviour`]). Nothing runs by itself: at each call the world is moved on to
//! the clock's time, second by second, in the same order each time. Limits are those that each service's module names.

mod autoscaling;
mod call;
mod clock;
mod cloud;
mod cloudfront;
mod ecr;
mod ecs;
mod elb;
mod faults;
mod home;
mod hosting;
mod iam;
mod input;
mod limits;
mod log;
mod logs;
mod metrics;
mod parameters;
mod protocol;
mod s3;
mod secrets;
mod setup;
mod sts;
mod world;

pub use autoscaling::ScalableTargets;
pub use call::{Answer, Call, Refusal};
pub use clock::Clock;
pub use cloud::{Cloud, Heard};
pub use cloudfront::{Distribution, Distributions, Invalidation, Visit};
pub use ecr::Registry;
pub use ecs::{Behaviour, Ecs};
pub use elb::{Balancers, Checks, Health, State};
pub use faults::{Fault, Turn};
pub use home::Home;
pub use hosting::{Conditions, Hosting, HostingEntry, Settings, Stock};
pub use iam::Iam;
pub use log::{End, Entry};
pub use logs::Logs;
pub use metrics::Metrics;
pub use parameters::Parameters;
pub use protocol::{Identity, Key, Keys};
pub use s3::{Algorithm, Buckets, Checksum, Content, Encryption, Object};
pub use secrets::Secrets;
pub use setup::{Setup, Shop};
pub use sts::{Role, Sts};
pub use world::World;
