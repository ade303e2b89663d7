//! Observations without a clock: samples and answers in, verdicts out.

#![expect(clippy::unwrap_used, reason = "what is wrong in a test fails it")]

use std::time::Duration;

use gate::clause::Reading;
use gate::condition::{Condition, SubjectKind};
use gate::course::Standing;
use gate::observation::{Answered, Observation, Reach};
use gate::rule::{Clause, NoData, Rule, Subject};
use gate::source::{self, Query};
use gate::tape::{Sample, State};
use gate::trouble::Trouble;
use gate::verdict::Verdict;
use proptest::prelude::{Just, Strategy, any, prop_oneof, proptest};

fn secs(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

fn clause(written: &str, subject: SubjectKind, window: Option<u64>) -> Clause {
    Clause {
        test: written.parse::<Condition>().unwrap().on(subject).unwrap(),
        window: window.map(secs),
        hold: Duration::ZERO,
        consecutive: 1,
        min_bad: 0,
        min_samples: 0,
        certain: None,
    }
}

fn rule(subject: Subject, require: Option<&str>, abort: Option<&str>) -> Rule {
    let kind = subject.kind();
    Rule {
        name: "rule".to_owned(),
        require: require.map(|written| clause(written, kind, None)),
        abort: abort.map(|written| clause(written, kind, Some(60))),
        subject,
        advisory: false,
        no_data: NoData::Inconclusive,
        max_errors: 4,
    }
}

fn text(query: &str) -> Query {
    Query::Text(query.to_owned())
}

fn count() -> Subject {
    Subject::Number {
        source: 0,
        query: text("errors"),
    }
}

fn ratio() -> Subject {
    Subject::Ratio {
        source: 0,
        bad: text("bad"),
        total: text("total"),
    }
}

fn observing(rules: Vec<Rule>, probes: usize, warmup: Duration) -> Observation {
    Observation::new(rules, Vec::new(), probes, warmup, secs(3600)).unwrap()
}

type Answer = Result<source::Reading, Trouble>;

fn number(number: f64) -> Answer {
    Ok(source::Reading::number(number))
}

fn nothing() -> Answer {
    Ok(source::Reading::nothing("no such series"))
}

fn absent() -> Answer {
    Ok(source::Reading::absent("no such series"))
}

fn trouble() -> Answer {
    Err(Trouble::passing("answered 503"))
}

/// Judges at a time, every question answered alike, or by its text.
fn judge(observation: &mut Observation, at: u64, answer: impl Fn(&str) -> Answer) {
    let answers: Vec<Answered> = observation
        .questions(secs(at))
        .into_iter()
        .map(|asked| {
            let answer = match &asked.question.query {
                Query::Text(query) => answer(query),
                other => panic!("{other:?}"),
            };
            (asked, answer)
        })
        .collect();
    observation.judge(secs(at), &answers);
}

fn verdict(observation: &Observation) -> Verdict {
    observation.courses()[0].verdict(true)
}

#[test]
fn what_holds_at_the_end_passes_and_what_does_not_fails() {
    for (answers, expected) in [
        (&[0.0, 0.0][..], Verdict::Pass),
        (&[12.0, 3.0], Verdict::Pass),
        (&[0.0, 12.0], Verdict::Fail),
    ] {
        let mut observation = observing(vec![rule(count(), Some("< 10"), None)], 0, Duration::ZERO);
        for (at, answer) in (10..).step_by(10).zip(answers) {
            judge(&mut observation, at, |_| number(*answer));
            assert_eq!(
                observation.settled(),
                None,
                "over the whole observation the end counts"
            );
        }
        assert_eq!(verdict(&observation), expected, "{answers:?}");
    }
}

#[test]
fn an_abort_ends_it_at_once_and_nothing_later_heals_it() {
    let mut observation = observing(vec![rule(count(), None, Some(">= 10"))], 0, Duration::ZERO);
    judge(&mut observation, 10, |_| number(10.0));
    assert_eq!(observation.settled(), Some(Verdict::Fail));
    judge(&mut observation, 20, |_| number(0.0));
    assert_eq!(verdict(&observation), Verdict::Fail);
    assert_eq!(
        observation.courses()[0].verdict(false),
        Verdict::Fail,
        "also when it was cut short"
    );
}

#[test]
fn a_requirement_with_a_window_fails_as_soon_as_a_full_window_is_bad() {
    let mut windowed = rule(count(), Some("< 10"), None);
    windowed.require = windowed.require.map(|clause| Clause {
        window: Some(secs(60)),
        ..clause
    });
    let mut observation = observing(vec![windowed], 0, Duration::ZERO);
    judge(&mut observation, 30, |_| number(12.0));
    assert_eq!(observation.settled(), None, "the window is not full");
    judge(&mut observation, 60, |_| number(12.0));
    assert_eq!(observation.settled(), Some(Verdict::Fail));
}

#[test]
fn an_advisory_rule_settles_nothing() {
    let advisory = Rule {
        advisory: true,
        ..rule(count(), None, Some(">= 10"))
    };
    let mut observation = observing(vec![advisory], 0, Duration::ZERO);
    judge(&mut observation, 10, |_| number(99.0));
    assert_eq!(observation.settled(), None);
    assert_eq!(verdict(&observation), Verdict::Fail, "it is told all the same");
}

#[test]
fn a_healthy_service_without_an_error_series_has_no_errors_and_one_without_traffic_no_data() {
    let of = |bad: Answer, total: Answer| {
        let mut observation = observing(vec![rule(ratio(), Some("< 1%"), None)], 0, Duration::ZERO);
        judge(&mut observation, 60, |query| {
            if query == "bad" {
                bad.clone()
            } else {
                total.clone()
            }
        });
        verdict(&observation)
    };
    assert_eq!(of(absent(), number(600.0)), Verdict::Pass);
    assert_eq!(of(nothing(), number(600.0)), Verdict::Inconclusive);
    assert_eq!(of(number(f64::NAN), number(600.0)), Verdict::Inconclusive);
    assert_eq!(of(absent(), absent()), Verdict::Inconclusive);
    assert_eq!(of(number(6.0), number(600.0)), Verdict::Fail);
    assert_eq!(of(number(0.0), number(0.0)), Verdict::Inconclusive);
    assert_eq!(of(nothing(), nothing()), Verdict::Inconclusive);
    assert_eq!(of(number(0.0), number(f64::INFINITY)), Verdict::Inconclusive);
    assert_eq!(of(trouble(), number(600.0)), Verdict::Error);
}

#[test]
fn trouble_that_lasts_stops_at_once_and_passing_trouble_after_some() {
    let lasting = || Err(Trouble::access("answered 401"));
    let mut observation = observing(vec![rule(count(), Some("< 10"), None)], 0, Duration::ZERO);
    judge(&mut observation, 10, |_| lasting());
    assert_eq!(observation.settled(), Some(Verdict::Error));

    let mut observation = observing(vec![rule(count(), Some("< 10"), None)], 0, Duration::ZERO);
    for at in 1..=4 {
        judge(&mut observation, at * 10, |_| trouble());
        assert_eq!(observation.settled(), None);
    }
    judge(&mut observation, 50, |_| number(0.0));
    for at in 6..=10 {
        judge(&mut observation, at * 10, |_| trouble());
    }
    assert_eq!(observation.settled(), Some(Verdict::Error), "five times in a row");
}

#[test]
fn the_warm_up_is_drawn_and_not_judged() {
    let failing = rule(
        Subject::Probe(0),
        Some("error_rate < 1%"),
        Some("count(bad) >= 3"),
    );
    let mut observation = observing(vec![failing], 1, secs(30));
    for at in 0..60 {
        let state = if at < 30 { State::Bad } else { State::Good };
        observation.sample(0, Sample::of(secs(at), Duration::ZERO, state, None));
        assert!(observation.questions(secs(at)).is_empty());
        observation.judge(secs(at), &[]);
    }
    assert_eq!(observation.settled(), None);
    // What was due at the last moment of the warm-up belongs to both.
    assert_eq!(
        verdict(&observation),
        Verdict::Pass,
        "{:?}",
        observation.courses()[0].require
    );
    assert_eq!(observation.tapes()[0].len(), 60);
}

/// What was counted before the new version served says nothing about it.
#[test]
fn a_source_that_is_late_is_never_asked_about_the_time_before() {
    let reach = Reach {
        lag: secs(120),
        step: secs(60),
    };
    let rules = vec![rule(count(), Some("< 10"), Some(">= 10"))];
    let observation = observing(rules, 0, secs(30)).reaching(vec![reach]);
    let windows = |at| {
        let asked = observation.questions(secs(at));
        asked
            .iter()
            .map(|asked| asked.question.window.as_secs())
            .collect::<Vec<_>>()
    };
    assert!(
        windows(239).is_empty(),
        "the first whole minute after the warm-up ends at 120, and is told of at 240"
    );
    assert_eq!(windows(240), [60], "both clauses ask the same");
    assert_eq!(windows(300), [120, 60]);
}

#[test]
fn each_thing_is_asked_once_for_each_window() {
    let rules = vec![
        rule(ratio(), Some("< 1%"), Some("> 2%")),
        rule(ratio(), None, Some("> 5%")),
    ];
    let observation = observing(rules, 0, Duration::ZERO);
    assert_eq!(observation.questions(secs(60)).len(), 2, "all windows are 60s");
    assert_eq!(observation.questions(secs(90)).len(), 4, "90s and 60s");
}

#[test]
fn a_window_of_an_abort_too_thin_to_judge_takes_nothing_from_the_requirement() {
    let mut thin = rule(Subject::Probe(0), Some("p95 < 300ms"), Some("p95 > 500ms"));
    thin.abort = thin.abort.map(|clause| Clause {
        min_samples: 59,
        ..clause
    });
    let mut observation = observing(vec![thin], 1, Duration::ZERO);
    for at in (1..=300).step_by(5) {
        observation.sample(
            0,
            Sample::of(secs(at), Duration::from_millis(20), State::Good, Some(200)),
        );
    }
    observation.judge(secs(300), &[]);
    let course = &observation.courses()[0];
    assert!(matches!(
        course.abort.as_ref().unwrap().reading,
        Reading::Unknown(_)
    ));
    assert!(matches!(course.standing, Standing::Unknown(_)));
    assert_eq!(course.verdict(true), Verdict::Pass);
    assert_eq!(
        course.verdict(false),
        Verdict::Inconclusive,
        "cut short it passes nothing"
    );
}

fn answers() -> impl Strategy<Value = Answer> {
    prop_oneof![Just(nothing()), Just(trouble())]
}

fn blind() -> impl Strategy<Value = State> {
    prop_oneof![Just(State::Unmeasured), Just(State::NoRoom)]
}

fn any_state() -> impl Strategy<Value = State> {
    prop_oneof![
        3 => Just(State::Good),
        1 => Just(State::Bad),
        1 => Just(State::TooSlow),
        1 => Just(State::TimedOut),
        1 => blind(),
    ]
}

fn own_subjects() -> impl Strategy<Value = &'static str> {
    prop_oneof![
        Just("error_rate < 20%"),
        Just("p95 < 1s"),
        Just("p50 < 1s"),
        Just("count(bad) < 3"),
    ]
}

fn subjects() -> impl Strategy<Value = (Subject, &'static str, &'static str)> {
    prop_oneof![
        Just((count(), "< 10", ">= 10")),
        Just((ratio(), "< 1%", "> 2%")),
        Just((Subject::Probe(0), "error_rate < 1%", "count(bad) > 3")),
        Just((Subject::Probe(0), "p95 < 1s", "failing")),
    ]
}

proptest! {
    /// No order of empty answers, troubles and looks that could not be made is ever a pass, whichever clauses there are.
    #[test]
    fn nothing_measured_is_never_a_pass(
        (subject, require, abort) in subjects(),
        with_require in any::<bool>(),
        ticks in proptest::collection::vec((answers(), answers(), proptest::option::of(blind())), 0..12),
    ) {
        let rule = if with_require {
            rule(subject, Some(require), Some(abort))
        } else {
            rule(subject, None, Some(abort))
        };
        let mut observation = observing(vec![rule], 1, Duration::ZERO);
        for (at, (bad, total, sample)) in (1..).zip(ticks) {
            if let Some(state) = sample {
                observation.sample(0, Sample::of(secs(at * 10), Duration::ZERO, state, None));
            }
            judge(&mut observation, at * 10, |query| if query == "total" { total.clone() } else { bad.clone() });
        }
        assert_ne!(verdict(&observation), Verdict::Pass);
    }

    /// Whichever looks could not be made, and in whichever order all of them ended: not to know them never turns anything
    /// into a pass.
    #[test]
    fn not_knowing_a_look_never_makes_a_pass(
        require in own_subjects(),
        samples in proptest::collection::vec((any_state(), 0..3_000_u64, any::<bool>(), blind()), 1..60),
        order in any::<proptest::sample::Index>(),
    ) {
        let ended = |known: bool| {
            let mut observation = observing(vec![rule(Subject::Probe(0), Some(require), None)], 1, Duration::ZERO);
            let mut all: Vec<Sample> = (1..).zip(&samples).map(|(at, (state, took, hidden, blind))| {
                let (state, took) = if *hidden && !known { (*blind, 0) } else { (*state, *took) };
                Sample::of(secs(at), Duration::from_millis(took), state, None)
            }).collect();
            let turn = order.index(all.len());
            all.rotate_left(turn);
            all.into_iter().for_each(|sample| observation.sample(0, sample));
            observation.judge(secs(60), &[]);
            verdict(&observation)
        };
        if ended(false) == Verdict::Pass {
            assert_eq!(ended(true), Verdict::Pass);
        }
    }

    /// What is not known at the end is no pass, whatever was good before; and what failed once stays failed.
    #[test]
    fn the_end_must_be_known_and_a_failure_stays(
        goods in proptest::collection::vec(0.0..20.0_f64, 0..8), last in answers(),
    ) {
        let mut observation = observing(vec![rule(count(), Some("< 10"), Some(">= 15"))], 0, Duration::ZERO);
        for (at, good) in (1..).zip(&goods) {
            judge(&mut observation, at * 10, |_| number(*good));
        }
        judge(&mut observation, 1000, |_| last.clone());
        let failed = goods.iter().any(|good| *good >= 15.0);
        assert_eq!(verdict(&observation) == Verdict::Fail, failed);
        assert_ne!(verdict(&observation), Verdict::Pass);
    }

    /// Samples that end in another order give the same verdict, and blind ones among them, in whatever order, no pass.
    #[test]
    fn the_order_of_samples_changes_nothing(
        states in proptest::collection::vec(
            prop_oneof![Just(State::Good), Just(State::Bad), Just(State::TimedOut), Just(State::Unmeasured)], 1..60),
        seed in any::<u64>(),
    ) {
        let run = |order: &[usize]| {
            let rule = rule(Subject::Probe(0), Some("error_rate < 10%"), Some("count(bad) > 30"));
            let mut observation = observing(vec![rule], 1, Duration::ZERO);
            for index in order {
                let due = Duration::from_millis(1 + *index as u64);
                observation.sample(0, Sample::of(due, Duration::ZERO, states[*index], None));
            }
            observation.judge(secs(60), &[]);
            verdict(&observation)
        };
        let straight: Vec<usize> = (0..states.len()).collect();
        let mut mixed = straight.clone();
        mixed.sort_by_key(|index| (*index as u64 + 1).wrapping_mul(seed | 1));
        let verdict = run(&straight);
        if !states.contains(&State::Unmeasured) {
            assert_eq!(verdict, run(&mixed));
        }
        let measured = states.iter().filter(|state| **state != State::Unmeasured).count();
        let bad = states.iter().filter(|state| matches!(state, State::Bad | State::TimedOut)).count();
        let good = measured > 0 && bad * 10 < measured;
        for verdict in [verdict, run(&mixed)] {
            assert!(verdict != Verdict::Pass || good, "{bad} of {measured}");
        }
    }
}
