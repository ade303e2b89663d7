//! The names of the tools. A folder under `actions/` is a tool; there is no other list.

use std::path::Path;

use anyhow::{Context as _, Result, bail, ensure};

/// The tools of the workspace at `root`, sorted.
///
/// # Errors
/// When `actions/` can't be read, is empty, or holds a folder without an `action.yml`.
pub fn names(root: &Path) -> Result<Vec<String>> {
    let folder = root.join("actions");
    let mut names = Vec::new();
    for entry in folder
        .read_dir()
        .with_context(|| format!("failed to read `{}`", folder.display()))?
    {
        let entry = entry?;
        if !entry.file_type()?.is_dir() {
            continue;
        }
        let Ok(name) = entry.file_name().into_string() else {
            bail!("a folder of `actions/` has no valid name")
        };
        ensure!(
            entry.path().join("action.yml").is_file(),
            "`actions/{name}` has no `action.yml`"
        );
        names.push(name);
    }
    ensure!(!names.is_empty(), "`{}` holds no tool", folder.display());
    names.sort();
    Ok(names)
}

/// The tools asked for by name, all of them when none is named.
///
/// # Errors
/// When a name is no tool.
pub fn select(all: &[String], asked: &[String]) -> Result<Vec<String>> {
    if asked.is_empty() {
        return Ok(all.to_vec());
    }
    for name in asked {
        ensure!(
            all.contains(name),
            "`{name}` is no tool: they are {}",
            all.join(", ")
        );
    }
    Ok(all.iter().filter(|name| asked.contains(name)).cloned().collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_the_folders() {
        let root = tempfile::tempdir().unwrap();
        for tool in ["notify", "image-tag"] {
            std::fs::create_dir_all(root.path().join("actions").join(tool)).unwrap();
            std::fs::write(
                root.path().join("actions").join(tool).join("action.yml"),
                "name: x",
            )
            .unwrap();
        }
        std::fs::write(root.path().join("actions/README.md"), "not a tool").unwrap();
        assert_eq!(names(root.path()).unwrap(), ["image-tag", "notify"]);
        std::fs::create_dir(root.path().join("actions/unfinished")).unwrap();
        assert!(
            names(root.path())
                .unwrap_err()
                .to_string()
                .contains("`actions/unfinished` has no")
        );
    }

    #[test]
    fn selection_keeps_order_and_refuses_strangers() {
        let all = ["a", "b", "c"].map(str::to_owned);
        assert_eq!(select(&all, &[]).unwrap(), all);
        assert_eq!(
            select(&all, &["c".to_owned(), "a".to_owned()]).unwrap(),
            ["a", "c"]
        );
        assert_eq!(
            select(&all, &["d".to_owned()]).unwrap_err().to_string(),
            "`d` is no tool: they are a, b, c"
        );
    }
}
