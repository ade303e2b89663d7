//! Folders on disk, as they are found and read.

use std::cell::RefCell;
use std::fs;
use std::num::NonZero;
use std::os::unix::ffi::OsStrExt as _;
use std::os::unix::fs::symlink;

use proptest::prelude::{ProptestConfig, any, prop_assert, prop_assert_eq, proptest};
use tempfile::TempDir;

use super::*;

mod reading;

const TWO: NonZero<usize> = NonZero::new(2).unwrap();

/// A folder with these files, each of which holds its name.
fn folder(names: &[&str]) -> TempDir {
    let folder = TempDir::new().unwrap();
    for name in names {
        let path = folder.path().join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, name).unwrap();
    }
    folder
}

fn keys(site: &Site) -> Vec<&str> {
    site.files.iter().map(|file| &*file.key).collect()
}

fn scanned(folder: &TempDir) -> Result<Site, SiteError> {
    scan(folder.path(), &Options::default())
}

fn refused(folder: &TempDir) -> String {
    let said = scanned(folder).unwrap_err().to_string();
    said.replace(folder.path().to_str().unwrap(), "ROOT")
}

fn read(site: &mut Site) -> Result<(), SiteError> {
    digest(site, TWO, &Progress::default(), &|| false)
}

#[test]
fn keys_are_exact_and_sorted_by_their_bytes() {
    let names = [
        "index.html",
        "a b.txt",
        "a+b.txt",
        "a%20b.txt",
        "a&b?c#d.txt",
        "caf\u{e9}.html",
        "line\nbreak.txt",
        "quote\"<>'.txt",
        "back\\slash",
        "a/b",
        "a.b",
        "a-b",
        "🚀/x",
        "Z",
        "tilde~x",
        "star*",
    ];
    let folder = folder(&names);
    let site = scanned(&folder).unwrap();
    let mut sorted = names.to_vec();
    sorted.sort_by_key(|name| name.as_bytes());
    assert_eq!(keys(&site), sorted);
    for file in &site.files {
        assert_eq!(fs::read_to_string(site.path(file)).unwrap(), *file.key);
        assert_eq!(site.find(&file.key), Some(file));
    }
    assert!(!site.has("a") && !site.has("zz"));
    assert!(site.alike.is_empty());
}

#[test]
fn names_that_look_the_same_are_both_kept() {
    let folder = folder(&["index.html", "caf\u{e9}.html", "cafe\u{301}.html"]);
    let site = scanned(&folder).unwrap();
    assert_eq!(site.files.len(), 3);
    assert_eq!(site.alike, [("cafe\u{301}.html".into(), "caf\u{e9}.html".into())]);
}

#[test]
fn hidden_files_are_left_out_and_counted() {
    let names = [
        "index.html",
        ".well-known/security.txt",
        ".well-known/.x/y",
        "a/.well-known/z",
        ".nojekyll",
        ".vite/manifest.json",
        ".env",
        ".env.local",
        "a/.git/config",
        "a/.DS_Store",
        "a/Thumbs.db",
        ".well-known/.DS_Store",
        "node_modules/x.js",
    ];
    let folder = folder(&names);
    let site = scanned(&folder).unwrap();
    let published = [
        ".well-known/.x/y",
        ".well-known/security.txt",
        "a/.well-known/z",
        "index.html",
        "node_modules/x.js",
    ];
    assert_eq!(keys(&site), published);
    assert_eq!(site.left_out.count, 8);
    assert_eq!(site.left_out.names[..3], [".env", ".env.local", ".nojekyll"]);
    let hidden = Options {
        hidden: true,
        ..Options::default()
    };
    let site = scan(folder.path(), &hidden).unwrap();
    assert!(site.has(".nojekyll") && site.has(".vite/manifest.json"));
    assert!(!site.has(".env") && !site.has("a/.git/config") && !site.has("a/.DS_Store"));
    assert_eq!(site.left_out.count, 6);
}

#[test]
fn what_is_no_site_is_refused_each_in_its_words() {
    let site = folder(&["index.html", "docs/index.html"]);
    let missing = scan(&site.path().join("nope"), &Options::default()).unwrap_err();
    assert!(matches!(&missing, SiteError::Missing { root } if root.ends_with("/nope")));
    let file = scan(&site.path().join("index.html"), &Options::default()).unwrap_err();
    assert!(
        file.to_string().ends_with("index.html` is a file, not a folder"),
        "{file}"
    );
    let below = scan(&site.path().join("index.html/x"), &Options::default()).unwrap_err();
    assert!(
        below.to_string().ends_with("is below a file, not a folder"),
        "{below}"
    );
    assert_eq!(refused(&folder(&[])), "`ROOT` has no file to publish");
    assert_eq!(
        refused(&folder(&[".env", ".x/y"])),
        "`ROOT` has no file to publish; 2 hidden entries are left out"
    );
    assert_eq!(refused(&folder(&["a.html"])), "`ROOT` has no `index.html`");
    assert_eq!(
        refused(&folder(&["dist/index.html", "z"])),
        "`ROOT` has no `index.html`; the first one is in `dist`"
    );
    assert_eq!(
        refused(&folder(&["index.html", ".git/config"])),
        "`ROOT` has `.git` in it: it is a repository, not a built site"
    );
    assert_eq!(
        refused(&folder(&["index.html", ".deploy-actions/lock"])),
        "`ROOT` has `.deploy-actions` in it, under which this program keeps its state in the bucket"
    );
    for names in [&["index.html"][..], &[], &["x"]] {
        let result = scanned(&folder(names));
        assert!(result.is_ok() || result.unwrap_err().help().is_some());
    }
}

#[test]
fn a_source_may_be_asked_for_with_less() {
    let tree = folder(&["a.html", ".git/config"]);
    let options = Options {
        repository: true,
        index: Some("a.html".to_owned()),
        ..Options::default()
    };
    let site = scan(tree.path(), &options).unwrap();
    assert_eq!((keys(&site), site.left_out.count), (vec!["a.html"], 1));
    let options = Options {
        index: None,
        ..options
    };
    assert!(scan(tree.path(), &options).is_ok());
    let few = Options { most: 1, ..options };
    assert!(matches!(
        scan(tree.path(), &few),
        Err(SiteError::TooMany { most: 1, .. })
    ));
}

#[test]
fn links_inside_are_followed() {
    let folder = folder(&["index.html", "real/a.txt", "real/deep/b.txt"]);
    let at = |name: &str| folder.path().join(name);
    symlink("index.html", at("copy.html")).unwrap();
    symlink("real", at("linked")).unwrap();
    symlink(at("real/deep"), at("absolute")).unwrap();
    symlink("../index.html", at("real/up.html")).unwrap();
    let mut site = scanned(&folder).unwrap();
    let expected = [
        "absolute/b.txt",
        "copy.html",
        "index.html",
        "linked/a.txt",
        "linked/deep/b.txt",
        "linked/up.html",
        "real/a.txt",
        "real/deep/b.txt",
        "real/up.html",
    ];
    assert_eq!(keys(&site), expected);
    read(&mut site).unwrap();
    let sha256 = |key: &str| site.find(key).unwrap().sha256;
    assert_eq!(sha256("copy.html"), sha256("index.html"));
    assert_ne!(sha256("copy.html"), sha256("linked/a.txt"));
}

#[test]
fn a_source_may_itself_be_a_link() {
    let folder = folder(&["releases/1/index.html"]);
    symlink("releases/1", folder.path().join("current")).unwrap();
    let site = scan(&folder.path().join("current"), &Options::default()).unwrap();
    assert_eq!(keys(&site), ["index.html"]);
    assert!(site.root.ends_with("releases/1"));
}

#[test]
fn links_that_lead_elsewhere_are_refused_by_name() {
    let outside = folder(&["secret"]);
    let inside = folder(&["index.html", "a/b/x", "c/x", ".env", ".git-not/x"]);
    let at = |name: &str| inside.path().join(name);
    symlink(outside.path().join("secret"), at("out")).unwrap();
    symlink("../..", at("a/b/up")).unwrap();
    symlink("/", at("root")).unwrap();
    symlink("nowhere", at("dangling")).unwrap();
    symlink("self", at("self")).unwrap();
    symlink(".", at("here")).unwrap();
    symlink("../c", at("a/c")).unwrap();
    symlink("../a", at("c/a")).unwrap();
    symlink(".env", at("env.txt")).unwrap();
    symlink("nowhere", at("z")).unwrap();
    let said = refused(&inside);
    let lines: Vec<&str> = said.lines().collect();
    for (name, why) in [
        ("out", "it is a link out of the source, to `"),
        ("root", "it is a link out of the source, to `/`"),
        ("dangling", "it is a link to `nowhere`, which is not there"),
        ("a/b/up", "it is a link to a folder that it is in, `.`"),
        ("here", "it is a link to a folder that it is in, `.`"),
        ("a/c/a", "it is a link to a folder that it is in, `a`"),
        ("c/a/c", "it is a link to a folder that it is in, `c`"),
        ("env.txt", "it is a link to what is never published, `.env`"),
        ("self", "it can't be read: "),
    ] {
        let start = format!("`{name}` can't be published: {why}");
        assert!(
            lines.iter().any(|line| line.starts_with(&start)),
            "{start}\n{said}"
        );
    }
    assert_eq!(lines.len(), 11, "{said}");
    assert_eq!(lines[10], "and 1 more");
}

/// Links that fold a few folders into very many are ended by the limit, not by memory.
#[test]
fn folders_that_links_multiply_are_bounded() {
    let folder = folder(&["index.html"]);
    for level in 0..40 {
        let path = folder.path().join(format!("d{level}"));
        fs::create_dir(&path).unwrap();
        for link in ["l", "m"] {
            symlink(format!("../d{}", level + 1), path.join(link)).unwrap();
        }
    }
    fs::create_dir(folder.path().join("d40")).unwrap();
    let options = Options {
        most: 10_000,
        ..Options::default()
    };
    assert!(matches!(
        scan(folder.path(), &options),
        Err(SiteError::TooMany { .. })
    ));
}

#[test]
fn what_is_no_file_is_refused() {
    let folder = folder(&["index.html"]);
    let at = |name: &str| folder.path().join(name);
    let mode = rustix::fs::Mode::from_raw_mode(0o600);
    rustix::fs::mknodat(rustix::fs::CWD, at("pipe"), rustix::fs::FileType::Fifo, mode, 0).unwrap();
    let _socket = std::os::unix::net::UnixListener::bind(at("socket")).unwrap();
    symlink("pipe", at("linked")).unwrap();
    fs::write(
        at("x").with_file_name(std::ffi::OsStr::from_bytes(b"caf\xe9")),
        "",
    )
    .unwrap();
    let said = "`caf\\xe9` can't be published: its name is not UTF-8, and keys are\n\
                `linked` can't be published: it is a pipe\n\
                `pipe` can't be published: it is a pipe\n\
                `socket` can't be published: it is a socket";
    assert_eq!(refused(&folder), said);
}

#[test]
fn a_key_has_up_to_1024_bytes_with_its_prefix() {
    let folder = folder(&["index.html"]);
    let long = ["é".repeat(100), "b".repeat(250), "c".repeat(250), "d".repeat(250)].join("/");
    let name = format!("{long}/{}", "e".repeat(1024 - long.len() - 1));
    fs::create_dir_all(folder.path().join(&long)).unwrap();
    fs::write(folder.path().join(&name), "").unwrap();
    assert!(scanned(&folder).unwrap().has(&name));
    let options = Options {
        prefix: 1,
        ..Options::default()
    };
    let said = scan(folder.path(), &options).unwrap_err().to_string();
    assert!(
        said.ends_with("its key has 1025 bytes, and S3 takes 1024"),
        "{said}"
    );
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]
    #[test]
    fn any_names_are_keys_or_are_refused(names in proptest::collection::vec(any::<Vec<u8>>(), 1..12)) {
        let folder = folder(&["index.html"]);
        let made = RefCell::new(vec!["index.html".to_owned()]);
        let mut odd = false;
        for mut name in names {
            name.retain(|byte| !matches!(byte, b'/' | 0));
            name.truncate(200);
            if name.is_empty() || name.starts_with(b".") {
                continue;
            }
            if fs::write(folder.path().join(std::ffi::OsStr::from_bytes(&name)), "").is_ok() {
                match String::from_utf8(name) {
                    Ok(name) => made.borrow_mut().push(name),
                    Err(_) => odd = true,
                }
            }
        }
        let mut made = made.into_inner();
        made.sort();
        made.dedup();
        match scanned(&folder) {
            Ok(site) => prop_assert_eq!(keys(&site), made),
            Err(error) => {
                prop_assert!(odd, "{}", error);
                prop_assert!(!error.to_string().contains('\r'));
            }
        }
    }
}
