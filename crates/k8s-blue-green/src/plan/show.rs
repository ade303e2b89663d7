//! What a person sees of a plan, and how it ends: the log, the result, the summary.

use gha::outcome::Outcome;
use gha::summary::Summary;
use gha::{Exit, Failure, Status, markdown, text};
use serde_json::{Value, json};

use super::Drawn;
use crate::cli::Deploy;
use crate::permissions::{self, Needed};
use crate::place::Place;

/// How many characters of what would be sent are shown of each step; the result has all of it.
const SHOWN: usize = 2_000;

/// Says all of it, and judges.
///
/// # Errors
/// When the deploy would be refused.
pub(super) fn conclude(
    drawn: &Drawn,
    missing: &[Needed],
    flags: &Deploy,
    place: &Place<'_>,
) -> Result<Outcome, Failure> {
    let role = (!missing.is_empty()).then(|| permissions::role(missing, &place.namespace));
    log(drawn, role.as_deref(), place);
    let ended = judged(drawn, missing, place);
    let filled = |outcome: Outcome| fill(outcome, drawn, role.as_deref(), flags, place);
    let ended = match ended {
        Ok(outcome) => Ok(filled(outcome)),
        Err(mut failure) => {
            *failure.outcome = filled((*failure.outcome).clone());
            Err(failure)
        }
    };
    summary(&ended, drawn, role.as_deref(), place);
    ended
}

fn judged(drawn: &Drawn, missing: &[Needed], place: &Place<'_>) -> Result<Outcome, Failure> {
    let first = drawn.refusals.first();
    let why = match (missing, first) {
        ([], None) => {
            let headline = match &drawn.unchanged {
                Some(live) => format!("nothing to do: {live} is live already"),
                None => format!("the deploy can go: {} would be sent", changes(drawn.steps.len())),
            };
            place.runner.info(&headline);
            return Ok(Outcome::new(Status::Unchanged, headline));
        }
        ([], Some(first)) => first.text.clone(),
        (missing, None) => permissions_missing(missing.len()),
        (missing, Some(first)) => format!("{}; {}", permissions_missing(missing.len()), first.text),
    };
    let is_access = !missing.is_empty() || drawn.refusals.iter().any(|one| one.exit == Exit::Access);
    let exit = match first {
        Some(first) if !is_access => first.exit,
        _ => Exit::Access,
    };
    let headline = format!("the deploy would be refused: {why}");
    let mut failure = Failure::new(exit, headline.clone());
    failure.outcome.headline = headline;
    let help = match missing.first() {
        Some(missing) => Some(format!(
            "give the account the Role `{}` that is printed above, by a RoleBinding ({missing} is the first that it lacks)",
            permissions::ROLE
        )),
        None => first.and_then(|first| first.help.clone()),
    };
    Err(match help {
        Some(help) => failure.help(help),
        None => failure,
    })
}

fn log(drawn: &Drawn, role: Option<&str>, place: &Place<'_>) {
    let runner = place.runner;
    drawn.lines.iter().for_each(|line| runner.info(line));
    for step in &drawn.steps {
        runner.group(&step.what);
        let shown = shown(&step.sent);
        shown.lines().for_each(|line| runner.info(&text::line(line)));
        runner.end_group();
    }
    drawn.warnings.iter().for_each(|warning| runner.warn(warning));
    for refusal in &drawn.refusals {
        runner.info(&format!("refused: {}", refusal.text));
    }
    if let Some(role) = role {
        runner.group("the Role that is missing");
        role.lines().for_each(|line| runner.info(line));
        runner.end_group();
    }
}

fn fill(outcome: Outcome, drawn: &Drawn, role: Option<&str>, flags: &Deploy, place: &Place<'_>) -> Outcome {
    let steps: Vec<Value> = drawn
        .steps
        .iter()
        .map(|step| json!({"what": step.what, "sent": step.sent}))
        .collect();
    let refusals: Vec<&str> = drawn.refusals.iter().map(|one| &*one.text).collect();
    let targets = [&flags.target.service[..], &flags.target.workload[..]].concat();
    Outcome {
        dry_run: true,
        ..outcome
            .fact("steps", steps)
            .fact("refusals", refusals)
            .fact("warnings", drawn.warnings.clone())
            .fact("missing-role", role.unwrap_or_default())
            .target(place.target(&targets.join(",")))
    }
}

/// The verdict first, then what is in the way, what would be done, and what is missing.
fn summary(ended: &Result<Outcome, Failure>, drawn: &Drawn, role: Option<&str>, place: &Place<'_>) {
    let mut summary = Summary::default();
    let (mark, outcome) = match ended {
        Ok(outcome) => ("✅", outcome),
        Err(failure) => ("❌", &*failure.outcome),
    };
    summary.push(format!("### {mark} {}\n", markdown::plain(&outcome.headline)));
    if let Err(failure) = ended
        && let Some(help) = &failure.help
    {
        summary.push(format!("\n{}\n", markdown::plain(help)));
    }
    let refusals = drawn.refusals.iter().map(|one| ("refused", &one.text));
    let warnings = drawn.warnings.iter().map(|line| ("warning", line));
    let rows: Vec<Vec<String>> = refusals
        .chain(warnings)
        .map(|(grade, line)| vec![grade.to_owned(), markdown::plain(line)])
        .collect();
    if !rows.is_empty() {
        summary.table(&["", "What stands in the way, or may go wrong"], &rows);
    }
    let lines = drawn.lines.iter();
    let rows: Vec<Vec<String>> = lines
        .chain(drawn.steps.iter().map(|step| &step.what))
        .map(|line| vec![markdown::plain(line)])
        .collect();
    if !rows.is_empty() {
        summary.table(&["What would be done"], &rows);
    }
    if let Some(role) = role {
        summary.push(format!(
            "\nThe Role that is missing:\n\n{}\n",
            markdown::fence(role)
        ));
    }
    place.runner.summary(&summary);
}

fn shown(sent: &Value) -> String {
    let sent = serde_json::to_string_pretty(sent).unwrap_or_default();
    text::cut(&sent, SHOWN)
}

fn permissions_missing(count: usize) -> String {
    match count {
        1 => "1 permission is missing".to_owned(),
        count => format!("{count} permissions are missing"),
    }
}

fn changes(count: usize) -> String {
    match count {
        1 => "1 change".to_owned(),
        count => format!("{count} changes"),
    }
}
