//! Files as they are read: their digests, and what changes meanwhile.

use std::fs;
use std::sync::atomic::Ordering;

use sha2::{Digest as _, Sha256};

use super::*;

#[test]
fn digests_are_those_of_the_bytes() {
    let folder = folder(&["index.html", "empty", "large"]);
    let large: Vec<u8> = (0..1_000_003_u32).map(|n| n.to_le_bytes()[0]).collect();
    fs::write(folder.path().join("large"), &large).unwrap();
    fs::write(folder.path().join("empty"), "").unwrap();
    let mut site = scanned(&folder).unwrap();
    let progress = Progress::default();
    digest(&mut site, TWO, &progress, &|| false).unwrap();
    for (key, bytes) in [
        ("empty", &b""[..]),
        ("index.html", b"index.html"),
        ("large", &large),
    ] {
        let file = site.find(key).unwrap();
        assert_eq!(file.sha256, <[u8; 32]>::from(Sha256::digest(bytes)), "{key}");
        assert_eq!(
            md5(&site.root, file, &|| false).unwrap(),
            <[u8; 16]>::from(md5::Md5::digest(bytes))
        );
    }
    assert_eq!(progress.files.load(Ordering::Relaxed), 3);
    assert_eq!(progress.bytes.load(Ordering::Relaxed), site.bytes());
}

#[test]
fn a_file_that_changes_meanwhile_is_named() {
    let folder = folder(&["index.html", "b.txt"]);
    let path = folder.path().join("b.txt");
    let found = scanned(&folder).unwrap();
    for (content, said) in [
        (Some("longer than it was"), "it had 5 bytes, and now 18"),
        (Some("x"), "it had 5 bytes, and now 1"),
        (None, "it is gone"),
    ] {
        match content {
            Some(content) => fs::write(&path, content).unwrap(),
            None => fs::remove_file(&path).unwrap(),
        }
        let error = read(&mut found.clone()).unwrap_err().to_string();
        assert_eq!(error, format!("`b.txt` changed while it was read: {said}"));
    }
    fs::create_dir(&path).unwrap();
    let error = read(&mut found.clone()).unwrap_err().to_string();
    assert_eq!(error, "`b.txt` changed while it was read: it is no file any more");
}

/// `stop` is asked between two reads: the place for somebody else to write.
#[test]
fn a_file_that_is_written_to_while_it_is_read_is_named() {
    let folder = folder(&["index.html"]);
    let path = folder.path().join("index.html");
    let site = scanned(&folder).unwrap();
    let write = |bytes: usize| {
        fs::write(&path, "y".repeat(bytes)).unwrap();
        fs::File::open(&path)
            .unwrap()
            .set_modified(std::time::UNIX_EPOCH)
            .unwrap();
    };
    for (bytes, said) in [
        (10, "it was written to"),
        (4, "it had 10 bytes, and now 4"),
        (40, "now 40"),
    ] {
        fs::write(&path, "x".repeat(10)).unwrap();
        let asked = std::sync::atomic::AtomicUsize::new(0);
        // Asked before the file is opened, then after its first piece.
        let stop = || {
            if asked.fetch_add(1, Ordering::Relaxed) == 1 {
                write(bytes);
            }
            false
        };
        let error = md5(&site.root, &site.files[0], &stop).unwrap_err().to_string();
        assert!(error.contains(said), "{error}");
    }
}

#[test]
fn reading_stops_when_it_is_told() {
    let folder = folder(&["index.html", "a", "b"]);
    fs::write(folder.path().join("a"), vec![0; 3_000_000]).unwrap();
    let mut site = scanned(&folder).unwrap();
    let progress = Progress::default();
    let stop = || progress.bytes.load(Ordering::Relaxed) > 0;
    let error = digest(&mut site, TWO, &progress, &stop).unwrap_err();
    assert!(matches!(error, SiteError::Cancelled));
    assert!(progress.bytes.load(Ordering::Relaxed) < 1_000_000);
    // What fails is told before what was stopped for it.
    fs::remove_file(folder.path().join("b")).unwrap();
    assert!(matches!(read(&mut site), Err(SiteError::Changed { .. })));
}
