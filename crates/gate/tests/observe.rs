//! Observations on virtual time.

#![expect(clippy::unwrap_used, reason = "what is wrong in a test fails it")]

use std::cell::{Cell, RefCell};
use std::time::Duration;

use gate::condition::Condition;
use gate::finding::{FaultKind, Finding};
use gate::observation::Observation;
use gate::observe::{Asker, Ending, Load, Plan, observe};
use gate::probe::{Look, Looking, Probe};
use gate::rule::{Clause, NoData, Rule, Subject};
use gate::source::{Asking, Query, Question, Reading, Source};
use gate::tape::Unseen;
use gate::trouble::Trouble;
use gate::verdict::Verdict;
use jiff::Timestamp;
use tokio::time::{Instant, sleep};

fn secs(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

/// A target whose every look takes as long as the time of its start says, and is good or bad.
struct Target<F> {
    begin: Instant,
    answer: F,
    starts: RefCell<Vec<Duration>>,
}

impl<F: Fn(Duration) -> (Duration, bool)> Target<F> {
    fn new(answer: F) -> Self {
        Self {
            begin: Instant::now(),
            answer,
            starts: RefCell::default(),
        }
    }
}

impl<F: Fn(Duration) -> (Duration, bool)> Probe for Target<F> {
    fn target(&self) -> &str {
        "target"
    }

    fn look(&self, _: Duration) -> Looking<'_> {
        let at = self.begin.elapsed();
        self.starts.borrow_mut().push(at);
        let (took, good) = (self.answer)(at);
        Box::pin(async move {
            sleep(took).await;
            Look::without_answer(if good {
                Finding::Good
            } else {
                Finding::bad(FaultKind::Status, "answered 500")
            })
        })
    }
}

fn rule(subject: Subject, require: Option<&str>, abort: Option<&str>, window: u64) -> Rule {
    let clause = |written: &str, window| Clause {
        test: written.parse::<Condition>().unwrap().on(subject.kind()).unwrap(),
        window,
        hold: Duration::ZERO,
        consecutive: 1,
        min_bad: 0,
        min_samples: 0,
        certain: None,
    };
    Rule {
        name: "rule".to_owned(),
        require: require.map(|written| clause(written, None)),
        abort: abort.map(|written| clause(written, Some(secs(window)))),
        subject,
        advisory: false,
        no_data: NoData::Inconclusive,
        max_errors: 4,
    }
}

fn plan<'a>(
    probe: Option<&'a dyn Probe>,
    source: Option<&'a dyn Source>,
    every: Duration,
    duration: u64,
) -> Plan<'a> {
    Plan {
        duration: secs(duration),
        interval: secs(5),
        loads: probe
            .map(|probe| Load {
                probe,
                interval: every,
                try_timeout: secs(3),
            })
            .into_iter()
            .collect(),
        askers: source
            .map(|source| Asker {
                source,
                timeout: secs(4),
            })
            .into_iter()
            .collect(),
        begin: Timestamp::UNIX_EPOCH,
    }
}

/// How the observation ended, the verdict of its rule, and the seconds at which it was judged.
async fn run(plan: &Plan<'_>, rule: Rule) -> (Ending, Verdict, Observation) {
    let mut observation = Observation::new(
        vec![rule],
        Vec::new(),
        plan.loads.len(),
        Duration::ZERO,
        plan.duration,
    )
    .unwrap();
    let ending = observe(plan, &mut observation, |_| {}).await;
    let verdict = observation.courses()[0].verdict(ending.complete);
    (ending, verdict, observation)
}

#[tokio::test(start_paused = true)]
async fn looks_keep_their_rate_whatever_the_target_does() {
    // It hangs from 10s to 20s.
    let target = Target::new(|at| {
        if (secs(10)..secs(20)).contains(&at) {
            (secs(60), true)
        } else {
            (Duration::ZERO, true)
        }
    });
    let plan = plan(Some(&target), None, Duration::from_millis(500), 30);
    let (ending, verdict, observation) =
        run(&plan, rule(Subject::Probe(0), Some("error_rate < 50%"), None, 60)).await;
    assert_eq!(
        (verdict, ending.complete, ending.took),
        (Verdict::Pass, true, secs(30))
    );
    assert_eq!((ending.dropped, ending.skipped), (0, 0));
    let starts: Vec<u128> = target.starts.borrow().iter().map(Duration::as_millis).collect();
    assert_eq!(starts, (0..60).map(|n| n * 500).collect::<Vec<_>>());
    let share = observation.tapes()[0].share(Duration::ZERO, Duration::MAX, Unseen::Known);
    assert_eq!(
        (share.bad, share.total),
        (20.0, 60.0),
        "every look of these ten seconds is seen to hang"
    );
}

#[tokio::test(start_paused = true)]
async fn a_failure_ends_it_within_one_interval() {
    let target = Target::new(|at| (Duration::from_millis(1), at < secs(61)));
    let plan = plan(Some(&target), None, secs(1), 600);
    let (ending, verdict, _) = run(&plan, rule(Subject::Probe(0), None, Some("count(bad) >= 3"), 60)).await;
    assert_eq!(
        (verdict, ending.complete, ending.took),
        (Verdict::Fail, false, secs(65))
    );
}

#[tokio::test(start_paused = true)]
async fn the_last_judgement_waits_for_the_looks_under_way() {
    let target = Target::new(|at| (if at >= secs(9) { secs(60) } else { Duration::ZERO }, true));
    let plan = plan(Some(&target), None, secs(1), 10);
    let (ending, verdict, _) = run(&plan, rule(Subject::Probe(0), Some("count(bad) == 0"), None, 60)).await;
    assert_eq!(
        (verdict, ending.took),
        (Verdict::Fail, secs(12)),
        "the one of second 9 never answers"
    );
}

/// A source that answers by the time at which it is asked.
struct Numbers<F> {
    answer: F,
    asked: Cell<u32>,
    begin: Instant,
}

impl<F: Fn(Duration, Timestamp) -> Result<f64, Trouble>> Source for Numbers<F> {
    fn shown(&self) -> &str {
        "numbers"
    }

    fn accepts(&self, _: &Query) -> Result<(), String> {
        Ok(())
    }

    fn ask<'a>(&'a self, questions: &'a [Question], at: Timestamp) -> Asking<'a> {
        self.asked.set(self.asked.get() + 1);
        let answer = (self.answer)(self.begin.elapsed(), at).map(Reading::number);
        Box::pin(async move { questions.iter().map(|_| answer.clone()).collect() })
    }
}

fn numbers<F: Fn(Duration, Timestamp) -> Result<f64, Trouble>>(answer: F) -> Numbers<F> {
    Numbers {
        answer,
        asked: Cell::new(0),
        begin: Instant::now(),
    }
}

fn errors() -> Subject {
    Subject::Number {
        source: 0,
        query: Query::Text("errors".to_owned()),
    }
}

#[tokio::test(start_paused = true)]
async fn sources_are_asked_about_the_instant_of_the_judgement() {
    let times = RefCell::new(Vec::new());
    let source = numbers(|_, at| {
        times.borrow_mut().push(at.as_second());
        Ok(0.0)
    });
    let plan = plan(None, Some(&source), secs(1), 22);
    let (ending, verdict, _) = run(&plan, rule(errors(), Some("< 10"), None, 60)).await;
    assert_eq!((verdict, ending.took), (Verdict::Pass, secs(22)));
    assert_eq!(*times.borrow(), [5, 10, 15, 20, 22]);
}

#[tokio::test(start_paused = true)]
async fn passing_trouble_is_asked_again_before_it_counts() {
    let source = numbers(|now, _| {
        if now < secs(7) {
            Err(Trouble::passing("answered 503"))
        } else {
            Ok(1.0)
        }
    });
    let plan = plan(None, Some(&source), secs(1), 10);
    let (_, verdict, observation) = run(&plan, rule(errors(), Some("< 10"), None, 60)).await;
    assert_eq!(
        (verdict, observation.courses()[0].troubles),
        (Verdict::Pass, 0),
        "at 5s it took until 7s"
    );
}

#[tokio::test(start_paused = true)]
async fn trouble_that_lasts_is_asked_once() {
    let source = numbers(|_, _| Err(Trouble::question("parse error")));
    let plan = plan(None, Some(&source), secs(1), 600);
    let (ending, verdict, _) = run(&plan, rule(errors(), Some("< 10"), None, 60)).await;
    assert_eq!(
        (verdict, ending.took, source.asked.get()),
        (Verdict::Error, secs(5), 1)
    );
}

/// A source that never answers.
struct Silent;

impl Source for Silent {
    fn shown(&self) -> &str {
        "silent"
    }

    fn accepts(&self, _: &Query) -> Result<(), String> {
        Ok(())
    }

    fn ask<'a>(&'a self, _: &'a [Question], _: Timestamp) -> Asking<'a> {
        Box::pin(std::future::pending())
    }
}

#[tokio::test(start_paused = true)]
async fn a_silent_source_is_trouble_and_not_good_news() {
    let plan = plan(None, Some(&Silent), secs(1), 600);
    let (ending, verdict, observation) = run(&plan, rule(errors(), None, Some(">= 10"), 60)).await;
    assert_eq!((verdict, ending.complete), (Verdict::Error, false));
    assert_eq!(
        (ending.took, observation.courses()[0].troubles),
        (secs(29), 5),
        "4s at each of five judgements"
    );
}

/// A second of 10,000 looks a second at a target, five seconds of patience a look: how it ended, and the samples that are
/// bad, of how many that were measured.
async fn crowd(probe: &dyn Probe) -> (Ending, f64, f64, Observation) {
    let plan = Plan {
        interval: Duration::from_millis(100),
        ..plan(Some(probe), None, Duration::from_micros(100), 1)
    };
    let rule = rule(Subject::Probe(0), Some("error_rate < 50%"), None, 60);
    let (ending, _, observation) = run(&plan, rule).await;
    let share = observation.tapes()[0].share(Duration::ZERO, Duration::MAX, Unseen::Known);
    (ending, share.bad, share.total, observation)
}

#[tokio::test(start_paused = true)]
async fn looks_that_find_no_room_beside_answers_are_not_measured() {
    let target = Target::new(|_| (Duration::from_millis(60), true));
    let (ending, bad, total, observation) = crowd(&target).await;
    assert_eq!((ending.dropped, bad), (0, 0.0), "none of them hung");
    let all = observation.tapes()[0].len();
    assert!(
        total > 5_000.0 && total < 10_000.0,
        "{total} of {all} were measured"
    );
    assert!(all > 9_500, "{all}: the others are known not to be");
    let crowded = f64::from(u32::try_from(ending.crowded).unwrap());
    assert!((crowded + total - f64::from(u32::try_from(all).unwrap())).abs() < 0.5);
    // Where most find no room, the rule says so.
    let slow = Target::new(|_| (Duration::from_millis(250), true));
    let (ending, bad, _, observation) = crowd(&slow).await;
    assert_eq!((ending.dropped, bad), (0, 0.0));
    let trouble = observation.tapes()[0]
        .gaps(Duration::ZERO, Duration::MAX)
        .incomplete();
    let reason = trouble.map(|trouble| trouble.reason).unwrap_or_default();
    assert!(reason.contains("512 looks were under way"), "{reason}");
}

/// A stall of less than the time limit is seen by every look that was due in it, whether there was room for it or not.
#[tokio::test(start_paused = true)]
async fn a_stall_is_not_hidden_by_looks_that_found_no_room() {
    let stalls = |at| {
        let over = Duration::from_millis(24_500);
        let is_over = !(secs(20)..over).contains(&at);
        (
            if is_over {
                Duration::from_millis(1)
            } else {
                over - at
            },
            true,
        )
    };
    let watched = async |require| {
        let target = Target::new(stalls);
        let load = Load {
            probe: &target,
            interval: Duration::from_millis(2),
            try_timeout: secs(5),
        };
        let plan = Plan {
            loads: vec![load],
            ..plan(None, None, secs(1), 60)
        };
        let (ending, verdict, _) = run(&plan, rule(Subject::Probe(0), Some(require), None, 60)).await;
        assert!(ending.crowded > 1_500, "{ending:?}");
        verdict
    };
    let due_in_it = "2,000 of 30,000 looks were due more than 500ms before its end";
    assert_eq!(watched("p95 < 500ms").await, Verdict::Fail, "{due_in_it}");
    let depends = "what may have been in order is no pass where it depends on looks that were not made";
    assert_eq!(watched("error_rate < 5%").await, Verdict::Error, "{depends}");
}

/// A target that hangs in connecting and not in answering.
struct Deaf;

impl Probe for Deaf {
    fn target(&self) -> &str {
        "deaf"
    }

    fn look(&self, limit: Duration) -> Looking<'_> {
        Box::pin(async move {
            sleep(limit / 2).await;
            let fault = Finding::bad(FaultKind::Connection, "could not connect within 5s");
            Look::without_answer(fault).hung()
        })
    }
}

#[tokio::test(start_paused = true)]
async fn looks_that_find_no_room_behind_hanging_connects_are_bad() {
    let (ending, bad, total, observation) = crowd(&Deaf).await;
    assert!((bad - total).abs() < 0.5 && total > 9_500.0, "{bad} of {total}");
    assert!(ending.dropped > 9_000 && ending.crowded == 0, "{ending:?}");
    assert_eq!(observation.courses()[0].verdict(ending.complete), Verdict::Fail);
}

#[tokio::test(start_paused = true)]
async fn looks_that_find_no_room_behind_hanging_ones_are_bad() {
    let target = Target::new(|_| (secs(60), true));
    let (ending, bad, total, _) = crowd(&target).await;
    assert!((bad - total).abs() < 0.5 && total > 9_500.0, "{bad} of {total}");
    assert!(ending.dropped > 9_000, "{ending:?}");
}
