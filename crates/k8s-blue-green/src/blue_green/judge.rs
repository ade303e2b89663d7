//! What judges a new version: gates and a smoke command, on the preview before there is traffic, and gates that watch during the soak.

use std::collections::BTreeSet;
use std::time::Duration;

use gate::gates::Says;
use gha::{Exit, text};

use super::shift::Ready;
use super::stopped::Stopped;
use crate::cli::Deploy;
use crate::error::Error;
use crate::gates::{Candidate, Gates};
use crate::place::Place;
use crate::preview::Preview;
use crate::smoke::{About, Smoke, Verdict};
use crate::story::Story;

/// Judges before there is traffic.
///
/// # Errors
/// When it says no, or can't say.
pub(super) async fn before(
    ready: &[Ready],
    flags: &Deploy,
    gates: &Gates,
    story: &mut Story,
    place: &Place<'_>,
) -> Result<(), Stopped> {
    let Some(first) = ready.first() else { return Ok(()) };
    let smoke = flags.gates.smoke.as_deref().map(Smoke::of).transpose();
    let smoke = smoke.map_err(|error| Error::unfit(error.to_string()))?;
    if smoke.is_some() || gates.previews() {
        let mut judged = BTreeSet::new();
        for one in ready {
            // Several Services of one Deployment have one new version.
            if judged.insert(&one.state.new.deployment) {
                preview(one, smoke.as_ref(), flags, gates, story, place).await?;
            }
        }
    }
    gates.about(&candidate(first), place);
    if gates.is_empty() {
        return Ok(());
    }
    passed(gates.ready(flags.switch.soak.is_zero(), place).await)?;
    story.note("the gates let the new version pass, before it has traffic", place);
    Ok(())
}

/// Judges one new version on its preview.
async fn preview(
    one: &Ready,
    smoke: Option<&Smoke>,
    flags: &Deploy,
    gates: &Gates,
    story: &mut Story,
    place: &Place<'_>,
) -> Result<(), Stopped> {
    // Kept until all that looks through it has ended.
    let preview = Preview::open(&one.lead.name, flags.gates.preview_port.as_deref(), place).await?;
    let candidate = Candidate {
        preview_url: Some(preview.url()),
        ..candidate(one)
    };
    gates.about(&candidate, place);
    if let Some(smoke) = smoke {
        smoked(smoke, &candidate, &preview, flags.gates.smoke_timeout, place).await?;
        let deployment = text::line(&one.state.new.deployment);
        let line = format!("the smoke command succeeded on the preview of `{deployment}`");
        story.note(line, place);
    }
    passed(gates.preview(place).await)
}

/// What gates know of a new version.
fn candidate(one: &Ready) -> Candidate {
    Candidate {
        service: one.lead.name.clone(),
        image: one.image.clone(),
        color: one.state.new.color.clone(),
        preview_url: None,
    }
}

/// Runs the smoke command on the preview.
async fn smoked(
    smoke: &Smoke,
    candidate: &Candidate,
    preview: &Preview,
    limit: Duration,
    place: &Place<'_>,
) -> Result<(), Stopped> {
    let url = preview.url();
    let about = About {
        url: &url,
        service: &candidate.service,
        namespace: &place.namespace,
        color: &candidate.color,
        image: &candidate.image,
    };
    match smoke.run(&about, limit, place.runner).await {
        Ok(Verdict::Passed) => Ok(()),
        Ok(Verdict::Failed(why)) => {
            let trouble = preview.trouble().map(|trouble| format!("; {trouble}"));
            Err(Stopped::failed(format!(
                "the smoke command failed: {why}{}",
                trouble.unwrap_or_default()
            )))
        }
        Err(error) => Err(Error::unfit(error.to_string()).into()),
    }
}

/// Watches while the new version has the traffic.
///
/// # Errors
/// When a gate says no, or can't say.
pub(super) async fn during(
    ready: &[Ready],
    time: Duration,
    gates: &Gates,
    place: &Place<'_>,
) -> Result<(), Stopped> {
    if ready.is_empty() {
        return Ok(());
    }
    passed(gates.watch(time, place).await)
}

fn passed(says: Says) -> Result<(), Stopped> {
    match says {
        Says::Pass => Ok(()),
        Says::Fail(why) => Err(Stopped::failed(format!("the gate said no: {why}"))),
        Says::Inconclusive(why) => Err(Stopped::Failed {
            exit: Exit::Inconclusive,
            reason: format!("the gate could not say: {why}"),
        }),
        Says::Running => Err(Stopped::Failed {
            exit: Exit::Inconclusive,
            reason: "the gate did not end".to_owned(),
        }),
    }
}
