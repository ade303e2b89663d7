//! Every source is asked once before anything is waited for: a misspelt query or a wrong token is told at once, and not
//! after the deploy has been watched in vain.

use std::time::Duration;

use gate::observation::{Answered, Asked, Observation};
use gate::source::{Question, Reading, Source, Value};
use gate::spec::Spec;
use gate::trouble::Trouble;
use gha::{Runner, text};
use jiff::Timestamp;
use tokio::time::timeout;

use crate::session::Made;

/// What a source said that will never answer: its name and why.
#[derive(Clone, Debug)]
pub struct Refused {
    /// The source's name.
    pub source: String,
    /// Why.
    pub trouble: Trouble,
}

/// Asks every question once, about windows as long as they will be; the first that will never be answered.
pub async fn preflight(
    spec: &Spec,
    made: &Made,
    observation: Option<&Observation>,
    runner: &Runner,
) -> Option<Refused> {
    let (watch, observation) = (spec.watch.as_ref()?, observation?);
    for (asked, answer) in answers(spec, made, &observation.questions(watch.duration), runner.now()).await {
        let name = &spec.sources[asked.source].name;
        match answer {
            Err(trouble) if trouble.lasts() => {
                return Some(Refused {
                    source: name.clone(),
                    trouble,
                });
            }
            Err(trouble) => runner.info(&format!("source {name}: {}; asked again later", trouble.reason)),
            Ok(_) => {}
        }
    }
    None
}

/// What the sources answer now.
pub async fn answers(spec: &Spec, made: &Made, asked: &[Asked], now: Timestamp) -> Vec<Answered> {
    let mut answers = Vec::with_capacity(asked.len());
    for (index, (source, named)) in made.sources.iter().zip(&spec.sources).enumerate() {
        let mut mine: Vec<&Asked> = Vec::new();
        for asked in asked.iter().filter(|asked| asked.source == index) {
            // A comparison asks the same about many instants.
            if mine.iter().all(|known| known.question != asked.question) {
                mine.push(asked);
            }
        }
        let questions: Vec<Question> = mine.iter().map(|asked| asked.question.clone()).collect();
        let said = ask(source.as_ref(), &questions, now, named.timeout).await;
        answers.extend(mine.into_iter().cloned().zip(said));
    }
    answers
}

async fn ask(
    source: &dyn Source,
    questions: &[Question],
    now: Timestamp,
    limit: Duration,
) -> Vec<Result<Reading, Trouble>> {
    let accepted: Result<(), String> = questions
        .iter()
        .try_for_each(|question| source.accepts(&question.query));
    if let Err(reason) = accepted {
        return vec![Err(Trouble::question(reason)); questions.len()];
    }
    match timeout(limit, source.ask(questions, now)).await {
        Ok(answers) => answers,
        Err(_) => {
            let reason = format!("no answer within {}", gha::duration::display(limit));
            vec![Err(Trouble::passing(reason)); questions.len()]
        }
    }
}

/// An answer as one line.
#[must_use]
pub fn shown(answer: &Result<Reading, Trouble>) -> String {
    match answer {
        Err(trouble) => trouble.reason.clone(),
        Ok(reading) => {
            let value = match &reading.value {
                Value::Number(number) => number.to_string(),
                Value::Buckets(buckets) => {
                    let count = buckets.last().map_or(0.0, |last| last.count);
                    format!("{} buckets, {count} observations", buckets.len())
                }
                Value::Nothing => "no data".to_owned(),
            };
            let notes: Vec<&str> = reading.notes.iter().map(String::as_str).collect();
            text::cut(&[&[value.as_str()], &notes[..]].concat().join("; "), 400)
        }
    }
}
