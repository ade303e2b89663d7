//! Assembles releases in a throw-away repository and verifies them.
#![expect(clippy::unwrap_used, reason = "a test that can't go on fails where it stands")]

mod defects;
mod project;

use std::fs;
use std::path::PathBuf;
use std::process::Command;

use project::{Project, program};
use xtask::assemble::{self, assemble};
use xtask::elf::{self, Machine};
use xtask::git::Repository;
use xtask::layout;
use xtask::target::{RELEASED, Target};
use xtask::verify::{self, Defect};
use xtask::{environment, peers, tools};

#[test]
fn the_small_programs_are_what_they_claim() {
    assert!(
        elf::inspect(&program(Machine::Aarch64, false))
            .unwrap()
            .is_static()
    );
    let dynamic = elf::inspect(&program(Machine::X86_64, true)).unwrap();
    assert_eq!(
        (dynamic.interpreter.as_deref(), dynamic.libraries),
        (Some("/lib64/ld-linux-x86-64.so.2"), 1)
    );
}

#[test]
fn a_release_is_good_and_touches_no_work_tree() {
    let project = Project::new();
    project.write("README.md", b"changed, and not committed\n");
    let before = project.git(&["status", "--porcelain"]);
    let release = project.release("v1.2.3");
    assert_eq!(project.git(&["status", "--porcelain"]), before);
    assert_eq!(project.git(&["symbolic-ref", "HEAD"]), "refs/heads/main");
    assert_eq!(
        project.git(&["rev-parse", "v1.2.3", "releases/v1"]),
        format!("{0}\n{0}", release.commit)
    );

    let report = project.verify("v1.2.3");
    assert_eq!(report.findings, []);
    assert_eq!(report.files, 13);
    assert_eq!(
        project.git(&["show", "v1.2.3:README.md"]),
        "the readme of a release"
    );
    assert_eq!(project.git(&["show", "v1.2.3:notify/action.yml"]), "name: notify");

    let tree = tempfile::tempdir().unwrap();
    Repository::open(project.path())
        .unwrap()
        .extract("v1.2.3", tree.path())
        .unwrap();
    let judged = Command::new("sha256sum")
        .args(["-c", "dist/SHA256SUMS"])
        .current_dir(tree.path())
        .output()
        .unwrap();
    assert!(
        judged.status.success(),
        "{}",
        String::from_utf8_lossy(&judged.stdout)
    );
    assert_eq!(String::from_utf8_lossy(&judged.stdout).lines().count(), 12);
}

#[test]
fn releases_follow_each_other_and_the_same_input_gives_the_same_commit() {
    let (project, twin) = (Project::new(), Project::new());
    let first = project.release("v1.2.3");
    project.write("actions/notify/action.yml", b"name: notify, newer\n");
    project.commit("second");
    project.build(&RELEASED, "1.3.0");
    let second = project.release("v1.3.0");
    assert_eq!(project.git(&["rev-parse", "v1.3.0^"]), first.commit);
    assert_eq!(
        (second.branch.as_str(), project.verify("v1.3.0").findings),
        ("releases/v1", vec![])
    );
    assert_eq!(project.verify("v1.2.3").findings, [], "an old release stays good");

    twin.git(&[
        "fetch",
        "--quiet",
        &project.path().display().to_string(),
        &first.source,
    ]);
    twin.git(&["reset", "--quiet", "--hard", "FETCH_HEAD"]);
    twin.build(&RELEASED, "1.2.3");
    assert_eq!(twin.release("v1.2.3").commit, first.commit);
}

#[test]
fn what_is_no_release_is_refused_with_its_reason() {
    let project = Project::new();
    project.release("v1.2.3");
    assert!(
        project
            .refusal(&project.request("v1.2.3"))
            .contains("tag `v1.2.3` exists")
    );
    assert!(
        project
            .refusal(&project.request("v1.2.4"))
            .contains("the binaries are version 1.2.3")
    );

    let project = Project::new();
    let refused = |reason: &str| {
        let error = project.refusal(&project.request("v1.2.3"));
        assert!(error.contains(reason), "{error}");
    };
    project.write(
        &layout::binary(Target::Aarch64Musl, "notify"),
        b"altered after the build",
    );
    refused("`dist/aarch64-unknown-linux-musl/notify` is not the file");

    project.build(&RELEASED[..1], "1.2.3");
    fs::remove_dir_all(project.path().join("dist/aarch64-unknown-linux-musl")).unwrap();
    refused(
        "there is no `image-tag` for aarch64-unknown-linux-musl: run `cargo xtask dist image-tag --target",
    );

    project.build(
        &[Target::X86_64Musl, Target::Aarch64Musl, Target::X86_64Gnu],
        "1.2.3",
    );
    refused("binaries for x86_64-unknown-linux-gnu; a release takes musl only");
    fs::remove_dir_all(project.path().join("dist/x86_64-unknown-linux-gnu")).unwrap();

    project.build(&RELEASED, "1.2.3");
    let version = fs::read_to_string(project.path().join(layout::VERSION)).unwrap();
    project.write(
        layout::VERSION,
        version.replace("\nrustc", "-dirty\nrustc").as_bytes(),
    );
    refused("uncommitted changes");
    project.write(
        layout::VERSION,
        version.replace("commit=", "commit=0000").as_bytes(),
    );
    refused("is not in the repository");

    fs::remove_file(project.path().join(layout::VERSION)).unwrap();
    refused("run `cargo xtask dist` first");
}

#[test]
fn tests_may_take_glibc_and_sources_that_are_not_committed() {
    let project = Project::new();
    fs::remove_dir_all(project.path().join("dist/x86_64-unknown-linux-musl")).unwrap();
    fs::remove_dir_all(project.path().join("dist/aarch64-unknown-linux-musl")).unwrap();
    project.build(&[Target::X86_64Gnu], "1.2.3");
    project.write("actions/notify/action.yml", b"name: notify, being written\n");
    let scratch = Project::new();
    let request = assemble::Request {
        repository: scratch.path().to_owned(),
        allow_gnu: true,
        work_tree: Some(project.path().to_owned()),
        ..project.request("v1.2.3")
    };
    let before = (
        project.git(&["status", "--porcelain"]),
        project.git(&["count-objects"]),
    );
    assemble(&request).unwrap();
    assert_eq!(
        (
            project.git(&["status", "--porcelain"]),
            project.git(&["count-objects"])
        ),
        before
    );
    assert_eq!(
        scratch.git(&["show", "v1.2.3:notify/action.yml"]),
        "name: notify, being written"
    );
    let strict = scratch.verify("v1.2.3").findings;
    assert!(
        strict.iter().any(|finding| finding.defect == Defect::Gnu),
        "{strict:?}"
    );
    let lenient = verify::Request {
        repository: request.repository,
        reference: "v1.2.3".into(),
        allow_gnu: true,
        any_size: false,
    };
    assert_eq!(verify::verify(&lenient).unwrap().findings, []);
}

#[test]
fn parts_of_two_machines_make_one_release() {
    let project = Project::new();
    let parts: Vec<PathBuf> = RELEASED
        .iter()
        .map(|target| {
            let part = project.path().join("parts").join(target.triple());
            fs::create_dir_all(&part).unwrap();
            project.build(&[*target], "1.2.3");
            let dist = project.path().join("dist");
            for name in [target.triple(), "SHA256SUMS", "VERSION"] {
                fs::rename(dist.join(name), part.join(name)).unwrap();
            }
            part
        })
        .collect();
    let request = assemble::Request {
        dist: parts.clone(),
        ..project.request("v1.2.3")
    };
    let version = fs::read_to_string(parts[1].join("VERSION")).unwrap();
    fs::write(parts[1].join("VERSION"), version.replace("1.95.0", "1.96.0")).unwrap();
    assert!(project.refusal(&request).contains("by another compiler"));
    fs::write(parts[1].join("VERSION"), version).unwrap();
    assemble(&request).unwrap();
    assert_eq!(project.verify("v1.2.3").findings, []);
}

#[test]
fn a_release_of_this_very_workspace_is_good() {
    let root = environment::workspace_root().unwrap();
    let project = Project::new();
    fs::remove_dir_all(project.path().join("dist")).unwrap();
    let version = env!("CARGO_PKG_VERSION");
    project.build_tools(&tools::names(&root).unwrap(), &RELEASED, version);
    let tag = format!("v{version}");
    assemble(&assemble::Request {
        work_tree: Some(root.clone()),
        ..project.request(&tag)
    })
    .unwrap();
    assert_eq!(project.verify(&tag).findings, []);
    peers::zizmor_ref(&root, project.path(), &tag).unwrap();
}
