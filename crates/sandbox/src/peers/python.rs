//! Servers that are a script of this folder, run by the Python that has their libraries.

use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::process::Command;

use super::place::Place;
use super::process::Process;
use super::program::{Program, User};

/// A script of this folder, ready to run in a place.
pub(crate) fn script(place: &Place, name: &str, text: &str) -> io::Result<Command> {
    let file = place.write(name, text)?;
    let mut command = Program::of("python")?.command(place.path(), User::Same);
    // Nothing of the user's own Python.
    command.args(["-I", "-B"]).arg(file);
    Ok(command)
}

/// The loopback address of a port that a script printed, as `port 12345`.
pub(crate) fn printed(process: &Process, name: &str) -> io::Result<SocketAddr> {
    port(&process.log(), name)
        .map(|port| SocketAddr::from((Ipv4Addr::LOCALHOST, port)))
        .ok_or_else(|| io::Error::other(format!("no `{name}` was printed")))
}

/// The number of a whole line: the last one may still be coming.
pub(crate) fn port(log: &str, name: &str) -> Option<u16> {
    log.split_inclusive('\n')
        .find_map(|line| line.strip_suffix('\n')?.strip_prefix(name)?.strip_prefix(' '))
        .and_then(|port| port.parse().ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_port_is_taken_from_a_whole_line_alone() {
        assert_eq!(port("warning\nport 12345\n", "port"), Some(12345));
        assert_eq!(port("port 123", "port"), None);
        assert_eq!(port("control 1\n", "port"), None);
    }
}
