//! Comparisons of a canary with a baseline: through the engine on virtual time, and by hand without a clock.
#![expect(clippy::unwrap_used, reason = "a test that can't go on fails where it stands")]

mod by_hand;

use std::cell::RefCell;
use std::time::Duration;

use gate::course::Standing;
use gate::observation::Observation;
use gate::observe::{Asker, Ending, Plan, observe};
use gate::rule::Rule;
use gate::source::{Asking, Query, Question, Reading, Source};
use gate::spec::comparison::{Arm, Comparison};
use gate::trouble::Trouble;
use gate::verdict::Verdict;
use gha::env::Env;
use jiff::Timestamp;

const MINUTE: Duration = Duration::from_secs(60);
const HALF_HOUR: Duration = Duration::from_secs(1800);

fn comparison() -> Comparison {
    let arm = |name: &str| Arm {
        source: 0,
        bad: Query::Text(format!("{name} bad")),
        total: Query::Text(format!("{name} total")),
    };
    Comparison {
        name: "canary-errors".to_owned(),
        canary: arm("canary"),
        baseline: arm("baseline"),
        fail_ratio: 1.0,
        pass_ratio: 2.0,
        alpha: 0.05,
        ignore_below: 0.001,
        min_intervals: 5,
        min_bad: 5,
        interval: MINUTE,
        advisory: false,
    }
}

type Answer = Result<Reading, Trouble>;

/// A source that answers by the query and the minute that is asked about.
struct Counts<F> {
    answer: F,
    asked: RefCell<Vec<(i64, usize)>>,
}

impl<F: Fn(&str, i64) -> Answer> Source for Counts<F> {
    fn shown(&self) -> &str {
        "counts"
    }

    fn accepts(&self, _: &Query) -> Result<(), String> {
        Ok(())
    }

    fn ask<'a>(&'a self, questions: &'a [Question], at: Timestamp) -> Asking<'a> {
        self.asked.borrow_mut().push((at.as_second(), questions.len()));
        let answers = questions.iter().map(|question| {
            assert!(
                question.window <= MINUTE,
                "about one interval, or a rule's young window"
            );
            let Query::Text(query) = &question.query else {
                panic!("{question:?}");
            };
            (self.answer)(query, at.as_second() / 60)
        });
        let answers = answers.collect();
        Box::pin(async move { answers })
    }
}

fn counts<F: Fn(&str, i64) -> Answer>(answer: F) -> Counts<F> {
    Counts {
        answer,
        asked: RefCell::default(),
    }
}

/// Both arms get 1,500 requests a minute; the baseline fails 6 to 8 of them, the canary so many times as often.
fn service(times: f64) -> impl Fn(&str, i64) -> Answer {
    move |query, minute| {
        let bad = [6.0, 8.0, 7.0][minute as usize % 3];
        Ok(Reading::number(match query {
            "canary bad" => bad * times,
            "baseline bad" => bad,
            _ => 1500.0,
        }))
    }
}

async fn watch(source: &dyn Source, comparison: Comparison, warmup: Duration) -> (Ending, Observation) {
    let observation = Observation::new(Vec::new(), vec![comparison], 0, warmup, HALF_HOUR);
    run(source, observation.unwrap(), warmup).await
}

async fn run(source: &dyn Source, mut observation: Observation, warmup: Duration) -> (Ending, Observation) {
    let plan = Plan {
        duration: warmup + HALF_HOUR,
        interval: Duration::from_secs(7),
        loads: Vec::new(),
        askers: vec![Asker {
            source,
            timeout: Duration::from_secs(4),
        }],
        begin: Timestamp::UNIX_EPOCH,
    };
    let ending = observe(&plan, &mut observation, |_| {}).await;
    (ending, observation)
}

/// A rule on the canary's counts, over a minute.
fn rule() -> Vec<Rule> {
    let file = "version: 1
sources: {p: {type: prometheus, url: 'http://p'}}
watch:
  duration: 30m
  rules: [{name: r, ratio: {source: p, bad: 'canary bad', total: 'canary total'}, abort: '> 50%'}]
";
    let spec = gate::spec::read("gate.yml", file.as_bytes(), &Env::default(), &[]);
    spec.unwrap().watch.unwrap().rules
}

fn reason(observation: &Observation) -> &str {
    match &observation.comparisons()[0].standing {
        Standing::Failed(why) | Standing::Unknown(why) | Standing::Bad(why) => why,
        Standing::Trouble(trouble) => &trouble.reason,
        Standing::Well => "well",
        Standing::Waiting => "waiting",
    }
}

#[tokio::test(start_paused = true)]
async fn a_canary_three_times_as_bad_fails_before_half_of_the_time() {
    let source = counts(service(3.0));
    let (ending, observation) = watch(&source, comparison(), Duration::ZERO).await;
    let contest = &observation.comparisons()[0];
    assert_eq!(contest.verdict(ending.complete), Verdict::Fail);
    // The second look is due after 12 minutes, and the judgement after that is a second later.
    assert_eq!((ending.complete, ending.took.as_secs()), (false, 721));
    assert_eq!(
        (contest.counted.len(), contest.missed, contest.troubles),
        (12, 0, 0)
    );
    assert!(
        reason(&observation).starts_with("canary 1.4 % (252 of 18000), baseline 0.47 % (84 of 18000): "),
        "{}",
        reason(&observation)
    );
    let minutes: Vec<_> = (1..=12).map(|minute| (minute * 60, 4)).collect();
    assert_eq!(
        *source.asked.borrow(),
        minutes,
        "each minute once, as it was at its end"
    );
}

#[tokio::test(start_paused = true)]
async fn an_advisory_one_is_told_and_ends_nothing() {
    let advisory = Comparison {
        advisory: true,
        ..comparison()
    };
    let source = counts(service(3.0));
    let (ending, observation) = watch(&source, advisory, Duration::ZERO).await;
    assert!(ending.complete);
    assert_eq!(observation.comparisons()[0].verdict(true), Verdict::Fail);
    assert_eq!(
        source.asked.borrow().len(),
        12,
        "what is decided is not asked again"
    );
}

#[tokio::test(start_paused = true)]
async fn an_equal_canary_passes_at_the_end_and_only_there() {
    let source = counts(service(1.0));
    let warmup = Duration::from_secs(90);
    let (ending, observation) = watch(&source, comparison(), warmup).await;
    let contest = &observation.comparisons()[0];
    assert!(ending.complete);
    assert_eq!(contest.standing, Standing::Well);
    assert_eq!(
        (contest.verdict(true), contest.verdict(false)),
        (Verdict::Pass, Verdict::Inconclusive),
        "{:?}",
        contest.look
    );
    let ends: Vec<u64> = contest
        .counted
        .iter()
        .map(|counted| counted.end.as_secs())
        .collect();
    assert_eq!(ends, (1..=30).map(|minute| 90 + minute * 60).collect::<Vec<_>>());
    let asked: Vec<u64> = source.asked.borrow().iter().map(|(at, _)| *at as u64).collect();
    assert_eq!(asked, ends, "the warm-up is not asked about");
}

#[tokio::test(start_paused = true)]
async fn a_canary_without_traffic_is_inconclusive_however_it_is_told() {
    for nothing in [
        Reading::number(0.0),
        Reading::absent("no such series"),
        Reading::nothing("no number"),
    ] {
        let source = counts(|query, minute| {
            if query.starts_with("canary") {
                Ok(nothing.clone())
            } else {
                service(1.0)(query, minute)
            }
        });
        let (ending, observation) = watch(&source, comparison(), Duration::ZERO).await;
        assert!(ending.complete);
        assert_eq!(observation.comparisons()[0].verdict(true), Verdict::Inconclusive);
        assert_eq!(reason(&observation), "canary had no traffic");
    }
}

#[tokio::test(start_paused = true)]
async fn a_healthy_service_without_a_series_of_its_errors_passes() {
    let source = counts(|query, _| {
        Ok(if query.ends_with("bad") {
            Reading::absent("no such series")
        } else {
            Reading::number(1500.0)
        })
    });
    let (_, observation) = watch(&source, comparison(), Duration::ZERO).await;
    assert_eq!(observation.comparisons()[0].verdict(true), Verdict::Pass);
    assert_eq!(observation.comparisons()[0].notes, ["no such series"]);
}

#[tokio::test(start_paused = true)]
async fn traffic_without_data_of_the_bad_ones_never_passes() {
    let source = counts(|query, minute| {
        if query == "canary bad" {
            Ok(Reading::nothing("the answer has no `/errors`"))
        } else {
            service(1.0)(query, minute)
        }
    });
    let (_, observation) = watch(&source, comparison(), Duration::ZERO).await;
    assert_eq!(observation.comparisons()[0].verdict(true), Verdict::Error);
    assert_eq!(
        reason(&observation),
        "no data: `bad`: the answer has no `/errors`"
    );
}

#[tokio::test(start_paused = true)]
async fn a_source_in_trouble_for_five_intervals_is_an_error_and_for_four_is_forgiven() {
    for (last, verdict, took) in [(13, Verdict::Pass, HALF_HOUR), (14, Verdict::Error, MINUTE * 14)] {
        let source = counts(|query, minute| {
            if (10..=last).contains(&minute) {
                Err(Trouble::passing("answered 503"))
            } else {
                service(1.0)(query, minute)
            }
        });
        let (ending, observation) = watch(&source, comparison(), Duration::ZERO).await;
        let contest = &observation.comparisons()[0];
        assert_eq!(
            contest.verdict(ending.complete),
            verdict,
            "{:?}",
            contest.standing
        );
        // A judgement every 7 seconds, and the repetitions of a question in trouble.
        let late = ending.took - took;
        assert!(late < Duration::from_secs(12), "{late:?}");
        assert_eq!(i64::from(contest.troubles), last - 9);
    }
}

#[tokio::test(start_paused = true)]
async fn trouble_that_lasts_stops_at_once_behind_trouble_that_may_pass_too() {
    let source = counts(|query, _| {
        Err(match query {
            "baseline bad" => Trouble::question("parse error"),
            _ => Trouble::passing("answered 503"),
        })
    });
    let (ending, observation) = watch(&source, comparison(), Duration::ZERO).await;
    assert!(!ending.complete && ending.took < MINUTE + Duration::from_secs(12));
    assert_eq!(observation.settled(), Some(Verdict::Error));
    assert_eq!(reason(&observation), "parse error");
}

#[tokio::test(start_paused = true)]
async fn a_rule_and_a_comparison_are_asked_about_their_own_instants() {
    // The younger windows of the rule are left out: judged is the second minute.
    let source = counts(service(1.0));
    let observation = Observation::new(rule(), vec![comparison()], 0, MINUTE, MINUTE).unwrap();
    let asked = observation.questions(MINUTE + Duration::from_secs(63));
    assert_eq!(asked.len(), 6);
    let (_, observation) = run(&source, observation, MINUTE).await;
    let asked = source.asked.borrow();
    assert!(
        asked.contains(&(120, 4)) && asked.contains(&(126, 2)),
        "{asked:?}"
    );
    assert_eq!(observation.comparisons()[0].counted.len(), 1);
    assert_eq!(observation.courses()[0].troubles, 0);
}
