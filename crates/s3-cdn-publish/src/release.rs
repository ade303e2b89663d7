//! What a release is called, and what is said of it.

use gha::{Runner, text};
use jiff::Timestamp;
use sha2::{Digest as _, Sha256};

use crate::manifest::Release;
use crate::target::Target;

/// The release that a run makes of these files.
#[must_use]
pub fn of(target: &Target, runner: &Runner, now: Timestamp) -> Release {
    let context = runner.context();
    let commit = Some(text::line(&context.sha)).filter(|sha| !sha.is_empty());
    let who = runner.env().get("GITHUB_ACTOR").map(text::line);
    Release {
        id: id(target, now),
        at: now,
        commit,
        who,
        run: context.run_url(),
        trace: runner.trace().to_string(),
        replaced: None,
        files: target.items.len() as u64,
        bytes: target.items.iter().map(|item| item.size).sum(),
    }
}

/// An id that sorts by time and differs by content: `20260102T030405Z-1a2b3c4`.
fn id(target: &Target, now: Timestamp) -> String {
    let mut hash = Sha256::new();
    hash.update(now.as_nanosecond().to_be_bytes());
    for item in &target.items {
        hash.update((item.key.len() as u64).to_be_bytes());
        hash.update(item.key.as_bytes());
        hash.update(item.sha256);
    }
    let digest = crate::hex::Hex(&hash.finalize()[..4]).to_string();
    format!("{}-{}", now.strftime("%Y%m%dT%H%M%SZ"), &digest[..7])
}
