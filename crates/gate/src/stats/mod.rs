//! The statistics behind a verdict: tails of distributions, bounds of a share, percentiles. Pure functions of numbers.
//!
//! Own code, because it is little and ships in every program: a few hundred lines against a linear algebra library. It is
//! held to SciPy's values in `tests/stats_golden.rs`, far into the tails. A tail is always computed as itself and never
//! as one minus the other, so that small probabilities keep their digits. Arguments outside of what a function says it
//! takes give NaN or a value at the edge, never a panic.

pub mod beta;
pub mod binomial;
pub mod normal;
pub mod percentile;
pub mod proportion;
pub mod student;
