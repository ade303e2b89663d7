use super::*;
use proptest::prelude::{Just, Strategy, any, prop_oneof, proptest};

const LIMIT: Duration = Duration::from_secs(5);

fn tape(samples: &[(u64, u64, State, u16)]) -> Tape {
    let mut tape = Tape::default();
    for (due, took, state, status) in samples {
        tape.push(Sample::of(
            Duration::from_secs(*due),
            Duration::from_millis(*took),
            *state,
            Some(*status),
        ));
    }
    tape
}

fn whole() -> (Duration, Duration) {
    (Duration::ZERO, Duration::MAX)
}

#[test]
fn a_sample_is_small() {
    assert_eq!(size_of::<Sample>(), 12);
}

#[test]
fn shares_leave_out_what_was_not_measured() {
    let tape = tape(&[
        (0, 1, State::Good, 200),
        (1, 1, State::Bad, 503),
        (2, 1, State::Unmeasured, 0),
        (3, 5000, State::TimedOut, 0),
        (9, 1, State::Good, 200),
    ]);
    let (from, to) = (Duration::from_secs(1), Duration::from_secs(5));
    assert_eq!(
        tape.share(from, to, Unseen::Known),
        Share { bad: 2.0, total: 2.0 }
    );
    assert_eq!(
        tape.statuses(from, to, &"5xx".parse().unwrap(), Unseen::Known),
        Share { bad: 1.0, total: 2.0 }
    );
    assert_eq!(tape.gaps(from, to).blind(), None, "one of three");
    assert!(
        tape.gaps(Duration::from_secs(2), Duration::from_secs(2))
            .blind()
            .is_some()
    );
}

#[test]
fn failing_counts_from_the_first_bad_one_after_the_last_good_one() {
    let seconds = Duration::from_secs;
    let mut tape = tape(&[(0, 1, State::Unmeasured, 0)]);
    assert_eq!(tape.failing(seconds(1)), None);
    for (due, state, now, failing) in [
        (1, State::Good, 1, 0),
        (2, State::Bad, 3, 1),
        (3, State::Unmeasured, 5, 3),
        (5, State::TimedOut, 9, 7),
        (9, State::Good, 9, 0),
    ] {
        tape.push(Sample::of(seconds(due), seconds(0), state, None));
        assert_eq!(tape.failing(seconds(now)), Some(seconds(failing)));
    }
}

#[test]
fn a_percentile_is_a_value_that_was_seen() {
    let times: Vec<_> = (1..=20).map(|ms| (ms, ms, State::Good, 200)).collect();
    let (from, to) = whole();
    let p95 = tape(&times).percentile(from, to, 95.0, Unseen::Known).unwrap();
    assert_eq!((p95.low, p95.high, p95.n), (0.019, 0.019, 20.0));
    assert_eq!(Tape::default().percentile(from, to, 95.0, Unseen::Known), None);
}

#[test]
fn too_many_time_outs_leave_the_percentile_open_above_and_refusals_say_nothing() {
    let mut samples: Vec<_> = (0..90).map(|at| (at, 100, State::Good, 200)).collect();
    samples.extend((90..100).map(|at| (at, 5000, State::TimedOut, 0)));
    samples.extend((100..200).map(|at| (at, 2, State::Bad, 502)));
    let (from, to) = whole();
    let p95 = tape(&samples).percentile(from, to, 95.0, Unseen::Known).unwrap();
    assert_eq!((p95.low, p95.high, p95.n), (5.0, f64::INFINITY, 100.0));
    assert_eq!(
        tape(&samples)
            .percentile(from, to, 90.0, Unseen::Known)
            .unwrap()
            .high,
        0.1
    );
}

#[test]
fn only_a_slow_fault_that_used_the_whole_limit_is_a_time_out() {
    let slow = Finding::bad(FaultKind::Slow, "x");
    let sample = |took, finding: &Finding| {
        let look = Look::without_answer(finding.clone());
        Sample::new(Duration::ZERO, took, LIMIT, &look)
    };
    let of = |took, finding: &Finding| sample(took, finding).state;
    assert_eq!(of(LIMIT, &slow), State::TimedOut);
    // Probes stop a little before the limit, to tell where they hung.
    let told = sample(told_after(LIMIT), &slow);
    assert_eq!((told.state, told.took()), (State::TimedOut, LIMIT));
    assert_eq!(of(LIMIT / 2, &slow), State::TooSlow);
    assert_eq!(of(LIMIT, &Finding::bad(FaultKind::Status, "x")), State::Bad);
}

fn states() -> impl Strategy<Value = State> {
    prop_oneof![
        Just(State::Good),
        Just(State::Bad),
        Just(State::TimedOut),
        Just(State::Unmeasured)
    ]
}

proptest! {
    #[test]
    fn a_percentile_is_the_sorted_value_of_its_rank(
        times in proptest::collection::vec(any::<u32>(), 1..200), percent in 1..100_u32,
    ) {
        let mut tape = Tape::default();
        for micros in &times {
            tape.push(Sample::of(Duration::ZERO, Duration::from_micros((*micros).into()), State::Good, None));
        }
        let mut sorted = times.clone();
        sorted.sort_unstable();
        let rank = (times.len() * percent as usize).div_ceil(100);
        let seen = tape.percentile(Duration::ZERO, Duration::ZERO, percent.into(), Unseen::Known).unwrap();
        assert_eq!(seen.low, Duration::from_micros(sorted[rank.max(1) - 1].into()).as_secs_f64());
    }

    #[test]
    fn shares_do_not_depend_on_the_order(states in proptest::collection::vec(states(), 0..50)) {
        let count = |states: &[State]| {
            let mut tape = Tape::default();
            states.iter().for_each(|state| tape.push(Sample::of(Duration::ZERO, Duration::ZERO, *state, None)));
            tape.share(Duration::ZERO, Duration::ZERO, Unseen::Known)
        };
        let reversed: Vec<State> = states.iter().rev().copied().collect();
        assert_eq!(count(&states), count(&reversed));
    }
}
