//! Repositories that are damaged, foreign, or none: an error that says so, never a wrong answer, never a panic.

use std::os::unix::fs::chown;

use proptest::prelude::*;

use super::*;

fn message(folder: &Path) -> String {
    gha::failure::chain(&read(folder, "").unwrap_err())
}

#[test]
fn no_repository_and_no_commit() {
    let sandbox = Sandbox::new();
    let folder = sandbox.path("").canonicalize().unwrap();
    let expected = format!("no git repository in `{}` or a folder above it", folder.display());
    assert_eq!(message(&folder), expected);
    git(&folder, ["init", "--quiet", "--initial-branch=main"]);
    assert_eq!(message(&folder), "`refs/heads/main` has no commit yet");
    assert!(message(&folder.join("missing")).contains("No such file or directory"));
}

#[test]
fn a_submodule_that_leads_nowhere_is_not_its_parent() {
    let sandbox = Sandbox::new();
    let folder = sandbox.repository("shop");
    let inner = folder.join("lib/src");
    fs::create_dir_all(&inner).unwrap();
    fs::write(folder.join("lib/.git"), "gitdir: ../.git/modules/lib\n").unwrap();
    let message = message(&inner);
    assert!(
        message.contains("lib/.git` leads to no git repository"),
        "{message}"
    );
    assert!(sandbox::try_git(&inner, ["rev-parse", "HEAD"], b"").is_err());
}

#[test]
fn formats_that_are_not_known_are_refused() {
    let sandbox = Sandbox::new();
    let folder = sandbox.repository("shop");
    let config = fs::read_to_string(folder.join(".git/config")).unwrap();
    for (extra, expected) in [
        ("[core]\nrepositoryformatversion=2\n", "format version `2`"),
        (
            "[core]\nrepositoryformatversion=1\n[extensions]\nzstdObjects=true\n",
            "extension `zstdObjects`",
        ),
        (
            "[core]\nrepositoryformatversion=1\n[extensions]\nrefStorage=reftable\n",
            "ref storage `reftable`",
        ),
        (
            "[core]\nrepositoryformatversion=1\n[extensions]\nobjectFormat=sha3\n",
            "object format `sha3`",
        ),
    ] {
        write(&folder, "config", format!("{config}{extra}"));
        let message = message(&folder);
        assert!(
            message.contains(&format!("has {expected}, which is not supported")),
            "{message}"
        );
        let refused = sandbox::try_git(&folder, ["rev-parse", "HEAD"], b"");
        assert!(refused.is_err() || extra.contains("reftable"), "{extra}");
    }
    write(
        &folder,
        "config",
        format!("{config}[core]\nrepositoryformatversion=1\n[Extensions]\nnoop=1\n"),
    );
    judged(&folder);
    write(&folder, "config", format!("{config}[extensions]\nunknown=1\n"));
    judged(&folder);

    if sandbox::try_git(
        &sandbox.path(""),
        ["init", "--quiet", "--ref-format=reftable", "tables"],
        b"",
    )
    .is_ok()
    {
        let tables = sandbox.path("tables");
        commit(&tables, "first");
        assert!(message(&tables).contains("has ref storage `reftable`"));
    }
}

#[test]
fn a_line_of_the_configuration_is_not_quoted() {
    let sandbox = Sandbox::new();
    let folder = sandbox.repository("shop");
    for secret in [
        "[http\n\textraheader = AUTHORIZATION: basic s3cret",
        "[a]\n = s3cret",
        "[s3cret",
    ] {
        write(&folder, "config", secret);
        let message = message(&folder);
        assert!(message.contains("it is no valid git configuration"), "{message}");
        assert!(!message.contains("s3cret"), "{message}");
    }
}

#[test]
fn a_broken_tag_or_remote_does_not_stop_the_commit() {
    let sandbox = Sandbox::new();
    let folder = sandbox.repository("shop");
    let sha = git(&folder, ["rev-parse", "HEAD"]);
    write(&folder, "refs/tags/empty", "");
    write(&folder, "refs/tags/missing", format!("{}\n", "1".repeat(40)));
    write(&folder, "refs/tags/nowhere", "ref: refs/tags/gone\n");
    write(&folder, "refs/remotes/origin/HEAD", "garbage");
    git(&folder, ["config", "remote.origin.url", ""]);
    let checkout = read(&folder, "").unwrap();
    assert_eq!(checkout.sha, sha);
    assert_eq!(checkout.tags, ["missing", "nowhere", "v1.0.0"]);
    assert_eq!(checkout.unread.len(), 1, "{:?}", checkout.unread);
    assert!(
        checkout.unread[0].contains("refs/tags/empty"),
        "{:?}",
        checkout.unread
    );
    assert_eq!((checkout.remote, checkout.default_branch), (None, None));
    assert_eq!(history(&folder, "").unwrap().tag.as_deref(), Some("v1.0.0"));
    git(&folder, ["checkout", "--quiet", "--detach"]);
    assert_eq!(read(&folder, "").unwrap().git_ref, "refs/heads/main");

    write(
        &folder,
        "packed-refs",
        "# pack-refs with: peeled fully-peeled sorted \nthis is no ref\n",
    );
    let checkout = read(&folder, "").unwrap();
    assert_eq!((checkout.sha.as_str(), checkout.unread.len()), (sha.as_str(), 2));
    write(&folder, "packed-refs", "# not a header\nthis is no ref\n");
    let checkout = read(&folder, "").unwrap();
    assert_eq!((checkout.sha.as_str(), checkout.tags.len()), (sha.as_str(), 3));
    assert_eq!(checkout.unread.len(), 2, "{:?}", checkout.unread);
}

#[test]
fn a_missing_commit_has_a_name_and_no_date() {
    let sandbox = Sandbox::new();
    let folder = sandbox.repository("shop");
    let sha = git(&folder, ["rev-parse", "HEAD"]);
    let (first, rest) = sha.split_at(2);
    fs::remove_file(folder.join(".git/objects").join(first).join(rest)).unwrap();
    let checkout = read(&folder, "").unwrap();
    assert_eq!(
        (checkout.sha.as_str(), checkout.commit_date),
        (sha.as_str(), None)
    );
    let error = history(&folder, "").unwrap_err().to_string();
    assert_eq!(error, format!("failed to read commit `{sha}`"));
}

#[test]
fn the_owner_does_not_matter() {
    let sandbox = Sandbox::new();
    let folder = sandbox.repository("shop");
    let checkout = judged(&folder);
    for path in [folder.clone(), folder.join(".git")] {
        if chown(path, Some(54_321), None).is_err() {
            return; // only root may give files away
        }
    }
    let refused = sandbox::try_git(&folder, ["rev-parse", "HEAD"], b"").unwrap_err();
    assert!(refused.contains("dubious ownership"), "{refused}");
    assert_eq!(read(&folder, "").unwrap(), checkout);
}

/// Whatever stands in the repository's files.
#[test]
fn garbage_is_no_panic() {
    let sandbox = Sandbox::new();
    let folder = sandbox.repository("shop");
    let files = [
        "HEAD",
        "config",
        "packed-refs",
        "shallow",
        "commondir",
        "refs/tags/x",
        "refs/heads/main",
        "refs/remotes/origin/HEAD",
        "objects/info/alternates",
    ];
    let files = files.map(|file| (file, fs::read(folder.join(".git").join(file)).ok()));
    let garbage = prop_oneof![
        prop::collection::vec(any::<u8>(), 0..80),
        "(ref: |\\[|#|\\^|[0-9a-f]{40}|refs/heads/main| |\n|=|\"|\\]|origin|\\.\\./|/){0,12}"
            .prop_map(String::into_bytes),
    ];
    let files = prop::sample::select(files.to_vec());
    proptest!(|(garbage in garbage, (file, before) in files)| {
        write(&folder, file, garbage);
        let read = read(&folder, "");
        let history = history(&folder, "");
        match before {
            Some(before) => write(&folder, file, before),
            None => fs::remove_file(folder.join(".git").join(file)).unwrap(),
        }
        match read {
            Ok(checkout) => prop_assert_eq!(checkout.sha.len(), 40),
            Err(_) => prop_assert!(history.is_err()),
        }
    });
}
