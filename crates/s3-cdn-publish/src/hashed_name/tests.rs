//! Names as bundlers and people write them.

use proptest::prelude::{any, prop_assert, proptest};

use super::is_hashed;

/// Names with a hash, by who writes them.
const HASHED: &str = include_str!("hashed.txt");

/// Names without one.
const PLAIN: &str = include_str!("plain.txt");

fn names(list: &'static str) -> impl Iterator<Item = &'static str> {
    list.lines()
        .filter(|line| !line.is_empty() && !line.starts_with('#'))
}

/// False positives: none of these.
#[test]
fn no_name_of_a_person_is_taken_for_hashed() {
    let wrong: Vec<&str> = names(PLAIN).filter(|name| is_hashed(name)).collect();
    assert!(names(PLAIN).count() >= 150);
    assert_eq!(wrong, Vec::<&str>::new(), "0 of {}", names(PLAIN).count());
}

#[test]
fn names_of_bundlers_are_seen() {
    let missed: Vec<&str> = names(HASHED).filter(|name| !is_hashed(name)).collect();
    assert!(names(HASHED).count() >= 90);
    assert_eq!(missed, Vec::<&str>::new());
}

/// What is not seen although it is a hash: it could be words.
#[test]
fn a_hash_that_could_be_words_is_not_taken() {
    for name in [
        "assets/index-MyWebApp.js",
        "assets/index-abcdefgh.js",
        "app-TEMPLATE.js",
        "a.12345678.js",
    ] {
        assert!(!is_hashed(name), "{name}");
    }
}

/// Characters drawn from an alphabet, the same ones in each run.
fn drawn(alphabet: &str, length: usize, seed: u64) -> String {
    use sha2::{Digest as _, Sha256};
    let bytes = Sha256::digest(seed.to_be_bytes());
    let pick = |byte: &u8| char::from(alphabet.as_bytes()[usize::from(*byte) % alphabet.len()]);
    bytes.iter().take(length).map(pick).collect()
}

#[test]
fn most_hashes_are_seen() {
    const HEX: &str = "0123456789abcdef";
    const BASE32: &str = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
    const BASE64: &str = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    for (before, alphabet, length, end, of_1000) in [
        ("main.", HEX, 8, "js", 950),
        ("assets/vendor-", HEX, 8, "css", 940),
        ("main.", HEX, 20, "js", 998),
        ("assets/index-", BASE64, 8, "js", 750),
        ("assets/logo-", BASE64, 8, "svg", 750),
        ("_astro/x.", BASE64, 8, "css", 940),
        ("chunk-", BASE32, 8, "js", 1000),
        ("app-", BASE32, 8, "js", 820),
    ] {
        let name = |seed| format!("{before}{}.{end}", drawn(alphabet, length, seed));
        let seen = (0..1000).filter(|seed| is_hashed(&name(*seed))).count();
        assert!(seen >= of_1000, "{before}…{end}: {seen} of 1000");
    }
}

/// Words and numbers joined as people do: none of over 300,000 names is taken.
#[test]
fn words_joined_in_any_way_are_no_hash() {
    const WORDS: &[&str] = &[
        "about",
        "account",
        "admin",
        "analytics",
        "api",
        "app",
        "article",
        "background",
        "banner",
        "base",
        "blog",
        "bootstrap",
        "button",
        "card",
        "cart",
        "chapter",
        "chart",
        "checkout",
        "code",
        "color",
        "component",
        "contact",
        "cover",
        "dashboard",
        "data",
        "decade",
        "default",
        "design",
        "detail",
        "editor",
        "face",
        "facade",
        "feed",
        "figure",
        "file",
        "font",
        "footer",
        "form",
        "gallery",
        "grid",
        "guide",
        "header",
        "hero",
        "home",
        "icon",
        "image",
        "index",
        "invoice",
        "layout",
        "legacy",
        "list",
        "login",
        "logo",
        "main",
        "map",
        "menu",
        "mobile",
        "modal",
        "modern",
        "module",
        "news",
        "original",
        "page",
        "panel",
        "photo",
        "picture",
        "plugin",
        "polyfills",
        "print",
        "product",
        "profile",
        "report",
        "screenshot",
        "script",
        "search",
        "section",
        "service",
        "services",
        "settings",
        "share",
        "shop",
        "sidebar",
        "slide",
        "style",
        "table",
        "team",
        "theme",
        "thumbnail",
        "user",
        "utils",
        "vendor",
        "version",
        "video",
        "view",
        "web",
        "widget",
    ];
    let capital = |word: &str| word[..1].to_uppercase() + &word[1..];
    let mut asked = 0;
    let mut wrong = Vec::new();
    for a in WORDS {
        for b in WORDS {
            for number in ["", "1", "2024"] {
                for token in [
                    format!("{b}{number}"),
                    format!("{a}{b}{number}"),
                    format!("{a}{}{number}", capital(b)),
                    format!("{}{}{number}", capital(a), capital(b)),
                    format!("{number}{b}"),
                    format!("{a}-{b}-{number}"),
                ] {
                    for name in [
                        format!("x-{token}.js"),
                        format!("x.{token}.css"),
                        format!("img/x_{token}.png"),
                    ] {
                        asked += 1;
                        if is_hashed(&name) {
                            wrong.push(name);
                        }
                    }
                }
            }
        }
    }
    assert!(asked > 300_000, "{asked}");
    wrong.sort();
    wrong.dedup();
    assert_eq!(wrong, Vec::<String>::new());
}

proptest! {
    #[test]
    fn no_name_panics(key in any::<String>(), near in "[a-fA-Z0-9é._~/-]{0,40}\\.(js|css|png|pdf|html)") {
        let _ = is_hashed(&key);
        let _ = is_hashed(&near);
    }

    #[test]
    fn numbers_dates_and_versions_are_no_hash(number in "[0-9]{1,19}", version in "[0-9]{1,4}(\\.[0-9]{1,6}){1,3}") {
        for name in [format!("a-{number}.js"), format!("a.{number}.css"), format!("{number}.png"), format!("a_{number}.svg")] {
            prop_assert!(!is_hashed(&name), "{}", name);
        }
        let name = format!("jquery-{version}.min.js");
        prop_assert!(!is_hashed(&name), "{}", name);
    }

    #[test]
    fn words_are_no_hash(a in "[a-z]{1,30}", b in "[a-z]{1,7}|[g-z][a-z]{7,20}") {
        for name in [format!("{a}-{b}.js"), format!("{a}.{b}.css"), format!("{b}.js"), format!("{a}_{b}.png")] {
            prop_assert!(!is_hashed(&name), "{}", name);
        }
    }

    #[test]
    fn pages_are_never_hashed(stem in "[a-z]{1,9}[-.][0-9a-f]{8,64}", end in "html|htm|xhtml|HTML") {
        let name = format!("{stem}.{end}");
        prop_assert!(!is_hashed(&name));
    }

    #[test]
    fn long_hashes_are_seen(stem in "[a-z]{1,9}", hash in "[0-9]{4}[a-f]{2}[0-9]{2}[a-f]{2}[0-9a-f]{10}") {
        for name in [format!("{stem}.{hash}.js"), format!("{stem}-{hash}.css"), format!("{stem}.min.{hash}.css")] {
            prop_assert!(is_hashed(&name), "{}", name);
        }
    }
}
