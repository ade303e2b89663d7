//! The type and the encoding of a file by its name: a table of our own, so that they are the same on every machine.
//!
//! Texts say that they are UTF-8, as build tools write them. XML and what is made of it says its encoding itself
//! (<https://www.rfc-editor.org/rfc/rfc7303#section-3>), and a charset here would overrule that. What is in no
//! registry has the name that browsers take.

mod table;

/// What a file is when nothing is known of it (<https://www.rfc-editor.org/rfc/rfc2046#section-4.5.1>).
pub const UNKNOWN: &str = "application/octet-stream";

/// Names, and paths from the site's root, that say what a file is without an extension, or in spite of it.
const KNOWN: &[(&str, &str)] = &[
    // https://developer.apple.com/documentation/xcode/supporting-associated-domains
    (".well-known/apple-app-site-association", "application/json"),
    ("apple-app-site-association", "application/json"),
    // https://www.rfc-editor.org/rfc/rfc8615 and the registry of these names
    (".well-known/api-catalog", "application/linkset+json"),
    (".well-known/discord", TEXT),
    (".well-known/host-meta", "application/xrd+xml"),
    (".well-known/jwks", "application/jwk-set+json"),
    (".well-known/jwks.json", "application/jwk-set+json"),
    (".well-known/matrix/client", "application/json"),
    (".well-known/matrix/server", "application/json"),
    (".well-known/matrix/support", "application/json"),
    (".well-known/nodeinfo", "application/json"),
    (".well-known/oauth-authorization-server", "application/json"),
    (".well-known/openid-configuration", "application/json"),
    (
        ".well-known/openid-federation",
        "application/entity-statement+jwt",
    ),
    (".well-known/webauthn", "application/json"),
    (".well-known/webfinger", "application/jrd+json"),
];

/// Whole names in any folder.
const NAMES: &[(&str, &str)] = &[
    ("_headers", TEXT),
    ("_redirects", TEXT),
    ("AUTHORS", TEXT),
    ("BUILD_ID", TEXT),
    ("CHANGELOG", TEXT),
    ("CNAME", TEXT),
    ("CONTRIBUTORS", TEXT),
    ("COPYING", TEXT),
    ("INSTALL", TEXT),
    ("LICENCE", TEXT),
    ("LICENSE", TEXT),
    ("NEWS", TEXT),
    ("NOTICE", TEXT),
    ("README", TEXT),
    ("SHA256SUMS", TEXT),
    ("VERSION", TEXT),
];

const TEXT: &str = "text/plain; charset=utf-8";

/// The encodings that files are stored in beside the plain ones, by their extensions.
const ENCODINGS: &[(&str, &str)] = &[("br", "br"), ("gz", "gzip"), ("zst", "zstd")];

/// What a file is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Media {
    /// Its type, with the charset where there is one to say.
    pub content_type: &'static str,
    /// The encoding that it is stored in, where it is the twin of a plain file.
    pub content_encoding: Option<&'static str>,
}

/// What a file is. `has` says whether the site has another file: `app.js.br` is an encoded script beside `app.js`, and
/// `data.tar.gz` is an archive.
#[must_use]
pub fn of(key: &str, has: impl Fn(&str) -> bool) -> Media {
    match twin(key) {
        Some((plain, content_encoding)) if has(plain) => Media {
            content_type: by_name(plain),
            content_encoding: Some(content_encoding),
        },
        _ => Media {
            content_type: by_name(key),
            content_encoding: None,
        },
    }
}

/// The file that this one would be an encoded form of, and the encoding. Archives and files of unknown kind have no
/// encoded form: who puts `backup.tar.gz` beside `backup.tar` offers two downloads.
#[must_use]
pub fn twin(key: &str) -> Option<(&str, &'static str)> {
    let (plain, end) = key.rsplit_once('.')?;
    let (_, encoding) = ENCODINGS
        .iter()
        .find(|(known, _)| end.eq_ignore_ascii_case(known))?;
    table::is_compressible(by_name(plain)).then_some((plain, *encoding))
}

/// The type that a name says.
#[must_use]
pub fn by_name(key: &str) -> &'static str {
    let name = key.rsplit('/').next().unwrap_or(key);
    let known = KNOWN.iter().find(|(known, _)| *known == key);
    let named = || NAMES.iter().find(|(known, _)| *known == name);
    if let Some((_, content_type)) = known.or_else(named) {
        return content_type;
    }
    match name.rsplit_once('.') {
        Some((_, extension)) => table::by_extension(extension).unwrap_or(UNKNOWN),
        None => UNKNOWN,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::{any, prop_assert, prop_assert_eq, proptest};

    fn said(key: &str, others: &[&str]) -> String {
        let media = of(key, |other| others.contains(&other));
        match media.content_encoding {
            Some(encoding) => format!("{} {encoding}", media.content_type),
            None => media.content_type.to_owned(),
        }
    }

    #[test]
    fn types_by_name() {
        for (key, expected) in [
            ("index.html", "text/html; charset=utf-8"),
            ("a/B.HTML", "text/html; charset=utf-8"),
            ("app.mjs", "text/javascript; charset=utf-8"),
            ("app.js.map", "application/json; charset=utf-8"),
            ("logo.svg", "image/svg+xml"),
            ("feed.xml", "application/xml"),
            ("site.webmanifest", "application/manifest+json; charset=utf-8"),
            ("x.wasm", "application/wasm"),
            ("f.woff2", "font/woff2"),
            (".well-known/apple-app-site-association", "application/json"),
            (".well-known/assetlinks.json", "application/json; charset=utf-8"),
            (".well-known/security.txt", "text/plain; charset=utf-8"),
            ("sub/.well-known/webfinger", UNKNOWN),
            ("docs/LICENSE", "text/plain; charset=utf-8"),
            ("license", UNKNOWN),
            ("about", UNKNOWN),
            ("a.b/c", UNKNOWN),
            (".js", "text/javascript; charset=utf-8"),
            ("x.", UNKNOWN),
            ("x.é", UNKNOWN),
            ("", UNKNOWN),
        ] {
            assert_eq!(by_name(key), expected, "{key}");
        }
    }

    #[test]
    fn an_encoded_twin_has_the_type_of_the_plain_file() {
        let others = ["x.js", "x.css", "a.tar", "data", "x.png", "X.SVG", "m.wasm"];
        for (key, expected) in [
            ("x.js.br", "text/javascript; charset=utf-8 br"),
            ("x.css.gz", "text/css; charset=utf-8 gzip"),
            ("x.css.GZ", "text/css; charset=utf-8 gzip"),
            ("X.SVG.zst", "image/svg+xml zstd"),
            ("m.wasm.br", "application/wasm br"),
            // No plain file beside it.
            ("y.js.br", UNKNOWN),
            ("y.js.gz", "application/gzip"),
            // Downloads.
            ("a.tar.gz", "application/gzip"),
            ("b.tgz", "application/gzip"),
            ("data.gz", "application/gzip"),
            ("x.png.gz", "application/gzip"),
        ] {
            assert_eq!(said(key, &others), expected, "{key}");
        }
    }

    proptest! {
        #[test]
        fn every_name_has_a_type(key in any::<String>(), there in any::<bool>()) {
            let media = of(&key, |_| there);
            prop_assert!(media.content_type.contains('/'));
            prop_assert_eq!(by_name(&key).contains('/'), true);
        }

        #[test]
        fn the_case_of_an_extension_does_not_matter(stem in "[a-z]{1,5}", at in 0..table::TYPES.len()) {
            let (extension, content_type) = table::TYPES[at];
            let key = format!("{stem}.{}", extension.to_uppercase());
            prop_assert_eq!(by_name(&key), content_type);
        }
    }
}
