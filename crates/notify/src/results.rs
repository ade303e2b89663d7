//! Results of other jobs: given as they are, or as files and folders, because the outputs of the jobs of a matrix overwrite each other.

use std::fs::File;
use std::io::{self, Read as _};
use std::path::{Path, PathBuf};

use gha::ledger::{self, Entry};
use gha::{Runner, text};

mod written;

/// The largest file that is read.
const LARGEST: u64 = 4 * 1024 * 1024;

/// The most files of a folder that are read.
const MOST: usize = 1_000;

/// The results that are given. What can't be read is a warning: people must be told all the same.
pub(crate) fn given(all: &[String], runner: &Runner) -> Vec<Entry> {
    let (mut entries, mut warnings) = (Vec::new(), Vec::new());
    for given in all {
        // A path that begins like JSON can be written as `./{…`.
        let written = written::read(given);
        entries.extend(written.entries);
        warnings.extend(one_of(written.strangers.into_iter(), "input `results`"));
        for (_, path) in written.words {
            of_path(Path::new(path), &mut entries, &mut warnings);
        }
    }
    for warning in warnings {
        runner.warn(&warning);
    }
    entries.sort_by_key(|entry| entry.started_at);
    entries
}

/// The results in a file, or in the files of a folder.
fn of_path(path: &Path, entries: &mut Vec<Entry>, warnings: &mut Vec<String>) {
    let shown = |path: &Path| format!("`{}` of `results`", text::line(&path.display().to_string()));
    let unread = |path: &Path, error: io::Error| format!("{} can't be read: {error}", shown(path));
    let files = match files(path) {
        Ok(files) => files,
        Err(error) => return warnings.push(unread(path, error)),
    };
    for file in files {
        match read(&file) {
            Ok(content) => {
                let written = written::read(&content);
                entries.extend(written.entries);
                let words = written.words.into_iter();
                let no_json = words.map(|(line, _)| (line, ledger::no_result("it is no JSON")));
                warnings.extend(one_of(no_json.chain(written.strangers), &shown(&file)));
            }
            Err(error) => warnings.push(unread(&file, error)),
        }
    }
}

/// The file itself, or all files of a folder and of the folders in it whose names end in `.json` or `.jsonl`, by their names.
fn files(path: &Path) -> io::Result<Vec<PathBuf>> {
    if !std::fs::metadata(path)?.is_dir() {
        return Ok(vec![path.to_owned()]);
    }
    let mut found = Vec::new();
    let mut folders = vec![path.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(&folder)? {
            let entry = entry?;
            // A link is not followed: it may lead anywhere, or round and round.
            let kind = entry.file_type()?;
            let path = entry.path();
            let is_result = path
                .extension()
                .is_some_and(|ending| ending == "json" || ending == "jsonl");
            match kind.is_dir() {
                true => folders.push(path),
                false if kind.is_file() && is_result => found.push(path),
                false => {}
            }
            if found.len() > MOST {
                return Err(io::Error::other(format!("it holds over {MOST} files")));
            }
        }
    }
    found.sort();
    match found.is_empty() {
        true => Err(io::Error::other("it holds no `.json` or `.jsonl` file")),
        false => Ok(found),
    }
}

/// One warning that names the first line and counts the others: GitHub shows ten a step, and there are other things to say.
fn one_of(mut strangers: impl Iterator<Item = (usize, String)>, place: &str) -> Option<String> {
    let (line, why) = strangers.next()?;
    let more = match strangers.count() {
        0 => String::new(),
        1 => ", and another line neither".to_owned(),
        more => format!(", and {more} other lines neither"),
    };
    Some(format!("{place}: line {line} {why}{more}"))
}

fn read(path: &Path) -> io::Result<String> {
    // By what is read: what is no file, such as the end of a pipe, has no size.
    let mut bytes = Vec::new();
    File::open(path)?.take(LARGEST + 1).read_to_end(&mut bytes)?;
    if bytes.len() as u64 > LARGEST {
        return Err(io::Error::other("it is larger than 4 MiB"));
    }
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}
