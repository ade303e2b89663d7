//! Files that a user asked for by name, such as a report: whole or not at all.

use std::fs::{self, OpenOptions, Permissions};
use std::io::{self, Write as _};
use std::os::unix::fs::{OpenOptionsExt as _, PermissionsExt as _};
use std::path::{Component, Path, PathBuf};

use crate::edge::environment;
use crate::text;

/// Why a file could not be written, and what to do.
#[derive(Debug, thiserror::Error)]
#[error("failed to write `{path}`: {reason}")]
pub struct FileError {
    path: String,
    reason: String,
}

/// Writes a file so that a reader sees the old content or the new one, never a part. Anyone may read it, because a later
/// step may run as another user. A link of that name is replaced, not followed; a relative path does not leave the
/// working folder through one.
///
/// # Errors
/// When the folder is not there, is led to by a link from elsewhere, or can't be written to, or the path names something
/// else than a file.
pub fn write_file(path: &Path, content: &[u8]) -> Result<(), FileError> {
    write_below(Path::new("."), path, content).map_err(|reason| FileError {
        path: text::cut(&text::visible(&path.display().to_string()), 200),
        reason,
    })
}

/// The same, where a relative path begins at `base`.
fn write_below(base: &Path, path: &Path, content: &[u8]) -> Result<(), String> {
    if path.file_name().is_none() || path.as_os_str().as_encoded_bytes().ends_with(b"/") {
        return Err("it names a folder; add the name of a file".to_owned());
    }
    let folder = folder_of(base, path)?;
    let target = folder.join(path.file_name().unwrap_or_default());
    match fs::symlink_metadata(&target) {
        Ok(found) if found.is_dir() => return Err("it is a folder; add the name of a file".to_owned()),
        // A pipe or a device would be replaced by a file.
        Ok(found) if !found.is_file() && !found.is_symlink() => {
            return Err("it is a device or a pipe; name a file".to_owned());
        }
        _ => {}
    }
    replace(&folder, &target, content).map_err(|error| match error.kind() {
        io::ErrorKind::PermissionDenied | io::ErrorKind::ReadOnlyFilesystem => {
            format!("{error}; name a folder that this process may write to, such as `$RUNNER_TEMP`")
        }
        io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => {
            format!("{error}; make room on the disk")
        }
        _ => error.to_string(),
    })
}

/// The folder of a path, without links.
fn folder_of(base: &Path, path: &Path) -> Result<PathBuf, String> {
    let folder = base.join(path.parent().unwrap_or(Path::new("")));
    let real = |path: &Path| fs::canonicalize(path);
    let found = real(&folder).map_err(|error| match error.kind() {
        io::ErrorKind::NotFound => "its folder does not exist; create it first".to_owned(),
        _ => format!("its folder can't be used: {error}"),
    })?;
    if !found.is_dir() {
        return Err("its folder is a file; name another".to_owned());
    }
    let stays = path
        .components()
        .all(|part| matches!(part, Component::Normal(_) | Component::CurDir));
    let base = real(base).map_err(|error| format!("the working folder can't be used: {error}"))?;
    if stays && !found.starts_with(base) {
        return Err("a link in its path leads out of the working folder; name the folder itself".to_owned());
    }
    Ok(found)
}

/// Writes beside the target, then puts the new file in its place.
fn replace(folder: &Path, target: &Path, content: &[u8]) -> io::Result<()> {
    let name = uuid::Uuid::from_bytes(environment::random());
    let beside = folder.join(format!(".{name}.tmp"));
    let written = OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(0o644)
        .open(&beside)
        .and_then(|mut file| {
            // Whatever the process' mask takes away.
            file.set_permissions(Permissions::from_mode(0o644))?;
            file.write_all(content)
        })
        .and_then(|()| fs::rename(&beside, target));
    if written.is_err() {
        let _ = fs::remove_file(&beside);
    }
    written
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::symlink;

    fn names(folder: &Path) -> Vec<String> {
        let mut names: Vec<String> = fs::read_dir(folder)
            .unwrap()
            .map(|entry| entry.unwrap().file_name().to_string_lossy().into_owned())
            .collect();
        names.sort();
        names
    }

    #[test]
    fn a_file_is_replaced_whole() {
        let base = tempfile::tempdir().unwrap();
        let path = base.path().join("report.json");
        for content in ["one", "two"] {
            write_file(&path, content.as_bytes()).unwrap();
            assert_eq!(fs::read_to_string(&path).unwrap(), content);
        }
        assert_eq!(names(base.path()), ["report.json"], "nothing is left beside it");
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o644);
    }

    #[test]
    fn a_link_is_replaced_and_not_followed() {
        let base = tempfile::tempdir().unwrap();
        let (precious, path) = (base.path().join("precious"), base.path().join("report.json"));
        fs::write(&precious, "mine").unwrap();
        symlink(&precious, &path).unwrap();
        write_file(&path, b"new").unwrap();
        assert_eq!(fs::read_to_string(&precious).unwrap(), "mine");
        assert_eq!(fs::read_to_string(&path).unwrap(), "new");
    }

    #[test]
    fn a_relative_path_stays_where_it_begins() {
        let (base, elsewhere) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        symlink(elsewhere.path(), base.path().join("out")).unwrap();
        fs::create_dir(base.path().join("in")).unwrap();
        let reason = write_below(base.path(), Path::new("out/report.json"), b"x").unwrap_err();
        assert!(reason.contains("leads out of the working folder"), "{reason}");
        assert!(names(elsewhere.path()).is_empty());
        write_below(base.path(), Path::new("./in/report.json"), b"x").unwrap();
        write_below(base.path(), Path::new("in/../report.json"), b"x").unwrap();
        assert_eq!(names(base.path()), ["in", "out", "report.json"]);
    }

    #[test]
    fn what_is_no_place_for_a_file_says_so() {
        let base = tempfile::tempdir().unwrap();
        fs::create_dir(base.path().join("folder")).unwrap();
        fs::write(base.path().join("file"), "").unwrap();
        for (path, reason) in [
            ("none/report.json", "its folder does not exist; create it first"),
            ("file/report.json", "its folder"),
            ("folder", "it is a folder"),
            ("folder/", "it names a folder"),
            ("..", "it names a folder"),
            ("", "it names a folder"),
        ] {
            let said = write_below(base.path(), Path::new(path), b"x").unwrap_err();
            assert!(said.contains(reason), "{path}: {said}");
        }
        let said = write_file(Path::new("/dev/null"), b"x").unwrap_err().to_string();
        assert_eq!(
            said,
            "failed to write `/dev/null`: it is a device or a pipe; name a file"
        );
        assert_eq!(names(base.path()), ["file", "folder"]);
    }
}
