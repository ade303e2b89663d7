//! What a rolling deploy is given beside images: manifests, and gates that judge what was rolled out.

use std::time::Duration;

use gate::gates::Says;
use gha::{Exit, Failure};
use serde_json::Value;

use super::{Judged, Ready};
use crate::apply::{self, How};
use crate::cli;
use crate::error::Error;
use crate::gates::{Candidate, Gates};
use crate::manifests::{self, Manifest};
use crate::object;
use crate::place::Place;
use crate::smoke::{About, Smoke, Verdict};

/// The kinds that are rolled out.
const WORKLOADS: [&str; 3] = ["Deployment", "StatefulSet", "DaemonSet"];

/// What is given, read and checked; nothing is changed.
pub(super) struct Given {
    /// The manifest of the workload.
    pub(super) workload: Option<Value>,
    /// Everything else.
    pub(super) rest: Vec<Manifest>,
}

/// Reads what is given.
pub(super) async fn gathered(flags: &cli::Deploy, place: &Place<'_>) -> Result<Given, Failure> {
    let refuse = |flag, reason: String| Failure::from(Error::Flag { flag, reason });
    if flags.version.manifests.is_empty() {
        return Ok(Given {
            workload: None,
            rest: Vec::new(),
        });
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
    Ok(Given {
        workload: workload.map(|manifest| manifest.object),
        rest: given,
    })
}

impl Given {
    /// Applies everything but the workload; gives a line for each object.
    pub(super) async fn applied(&self, place: &Place<'_>) -> Result<Vec<String>, Failure> {
        let how = How {
            dry_run: false,
            services: &[],
            annotations: &[],
        };
        let changes = apply::apply(&self.rest, how, place).await.map_err(Error::from)?;
        Ok(changes.iter().map(|change| change.line(false)).collect())
    }
}

/// What the smoke command and the gates say of what was rolled out.
pub(super) async fn judged(
    ready: &Ready<'_>,
    smoke: Option<&Smoke>,
    limit: Duration,
    gates: &Gates,
    place: &Place<'_>,
) -> Judged {
    let no = |exit, reason| Judged::No { exit, reason };
    let image = ready.images.first().and_then(|image| image.split_once('='));
    let image = image.map(|(_, image)| image.to_owned()).unwrap_or_default();
    if let Some(smoke) = smoke {
        // There is no preview: what is rolled out has the traffic already.
        let about = About {
            service: &ready.workload.name,
            namespace: &place.namespace,
            image: &image,
            ..About::default()
        };
        match smoke.run(&about, limit, place.runner).await {
            Ok(Verdict::Passed) => {}
            Ok(Verdict::Failed(why)) => return no(Exit::Failed, format!("the smoke command failed: {why}")),
            Err(error) => return no(Exit::Inconclusive, error.to_string()),
        }
    }
    if gates.is_empty() {
        return Judged::Yes;
    }
    gates.about(
        &Candidate {
            service: ready.workload.name.clone(),
            image,
            ..Candidate::default()
        },
        place,
    );
    match gates.whole(place).await {
        Says::Pass => Judged::Yes,
        Says::Fail(why) => no(Exit::Failed, format!("the gate said no: {why}")),
        Says::Inconclusive(why) => no(Exit::Inconclusive, format!("the gate could not say: {why}")),
        Says::Running => no(Exit::Inconclusive, "the gate did not end".to_owned()),
    }
}
