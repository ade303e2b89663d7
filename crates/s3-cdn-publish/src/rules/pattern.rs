//! Patterns of keys. `*` and `?` stay within a folder, `**` crosses folders, `{a,b}` is either, `[a-z]` one of them,
//! `\` takes the meaning off the next character. They match the whole key, relative to the site's root, with the
//! case of every letter; and in time linear in the key's length, whatever the pattern.

use globset::{Glob, GlobBuilder};

use gha::text;

/// The longest pattern, in bytes. A key has up to 1,024.
const LONGEST: usize = 2048;

/// How many choices (`{a,b}`) may stand in a pattern.
const MOST_CHOICES: usize = 200;

/// A pattern.
///
/// # Errors
/// Why it is none.
pub(super) fn read(pattern: &str) -> Result<Glob, String> {
    let shown = text::cut(&text::visible(pattern), 80);
    if pattern.trim().is_empty() {
        return Err("a pattern is empty; `**` matches every file".to_owned());
    }
    if pattern.len() > LONGEST || pattern.matches(['{', ',']).count() > MOST_CHOICES {
        return Err(format!("the pattern `{shown}` is too long; write several"));
    }
    if let Some(rest) = pattern.strip_prefix('/').or_else(|| pattern.strip_prefix("./")) {
        let rest = text::cut(&text::visible(rest), 80);
        return Err(format!(
            "`{shown}` would match no key, as keys begin with no `/` or `./`; write `{rest}`"
        ));
    }
    if pattern.ends_with('/') {
        return Err(format!(
            "`{shown}` would match no file; write `{shown}**` for all in that folder"
        ));
    }
    if let Some(rest) = pattern.strip_prefix('!') {
        let rest = text::cut(&text::visible(rest), 80);
        return Err(format!(
            "`{shown}`: patterns have no `!`; give `{rest}` a rule of its own in front (a name that begins with `!` is `[!]…`)"
        ));
    }
    GlobBuilder::new(pattern)
        .literal_separator(true)
        .backslash_escape(true)
        .empty_alternates(true)
        .build()
        .map_err(|error| {
            format!(
                "`{shown}` is no pattern: {}",
                text::cut(&text::visible(&error.kind().to_string()), 160)
            )
        })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::{any, prop_assert, proptest};

    fn matches(pattern: &str, key: &str) -> bool {
        read(pattern).unwrap().compile_matcher().is_match(key)
    }

    #[test]
    fn patterns_match_whole_keys() {
        for (pattern, key, expected) in [
            ("assets/**", "assets/a/b.js", true),
            ("assets/**", "assets/a.js", true),
            ("assets/**", "x/assets/a.js", false),
            ("assets/**", "Assets/a.js", false),
            ("*.js", "a.js", true),
            ("*.js", "d/a.js", false),
            ("**/*.js", "a.js", true),
            ("**/*.js", "d/e/a.js", true),
            ("**/*.{js,css}", "d/a.css", true),
            ("**/*.{js,css}", "d/a.cs", false),
            ("index{,.min}.js", "index.js", true),
            ("index{,.min}.js", "index.min.js", true),
            ("**", "any/thing", true),
            ("**", ".well-known/x", true),
            ("a?c", "abc", true),
            ("a?c", "a/c", false),
            ("[a-c].txt", "b.txt", true),
            ("[!a-c].txt", "d.txt", true),
            ("\\*.txt", "*.txt", true),
            ("\\*.txt", "a.txt", false),
            ("é/**", "é/a b+c%.html", true),
            ("docs/*.html", "docs/a/b.html", false),
        ] {
            assert_eq!(matches(pattern, key), expected, "{pattern} {key}");
        }
    }

    #[test]
    fn what_would_match_nothing_is_refused() {
        for (pattern, said) in [
            ("", "`**` matches every file"),
            ("  ", "`**` matches every file"),
            ("/a/**", "write `a/**`"),
            ("./a/**", "write `a/**`"),
            ("a/", "write `a/**`"),
            ("!a", "a rule of its own"),
            ("[a", "`[a` is no pattern: unclosed character class"),
            ("{a", "`{a` is no pattern"),
            ("a\\", "`a\\` is no pattern"),
            ("[z-a]", "`[z-a]` is no pattern"),
            (&"x".repeat(3000), "too long"),
            (&"{a,b}".repeat(200), "too long"),
        ] {
            let told = read(pattern).unwrap_err();
            assert!(told.contains(said), "{told}");
        }
    }

    proptest! {
        #[test]
        fn no_pattern_panics(pattern in any::<String>(), near in "[a{},*?!/\\[\\]\\\\-]{0,40}", key in any::<String>()) {
            for pattern in [pattern, near] {
                match read(&pattern) {
                    Ok(glob) => { let _ = glob.compile_matcher().is_match(&key); }
                    Err(reason) => prop_assert!(!reason.contains('\n') && reason.len() < 1500),
                }
            }
        }
    }
}
