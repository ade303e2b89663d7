//! Whole commands against a cluster in memory, on virtual time.
#![expect(clippy::unwrap_used, reason = "a test that can't go on fails where it stands")]

mod blue_green;
mod canary;
mod cluster;
mod faults;
mod mesh;
mod plan;
mod plan_ends;
mod recover;
mod scenarios;
mod servers;
mod several;
mod shop;
mod visitors;
