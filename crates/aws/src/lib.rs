//! What the AWS tools share.
//!
//! [`config`] gives a client's configuration: region, credentials, time limits, and the same way to the network as every
//! other client of ours; [`flags`] checks the values of flags that the tools share; [`role`] takes a role for a run, by the token of a
//! workflow where there is one. [`reason`] says in plain words why a call failed, and whether asking again can help. [`signed_call`]
//! asks a service whose SDK crate is not linked.

pub mod config;
pub mod flags;
pub mod reason;
pub mod role;
pub mod signed_call;
mod trust;
