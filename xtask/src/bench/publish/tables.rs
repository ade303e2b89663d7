//! What publishes took as plain tables: a line for each tool and quantity, a column for each scenario.

use super::{OURS, Run, Scenario};
use crate::bench::measure::median;
use crate::bench::report::{as_f64, columns, ratio};

/// Something that is measured, the middle of the rounds.
type Quantity = (&'static str, fn(&[&Run]) -> Option<f64>, usize);

/// What is measured, and with how many digits it is shown.
const QUANTITIES: [Quantity; 6] = [
    ("wall s", |runs| seconds(runs, |run| run.wall), 2),
    ("cpu s", |runs| seconds(runs, |run| run.cpu), 2),
    (
        "peak MB",
        |runs| most(runs, |run| run.peak).map(|peak| peak / 1e6),
        1,
    ),
    ("requests", |runs| most(runs, |run| run.requests as u64), 0),
    ("files sent", |runs| most(runs, |run| run.sent as u64), 0),
    ("stale", |runs| most(runs, |run| run.stale as u64), 0),
];

/// How many of them are compared: what follows says whether the work was the same.
const COMPARED: usize = 4;

fn seconds(runs: &[&Run], of: impl Fn(&Run) -> std::time::Duration) -> Option<f64> {
    let times: Vec<_> = runs.iter().map(|run| of(run)).collect();
    (!times.is_empty()).then(|| median(&times).as_secs_f64())
}

fn most(runs: &[&Run], of: impl Fn(&Run) -> u64) -> Option<f64> {
    runs.iter().map(|run| of(run)).max().map(as_f64)
}

/// What each tool took.
#[must_use]
pub fn absolute(runs: &[Run]) -> String {
    let mut rows = vec![titles()];
    for (quantity, of, digits) in QUANTITIES {
        for tool in tools(runs) {
            let mut row = vec![tool.to_owned(), quantity.to_owned()];
            row.extend(Scenario::ALL.map(|scenario| {
                of(&those(runs, tool, scenario))
                    .map_or_else(|| "-".to_owned(), |value| format!("{value:.digits$}"))
            }));
            rows.push(row);
        }
    }
    columns(&rows)
}

/// Ours as a multiple of each peer's, where that left nothing stale; none without a peer.
#[must_use]
pub fn ratios(runs: &[Run]) -> Option<String> {
    let peers: Vec<&str> = tools(runs).into_iter().filter(|tool| *tool != OURS).collect();
    if peers.is_empty() {
        return None;
    }
    let mut rows = vec![titles()];
    for (quantity, of, _) in &QUANTITIES[..COMPARED] {
        for peer in &peers {
            let mut row = vec![format!("x {peer}"), (*quantity).to_owned()];
            row.extend(Scenario::ALL.map(|scenario| {
                let (ours, theirs) = (those(runs, OURS, scenario), those(runs, peer, scenario));
                // Who left something stale has not done the work.
                let is_done = theirs.iter().all(|run| run.stale == 0);
                ratio(of(&ours), of(&theirs).filter(|_| is_done))
            }));
            rows.push(row);
        }
    }
    Some(columns(&rows))
}

fn titles() -> Vec<String> {
    let scenarios = Scenario::ALL.map(|scenario| scenario.title().to_owned());
    [String::new(), String::new()]
        .into_iter()
        .chain(scenarios)
        .collect()
}

/// The tools, ours first.
fn tools(runs: &[Run]) -> Vec<&'static str> {
    let mut tools: Vec<&str> = runs.iter().map(|run| run.tool).collect();
    tools.sort_unstable_by_key(|tool| (*tool != OURS, *tool));
    tools.dedup();
    tools
}

fn those<'a>(runs: &'a [Run], tool: &str, scenario: Scenario) -> Vec<&'a Run> {
    let is_one = |run: &&Run| run.tool == tool && run.scenario == scenario;
    runs.iter().filter(is_one).collect()
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    fn run(tool: &'static str, scenario: Scenario, wall: u64, requests: usize) -> Run {
        Run {
            tool,
            scenario,
            wall: Duration::from_millis(wall),
            cpu: Duration::from_millis(wall / 2),
            peak: 30_000_000,
            requests,
            sent: requests / 2,
            stale: usize::from(tool != OURS && scenario == Scenario::ChangedOld),
        }
    }

    fn some() -> Vec<Run> {
        vec![
            run("s5cmd", Scenario::First, 8_000, 100),
            run("s5cmd", Scenario::ChangedOld, 100, 5),
            run(OURS, Scenario::ChangedOld, 500, 20),
            run(OURS, Scenario::First, 2_000, 110),
            run(OURS, Scenario::First, 1_000, 110),
            run(OURS, Scenario::First, 9_000, 110),
            run(OURS, Scenario::Changed, 500, 20),
        ]
    }

    #[test]
    fn every_tool_has_a_line_for_each_quantity() {
        assert_eq!(
            absolute(&some()),
            "                   first  unchanged  touched  1 % changed  1 %, old times\n\
             ours       wall s   2.00          -        -         0.50            0.50\n\
             s5cmd      wall s   8.00          -        -            -            0.10\n\
             ours        cpu s   1.00          -        -         0.25            0.25\n\
             s5cmd       cpu s   4.00          -        -            -            0.05\n\
             ours      peak MB   30.0          -        -         30.0            30.0\n\
             s5cmd     peak MB   30.0          -        -            -            30.0\n\
             ours     requests    110          -        -           20              20\n\
             s5cmd    requests    100          -        -            -               5\n\
             ours   files sent     55          -        -           10              10\n\
             s5cmd  files sent     50          -        -            -               2\n\
             ours        stale      0          -        -            0               0\n\
             s5cmd       stale      0          -        -            -               1"
        );
    }

    #[test]
    fn ours_is_a_multiple_of_each_peer() {
        assert_eq!(
            ratios(&some()).unwrap(),
            "                   first  unchanged  touched  1 % changed  1 %, old times\n\
             x s5cmd    wall s   0.25          -        -            -               -\n\
             x s5cmd     cpu s   0.25          -        -            -               -\n\
             x s5cmd   peak MB   1.00          -        -            -               -\n\
             x s5cmd  requests   1.10          -        -            -               -"
        );
        assert_eq!(ratios(&some()[2..]), None);
    }
}
