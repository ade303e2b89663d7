//! Whole deploys against a stand-in of AWS, on virtual time.
#![expect(clippy::unwrap_used, reason = "a test that can't go on fails where it stands")]

mod cloud;
mod gates;
mod matrix;
mod native;
mod native_back;
mod native_faults;
mod native_gates;
mod policies;
mod recover;
mod rolling;
mod verify;
mod weighted;
