//! What `status` says of two services behind one rule: who serves, what is under way, and what to run next.

use gha::outcome::Outcome;
use gha::{Failure, Status, duration, text};
use serde_json::json;

use crate::cli::Traffic;
use crate::observed::revision_name;
use crate::place::Place;
use crate::state::{self, Stage};
use crate::status;

use super::held;
use super::sides::{One, Sides};

/// Says how the two are, and then how each of them is.
pub(crate) async fn pair(flags: &Traffic, place: &Place<'_>) -> Result<Outcome, Failure> {
    let (sides, odd) = Box::pin(Sides::seen(flags, place)).await?;
    let headline = headline(&sides);
    let runner = place.runner;
    runner.info(&headline);
    match &odd {
        Some(odd) => {
            let help = odd.help.as_deref().unwrap_or_default();
            runner.warn(&format!("{}; {help}", odd.error));
        }
        None => {
            if let Some(word) = word(&sides) {
                runner.info(&word);
            }
        }
    }
    for side in [&sides.old, &sides.new] {
        Box::pin(status::service(&side.place)).await?;
    }
    let (old, new) = (&sides.old.place.service, &sides.new.place.service);
    let weights = json!({ old: sides.weights.old, new: sides.weights.new });
    let outcome = Outcome::new(Status::Unchanged, headline)
        .target(sides.place.target())
        .fact("live-service", sides.live().place.service.clone())
        .fact("weights", weights)
        .fact("run", sides.left().map(|held| held.run.to_string()));
    Ok(Outcome {
        dry_run: true,
        ..outcome
    })
}

fn headline(sides: &Sides<'_>) -> String {
    let (old, new) = (&sides.old, &sides.new);
    if sides.is_split() {
        return format!(
            "{} gets {}% of the traffic, {} the rest",
            named(new),
            sides.weights.share(),
            named(old)
        );
    }
    let live = sides.live();
    let idle = if live.place.service == old.place.service {
        new
    } else {
        old
    };
    format!(
        "{} serves with all traffic, {} with none",
        named(live),
        named(idle)
    )
}

fn named(side: &One<'_>) -> String {
    let revision = side.described.service.task_definition.as_deref();
    let revision = text::line(revision_name(revision.unwrap_or_default()));
    format!("`{}` (`{revision}`)", side.place.service)
}

/// What an earlier run left, and what to do about it.
fn word(sides: &Sides<'_>) -> Option<String> {
    let flags = sides.flags();
    let Some(held) = sides.left() else {
        let left = "no run left word of it: set the weights of the rule by hand, all for one side";
        return sides.is_split().then(|| left.to_owned());
    };
    let run = &held.run;
    let since = duration::display(held::age(held, sides.place.runner));
    let recover = format!("run `ecs-deploy recover {flags}`");
    Some(match held.stage {
        Some(Stage::Paused) => format!(
            "run `{run}` waits to be promoted: run `ecs-deploy promote {flags}` with the steps and gates of that deploy, or \
             `ecs-deploy rollback {flags}`"
        ),
        Some(Stage::Over) => over(held, flags),
        _ if held::is_expired(held, sides.place.runner) => {
            format!("run `{run}` has not been heard of for {since}: {recover}")
        }
        Some(Stage::Kept) => format!(
            "run `{run}` is done but for keeping the earlier version, and wrote so {since} ago; where it is not under way any \
             more, {recover}"
        ),
        None => format!(
            "run `{run}` is under way, and wrote its state {since} ago; where it is not any more, {recover}"
        ),
    })
}

fn over(held: &state::State, flags: &str) -> String {
    let seconds = held.sticky.unwrap_or_default();
    format!(
        "stickiness of the rule was off for {seconds}s after run `{}`: the next deploy turns it on again, or `ecs-deploy recover \
         {flags}`",
        held.run
    )
}
