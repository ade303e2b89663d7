//! Whether a file's name has a hash of its content in it, as bundlers write them. Such a file never changes under its
//! name, so that browsers may keep it for a year.
//!
//! A name taken for hashed that is not would be stale for a year, and nothing could call it back; a hash that is not
//! seen costs one short question a visit. So what could be a word, a number, a date or a version is not a hash: of
//! the names that Vite writes about one in five is not seen by chance, of esbuild's one in six, of Bun's more than half,
//! of eight hexadecimal digits one in twenty-five. Not told apart from a hash: a commit's id, and an id of 32
//! hexadecimal digits that is the whole name of an image.

mod token;

use token::{Kind, Separator};

/// Suffixes of names that belong to the file in front of them: `main.8f3b2c1d.js.map`, `….js.LICENSE.txt`.
const BESIDE: [&str; 2] = [".map", ".license.txt"];

/// Folders whose files are about people: a whole name of hexadecimal digits is who, not what.
const PEOPLE: [&str; 7] = [
    "author", "avatar", "gravatar", "member", "people", "profile", "user",
];

/// Whether the name of this key, relative to the site's root, has a hash of the content in it.
#[must_use]
pub fn is_hashed(key: &str) -> bool {
    let (folder, name) = key.rsplit_once('/').unwrap_or(("", key));
    let Some((stem, kind)) = stem(name) else {
        return false;
    };
    let place = Place::of(folder);
    match place {
        // SvelteKit: https://svelte.dev/docs/kit/configuration#appDir
        Place::Immutable => true,
        Place::Mutable => false,
        Place::Build(id) => token::is_build_id(id) || has_hash(stem, kind, place, folder),
        Place::Bundle | Place::Any => has_hash(stem, kind, place, folder),
    }
}

/// What is known of all files of a folder.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Place<'k> {
    /// All of them never change.
    Immutable,
    /// All of them may change.
    Mutable,
    /// The folder of one build of Next: its id says so
    /// (<https://nextjs.org/docs/app/api-reference/config/next-config-js/generateBuildId>).
    Build(&'k str),
    /// A bundler wrote all of them.
    Bundle,
    /// Nothing.
    Any,
}

impl<'k> Place<'k> {
    /// The kind of a folder. A site may be below a base path, so that the folders are looked for at any depth.
    fn of(folder: &'k str) -> Self {
        let segments: Vec<&str> = folder.split('/').collect();
        let after = |names: &[&str]| {
            segments
                .windows(names.len())
                .position(|window| window == names)
                .map(|at| at + names.len())
        };
        if after(&["_app", "immutable"]).is_some() {
            Self::Immutable
        } else if after(&["_nuxt", "builds"]).is_some() || after(&["page-data"]).is_some() {
            // Nuxt's pointer to the newest build, and Gatsby's data of pages, keep their names.
            Self::Mutable
        } else if let Some(at) = after(&["_next", "static"]) {
            match segments.get(at) {
                Some(&("chunks" | "css" | "media")) | None => Self::Any,
                Some(id) => Self::Build(id),
            }
        } else if after(&["_astro"]).is_some() || after(&["_nuxt"]).is_some() {
            Self::Bundle
        } else {
            Self::Any
        }
    }
}

/// The name without its extension, and what kind of file that says; `None` for what is never hashed.
fn stem(name: &str) -> Option<(&str, Kind)> {
    let mut name = name;
    for suffix in BESIDE {
        let cut = name.len().checked_sub(suffix.len());
        if let Some((rest, end)) = cut.and_then(|at| name.split_at_checked(at)) {
            name = if end.eq_ignore_ascii_case(suffix) {
                rest
            } else {
                name
            };
        }
    }
    let (stem, extension) = name.rsplit_once('.')?;
    let kind = Kind::of(&extension.to_ascii_lowercase())?;
    (!stem.is_empty()).then_some((stem, kind))
}

/// Whether one of the name's parts is a hash.
fn has_hash(stem: &str, kind: Kind, place: Place<'_>, folder: &str) -> bool {
    // wasm-bindgen puts its own ending behind the hash that Trunk gives.
    let stem = stem.strip_suffix("_bg").unwrap_or(stem);
    let bundle = place == Place::Bundle;
    if token::is_lone(stem, kind, bundle) {
        return !about_people(folder);
    }
    if gatsby_static(folder) && kind == Kind::Media {
        return true;
    }
    let mut parts = stem.split('.');
    let first = parts.next().unwrap_or_default();
    let is = |token: &str, before: &str, separator| token::is_hash(token, before, separator, kind, bundle);
    let in_part = |part: &str| token::ends_in_hash(part, kind, bundle);
    in_part(first) || parts.any(|part| is(part, first, Separator::Dot) || in_part(part))
}

/// Whether a folder holds pictures of people, or what they put there.
fn about_people(folder: &str) -> bool {
    folder
        .split('/')
        .any(|segment| PEOPLE.iter().any(|word| segment.starts_with(word)))
}

/// Gatsby's pictures: `static/<32 hexadecimal digits>/<5>/name.jpg`.
fn gatsby_static(folder: &str) -> bool {
    let segments: Vec<&str> = folder.split('/').collect();
    segments
        .windows(2)
        .any(|pair| pair[0] == "static" && pair[1].len() == 32 && token::is_long_hex(pair[1]))
}

#[cfg(test)]
mod tests;
