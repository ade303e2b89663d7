//! What `plan` says of two services behind one rule: what would change, by which calls, and where a failure would lead.

use gha::outcome::Outcome;
use gha::steps::{Step, Steps};
use gha::{Failure, Status, accounts, duration, text};

use crate::api::Refused;
use crate::cli::Plan;
use crate::deploy::settings;
use crate::error::Error;
use crate::observed::revision_name;
use crate::place::Place;
use crate::prepare::{self, Wanted};
use crate::task_definition::keys;

use super::sides::Sides;
use super::version::can_be;
use super::{asked, unfinished};

/// Says what a deploy would do. Nothing is changed.
pub(crate) async fn pair(flags: &Plan, place: &Place<'_>) -> Result<Outcome, Failure> {
    can_be(&flags.settings, &flags.strategy, false)?;
    let sides = Box::pin(Sides::of(&flags.traffic, place)).await?;
    let steps = asked(&flags.shift)?;
    unfinished(&sides)?;
    let wanted = prepare::wanted(&place.api, &flags.version, &sides.old.described.service).await?;
    for warning in keys::warnings(&wanted.definition) {
        place.runner.warn(&warning);
    }
    let (old, new) = (&sides.old.place.service, &sides.new.place.service);
    let unchanged =
        wanted.is_current() && settings(&flags.settings)? == crate::api::services::Update::default();
    let (headline, lines) = if unchanged {
        let headline = format!("`{old}` serves this content already; a deploy would change nothing");
        (headline, Vec::new())
    } else {
        let headline =
            format!("a deploy would bring a new version to `{new}` and move the traffic of `{old}` there");
        let keep = duration::display(flags.shift.keep);
        (headline, lines(&sides, &wanted, &steps, &keep).await?)
    };
    place.runner.info(&headline);
    for line in &lines {
        place.runner.info(&accounts::without(line));
    }
    Ok(Outcome {
        dry_run: true,
        ..Outcome::new(Status::Unchanged, headline).target(sides.place.target())
    })
}

async fn lines(
    sides: &Sides<'_>,
    wanted: &Wanted,
    steps: &Steps,
    keep: &str,
) -> Result<Vec<String>, Failure> {
    let (old, new) = (&sides.old.place.service, &sides.new.place.service);
    let mut lines: Vec<String> = wanted.differences().iter().map(ToString::to_string).collect();
    lines.push(match &wanted.known {
        Some(known) => format!(
            "`{}` has this content; no revision is registered",
            text::line(revision_name(known))
        ),
        None => "call: ecs:RegisterTaskDefinition".to_owned(),
    });
    lines.push(format!("call: ecs:TagResource, as the lock, on `{old}`"));
    for side in [&sides.old, &sides.new] {
        let service = &side.place.service;
        match side.place.api.scaling(service).await {
            Ok(Some(_)) => lines.push(format!(
                "call: application-autoscaling:RegisterScalableTarget, so that `{service}` does not scale in"
            )),
            Ok(None) => {}
            Err(refused) if refused.is_access() => lines.push(unknown(service, &refused)),
            Err(refused) => {
                return Err(Error::refused(format!("read the scaling of `{service}`"))(refused).into());
            }
        }
    }
    let tasks = sides.old.described.service.running;
    lines.push(format!(
        "call: ecs:UpdateService of `{new}`, with {tasks} tasks, which is what runs on `{old}`"
    ));
    let write = if sides.rule.contains(":listener/") {
        "ModifyListener"
    } else {
        "ModifyRule"
    };
    let moves = |step: &Step| {
        let hold = step.hold.map(|hold| format!(", for {}", duration::display(hold)));
        let (weight, hold) = (step.weight, hold.unwrap_or_default());
        format!("call: elasticloadbalancing:{write}: {weight} of the traffic to `{new}`{hold}")
    };
    lines.extend(steps.as_slice().iter().map(moves));
    lines.push(format!(
        "call: ecs:UpdateService of `{old}`, to 0 tasks, {keep} later"
    ));
    lines.push(format!("call: ecs:UntagResource of `{old}`"));
    lines.push(format!(
        "a failure gives all traffic back to `{old}`, by one {write}"
    ));
    Ok(lines)
}

fn unknown(service: &str, refused: &Refused) -> String {
    format!("whether `{service}` scales by itself is not known: {refused}")
}
