//! `cargo xtask verify`: checks a release tree by what it must be, not by how it was made. Every finding is listed.

use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::path::PathBuf;

use anyhow::{Context as _, Result, ensure};

use crate::checksums;
use crate::elf;
use crate::git::{self, Entry, Repository};
use crate::layout::{self, Tag};
use crate::provenance::Provenance;
use crate::size;
use crate::target::{RELEASED, Target};

/// What to check.
#[derive(Debug, Clone)]
pub struct Request {
    /// The repository that holds the ref and the source commit.
    pub repository: PathBuf,
    /// A tag, branch or commit.
    pub reference: String,
    /// For tests: glibc binaries are no finding, nor is a missing target.
    pub allow_gnu: bool,
    /// For tests: the budget is that of programs as they ship, and those of tests are not optimised.
    pub any_size: bool,
}

/// What was found.
#[derive(Debug, Clone)]
pub struct Report {
    /// How many files the tree has.
    pub files: usize,
    /// The whole tree as GitHub delivers it: the bytes of its tar after gzip.
    pub gzip: u64,
    /// What is wrong, by path.
    pub findings: Vec<Finding>,
}

/// One thing that is wrong.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// The file, from the tree's root; `.` for the whole tree.
    pub path: String,
    /// What is wrong with it.
    pub defect: Defect,
}

impl std::fmt::Display for Finding {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}: {}", self.path, self.defect)
    }
}

/// What can be wrong with a file of a release tree.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[expect(missing_docs, reason = "the messages say it")]
pub enum Defect {
    #[error("is a symbolic link; one that dangles breaks every action of the repository")]
    Symlink,
    #[error("is a submodule")]
    Submodule,
    #[error("has mode {actual}, not {expected}")]
    Mode { actual: String, expected: &'static str },
    #[error("is not part of a release")]
    Stray,
    #[error("is missing")]
    Missing,
    #[error("has no checksum")]
    NoChecksum,
    #[error("does not match its checksum")]
    Altered,
    #[error("has a checksum but is not there")]
    ChecksumOfNothing,
    #[error("differs from `{source_path}` of the source commit")]
    NotTheSource { source_path: String },
    #[error("is dynamic: interpreter `{interpreter}`, {libraries} libraries needed")]
    Dynamic { interpreter: String, libraries: usize },
    #[error("is a program for another machine")]
    WrongMachine,
    #[error("is for glibc; a release takes musl only")]
    Gnu,
    #[error("can't be read: {0}")]
    Unreadable(String),
    #[error("names {0}")]
    Version(String),
    #[error("the tree is {actual} bytes as gzip; the budget is {}", size::TREE_BUDGET)]
    TooLarge { actual: u64 },
}

/// Checks the tree of a ref.
///
/// # Errors
/// When it can't be read at all; anything else is a finding.
pub fn verify(request: &Request) -> Result<Report> {
    let repository = Repository::open(&request.repository)?;
    let commit = repository
        .resolve(&format!("{}^{{commit}}", request.reference))?
        .with_context(|| format!("`{}` names no commit", request.reference))?;
    let entries = repository.list(&commit)?;
    let mut contents = BTreeMap::new();
    for entry in &entries {
        // A submodule's commit is in another repository.
        if entry.mode != git::SUBMODULE {
            contents.insert(entry.path.clone(), repository.blob(&entry.id)?);
        }
    }
    let mut tree = Tree {
        entries: &entries,
        contents,
        findings: Vec::new(),
    };
    tree.check_modes();
    tree.check_checksums();
    let provenance = tree.check_version(&request.reference);
    tree.check_binaries(request.allow_gnu);
    tree.check_sources(&repository, provenance.as_ref(), request.allow_gnu)?;
    let gzip = packed_size(&repository, &commit)?;
    if gzip > size::TREE_BUDGET && !request.any_size {
        tree.find(".", Defect::TooLarge { actual: gzip });
    }
    let mut findings = tree.findings;
    findings.sort_by(|a, b| a.path.cmp(&b.path));
    Ok(Report {
        files: entries.len(),
        gzip,
        findings,
    })
}

fn packed_size(repository: &Repository, commit: &str) -> Result<u64> {
    let mut archive = repository.archive(commit)?;
    let mut meter = size::Meter::default();
    if let Some(mut tar) = archive.stdout.take() {
        io::copy(&mut tar, &mut meter).context("failed to read `git archive`")?;
    }
    ensure!(archive.wait()?.success(), "`git archive` failed for {commit}");
    Ok(meter.finish()?)
}

/// The files that this program wrote about the others; without one of them nothing can be said of a release.
const RECORDS: [&str; 2] = [layout::CHECKSUMS, layout::VERSION];

struct Tree<'a> {
    entries: &'a [Entry],
    contents: BTreeMap<String, Vec<u8>>,
    findings: Vec<Finding>,
}

impl Tree<'_> {
    fn find(&mut self, path: &str, defect: Defect) {
        self.findings.push(Finding {
            path: path.to_owned(),
            defect,
        });
    }

    fn check_modes(&mut self) {
        for entry in self.entries {
            let expected = layout::mode(&entry.path);
            let defect = match entry.mode.as_str() {
                git::SYMLINK => Defect::Symlink,
                git::SUBMODULE => Defect::Submodule,
                actual if actual != expected => Defect::Mode {
                    actual: actual.to_owned(),
                    expected,
                },
                _ => continue,
            };
            self.find(&entry.path, defect);
        }
    }

    fn check_checksums(&mut self) {
        let Some(text) = self.text(layout::CHECKSUMS) else {
            return;
        };
        let sums = match checksums::parse(&text) {
            Ok(sums) => sums,
            Err(error) => return self.find(layout::CHECKSUMS, Defect::Unreadable(format!("{error:#}"))),
        };
        let mut found = Vec::new();
        for (path, content) in self
            .contents
            .iter()
            .filter(|(path, _)| *path != layout::CHECKSUMS)
        {
            match sums.get(path) {
                None => found.push((path.clone(), Defect::NoChecksum)),
                Some(hash) if *hash != checksums::sha256(content) => {
                    found.push((path.clone(), Defect::Altered));
                }
                Some(_) => {}
            }
        }
        let gone = sums.into_keys().filter(|path| !self.contents.contains_key(path));
        found.extend(gone.map(|path| (path, Defect::ChecksumOfNothing)));
        for (path, defect) in found {
            self.find(&path, defect);
        }
    }

    fn check_version(&mut self, reference: &str) -> Option<Provenance> {
        let text = self.text(layout::VERSION)?;
        let provenance = match Provenance::parse(&text) {
            Ok(provenance) => provenance,
            Err(error) => {
                self.find(layout::VERSION, Defect::Unreadable(format!("{error:#}")));
                return None;
            }
        };
        let name = reference.strip_prefix("refs/tags/").unwrap_or(reference);
        if name
            .parse::<Tag>()
            .is_ok_and(|tag| tag.version != provenance.version)
        {
            let defect = Defect::Version(format!("version {}, the tag is `{name}`", provenance.version));
            self.find(layout::VERSION, defect);
        }
        Some(provenance)
    }

    fn check_binaries(&mut self, allow_gnu: bool) {
        let mut found = Vec::new();
        for (path, content) in &self.contents {
            let Some((target, _)) = layout::as_binary(path) else {
                continue;
            };
            if target.is_gnu() && !allow_gnu {
                found.push((path.clone(), Defect::Gnu));
            }
            match elf::inspect(content) {
                Err(error) => found.push((path.clone(), Defect::Unreadable(error.to_string()))),
                Ok(program) => {
                    if !program.is_static() {
                        let interpreter = program.interpreter.clone().unwrap_or_else(|| "none".to_owned());
                        let defect = Defect::Dynamic {
                            interpreter,
                            libraries: program.libraries,
                        };
                        found.push((path.clone(), defect));
                    }
                    if program.machine != Some(target.machine()) {
                        found.push((path.clone(), Defect::WrongMachine));
                    }
                }
            }
        }
        for (path, defect) in found {
            self.find(&path, defect);
        }
    }

    /// Everything the source commit calls for is there and the same, and nothing else is.
    fn check_sources(
        &mut self,
        repository: &Repository,
        provenance: Option<&Provenance>,
        any_target: bool,
    ) -> Result<()> {
        let Some(provenance) = provenance else {
            return Ok(());
        };
        let Some(source) = repository.resolve(&format!("{}^{{commit}}", provenance.commit))? else {
            let defect = Defect::Version(format!(
                "commit {}, which is not in the repository",
                provenance.commit
            ));
            self.find(layout::VERSION, defect);
            return Ok(());
        };
        let sources: BTreeMap<_, _> = repository
            .list(&source)?
            .into_iter()
            .map(|entry| (entry.path, entry.id))
            .collect();
        let tools = layout::tools(sources.keys().map(String::as_str));
        let present: BTreeMap<_, _> = self
            .entries
            .iter()
            .map(|entry| (entry.path.as_str(), entry.id.as_str()))
            .collect();

        let mut expected: BTreeSet<String> = RECORDS.map(str::to_owned).into();
        for file in layout::copied(&tools) {
            let differs =
                present.get(file.release.as_str()).copied() != sources.get(&file.source).map(String::as_str);
            if differs && present.contains_key(file.release.as_str()) {
                self.find(
                    &file.release,
                    Defect::NotTheSource {
                        source_path: file.source,
                    },
                );
            }
            expected.insert(file.release);
        }
        for target in self.targets(any_target) {
            expected.extend(tools.iter().map(|tool| layout::binary(target, tool)));
        }
        let here: BTreeSet<_> = present.into_keys().map(str::to_owned).collect();
        for path in here.difference(&expected) {
            self.find(path, Defect::Stray);
        }
        // The two records themselves are missed where they are read.
        for path in expected
            .difference(&here)
            .filter(|path| !RECORDS.contains(&path.as_str()))
        {
            self.find(path, Defect::Missing);
        }
        Ok(())
    }

    fn targets(&self, any: bool) -> BTreeSet<Target> {
        let here = self
            .contents
            .keys()
            .filter_map(|path| Some(layout::as_binary(path)?.0));
        let here: BTreeSet<_> = here.filter(|target| target.is_linux()).collect();
        // One that is not for release is a finding of its own; its files are then not strays too.
        if any && !here.is_empty() {
            here
        } else {
            here.into_iter().chain(RELEASED).collect()
        }
    }

    fn text(&mut self, path: &str) -> Option<String> {
        let Some(content) = self.contents.get(path).cloned() else {
            self.find(path, Defect::Missing);
            return None;
        };
        match String::from_utf8(content) {
            Ok(text) => Some(text),
            Err(_) => {
                self.find(path, Defect::Unreadable("it is no valid UTF-8".to_owned()));
                None
            }
        }
    }
}
