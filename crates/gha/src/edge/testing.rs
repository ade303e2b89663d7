//! A runner for tests of the edge: any environment, and a log to look into.

use std::io::Write;
use std::sync::{Arc, Mutex};

use crate::edge::runner::Runner;
use crate::edge::writer::Writer;
use crate::env::Env;
use crate::interface::Interface;
use crate::log_line::Format;
use crate::mask::Masker;
use crate::trace::TraceId;

/// What was printed.
#[derive(Clone, Default)]
pub(crate) struct Log(Arc<Mutex<Vec<u8>>>);

impl Log {
    pub(crate) fn text(&self) -> String {
        String::from_utf8(self.0.lock().unwrap().clone()).unwrap()
    }
}

impl Write for Log {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap().write(bytes)
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

/// The interface of no tool in particular.
pub(crate) const INTERFACE: Interface = Interface::named("demo");

/// A runner with these variables; its log has the form of GitHub's where they say so.
pub(crate) fn runner(variables: &[(&str, &str)]) -> (Runner, Log) {
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
        "demo",
        trace,
        format,
        env.in_runner(),
        Masker::default(),
        streams.0,
        streams.1,
    );
    (Runner::new(INTERFACE, env, trace, writer), log)
}
