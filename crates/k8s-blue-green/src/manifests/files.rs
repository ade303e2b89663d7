//! The files that a path or a pattern leads to, in the order of their names.

use std::fs::{self, File};
use std::io::{self, Read as _};
use std::path::{Path, PathBuf};

use super::yaml::LARGEST;

/// How many files there may be.
const MOST_FILES: usize = 2_000;

/// How deep folders may stand in each other; a link that leads back ends there.
const DEEPEST: usize = 20;

/// The ends of names of manifests.
const ENDS: [&str; 3] = ["json", "yaml", "yml"];

/// The files that `path` names. A path that is there counts as itself, whatever is in its name.
pub(super) fn named(path: &str) -> Result<Vec<PathBuf>, String> {
    let literal = Path::new(path);
    match fs::metadata(literal) {
        Ok(found) if found.is_dir() => in_folder(literal),
        Ok(_) => Ok(vec![literal.to_owned()]),
        Err(_) if path.contains(['*', '?', '[']) => matched(path),
        Err(error) => Err(error.to_string()),
    }
}

fn in_folder(folder: &Path) -> Result<Vec<PathBuf>, String> {
    let mut files = Vec::new();
    walk(folder, 0, &mut files)?;
    match files.is_empty() {
        true => Err("the folder has no `.yaml`, `.yml` or `.json` file".to_owned()),
        false => Ok(files),
    }
}

fn walk(folder: &Path, depth: usize, files: &mut Vec<PathBuf>) -> Result<(), String> {
    let shown = || gha::text::visible(&folder.display().to_string());
    if depth > DEEPEST {
        return Err(format!(
            "folder `{}` is over {DEEPEST} deep; a link may lead back",
            shown()
        ));
    }
    for (name, hint) in [
        ("Chart.yaml", "a chart; give it as `helm:RELEASE CHART`"),
        (
            "kustomization.yaml",
            "a kustomization; give it as `kustomize:FOLDER`",
        ),
        (
            "kustomization.yml",
            "a kustomization; give it as `kustomize:FOLDER`",
        ),
        ("Kustomization", "a kustomization; give it as `kustomize:FOLDER`"),
    ] {
        if folder.join(name).is_file() {
            return Err(format!("folder `{}` is {hint}", shown()));
        }
    }
    let entries = fs::read_dir(folder).and_then(|entries| entries.collect::<io::Result<Vec<_>>>());
    let entries = entries.map_err(|error| format!("folder `{}`: {error}", shown()))?;
    let mut paths: Vec<PathBuf> = entries.iter().map(fs::DirEntry::path).collect();
    paths.sort();
    for path in paths {
        let hidden = path
            .file_name()
            .is_some_and(|name| name.as_encoded_bytes().starts_with(b"."));
        if hidden {
            continue;
        }
        if path.is_dir() {
            walk(&path, depth + 1, files)?;
        } else if path
            .extension()
            .is_some_and(|end| ENDS.iter().any(|known| end == *known))
        {
            files.push(path);
        }
        if files.len() > MOST_FILES {
            return Err(format!("there are over {MOST_FILES} files"));
        }
    }
    Ok(())
}

fn matched(pattern: &str) -> Result<Vec<PathBuf>, String> {
    let paths = glob::glob(pattern).map_err(|error| format!("it is no pattern: {}", error.msg))?;
    let mut files = Vec::new();
    for path in paths {
        let path = path.map_err(|error| error.to_string())?;
        if path.is_file() {
            files.push(path);
        }
        if files.len() > MOST_FILES {
            return Err(format!("there are over {MOST_FILES} files"));
        }
    }
    match files.is_empty() {
        true => Err("no file matches".to_owned()),
        false => Ok(files),
    }
}

/// The content of a file, up to one byte over the limit.
pub(super) fn read(path: &Path) -> io::Result<Vec<u8>> {
    limited(File::open(path)?)
}

/// The same of a stream.
pub(super) fn limited(stream: impl io::Read) -> io::Result<Vec<u8>> {
    let most = u64::try_from(LARGEST).unwrap_or(u64::MAX).saturating_add(1);
    let mut bytes = Vec::new();
    stream.take(most).read_to_end(&mut bytes)?;
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(found: Result<Vec<PathBuf>, String>, base: &Path) -> Vec<String> {
        let found = found.unwrap_or_else(|error| panic!("{error}"));
        let name = |path: &PathBuf| path.strip_prefix(base).unwrap().display().to_string();
        found.iter().map(name).collect()
    }

    #[test]
    fn files_come_in_the_order_of_their_names() {
        let base = tempfile::tempdir().unwrap();
        for path in ["b/2.yml", "b/1.json", "a.yaml", "c.txt", ".git/x.yaml", "z.yaml"] {
            let path = base.path().join(path);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, "").unwrap();
        }
        let at = |path: &str| base.path().join(path).display().to_string();
        assert_eq!(
            names(named(&at("")), base.path()),
            ["a.yaml", "b/1.json", "b/2.yml", "z.yaml"]
        );
        assert_eq!(names(named(&at("b/*.yml")), base.path()), ["b/2.yml"]);
        assert_eq!(
            names(named(&at("**/*.y*ml")), base.path()),
            [".git/x.yaml", "a.yaml", "b/2.yml", "z.yaml"]
        );
        assert_eq!(names(named(&at("c.txt")), base.path()), ["c.txt"]);
        assert_eq!(named(&at("q*.yaml")), Err("no file matches".to_owned()));
        assert!(named(&at("none.yaml")).unwrap_err().contains("No such file"));
        fs::write(base.path().join("b/Chart.yaml"), "").unwrap();
        assert!(
            named(&at(""))
                .unwrap_err()
                .contains("is a chart; give it as `helm:RELEASE CHART`")
        );
    }

    #[test]
    fn links_that_lead_back_end() {
        let base = tempfile::tempdir().unwrap();
        std::os::unix::fs::symlink(base.path(), base.path().join("back")).unwrap();
        let said = named(&base.path().display().to_string()).unwrap_err();
        assert!(said.contains("deep") || said.contains("links"), "{said}");
    }
}
