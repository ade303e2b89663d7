//! Reports of runs that were played: what is said of them, and in which forms.

use std::time::Duration;

use gate::condition::Condition;
use gate::finding::{FaultKind, Finding};
use gate::observation::{Answered, Observation};
use gate::observe;
use gate::probe::{Look, Phases};
use gate::rule::{Clause, NoData, Rule, Subject};
use gate::source::{Query, Reading};
use gate::tape::{Sample, State};
use gate::trouble::Trouble;
use gate::until_ready::{Attempt, End, Ending};
use gate::wait::{Progress, Until};

use super::record::{Looked, Named, Record};
use gate::account::{Waited, Watched};

use super::{Account, Comparison, Report, Run};

mod forms;
mod hostile;
mod lines;
mod one_line;
mod rules;
mod waits;

fn secs(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

fn run() -> Run {
    Run {
        version: "1.2.3".to_owned(),
        trace_id: "ab".repeat(16),
        started_at: "2026-11-22T05:55:46Z".parse().unwrap(),
        took: secs(12),
        target: String::new(),
        environment: None,
        config_hash: None,
        cut: None,
    }
}

/// The report of a run that waited, or observed, or both.
fn report_of(
    run: &Run,
    record: &Record,
    waited: Option<Waited<'_>>,
    watched: Option<Watched<'_>>,
    comparisons: Vec<Comparison>,
) -> Report {
    let cut = run.cut.as_deref();
    let account = Account::new(run.took, cut, record, waited, watched, comparisons);
    Report::of(run, account)
}

fn named(name: &str) -> Named {
    Named {
        name: name.to_owned(),
        address: format!("http://{name}/health"),
        wanted: 1,
    }
}

fn looked(name: &str) -> Looked {
    Looked {
        name: name.to_owned(),
        address: format!("http://{name}/health"),
        interval: secs(1),
    }
}

fn bad(status: u16, said: &str) -> Look {
    Look {
        status: Some(status),
        excerpt: Some(said.to_owned()),
        phases: Phases {
            connect: Some(Duration::from_micros(1500)),
            ..Phases::default()
        },
        ..Look::without_answer(Finding::bad(
            FaultKind::Status,
            format!("answered {status}, expected 2xx"),
        ))
    }
}

fn good() -> Look {
    Look {
        status: Some(200),
        excerpt: Some("ok".to_owned()),
        ..Look::without_answer(Finding::Good)
    }
}

fn refused() -> Look {
    Look::without_answer(Finding::bad(FaultKind::Connection, "connection refused"))
}

/// A record of targets and what was seen of each in turn, five seconds apart; and the lines of its log.
fn record(targets: &[(&str, &[Look])]) -> (Record, Vec<String>) {
    let names = targets.iter().map(|(name, _)| named(name)).collect();
    let mut record = Record::new(names, Vec::new());
    let mut lines = Vec::new();
    let most = targets
        .iter()
        .map(|(_, looks)| looks.len())
        .max()
        .unwrap_or_default();
    let mut streaks = vec![0; targets.len()];
    for number in 0..most {
        for (target, (_, looks)) in targets.iter().enumerate() {
            let Some(look) = looks.get(number) else { continue };
            streaks[target] = if look.finding.is_good() {
                streaks[target] + 1
            } else {
                0
            };
            lines.extend(record.attempt(&Attempt {
                target,
                number: u32::try_from(number).unwrap() + 1,
                started: secs(5 * number as u64),
                took: Duration::from_millis(12),
                look: look.clone(),
                streak: streaks[target],
            }));
        }
    }
    (record, lines)
}

fn ending(end: End, ready: &[bool]) -> Ending {
    Ending {
        end,
        progress: vec![Progress::default(); ready.len()],
        ready: ready.to_vec(),
        took: secs(12),
    }
}

/// The report of a wait alone.
fn waited(record: &Record, until: Until, ending: &Ending) -> Report {
    let waited = Waited {
        until,
        ending: Some(ending),
    };
    report_of(&run(), record, Some(waited), None, Vec::new())
}

fn clause(written: &str, subject: &Subject) -> Clause {
    Clause {
        test: written.parse::<Condition>().unwrap().on(subject.kind()).unwrap(),
        window: None,
        hold: Duration::ZERO,
        consecutive: 1,
        min_bad: 0,
        min_samples: 0,
        certain: None,
    }
}

fn rule(name: &str, subject: Subject, require: Option<Clause>, abort: Option<Clause>) -> Rule {
    Rule {
        name: name.to_owned(),
        subject,
        require,
        abort,
        advisory: false,
        no_data: NoData::Inconclusive,
        max_errors: 4,
    }
}

fn query(text: &str) -> Query {
    Query::Text(text.to_owned())
}

fn ratio() -> Subject {
    Subject::Ratio {
        source: 0,
        bad: query("bad"),
        total: query("total"),
    }
}

fn number() -> Subject {
    Subject::Number {
        source: 0,
        query: query("count"),
    }
}

fn histogram() -> Subject {
    Subject::Histogram {
        source: 0,
        selector: Query::Buckets("latency".to_owned()),
    }
}

/// Judges at a second, each question answered by its text.
fn judge(observation: &mut Observation, at: u64, answer: impl Fn(&str) -> Result<Reading, Trouble>) {
    let answers: Vec<Answered> = observation
        .questions(secs(at))
        .into_iter()
        .map(|asked| {
            let text = match &asked.question.query {
                Query::Text(text) | Query::Buckets(text) => text.clone(),
                Query::Metric(metric) => metric.name.clone(),
            };
            let answered = answer(&text);
            (asked, answered)
        })
        .collect();
    observation.judge(secs(at), &answers);
}

/// Samples of the first probe, one a second: good ones of so many milliseconds, or bad ones.
fn sampled(observation: &mut Observation, goods: impl IntoIterator<Item = Option<u64>>) {
    for (second, good) in (0..).zip(goods) {
        let (state, took) = match good {
            Some(took) => (State::Good, took),
            None => (State::Bad, 2),
        };
        let sample = Sample::of(secs(second), Duration::from_millis(took), state, Some(200));
        observation.sample(0, sample);
    }
}

fn observed(took: u64, complete: bool) -> observe::Ending {
    observe::Ending {
        complete,
        took: secs(took),
        dropped: 0,
        crowded: 0,
        skipped: 0,
    }
}

/// The report of an observation alone.
fn watched(observation: &Observation, complete: bool) -> Report {
    let record = Record::new(Vec::new(), vec![looked("probe")]);
    let ending = observed(600, complete);
    let watched = Watched {
        observation,
        ending: Some(&ending),
        took: secs(600),
    };
    report_of(&run(), &record, None, Some(watched), Vec::new())
}

/// An observation without comparisons.
fn judged_by(rules: Vec<Rule>, probes: usize, warmup: Duration) -> Observation {
    Observation::new(rules, Vec::new(), probes, warmup, Duration::from_secs(3600)).unwrap()
}
