//! What a developer and CI run: build the tools, assemble a release, check it.
//!
//! The modules are values and functions; [`cli`] is the only place that parses arguments and [`console`] the only one that
//! prints. Programs are started directly, never through a shell.

pub mod actions;
pub mod assemble;
pub mod bench;
pub mod checksums;
pub mod cli;
pub mod command;
pub mod console;
pub mod demo;
pub mod dist;
pub mod elf;
pub mod environment;
pub mod git;
pub mod layout;
pub mod needs;
pub mod peers;
pub mod provenance;
pub mod servers;
pub mod size;
pub mod stage;
pub mod tally;
pub mod target;
pub mod test;
pub mod tools;
pub mod verify;
