//! Real servers on loopback, each started for one test and gone with it: what the gate's probes and sources are judged by.
//!
//! A server is configured by a few lines of its own language, so that a test shows what it is about. Starting returns
//! once the server listens. It ends when its value is dropped, also by a panic, and when the thread that started it
//! ends, so a server can't be shared by tests. Each has its files in a [`Place`].
//!
//! The programs are what `cargo xtask servers` finds; nothing here installs or chooses one. They run on Linux alone.

mod aws;
mod blackbox;
pub mod certificate;
mod discord_message;
mod exporter;
mod grpc_health;
mod kubectl;
mod mail;
mod moto;
mod nginx;
mod node;
mod place;
mod port;
mod postgres;
mod prism;
mod process;
mod program;
mod prometheus;
mod python;
mod redis;
mod slack_blocks;
mod teams_card;
pub mod web;

pub use aws::{AwsCli, Botocore, Judged};
pub use blackbox::{Blackbox, MODULES, Opinion};
pub use discord_message::discord_message;
pub use exporter::{Exporter, Scrapes};
pub use grpc_health::{GrpcHealth, Serving};
pub use kubectl::{Forwarded, Kubectl, Said};
pub use mail::{Line, MailServer};
pub use moto::{Moto, Network};
pub use nginx::Nginx;
pub use place::Place;
pub use postgres::{Held, Postgres};
pub use prism::Prism;
pub use prometheus::Prometheus;
pub use redis::Redis;
pub use slack_blocks::slack_blocks;
pub use teams_card::teams_card;
