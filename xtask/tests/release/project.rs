//! A throw-away project: a repository with sources like ours, and binaries as small as an ELF file can be.

use std::fs;
use std::path::Path;
use std::process::Command;

use tempfile::TempDir;
use xtask::assemble::{self, Release, assemble};
use xtask::checksums::{self, Checksums};
use xtask::elf::Machine;
use xtask::git::{Entry, Repository};
use xtask::layout;
use xtask::provenance::Provenance;
use xtask::target::{RELEASED, Target};
use xtask::verify::{self, Finding};

const TOOLS: [&str; 2] = ["image-tag", "notify"];

/// A repository with sources like ours, and a `dist` folder as a build would leave it.
pub(crate) struct Project {
    folder: TempDir,
}

impl Project {
    pub(crate) fn new() -> Self {
        let project = Self {
            folder: tempfile::tempdir().unwrap(),
        };
        project.git(&["init", "--quiet", "--initial-branch=main"]);
        for (path, text) in [
            ("LICENSE", "licence\n"),
            ("README.md", "the readme of main\n"),
            ("action.yml", "name: root\n"),
            (".gitignore", "/dist/*/\n/dist/SHA256SUMS\n/dist/VERSION\n"),
            ("dist/README.md", "the readme of a release\n"),
            ("dist/launch.sh", "#!/bin/sh\n"),
            ("dist/setup.sh", "#!/bin/sh\n"),
            ("actions/image-tag/action.yml", "name: image-tag\n"),
            ("actions/notify/action.yml", "name: notify\n"),
        ] {
            project.write(path, text.as_bytes());
        }
        project.commit("first");
        project.build(&RELEASED, "1.2.3");
        project
    }

    pub(crate) fn path(&self) -> &Path {
        self.folder.path()
    }

    pub(crate) fn write(&self, path: &str, content: &[u8]) {
        let file = self.path().join(path);
        fs::create_dir_all(file.parent().unwrap()).unwrap();
        fs::write(file, content).unwrap();
    }

    pub(crate) fn git(&self, args: &[&str]) -> String {
        let mut git = Command::new("git");
        git.arg("-C").arg(self.path()).args(args);
        for role in ["AUTHOR", "COMMITTER"] {
            git.env(format!("GIT_{role}_NAME"), "test")
                .env(format!("GIT_{role}_EMAIL"), "test@example.invalid");
        }
        let output = git.env("GIT_CONFIG_GLOBAL", "/dev/null").output().unwrap();
        assert!(
            output.status.success(),
            "git {args:?}: {}",
            String::from_utf8_lossy(&output.stderr)
        );
        String::from_utf8(output.stdout).unwrap().trim_end().to_owned()
    }

    pub(crate) fn commit(&self, message: &str) {
        self.git(&["add", "--all"]);
        self.git(&["commit", "--quiet", "--message", message]);
    }

    /// What `cargo xtask dist` would leave for the tools of this project.
    pub(crate) fn build(&self, targets: &[Target], version: &str) {
        self.build_tools(&TOOLS.map(str::to_owned), targets, version);
    }

    /// What `cargo xtask dist` would leave, with small static programs.
    pub(crate) fn build_tools(&self, tools: &[String], targets: &[Target], version: &str) {
        let mut sums = Checksums::new();
        for &target in targets {
            for tool in tools {
                let content = program(target.machine(), false);
                let path = layout::binary(target, tool);
                self.write(&path, &content);
                sums.insert(path, checksums::sha256(&content));
            }
        }
        let provenance = Provenance {
            version: version.to_owned(),
            commit: self.git(&["rev-parse", "HEAD"]),
            rustc: "rustc 1.95.0".to_owned(),
            profile: "dist".to_owned(),
        };
        self.write(layout::VERSION, provenance.to_text().as_bytes());
        self.write(layout::CHECKSUMS, checksums::write(&sums).as_bytes());
    }

    pub(crate) fn request(&self, tag: &str) -> assemble::Request {
        assemble::Request {
            repository: self.path().to_owned(),
            dist: vec![self.path().join("dist")],
            tag: tag.parse().unwrap(),
            allow_gnu: false,
            work_tree: None,
        }
    }

    pub(crate) fn release(&self, tag: &str) -> Release {
        assemble(&self.request(tag)).unwrap()
    }

    pub(crate) fn refusal(&self, request: &assemble::Request) -> String {
        let refs = self.git(&["for-each-ref"]);
        let error = format!("{:#}", assemble(request).unwrap_err());
        assert_eq!(self.git(&["for-each-ref"]), refs, "a refusal changes no ref");
        error
    }

    pub(crate) fn verify(&self, reference: &str) -> verify::Report {
        let repository = self.path().to_owned();
        verify::verify(&verify::Request {
            repository,
            reference: reference.to_owned(),
            allow_gnu: false,
            any_size: false,
        })
        .unwrap()
    }

    /// The findings of the release `v1.2.3` after `change` to its tree.
    pub(crate) fn findings(&self, change: impl FnOnce(&Repository, &mut Vec<Entry>)) -> Vec<Finding> {
        let repository = Repository::open(self.path()).unwrap();
        let mut entries = repository.list("v1.2.3").unwrap();
        change(&repository, &mut entries);
        let tree = repository.write_tree(&entries).unwrap();
        let commit = repository.commit(&tree, &[], "@0 +0000", "changed\n").unwrap();
        self.verify(&commit).findings
    }
}

/// A program of a few headers: static, or with the interpreter and the library that a dynamic one has.
pub(crate) fn program(machine: Machine, dynamic: bool) -> Vec<u8> {
    const HEADER: usize = 64;
    const SEGMENT: usize = 56;
    let interpreter = b"/lib64/ld-linux-x86-64.so.2\0";
    let segments: &[(u32, u64, u64)] = if dynamic {
        let after = (HEADER + 2 * SEGMENT) as u64;
        // PT_INTERP, then PT_DYNAMIC with DT_NEEDED and DT_NULL.
        &[
            (3, after, interpreter.len() as u64),
            (2, after + interpreter.len() as u64 + 4, 32),
        ]
    } else {
        &[(1, 0, HEADER as u64)] // PT_LOAD
    };
    let mut bytes = vec![0x7f, b'E', b'L', b'F', 2, 1, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0];
    let mut put = |value: u64, size: usize| bytes.extend_from_slice(&value.to_le_bytes()[..size]);
    put(2, 2); // ET_EXEC
    put(if machine == Machine::X86_64 { 62 } else { 183 }, 2);
    put(1, 4);
    put(0, 8); // entry
    put(HEADER as u64, 8); // program headers
    put(0, 8); // section headers
    put(0, 4);
    put(HEADER as u64, 2);
    put(SEGMENT as u64, 2);
    put(segments.len() as u64, 2);
    put(0, 6);
    for &(kind, offset, size) in segments {
        put(u64::from(kind), 4);
        put(4, 4);
        for value in [offset, offset, offset, size, size, 8] {
            put(value, 8);
        }
    }
    if dynamic {
        bytes.extend_from_slice(interpreter);
        bytes.extend_from_slice(&[0; 4]);
        bytes.extend_from_slice(&[1, 0, 0, 0, 0, 0, 0, 0]);
        bytes.extend_from_slice(&[0; 24]);
    }
    bytes
}
