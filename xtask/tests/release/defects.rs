//! Plants one defect after the other in a good release: each must be found, and nothing beside it.

use proptest::prelude::*;
use proptest::test_runner::TestRunner;
use xtask::checksums;
use xtask::elf::Machine;
use xtask::git::{Entry, Repository};
use xtask::verify::Defect;

use super::project::{Project, program};

/// One way to spoil a release, and what must be said of it.
type Spoil = (
    &'static str,
    fn(&Repository, &mut Vec<Entry>),
    &'static [(&'static str, &'static str)],
);

const X86_NOTIFY: &str = "dist/x86_64-unknown-linux-musl/notify";

fn entry<'a>(entries: &'a mut [Entry], path: &str) -> &'a mut Entry {
    entries.iter_mut().find(|entry| entry.path == path).unwrap()
}

fn replace(repository: &Repository, entries: &mut [Entry], path: &str, content: &[u8]) {
    entry(entries, path).id = repository.write_blob(content).unwrap();
}

fn edit(repository: &Repository, entries: &mut [Entry], path: &str, change: impl FnOnce(String) -> String) {
    let text = String::from_utf8(repository.blob(&entry(entries, path).id).unwrap()).unwrap();
    replace(repository, entries, path, change(text).as_bytes());
}

const SPOILS: &[Spoil] = &[
    (
        "a link",
        |repository, entries| {
            let id = repository.write_blob(b"notify").unwrap();
            entries.push(Entry {
                mode: "120000".into(),
                id,
                path: "alias".into(),
            });
        },
        &[
            ("alias", "is a symbolic link"),
            ("alias", "is not part of a release"),
            ("alias", "has no checksum"),
        ],
    ),
    (
        "a submodule",
        |_, entries| {
            entries.push(Entry {
                mode: "160000".into(),
                id: "1".repeat(40),
                path: "vendor".into(),
            });
        },
        &[
            ("vendor", "is a submodule"),
            ("vendor", "is not part of a release"),
        ],
    ),
    (
        "a changed byte in a script",
        |repository, entries| replace(repository, entries, "dist/launch.sh", b"#!/bin/sh\n\n"),
        &[
            ("dist/launch.sh", "does not match its checksum"),
            ("dist/launch.sh", "differs from `dist/launch.sh`"),
        ],
    ),
    (
        "an action that is not main's, with a good checksum",
        |repository, entries| {
            replace(repository, entries, "notify/action.yml", b"name: other\n");
            let (old, new) = (
                checksums::sha256(b"name: notify\n"),
                checksums::sha256(b"name: other\n"),
            );
            edit(repository, entries, "dist/SHA256SUMS", |text| {
                text.replace(&old, &new)
            });
        },
        &[(
            "notify/action.yml",
            "differs from `actions/notify/action.yml` of the source commit",
        )],
    ),
    (
        "a checksum that is gone",
        |repository, entries| {
            edit(repository, entries, "dist/SHA256SUMS", |text| {
                text.lines().skip(1).map(|line| format!("{line}\n")).collect()
            });
        },
        &[("LICENSE", "has no checksum")],
    ),
    (
        "a checksum of nothing",
        |repository, entries| {
            let line = format!("{}  gone\n", checksums::sha256(b""));
            edit(repository, entries, "dist/SHA256SUMS", |text| text + &line);
        },
        &[("gone", "has a checksum but is not there")],
    ),
    (
        "checksums that are none",
        |repository, entries| replace(repository, entries, "dist/SHA256SUMS", b"\xff"),
        &[("dist/SHA256SUMS", "can't be read")],
    ),
    (
        "a program that lost its mode",
        |_, entries| entry(entries, X86_NOTIFY).mode = "100644".into(),
        &[(X86_NOTIFY, "has mode 100644, not 100755")],
    ),
    (
        "an action that may be run",
        |_, entries| entry(entries, "action.yml").mode = "100755".into(),
        &[("action.yml", "has mode 100755, not 100644")],
    ),
    (
        "a dynamic program",
        |repository, entries| replace(repository, entries, X86_NOTIFY, &program(Machine::X86_64, true)),
        &[
            (
                X86_NOTIFY,
                "is dynamic: interpreter `/lib64/ld-linux-x86-64.so.2`, 1 libraries",
            ),
            (X86_NOTIFY, "does not match"),
        ],
    ),
    (
        "a program for another machine",
        |repository, entries| replace(repository, entries, X86_NOTIFY, &program(Machine::Aarch64, false)),
        &[
            (X86_NOTIFY, "is a program for another machine"),
            (X86_NOTIFY, "does not match its checksum"),
        ],
    ),
    (
        "a script in a program's place",
        |repository, entries| replace(repository, entries, X86_NOTIFY, b"#!/bin/sh\n"),
        &[
            (X86_NOTIFY, "no readable 64-bit elf program"),
            (X86_NOTIFY, "does not match its checksum"),
        ],
    ),
    (
        "a file too many and one too few",
        |_, entries| {
            entry(entries, "README.md").path = "NOTES.md".into();
        },
        &[
            ("NOTES.md", "is not part of a release"),
            ("NOTES.md", "has no checksum"),
            ("README.md", "is missing"),
            ("README.md", "has a checksum but is not there"),
        ],
    ),
    (
        "no checksums and no version",
        |_, entries| {
            entries.retain(|entry| !["dist/SHA256SUMS", "dist/VERSION"].contains(&entry.path.as_str()));
        },
        &[("dist/SHA256SUMS", "is missing"), ("dist/VERSION", "is missing")],
    ),
    (
        "a source commit that nobody has",
        |repository, entries| {
            edit(repository, entries, "dist/VERSION", |text| {
                text.replace("commit=", "commit=0")
            });
        },
        &[
            ("dist/VERSION", "which is not in the repository"),
            ("dist/VERSION", "does not match its checksum"),
        ],
    ),
];

#[test]
fn every_planted_defect_is_found_and_nothing_else() {
    let project = Project::new();
    project.release("v1.2.3");
    for (name, spoil, expected) in SPOILS {
        let findings = project.findings(spoil);
        let lines: Vec<_> = findings
            .iter()
            .map(|finding| finding.to_string().to_lowercase())
            .collect();
        for (path, what) in *expected {
            let (path, what) = (path.to_lowercase(), what.to_lowercase());
            let found = lines
                .iter()
                .any(|line| line.starts_with(&format!("{path}: ")) && line.contains(&what));
            assert!(found, "{name}: no `{path}: {what}` in {lines:#?}");
        }
        assert_eq!(lines.len(), expected.len(), "{name}: {lines:#?}");
    }
}

#[test]
fn a_tree_over_the_budget_is_found() {
    let project = Project::new();
    project.release("v1.2.3");
    let findings = project.findings(|repository, entries| {
        let mut state = 1_u64;
        let noise: Vec<u8> = std::iter::repeat_with(|| {
            // xorshift64: bytes that no gzip makes smaller
            state ^= state << 13;
            state ^= state >> 7;
            state ^= state << 17;
            state.to_le_bytes()
        })
        .take(5_100_000)
        .flatten()
        .collect();
        replace(repository, entries, "LICENSE", &noise);
    });
    assert!(
        findings
            .iter()
            .any(|finding| matches!(finding.defect, Defect::TooLarge { actual } if actual > 40_000_000))
    );
}

#[test]
fn a_tag_with_another_version_is_found() {
    let project = Project::new();
    let release = project.release("v1.2.3");
    project.git(&["tag", "v1.2.4", &release.commit]);
    let findings = project.verify("v1.2.4").findings;
    assert_eq!(findings.len(), 1);
    assert!(
        findings[0]
            .to_string()
            .contains("names version 1.2.3, the tag is `v1.2.4`"),
        "{}",
        findings[0]
    );
}

/// Whatever byte of whatever file changes, it is found.
#[test]
fn no_changed_byte_goes_unseen() {
    let project = Project::new();
    project.release("v1.2.3");
    let change = (
        any::<prop::sample::Index>(),
        any::<prop::sample::Index>(),
        1..=255_u8,
    );
    let mut runner = TestRunner::new(ProptestConfig {
        cases: 24,
        ..ProptestConfig::default()
    });
    runner
        .run(&change, |(file, at, flip)| {
            let findings = project.findings(|repository, entries| {
                let chosen = file.get(entries.as_slice()).path.clone();
                let mut content = repository.blob(&entry(entries, &chosen).id).unwrap();
                let at = at.index(content.len());
                content[at] ^= flip;
                replace(repository, entries, &chosen, &content);
            });
            prop_assert!(!findings.is_empty());
            Ok(())
        })
        .unwrap();
}
