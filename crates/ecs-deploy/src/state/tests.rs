use proptest::prelude::{Strategy, any, proptest};

use super::{LONGEST, Run, Stage, State, StateError, Suspended};
use crate::pair::Pair;
use gha::trace::TraceId;
use jiff::Timestamp;

const HELD: &str = "1 run=acme/shop:42.1 trace=0af7651916cd43dd8448eb211c80319c began=2026-01-02T03:04:05Z seen=2026-01-02T03:09:05Z before=100:0 wrote=90:10 step=1 sticky=3600 held=io too=- idle=0 rev=42 at=paused end";

fn state() -> State {
    State {
        run: Run::new("acme/shop:42.1"),
        trace: TraceId::parse("0af7651916cd43dd8448eb211c80319c").unwrap(),
        began: "2026-01-02T03:04:05.9Z".parse().unwrap(),
        seen: "2026-01-02T03:09:05Z".parse().unwrap(),
        before: Pair { old: 100, new: 0 },
        wrote: Pair { old: 90, new: 10 },
        step: 1,
        sticky: Some(3600),
        scaling: Some(Suspended {
            scaling_in: true,
            scaling_out: true,
            scheduled: false,
        }),
        idle_scaling: Some(Suspended::default()),
        idle: Some(0),
        revision: Some(42),
        stage: Some(Stage::Paused),
    }
}

#[test]
fn is_written_as_it_always_was() {
    assert_eq!(state().to_string(), HELD);
    let read: State = HELD.parse().unwrap();
    assert_eq!(
        read,
        State {
            began: "2026-01-02T03:04:05Z".parse().unwrap(),
            ..state()
        }
    );
}

#[test]
fn a_newer_schema_is_refused() {
    for held in ["2 anything", "7", "4294967295 run=x"] {
        let error = held.parse::<State>().unwrap_err();
        assert!(matches!(error, StateError::Newer { .. }), "{error}");
        assert!(error.to_string().contains(held), "{error}");
    }
}

#[test]
fn what_is_damaged_is_shown() {
    for (from, to, says) in [
        ("1 ", "", "does not begin with a schema"),
        ("1 ", "0 ", "there is no schema 0"),
        ("1 ", "01 ", "not as this version writes it"),
        (" end", "", "its end is missing"),
        (" end", " end end", "`end` is no field"),
        (" step=1", "", "the field `step` is missing"),
        (" step=1", " step=1 step=2", "`step` stands there twice"),
        (" step=1", " step=300", "`300` is no value of `step`"),
        (" step=1", " step=1 more=2", "`more=2` is no field that is known"),
        (" step=1", "  step=1", "`` is no field"),
        (" step=1", " step", "`step` is no field"),
        ("held=io", "held=oi", "`oi` is no value of `held`"),
        ("wrote=90:10", "wrote=90", "`90` is no value of `wrote`"),
        ("wrote=90:10", "wrote=90:1000", "no value of `wrote`"),
        ("trace=0", "trace=A", "no value of `trace`"),
        (
            "seen=2026-01-02T03:09:05Z",
            "seen=yesterday",
            "no value of `seen`",
        ),
        (
            "seen=2026-01-02T03:09:05Z",
            "seen=2026-01-02T03:09:05+00:00",
            "not as this version writes it",
        ),
        (
            "run=acme/shop:42.1",
            "run=acme\u{1b}",
            "not as this version writes it",
        ),
    ] {
        let held = HELD.replacen(from, to, 1);
        let error = held.parse::<State>().expect_err(&held).to_string();
        assert!(error.contains(says) && error.contains("acme"), "{held}: {error}");
        assert!(!error.contains('\u{1b}'));
    }
    assert!("".parse::<State>().is_err());
}

#[test]
fn a_run_is_named_by_what_a_tag_takes() {
    assert_eq!(Run::new("a b\n=é").as_str(), "a-b---");
    assert_eq!(Run::new("").as_str(), "-");
    let long = Run::new(&format!("{}/shop:42.1", "o".repeat(100)));
    assert!(long.as_str().len() == 40 && long.as_str().ends_with("/shop:42.1"));
}

fn any_state() -> impl Strategy<Value = State> {
    let time = 0i64..253_402_207_200;
    let pair = (0u16..=999, 0u16..=999).prop_map(|(old, new)| Pair { old, new });
    let scaling = any::<[bool; 3]>().prop_map(|[scaling_in, scaling_out, scheduled]| Suspended {
        scaling_in,
        scaling_out,
        scheduled,
    });
    let options = (
        proptest::option::of(1u32..=604_800),
        proptest::option::of(scaling.clone()),
        proptest::option::of(scaling),
        proptest::option::of(any::<u32>()),
        proptest::option::of(any::<u32>()),
        proptest::option::of(proptest::sample::select(vec![
            Stage::Paused,
            Stage::Kept,
            Stage::Over,
        ])),
    );
    (
        any::<String>(),
        1u128..,
        time.clone(),
        time,
        pair.clone(),
        pair,
        any::<u8>(),
        options,
    )
        .prop_map(
            |(
                run,
                trace,
                began,
                seen,
                before,
                wrote,
                step,
                (sticky, scaling, idle_scaling, idle, revision, stage),
            )| {
                State {
                    run: Run::new(&run),
                    trace: TraceId::parse(&format!("{trace:032x}")).unwrap(),
                    began: Timestamp::from_second(began).unwrap(),
                    seen: Timestamp::from_second(seen).unwrap(),
                    before,
                    wrote,
                    step,
                    sticky,
                    scaling,
                    idle_scaling,
                    idle,
                    revision,
                    stage,
                }
            },
        )
}

/// What a tag takes, by the service model of ECS: `[\p{L}\p{Z}\p{N}_.:/=+\-@]*`, of which ASCII is enough here.
fn is_tag_value(value: &str) -> bool {
    value.chars().count() <= LONGEST
        && value
            .chars()
            .all(|c| c.is_ascii_alphanumeric() || " _.:/=+-@".contains(c))
}

#[test]
fn the_longest_state_fits() {
    let all = Suspended {
        scaling_in: true,
        scaling_out: true,
        scheduled: true,
    };
    let longest = State {
        run: Run::new(&"x".repeat(99)),
        trace: TraceId::parse(&"f".repeat(32)).unwrap(),
        began: Timestamp::from_second(253_402_207_200).unwrap(),
        seen: Timestamp::from_second(253_402_207_200).unwrap(),
        before: Pair { old: 999, new: 999 },
        wrote: Pair { old: 999, new: 999 },
        step: u8::MAX,
        sticky: Some(u32::MAX),
        scaling: Some(all),
        idle_scaling: Some(all),
        idle: Some(u32::MAX),
        revision: Some(u32::MAX),
        stage: Some(Stage::Paused),
    };
    let held = longest.to_string();
    assert!(is_tag_value(&held), "{} characters", held.len());
    assert_eq!(held.parse(), Ok(longest));
}

proptest! {
    #[test]
    fn what_is_written_fits_and_is_read_back(state in any_state()) {
        let held = state.to_string();
        assert!(is_tag_value(&held), "{held}");
        assert_eq!(held.parse(), Ok(state));
    }

    #[test]
    fn a_part_is_no_state(state in any_state(), at in any::<proptest::sample::Index>()) {
        let held = state.to_string();
        let part = &held[..at.index(held.len())];
        assert!(part.parse::<State>().is_err(), "{part}");
    }

    #[test]
    fn never_panics(held in any::<String>(), like in "1( [a-z]{3,6}=[0-9:a-z-]{0,8}){0,4}") {
        let _ = held.parse::<State>();
        let _ = like.parse::<State>();
    }
}
