//! What the watchers took as plain tables: each command's line, then ours as a multiple of the peer's.

use std::time::Duration;

use super::{Large, Watched};
use crate::bench::measure::median;
use crate::bench::report::{as_f64, columns, ratio};

/// How late each was and how often it asked; then ours against the peer.
#[must_use]
pub fn delays(both: &[Watched; 2]) -> String {
    let titles = ["command", "rollouts", "median s", "most s", "calls/min"];
    let mut rows = vec![titles.map(str::to_owned).to_vec()];
    for one in both {
        let most = one.late.iter().max().copied().unwrap_or_default();
        rows.push(vec![
            one.name.to_owned(),
            one.late.len().to_string(),
            seconds(median(&one.late)),
            seconds(most),
            pace(one.calls, one.watched).map_or_else(|| "-".to_owned(), |pace| format!("{pace:.1}")),
        ]);
    }
    let late = both.each_ref().map(|one| Some(median(&one.late).as_secs_f64()));
    let paces = both.each_ref().map(|one| pace(one.calls, one.watched));
    let ratios = [("median", late), ("calls/min", paces)];
    format!("{}\n{}", columns(&rows), against(both[0].name, &ratios))
}

/// What a large service took of each.
#[must_use]
pub fn costs(both: &[Large; 2]) -> String {
    let mut rows = vec![["command", "s", "calls", "peak MB"].map(str::to_owned).to_vec()];
    for one in both {
        rows.push(vec![
            one.name.to_owned(),
            seconds(one.took),
            one.calls.to_string(),
            format!("{:.1}", as_f64(one.peak) / 1e6),
        ]);
    }
    let peaks = both.each_ref().map(|one| Some(as_f64(one.peak)));
    format!(
        "{}\n{}",
        columns(&rows),
        against(both[0].name, &[("peak", peaks)])
    )
}

/// Ours as a multiple of the peer's, one quantity a line.
fn against(ours: &str, quantities: &[(&str, [Option<f64>; 2])]) -> String {
    let row = |(quantity, [of_ours, of_peer]): &(&str, [Option<f64>; 2])| {
        let ratio = ratio(*of_ours, *of_peer);
        vec![ours.to_owned(), (*quantity).to_owned(), format!("{ratio} x aws")]
    };
    columns(&quantities.iter().map(row).collect::<Vec<_>>())
}

/// Calls a minute.
fn pace(calls: usize, time: Duration) -> Option<f64> {
    let minutes = time.as_secs_f64() / 60.0;
    (minutes > 0.0).then(|| as_f64(calls as u64) / minutes)
}

fn seconds(time: Duration) -> String {
    format!("{:.2}", time.as_secs_f64())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ours_stands_beside_the_peer() {
        let watched = |name, late: [u64; 3], calls| Watched {
            name,
            late: late.map(Duration::from_millis).to_vec(),
            calls,
            watched: Duration::from_secs(120),
        };
        let both = [
            watched("ecs-deploy deploy", [1_000, 2_500, 4_900], 48),
            watched("aws ecs wait services-stable", [500, 7_500, 14_000], 8),
        ];
        assert_eq!(
            delays(&both),
            "command                       rollouts  median s  most s  calls/min\n\
             ecs-deploy deploy                    3      2.50    4.90       24.0\n\
             aws ecs wait services-stable         3      7.50   14.00        4.0\n\
             ecs-deploy deploy     median  0.33 x aws\n\
             ecs-deploy deploy  calls/min  6.00 x aws"
        );
    }

    #[test]
    fn a_large_service_is_judged_by_memory() {
        let large = |name, peak, calls| Large {
            name,
            peak,
            calls,
            took: Duration::from_secs(16),
        };
        let both = [
            large("ecs-deploy deploy", 20_000_000, 17),
            large("aws", 80_000_000, 1),
        ];
        assert_eq!(
            costs(&both),
            "command                s  calls  peak MB\n\
             ecs-deploy deploy  16.00     17     20.0\n\
             aws                16.00      1     80.0\n\
             ecs-deploy deploy  peak  0.25 x aws"
        );
    }
}
