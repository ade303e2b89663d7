use super::*;
use proptest::prelude::{Strategy, any, proptest};

fn weight(text: &str) -> Weight {
    text.parse().unwrap()
}

#[test]
fn reads_what_people_write_and_prints_it_back() {
    for (text, printed, total) in [
        ("10% 5m, 50% 5m, 100%", "10% 5m, 50% 5m, 100%", 600),
        (
            "5% 15m,25% 15m,50% 15m,100%",
            "5% 15m, 25% 15m, 50% 15m, 100%",
            2700,
        ),
        ("100%", "100%", 0),
        (" 0.5%  90s , 100.0% 1h ", "0.5% 1m30s, 100% 1h", 3690),
    ] {
        let steps: Steps = text.parse().unwrap();
        assert_eq!(
            (steps.to_string().as_str(), steps.total().as_secs()),
            (printed, total)
        );
    }
}

#[test]
fn refuses_the_rest_and_says_why() {
    for (text, says) in [
        ("", "there are no steps"),
        (" ", "there are no steps"),
        ("10% 5m,, 100%", "no weight with a duration"),
        ("10% 5m, 100%,", "no weight with a duration"),
        ("10% 5m 5m, 100%", "no weight with a duration"),
        ("10 5m, 100%", "`10` is no weight"),
        ("0% 5m, 100%", "`0%` is no weight"),
        ("0.0% 5m, 100%", "no weight"),
        ("0.05% 5m, 100%", "no weight"),
        ("101%", "no weight"),
        ("100.1%", "no weight"),
        ("-5% 5m, 100%", "no weight"),
        ("+5% 5m, 100%", "no weight"),
        ("٣% 5m, 100%", "no weight"),
        ("10% 5, 100%", "step `10% 5`: `5` has no unit"),
        ("10% soon, 100%", "is not a duration"),
        ("10%, 100%", "step `10%` has no duration"),
        ("50% 5m, 10% 5m, 100%", "step `10%` follows `50%`"),
        ("50% 5m, 50% 5m, 100%", "weights must rise"),
        ("100% 5m, 100%", "weights must rise"),
        ("10% 5m, 50%", "the last step is `50%`"),
        ("10%", "the last step is `10%`"),
    ] {
        let error = text.parse::<Steps>().expect_err(text).to_string();
        assert!(error.contains(says), "{text}: {error}");
    }
    let many = "1% 1s,".repeat(60);
    assert_eq!(many.parse::<Steps>(), Err(StepsError::TooMany(61)));
}

#[test]
fn tenths_of_a_percent() {
    assert_eq!((weight("0.5%").tenths(), weight("100%").tenths()), (5, 1000));
    assert_eq!(Weight::of_tenths(333), Some(weight("33.3%")));
    assert_eq!(
        (Weight::of_tenths(0), Weight::of_tenths(1001)),
        (Some(Weight::NONE), None)
    );
    assert_eq!(Weight::NONE.to_string(), "0%");
}

#[test]
fn stops_at_a_step_and_goes_on_after_it() {
    let steps: Steps = "10% 5m, 50% 7m, 100%".parse().unwrap();
    let (done, rest) = (
        steps.until(weight("50%")).unwrap(),
        steps.after(weight("50%")).unwrap(),
    );
    assert_eq!((done.len(), rest.len()), (2, 1));
    assert_eq!(total(done), Duration::from_secs(720));
    assert_eq!(steps.after(Weight::FULL), Ok(&[][..]));
    let error = steps.until(weight("20%")).unwrap_err().to_string();
    assert_eq!(
        error,
        "no step has the weight `20%`; the steps are `10% 5m, 50% 7m, 100%`"
    );
}

fn any_steps() -> impl Strategy<Value = Steps> {
    let weights = proptest::collection::btree_set(1u16..1000, 0..8);
    let holds = proptest::collection::vec(0u64..10_000_000, 8);
    (weights, holds, any::<bool>()).prop_map(|(weights, holds, last)| {
        let hold = |at: usize| Some(Duration::from_millis(holds[at % 8]));
        let steps = weights.into_iter().chain([1000]).enumerate();
        let mut steps: Vec<Step> = steps
            .map(|(at, weight)| Step {
                weight: Weight(weight),
                hold: hold(at),
            })
            .collect();
        if last && let Some(end) = steps.last_mut() {
            end.hold = None;
        }
        Steps(steps)
    })
}

proptest! {
    #[test]
    fn what_is_printed_is_read_back(steps in any_steps()) {
        assert_eq!(steps.to_string().parse(), Ok(steps));
    }

    #[test]
    fn never_panics(text in any::<String>(), like in "[0-9%., ms]{0,40}") {
        let _ = text.parse::<Steps>();
        let _ = like.parse::<Steps>();
        let _ = text.parse::<Weight>();
    }
}
