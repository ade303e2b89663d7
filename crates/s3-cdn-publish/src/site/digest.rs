//! Reads files: their SHA-256 in several threads, and the MD5 of one. A file that is not the same at the end of its
//! reading as it was when it was found is told.

use std::fs;
use std::io::{self, Read as _};
use std::num::NonZero;
use std::panic::resume_unwind;
use std::path::Path;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};
use std::thread;

use md5::Md5;
use sha2::{Digest, Sha256};

use gha::text;

use super::error::SiteError;
use super::{File, Site, path};

/// How much is read at once, in bytes. Each thread holds one such piece.
const PIECE: usize = 128 * 1024;

/// How far reading is. Another thread may look.
#[derive(Debug, Default)]
pub struct Progress {
    /// Files that are read.
    pub files: AtomicU64,
    /// Bytes that are read, of unfinished files too.
    pub bytes: AtomicU64,
}

/// Fills in the SHA-256 of each file, in so many threads, until `stop` says so. All threads have ended when it returns.
///
/// # Errors
/// The first file that can't be read or changes meanwhile, or that it was stopped.
pub fn digest(
    site: &mut Site,
    threads: NonZero<usize>,
    progress: &Progress,
    stop: &(dyn Fn() -> bool + Sync),
) -> Result<(), SiteError> {
    let root = &site.root;
    let threads = threads.get().min(site.files.len());
    let queue = Mutex::new(site.files.iter_mut());
    let failed = AtomicBool::new(false);
    let ended = || failed.load(Ordering::Relaxed) || stop();
    let work = || {
        let mut piece = vec![0; PIECE];
        loop {
            let file = queue.lock().unwrap_or_else(PoisonError::into_inner).next();
            let Some(file) = file else {
                return Ok(());
            };
            let path = path(root, &file.key);
            let digest = hash::<Sha256>(&path, file, &mut piece, progress, &ended);
            file.sha256 = digest
                .inspect_err(|_| failed.store(true, Ordering::Relaxed))?
                .into();
        }
    };
    let results: Vec<Result<(), SiteError>> = thread::scope(|scope| {
        let running: Vec<_> = (0..threads).map(|_| scope.spawn(work)).collect();
        running
            .into_iter()
            .map(|thread| thread.join().unwrap_or_else(|panic| resume_unwind(panic)))
            .collect()
    });
    // What failed first made the others end as if they were stopped.
    let (cancelled, failures): (Vec<_>, Vec<_>) = results
        .into_iter()
        .filter_map(Result::err)
        .partition(|error| matches!(error, SiteError::Cancelled));
    failures.into_iter().chain(cancelled).next().map_or(Ok(()), Err)
}

/// The MD5 of a file: the ETag of an object that was sent whole and lies unencrypted or under keys of S3
/// (<https://docs.aws.amazon.com/AmazonS3/latest/API/API_Object.html>).
///
/// # Errors
/// When it can't be read, changes meanwhile, or it was stopped.
pub fn md5(root: &Path, file: &File, stop: &(dyn Fn() -> bool + Sync)) -> Result<[u8; 16], SiteError> {
    let mut piece = vec![0; PIECE];
    let digest = hash::<Md5>(
        &path(root, &file.key),
        file,
        &mut piece,
        &Progress::default(),
        stop,
    )?;
    Ok(digest.into())
}

/// The digest of a file that is as it was found.
fn hash<D: Digest>(
    path: &Path,
    file: &File,
    piece: &mut [u8],
    progress: &Progress,
    stop: &dyn Fn() -> bool,
) -> Result<sha2::digest::Output<D>, SiteError> {
    let unreadable = |error: io::Error| match error.kind() {
        io::ErrorKind::NotFound => changed(file, "it is gone"),
        _ => SiteError::File {
            key: shown(file),
            error,
        },
    };
    if stop() {
        return Err(SiteError::Cancelled);
    }
    let mut open = fs::File::open(path).map_err(unreadable)?;
    let before = open.metadata().map_err(unreadable)?;
    if !before.is_file() {
        return Err(changed(file, "it is no file any more"));
    }
    let mut hash = D::new();
    let mut length = 0;
    loop {
        let read = match open.read(piece) {
            Ok(0) => break,
            Ok(read) => read,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            Err(error) => return Err(unreadable(error)),
        };
        hash.update(piece.get(..read).unwrap_or_default());
        let read = u64::try_from(read).unwrap_or(u64::MAX);
        length += read;
        progress.bytes.fetch_add(read, Ordering::Relaxed);
        if length > file.size {
            break;
        }
        if stop() {
            return Err(SiteError::Cancelled);
        }
    }
    let after = open.metadata().map_err(unreadable)?;
    if length != file.size || after.len() != file.size {
        let now = if after.len() == file.size {
            length
        } else {
            after.len()
        };
        return Err(changed(
            file,
            &format!("it had {} bytes, and now {now}", file.size),
        ));
    }
    if before.modified().ok() != after.modified().ok() {
        return Err(changed(file, "it was written to"));
    }
    progress.files.fetch_add(1, Ordering::Relaxed);
    Ok(hash.finalize())
}

fn changed(file: &File, how: &str) -> SiteError {
    SiteError::Changed {
        key: shown(file),
        how: how.to_owned(),
    }
}

fn shown(file: &File) -> String {
    text::cut(&text::visible(&file.key), 300)
}
