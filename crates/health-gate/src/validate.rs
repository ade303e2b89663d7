//! Reads a gate file and makes everything it asks for, without looking at anything; on request each source is asked once.

use gate::run::preflight::{answers, shown};
use gate::run::{Made, observation};
use gate::setup::Setup;
use gate::source::Query;
use gha::outcome::Outcome;
use gha::{Exit, Failure, Runner, Status, text};

use crate::asked::Asked;
use crate::error::Error;
use crate::{caution, intent, publish};

/// Says what a gate file would do.
///
/// # Errors
/// When something in it is wrong, or a source does not answer.
pub async fn run(asked: Asked, ask: bool, runner: &Runner) -> Result<Outcome, Failure> {
    let setup = Setup::new(&asked.spec, runner);
    let made = Made::of(&asked.spec, &setup)
        .await
        .map_err(|error| asked.failed(error))?;
    let observation = observation(&asked.spec).map_err(Error::from)?;
    for line in intent::lines(&asked.spec) {
        runner.info(&line);
    }
    caution::lines(&asked.spec, &|key| asked.key(key))
        .iter()
        .for_each(|line| runner.warn(line));
    let mut refused: Option<Failure> = None;
    if let (Some(watch), Some(observation), true) = (&asked.spec.watch, observation, ask) {
        let questions = observation.questions(watch.duration);
        let asking = answers(&asked.spec, &made, &questions, runner.now());
        for (question, answer) in runner.cancel().guard(asking).await? {
            let source = &asked.spec.sources[question.source].name;
            let window = gha::duration::exact(question.question.window);
            let query = text::cut(&text::visible(&written(&question.question.query)), 200);
            runner.info(&format!("{source}, `{query}` over {window}: {}", shown(&answer)));
            if let Err(trouble) = answer {
                let reason = format!("source `{source}`: {}", trouble.reason);
                let failure =
                    || Failure::new(publish::exit_of(&trouble), reason).help(publish::advice_of(&trouble));
                if refused
                    .as_ref()
                    .is_none_or(|known| known.exit == Exit::Inconclusive)
                {
                    refused = Some(failure());
                }
            }
        }
    }
    if let Some(failure) = refused {
        return Err(failure);
    }
    let headline = "the gate file is good";
    runner.info(headline);
    Ok(Outcome {
        dry_run: true,
        ..Outcome::new(Status::Unchanged, headline)
    })
}

/// A query as it was written.
fn written(query: &Query) -> String {
    match query {
        Query::Text(text) | Query::Buckets(text) => text.clone(),
        Query::Metric(metric) => format!("{} {} {}", metric.namespace, metric.name, metric.statistic),
    }
}
