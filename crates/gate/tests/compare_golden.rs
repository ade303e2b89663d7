//! The ratio of canary and baseline against NumPy's and SciPy's (`data/scipy_golden.py` wrote them).
#![expect(clippy::unwrap_used, reason = "a test that can't go on fails where it stands")]

use gate::compare::ratio::Ratio;
use gate::compare::{Counts, Interval};
use serde_json::Value;

fn numbers(value: &Value) -> Vec<f64> {
    serde_json::from_value(value.clone()).unwrap()
}

#[test]
fn ratios_and_their_p_values() {
    let golden: Value = serde_json::from_str(include_str!("data/scipy_golden.json")).unwrap();
    let cases = golden["ratios"].as_array().unwrap();
    assert_eq!(cases.len(), 7);
    for case in cases {
        let arm = |arm: usize| {
            let (bad, total) = (numbers(&case["bad"][arm]), numbers(&case["total"][arm]));
            bad.into_iter()
                .zip(total)
                .map(|(bad, total)| Counts::new(bad, total).unwrap())
        };
        let mut intervals: Vec<_> = arm(0)
            .zip(arm(1))
            .map(|(canary, baseline)| Interval { canary, baseline })
            .collect();
        // An interval in which an arm had no traffic tells nothing, whatever the other did.
        intervals.push(Interval {
            canary: Counts::default(),
            baseline: Counts::new(50.0, 50.0).unwrap(),
        });
        let ratio = Ratio::of(&intervals).unwrap();
        let fail_ratio = case["fail_ratio"].as_f64().unwrap();
        for (name, ours) in [
            ("ln_ratio", ratio.ln),
            ("error", ratio.error),
            ("dispersion", ratio.dispersion),
            ("df", ratio.freedom),
            ("p", ratio.chance_of_higher(fail_ratio)),
            ("lower", ratio.lower(0.05)),
            ("upper", ratio.upper(0.05)),
        ] {
            let theirs = case[name].as_f64().unwrap();
            assert!(
                (ours - theirs).abs() <= 1e-11 * theirs.abs(),
                "{name}: {ours}, not {theirs}"
            );
        }
    }
}
