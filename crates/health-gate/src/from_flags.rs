//! From the flags of one target to a gate file with one target. Pure.

use std::time::Duration;

use gha::duration::exact;

use crate::cli::{Check, Wait, Watch};
use crate::document::Document;
use crate::error::Error;
use rules::{rules, takes_samples};
use target::target;

mod rules;
mod target;
#[cfg(test)]
mod tests;

/// For how long a probe fails before `steady` calls it off; a shorter watch could never see that.
const STEADY_FAILING: Duration = Duration::from_secs(120);

/// The gate file that `wait` stands for.
///
/// # Errors
/// When flags contradict each other.
pub fn wait(flags: &Wait) -> Result<Document, Error> {
    let mut document = Document::default();
    // The wait is the whole command. A time for both would let chance say which of the two ends it.
    document.open("wait", "");
    document.value("timeout", "timeout", &exact(flags.timeout));
    document.value("interval", "interval", &exact(flags.interval));
    document.value("try_timeout", "try-timeout", &exact(flags.try_timeout));
    document.value(
        "success_threshold",
        "success-threshold",
        &flags.success_threshold.to_string(),
    );
    document.open("targets", "");
    document.open("", "");
    target(&mut document, &flags.target)?;
    if let Some(codes) = &flags.give_up_on {
        document.value("give_up_on", "give-up-on", &codes.to_string());
    }
    Ok(document)
}

/// The gate file that `check` stands for.
///
/// # Errors
/// When flags contradict each other.
pub fn check(flags: &Check) -> Result<Document, Error> {
    if !flags.var.is_empty() {
        return Err(Error::NoFile);
    }
    let mut document = Document::default();
    document.open("wait", "");
    document.maybe(
        "try_timeout",
        "try-timeout",
        flags.try_timeout.map(exact).as_deref(),
    );
    document.open("targets", "");
    document.open("", "");
    target(&mut document, &flags.target)?;
    Ok(document)
}

/// The gate file that `watch` stands for.
///
/// # Errors
/// When flags contradict each other.
pub fn watch(flags: &Watch) -> Result<Document, Error> {
    if flags.preset.iter().any(|name| name.trim() == "canary") {
        return Err(Error::Canary);
    }
    let requires = flags
        .require
        .iter()
        .any(|written| takes_samples("require", written));
    let takes = requires || flags.abort.iter().any(|written| takes_samples("abort", written));
    if flags.min_samples.is_some() && !takes {
        return Err(Error::NoSamples);
    }
    let mut document = Document::default();
    if let Some(timeout) = flags.timeout {
        document.value("timeout", "timeout", &exact(timeout));
    }
    document.open("watch", "");
    document.value("duration", "duration", &exact(flags.duration));
    document.value("warmup", "warmup", &exact(flags.warmup));
    document.maybe("interval", "interval", flags.interval.map(exact).as_deref());
    document.open("probe", "");
    target(&mut document, &flags.target)?;
    document.value("rate", "rate", &flags.rate);
    document.value("try_timeout", "try-timeout", &exact(flags.try_timeout));
    document.close();
    if flags.require.is_empty() && flags.abort.is_empty() && flags.preset.is_empty() {
        steady(&mut document, flags);
    }
    document.list("preset", "preset", &flags.preset);
    rules(&mut document, flags);
    Ok(document)
}

/// The rules where none are given: the preset `steady`, without what this target or this time can't show.
fn steady(document: &mut Document, flags: &Watch) {
    let mut without = Vec::new();
    if flags.duration.saturating_sub(flags.warmup) <= STEADY_FAILING {
        without.push("health".to_owned());
    }
    if flags.target.url.is_none() {
        without.push("server-errors".to_owned());
    }
    document.open("preset", "preset");
    document.value("name", "preset", "steady");
    document.list("without", "preset", &without);
    document.close();
}
