use super::*;
use crate::compare::Settings;
use proptest::prelude::{Strategy as _, any, proptest};

/// Intervals of equal counts: how many, then bad and total of each arm in each.
fn equal(many: usize, canary: (f64, f64), baseline: (f64, f64)) -> Vec<Interval> {
    let counts = |(bad, total)| Counts::new(bad, total).unwrap();
    vec![
        Interval {
            canary: counts(canary),
            baseline: counts(baseline)
        };
        many
    ]
}

fn looked(look: u32, intervals: &[Interval]) -> (Verdict, String) {
    let look = Plan::new(Settings::default()).unwrap().look(look, intervals);
    let reason = look.reason();
    (look.verdict, reason)
}

#[test]
fn verdicts_and_reasons() {
    for (number, intervals, verdict, reason) in [
        (
            5,
            equal(30, (2.0, 100.0), (2.0, 400.0)),
            Verdict::Fail,
            "canary 2 % (60 of 3000), baseline 0.5 % (60 of 12000): 4 times the rate, surely more than 1 \
             (p = 1.3e-10, limit 0.022); look 5 of 5",
        ),
        (
            1,
            equal(6, (1.0, 100.0), (2.0, 400.0)),
            Verdict::Continue,
            "canary 1 % (6 of 600), baseline 0.5 % (12 of 2400): 2.08 times the rate, at most 6.51; undecided at \
             look 1 of 5",
        ),
        (
            5,
            equal(30, (2.0, 400.0), (6.0, 1200.0)),
            Verdict::Pass(Ground::Ratio),
            "canary 0.5 % (60 of 12000), baseline 0.5 % (180 of 36000): 1.01 times the rate, at most 1.37; look 5 of 5",
        ),
        (
            5,
            equal(30, (0.0, 1000.0), (0.0, 1000.0)),
            Verdict::Pass(Ground::Floor),
            "canary 0 % (0 of 30000), baseline 0 % (0 of 30000): the canary's rate is at most 0.013 %, below the 0.1 % \
             that is ignored; look 5 of 5",
        ),
        (
            5,
            equal(30, (0.1, 4.0), (0.2, 40.0)),
            Verdict::Inconclusive(Why::FewBad),
            "canary 2.5 % (3 of 120), baseline 0.5 % (6 of 1200): 5.38 times the rate, at most 21.7; canary had 3 bad of 120, \
             needs 5 to fail",
        ),
        (
            5,
            equal(30, (0.0, 30.0), (0.0, 270.0)),
            Verdict::Inconclusive(Why::FewBad),
            "canary 0 % (0 of 900), baseline 0 % (0 of 8100): at most 601 times the rate; canary had 0 bad of 900, needs \
             5 to fail or 3911 without a bad one to pass below 0.1 %",
        ),
        (
            5,
            equal(30, (0.3, 30.0), (1.5, 270.0)),
            Verdict::Inconclusive(Why::Unsettled),
            "canary 1 % (9 of 900), baseline 0.56 % (45 of 8100): 1.88 times the rate, at most 3.98, which is neither \
             proven to be above 1 nor below 2",
        ),
        (
            5,
            equal(4, (50.0, 100.0), (0.0, 100.0)),
            Verdict::Inconclusive(Why::FewIntervals { had: 4, needs: 5 }),
            "both arms had traffic in 4 intervals, needs 5",
        ),
        (
            5,
            equal(30, (0.0, 0.0), (0.0, 100.0)),
            Verdict::Inconclusive(Why::NoTraffic(Arm::Canary)),
            "canary had no traffic",
        ),
        (
            9,
            equal(30, (0.0, 100.0), (0.0, 0.0)),
            Verdict::Inconclusive(Why::NoTraffic(Arm::Baseline)),
            "baseline had no traffic",
        ),
        (
            0,
            Vec::new(),
            Verdict::Continue,
            "too little traffic in both arms so far; look 1 of 5",
        ),
    ] {
        assert_eq!(looked(number, &intervals), (verdict, reason.to_owned()));
    }
}

#[test]
fn a_canary_that_dies_does_not_pass() {
    // Its balancer takes it out after a while: no traffic is no evidence.
    let dead_after = |lived: usize| {
        let mut intervals = equal(30, (10.0, 2000.0), (10.0, 2000.0));
        for interval in &mut intervals[lived..] {
            interval.canary = Counts::default();
        }
        looked(5, &intervals)
    };
    assert_eq!(
        dead_after(4).0,
        Verdict::Inconclusive(Why::FewIntervals { had: 4, needs: 5 })
    );
    for lived in [10, 24] {
        let (verdict, reason) = dead_after(lived);
        assert_eq!(verdict, Verdict::Inconclusive(Why::Ceased(Arm::Canary, 6)));
        let (seen, end) = (
            "baseline 0.5 %",
            ": canary had no traffic in the last 6 intervals",
        );
        assert!(reason.contains(seen) && reason.ends_with(end), "{reason}");
    }
    assert_eq!(dead_after(25).0, Verdict::Pass(Ground::Ratio));
}

#[test]
fn what_ceases_holds_back_no_fail_and_passes_no_floor() {
    let mut worse = equal(30, (40.0, 2000.0), (10.0, 2000.0));
    let mut clean = equal(30, (0.0, 2000.0), (0.0, 2000.0));
    for intervals in [&mut worse, &mut clean] {
        intervals[29].baseline = Counts::default();
    }
    assert_eq!(looked(5, &worse).0, Verdict::Fail);
    assert_eq!(looked(5, &clean).0, Verdict::Pass(Ground::Floor), "it may pause");
    for interval in &mut clean[24..] {
        interval.baseline = Counts::default();
    }
    assert_eq!(looked(4, &clean).0, Verdict::Continue);
    assert_eq!(
        looked(5, &clean).0,
        Verdict::Inconclusive(Why::Ceased(Arm::Baseline, 6))
    );
}

#[test]
fn clustered_failures_prove_less() {
    let mut clustered = equal(30, (0.0, 100.0), (1.0, 100.0));
    clustered[7].canary = Counts::new(60.0, 100.0).unwrap();
    assert_eq!(looked(5, &clustered).0, Verdict::Inconclusive(Why::Unsettled));
    assert_eq!(
        looked(5, &equal(30, (2.0, 100.0), (1.0, 100.0))).0,
        Verdict::Fail,
        "as many, spread out"
    );
}

#[test]
fn several_comparisons_share_alpha() {
    // p = 0.017: enough for one comparison (0.022 at the last look), not for one of five.
    let intervals = equal(30, (1.0, 100.0), (0.5, 100.0));
    let verdict = |comparisons| {
        let settings = Settings {
            comparisons,
            ..Settings::default()
        };
        Plan::new(settings).unwrap().look(5, &intervals).verdict
    };
    assert_eq!(
        (verdict(1), verdict(5)),
        (Verdict::Fail, Verdict::Inconclusive(Why::Unsettled))
    );
}

#[test]
fn the_floor_holds_back_a_fail_and_passes_only_at_the_end() {
    // Ten times the baseline, both far below what anybody minds.
    let intervals = equal(30, (1.0, 100_000.0), (0.1, 100_000.0));
    assert_eq!(looked(4, &intervals).0, Verdict::Continue);
    assert_eq!(looked(5, &intervals).0, Verdict::Pass(Ground::Floor));
    let strict = Settings {
        ignore_below: 0.0,
        ..Settings::default()
    };
    assert_eq!(
        Plan::new(strict).unwrap().look(5, &intervals).verdict,
        Verdict::Fail
    );
}

#[test]
fn a_verdict_agrees_with_the_bounds_it_shows() {
    let plan = Plan::new(Settings::default()).unwrap();
    for bad in 0..60 {
        let look = plan.look(5, &equal(30, (f64::from(bad) / 10.0, 500.0), (2.0, 500.0)));
        let (lower, upper) = (look.ratio_lower().unwrap(), look.ratio_upper().unwrap());
        let expected = if look.canary_upper().unwrap() < 0.001 {
            Verdict::Pass(Ground::Floor)
        } else if lower >= 1.0 && bad >= 2 {
            Verdict::Fail
        } else if upper < 2.0 {
            Verdict::Pass(Ground::Ratio)
        } else {
            Verdict::Inconclusive(Why::Unsettled)
        };
        assert_eq!(look.verdict, expected, "{bad}: {}", look.reason());
    }
}

proptest! {
    #[test]
    fn a_pass_needs_traffic_of_both_in_enough_intervals(
        counts in proptest::collection::vec(
            (0_u32..500, 0_u32..500, 0_u32..500, 0_u32..500).prop_map(|(a, b, c, d)| [a, b, c, d].map(f64::from)), 0..40,
        ),
        number in 0_u32..8, min_intervals in 2_u32..10,
    ) {
        let settings = Settings { min_intervals, ..Settings::default() };
        let intervals: Vec<_> = counts
            .iter()
            .map(|[a, b, c, d]| Interval {
                canary: Counts::new(*a, *b).unwrap(),
                baseline: Counts::new(*c, *d).unwrap(),
            })
            .collect();
        let look = Plan::new(settings).unwrap().look(number, &intervals);
        let compared = intervals.iter().filter(|interval| interval.compares()).count();
        if matches!(look.verdict, Verdict::Pass(_) | Verdict::Fail) {
            assert!(compared >= min_intervals as usize);
        }
        if matches!(look.verdict, Verdict::Pass(_)) {
            let last = &intervals[intervals.len() - intervals.len().div_ceil(5)..];
            assert!(last.iter().any(|interval| interval.canary.has_traffic()));
            assert!(last.iter().any(|interval| interval.baseline.has_traffic()));
        }
        if number < 5 {
            assert!(matches!(look.verdict, Verdict::Continue | Verdict::Fail));
        } else {
            assert!(look.verdict != Verdict::Continue);
        }
        assert!(!look.reason().contains('\n'));
    }

    #[test]
    fn no_counts_panic(counts in proptest::collection::vec(any::<[f64; 4]>(), 0..10)) {
        let intervals: Vec<_> = counts
            .iter()
            .filter_map(|[a, b, c, d]| {
                let canary = Counts::new(a.abs(), b.abs()).ok()?;
                Some(Interval { canary, baseline: Counts::new(c.abs(), d.abs()).ok()? })
            })
            .collect();
        let look = Plan::new(Settings::default()).unwrap().look(5, &intervals);
        assert!(!look.reason().is_empty() && look.canary_upper() != Some(f64::INFINITY));
    }
}
