//! The release tree: which files it has, where they come from, and with which mode.
//!
//! It holds no link of any kind: a single dangling one breaks every action of the repository
//! ([actions/runner#1341](https://github.com/actions/runner/issues/1341)).

use crate::git::{EXECUTABLE, FILE};
use crate::target::Target;

/// The checksums of every other file.
pub const CHECKSUMS: &str = "dist/SHA256SUMS";
/// What the binaries were built from.
pub const VERSION: &str = "dist/VERSION";

/// A file that is copied from the source commit as it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Copied {
    /// Its path on `main`.
    pub source: String,
    /// Its path in the release tree.
    pub release: String,
}

/// The files that are copied from the source commit. All are plain files: scripts are run as `sh FILE`.
#[must_use]
pub fn copied(tools: &[String]) -> Vec<Copied> {
    let fixed = [
        ("LICENSE", "LICENSE"),
        ("dist/README.md", "README.md"),
        ("action.yml", "action.yml"),
        ("dist/launch.sh", "dist/launch.sh"),
        ("dist/setup.sh", "dist/setup.sh"),
    ];
    let fixed = fixed.map(|(source, release)| Copied {
        source: source.to_owned(),
        release: release.to_owned(),
    });
    let actions = tools.iter().map(|tool| Copied {
        source: format!("actions/{tool}/action.yml"),
        release: format!("{tool}/action.yml"),
    });
    fixed.into_iter().chain(actions).collect()
}

/// The path of a tool's binary, here and in the release tree.
#[must_use]
pub fn binary(target: Target, tool: &str) -> String {
    format!("dist/{}/{tool}", target.triple())
}

/// The target and the tool that a path is the binary of.
#[must_use]
pub fn as_binary(path: &str) -> Option<(Target, &str)> {
    let (triple, tool) = path.strip_prefix("dist/")?.split_once('/')?;
    if tool.is_empty() || tool.contains('/') {
        return None;
    }
    Some((Target::from_triple(triple)?, tool))
}

/// The mode a file must have.
#[must_use]
pub fn mode(path: &str) -> &'static str {
    if as_binary(path).is_some() {
        EXECUTABLE
    } else {
        FILE
    }
}

/// The tools of a source tree, from its paths.
#[must_use]
pub fn tools<'a>(paths: impl Iterator<Item = &'a str>) -> Vec<String> {
    paths
        .filter_map(|path| path.strip_prefix("actions/")?.strip_suffix("/action.yml"))
        .filter(|tool| !tool.is_empty() && !tool.contains('/'))
        .map(str::to_owned)
        .collect()
}

/// `vMAJOR.MINOR.PATCH`, as a release's tag.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tag {
    /// The tag's own name, `v1.2.3`.
    pub name: String,
    /// The version without the `v`.
    pub version: String,
    /// The branch that release commits of this major version are on, `releases/v1`.
    pub branch: String,
}

/// The text is no release tag.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is no version tag such as `v1.2.3`")]
pub struct NoTag(String);

impl std::str::FromStr for Tag {
    type Err = NoTag;

    fn from_str(name: &str) -> Result<Self, NoTag> {
        let no_tag = || NoTag(name.to_owned());
        let version = name.strip_prefix('v').ok_or_else(no_tag)?;
        let [major, minor, patch] = version.split('.').collect::<Vec<_>>()[..] else {
            return Err(no_tag());
        };
        if ![major, minor, patch].into_iter().all(is_number) {
            return Err(no_tag());
        }
        Ok(Self {
            name: name.to_owned(),
            version: version.to_owned(),
            branch: format!("releases/v{major}"),
        })
    }
}

/// A number as [Semantic Versioning](https://semver.org/#spec-item-2) has it: no leading zero.
fn is_number(text: &str) -> bool {
    text == "0"
        || (!text.is_empty() && !text.starts_with('0') && text.bytes().all(|byte| byte.is_ascii_digit()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn tags_are_read_or_refused() {
        let tag: Tag = "v12.0.34".parse().unwrap();
        assert_eq!(
            (tag.version.as_str(), tag.branch.as_str()),
            ("12.0.34", "releases/v12")
        );
        for text in [
            "1.2.3",
            "v1.2",
            "v1.2.3.4",
            "v1.2.3-rc.1",
            "v01.2.3",
            "v1..3",
            "v1.2.x",
            "v",
            "",
            "v1.2.3\n",
            "V1.2.3",
        ] {
            assert!(text.parse::<Tag>().is_err(), "{text:?}");
        }
    }

    #[test]
    fn binaries_are_told_from_other_files() {
        assert_eq!(
            as_binary("dist/aarch64-unknown-linux-musl/notify"),
            Some((Target::Aarch64Musl, "notify"))
        );
        for path in [
            "dist/launch.sh",
            "dist/riscv/notify",
            "dist/x86_64-unknown-linux-gnu/",
            "dist/x86_64-unknown-linux-gnu/a/b",
        ] {
            assert_eq!(as_binary(path), None, "{path}");
        }
    }

    #[test]
    fn tools_are_the_folders_with_an_action() {
        let paths = [
            "README.md",
            "action.yml",
            "actions/a/action.yml",
            "actions/a/b/action.yml",
            "actions/c/notes.md",
        ];
        assert_eq!(tools(paths.into_iter()), ["a"]);
    }

    proptest! {
        #[test]
        fn every_binary_is_recognised(tool in "[a-z][a-z0-9-]{0,20}") {
            for target in crate::target::RELEASED {
                let path = binary(target, &tool);
                prop_assert_eq!(as_binary(&path), Some((target, tool.as_str())));
                prop_assert_eq!(mode(&path), EXECUTABLE);
            }
        }

        #[test]
        fn any_text_is_a_tag_or_refused(text in "v?[0-9.]{0,12}|.*") {
            if let Ok(tag) = text.parse::<Tag>() {
                prop_assert_eq!(format!("v{}", tag.version), text);
            }
        }
    }
}
