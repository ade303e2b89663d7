//! The stand-ins of AWS: services roll out, fail and go back as their images say; faults strike the calls they were asked for.

#![expect(clippy::unwrap_used, reason = "a helper of a test fails as the test does")]

mod failing;
mod faults;
mod hands;
mod rolling;
mod signing;
mod tasks;
mod traffic;
