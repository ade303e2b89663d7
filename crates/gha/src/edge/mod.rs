//! The outside world: files, environment, terminal, signals, child processes, network. Everything here is thin;
//! what there is to decide is decided by the pure modules beside it.

pub mod cancel;
pub mod environment;
pub mod files;
#[cfg(feature = "http")]
pub mod http;
pub mod live;
#[cfg(feature = "http")]
pub mod oidc;
pub mod process;
pub mod runner;
pub mod start;
mod supervise;
#[cfg(any(test, feature = "testing"))]
pub mod testing;
pub mod writer;
