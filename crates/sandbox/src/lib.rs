//! Stand-ins for the world outside, for tests and the demo. Never shipped.
//!
//! - [`runner`] runs one job of a workflow the way GitHub's runner does, with real processes and signals.
//! - [`http`] is a scripted HTTP server and a forward proxy on loopback, with faults and a request log.
//! - [`pages`] are the examples of the documentation, as data.
//! - [`peers`] starts real servers on loopback: nginx, PostgreSQL, Redis, Prometheus and others.
//! - [`stand_ins`] are services made of it: a web service that rolls out, a chat receiver, GitHub's API, AWS.
//!
//! A stand-in proves that our side speaks as we think the other side listens. Whether the other side does is
//! judged by real servers and foreign tools.

pub mod http;
pub mod pages;
pub mod peers;
pub mod runner;
pub mod stand_ins;

/// Whole deploys run in memory, thousands of times: with the allocator of musl, which locks for each call, a good part of that was its lock.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;
