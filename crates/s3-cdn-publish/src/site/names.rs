//! Which names are published.

use std::ffi::OsStr;
use std::path::{Component, Path};

use gha::text;

/// Folders and files of version control systems.
const VERSIONS: &[&str] = &[".git", ".svn", ".hg", ".bzr", ".jj"];

/// What desktops leave behind.
const DESKTOP: &[&str] = &[
    ".DS_Store",
    "Thumbs.db",
    "desktop.ini",
    ".Trash-1000",
    ".Spotlight-V100",
];

/// Where the state of publishes lies in the bucket.
pub(super) const STATE: &str = ".deploy-actions";

/// What becomes of a name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Verdict {
    /// It is published.
    Publish,
    /// It is published, and so is what is hidden in it.
    PublishHidden,
    /// It is left out, as hidden.
    Hidden,
    /// It is left out, whatever is asked for.
    Never,
    /// It is of a version control system.
    Versions,
}

/// What becomes of a name. `hidden` says whether hidden files are published here.
pub(super) fn judge(name: &str, hidden: bool) -> Verdict {
    if VERSIONS.contains(&name) {
        return Verdict::Versions;
    }
    // `._x` is what a Mac puts beside `x` on foreign file systems.
    if DESKTOP.contains(&name) || name.starts_with(".env") || name.starts_with("._") {
        return Verdict::Never;
    }
    match name {
        ".well-known" => Verdict::PublishHidden,
        name if name.starts_with('.') && !hidden => Verdict::Hidden,
        _ => Verdict::Publish,
    }
}

/// The part of a link's target that is never published, if there is one.
pub(super) fn forbidden(target: &Path) -> Option<String> {
    target.components().find_map(|component| match component {
        Component::Normal(name) => {
            let name = name.to_str()?;
            matches!(judge(name, true), Verdict::Never | Verdict::Versions).then(|| name.to_owned())
        }
        _ => None,
    })
}

/// A name for a message: bytes that are no UTF-8 as `\xe9`.
pub(super) fn shown(name: &OsStr) -> String {
    let mut shown = String::new();
    for chunk in name.as_encoded_bytes().utf8_chunks() {
        shown.push_str(&text::visible(chunk.valid()));
        for byte in chunk.invalid() {
            shown.push_str(&format!("\\x{byte:02x}"));
        }
    }
    text::cut(&shown, 300)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::ffi::OsStrExt as _;

    #[test]
    fn names_are_judged() {
        for (name, left_out, included) in [
            ("a.html", Verdict::Publish, Verdict::Publish),
            ("environment.js", Verdict::Publish, Verdict::Publish),
            ("node_modules", Verdict::Publish, Verdict::Publish),
            (".well-known", Verdict::PublishHidden, Verdict::PublishHidden),
            (".nojekyll", Verdict::Hidden, Verdict::Publish),
            (".github", Verdict::Hidden, Verdict::Publish),
            (".gitignore", Verdict::Hidden, Verdict::Publish),
            (".git", Verdict::Versions, Verdict::Versions),
            (".env", Verdict::Never, Verdict::Never),
            (".env.production", Verdict::Never, Verdict::Never),
            (".DS_Store", Verdict::Never, Verdict::Never),
            ("Thumbs.db", Verdict::Never, Verdict::Never),
            ("._index.html", Verdict::Never, Verdict::Never),
        ] {
            assert_eq!(
                (judge(name, false), judge(name, true)),
                (left_out, included),
                "{name}"
            );
        }
        assert_eq!(forbidden(Path::new("a/.git/b")), Some(".git".to_owned()));
        assert_eq!(forbidden(Path::new("a/.cache/b")), None);
    }

    #[test]
    fn a_name_of_any_bytes_can_be_shown() {
        assert_eq!(shown(OsStr::from_bytes(b"caf\xe9\n")), "caf\\xe9\\n");
    }
}
