use super::*;
use crate::finding::FaultKind;
use crate::probe::Looking;
use std::cell::RefCell;

/// A target that takes a time for each answer, then is good or bad; the last entry repeats.
struct Played {
    answers: RefCell<Vec<(u64, bool)>>,
}

impl Probe for Played {
    fn target(&self) -> &str {
        "played"
    }

    fn look(&self, _: Duration) -> Looking<'_> {
        let mut answers = self.answers.borrow_mut();
        let (seconds, good) = if answers.len() > 1 {
            answers.remove(0)
        } else {
            answers[0]
        };
        Box::pin(async move {
            tokio::time::sleep(Duration::from_secs(seconds)).await;
            Look::without_answer(if good {
                Finding::Good
            } else {
                Finding::bad(FaultKind::Status, "answered 503")
            })
        })
    }
}

fn target(probe: &dyn Probe, threshold: u32) -> Target<'_> {
    Target {
        probe,
        limits: Limits {
            interval: Duration::from_secs(5),
            try_timeout: Duration::from_secs(3),
            timeout: Duration::from_secs(60),
            success_threshold: threshold,
        },
        give_up_on: None,
    }
}

fn played(answers: &[(u64, bool)]) -> Played {
    Played {
        answers: RefCell::new(answers.to_vec()),
    }
}

/// How a wait ended and its attempts: target, start, duration, good.
async fn wait(targets: &[Target<'_>], until: Until) -> (Ending, Vec<(usize, u64, u64, bool)>) {
    let mut seen = Vec::new();
    let ending = until_ready(targets, until, |attempt| {
        seen.push((
            attempt.target,
            attempt.started.as_secs(),
            attempt.took.as_secs(),
            attempt.look.finding.is_good(),
        ));
    })
    .await;
    (ending, seen)
}

#[tokio::test(start_paused = true)]
async fn a_target_that_comes_up_passes() {
    let probe = played(&[(0, false), (1, false), (1, true)]);
    let (ending, seen) = wait(&[target(&probe, 2)], Until::All).await;
    assert_eq!(
        seen,
        [
            (0, 0, 0, false),
            (0, 5, 1, false),
            (0, 10, 1, true),
            (0, 15, 1, true)
        ]
    );
    assert_eq!((ending.end, ending.took.as_secs()), (End::Ready, 16));
}

#[tokio::test(start_paused = true)]
async fn a_hung_target_fails_each_try_and_then_the_wait() {
    let probe = played(&[(1000, true)]);
    let (ending, seen) = wait(&[target(&probe, 1)], Until::All).await;
    assert_eq!(seen.len(), 12);
    assert!(seen.iter().all(|(_, _, took, good)| *took == 3 && !good));
    assert_eq!(
        (ending.end, ending.took.as_secs()),
        (End::TimedOut { target: 0 }, 58)
    );
}

#[tokio::test(start_paused = true)]
async fn all_must_be_ready_at_the_same_moment() {
    let early = played(&[(0, true), (0, true), (0, false), (0, true)]);
    let late = played(&[(0, false), (0, false), (0, true)]);
    let (ending, seen) = wait(&[target(&early, 1), target(&late, 1)], Until::All).await;
    assert_eq!(ending.end, End::Ready);
    assert_eq!(ending.took.as_secs(), 15, "at 10 the early one had fallen back");
    assert_eq!((ending.progress[0].flaps, seen.len()), (1, 8));
}

#[tokio::test(start_paused = true)]
async fn any_of_them_is_enough_where_that_was_asked_for() {
    let (dead, alive) = (played(&[(0, false)]), played(&[(0, false), (0, true)]));
    let (ending, _) = wait(&[target(&dead, 1), target(&alive, 1)], Until::Any).await;
    assert_eq!((ending.end, ending.ready), (End::Ready, vec![false, true]));
}

#[tokio::test(start_paused = true)]
async fn one_that_is_lost_ends_the_wait_for_all() {
    let (dead, alive) = (played(&[(0, false)]), played(&[(0, true)]));
    let (ending, _) = wait(&[target(&alive, 1), target(&dead, 3)], Until::All).await;
    let left = Duration::from_secs(15);
    assert_eq!(
        ending.end,
        End::TooLate {
            target: 1,
            missing: 3,
            left
        }
    );
    assert_eq!(ending.took.as_secs(), 45);
}

/// A target that can't be looked at, or refuses.
struct Refusing(Finding);

impl Probe for Refusing {
    fn target(&self) -> &str {
        "refusing"
    }

    fn look(&self, _: Duration) -> Looking<'_> {
        let look = Look {
            status: Some(401),
            ..Look::without_answer(self.0.clone())
        };
        Box::pin(async move { look })
    }
}

#[tokio::test(start_paused = true)]
async fn what_cannot_get_better_is_not_waited_for() {
    let wrong = Trouble::question("no such program");
    let probe = Refusing(Finding::Unmeasured(wrong.clone()));
    let (ending, _) = wait(&[target(&probe, 1)], Until::All).await;
    assert_eq!(
        (ending.end, ending.took.as_secs()),
        (
            End::Trouble {
                target: 0,
                trouble: wrong
            },
            0
        )
    );
    let probe = Refusing(Finding::bad(FaultKind::Status, "answered 401"));
    let set = "401,403".parse().unwrap();
    let target = Target {
        give_up_on: Some(&set),
        ..target(&probe, 1)
    };
    assert_eq!(wait(&[target], Until::All).await.0.end, End::GaveUp { target: 0 });
}

/// Which of several is looked at plays no part: what can't be asked may be the first, the last, or all.
#[tokio::test(start_paused = true)]
async fn where_any_is_enough_one_that_cannot_be_asked_is_left_out() {
    let refused = |reason| Refusing(Finding::Unmeasured(Trouble::access(reason)));
    let (first, second) = (refused("denied"), refused("denied too"));
    let (dead, alive) = (
        played(&[(0, false)]),
        played(&[(0, false), (0, false), (0, true)]),
    );

    let (ending, seen) = wait(&[target(&first, 1), target(&alive, 1)], Until::Any).await;
    assert_eq!((ending.end, ending.ready), (End::Ready, vec![false, true]));
    let asked = seen.iter().filter(|(target, ..)| *target == 0).count();
    assert_eq!((asked, ending.took.as_secs()), (1, 10), "it is not asked again");

    let trouble = |target, reason| End::Trouble {
        target,
        trouble: Trouble::access(reason),
    };
    let (ending, _) = wait(&[target(&dead, 1), target(&first, 1)], Until::Any).await;
    assert_eq!((ending.end, ending.took.as_secs()), (trouble(1, "denied"), 55));
    let (ending, _) = wait(&[target(&first, 1), target(&second, 1)], Until::Any).await;
    assert_eq!((ending.end, ending.took.as_secs()), (trouble(0, "denied"), 0));
}

#[tokio::test(start_paused = true)]
async fn where_all_are_wanted_one_that_cannot_be_asked_ends_the_wait() {
    let refused = Refusing(Finding::Unmeasured(Trouble::access("denied")));
    let slow = played(&[(2, true)]);
    let (ending, _) = wait(&[target(&slow, 1), target(&refused, 1)], Until::All).await;
    assert!(
        matches!(ending.end, End::Trouble { target: 1, .. }),
        "{:?}",
        ending.end
    );
    assert_eq!(ending.took.as_secs(), 0);
}

/// A target that always answers so, by status.
struct Status(u16);

impl Probe for Status {
    fn target(&self) -> &str {
        "status"
    }

    fn look(&self, _: Duration) -> Looking<'_> {
        let finding = Finding::bad(FaultKind::Status, "answered");
        let look = Look::without_answer(finding);
        let status = Some(self.0);
        Box::pin(async move { Look { status, ..look } })
    }
}

#[tokio::test(start_paused = true)]
async fn where_any_is_enough_one_that_is_given_up_leaves_the_others() {
    let set: StatusSet = "401,403".parse().unwrap();
    let giving_up = |probe| Target {
        give_up_on: Some(&set),
        ..target(probe, 1)
    };
    let (denied, forbidden) = (Status(401), Status(403));
    let late = played(&[(0, false), (0, false), (0, true)]);
    let (ending, seen) = wait(&[giving_up(&denied), target(&late, 1)], Until::Any).await;
    assert_eq!((ending.end, ending.ready), (End::Ready, vec![false, true]));
    assert_eq!(
        seen.iter().filter(|(target, ..)| *target == 0).count(),
        1,
        "it is not tried again"
    );
    let (ending, _) = wait(&[giving_up(&denied), giving_up(&forbidden)], Until::Any).await;
    assert_eq!(
        (ending.end, ending.took),
        (End::GaveUp { target: 1 }, Duration::ZERO),
        "all are out"
    );
    let late = played(&[(0, false), (0, false), (0, true)]);
    let (ending, _) = wait(&[giving_up(&denied), target(&late, 1)], Until::All).await;
    assert_eq!(ending.end, End::GaveUp { target: 0 });
}
