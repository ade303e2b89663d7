//! How often the default rules on the error rate stop a service, and how soon: services of known error rates under
//! regular load for 30 minutes, judged every 5 seconds, as a gate file's presets make the rules.
//!
//! A preset's other rules are left out. The naive rules beside them have the same limits, and nothing that steadies them:
//! one window of a minute over the limit stops the service.
#![expect(clippy::unwrap_used, reason = "a test that can't go on fails where it stands")]

use std::sync::Mutex;
use std::time::Duration;

use gate::course::Standing;
use gate::observation::{Answered, Observation};
use gate::rule::Rule;
use gate::source::{Query, Reading};
use gate::spec::watch::INTERVAL;
use gha::env::Env;
use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{Rng as _, SeedableRng as _};

const MINUTES: u64 = 30;
/// The runs of a cell; those that something is asserted of have more.
const RUNS: u32 = 60;
const MORE_RUNS: u32 = 500;
/// The true error rates.
const RATES: [f64; 6] = [HEALTHY, 0.01, 0.02, 0.04, SICK, 0.5];
const HEALTHY: f64 = 0.005;
const SICK: f64 = 0.1;
/// Requests a second.
const LOADS: [f64; 3] = [0.5, 1.0, 5.0];
/// The share of healthy services that may be stopped.
const FALSE_ABORTS: f64 = 0.05;

/// A rule and what it is called in the table.
struct Judge {
    name: String,
    rule: Rule,
}

/// The error-rate rules of the presets, each once, and what they were without what steadies them.
fn judges() -> Vec<Judge> {
    let mut judges: Vec<Judge> = Vec::new();
    for preset in ["canary", "slo-default", "steady"] {
        let file = format!(
            "version: 1
sources: {{s: {{type: prometheus, url: 'http://s'}}}}
watch:
  duration: {MINUTES}m
  signals:
    errors: {{ratio: {{source: s, bad: bad, total: total}}}}
    latency: {{histogram: {{source: s, selector: latency_bucket}}}}
    server-errors: {{count: {{source: s, query: server}}}}
    crashes: {{count: {{source: s, query: crashes}}}}
  probe: {{http: 'http://s/'}}
  preset: {preset}
"
        );
        let watch = gate::spec::read("gate.yml", file.as_bytes(), &Env::default(), &[])
            .unwrap()
            .watch
            .unwrap();
        assert_eq!(watch.interval, INTERVAL);
        let of_preset = watch.rules.into_iter().find(|rule| rule.name == "error-rate");
        let abort = of_preset.unwrap();
        // What must hold at the end stops nothing.
        let rule = Rule {
            require: None,
            ..abort
        };
        match judges.iter_mut().find(|judge| judge.rule == rule) {
            Some(judge) => judge.name = format!("{}, {preset}", judge.name),
            None => judges.push(Judge {
                name: preset.to_owned(),
                rule,
            }),
        }
    }
    let naive: Vec<Judge> = judges.iter().map(naive).collect();
    judges.extend(naive);
    judges
}

fn naive(judge: &Judge) -> Judge {
    let mut rule = judge.rule.clone();
    let abort = rule.abort.as_mut().unwrap();
    abort.window = Some(Duration::from_secs(60));
    abort.consecutive = 1;
    abort.min_bad = 0;
    abort.certain = None;
    Judge {
        name: format!("naive {}", abort.test.written),
        rule,
    }
}

/// How often a service was stopped, and after how many seconds each time.
struct Stops {
    runs: u32,
    seconds: Vec<u64>,
}

impl Stops {
    fn share_until(&self, seconds: u64) -> f64 {
        let stopped = self.seconds.partition_point(|at| *at <= seconds);
        stopped as f64 / f64::from(self.runs)
    }

    /// The time after which so many of all runs were stopped.
    fn percentile(&self, percent: usize) -> String {
        let rank = (self.runs as usize * percent).div_ceil(100);
        self.seconds
            .get(rank - 1)
            .map_or("never".to_owned(), |seconds| format!("{seconds} s"))
    }
}

/// One service before all judges at once, so that they see the same requests.
fn simulate(judges: &[Judge], rate: f64, load: f64, runs: u32, seed: u64) -> Vec<Stops> {
    let mut random = ChaCha8Rng::seed_from_u64(seed);
    let mut stops: Vec<Stops> = judges
        .iter()
        .map(|_| Stops {
            runs,
            seconds: Vec::new(),
        })
        .collect();
    for _ in 0..runs {
        for (stops, at) in stops.iter_mut().zip(run(judges, rate, load, &mut random)) {
            stops.seconds.extend(at);
        }
    }
    for stops in &mut stops {
        stops.seconds.sort_unstable();
    }
    stops
}

/// When each judge stops it.
fn run(judges: &[Judge], rate: f64, load: f64, random: &mut ChaCha8Rng) -> Vec<Option<u64>> {
    let rules = judges.iter().map(|judge| judge.rule.clone()).collect();
    let whole = Duration::from_secs(MINUTES * 60);
    let mut observation = Observation::new(rules, Vec::new(), 0, Duration::ZERO, whole).unwrap();
    // How many requests and how many bad ones there were until each second.
    let mut counted = vec![(0_u32, 0_u32)];
    let mut stopped: Vec<Option<u64>> = vec![None; judges.len()];
    let mut at = INTERVAL;
    while at <= whole && stopped.contains(&None) {
        let seconds = at.as_secs();
        while counted.len() as u64 <= seconds {
            let (mut total, mut bad) = counted[counted.len() - 1];
            let due = (counted.len() as f64 * load).floor();
            while f64::from(total) < due {
                total += 1;
                bad += u32::from(f64::from(random.next_u32()) < rate * 2_f64.powi(32));
            }
            counted.push((total, bad));
        }
        let answers: Vec<Answered> = observation
            .questions(at)
            .into_iter()
            .map(|asked| {
                let (before, now) = (
                    counted[(at - asked.question.window).as_secs() as usize],
                    counted[seconds as usize],
                );
                let count = match &asked.question.query {
                    Query::Text(query) if query == "bad" => now.1 - before.1,
                    _ => now.0 - before.0,
                };
                (asked, Ok(Reading::number(count.into())))
            })
            .collect();
        observation.judge(at, &answers);
        for (stopped, course) in stopped.iter_mut().zip(observation.courses()) {
            if stopped.is_none() && matches!(course.standing, Standing::Failed(_)) {
                *stopped = Some(seconds);
            }
        }
        at += INTERVAL;
    }
    stopped
}

#[test]
fn healthy_services_go_on_and_sick_ones_are_stopped() {
    let judges = judges();
    let cells: Vec<(f64, f64)> = LOADS
        .iter()
        .flat_map(|load| RATES.map(|rate| (*load, rate)))
        .collect();
    let simulated = |(cell, (load, rate)): (usize, &(f64, f64))| {
        let asserted = *load == 1.0 && [HEALTHY, SICK].contains(rate);
        let runs = if asserted { MORE_RUNS } else { RUNS };
        (cell, simulate(&judges, *rate, *load, runs, cell as u64))
    };
    let left = Mutex::new(cells.iter().enumerate());
    let next = || left.lock().unwrap().next();
    let work = || std::iter::from_fn(next).map(simulated).collect::<Vec<_>>();
    let mut measured: Vec<(usize, Vec<Stops>)> = std::thread::scope(|scope| {
        let workers = [scope.spawn(work), scope.spawn(work)];
        let done = workers.into_iter().flat_map(|worker| worker.join().unwrap());
        done.collect()
    });
    measured.sort_by_key(|(cell, _)| *cell);

    println!(
        "requests/s  errors  rule                 stopped in {MINUTES} min    in 2 min    median       95 %"
    );
    for ((load, rate), (_, stops)) in cells.iter().zip(&measured) {
        for (judge, stops) in judges.iter().zip(stops) {
            println!(
                "{load:>10} {:>6}%  {:<20} {:>16.1}% {:>10.1}% {:>9} {:>10}",
                rate * 100.0,
                judge.name,
                stops.share_until(MINUTES * 60) * 100.0,
                stops.share_until(120) * 100.0,
                stops.percentile(50),
                stops.percentile(95),
            );
        }
    }

    let of = |rate: f64, name: &str| {
        let cell = cells.iter().position(|cell| *cell == (1.0, rate));
        let judge = judges.iter().position(|judge| judge.name == name);
        &measured[cell.unwrap()].1[judge.unwrap()]
    };
    let (two, five) = ("canary, slo-default", "steady");
    for name in [two, five] {
        let stopped = of(HEALTHY, name).share_until(MINUTES * 60);
        assert!(stopped < FALSE_ABORTS, "{name} stops {stopped} of the healthy");
    }
    // 10 % is five times the one limit, and only twice the other.
    for (name, least) in [(two, 0.99), (five, 0.97)] {
        let stopped = of(SICK, name).share_until(120);
        assert!(stopped >= least, "{name} stops {stopped} of the sick in time");
    }
    let naive = of(HEALTHY, "naive > 2%").share_until(MINUTES * 60);
    assert!(
        naive > 0.5,
        "without what steadies it a rule stops {naive} of the healthy"
    );
}
