//! Secrets by name: a gate file never holds one, it names the environment variable that does.

use crate::spec::fault::Place;

/// The name of an environment variable whose value is secret. It was set when the file was read; the edge reads the value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SecretName {
    /// The variable's name.
    pub name: String,
    /// Where the file names it.
    pub at: Place,
}
