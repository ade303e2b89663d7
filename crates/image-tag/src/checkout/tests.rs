//! Repositories made by the real git, which is also the judge.

use std::fs;
use std::path::Path;

use super::*;

mod broken;
mod random;
mod sandbox;

use sandbox::{Sandbox, commit, git, write};

/// Whether everything that git also tells is what git tells; then what was read.
fn judged(folder: &Path) -> Checkout {
    let checkout = read(folder, "").unwrap();
    assert_eq!(checkout.sha, git(folder, ["rev-parse", "HEAD"]));
    let date: Timestamp = git(folder, ["show", "-s", "--format=%cI", "HEAD"])
        .parse()
        .unwrap();
    assert_eq!(checkout.commit_date, Some(date));
    let tags = git(folder, ["tag", "--list"]);
    assert_eq!(checkout.tags.join("\n"), tags);
    let shallow = git(folder, ["rev-parse", "--is-shallow-repository"]);
    assert_eq!(checkout.shallow.to_string(), shallow);
    assert_eq!(checkout.unread, Vec::<String>::new());
    if let Ok(branch) = sandbox::try_git(folder, ["symbolic-ref", "HEAD"], b"") {
        assert_eq!(checkout.git_ref, branch);
        assert_eq!(checkout.ref_from, "HEAD is on it");
    }
    judged_history(folder, "");
    checkout
}

/// The same for the history; asked of git by `--match`.
fn judged_history(folder: &Path, prefix: &str) -> History {
    let history = history(folder, prefix).unwrap();
    let count = git(folder, ["rev-list", "--count", "HEAD"]);
    assert_eq!(history.commit_count.to_string(), count);
    let pattern = format!("--match={prefix}*");
    let described = git(folder, ["describe", "--tags", "--always", &pattern]);
    assert_eq!(history.describe, described);
    match sandbox::try_git(folder, ["describe", "--tags", "--long", &pattern], b"") {
        Ok(long) => {
            let (rest, _) = long.rsplit_once("-g").unwrap();
            let (tag, distance) = rest.rsplit_once('-').unwrap();
            assert_eq!(history.tag.as_deref(), Some(tag));
            assert_eq!(history.distance.to_string(), distance);
        }
        Err(_) => assert_eq!(
            (history.tag.as_deref(), history.distance),
            (None, history.commit_count)
        ),
    }
    history
}

#[test]
fn a_branch_with_loose_and_packed_tags_light_and_annotated() {
    let sandbox = Sandbox::new();
    let folder = sandbox.repository("shop");
    git(&folder, ["tag", "--annotate", "--message=m", "v1.1.0"]);
    git(&folder, ["pack-refs", "--all"]);
    commit(&folder, "third");
    git(&folder, ["tag", "--annotate", "--message=m", "svc/v0.1.0"]);
    commit(&folder, "fourth");
    let checkout = judged(&folder);
    assert_eq!(checkout.git_ref, "refs/heads/main");
    assert_eq!(checkout.tags, ["svc/v0.1.0", "v1.0.0", "v1.1.0"]);
    assert_eq!((checkout.remote, checkout.default_branch), (None, None));
    assert_eq!(judged_history(&folder, "v1.1").distance, 2);
    assert_eq!(judged_history(&folder, "svc/").tag.as_deref(), Some("svc/v0.1.0"));
    assert_eq!(judged_history(&folder, "other-").tag, None);
    git(&folder, ["gc", "--quiet"]);
    assert_eq!(judged(&folder).tags.len(), 3);
}

#[test]
fn a_clone_has_remote_and_default_branch() {
    let sandbox = Sandbox::new();
    let folder = sandbox.clone("shop", &[]);
    git(
        &folder,
        [
            "switch",
            "--quiet",
            "--create",
            "feature/ä b".replace(' ', "-").as_str(),
        ],
    );
    git(&folder, ["remote", "add", "other", "https://example.org/other"]);
    let checkout = judged(&folder);
    assert_eq!(checkout.git_ref, "refs/heads/feature/ä-b");
    assert_eq!(checkout.default_branch.as_deref(), Some("main"));
    let remote = checkout.remote.unwrap();
    assert!(
        remote.starts_with("file://") && remote.ends_with("/origin-of-shop"),
        "{remote}"
    );
    git(&folder, ["remote", "remove", "origin"]);
    assert_eq!(
        judged(&folder).remote.as_deref(),
        Some("https://example.org/other")
    );
    git(&folder, ["remote", "add", "third", "https://example.org/third"]);
    assert_eq!(judged(&folder).remote, None);
}

#[test]
fn a_detached_head_takes_what_points_at_it() {
    let sandbox = Sandbox::new();
    let folder = sandbox.clone("shop", &[]);
    git(&folder, ["checkout", "--quiet", "--detach"]);
    assert_eq!(judged(&folder).git_ref, "refs/heads/main");
    git(&folder, ["update-ref", "refs/remotes/pull/15/merge", "HEAD"]);
    assert_eq!(judged(&folder).git_ref, "refs/pull/15/merge");
    // One of each kind, loose and packed, and some that point elsewhere.
    git(&folder, ["tag", "--annotate", "--message=m", "v1.9.0"]);
    git(
        &folder,
        ["tag", "--annotate", "--message=m", "tag-of-a-tag", "v1.9.0"],
    );
    git(&folder, ["tag", "v9.0.0", "HEAD~1"]);
    let checkout = read(&folder, "").unwrap();
    assert_eq!(
        (checkout.git_ref.as_str(), checkout.ref_from),
        ("refs/tags/v1.9.0", "the tag points at HEAD")
    );
    git(&folder, ["pack-refs", "--all"]);
    git(&folder, ["tag", "v1.10.0"]);
    git(&folder, ["tag", "v1.11.0-rc.1"]);
    let checkout = read(&folder, "").unwrap();
    assert_eq!(checkout.git_ref, "refs/tags/v1.10.0");
    // Git names an annotated tag first; we the version.
    let history = history(&folder, "").unwrap();
    assert_eq!((history.describe.as_str(), history.distance), ("v1.10.0", 0));
    commit(&folder, "unknown to all");
    let checkout = read(&folder, "").unwrap();
    assert_eq!(
        (checkout.git_ref.as_str(), checkout.ref_from),
        ("", "HEAD is detached and no ref points at it")
    );
}

#[test]
fn shallow_clones_end_at_the_boundary() {
    let sandbox = Sandbox::new();
    let folder = sandbox.clone("cut", &["--depth=1"]);
    let checkout = judged(&folder);
    assert!(checkout.shallow);
    assert_eq!(history(&folder, "").unwrap().commit_count, 1);
    // The commits beyond are still there when a whole clone is cut.
    let folder = sandbox.clone("whole", &[]);
    assert_eq!(judged_history(&folder, "").commit_count, 2);
    git(&folder, ["fetch", "--quiet", "--depth=1"]);
    assert!(judged(&folder).shallow);
    assert_eq!(history(&folder, "").unwrap().commit_count, 1);
    git(&folder, ["fetch", "--quiet", "--unshallow"]);
    assert!(!judged(&folder).shallow);
}

#[test]
fn submodules_worktrees_sub_folders_and_bare_repositories() {
    let sandbox = Sandbox::new();
    let folder = sandbox.repository("shop");
    let library = sandbox.repository("library");
    commit(&library, "ahead");
    git(
        &folder,
        ["submodule", "--quiet", "add", library.to_str().unwrap(), "lib"],
    );
    let inner = judged(&folder.join("lib"));
    assert_eq!(inner.sha, git(&library, ["rev-parse", "HEAD"]));

    let deep = folder.join("a/b");
    fs::create_dir_all(&deep).unwrap();
    assert_eq!(judged(&deep), judged(&folder));

    git(
        &folder,
        ["worktree", "add", "--quiet", "-b", "fix", "../linked", "v1.0.0"],
    );
    let linked = judged(&sandbox.path("linked"));
    assert_eq!(linked.git_ref, "refs/heads/fix");
    assert_eq!(linked.tags, ["v1.0.0"]);
    git(&sandbox.path("linked"), ["checkout", "--quiet", "--detach"]);
    assert_eq!(judged(&sandbox.path("linked")).git_ref, "refs/tags/v1.0.0");

    let bare = sandbox.clone("bare.git", &["--bare"]);
    assert_eq!(judged(&bare).git_ref, "refs/heads/main");
    assert_eq!(judged(&folder.join(".git")).git_ref, "refs/heads/main");
}

#[test]
fn borrowed_objects_and_sha256() {
    let sandbox = Sandbox::new();
    let shared = sandbox.clone("shared", &["--shared"]);
    assert_eq!(judged(&shared).git_ref, "refs/heads/main");

    git(
        &sandbox.path(""),
        [
            "init",
            "--quiet",
            "--object-format=sha256",
            "--initial-branch=main",
            "wide",
        ],
    );
    let wide = sandbox.path("wide");
    commit(&wide, "first");
    git(&wide, ["tag", "--annotate", "--message=m", "v1.0.0"]);
    commit(&wide, "second");
    assert_eq!(judged(&wide).sha.len(), 64);
    git(&wide, ["gc", "--quiet"]);
    git(&wide, ["checkout", "--quiet", "--detach", "v1.0.0"]);
    assert_eq!(judged(&wide).git_ref, "refs/tags/v1.0.0");
}

#[test]
fn names_as_found_in_the_wild() {
    let sandbox = Sandbox::new();
    let folder = sandbox.repository("shop");
    let names = [
        "🚀",
        "100%",
        "$(x);`y`",
        "-dash",
        "שלום",
        "a'b\"c",
        "v1.0.0+build",
    ];
    for name in names {
        let full = format!("refs/tags/{name}");
        git(&folder, ["update-ref", &full, "HEAD"]);
        git(&folder, ["update-ref", &format!("refs/heads/{name}"), "HEAD"]);
    }
    let long = "x".repeat(240);
    git(&folder, ["branch", &long]);
    let checkout = read(&folder, "").unwrap();
    for name in names {
        assert!(checkout.tags.iter().any(|tag| tag == name), "{name}");
        git(&folder, ["symbolic-ref", "HEAD", &format!("refs/heads/{name}")]);
        assert_eq!(read(&folder, "").unwrap().git_ref, format!("refs/heads/{name}"));
    }
    git(&folder, ["switch", "--quiet", &long]);
    assert_eq!(read(&folder, "").unwrap().git_ref, format!("refs/heads/{long}"));
}

#[cfg(target_os = "linux")]
#[test]
fn names_that_are_not_utf8_are_left_out() {
    use std::ffi::OsStr;
    use std::os::unix::ffi::OsStrExt as _;

    let sandbox = Sandbox::new();
    let folder = sandbox.repository("shop");
    let name = |text: &'static [u8]| OsStr::from_bytes(text);
    for text in [b"refs/tags/\xff" as &[u8], b"refs/heads/\xff"] {
        git(
            &folder,
            [OsStr::new("update-ref"), name(text), OsStr::new("HEAD")],
        );
    }
    assert_eq!(judged_tags(&folder), ["v1.0.0"]);
    git(&folder, ["pack-refs", "--all"]);
    assert_eq!(judged_tags(&folder), ["v1.0.0"]);
    git(
        &folder,
        [
            OsStr::new("symbolic-ref"),
            OsStr::new("HEAD"),
            name(b"refs/heads/\xff"),
        ],
    );
    let checkout = read(&folder, "").unwrap();
    assert_eq!(checkout.git_ref, "");
    assert_eq!(checkout.ref_from, "HEAD is on a branch whose name is not UTF-8");
    assert_eq!(checkout.sha, git(&folder, ["rev-parse", "HEAD"]));

    fn judged_tags(folder: &Path) -> Vec<String> {
        let checkout = read(folder, "").unwrap();
        assert_eq!(checkout.sha, git(folder, ["rev-parse", "HEAD"]));
        checkout.tags
    }
}

#[test]
fn configuration_neither_includes_nor_hides() {
    let sandbox = Sandbox::new();
    let folder = sandbox.repository("shop");
    let included = sandbox.path("included");
    fs::write(
        &included,
        "[remote \"origin\"]\n\turl = https://example.org/included\n",
    )
    .unwrap();
    git(&folder, ["config", "include.path", included.to_str().unwrap()]);
    git(&folder, ["config", "core.fsmonitor", "touch fsmonitor-ran"]);
    git(&folder, ["config", "core.worktree", "/nonexistent"]);
    assert_eq!(read(&folder, "").unwrap().remote, None);
    git(
        &folder,
        [
            "--work-tree=.",
            "config",
            "remote.ci.url",
            "https://ci:s3cret@example.org/shop",
        ],
    );
    assert_eq!(
        read(&folder, "").unwrap().remote.as_deref(),
        Some("https://example.org/shop")
    );
    assert!(!folder.join("fsmonitor-ran").exists());
}
