use proptest::prelude::{any, proptest};

use super::*;
use crate::observed::LoadBalancer;

const HOUR: Duration = Duration::from_secs(3600);

fn service(strategy: &str, shiftable: bool) -> Service {
    let arn = |is: bool| is.then(|| "arn".to_owned());
    Service {
        strategy: Strategy::of(strategy),
        load_balancers: vec![LoadBalancer {
            target_group: arn(true),
            alternate_target_group: arn(shiftable),
            production_rule: arn(shiftable),
            container: None,
            port: None,
        }],
        ..Service::fixture()
    }
}

fn minutes(count: u64) -> Duration {
    Duration::from_secs(count * 60)
}

fn ask(flags: cli::Strategy, set: &Configuration, strategy: &str) -> Result<Wanted, String> {
    wanted(&flags, set, &service(strategy, true), false, HOUR).map_err(|error| error.to_string())
}

#[test]
fn nothing_is_sent_that_was_not_asked_for_or_is_set_already() {
    let set = Configuration {
        strategy: Some(Strategy::Canary),
        bake: Some(5),
        canary: Some(Steps {
            percent: Some(5.0),
            bake: Some(10),
        }),
        ..Configuration::default()
    };
    let none = ask(cli::Strategy::default(), &set, "CANARY").unwrap();
    assert_eq!((none.change, none.bakes), (None, minutes(15)));
    let same = cli::Strategy {
        strategy: Some(StrategyName::Canary),
        bake_time: Some(minutes(5)),
        canary_percent: Some(5.0),
        canary_bake_time: Some(minutes(10)),
        ..cli::Strategy::default()
    };
    assert_eq!(ask(same, &set, "CANARY").unwrap().change, None);
    let other = cli::Strategy {
        canary_bake_time: Some(minutes(2)),
        ..cli::Strategy::default()
    };
    let wanted = ask(other, &set, "CANARY").unwrap();
    assert_eq!(wanted.bakes, minutes(7));
    assert_eq!(
        wanted.change,
        Some(Configuration {
            canary: Some(Steps {
                percent: Some(5.0),
                bake: Some(2),
            }),
            ..Configuration::default()
        }),
        "a step is sent whole"
    );
}

#[test]
fn a_strategy_is_set_with_what_it_needs() {
    let canary = cli::Strategy {
        strategy: Some(StrategyName::Canary),
        ..cli::Strategy::default()
    };
    let wanted = ask(canary, &Configuration::default(), "ROLLING").unwrap();
    assert_eq!(wanted.change.unwrap().strategy, Some(Strategy::Canary));
    assert_eq!(wanted.bakes, minutes(10), "the default of ECS");
    let blue_green = |bake| cli::Strategy {
        strategy: Some(StrategyName::BlueGreen),
        bake_time: bake,
        ..cli::Strategy::default()
    };
    let set = Configuration::default();
    let missing = ask(blue_green(None), &set, "ROLLING").unwrap_err();
    assert!(missing.contains("needs `--bake-time`"), "{missing}");
    assert!(ask(blue_green(Some(minutes(1))), &set, "ROLLING").is_ok());
    let flags = blue_green(Some(minutes(1)));
    let refused = super::wanted(&flags, &set, &service("ROLLING", false), false, HOUR).unwrap_err();
    assert!(
        refused.to_string().contains("no alternate target group"),
        "{refused}"
    );
    let back = cli::Strategy {
        strategy: Some(StrategyName::Rolling),
        ..cli::Strategy::default()
    };
    let rolling = ask(back, &set, "LINEAR").unwrap();
    assert!(!rolling.is_native() && rolling.change.is_some());
    let unknown = ask(cli::Strategy::default(), &set, "MAGIC").unwrap_err();
    assert!(unknown.contains("`MAGIC`"), "{unknown}");
}

#[test]
fn flags_that_do_not_fit_are_refused() {
    let of = |edit: fn(&mut cli::Strategy)| {
        let mut flags = cli::Strategy::default();
        edit(&mut flags);
        flags
    };
    let set = Configuration {
        bake: Some(1),
        ..Configuration::default()
    };
    for (flags, strategy, part) in [
        (
            of(|flags| flags.step_percent = Some(10.0)),
            "CANARY",
            "`--step-percent`: the strategy `CANARY` has no",
        ),
        (
            of(|flags| flags.canary_percent = Some(10.0)),
            "LINEAR",
            "`--canary-percent`: the strategy",
        ),
        (
            of(|flags| flags.bake_time = Some(minutes(1))),
            "ROLLING",
            "`--bake-time`: the strategy `ROLLING` has no",
        ),
        (
            of(|flags| flags.bake_time = Some(Duration::from_secs(90))),
            "CANARY",
            "`1m30s` is not in whole minutes",
        ),
        (
            of(|flags| flags.bake_time = Some(minutes(1441))),
            "CANARY",
            "not in whole minutes up to 24 hours",
        ),
        (
            of(|flags| flags.canary_percent = Some(0.05)),
            "CANARY",
            "`0.05%` is not in tenths",
        ),
        (
            of(|flags| flags.step_percent = Some(2.9)),
            "LINEAR",
            "from 3% to 100%",
        ),
        (
            of(|flags| flags.canary_percent = Some(0.25)),
            "CANARY",
            "not in tenths",
        ),
    ] {
        let refused = ask(flags, &set, strategy).unwrap_err();
        assert!(refused.contains(part), "{refused}");
    }
    let fine = of(|flags| flags.canary_percent = Some(0.3));
    assert!(ask(fine, &set, "CANARY").is_ok());
}

#[test]
fn a_gate_adds_pauses_only_where_there_are_none() {
    let set = Configuration::default();
    let gated = |set: &Configuration, strategy: &str| {
        let flags = cli::Strategy::default();
        let wanted = wanted(
            &flags,
            set,
            &service(strategy, true),
            true,
            Duration::from_secs(90),
        )
        .unwrap();
        wanted.change.and_then(|change| change.hooks)
    };
    let hooks = gated(&set, "LINEAR").unwrap();
    assert!(GATED.iter().all(|stage| hooks.pauses_at(stage)));
    assert_eq!(gated(&set, "ROLLING"), None);
    let set = Configuration {
        hooks: Some(hooks),
        ..set
    };
    assert_eq!(gated(&set, "LINEAR"), None);
    let one = Configuration {
        hooks: Some(Hooks::default().with_pause(&GATED[..1], 5)),
        ..set
    };
    let both = gated(&one, "CANARY").unwrap();
    assert_eq!(both, one.hooks.unwrap().with_pause(&GATED[1..], 2));
}

#[test]
fn bakes_are_the_sum_of_what_ecs_holds() {
    let steps = |percent, bake| {
        Some(Steps {
            percent: Some(percent),
            bake: Some(bake),
        })
    };
    for (strategy, bake, canary, linear, sum) in [
        (Strategy::BlueGreen, Some(3), None, None, 3),
        (Strategy::Canary, Some(3), steps(5.0, 7), None, 10),
        (Strategy::Linear, None, None, None, 54),
        (Strategy::Linear, Some(1), None, steps(40.0, 2), 5),
        (Strategy::Linear, Some(1), None, steps(100.0, 2), 1),
    ] {
        assert_eq!(
            bakes(&strategy, bake, canary, linear),
            minutes(sum),
            "{strategy:?}"
        );
    }
}

proptest! {
    #[test]
    fn any_setting_has_an_end(percent in any::<f64>(), bake in any::<u32>()) {
        let steps = Some(Steps { percent: Some(percent), bake: Some(bake) });
        for strategy in [Strategy::Canary, Strategy::Linear] {
            let _ = bakes(&strategy, Some(bake), steps, steps);
        }
    }

    #[test]
    fn what_is_asked_for_is_whole_minutes(seconds in any::<u32>(), percent in 0.0_f64..=100.0) {
        let flags = cli::Strategy {
            canary_bake_time: Some(Duration::from_secs(u64::from(seconds))),
            canary_percent: Some(percent),
            ..cli::Strategy::default()
        };
        if let Ok(wanted) = ask(flags, &Configuration::default(), "CANARY") {
            assert!(seconds % 60 == 0 && wanted.bakes.as_secs() == u64::from(seconds));
        }
    }
}
