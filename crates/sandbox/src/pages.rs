//! The documentation as data: the fenced blocks of its pages, and the steps of the workflows in them, so that tests can hold
//! each to the program that it is about.
//!
//! Only what the pages have is read: fences of three backticks, which may be indented as part of a list.

use std::path::{Path, PathBuf};
use std::{fs, io};

use serde_json::Value;

/// A fenced block of a page.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Block {
    /// Where it begins: `page.md:12`.
    pub place: String,
    /// The word behind its fence.
    pub language: String,
    /// Its lines, as they stand.
    pub content: String,
}

/// The folder of the workspace.
#[must_use]
pub fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

/// The blocks of every page of `docs/` and of the README.
///
/// # Errors
/// When a page can't be read, or a block of it does not end.
pub fn blocks() -> io::Result<Vec<Block>> {
    let mut pages = vec![root().join("README.md")];
    for entry in fs::read_dir(root().join("docs"))? {
        let path = entry?.path();
        if path.extension().is_some_and(|extension| extension == "md") {
            pages.push(path);
        }
    }
    pages.sort();
    let mut blocks = Vec::new();
    for page in pages {
        let name = page.file_name().unwrap_or_default().to_string_lossy();
        blocks.extend(of(&name, &fs::read_to_string(&page)?).map_err(io::Error::other)?);
    }
    Ok(blocks)
}

/// The blocks of one page.
fn of(name: &str, text: &str) -> Result<Vec<Block>, String> {
    let mut blocks = Vec::new();
    let mut open: Option<Block> = None;
    for (index, line) in text.lines().enumerate() {
        match (line.trim_start().strip_prefix("```"), &mut open) {
            (Some(language), None) => {
                open = Some(Block {
                    place: format!("{name}:{}", index + 1),
                    language: language.to_owned(),
                    content: String::new(),
                });
            }
            (Some(_), Some(_)) => blocks.extend(open.take()),
            (None, Some(block)) => block.content.extend([line, "\n"]),
            (None, None) => {}
        }
    }
    match open {
        Some(block) => Err(format!("the block at {} does not end", block.place)),
        None => Ok(blocks),
    }
}

impl Block {
    /// The steps in it, be it a list of them or a workflow. Other YAML has none.
    ///
    /// # Errors
    /// When it is no YAML.
    pub fn steps(&self) -> Result<Vec<Value>, String> {
        let read = yaml_serde::from_str(&self.content);
        let value: Value = read.map_err(|error| format!("{}: {error}", self.place))?;
        Ok(match value {
            Value::Array(steps) => steps,
            value => {
                let jobs = value["jobs"]
                    .as_object()
                    .into_iter()
                    .flat_map(|jobs| jobs.values());
                let steps = jobs.filter_map(|job| job["steps"].as_array());
                steps.flatten().cloned().collect()
            }
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn blocks_have_their_place_and_language() {
        let text = "# One\n```sh\necho 1\n```\n- in a list\n  ```yaml\n  - run: x\n  ```\n";
        let blocks = of("page.md", text).unwrap();
        let shown: Vec<(&str, &str, &str)> = blocks
            .iter()
            .map(|block| (&*block.place, &*block.language, &*block.content))
            .collect();
        assert_eq!(
            shown,
            [
                ("page.md:2", "sh", "echo 1\n"),
                ("page.md:6", "yaml", "  - run: x\n")
            ]
        );
        assert_eq!(
            of("page.md", "\n```sh\n"),
            Err("the block at page.md:2 does not end".to_owned())
        );
    }

    #[test]
    fn steps_are_those_of_a_list_or_of_all_jobs() {
        let steps = |content: &str| {
            let block = Block {
                place: "page.md:1".to_owned(),
                language: "yaml".to_owned(),
                content: content.to_owned(),
            };
            let steps = block.steps();
            steps.map(|steps| {
                steps
                    .iter()
                    .map(|step| step["run"].to_string())
                    .collect::<Vec<_>>()
            })
        };
        assert_eq!(steps("- run: a\n- run: b\n").unwrap(), ["\"a\"", "\"b\""]);
        let workflow = "jobs:\n  one:\n    steps:\n      - run: a\n  two:\n    steps:\n      - run: b\n";
        assert_eq!(steps(workflow).unwrap(), ["\"a\"", "\"b\""]);
        assert!(steps("version: 1\n").unwrap().is_empty());
        assert!(steps("a: [").unwrap_err().starts_with("page.md:1: "));
    }
}
