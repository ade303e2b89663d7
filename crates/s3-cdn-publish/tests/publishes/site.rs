//! Small sites whose pages name what they need, and what must hold of a bucket that visitors read.
//!
//! A page names each file that it needs, and of those under a hashed name also their content, so that a page beside another
//! release's assets is found out.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::time::Duration;

use s3_cdn_publish::intent::Intent;
use s3_cdn_publish::lock::{Holder, Lock};
use sandbox::stand_ins::aws::Object;
use sha2::{Digest as _, Sha256};
use tempfile::TempDir;

use crate::cloud::{BUCKET, PREFIX, World};

/// A folder of a site.
pub(crate) struct Folder {
    root: TempDir,
    pub(crate) files: BTreeMap<String, Vec<u8>>,
}

impl Folder {
    pub(crate) fn new() -> Self {
        Self {
            root: TempDir::new().unwrap(),
            files: BTreeMap::new(),
        }
    }

    /// The site of this version: pages, assets under hashed names, files under names that stay. Each version has a page and
    /// an asset that no other has.
    pub(crate) fn version(version: u32) -> Self {
        let app = format!("app of {version}");
        let vendor = "the same in all versions".to_owned();
        let own = format!("only in {version}");
        let (app_key, vendor_key) = (hashed("assets/app", &app), hashed("assets/vendor", &vendor));
        let own_key = hashed("assets/own", &own);
        let page = |title: &str, needs: &[(&str, &str)]| {
            let mut text = format!("{title} {version}\n");
            for (key, content) in needs {
                text.push_str(&format!("needs {key} {}\n", sum(content.as_bytes())));
            }
            text.push_str("needs data.json any\n");
            text
        };
        let all = [(&*app_key, &*app), (&*vendor_key, &*vendor)];
        let own_page = page("own", &[(&own_key, &own), (&app_key, &app)]);
        Self::new()
            .with("index.html", page("index", &all))
            .with("about.html", page("about", &all[..1]))
            .with("docs/index.html", page("docs", &all[1..]))
            .with(&format!("own-{version}.html"), own_page)
            .with("data.json", format!("data {version}"))
            .with("robots.txt", "always the same")
            .with(&app_key, app)
            .with(&vendor_key, vendor)
            .with(&own_key, own)
    }

    /// A file more, or another content of one.
    pub(crate) fn with(mut self, key: &str, content: impl Into<Vec<u8>>) -> Self {
        self.write(key, content);
        self
    }

    pub(crate) fn write(&mut self, key: &str, content: impl Into<Vec<u8>>) {
        let path = self.root.path().join(key);
        let content = content.into();
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, &content).unwrap();
        self.files.insert(key.to_owned(), content);
    }

    pub(crate) fn path(&self) -> &Path {
        self.root.path()
    }
}

/// A name with the hash of a content.
pub(crate) fn hashed(name: &str, content: &str) -> String {
    format!("{name}-{}.js", &sum(content.as_bytes())[..8])
}

pub(crate) fn sum(content: &[u8]) -> String {
    Sha256::digest(content)
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect()
}

/// Objects of others, in the bucket and under the site's folder.
pub(crate) fn foreigners(world: &World) -> BTreeMap<String, Object> {
    let keys = [
        "elsewhere/index.html",
        "www",
        "www-2/index.html",
        "www/.deploy-actions.txt",
        "www/assets/upload.bin",
        "www/uploads/letter.txt",
        "www/uploads/odd name + %.txt",
        "wwx",
    ];
    for key in keys {
        let object = Object::new(format!("theirs: {key}")).header("cache-control", "private");
        world.put(key, object.metadata("owner", "them"));
    }
    let all = world.objects();
    let theirs = all.into_iter().filter(|(key, _)| keys.contains(&key.as_str()));
    theirs.collect()
}

/// Objects of others are as they were.
#[track_caller]
pub(crate) fn intact(world: &World, theirs: &BTreeMap<String, Object>, why: &str) {
    let now = world.objects();
    for (key, object) in theirs {
        assert_eq!(now.get(key), Some(object), "{why}");
    }
}

/// Every page that can be had from the bucket has all that it needs.
#[track_caller]
pub(crate) fn consistent(world: &World, why: &str) {
    if let Some(fault) = fault(&world.objects()) {
        panic!("{why}: {fault}");
    }
}

/// The first page that lacks something it needs.
fn fault(objects: &BTreeMap<String, Object>) -> Option<String> {
    let pages = objects
        .iter()
        .filter(|(key, _)| key.starts_with(PREFIX) && key.ends_with(".html"));
    for (page, object) in pages {
        for (key, sum_of) in needs(&object.text()) {
            let Some(needed) = objects.get(&format!("{PREFIX}{key}")) else {
                return Some(format!("{page} needs {key}, which is not there"));
            };
            if sum_of != "any" && sum(needed.bytes()) != sum_of {
                return Some(format!("{page} needs {key} with another content"));
            }
        }
    }
    None
}

/// What a page needs: keys, and checksums of their contents.
pub(crate) fn needs(page: &str) -> Vec<(String, String)> {
    let lines = page.lines().filter_map(|line| line.strip_prefix("needs "));
    lines
        .filter_map(|line| line.split_once(' '))
        .map(|(key, sum)| (key.to_owned(), sum.to_owned()))
        .collect()
}

/// The bucket holds this site as its current release, and nothing of a run is left.
#[track_caller]
pub(crate) fn converged(world: &World, folder: &Folder, why: &str) {
    serves(world, folder, why);
    let state = world.state();
    // Who may not delete says that nothing is left.
    let objects = world.objects();
    let left = |name: &str| objects.get(&format!("{PREFIX}.deploy-actions/{name}"));
    if let Some(lock) = left("lock") {
        let holder = Lock::read(lock.bytes()).unwrap().holder(None, Duration::ZERO);
        assert_eq!(holder, Holder::Nobody, "{why}: {state:?}");
    }
    if let Some(intent) = left("intent") {
        let intent = Intent::read(intent.bytes()).unwrap();
        assert!(intent.is_empty(), "{why}: {state:?}");
    }
    let uploads = world.hosting.stock(|stock| stock.s3.uploads(BUCKET));
    assert!(uploads.is_empty(), "{why}: {uploads:?}");
}

/// The bucket holds all files of this site.
#[track_caller]
pub(crate) fn serves(world: &World, folder: &Folder, why: &str) {
    if let Some(stale) = stale(world, folder) {
        panic!("{why}: {stale} is not what the source has");
    }
}

/// The first file of a site that the bucket has not, or has with another content.
pub(crate) fn stale(world: &World, folder: &Folder) -> Option<String> {
    let objects = world.objects();
    let stale = folder.files.iter().find(|(key, content)| {
        let object = objects.get(&format!("{PREFIX}{key}"));
        object.is_none_or(|object| object.bytes() != content.as_slice())
    });
    stale.map(|(key, _)| key.clone())
}

/// Visitors get this site from the edge: each file, whatever the edge had of it before.
#[track_caller]
pub(crate) fn edge_serves(world: &World, folder: &Folder, why: &str) {
    for (key, content) in &folder.files {
        let visit = world.hosting.visit(&world.distribution, &format!("/{key}"));
        assert_eq!(visit.status, 200, "{why}: {key}");
        assert_eq!(visit.body, *content, "{why}: {key}");
    }
}

/// Visitors have been everywhere, so that the edge has what it may have.
pub(crate) fn warm(world: &World, folder: &Folder) {
    for key in folder.files.keys() {
        let _ = world.hosting.visit(&world.distribution, &format!("/{key}"));
    }
}

/// Keys of the site's folder that are neither of these sites nor of others nor of the commands.
pub(crate) fn strays(
    world: &World,
    folders: &[&Folder],
    theirs: &BTreeMap<String, Object>,
) -> BTreeSet<String> {
    let objects = world.objects();
    let ours = |key: &str| {
        let Some(key) = key.strip_prefix(PREFIX) else {
            return false;
        };
        !key.starts_with(".deploy-actions/") && !folders.iter().any(|folder| folder.files.contains_key(key))
    };
    objects
        .into_keys()
        .filter(|key| ours(key) && !theirs.contains_key(key))
        .collect()
}
