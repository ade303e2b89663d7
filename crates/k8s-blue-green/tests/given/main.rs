//! What is given to deploy, against a cluster in memory on the virtual time of the test.
#![expect(clippy::unwrap_used, reason = "a test that can't go on fails where it stands")]

mod apply;
mod cluster;
mod migration;
