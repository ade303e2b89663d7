//! A runner for tests of an edge: any environment, and a log to look into. For other crates behind the feature `testing`.

use std::io::Write;
use std::sync::{Arc, Mutex, PoisonError};

use jiff::Timestamp;

use crate::edge::environment;
use crate::edge::runner::Runner;
use crate::edge::writer::Writer;
use crate::env::Env;
use crate::interface::Interface;
use crate::log_line::Format;
use crate::mask::Masker;
use crate::trace::TraceId;

/// What was printed.
#[derive(Clone, Debug, Default)]
pub struct Log(Arc<Mutex<Vec<u8>>>);

impl Log {
    /// All of it, so far.
    #[must_use]
    pub fn text(&self) -> String {
        let bytes = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        String::from_utf8_lossy(&bytes).into_owned()
    }
}

impl Write for Log {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).write(bytes)
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

/// The interface of no tool in particular.
pub const INTERFACE: Interface = Interface::named("demo");

/// A runner with these variables; its log has the form of GitHub's where they say so.
#[must_use]
pub fn runner(variables: &[(&str, &str)]) -> (Runner, Log) {
    runner_of(INTERFACE, variables)
}

/// The same for a tool.
#[must_use]
pub fn runner_of(interface: Interface, variables: &[(&str, &str)]) -> (Runner, Log) {
    runner_at(interface, variables, environment::now())
}

/// The same for a tool that starts at some time.
#[must_use]
pub fn runner_at(interface: Interface, variables: &[(&str, &str)], started_at: Timestamp) -> (Runner, Log) {
    let env: Env = variables.iter().copied().collect();
    let log = Log::default();
    let trace = TraceId::of(&env, [1; 16]);
    let format = if env.in_runner() {
        Format::Runner
    } else {
        Format::Plain
    };
    let streams = (Box::new(log.clone()), Box::new(std::io::sink()));
    let writer = Writer::new(
        interface.name,
        trace,
        format,
        env.in_runner(),
        Masker::default(),
        streams.0,
        streams.1,
    );
    (Runner::new(interface, env, trace, writer, started_at), log)
}
