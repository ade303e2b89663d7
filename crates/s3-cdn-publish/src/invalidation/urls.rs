//! Under which paths visitors know an object.
//!
//! The path is the key without the origin path of the distribution. An index document has others: `/` for the default root
//! object, and `/d/` and `/d` where something turns them into `/d/index.html`.
//!
//! Which of them are in the cache depends on the distribution. With a bucket as plain S3 origin and no function, nobody
//! turns `/d/` into anything and only the default root object has a second path. The website endpoint of a bucket answers
//! to `/d/` and redirects `/d`. A function may do either, and AWS recommends to name what the visitor asked for and what
//! the function made of it
//! (<https://docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/invalidation-specifying-objects.html>). Where the
//! distribution can't be read, all are named: a path too much costs half a cent, one too few is a stale page.

/// The other paths of pages.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Forms {
    /// `/d/` for `d/index.html`.
    pub slash: bool,
    /// `/d` for `d/index.html`.
    pub bare: bool,
    /// `/x` for `x.html`.
    pub clean: bool,
}

impl Forms {
    /// The path of the key alone.
    pub const NONE: Self = Self {
        slash: false,
        bare: false,
        clean: false,
    };

    /// What is named where nothing is known of the distribution, or where it has functions or a website endpoint.
    pub const DIRECTORIES: Self = Self {
        slash: true,
        bare: true,
        clean: false,
    };
}

/// How keys become paths.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Web {
    /// What stands before the site's keys in the bucket, such as `site/`.
    pub prefix: String,
    /// The origin paths of the distribution's origins that are this bucket, such as `/site`; one that is empty for none.
    pub origin_paths: Vec<String>,
    /// The path under which the site is seen, where a function changes paths, such as `/docs/`. What follows from prefix and
    /// origin path is named as well.
    pub url_path: Option<String>,
    /// The object that the distribution answers `/` with, such as `index.html`.
    pub root_object: Option<String>,
    /// The name of index documents.
    pub index: String,
    /// The other paths of pages.
    pub forms: Forms,
    /// Whether query strings are in the cache key, so that each path has a wildcard.
    pub query_strings: bool,
}

impl Web {
    /// A site of this prefix on a distribution of which nothing is known.
    #[must_use]
    pub fn new(prefix: &str) -> Self {
        Self {
            prefix: prefix.to_owned(),
            origin_paths: vec![String::new()],
            url_path: None,
            root_object: None,
            index: "index.html".to_owned(),
            forms: Forms::DIRECTORIES,
            query_strings: false,
        }
    }

    /// The paths of an object under its own name, one for each way that leads to it, not encoded. None where the object is
    /// outside of every origin path.
    #[must_use]
    pub fn paths(&self, key: &str) -> Vec<String> {
        let mut paths: Vec<String> = self
            .origin_paths
            .iter()
            .filter_map(|origin| below(origin, &format!("/{}{key}", self.prefix)))
            .collect();
        if let Some(base) = &self.url_path {
            let base = base.trim_matches('/');
            let slash = if base.is_empty() { "" } else { "/" };
            paths.push(format!("{slash}{base}/{key}"));
        }
        paths.sort();
        paths.dedup();
        paths
    }

    /// All paths of an object, not encoded.
    #[must_use]
    pub fn all_paths(&self, key: &str) -> Vec<String> {
        let mut all = Vec::new();
        for path in self.paths(key) {
            self.others(&path, &mut all);
            all.push(path);
        }
        all
    }

    fn others(&self, path: &str, all: &mut Vec<String>) {
        let root = self.root_object.as_deref().is_some_and(|root| path[1..] == *root);
        let folder = path
            .strip_suffix(self.index.as_str())
            .filter(|folder| folder.ends_with('/') && !self.index.is_empty());
        if root || folder == Some("/") {
            all.push("/".to_owned());
        }
        match folder {
            Some("/") => {}
            Some(folder) => {
                if self.forms.slash {
                    all.push(folder.to_owned());
                }
                if self.forms.bare {
                    all.push(folder.trim_end_matches('/').to_owned());
                }
            }
            None => {
                let clean = path.strip_suffix(".html").filter(|clean| !clean.ends_with('/'));
                if let Some(clean) = clean.filter(|_| self.forms.clean) {
                    all.push(clean.to_owned());
                }
            }
        }
    }
}

/// A path without the origin path, which has no slash at its end
/// (<https://docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/DownloadDistValuesOrigin.html>).
fn below(origin: &str, path: &str) -> Option<String> {
    let origin = origin.trim_end_matches('/');
    let rest = path.strip_prefix(origin)?;
    rest.starts_with('/').then(|| rest.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sorted(mut paths: Vec<String>) -> Vec<String> {
        paths.sort();
        paths
    }

    #[test]
    fn the_origin_path_is_no_part_of_a_path() {
        for (prefix, origin, key, path) in [
            ("", "", "a.html", Some("/a.html")),
            ("site/", "", "a.html", Some("/site/a.html")),
            ("site/", "/site", "a.html", Some("/a.html")),
            ("site/", "/site/", "a.html", Some("/a.html")),
            ("site/v2/", "/site", "a.html", Some("/v2/a.html")),
            ("", "/site", "site/a.html", Some("/a.html")),
            ("", "/site", "site2/a.html", None),
            ("", "/site", "a.html", None),
            ("site/", "/site/v2", "a.html", None),
        ] {
            let mut web = Web::new(prefix);
            web.origin_paths = vec![origin.to_owned()];
            let paths = web.paths(key);
            assert_eq!(paths.first().map(String::as_str), path, "{prefix} {origin} {key}");
        }
    }

    #[test]
    fn an_object_of_two_origins_or_behind_a_function_has_two_paths() {
        let mut web = Web::new("site/");
        web.origin_paths = vec![String::new(), "/site".to_owned(), "/elsewhere".to_owned()];
        assert_eq!(web.paths("a"), ["/a", "/site/a"]);
        web.url_path = Some("docs".to_owned());
        assert_eq!(web.paths("a"), ["/a", "/docs/a", "/site/a"]);
        web.url_path = Some("/".to_owned());
        assert_eq!(web.paths("a"), ["/a", "/site/a"]);
    }

    #[test]
    fn index_documents_have_the_paths_that_are_asked_for() {
        let mut web = Web::new("");
        web.forms = Forms::NONE;
        assert_eq!(sorted(web.all_paths("index.html")), ["/", "/index.html"]);
        assert_eq!(web.all_paths("d/index.html"), ["/d/index.html"]);
        assert_eq!(web.all_paths("d/myindex.html"), ["/d/myindex.html"]);
        web.forms.slash = true;
        assert_eq!(sorted(web.all_paths("d/index.html")), ["/d/", "/d/index.html"]);
        web.forms.bare = true;
        assert_eq!(
            sorted(web.all_paths("d/index.html")),
            ["/d", "/d/", "/d/index.html"]
        );
        assert_eq!(web.all_paths("d/myindex.html"), ["/d/myindex.html"]);
        web.forms.clean = true;
        assert_eq!(sorted(web.all_paths("d/x.html")), ["/d/x", "/d/x.html"]);
        assert_eq!(web.all_paths("d/.html"), ["/d/.html"]);
        web.root_object = Some("app/main.html".to_owned());
        assert_eq!(
            sorted(web.all_paths("app/main.html")),
            ["/", "/app/main", "/app/main.html"]
        );
        web.index = "default.htm".to_owned();
        assert_eq!(sorted(web.all_paths("default.htm")), ["/", "/default.htm"]);
        web.index = String::new();
        assert_eq!(web.all_paths("a.css"), ["/a.css"]);
    }

    #[test]
    fn the_root_of_a_site_in_a_folder_is_a_folder() {
        let web = Web::new("docs/");
        assert_eq!(
            sorted(web.all_paths("index.html")),
            ["/docs", "/docs/", "/docs/index.html"]
        );
    }
}
