//! A folder for one server's files.

use std::io;
use std::path::{Path, PathBuf};

use tempfile::TempDir;

/// A folder that goes away by itself. It outlives the servers that are started in it.
#[derive(Debug)]
pub struct Place {
    folder: TempDir,
}

impl Place {
    /// A new, empty one.
    ///
    /// # Errors
    /// When the machine has no room for it.
    pub fn new() -> io::Result<Self> {
        let folder = tempfile::Builder::new().prefix("peer-").tempdir()?;
        Ok(Self { folder })
    }

    /// The folder.
    #[must_use]
    pub fn path(&self) -> &Path {
        self.folder.path()
    }

    /// Writes a file, for a configuration that names it; its path.
    ///
    /// # Errors
    /// When it can't be written.
    pub fn write(&self, name: &str, text: impl AsRef<[u8]>) -> io::Result<PathBuf> {
        let file = self.path().join(name);
        std::fs::write(&file, text)?;
        Ok(file)
    }
}
