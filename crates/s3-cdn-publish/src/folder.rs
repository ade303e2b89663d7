//! The folder of the built site as a release: its files with their checksums, and how each is served.

use std::num::NonZero;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use gha::{Runner, text};
use tokio::task::spawn_blocking;
use tokio::time::{Instant, interval_at};

use crate::cli;
use crate::error::Error;
use crate::phase::Phase;
use crate::progress::size;
use crate::rules::{Rules, Unused};
use crate::site::{self, Options, Progress, Site, SiteError};
use crate::target::{Item, Look, Looks, Target};

/// The word for a folder that has no index document.
const NONE: &str = "none";

/// The metadata that cache tags are read from (<https://docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/tag-based-invalidation.html>).
const CACHE_TAG: &str = "cache-tag";

/// How often a long reading is told.
const TELL: Duration = Duration::from_secs(5);

/// How many names are told of what was left out.
const NAMED: usize = 5;

/// Reads the folder. `prefix` is how many bytes stand before its keys.
///
/// # Errors
/// When it is none that can be published, or the rules can't be read.
pub async fn read(
    flags: &cli::Source,
    prefix: usize,
    cache_tag: Option<&str>,
    runner: &Runner,
) -> Result<Target, Error> {
    let index = Some(flags.index_document.clone()).filter(|index| index != NONE);
    let mut rules = rules(flags)?;
    if let Some(index) = &index {
        rules = rules.with_index(index);
    }
    let options = Options {
        index,
        prefix,
        hidden: flags.hidden,
        ..Options::default()
    };
    let site = files(&flags.source, options, runner).await?;
    tell(&site, runner);
    let mut looks = Looks::default();
    let mut numbers = Vec::with_capacity(site.files.len());
    for file in &site.files {
        let treatment = rules.treat(&file.key, |key| site.has(key));
        let mut look = Look {
            headers: treatment.headers,
            phase: treatment.phase,
            immutable: treatment.immutable,
        };
        if let Some(tag) = cache_tag.filter(|_| look.phase >= Phase::Others && !look.immutable) {
            let headers = Arc::make_mut(&mut look.headers);
            headers
                .metadata
                .entry(CACHE_TAG.to_owned())
                .or_insert_with(|| tag.to_owned());
        }
        numbers.push(looks.number(look)?);
    }
    for unused in rules.unused() {
        runner.warn(&line(&unused));
    }
    let items = site.files.into_iter().zip(numbers).map(|(file, look)| Item {
        key: file.key,
        size: file.size,
        sha256: file.sha256,
        look,
        etag: None,
    });
    Ok(Target {
        items: items.collect(),
        looks,
    })
}

/// Scans the folder and reads its files, on threads of their own, and tells how far it is.
async fn files(root: &Path, options: Options, runner: &Runner) -> Result<Site, Error> {
    let cancel = runner.cancel().clone();
    let progress = Arc::new(Progress::default());
    let root = root.to_owned();
    let reading = {
        let progress = Arc::clone(&progress);
        spawn_blocking(move || {
            let threads = std::thread::available_parallelism().unwrap_or(NonZero::<usize>::MIN);
            let mut site = site::scan(&root, &options)?;
            site::digest(&mut site, threads, &progress, &|| cancel.signal().is_some())?;
            Ok::<_, SiteError>(site)
        })
    };
    tokio::pin!(reading);
    let mut tick = interval_at(Instant::now() + TELL, TELL);
    loop {
        tokio::select! {
            biased;
            read = &mut reading => {
                let read = read.map_err(|error| Error::State(format!("the files could not be read: {error}")))?;
                return Ok(read?);
            }
            _ = tick.tick() => {
                let relaxed = std::sync::atomic::Ordering::Relaxed;
                let (files, bytes) = (progress.files.load(relaxed), progress.bytes.load(relaxed));
                runner.info(&format!("read {files} files, {}", size(bytes)));
            }
        }
    }
}

/// Says what is not published, and what may surprise.
fn tell(site: &Site, runner: &Runner) {
    let left_out = &site.left_out;
    if left_out.count > 0 {
        let names: Vec<String> = left_out
            .names
            .iter()
            .take(NAMED)
            .map(|name| format!("`{}`", text::line(name)))
            .collect();
        runner.info(&format!(
            "{} hidden files and folders are not published, such as {}",
            left_out.count,
            names.join(", ")
        ));
    }
    for (one, other) in site.alike.iter().take(NAMED) {
        runner.warn(&format!(
            "`{}` and `{}` look the same and are two files",
            text::line(one),
            text::line(other)
        ));
    }
}

/// A rule that did nothing.
fn line(unused: &Unused) -> String {
    let why = if unused.shadowed {
        "an earlier rule has taken all files that it fits"
    } else {
        "no file fits it"
    };
    format!(
        "rule `{}` (line {}): {why}",
        text::line(&unused.pattern),
        unused.at.line
    )
}

/// The rules of the flags: those of single lines, or of a file.
fn rules(flags: &cli::Source) -> Result<Rules, Error> {
    let Some(file) = &flags.rules else {
        return Rules::from_lines(&flags.rule).map_err(|error| Error::Flag {
            flag: "rule",
            reason: error.to_string(),
        });
    };
    let name = text::line(&file.display().to_string());
    let bytes = read_file(file).map_err(|error| Error::Flag {
        flag: "rules",
        reason: format!("failed to read `{name}`: {error}"),
    })?;
    Rules::read(&bytes, &name).map_err(|faults| Error::Rules(faults.to_string()))
}

/// The largest rules file, in bytes.
const LARGEST: u64 = 1024 * 1024;

/// Reads a file of rules, as far as it can be one.
fn read_file(path: &Path) -> std::io::Result<Vec<u8>> {
    use std::io::Read as _;
    let mut bytes = Vec::new();
    std::fs::File::open(path)?
        .take(LARGEST + 1)
        .read_to_end(&mut bytes)?;
    if bytes.len() as u64 > LARGEST {
        return Err(std::io::Error::other("it is larger than 1 MiB"));
    }
    Ok(bytes)
}
