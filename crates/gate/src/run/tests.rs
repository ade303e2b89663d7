//! What a run tells and comes to; the engine has tests of its own.

use super::*;

#[test]
fn looks_without_room_are_counted() {
    let ending = |crowded| observe::Ending {
        complete: true,
        took: Duration::from_secs(1),
        dropped: 0,
        crowded,
        skipped: 0,
    };
    assert_eq!(crowded(&ending(0)), None);
    assert!(crowded(&ending(1)).unwrap().starts_with("1 look was not made"));
    assert!(crowded(&ending(7)).unwrap().starts_with("7 looks were not made"));
}

mod whole {
    use std::time::Duration;

    use gha::env::Env;
    use tokio::time::{Instant, timeout};

    use super::*;
    use crate::finding::{FaultKind, Finding};
    use crate::probe::{Look, Looking, Probe};
    use crate::source::{Asking, Query, Question, Reading};
    use crate::spec;
    use crate::verdict::Verdict;

    const FILE: &str = "version: 1\ntimeout: 30m\nsources: {own: {type: exec, program: x}}\n\
         wait: {timeout: 30s, interval: 1s, success_threshold: 2, targets: [{name: api, tcp: 'api:1'}]}\n\
         watch: {duration: 2m, probe: {tcp: 'api:1'}, rules: [{name: errors, from: probe, require: 'count(bad) < 5'}, \
         {name: queue, value: {source: own}, abort: '> 10'}]}\n";

    /// Is good until some time after it was made.
    struct Until(Instant);

    impl Probe for Until {
        fn target(&self) -> &'static str {
            "api:1"
        }

        fn look(&self, _: Duration) -> Looking<'_> {
            let finding = if Instant::now() < self.0 {
                Finding::Good
            } else {
                Finding::bad(FaultKind::Connection, "connection refused")
            };
            Box::pin(async { Look::without_answer(finding) })
        }
    }

    /// Answers the same at any time, or refuses for good.
    struct Fixed(Result<f64, Trouble>);

    impl crate::source::Source for Fixed {
        fn shown(&self) -> &'static str {
            "fixed"
        }

        fn accepts(&self, _: &Query) -> Result<(), String> {
            Ok(())
        }

        fn ask<'a>(&'a self, questions: &'a [Question], _: Timestamp) -> Asking<'a> {
            Box::pin(async {
                let answer = self.0.clone().map(Reading::number);
                vec![answer; questions.len()]
            })
        }
    }

    fn spec() -> Spec {
        spec::read("g.yml", FILE.as_bytes(), &Env::default(), &[]).unwrap()
    }

    fn made(good: Duration, answer: Result<f64, Trouble>) -> Made {
        let until = || Box::new(Until(Instant::now() + good));
        Made {
            targets: vec![until()],
            probes: vec![until()],
            sources: vec![Box::new(Fixed(answer))],
        }
    }

    /// What a run tells and comes to, cut off after a time if it takes longer.
    async fn told(good: Duration, answer: Result<f64, Trouble>, cut: Duration) -> (Vec<String>, Account) {
        let spec = spec();
        let mut run = Run::new(&spec, made(good, answer)).unwrap();
        let lines = RefCell::new(Vec::new());
        let begin = Instant::now();
        let going = async {
            let now = || Timestamp::UNIX_EPOCH;
            let tell = |progress: Progress<'_>| {
                if let Progress::Line(line) | Progress::Warning(line) = progress {
                    lines.borrow_mut().push(line.to_owned());
                }
            };
            run.go(&now, &tell).await;
        };
        let is_cut = timeout(cut, going).await.is_err();
        let account = run.account(is_cut.then_some("cancelled by SIGINT"), begin.elapsed());
        (lines.into_inner(), account)
    }

    const LONG: Duration = Duration::from_secs(3600);

    #[tokio::test(start_paused = true)]
    async fn an_observation_is_shown_from_its_first_second_on() {
        let spec = spec();
        let mut run = Run::new(&spec, made(LONG, Ok(3.0))).unwrap();
        let shown = RefCell::new(Vec::new());
        let tell = |progress: Progress<'_>| {
            if let Progress::Standing {
                record,
                is_watching: true,
                left,
            } = progress
            {
                let rules: Vec<String> = record.rules().iter().map(|rule| rule.text.clone()).collect();
                let looks = record.probes()[0].looks.0;
                shown.borrow_mut().push((left.as_secs(), looks, rules));
            }
        };
        run.go(&|| Timestamp::UNIX_EPOCH, &tell).await;
        let unjudged = vec!["nothing judged yet".to_owned(); 2];
        let shown = shown.into_inner();
        assert_eq!(shown[0], (120, 0, unjudged.clone()), "before the first look");
        let expected: Vec<_> = [(120, 1), (119, 2), (118, 3), (117, 4), (116, 5)]
            .map(|(left, looks)| (left, looks, unjudged.clone()))
            .into();
        assert_eq!(shown[1..6], expected, "before the first judgement, at 5 s");
        assert!(
            shown.iter().any(|(_, _, rules)| rules == &["0 of 5", "3"]),
            "{shown:?}"
        );
    }

    #[tokio::test(start_paused = true)]
    async fn what_holds_passes_after_its_time() {
        let begin = Instant::now();
        let (lines, account) = told(LONG, Ok(3.0), LONG).await;
        assert_eq!(account.verdict, Verdict::Pass, "{}", account.reason);
        assert!(
            account.reason.contains("2 rules held for 2m"),
            "{}",
            account.reason
        );
        assert!(
            lines.iter().any(|line| line == "try 2: good, 2 in a row"),
            "{lines:?}"
        );
        assert!(
            begin.elapsed() >= Duration::from_secs(121),
            "{:?}",
            begin.elapsed()
        );
        assert_eq!(account.failed().count(), 0);
    }

    #[tokio::test(start_paused = true)]
    async fn what_fails_is_named_with_its_numbers() {
        let (_, account) = told(LONG, Ok(11.0), LONG).await;
        assert_eq!(account.verdict, Verdict::Fail);
        assert!(account.reason.starts_with("queue: 11 > 10"), "{}", account.reason);
        assert_eq!(account.failed().collect::<Vec<_>>(), ["queue"]);
        let (_, account) = told(Duration::from_secs(60), Ok(3.0), LONG).await;
        assert_eq!(account.failed().collect::<Vec<_>>(), ["errors"]);
        let rule = &account.rules[0];
        assert!(
            rule.shown().is_some_and(|clause| clause.value > Some(5.0)),
            "{rule:?}"
        );
        let (_, account) = told(Duration::ZERO, Ok(3.0), LONG).await;
        assert_eq!(account.verdict, Verdict::Fail);
        assert!(account.reason.starts_with("not ready after") && account.rules.is_empty());
    }

    #[tokio::test(start_paused = true)]
    async fn a_source_that_will_never_answer_ends_it_before_it_begins() {
        let begin = Instant::now();
        let (lines, account) = told(LONG, Err(Trouble::access("denied")), LONG).await;
        assert_eq!(account.verdict, Verdict::Error);
        assert_eq!(account.reason, "source `own`: denied");
        assert_eq!((lines.len(), begin.elapsed()), (0, Duration::ZERO));
    }

    #[tokio::test(start_paused = true)]
    async fn one_that_is_cut_off_is_no_pass_and_keeps_what_it_saw() {
        let (_, account) = told(LONG, Ok(3.0), Duration::from_secs(40)).await;
        assert_eq!(account.verdict, Verdict::Inconclusive);
        assert!(
            account.reason.starts_with("cancelled by SIGINT after 3"),
            "{}",
            account.reason
        );
        assert!(account.watch.is_some_and(|watch| watch.samples().0 > 30));
    }
}
