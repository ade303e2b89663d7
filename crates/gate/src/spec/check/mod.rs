//! Checks: from what is written to what can be run. Every check tells its fault and goes on.

use std::time::Duration;

use gha::duration;

use crate::spec::Spec;
use crate::spec::fault::{Faults, Place};
use crate::spec::file::File;
use crate::spec::file::read::Context;
use crate::spec::vars::Vars;

pub(crate) mod clauses;
pub(crate) mod compare;
pub(crate) mod rules;
pub(crate) mod sources;
pub(crate) mod targets;
pub(crate) mod text;
pub(crate) mod wait;
pub(crate) mod watch;

/// The version of the format.
const VERSION: u32 = 1;

/// What a command may take beyond its steps.
const MARGIN: Duration = Duration::from_secs(30 * 60);

/// Checks a file.
pub(crate) fn check(file: &File, vars: Vars, context: &mut Context<'_>) -> Option<Spec> {
    version(file, &mut context.faults);
    let table = sources::Table::of(file.sources.as_ref());
    let sources = sources::sources(file.sources.as_ref(), context);
    let faults = &mut context.faults;
    let wait = file.wait.as_ref().map(|raw| wait::wait(raw, faults));
    let compares = file.given.has("compare");
    let watch = file
        .watch
        .as_ref()
        .map(|raw| watch::watch(raw, &table, compares, faults));
    if !file.given.has("wait") && !file.given.has("watch") {
        faults.add(file.given.at, "a gate file needs `wait` or `watch`, or both");
    }
    if compares && !file.given.has("watch") {
        let at = file.given.place("compare");
        faults.add(at, "`compare` needs a `watch`, which says for how long");
    }
    let judged = watch
        .as_ref()
        .and_then(|watch| watch.as_ref().map(super::watch::Watch::judged));
    let known = rules::Known::new(&table, &[], None, faults);
    let rules = watch
        .as_ref()
        .and_then(Option::as_ref)
        .map(|watch| watch.rules.as_slice());
    let mut names: Vec<&str> = rules
        .unwrap_or_default()
        .iter()
        .map(|rule| rule.name.as_str())
        .collect();
    let mut comparisons = Vec::new();
    for raw in file.compare.iter().flatten() {
        if let Some(name) = &raw.name {
            if names.contains(&name.value.as_str()) {
                faults.add(name.at, "a second rule or comparison has this name");
            }
            names.push(&name.value);
        }
        comparisons.extend(compare::comparison(raw, &known, judged, faults));
    }
    let steps = [
        wait.as_ref()
            .and_then(|wait| wait.as_ref().map(|wait| wait.timeout)),
        watch
            .as_ref()
            .and_then(|watch| watch.as_ref().map(|watch| watch.duration)),
    ];
    let timeout = timeout(file, steps.into_iter().flatten().sum(), faults);
    Some(Spec {
        timeout,
        vars,
        sources,
        wait: wait.flatten(),
        watch: watch.flatten(),
        comparisons,
        on_inconclusive: file
            .on_inconclusive
            .as_ref()
            .map(|choice| choice.value)
            .unwrap_or_default(),
    })
}

fn version(file: &File, faults: &mut Faults) {
    if !file.given.has("version") {
        faults.add(file.given.at.max(Place::START), "a gate file needs `version: 1`");
    }
    if let Some(version) = file.version.as_ref().filter(|version| version.value != VERSION) {
        faults.add(
            version.at,
            format!(
                "`version` is {}, and this program reads version {VERSION}",
                version.value
            ),
        );
    }
}

/// The whole command's time, which must hold its steps.
fn timeout(file: &File, steps: Duration, faults: &mut Faults) -> Duration {
    let Some(timeout) = &file.timeout else {
        return steps.saturating_add(MARGIN);
    };
    // Of a time that could not be read it is not known how long it is.
    let is_known = |wait: &super::file::wait::Wait| wait.timeout.is_some() || !wait.given.has("timeout");
    let is_known = file.wait.as_ref().is_none_or(is_known);
    if timeout.value < steps && is_known || timeout.value.is_zero() {
        let show = duration::exact;
        faults.add(
            timeout.at,
            format!(
                "`timeout` is {}, and `wait` and `watch` may take {} together; raise it or leave it out",
                show(timeout.value),
                show(steps)
            ),
        );
    }
    timeout.value
}
