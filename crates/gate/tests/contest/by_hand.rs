//! Comparisons without a clock: answers in, looks and verdicts out.

use std::time::Duration;

use gate::observation::{Answered, Observation};
use gate::source::{Query, Reading};
use gate::spec::comparison::Comparison;
use gate::trouble::Trouble;
use gate::verdict::Verdict;
use proptest::prelude::{Just, Strategy, prop_oneof, proptest};

use crate::{Answer, HALF_HOUR, MINUTE, comparison, reason, rule, service};

/// Judges at a time, with the answer to each question by its query and its instant in seconds.
fn judge(observation: &mut Observation, at: u64, answer: impl Fn(&str, u64) -> Answer) -> usize {
    let at = Duration::from_secs(at);
    let asked = observation.questions(at);
    let answers: Vec<Answered> = asked
        .into_iter()
        .map(|asked| {
            let Query::Text(query) = &asked.question.query else {
                panic!("{asked:?}");
            };
            let answer = answer(query, asked.at.as_secs());
            (asked, answer)
        })
        .collect();
    observation.judge(at, &answers);
    answers.len()
}

fn observing(comparisons: Vec<Comparison>) -> Observation {
    Observation::new(Vec::new(), comparisons, 0, Duration::ZERO, HALF_HOUR).unwrap()
}

#[test]
fn late_judgements_catch_up_without_a_burst() {
    let mut observation = observing(vec![comparison()]);
    let answer = |query: &str, at| service(1.0)(query, at as i64 / 60);
    assert_eq!(judge(&mut observation, 59, answer), 0);
    assert_eq!(judge(&mut observation, 185, answer), 12, "three minutes at once");
    assert_eq!(
        judge(&mut observation, 190, answer),
        0,
        "each is asked about once"
    );
    assert_eq!(
        judge(&mut observation, 1200, answer),
        40,
        "the latest ten of seventeen"
    );
    let contest = &observation.comparisons()[0];
    assert_eq!((contest.counted.len(), contest.missed), (13, 7));
    assert_eq!(
        contest.look.as_ref().unwrap().look,
        3,
        "looks that are past are not made up for"
    );
}

#[test]
fn nothing_is_left_of_what_was_not_answered() {
    let mut observation = observing(vec![comparison()]);
    observation.judge(MINUTE, &[]);
    let contest = &observation.comparisons()[0];
    assert_eq!((contest.counted.len(), contest.missed), (0, 1));
}

#[test]
fn too_few_intervals_because_of_trouble_are_an_error_and_not_little_data() {
    let mut observation = observing(vec![Comparison {
        interval: MINUTE * 6,
        ..comparison()
    }]);
    for look in 1..=5 {
        judge(&mut observation, look * 360, |query, at| match at / 360 {
            5 => service(1.0)(query, 1),
            _ => Err(Trouble::passing("answered 503")),
        });
    }
    assert_eq!(observation.settled(), None);
    assert_eq!(observation.comparisons()[0].verdict(true), Verdict::Error);
    assert_eq!(reason(&observation), "answered 503");
}

#[test]
fn binding_comparisons_share_the_chance_of_a_false_no() {
    let level = |comparisons: Vec<Comparison>| {
        let mut observation = observing(comparisons);
        judge(&mut observation, 360, |query, at| {
            service(1.0)(query, at as i64 / 60)
        });
        observation.comparisons()[0].look.as_ref().unwrap().level
    };
    let advisory = Comparison {
        advisory: true,
        ..comparison()
    };
    let alone = level(vec![comparison()]);
    assert_eq!(level(vec![comparison(), advisory]), alone);
    assert!(level(vec![comparison(), comparison()]) < alone);
}

#[test]
fn settings_that_cannot_work_are_refused() {
    let never = Comparison {
        fail_ratio: 0.5,
        ..comparison()
    };
    assert!(Observation::new(Vec::new(), vec![never], 0, Duration::ZERO, HALF_HOUR).is_err());
}

#[test]
fn the_same_question_of_a_rule_is_asked_once() {
    let observation = Observation::new(rule(), vec![comparison()], 0, Duration::ZERO, HALF_HOUR).unwrap();
    assert_eq!(observation.questions(MINUTE).len(), 4);
    assert_eq!(
        observation.questions(MINUTE + Duration::from_secs(5)).len(),
        6,
        "another instant"
    );
}

fn worthless() -> impl Strategy<Value = Answer> {
    prop_oneof![
        Just(Ok(Reading::absent("no such series"))),
        Just(Ok(Reading::nothing("no number"))),
        Just(Ok(Reading::number(0.0))),
        Just(Ok(Reading::number(f64::INFINITY))),
        Just(Err(Trouble::passing("answered 503"))),
        Just(Err(Trouble::access("answered 401"))),
    ]
}

fn any_answer() -> impl Strategy<Value = Answer> {
    prop_oneof![
        worthless(),
        (-10.0..2000.0_f64).prop_map(|number| Ok(Reading::number(number)))
    ]
}

proptest! {
    /// No order of empty answers and troubles is ever a pass, whatever the other arm says.
    #[test]
    fn an_arm_that_is_not_seen_never_passes(
        canary in proptest::collection::vec((worthless(), worthless()), 30),
        baseline in proptest::collection::vec((any_answer(), any_answer()), 30),
        late in proptest::collection::vec(0..59_u64, 30),
    ) {
        let mut observation = observing(vec![comparison()]);
        for (minute, late) in (1..=30_u64).zip(late) {
            let at = (minute * 60 + late).min(1800);
            judge(&mut observation, at, |query, at| {
                let index = at as usize / 60 - 1;
                match query {
                    "canary bad" => canary[index].0.clone(),
                    "canary total" => canary[index].1.clone(),
                    "baseline bad" => baseline[index].0.clone(),
                    _ => baseline[index].1.clone(),
                }
            });
        }
        assert_ne!(observation.comparisons()[0].verdict(true), Verdict::Pass);
    }

    /// Whatever is answered, cut short nothing passes, and what failed stays failed.
    #[test]
    fn only_the_end_passes(
        answers in proptest::collection::vec((any_answer(), any_answer(), any_answer(), any_answer()), 30),
    ) {
        let mut observation = observing(vec![comparison()]);
        let mut failed = false;
        for minute in 1..=30_u64 {
            judge(&mut observation, minute * 60, |query, at| {
                let (a, b, c, d) = &answers[at as usize / 60 - 1];
                match query {
                    "canary bad" => a.clone(),
                    "canary total" => b.clone(),
                    "baseline bad" => c.clone(),
                    _ => d.clone(),
                }
            });
            let contest = &observation.comparisons()[0];
            let verdict = contest.verdict(false);
            assert_ne!(verdict, Verdict::Pass);
            assert!(!failed || verdict == Verdict::Fail);
            failed = verdict == Verdict::Fail;
        }
        let passes = observation.comparisons()[0].verdict(true) == Verdict::Pass;
        assert!(!(failed && passes));
    }
}

#[test]
fn instants_of_questions_are_whole_intervals_from_the_warm_up() {
    let warmup = Duration::from_secs(45);
    let observation = Observation::new(Vec::new(), vec![comparison()], 0, warmup, HALF_HOUR).unwrap();
    assert!(observation.questions(Duration::from_secs(104)).is_empty());
    let at: Vec<_> = observation
        .questions(Duration::from_secs(107))
        .iter()
        .map(|asked| asked.at)
        .collect();
    assert_eq!(at, [Duration::from_secs(105); 4]);
}

#[test]
fn trouble_in_the_last_interval_is_forgiven_where_it_may_pass() {
    for (trouble, verdict) in [
        (Trouble::passing("answered 503"), Verdict::Pass),
        (Trouble::access("answered 401"), Verdict::Error),
    ] {
        let mut observation = observing(vec![comparison()]);
        for minute in 1..=30 {
            judge(&mut observation, minute * 60, |query, at| match at / 60 {
                30 => Err(trouble.clone()),
                minute => service(1.0)(query, minute as i64),
            });
        }
        assert_eq!(observation.comparisons()[0].verdict(true), verdict);
    }
}
