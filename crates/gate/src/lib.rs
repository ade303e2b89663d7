//! The health gate as a library: it says yes only to what it has seen.
//!
//! [`expect`] and [`version`] judge one answer, [`wait`] decides when to try again and when to stop; both are pure.
//! [`probe`] asks the outside, and [`watch_over`] runs a probe under a policy.

pub mod answer;
pub mod expect;
pub mod finding;
pub mod probe;
pub mod status_set;
pub mod version;
pub mod wait;
pub mod watch_over;
