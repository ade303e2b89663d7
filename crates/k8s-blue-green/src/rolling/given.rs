//! What a rolling deploy is given beside images: manifests, and gates that judge what was rolled out.

use gate::gates::Says;
use gha::{Exit, Failure};
use serde_json::Value;

use super::{Judged, Ready};
use crate::apply::{self, How};
use crate::cli;
use crate::error::Error;
use crate::gates::{Candidate, Gates};
use crate::manifests;
use crate::object;
use crate::place::Place;

/// The kinds that are rolled out.
const WORKLOADS: [&str; 3] = ["Deployment", "StatefulSet", "DaemonSet"];

/// The manifest of the workload, when everything else that was given is applied.
pub(super) async fn manifest(flags: &cli::Deploy, place: &Place<'_>) -> Result<Option<Value>, Failure> {
    let refuse = |flag, reason: String| Failure::from(Error::Flag { flag, reason });
    if flags.migration.migrate.is_some() {
        return Err(refuse(
            "migrate",
            "a rolling deploy replaces pods one by one; migrations are for `--strategy blue-green`"
                .to_owned(),
        ));
    }
    if flags.gates.smoke.is_some() {
        return Err(refuse(
            "smoke",
            "a rolling deploy has no preview; use `--gate` with the public address".to_owned(),
        ));
    }
    if flags.version.manifests.is_empty() {
        return Ok(None);
    }
    let gathered = manifests::gather(&flags.version.manifests, &place.namespace, place.runner).await;
    let mut given = gathered.map_err(|error| refuse("manifests", error.to_string()))?;
    let workloads: Vec<(String, String)> = given
        .iter()
        .map(|manifest| {
            (
                object::text(&manifest.object, "/kind").to_owned(),
                object::name(&manifest.object).to_owned(),
            )
        })
        .filter(|(kind, _)| WORKLOADS.contains(&&**kind))
        .collect();
    let is_named = |(kind, name): &&(String, String)| {
        let asked = format!("{kind}/{name}");
        flags
            .target
            .workload
            .iter()
            .any(|named| named.eq_ignore_ascii_case(&asked))
    };
    let only = match &workloads[..] {
        [only] => Some(only),
        several => several.iter().find(is_named),
    };
    let Some((kind, name)) = only.cloned() else {
        return Err(refuse(
            "manifests",
            format!(
                "there are {} workloads among them; name the one that is rolled out with `--workload`",
                workloads.len()
            ),
        ));
    };
    let workload = manifests::take_out(&mut given, &kind, &name);
    let how = How {
        dry_run: false,
        services: &[],
        annotations: &[],
    };
    let changes = apply::apply(&given, how, place).await;
    for change in changes.map_err(|error| refuse("manifests", error.to_string()))? {
        place.runner.info(&change.line(false));
    }
    Ok(workload.map(|manifest| manifest.object))
}

/// What the gates say of what was rolled out.
pub(super) async fn judged(ready: &Ready<'_>, gates: &Gates, place: &Place<'_>) -> Judged {
    if gates.is_empty() {
        return Judged::Yes;
    }
    let image = ready.images.first().and_then(|image| image.split_once('='));
    gates.about(
        &Candidate {
            service: ready.workload.name.clone(),
            image: image.map(|(_, image)| image.to_owned()).unwrap_or_default(),
            ..Candidate::default()
        },
        place,
    );
    let no = |exit, reason| Judged::No { exit, reason };
    match gates.whole(place).await {
        Says::Pass => Judged::Yes,
        Says::Fail(why) => no(Exit::Failed, format!("the gate said no: {why}")),
        Says::Inconclusive(why) => no(Exit::Inconclusive, format!("the gate could not say: {why}")),
        Says::Running => no(Exit::Inconclusive, "the gate did not end".to_owned()),
    }
}
