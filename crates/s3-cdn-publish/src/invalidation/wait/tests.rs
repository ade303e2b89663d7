//! The machine against scripts of answers, on a clock that is a number.

use aws::reason::Kind;
use proptest::collection::vec;
use proptest::prelude::{Just, Strategy as _, any, prop_assert, prop_oneof, proptest};

use super::*;

const PATIENCE: Patience = Patience {
    budget: seconds(600),
    complete: true,
    widens: true,
};

const fn seconds(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

fn created(complete: bool) -> Answer {
    Answer::Created {
        id: "I1".to_owned(),
        complete,
    }
}

/// Gives answers by the time at which they are asked for, until it is over: when each step was, and all that was told.
fn played(mut state: State, answer: impl Fn(&Step, Duration) -> Answer) -> (Vec<u64>, Vec<String>, End) {
    let (mut times, mut told) = (Vec::new(), Vec::new());
    let mut step = state.first();
    loop {
        let now = match &step {
            Step::Create { at, .. } | Step::Ask { at, .. } => *at,
            Step::Over(end) => return (times, told, end.clone()),
        };
        times.push(now.as_secs());
        let (after, turn) = state.next(answer(&step, now), now, 1.0);
        (state, step) = (after, turn.step);
        told.extend(turn.tell);
    }
}

#[test]
fn looks_grow_from_two_to_ten_seconds_and_are_told_twice_a_minute() {
    let (times, told, end) = played(State::create(PATIENCE, seconds(100)), |step, now| match step {
        Step::Create { .. } => created(false),
        _ => Answer::Status {
            complete: now >= seconds(170),
        },
    });
    assert_eq!(times, [100, 102, 105, 109, 116, 126, 136, 146, 156, 166, 176]);
    assert_eq!(
        told,
        [
            "invalidation `I1` is in progress for 36.2s",
            "invalidation `I1` is in progress for 1m6s"
        ]
    );
    assert!(
        matches!(end, End::Complete { ref id, batch: Batch::Planned, took } if id == "I1" && took.as_secs() == 76)
    );
}

#[test]
fn nobody_waits_where_nobody_wants_to() {
    let patience = Patience {
        complete: false,
        ..PATIENCE
    };
    let (times, _, end) = played(State::create(patience, seconds(0)), |_, _| created(false));
    assert_eq!(times, [0]);
    let batch = Batch::Planned;
    assert_eq!(
        end,
        End::Created {
            id: "I1".to_owned(),
            batch
        }
    );
}

#[test]
fn one_that_is_complete_already_is_over() {
    let (_, _, end) = played(State::create(PATIENCE, seconds(0)), |_, _| created(true));
    assert!(matches!(end, End::Complete { .. }));
    let waiting = State::wait_for("I1".to_owned(), PATIENCE, seconds(5));
    let (times, _, end) = played(waiting, |_, _| Answer::Status { complete: true });
    assert_eq!(times, [5]);
    assert!(matches!(
        end,
        End::Complete {
            took: Duration::ZERO,
            ..
        }
    ));
}

#[test]
fn a_crowd_is_waited_for_and_then_gone_around() {
    let state = State::create(PATIENCE, seconds(0));
    let (times, told, end) = played(state, |step, _| match step {
        Step::Create {
            batch: Batch::Planned,
            ..
        } => Answer::Crowded,
        Step::Create { .. } => created(true),
        _ => unreachable!("it is complete when it is created"),
    });
    assert_eq!(times[..6], [0, 2, 6, 14, 30, 60]);
    assert!(
        matches!(end, End::Complete { batch: Batch::Widened, took, .. } if took >= seconds(300) && took < seconds(331))
    );
    assert!(
        told.iter()
            .any(|line| line.ends_with("trying one wildcard in their place")),
        "{told:?}"
    );
}

#[test]
fn a_crowd_that_stays_is_pending_at_the_end_of_the_budget() {
    for widens in [true, false] {
        let patience = Patience { widens, ..PATIENCE };
        let (times, told, end) = played(State::create(patience, seconds(0)), |_, _| Answer::Crowded);
        assert_eq!(times.last(), Some(&600));
        assert!(told.len() > 10, "{told:?}");
        let batch = if widens { Batch::Widened } else { Batch::Planned };
        let why = "it was not created in 10m: too many invalidations of this distribution are in progress"
            .to_owned();
        assert_eq!(end, End::Pending { id: None, batch, why });
    }
}

#[test]
fn what_never_completes_is_pending_with_its_id() {
    let state = State::create(PATIENCE, seconds(0));
    let (times, _, end) = played(state, |step, _| match step {
        Step::Create { .. } => created(false),
        _ => Answer::Status { complete: false },
    });
    assert_eq!(times.last(), Some(&600));
    assert!(
        matches!(end, End::Pending { id: Some(ref id), ref why, .. } if id == "I1" && why == "it is still in progress after 10m")
    );
}

#[test]
fn what_passes_is_asked_again_and_what_stays_is_the_end() {
    let state = State::create(PATIENCE, seconds(0));
    let (times, _, end) = played(state, |step, now| match step {
        Step::Create { .. } if now < seconds(5) => Answer::Passing("no answer".to_owned()),
        Step::Create { .. } => created(false),
        _ if now < seconds(10) => Answer::Passing("no answer".to_owned()),
        _ => Answer::Status { complete: true },
    });
    assert_eq!(times, [0, 2, 6, 8, 11]);
    assert!(matches!(end, End::Complete { .. }));
    let reason = Reason {
        kind: Kind::Access,
        text: "access denied".to_owned(),
    };
    let (_, _, end) = played(State::create(PATIENCE, seconds(0)), |_, _| {
        Answer::Refused(reason.clone())
    });
    assert_eq!(end, End::Refused { id: None, reason });
}

proptest! {
    #[test]
    fn it_always_ends_in_time(
        answers in vec((prop_oneof![
            Just(Answer::Crowded),
            Just(Answer::Passing("x".to_owned())),
            any::<bool>().prop_map(created),
            any::<bool>().prop_map(|complete| Answer::Status { complete }),
        ], 0u64..20, 0.0f64..1.0), 1..20),
        budget in 0u64..900, complete in any::<bool>(), widens in any::<bool>(), began in 0u64..100,
    ) {
        let patience = Patience { budget: seconds(budget), complete, widens };
        let mut state = State::create(patience, seconds(began));
        let mut step = state.first();
        let mut asked = 0;
        // Each answer takes some seconds itself.
        for (answer, takes, jitter) in answers.iter().cycle() {
            let at = match &step {
                Step::Create { at, .. } | Step::Ask { at, .. } => *at,
                Step::Over(_) => break,
            };
            asked += 1;
            prop_assert!(at <= seconds(began + budget).max(seconds(began)) + seconds(20) && asked < 2000, "{:?} {}", at, asked);
            let now = at + seconds(*takes);
            let (after, turn) = state.next(answer.clone(), now, *jitter);
            (state, step) = (after, turn.step);
        }
    }
}
