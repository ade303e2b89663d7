//! The files for `docker buildx bake`, written where later steps of the job can read them. The edge: nothing here
//! decides on a tag.

use std::fs::{self, OpenOptions, Permissions};
use std::io::{self, Write as _};
use std::os::unix::fs::{OpenOptionsExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};

use crate::bake::BakeFile;

/// Writes the files into a fresh folder below the job's temp folder; by output the path.
pub(crate) fn write(files: &[BakeFile], temp: &Path) -> io::Result<Vec<(&'static str, PathBuf)>> {
    let parent = temp.join("deploy-actions");
    fs::create_dir_all(&parent)?;
    // Nobody else can have put a link in a folder that did not exist before; later steps may run as another user.
    let folder = tempfile::Builder::new()
        .prefix("image-tag-")
        .permissions(Permissions::from_mode(0o755))
        .tempdir_in(parent)?
        .keep();
    let mut written = Vec::with_capacity(files.len());
    for (output, name, content) in files {
        let path = folder.join(name);
        let mut file = OpenOptions::new()
            .write(true)
            .create_new(true)
            .mode(0o644)
            .open(&path)?;
        file.write_all(content.as_bytes())?;
        written.push((*output, path));
    }
    Ok(written)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn files() -> Vec<BakeFile> {
        vec![
            ("bake-file", "a.json", "{}".to_owned()),
            ("other", "b.json", "[]".to_owned()),
        ]
    }

    #[test]
    fn each_output_has_a_file_of_its_own() {
        let temp = tempfile::tempdir().unwrap();
        let one = write(&files(), temp.path()).unwrap();
        let other = write(&files(), temp.path()).unwrap();
        assert_eq!(
            one.iter().map(|(output, _)| *output).collect::<Vec<_>>(),
            ["bake-file", "other"]
        );
        assert_eq!(fs::read_to_string(&one[1].1).unwrap(), "[]");
        assert_ne!(one[0].1, other[0].1);
        let mode = fs::metadata(one[0].1.parent().unwrap())
            .unwrap()
            .permissions()
            .mode();
        assert_eq!(mode & 0o777, 0o755);
    }

    #[test]
    fn a_folder_that_is_none_is_an_error() {
        assert!(write(&files(), Path::new("/dev/null")).is_err());
    }
}
