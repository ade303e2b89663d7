//! A repository on disk, opened to be read: where it is, its format, refs and objects.

use std::cell::RefCell;
use std::collections::{BTreeSet, HashMap, HashSet};
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use gix_config::File;
use gix_config::file::Metadata;
use gix_hash::{Kind, ObjectId};
use gix_object::commit::ref_iter::Token;
use gix_object::{FindExt as _, FindHeader as _, TagRefIter};
use gix_odb::store::prefix::disambiguate::Candidate;
use gix_ref::{FullName, Reference, Target};

use gha::text;

use super::tag_order::best_first;
use super::{CheckoutError, Reason};

/// How often a symbolic ref or a tag of a tag is followed. Git follows refs five times.
const HOPS: usize = 5;

/// The least digits of an abbreviated hash, as in git.
const SHORT: usize = 7;

/// An open repository.
pub(super) struct Repository {
    pub(super) config: File,
    refs: gix_ref::file::Store,
    objects: gix_odb::Handle,
    hash: Kind,
    git_dir: PathBuf,
    /// Commits whose parents are cut off.
    boundary: HashSet<ObjectId>,
    shallow: bool,
    /// The last object that was read, kept for its memory.
    buffer: RefCell<Vec<u8>>,
}

/// What HEAD is.
pub(super) struct Head {
    /// Full ref of the branch; nothing when HEAD is detached, or the name is not UTF-8.
    pub(super) branch: Option<String>,
    /// Whether HEAD is on a branch, whatever its name.
    pub(super) on_branch: bool,
    pub(super) id: ObjectId,
}

/// A commit as far as a walk needs it.
pub(super) struct Commit {
    /// None at the boundary of a shallow clone.
    pub(super) parents: Vec<ObjectId>,
    /// Seconds since 1970, committer's time; nothing when it is malformed.
    pub(super) seconds: Option<i64>,
}

impl Repository {
    /// Opens the repository of `folder`: its own, or that of the nearest folder above.
    pub(super) fn open(folder: &Path) -> Result<Self, CheckoutError> {
        let git_dir = git_dir(folder)?;
        let common = gix_discover::path::from_plain_file_relative_to_file(&git_dir.join("commondir"));
        let common = common
            .transpose()
            .map_err(|error| unreadable(&git_dir.join("commondir"), error))?
            .unwrap_or_else(|| git_dir.clone());
        let config = config(&common)?;
        let hash = hash(&config, &git_dir)?;
        let objects = gix_odb::at(common.join("objects"), hash)
            .map_err(|error| unreadable(&common.join("objects"), error))?;
        let (boundary, shallow) = boundary(&common.join("shallow"));
        Ok(Self {
            refs: if common == git_dir {
                gix_ref::file::Store::at(git_dir.clone(), hash)
            } else {
                gix_ref::file::Store::for_linked_worktree(git_dir.clone(), common, hash)
            },
            config,
            objects,
            hash,
            git_dir,
            boundary,
            shallow,
            buffer: RefCell::default(),
        })
    }

    pub(super) fn is_shallow(&self) -> bool {
        self.shallow
    }

    /// Whether the last fetch brought a single ref (<https://git-scm.com/docs/git-fetch#_output>); a fresh clone has fetched
    /// nothing yet.
    pub(super) fn fetched_one(&self) -> bool {
        let fetched = std::fs::read(self.git_dir.join("FETCH_HEAD"));
        fetched.is_ok_and(|text| {
            text.split(|byte| *byte == b'\n')
                .filter(|line| !line.is_empty())
                .count()
                == 1
        })
    }

    /// What HEAD is.
    pub(super) fn head(&self) -> Result<Head, CheckoutError> {
        let broken = |error| unreadable(&self.git_dir.join("HEAD"), error);
        match self.refs.find_loose("HEAD").map_err(broken)?.target {
            Target::Object(id) => Ok(Head {
                branch: None,
                on_branch: false,
                id,
            }),
            Target::Symbolic(name) => {
                let id = self.follow(&name)?;
                let id = id.ok_or_else(|| CheckoutError::Unborn(name.as_bstr().to_string()))?;
                Ok(Head {
                    branch: utf8(&name),
                    on_branch: true,
                    id,
                })
            }
        }
    }

    /// The object that a ref leads to; nothing when there is no such ref.
    fn follow(&self, name: &FullName) -> Result<Option<ObjectId>, CheckoutError> {
        let mut name = name.clone();
        for _ in 0..HOPS {
            let path = self.git_dir.join(name.as_bstr().to_string());
            let partial = name.as_ref().as_partial_name();
            // Loose refs first: they count when the packed ones are broken.
            let loose = self.refs.try_find_loose(partial);
            let target = match loose.map_err(|error| unreadable(&path, error))? {
                Some(loose) => Some((loose.name, loose.target)),
                None => {
                    let packed = self.refs.try_find(partial);
                    packed
                        .map_err(|error| unreadable(&path, error))?
                        .map(|found| (found.name, found.target))
                }
            };
            match target {
                // A short name also finds `refs/heads/NAME`, which is another ref.
                Some((found, Target::Object(id))) if found == name => return Ok(Some(id)),
                Some((found, Target::Symbolic(next))) if found == name => name = next,
                _ => return Ok(None),
            }
        }
        Ok(None)
    }

    /// The commit that a full ref leads to; nothing where there is no such ref.
    pub(super) fn commit_at(&self, name: &str) -> Option<ObjectId> {
        let name: FullName = name.try_into().ok()?;
        Some(self.peel(self.follow(&name).ok()??))
    }

    /// The full ref that a symbolic ref points at, whether or not it is there.
    pub(super) fn symbolic(&self, name: &str) -> Option<String> {
        match self.refs.try_find_loose(name).ok()??.target {
            Target::Symbolic(target) => utf8(&target),
            Target::Object(_) => None,
        }
    }

    /// Full names of all refs that start with `prefix`, which ends in a slash, in byte order. What can't be read is
    /// said in `unread`.
    pub(super) fn names(&self, prefix: &str, unread: &mut Vec<String>) -> BTreeSet<String> {
        let references = self.references(prefix, unread);
        references.iter().filter_map(|found| utf8(&found.name)).collect()
    }

    /// Full names of all refs that point at a commit, by way of an annotated tag too.
    pub(super) fn names_at(&self, commit: ObjectId) -> BTreeSet<String> {
        self.references("refs/", &mut Vec::new())
            .iter()
            .filter(|found| self.commit_of(found) == Some(commit))
            .filter_map(|found| utf8(&found.name))
            .collect()
    }

    /// The tags that start with `prefix`, without `refs/tags/`, by their commits: the best name of each.
    pub(super) fn tags_by_commit(&self, prefix: &str) -> HashMap<ObjectId, String> {
        let mut tags: HashMap<ObjectId, String> = HashMap::new();
        for found in self.references("refs/tags/", &mut Vec::new()) {
            let name = utf8(&found.name);
            let name = name.as_deref().and_then(|name| name.strip_prefix("refs/tags/"));
            let Some(name) = name.filter(|name| name.starts_with(prefix)) else {
                continue;
            };
            let Some(commit) = self.commit_of(&found) else {
                continue;
            };
            let best = tags.entry(commit).or_insert_with(|| name.to_owned());
            if best_first(name, best).is_lt() {
                name.clone_into(best);
            }
        }
        tags
    }

    fn references(&self, prefix: &str, unread: &mut Vec<String>) -> Vec<Reference> {
        let mut found = Vec::new();
        let Ok(prefix) = prefix.try_into() else {
            return found;
        };
        let mut note = |error: Reason| {
            let reason = gha::failure::chain(error.as_ref());
            unread.push(text::cut(&text::visible(&reason), 300));
        };
        let platform = self.refs.iter().map_err(|error| note(error.into())).ok();
        let iterated = match &platform {
            Some(platform) => platform.prefixed(prefix),
            None => self.refs.loose_iter_prefixed(prefix),
        };
        match iterated {
            Ok(iterated) => {
                for reference in iterated {
                    match reference {
                        Ok(reference) => found.push(reference),
                        Err(error) => note(error.into()),
                    }
                }
            }
            Err(error) => note(error.into()),
        }
        found
    }

    /// The commit that a ref leads to; nothing for a broken symbolic ref. What a broken tag leads to is no commit,
    /// and equals none.
    fn commit_of(&self, reference: &Reference) -> Option<ObjectId> {
        if reference.peeled.is_some() {
            return reference.peeled;
        }
        match &reference.target {
            Target::Object(id) => Some(self.peel(*id)),
            Target::Symbolic(name) => Some(self.peel(self.follow(name).ok()??)),
        }
    }

    /// The object behind annotated tags; the object itself where it is none, or can't be read.
    pub(super) fn peel(&self, id: ObjectId) -> ObjectId {
        let mut id = id;
        for _ in 0..HOPS {
            let header = self.objects.try_header(&id);
            if !matches!(header, Ok(Some(header)) if header.kind == gix_object::Kind::Tag) {
                break;
            }
            let mut buffer = self.buffer.borrow_mut();
            let object = self.objects.find(&id, &mut buffer);
            let target = object.and_then(|tag| TagRefIter::from_bytes(tag.data, self.hash).target_id());
            let Ok(target) = target else { break };
            id = target;
        }
        id
    }

    /// Reads a commit.
    pub(super) fn commit(&self, id: ObjectId) -> Result<Commit, CheckoutError> {
        let broken = |error: Reason| CheckoutError::Read(format!("commit `{id}`"), error);
        let mut commit = Commit {
            parents: Vec::new(),
            seconds: None,
        };
        let mut buffer = self.buffer.borrow_mut();
        let tokens = self.objects.find_commit_iter(&id, &mut buffer);
        for token in tokens.map_err(|error| broken(error.into()))? {
            match token {
                Ok(Token::Tree { .. } | Token::Author { .. }) => {}
                Ok(Token::Parent { id }) => commit.parents.push(id),
                Ok(Token::Committer { signature }) => {
                    commit.seconds = signature.time().ok().map(|time| time.seconds);
                    break;
                }
                Ok(_) => break,
                Err(error) => return Err(broken(error.into())),
            }
        }
        if self.boundary.contains(&id) {
            commit.parents.clear();
        }
        Ok(commit)
    }

    /// The commit's first digits: as many as git takes for a repository of this size, and more until no other object
    /// has the same.
    pub(super) fn abbreviated(&self, id: ObjectId) -> String {
        let objects = self.objects.packed_object_count().unwrap_or_default();
        // 2^n objects are expected to collide within 2n bits, of which a digit has four (`repo_find_unique_abbrev_r`).
        let bits = u64::BITS - objects.leading_zeros();
        let digits = usize::try_from(bits.div_ceil(2)).map_or(SHORT, |digits| digits.max(SHORT));
        let unique = Candidate::new(id, digits).and_then(|it| self.objects.disambiguate_prefix(it));
        match unique {
            Ok(Some(prefix)) => prefix.to_string(),
            _ => id.to_hex_with_len(digits).to_string(),
        }
    }
}

/// Where the repository of `folder` is. As git does, a `.git` file that leads nowhere is an error, not the end of a
/// submodule: the repository above it would answer for another project.
fn git_dir(folder: &Path) -> Result<PathBuf, CheckoutError> {
    let start = folder.canonicalize().map_err(|error| unreadable(folder, error))?;
    for folder in start.ancestors() {
        // A folder within a repository may look like one without a working tree: it is what somebody committed.
        let within = folder
            .ancestors()
            .skip(1)
            .any(|above| above.join(".git").exists());
        let bare = Some(folder.to_owned()).filter(|_| !within);
        for candidate in [Some(folder.join(".git")), bare].into_iter().flatten() {
            match gix_discover::is_git(&candidate) {
                Ok(kind) => {
                    let path = gix_discover::repository::Path::from_dot_git_dir(candidate, kind, &start);
                    return path
                        .map(|path| path.into_repository_and_work_tree_directories().0)
                        .ok_or_else(|| CheckoutError::NoRepository(shown(&start)));
                }
                Err(error) if candidate.is_file() => {
                    return Err(CheckoutError::DeadLink(shown(&candidate), error.into()));
                }
                Err(_) => {}
            }
        }
    }
    Err(CheckoutError::NoRepository(shown(&start)))
}

/// The repository's own configuration, without what it includes. A missing one is empty, as in git.
fn config(common: &Path) -> Result<File, CheckoutError> {
    let path = common.join("config");
    let bytes = match std::fs::read(&path) {
        Ok(bytes) => bytes,
        Err(error) if error.kind() == ErrorKind::NotFound => Vec::new(),
        Err(error) => return Err(unreadable(&path, error)),
    };
    // The library's reason quotes the line, which may hold a token: actions/checkout leaves one there.
    let reason = "it is no valid git configuration (`git config --list` says where)";
    let source = Metadata::from(gix_config::Source::Local);
    File::from_bytes_no_includes(&bytes, source, Default::default()).map_err(|_| unreadable(&path, reason))
}

/// The kind of hash, once nothing in the format is unknown to us: reading on would give wrong answers
/// (<https://git-scm.com/docs/repository-version>).
fn hash(config: &File, git_dir: &Path) -> Result<Kind, CheckoutError> {
    let unsupported = |what: String| CheckoutError::Unsupported(shown(git_dir), text::visible(&what));
    let value = |name: &str| config.string(name);
    let version = config
        .string("core.repositoryformatversion")
        .map(|version| version.to_string());
    let version = version.as_deref().unwrap_or("0");
    if !matches!(version, "0" | "1") {
        return Err(unsupported(format!("format version `{version}`")));
    }
    let sections = config.sections_by_name("extensions").into_iter().flatten();
    for name in sections.flat_map(|section| section.value_names().collect::<Vec<_>>()) {
        match name.to_ascii_lowercase().as_str() {
            "objectformat" | "refstorage" => {} // their values are looked at below
            "noop" | "noop-v1" | "partialclone" | "preciousobjects" | "worktreeconfig"
            | "relativeworktrees" | "compatobjectformat" => {}
            _ if version == "0" => {} // not yet a format that extensions change
            _ => return Err(unsupported(format!("extension `{name}`"))),
        }
    }
    match value("extensions.refstorage") {
        Some(storage) if storage != "files" => return Err(unsupported(format!("ref storage `{storage}`"))),
        _ => {}
    }
    match value("extensions.objectformat") {
        None => Ok(Kind::Sha1),
        Some(format) if format == "sha1" => Ok(Kind::Sha1),
        Some(format) if format == "sha256" => Ok(Kind::Sha256),
        Some(format) => Err(unsupported(format!("object format `{format}`"))),
    }
}

/// The commits where a shallow clone ends, and whether it is one.
fn boundary(shallow: &Path) -> (HashSet<ObjectId>, bool) {
    let ids = std::fs::read(shallow).unwrap_or_default();
    let commits = ids
        .split(|byte| *byte == b'\n')
        .filter_map(|line| ObjectId::from_hex(line.trim_ascii()).ok());
    (commits.collect(), !ids.is_empty())
}

fn unreadable(path: &Path, error: impl Into<Reason>) -> CheckoutError {
    CheckoutError::Read(format!("`{}`", shown(path)), error.into())
}

fn utf8(name: &FullName) -> Option<String> {
    std::str::from_utf8(name.as_bstr()).ok().map(str::to_owned)
}

/// A path as it may stand in a message.
fn shown(path: &Path) -> String {
    text::visible(&path.to_string_lossy())
}
