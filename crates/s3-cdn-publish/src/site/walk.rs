//! Finds what is in a folder.

use std::ffi::OsStr;
use std::fs::{self, DirEntry, FileType, Metadata};
use std::io;
use std::path::{Path, PathBuf};
use std::rc::Rc;

use super::alike::alike;
use super::error::{Refusal, SiteError, Why};
use super::names::{self, STATE, Verdict};
use super::{File, LeftOut, Options, Site};

/// The longest key, in bytes.
const LONGEST_KEY: usize = 1024;

/// How many entries that are refused or left out are kept by name.
const KEPT: usize = 1000;

/// How many names of what was left out are told.
const TOLD: usize = 10;

/// What is in a folder.
///
/// # Errors
/// When it is no folder of a site, or has entries that can't be published.
pub fn scan(root: &Path, options: &Options) -> Result<Site, SiteError> {
    let shown = names::shown(root.as_os_str());
    let real = open(root, &shown)?;
    let mut walk = Walk {
        options,
        shown: &shown,
        root: &real,
        folders: vec![Folder {
            key: String::new(),
            real: real.clone(),
            hidden: options.hidden,
            came: None,
        }],
        files: Vec::new(),
        left_out: Vec::new(),
        left_out_count: 0,
        refused: Vec::new(),
        refused_count: 0,
        seen: 0,
    };
    while let Some(folder) = walk.folders.pop() {
        walk.folder(&folder)?;
    }
    let site = walk.into_site()?;
    check(&site, options, &shown)?;
    Ok(site)
}

/// The folder itself, without links in its path.
fn open(root: &Path, shown: &str) -> Result<PathBuf, SiteError> {
    let root_shown = || shown.to_owned();
    let unreadable = |error: io::Error| match error.kind() {
        io::ErrorKind::NotFound => SiteError::Missing { root: root_shown() },
        io::ErrorKind::NotADirectory => SiteError::NotAFolder {
            root: root_shown(),
            kind: "below a file",
        },
        _ => SiteError::Unreadable {
            root: root_shown(),
            error,
        },
    };
    let metadata = fs::metadata(root).map_err(unreadable)?;
    if metadata.is_dir() {
        return fs::canonicalize(root).map_err(unreadable);
    }
    Err(SiteError::NotAFolder {
        root: root_shown(),
        kind: if metadata.is_file() {
            "a file"
        } else {
            special(metadata.file_type())
        },
    })
}

/// Whether there is a site.
fn check(site: &Site, options: &Options, shown: &str) -> Result<(), SiteError> {
    let root = shown.to_owned();
    if site.files.is_empty() {
        let left_out = site.left_out.count;
        return Err(SiteError::Empty { root, left_out });
    }
    match &options.index {
        Some(document) if !site.has(document) => {
            let inside = format!("/{document}");
            let found = site.files.iter().find_map(|file| file.key.strip_suffix(&inside));
            Err(SiteError::NoIndex {
                root,
                document: document.clone(),
                found: found.map(str::to_owned),
            })
        }
        _ => Ok(()),
    }
}

/// A folder to look into.
struct Folder {
    /// What its files' keys begin with: empty, or with a `/` at its end.
    key: String,
    /// Where it lies, without links.
    real: PathBuf,
    /// Whether hidden files are published here.
    hidden: bool,
    /// The links by which it was come to.
    came: Option<Rc<Came>>,
}

/// A link to a folder that was followed.
struct Came {
    /// The folder that the link is in, without links.
    from: PathBuf,
    before: Option<Rc<Self>>,
}

struct Walk<'a> {
    options: &'a Options,
    shown: &'a str,
    root: &'a Path,
    folders: Vec<Folder>,
    files: Vec<File>,
    left_out: Vec<String>,
    left_out_count: usize,
    refused: Vec<Refusal>,
    refused_count: usize,
    seen: usize,
}

impl Walk<'_> {
    fn folder(&mut self, folder: &Folder) -> Result<(), SiteError> {
        let entries = match fs::read_dir(&folder.real) {
            Ok(entries) => entries,
            Err(error) if folder.key.is_empty() => {
                let root = self.shown.to_owned();
                return Err(SiteError::Unreadable { root, error });
            }
            Err(error) => {
                self.refuse(folder, "", Why::Unreadable(error.to_string()));
                return Ok(());
            }
        };
        for entry in entries {
            self.seen += 1;
            if self.seen > self.options.most {
                return Err(SiteError::TooMany {
                    root: self.shown.to_owned(),
                    most: self.options.most,
                });
            }
            match entry {
                Ok(entry) => self.entry(folder, &entry)?,
                Err(error) => self.refuse(folder, "", Why::Unreadable(error.to_string())),
            }
        }
        Ok(())
    }

    fn entry(&mut self, folder: &Folder, entry: &DirEntry) -> Result<(), SiteError> {
        let name = entry.file_name();
        let Some(name) = name.to_str() else {
            self.refuse(folder, &names::shown(&name), Why::NotUtf8);
            return Ok(());
        };
        let top = folder.key.is_empty();
        if top && name == STATE {
            return Err(SiteError::Reserved {
                root: self.shown.to_owned(),
                name: STATE,
            });
        }
        let hidden = match names::judge(name, folder.hidden) {
            Verdict::Publish => folder.hidden,
            Verdict::PublishHidden => true,
            Verdict::Versions if top && !self.options.repository => {
                return Err(SiteError::Repository {
                    root: self.shown.to_owned(),
                    name: name.to_owned(),
                });
            }
            Verdict::Hidden | Verdict::Never | Verdict::Versions => {
                self.leave_out(folder, name);
                return Ok(());
            }
        };
        let key = format!("{}{name}", folder.key);
        if let Err(why) = self.add(folder, entry, key, hidden) {
            self.refuse(folder, &names::shown(OsStr::new(name)), why);
        }
        Ok(())
    }

    /// Adds a file, or a folder to look into.
    fn add(&mut self, folder: &Folder, entry: &DirEntry, key: String, hidden: bool) -> Result<(), Why> {
        let length = self.options.prefix + key.len();
        let kind = entry.file_type().map_err(unreadable)?;
        if kind.is_symlink() {
            let (real, metadata) = self.follow(&entry.path())?;
            if metadata.is_dir() {
                let came = self.unlooped(folder, &real)?;
                self.folders.push(Folder {
                    key: key + "/",
                    real,
                    hidden,
                    came: Some(came),
                });
                return Ok(());
            }
            return self.file(key, length, &metadata);
        }
        if kind.is_dir() {
            self.folders.push(Folder {
                key: key + "/",
                real: entry.path(),
                hidden,
                came: folder.came.clone(),
            });
            return Ok(());
        }
        if !kind.is_file() {
            return Err(Why::Special(special(kind)));
        }
        let metadata = entry.metadata().map_err(unreadable)?;
        self.file(key, length, &metadata)
    }

    fn file(&mut self, key: String, length: usize, metadata: &Metadata) -> Result<(), Why> {
        if !metadata.is_file() {
            return Err(Why::Special(special(metadata.file_type())));
        }
        if length > LONGEST_KEY {
            return Err(Why::LongKey(length));
        }
        self.files.push(File {
            key: key.into_boxed_str(),
            size: metadata.len(),
            sha256: [0; 32],
        });
        Ok(())
    }

    /// Where a link leads, which is inside of the source.
    fn follow(&self, link: &Path) -> Result<(PathBuf, Metadata), Why> {
        let target =
            || fs::read_link(link).map_or_else(|_| "?".to_owned(), |to| names::shown(to.as_os_str()));
        let real = fs::canonicalize(link).map_err(|error| match error.kind() {
            io::ErrorKind::NotFound | io::ErrorKind::NotADirectory => Why::Dangling(target()),
            _ => unreadable(error),
        })?;
        let inside = real.strip_prefix(self.root).map_err(|_| Why::Outside(target()))?;
        if let Some(name) = names::forbidden(inside) {
            return Err(Why::Forbidden(name));
        }
        let metadata = fs::metadata(&real).map_err(unreadable)?;
        Ok((real, metadata))
    }

    /// The way to a linked folder, which must not lead back into a folder that was passed on it.
    fn unlooped(&self, folder: &Folder, real: &Path) -> Result<Rc<Came>, Why> {
        let came = Rc::new(Came {
            from: folder.real.clone(),
            before: folder.came.clone(),
        });
        let mut passed = Some(&came);
        while let Some(link) = passed {
            if link.from.starts_with(real) {
                let target = real.strip_prefix(self.root).unwrap_or(real);
                let target = names::shown(target.as_os_str());
                return Err(Why::Loop(if target.is_empty() { ".".to_owned() } else { target }));
            }
            passed = link.before.as_ref();
        }
        Ok(came)
    }

    fn refuse(&mut self, folder: &Folder, name: &str, why: Why) {
        self.refused_count += 1;
        if self.refused.len() < KEPT {
            let name = format!("{}{name}", names::shown(OsStr::new(&folder.key)));
            self.refused.push(Refusal { name, why });
        }
    }

    fn leave_out(&mut self, folder: &Folder, name: &str) {
        self.left_out_count += 1;
        if self.left_out.len() < KEPT {
            self.left_out
                .push(names::shown(OsStr::new(&format!("{}{name}", folder.key))));
        }
    }

    fn into_site(mut self) -> Result<Site, SiteError> {
        if self.refused_count > 0 {
            self.refused.sort();
            return Err(SiteError::Refused {
                more: self.refused_count - self.refused.len(),
                entries: self.refused,
            });
        }
        self.files.shrink_to_fit();
        self.files.sort_unstable_by(|a, b| a.key.cmp(&b.key));
        self.left_out.sort();
        self.left_out.truncate(TOLD);
        Ok(Site {
            root: self.root.to_owned(),
            alike: alike(&self.files),
            files: self.files,
            left_out: LeftOut {
                count: self.left_out_count,
                names: self.left_out,
            },
        })
    }
}

#[expect(clippy::needless_pass_by_value, reason = "for `map_err`")]
fn unreadable(error: io::Error) -> Why {
    Why::Unreadable(error.to_string())
}

/// What is neither a file nor a folder.
fn special(kind: FileType) -> &'static str {
    use std::os::unix::fs::FileTypeExt as _;
    if kind.is_fifo() {
        "a pipe"
    } else if kind.is_socket() {
        "a socket"
    } else {
        "a device"
    }
}
