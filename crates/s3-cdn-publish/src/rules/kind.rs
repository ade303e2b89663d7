//! What a file is to a visitor, by its name and its type: what a visit begins with, what never changes, and the rest.

use crate::hashed_name;
use crate::phase::Phase;

use super::{IMMUTABLE, NO_CACHE, REVALIDATE};

/// What a file is to a visitor.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Kind {
    /// What a visit begins with, and what names the files of a release: a page, a service worker and its list of files,
    /// a web manifest.
    Page,
    /// A file whose name has a hash of its content in it.
    Hashed,
    /// What programs look for under a name that stays: `robots.txt`, site maps, `.well-known`.
    WellKnown,
    /// Anything else.
    Other,
}

/// Service workers and their parts, in lower case. A browser would ask for the first of them itself each day, but not for
/// those that it imports (<https://www.w3.org/TR/service-workers/#service-worker-registration-update-via-cache-mode>).
const WORKERS: &[&str] = &[
    "firebase-messaging-sw.js",
    "flutter_service_worker.js",
    "ngsw-worker.js",
    "ngsw.json",
    "onesignalsdkworker.js",
    "onesignalsdkupdaterworker.js",
    "registersw.js",
    "safety-worker.js",
    "service-worker.js",
    "service_worker.js",
    "serviceworker.js",
    "sw.js",
    "sw.mjs",
    "worker-basic.min.js",
];

impl Kind {
    /// The kind of a key, relative to the site's root, of this type.
    #[must_use]
    pub fn of(key: &str, content_type: &str) -> Self {
        let name = key.rsplit('/').next().unwrap_or(key).to_ascii_lowercase();
        if is_page(&name, content_type) {
            Self::Page
        } else if is_well_known(key, &name) {
            Self::WellKnown
        } else if hashed_name::is_hashed(key) {
            Self::Hashed
        } else {
            Self::Other
        }
    }

    /// When such files are sent.
    #[must_use]
    pub fn phase(self) -> Phase {
        match self {
            Self::Hashed => Phase::Assets,
            Self::WellKnown | Self::Other => Phase::Others,
            Self::Page => Phase::Pages,
        }
    }

    /// How long caches keep such files.
    #[must_use]
    pub fn cache_control(self) -> &'static str {
        match self {
            Self::Hashed => IMMUTABLE,
            Self::WellKnown | Self::Other => REVALIDATE,
            Self::Page => NO_CACHE,
        }
    }
}

fn is_page(name: &str, content_type: &str) -> bool {
    let essence = content_type.split(';').next().unwrap_or_default().trim();
    let html = ["text/html", "application/xhtml+xml"]
        .iter()
        .any(|page| essence.eq_ignore_ascii_case(page));
    let manifest = essence.eq_ignore_ascii_case("application/manifest+json")
        || matches!(name, "manifest.json" | "site.webmanifest");
    html || manifest || WORKERS.contains(&name) || name.ends_with("-sw.js") || name.ends_with(".sw.js")
}

fn is_well_known(key: &str, name: &str) -> bool {
    let sitemap = name.starts_with("sitemap") && (name.ends_with(".xml") || name.ends_with(".xml.gz"));
    name == "robots.txt" || sitemap || key.split('/').any(|segment| segment == ".well-known")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::media_type;

    fn kind(key: &str) -> Kind {
        Kind::of(key, media_type::by_name(key))
    }

    #[test]
    fn what_a_visit_begins_with_is_a_page() {
        for key in [
            "index.html",
            "a/b.HTM",
            "main.8f3b2c1d9a7e6f50.html",
            "sw.js",
            "app/sw.js",
            "SERVICE-WORKER.js",
            "my-sw.js",
            "ngsw.json",
            "registerSW.js",
            "firebase-messaging-sw.js",
            "manifest.json",
            "manifest-8f3b2c1d.webmanifest",
        ] {
            assert_eq!(kind(key), Kind::Page, "{key}");
        }
        assert_eq!(Kind::of("about", "Text/HTML ; charset=x"), Kind::Page);
    }

    #[test]
    fn what_programs_look_for_never_counts_as_hashed() {
        for key in [
            "robots.txt",
            "sitemap.xml",
            "sitemap-0.xml",
            ".well-known/x.8f3b2c1d9a7e6f50.js",
            "docs/.well-known/a.8f3b2c1d.js",
        ] {
            assert_eq!(kind(key), Kind::WellKnown, "{key}");
        }
        for (key, expected) in [
            ("main.8f3b2c1d.js", Kind::Hashed),
            ("main.js", Kind::Other),
            ("swiper.js", Kind::Other),
            ("asset-manifest.json", Kind::Other),
            ("feed.xml", Kind::Other),
        ] {
            assert_eq!(kind(key), expected, "{key}");
        }
    }
}
