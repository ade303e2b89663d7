//! The health gate as a library: it says yes only to what it has seen.
//!
//! [`expect`] and [`version`] judge one answer, [`wait`] decides when to try again and when to stop; both are pure.
//! [`probe`] asks the outside over the connections of [`net`], [`until_ready`] and [`observe`] run.

pub mod account;
pub mod answer;
pub mod asked;
pub mod clause;
pub mod compare;
pub mod condition;
pub mod contest;
pub mod course;
pub mod expect;
pub mod expression;
pub mod finding;
pub mod gates;
pub mod measured;
pub mod net;
pub mod observation;
pub mod observe;
pub mod probe;
pub mod rule;
pub mod run;
pub mod setup;
pub mod source;
pub mod spec;
pub mod stats;
pub mod status_set;
pub mod tape;
pub mod trouble;
pub mod until_ready;
pub mod verdict;
pub mod version;
pub mod wait;
