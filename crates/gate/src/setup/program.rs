//! Whether a program that is to be asked is there, so that a wrong name is told with its line before anything is waited
//! for. What is found here may still fail to start; that is told when it is asked.

use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

use gha::text;

/// Looks for a program as starting it would: a name with `/` is a path from the working folder, any other one is looked
/// for in the folders of `path` (<https://pubs.opengroup.org/onlinepubs/9799919799/functions/execvp.html>).
///
/// # Errors
/// When there is no such file, or none that may be run.
pub(super) fn there(program: &str, path: &str) -> Result<(), String> {
    let shown = text::cut(&text::visible(program), 100);
    if program.contains('/') {
        let found = Path::new(program).metadata();
        let found = found.map_err(|error| format!("`{shown}` can't be run: {error}"))?;
        return if may_run(&found) {
            Ok(())
        } else {
            Err(format!("`{shown}` is no program, or may not be run"))
        };
    }
    let folders = path.split(':').map(Path::new);
    let runs = |folder: &Path| folder.join(program).metadata().is_ok_and(|file| may_run(&file));
    if path.is_empty() || folders.into_iter().any(runs) {
        // Without PATH the system looks where it is used to.
        return Ok(());
    }
    Err(format!(
        "there is no program `{shown}` in PATH; one in the working folder is written `./{shown}`"
    ))
}

fn may_run(file: &std::fs::Metadata) -> bool {
    file.is_file() && file.permissions().mode() & 0o111 != 0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_program_is_a_file_that_may_be_run() {
        let folder = tempfile::tempdir().unwrap();
        let file = |name: &str, mode: u32| {
            let path = folder.path().join(name);
            std::fs::write(&path, "").unwrap();
            std::fs::set_permissions(&path, std::fs::Permissions::from_mode(mode)).unwrap();
            path.display().to_string()
        };
        let (runs, plain) = (file("runs", 0o755), file("plain", 0o644));
        let path = format!("/nowhere:{}", folder.path().display());
        assert_eq!(there(&runs, ""), Ok(()));
        assert_eq!(there("runs", &path), Ok(()));
        assert_eq!(there("runs", ""), Ok(()));
        for (program, part) in [
            (plain.as_str(), "is no program, or may not be run"),
            ("./nope", "`./nope` can't be run: No such file"),
            ("/", "is no program"),
            ("plain", "there is no program `plain` in PATH"),
            ("no\npe", "`no\\npe`"),
        ] {
            let reason = there(program, &path).unwrap_err();
            assert!(reason.contains(part) && !reason.contains('\n'), "{reason}");
        }
    }
}
