//! The stand-ins of S3 and CloudFront: what botocore and the `aws` command do not reach.

#![expect(clippy::unwrap_used, reason = "a helper of a test fails as the test does")]

mod client;
mod edge;
mod faults;
mod foreign;
mod invalidations;
mod objects;
mod regions;
mod uploads;
mod wire;
