//! Every source is asked once before anything is waited for: a misspelt query or a wrong token is told at once, and not
//! after the deploy has been watched in vain.

use std::time::Duration;

use crate::observation::{Answered, Asked, Observation};
use crate::source::{Question, Reading, Source, Value};
use crate::spec::Spec;
use crate::trouble::Trouble;
use gha::text;
use jiff::Timestamp;
use tokio::time::timeout;

use crate::compare::SettingsError;
use crate::run::{Made, Progress, observation};

/// What a source said that will never answer: its name and why.
#[derive(Clone, Debug)]
pub struct Refused {
    /// The source's name.
    pub source: String,
    /// Why.
    pub trouble: Trouble,
}

impl Refused {
    /// Both as one line.
    #[must_use]
    pub fn reason(&self) -> String {
        format!("source `{}`: {}", self.source, self.trouble.reason)
    }
}

/// Asks every question once, about windows as long as they will be; the first that will never be answered and that a
/// verdict hangs on. Of one that only advisory rules and comparisons ask it is told, and the run goes on.
pub async fn preflight(
    spec: &Spec,
    made: &Made,
    observation: Option<&Observation>,
    now: Timestamp,
    told: &dyn Fn(Progress<'_>),
) -> Option<Refused> {
    let (watch, observation) = (spec.watch.as_ref()?, observation?);
    let questions = observation.questions(watch.duration);
    let binding = binding(spec, watch.duration).unwrap_or_else(|_| questions.clone());
    for (asked, answer) in answers(spec, made, &questions, now).await {
        // Of what is asked about many instants, one stands for all.
        let same = |own: &Asked| own.source == asked.source && own.question == asked.question;
        let name = &spec.sources[asked.source].name;
        match answer {
            Err(trouble) if trouble.lasts() && !binding.iter().any(same) => {
                told(Progress::Warning(&format!(
                    "source {name}: {}; only advisory rules ask it, so the run goes on",
                    trouble.reason
                )));
            }
            Err(trouble) if trouble.lasts() => {
                return Some(Refused {
                    source: name.clone(),
                    trouble,
                });
            }
            Err(trouble) => {
                let line = format!("source {name}: {}; asked again later", trouble.reason);
                told(Progress::Line(&line));
            }
            Ok(_) => {}
        }
    }
    None
}

/// The questions of the rules and comparisons that count.
fn binding(spec: &Spec, at: Duration) -> Result<Vec<Asked>, SettingsError> {
    let mut spec = spec.clone();
    spec.comparisons.retain(|comparison| !comparison.advisory);
    if let Some(watch) = &mut spec.watch {
        watch.rules.retain(|rule| !rule.advisory);
    }
    let observation = observation(&spec)?;
    Ok(observation.map_or_else(Vec::new, |observation| observation.questions(at)))
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
                Value::Absent | Value::Nothing => "no data".to_owned(),
            };
            let notes: Vec<&str> = reading.notes.iter().map(String::as_str).collect();
            text::cut(&[&[value.as_str()], &notes[..]].concat().join("; "), 400)
        }
    }
}
