//! Rolling deploys and diagnoses against a cluster in memory, on virtual time.
#![expect(clippy::unwrap_used, reason = "a test that can't go on fails where it stands")]

mod cluster;
mod ends;
mod faults;
mod looks;
mod signals;
