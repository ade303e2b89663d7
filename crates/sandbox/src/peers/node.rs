//! Judges that are scripts of this folder, run by the Node that has their packages.

use std::io;
use std::path::PathBuf;
use std::process::Command;

use serde_json::Value;

use super::place::Place;
use super::program::{Program, User};

/// Node, ready to run in a place.
pub(crate) fn node(place: &Place) -> io::Result<Command> {
    let node = Program::of("node")?;
    let mut command = node.command(place.path(), User::Same);
    // What are libraries of other programs are its packages.
    command
        .env_remove("LD_LIBRARY_PATH")
        .env("NODE_PATH", packages()?);
    Ok(command)
}

/// The folder of the packages; beside it is what was made of them.
pub(crate) fn packages() -> io::Result<PathBuf> {
    let node = Program::of("node")?;
    let folder = node.libraries().first().cloned();
    folder.ok_or_else(|| io::Error::other("no packages are installed for `node`"))
}

/// What a script says of a message: one fault a line, or `good`.
pub(crate) fn judged(place: &Place, name: &str, script: &str, message: &Value) -> io::Result<String> {
    let script = place.write(name, script)?;
    let file = place.write("message.json", message.to_string())?;
    let output = node(place)?.arg(script).arg(file).output()?;
    match output.status.success() {
        true => Ok(String::from_utf8_lossy(&output.stdout).trim().to_owned()),
        false => Err(io::Error::other(
            String::from_utf8_lossy(&output.stderr).into_owned(),
        )),
    }
}
