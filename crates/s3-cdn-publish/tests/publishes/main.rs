//! Whole commands against a stand-in of S3 and CloudFront, on virtual time.
#![expect(clippy::unwrap_used, reason = "a test that can't go on fails where it stands")]

mod again;
mod cdn;
mod clocks;
mod cloud;
mod door;
mod history;
mod locks;
mod matrix;
mod nights;
mod order;
mod rivals;
mod site;
mod stores;
mod tags;
mod tidy;
mod visitors;
mod way;
