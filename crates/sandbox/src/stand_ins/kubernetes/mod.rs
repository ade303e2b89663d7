//! Kubernetes as a deploy meets it: an API server with what runs behind it, on a clock of its own.
//!
//! ```no_run
//! use sandbox::stand_ins::kubernetes::{Clock, Cluster, Fault, Login, Turn};
//! use serde_json::json;
//!
//! let cluster = Cluster::open(Clock::compressed(60))?;
//! cluster.world(|world| world.put(json!({
//!     "apiVersion": "v1", "kind": "Service", "metadata": { "name": "web" },
//!     "spec": { "selector": { "app": "web" }, "ports": [{ "port": 80 }] },
//! })));
//! cluster.fault("patch services web", Turn::Nth(1), Fault::Lost);
//! cluster.before("patch services web", 2, |world| {
//!     world.merge("services", "default", "web", json!({ "spec": { "selector": { "app": "other" } } }));
//! });
//! // … run a tool with cluster.kubeconfig(Login::Token)? …
//! assert_eq!(cluster.calls("patch services web").len(), 1);
//! # Ok::<(), std::io::Error>(())
//! ```
//!
//! What becomes of a pod is said by its image ([`Behaviour`]). Nothing runs by itself: at each call, and at each look into a watch, the
//! world is moved on to the clock's time, from one thing that is due to the next. Objects are what was sent, with the fields that
//! the schema knows; limits are those that each module names. Not here: exec, attach, eviction, volumes, nodes as
//! objects, admission by policies, protobuf (but for reviews), SPDY without WebSockets, HTTP/2.

mod api;
mod ask;
mod auth;
mod cluster;
mod controllers;
mod events;
mod faults;
mod forward;
mod inside;
mod kinds;
mod kubeconfig;
mod kubelet;
mod log;
mod logs;
mod object;
mod patch;
mod protobuf;
mod refusal;
mod schema;
mod selectors;
mod settings;
mod store;
mod stream;
mod traffic;
mod watch;
mod wire;
mod world;

pub use auth::{Role, User};
pub use cluster::{Cluster, Heard};
pub use faults::Fault;
pub use kubeconfig::Login;
pub use kubelet::Behaviour;
pub use log::Entry;
pub use refusal::Refusal;
pub use settings::Settings;
pub use stream::{Piece, Stream};
pub use traffic::{Lost, Visit};
pub use world::World;

pub use super::aws::{Clock, End, Turn};
