//! The command `plan`: what a deploy would do, with every object shown to the server, which stores none of it, and with the
//! permissions that it needs. No lock is taken.

use gha::outcome::Outcome;
use gha::{Exit, Failure, Status, text};
use serde_json::{Value, json};

use crate::api::{Kind, Refused};
use crate::blue_green::plan as blue_green;
use crate::blue_green::stopped::Stopped;
use crate::cli::{Deploy, Strategy};
use crate::manifests::Manifest;
use crate::migrate::Asking;
use crate::migration::decide::{Decision, decide};
use crate::migration::job::Way;
use crate::object;
use crate::permissions::{self, Missing};
use crate::place::Place;
use crate::put;
use crate::refusals::{Concern, Grade};
use crate::rolling;

/// How many characters of what would be sent are shown of each step; the result has all of it.
const SHOWN: usize = 2_000;

/// What a deploy would do, as far as it is known.
#[derive(Debug, Default)]
pub struct Drawn {
    /// What is live already, where there is nothing to do.
    pub unchanged: Option<String>,
    /// What it does, line by line.
    lines: Vec<String>,
    /// What it sends.
    steps: Vec<Step>,
    /// What stands in its way.
    refusals: Vec<String>,
    /// What may go wrong.
    warnings: Vec<String>,
    /// Whether the server could not be asked about something.
    denied: bool,
}

/// Something that would be sent.
#[derive(Clone, Debug)]
pub struct Step {
    /// What it is for, in a line.
    pub what: String,
    /// The object, or the operations of a JSON patch.
    pub sent: Value,
}

/// Runs the command.
///
/// # Errors
/// When the deploy would be refused.
pub async fn at(flags: &Deploy, place: &Place<'_>) -> Result<Outcome, Failure> {
    let drawing = Box::pin(all(flags, place));
    let ended = place.runner.cancel().guard(drawing).await;
    ended.unwrap_or_else(|cancelled| Err(cancelled.into()))
}

async fn all(flags: &Deploy, place: &Place<'_>) -> Result<Outcome, Failure> {
    let mut drawn = Drawn::default();
    let missing = permissions::missing(flags, place).await;
    let ended = match flags.strategy {
        Strategy::Rolling => rolling::plan::draw(flags, &mut drawn, place).await,
        Strategy::BlueGreen | Strategy::Canary => Box::pin(blue_green::draw(flags, &mut drawn, place))
            .await
            .map_err(stopped),
    };
    let missing = match missing {
        Ok(missing) => missing,
        Err(refused) => {
            drawn.warn(format!("the permissions could not be asked about: {refused}"));
            Vec::new()
        }
    };
    if let Err(failure) = ended {
        // Without a permission there is often nothing to draw: then that is why.
        if missing.is_empty() {
            return Err(failure);
        }
        drawn.refuse(gha::failure::chain(failure.error.as_ref()));
    }
    conclude(&drawn, &missing, flags, place)
}

fn stopped(stopped: Stopped) -> Failure {
    match stopped {
        Stopped::Error(error) => (*error).into(),
        Stopped::Failed { exit, reason } => Failure::new(exit, reason),
    }
}

/// Says all of it, and judges.
fn conclude(
    drawn: &Drawn,
    missing: &[Missing],
    flags: &Deploy,
    place: &Place<'_>,
) -> Result<Outcome, Failure> {
    let runner = place.runner;
    drawn.lines.iter().for_each(|line| runner.info(line));
    for step in &drawn.steps {
        runner.group(&step.what);
        let sent = serde_json::to_string_pretty(&step.sent).unwrap_or_default();
        let shown = text::cut(&sent, SHOWN);
        shown.lines().for_each(|line| runner.info(&text::line(line)));
        runner.end_group();
    }
    drawn.warnings.iter().for_each(|warning| runner.warn(warning));
    drawn
        .refusals
        .iter()
        .for_each(|refusal| runner.info(&format!("refused: {refusal}")));
    let role = (!missing.is_empty()).then(|| permissions::role(missing, &place.namespace));
    if let Some(role) = &role {
        runner.group("the Role that is missing");
        role.lines().for_each(|line| runner.info(line));
        runner.end_group();
    }
    let steps: Vec<Value> = drawn
        .steps
        .iter()
        .map(|step| json!({"what": step.what, "sent": step.sent}))
        .collect();
    let targets = [&flags.target.service[..], &flags.target.workload[..]].concat();
    let fill = |outcome: Outcome| Outcome {
        dry_run: true,
        ..outcome
            .fact("steps", steps.clone())
            .fact("refusals", drawn.refusals.clone())
            .fact("warnings", drawn.warnings.clone())
            .fact("missing-role", role.clone().unwrap_or_default())
            .target(place.target(&targets.join(",")))
    };
    if drawn.refusals.is_empty() && missing.is_empty() {
        let headline = match &drawn.unchanged {
            Some(live) => format!("nothing to do: {live} is live already"),
            None => format!("the deploy can go: {} would be sent", count(drawn.steps.len())),
        };
        runner.info(&headline);
        return Ok(fill(Outcome::new(Status::Unchanged, headline)));
    }
    let (exit, headline) = match drawn.refusals.first() {
        _ if !missing.is_empty() || drawn.denied => (
            Exit::Access,
            format!(
                "the deploy would be refused: {} missing{}",
                match missing.len() {
                    1 => "1 permission is".to_owned(),
                    count => format!("{count} permissions are"),
                },
                drawn
                    .refusals
                    .first()
                    .map(|first| format!("; {first}"))
                    .unwrap_or_default()
            ),
        ),
        Some(first) => (Exit::Failed, format!("the deploy would be refused: {first}")),
        None => (Exit::Failed, "the deploy would be refused".to_owned()),
    };
    let mut failure = Failure::new(exit, headline.clone());
    if let Some(missing) = missing.first() {
        failure = failure.help(format!(
            "give the account the Role that is printed above ({missing} is the first that it lacks)"
        ));
    }
    let filled = fill((*failure.outcome).clone());
    *failure.outcome = Outcome { headline, ..filled };
    Err(failure)
}

fn count(count: usize) -> String {
    match count {
        1 => "1 change".to_owned(),
        count => format!("{count} changes"),
    }
}

impl Drawn {
    /// A line of what it does.
    pub fn say(&mut self, line: String) {
        self.lines.push(line);
    }

    /// Something that may go wrong.
    pub fn warn(&mut self, line: String) {
        self.warnings.push(line);
    }

    /// Something that stands in its way.
    pub fn refuse(&mut self, line: String) {
        self.refusals.push(line);
    }

    /// Something that would be sent, which the server was asked about, or can't be before.
    pub fn step(&mut self, step: Step) {
        self.steps.push(step);
    }

    /// What was seen around it.
    pub fn concern(&mut self, concern: Concern) {
        match concern.grade {
            Grade::Refusal => self.refuse(concern.text),
            Grade::Warning => self.warn(concern.text),
        }
    }

    /// An object that would be put there: the server is asked.
    pub async fn put(&mut self, kind: &Kind, object: &Value, place: &Place<'_>) {
        let called = format!("{} `{}`", kind.kind, text::line(object::name(object)));
        match put::would(kind, object, place).await {
            Ok(would) => self.step(Step {
                what: format!("{called} {}", blue_green::words(would)),
                sent: object.clone(),
            }),
            Err(refused) => self.no(&called, &refused),
        }
    }

    /// A JSON patch that would be sent: the server is asked.
    pub async fn patch(&mut self, kind: &Kind, name: &str, operations: Value, why: &str, place: &Place<'_>) {
        let called = format!("{} `{}`", kind.kind, text::line(name));
        let asked = place
            .api
            .patch(kind, &place.namespace, name, &operations, true)
            .await;
        match asked {
            Ok(_) => self.step(Step {
                what: format!("a patch of {called} {why}"),
                sent: operations,
            }),
            Err(refused) => self.no(&called, &refused),
        }
    }

    /// The server's no.
    pub fn no(&mut self, called: &str, refused: &Refused) {
        self.denied |= refused.is_access();
        self.refuse(format!("{called}: {refused}"));
    }

    /// What the migration would be.
    ///
    /// # Errors
    /// When there can be none.
    pub async fn migration(
        &mut self,
        asking: &Asking,
        job: Option<&Manifest>,
        (service, new): (&str, &Value),
        flags: &Deploy,
        place: &Place<'_>,
    ) -> Result<(), Stopped> {
        let made = asking.made(job, new, Way::Up, flags.migration.migrate_timeout)?;
        let name = text::line(made.name());
        let there = place.api.get(&Kind::job(), &place.namespace, made.name()).await;
        let there = match there {
            Ok(there) => there,
            Err(refused) => {
                self.no(&format!("Job `{name}`"), &refused);
                return Ok(());
            }
        };
        match decide(there.as_ref(), &[], Way::Up, flags.migration.retry_migration) {
            Decision::Create | Decision::Again { .. } if there.is_none() => {
                let asked = place
                    .api
                    .would_create(&Kind::job(), &place.namespace, &made.object)
                    .await;
                match asked {
                    Ok(_) => self.step(Step {
                        what: format!(
                            "Job `{name}` migrates for Service `{}` first",
                            text::line(service)
                        ),
                        sent: made.object.clone(),
                    }),
                    Err(refused) => self.no(&format!("Job `{name}`"), &refused),
                }
            }
            Decision::Create | Decision::Again { .. } => self.say(format!("Job `{name}` would run again")),
            Decision::Wait => self.say(format!("Job `{name}` runs already, and would be waited for")),
            Decision::Done => self.say(format!("Job `{name}` was done before, and would not run again")),
            Decision::Failed { reason } => self.refuse(format!(
                "the migration, Job `{name}`, failed before, and runs again only with `--retry-migration`: {reason}"
            )),
            Decision::Foreign => self.refuse(format!("Job `{name}` is there and not of this program")),
        }
        Ok(())
    }
}
