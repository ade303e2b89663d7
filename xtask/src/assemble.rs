//! `cargo xtask assemble`: makes the release tree as a commit on `releases/v<major>`, and its tag.
//!
//! Everything but the binaries comes from the commit they were built from, not from the work tree. No work tree and no
//! index is touched, and the refs move together or not at all.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result, ensure};

use crate::checksums::{self, Checksums};
use crate::git::{Entry, Repository};
use crate::layout::{self, Tag};
use crate::provenance::Provenance;
use crate::target::{RELEASED, Target};
use crate::{dist, elf};

/// What to assemble.
#[derive(Debug, Clone)]
pub struct Request {
    /// The repository that holds the source commit and gets the release.
    pub repository: PathBuf,
    /// Folders as `cargo xtask dist` leaves them: one, or one for each machine that built.
    pub dist: Vec<PathBuf>,
    /// The release.
    pub tag: Tag,
    /// For tests: takes glibc binaries, and whatever Linux targets there are.
    pub allow_gnu: bool,
    /// For tests: takes the sources from this folder as they stand, committed or not. The source commit that
    /// `dist/VERSION` names is then made of that folder and is on no branch.
    pub work_tree: Option<PathBuf>,
}

/// A release that is in the repository.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Release {
    /// The tag.
    pub tag: String,
    /// The branch that was moved to the commit.
    pub branch: String,
    /// The release commit.
    pub commit: String,
    /// The commit it was made from.
    pub source: String,
}

/// Makes the release commit, moves its branch and creates its tag.
///
/// # Errors
/// Refuses an existing tag; binaries that are missing, altered, dirty, of another version or not for release; a source
/// commit that lacks a file. Nothing that can be named has changed then.
pub fn assemble(request: &Request) -> Result<Release> {
    let repository = Repository::open(&request.repository)?;
    let tag_ref = format!("refs/tags/{}", request.tag.name);
    ensure!(
        repository.resolve(&tag_ref)?.is_none(),
        "tag `{}` exists; a release is never made twice",
        request.tag.name
    );

    let mut binaries = Binaries::read(&request.dist)?;
    ensure!(
        binaries.provenance.version == request.tag.version,
        "the binaries are version {}, the tag is `{}`",
        binaries.provenance.version,
        request.tag.name
    );
    binaries.provenance.commit = source(&repository, request, &binaries.provenance)?;
    let source = binaries.provenance.commit.clone();

    let entries = entries(&repository, &source, &binaries, request.allow_gnu)?;
    let tree = repository.write_tree(&entries)?;
    let branch = format!("refs/heads/{}", request.tag.branch);
    let parent = repository.resolve(&format!("{branch}^{{commit}}"))?;
    let message = format!(
        "Release {}\n\nBuilt from {source} with {}.\n",
        request.tag.name, binaries.provenance.rustc
    );
    let parents: Vec<_> = parent.iter().cloned().collect();
    let commit = repository.commit(&tree, &parents, &repository.date(&source)?, &message)?;
    repository.update_refs(&[(&branch, &commit, parent.as_deref()), (&tag_ref, &commit, None)])?;
    Ok(Release {
        tag: request.tag.name.clone(),
        branch: request.tag.branch.clone(),
        commit,
        source,
    })
}

fn source(repository: &Repository, request: &Request, provenance: &Provenance) -> Result<String> {
    if let Some(folder) = &request.work_tree {
        return repository.commit_folder(folder, "Sources as they stand\n");
    }
    ensure!(
        provenance.profile == "dist",
        "the binaries were built with profile `{}`, a release takes `dist`: run `cargo xtask dist --all`",
        provenance.profile
    );
    ensure!(
        !provenance.is_dirty(),
        "the binaries were built from a work tree with uncommitted changes: commit, and run `cargo xtask dist` again"
    );
    let commit = repository.resolve(&format!("{}^{{commit}}", provenance.commit))?;
    commit.with_context(|| {
        format!(
            "the binaries' source commit {} is not in the repository",
            provenance.commit
        )
    })
}

fn entries(
    repository: &Repository,
    source: &str,
    binaries: &Binaries,
    allow_gnu: bool,
) -> Result<Vec<Entry>> {
    let sources = repository.list(source)?;
    let tools = layout::tools(sources.iter().map(|entry| entry.path.as_str()));
    ensure!(
        !tools.is_empty(),
        "source commit {source} has no tool under `actions/`"
    );
    binaries.check_complete(&tools, allow_gnu)?;

    let mut entries = Vec::new();
    let mut sums = Checksums::new();
    let mut add = |path: &str, id: String, content: &[u8]| {
        if path != layout::CHECKSUMS {
            sums.insert(path.to_owned(), checksums::sha256(content));
        }
        entries.push(Entry {
            mode: layout::mode(path).to_owned(),
            id,
            path: path.to_owned(),
        });
    };
    for file in layout::copied(&tools) {
        let from = sources
            .iter()
            .find(|entry| entry.path == file.source)
            .with_context(|| format!("source commit {source} has no `{}`", file.source))?;
        add(&file.release, from.id.clone(), &repository.blob(&from.id)?);
    }
    for ((target, tool), content) in &binaries.programs {
        add(
            &layout::binary(*target, tool),
            repository.write_blob(content)?,
            content,
        );
    }
    let version = binaries.provenance.to_text();
    add(
        layout::VERSION,
        repository.write_blob(version.as_bytes())?,
        version.as_bytes(),
    );
    let text = checksums::write(&sums);
    let id = repository.write_blob(text.as_bytes())?;
    entries.push(Entry {
        mode: layout::mode(layout::CHECKSUMS).to_owned(),
        id,
        path: layout::CHECKSUMS.to_owned(),
    });
    Ok(entries)
}

/// The Linux binaries of some `dist` folders, checked against what was recorded when they were built.
struct Binaries {
    provenance: Provenance,
    programs: BTreeMap<(Target, String), Vec<u8>>,
}

impl Binaries {
    fn read(folders: &[PathBuf]) -> Result<Self> {
        let mut all: Option<Self> = None;
        for folder in folders {
            let one = Self::read_one(folder)?;
            let Some(all) = &mut all else {
                all = Some(one);
                continue;
            };
            ensure!(
                all.provenance == one.provenance,
                "`{}` was built from another source, or by another compiler, than the first folder",
                folder.display()
            );
            for ((target, tool), content) in one.programs {
                let name = format!("`{tool}` for {}", target.triple());
                ensure!(
                    all.programs.insert((target, tool), content).is_none(),
                    "{name} is there twice"
                );
            }
        }
        all.context("no `dist` folder was given")
    }

    fn read_one(folder: &Path) -> Result<Self> {
        let text = |name: &str| {
            let file = folder.join(name);
            std::fs::read_to_string(&file).with_context(|| {
                format!(
                    "failed to read `{}`: run `cargo xtask dist` first",
                    file.display()
                )
            })
        };
        let provenance = Provenance::parse(&text("VERSION")?)?;
        let sums = checksums::parse(&text("SHA256SUMS")?)?;
        let mut programs = BTreeMap::new();
        for (target, target_folder) in dist::target_folders(folder)? {
            if !target.is_linux() {
                continue;
            }
            for entry in target_folder.read_dir()? {
                let entry = entry?;
                let tool = entry.file_name().to_string_lossy().into_owned();
                let path = layout::binary(target, &tool);
                let content = std::fs::read(entry.path())
                    .with_context(|| format!("failed to read `{}`", entry.path().display()))?;
                ensure!(
                    sums.get(&path) == Some(&checksums::sha256(&content)),
                    "`{path}` is not the file that `cargo xtask dist` recorded in `SHA256SUMS`"
                );
                programs.insert((target, tool), content);
            }
        }
        Ok(Self { provenance, programs })
    }

    fn check_complete(&self, tools: &[String], allow_gnu: bool) -> Result<()> {
        let mut targets: Vec<_> = self.programs.keys().map(|(target, _)| *target).collect();
        targets.dedup();
        if !allow_gnu {
            if let Some(gnu) = targets.iter().find(|target| target.is_gnu()) {
                anyhow::bail!(
                    "there are binaries for {}; a release takes musl only",
                    gnu.triple()
                );
            }
            targets = RELEASED.to_vec();
        }
        ensure!(
            !targets.is_empty(),
            "there is no binary for Linux: run `cargo xtask dist` first"
        );
        for target in targets {
            for tool in tools {
                let content = self.programs.get(&(target, tool.clone())).with_context(|| {
                    let triple = target.triple();
                    format!(
                        "there is no `{tool}` for {triple}: run `cargo xtask dist {tool} --target {triple}`"
                    )
                })?;
                let program = elf::inspect(content).with_context(|| format!("failed to read `{tool}`"))?;
                ensure!(program.is_static(), "`{tool}` for {} is dynamic", target.triple());
            }
        }
        if let Some((target, stray)) = self.programs.keys().find(|(_, tool)| !tools.contains(tool)) {
            anyhow::bail!("`{}` is the binary of no tool", layout::binary(*target, stray));
        }
        Ok(())
    }
}
