//! What the AWS tools share.
//!
//! [`config`] gives a client's configuration: region, credentials, time limits, and the same way to the network as every
//! other client of ours. [`reason`] says in plain words why a call failed, and whether asking again can help.

pub mod config;
pub mod reason;
mod trust;
