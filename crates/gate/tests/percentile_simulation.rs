//! How often a percentile of a few samples tells the wrong thing: the nearest rank of lognormal latencies (deviation of the
//! logarithm 0.5) against a limit of 300 ms, for services whose true 95th percentile is known.
#![expect(clippy::unwrap_used, reason = "a test that can't go on fails where it stands")]

use gate::stats::{binomial, normal, percentile};
use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::SeedableRng as _;
use rand_distr::{Distribution as _, LogNormal};

const RUNS: u32 = 2_000;
const LIMIT: f64 = 300.0;
const SPREAD: f64 = 0.5;

/// How often each estimate is below the limit.
struct Passes {
    nearest_rank: f64,
    /// The line between two ranks, as k6 and NumPy draw it.
    interpolated: f64,
    /// The rank that is at least the true percentile in 95 % of the cases.
    bound: f64,
}

fn simulate(samples: usize, true_p95: f64, seed: u64) -> Passes {
    let median = true_p95.ln() - SPREAD * normal::quantile_above(0.05);
    let latencies = LogNormal::new(median, SPREAD).unwrap();
    let mut random = ChaCha8Rng::seed_from_u64(seed);
    let bound = percentile::rank_above(samples, 95.0, 0.05);
    let below = |micros: f64| f64::from(u8::from(micros < LIMIT * 1_000.0)) / f64::from(RUNS);
    let mut passes = Passes {
        nearest_rank: 0.0,
        interpolated: 0.0,
        bound: 0.0,
    };
    for _ in 0..RUNS {
        // Microseconds, as samples are kept.
        let mut drawn: Vec<u64> = (0..samples)
            .map(|_| (latencies.sample(&mut random) * 1_000.0) as u64)
            .collect();
        let nearest = percentile::nearest_rank(drawn.iter().copied(), 95.0);
        passes.nearest_rank += nearest.map_or(0.0, |(p95, _)| below(p95 as f64));
        drawn.sort_unstable();
        passes.interpolated += below(interpolated(&drawn));
        passes.bound += bound.map_or(0.0, |rank| below(drawn[rank - 1] as f64));
    }
    passes
}

fn interpolated(sorted: &[u64]) -> f64 {
    let at = 0.95 * (sorted.len() - 1) as f64;
    let (low, high) = (
        sorted[at.floor() as usize] as f64,
        sorted[at.ceil() as usize] as f64,
    );
    low + at.fract() * (high - low)
}

fn deviation(share: f64) -> f64 {
    (share * (1.0 - share) / f64::from(RUNS)).sqrt()
}

#[test]
fn point_decisions() {
    // Samples; then how often services of 270, 330 and 360 ms pass by the interpolated percentile, as measured once by
    // other code with as many runs.
    let table = [
        (20, [0.86, 0.55, 0.35]),
        (59, [0.87, 0.34, 0.12]),
        (100, [0.89, 0.25, 0.05]),
        (300, [0.96, 0.07, 0.00]),
        (1000, [1.00, 0.00, 0.00]),
    ];
    println!("samples  true p95  nearest rank  exactly  interpolated  upper bound");
    for (seed, (samples, by_other_code)) in (0_u64..).zip(table) {
        for (true_p95, other) in [270.0, 330.0, 360.0].into_iter().zip(by_other_code) {
            let passes = simulate(samples, true_p95, seed);
            // The value of a rank is below the limit where at least as many samples are.
            let share_below = normal::cdf(normal::quantile_above(0.05) + (LIMIT / true_p95).ln() / SPREAD);
            let rank = percentile::rank(samples, 95.0) as u64;
            let exact = binomial::at_least(rank, samples as u64, share_below);
            println!(
                "{samples:>7} {true_p95:>9} {:>13.3} {exact:>8.3} {:>13.3} {:>12.3}",
                passes.nearest_rank, passes.interpolated, passes.bound
            );
            let off = (passes.nearest_rank - exact).abs();
            assert!(
                off <= 4.0 * deviation(exact) + 1.0 / f64::from(RUNS),
                "{samples} {true_p95}: off by {off}"
            );
            // The chance of both measurements, and half a digit of the table.
            let off = (passes.interpolated - other).abs();
            let allowed = 4.0 * std::f64::consts::SQRT_2 * deviation(passes.interpolated) + 0.005;
            assert!(
                off <= allowed + 1.0 / f64::from(RUNS),
                "{samples} {true_p95}: off by {off}"
            );
            if true_p95 > LIMIT {
                assert!(passes.bound <= 0.05 + 3.0 * deviation(0.05));
            }
        }
    }
}

#[test]
fn a_service_at_the_limit_passes_the_bound_no_more_than_alpha() {
    for (seed, samples) in (50_u64..).zip([58, 59, 100, 300, 1000]) {
        let passes = simulate(samples, LIMIT, seed).bound;
        assert!(passes <= 0.05 + 3.0 * deviation(0.05), "{samples}: {passes}");
        assert_eq!(passes == 0.0, samples < 59, "{samples}: {passes}");
    }
}
