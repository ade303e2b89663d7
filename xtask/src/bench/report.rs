//! What was measured as plain tables: one of what each command takes, one of ours against each peer, one of sizes.

use std::time::Duration;

use super::looks::Seen;
use super::measure::{Samples, median, p95};
use super::subject::{Owner, Subject};
use crate::dist::Built;
use crate::size;
use crate::target::RELEASED;

/// A command with what its runs took.
#[derive(Debug)]
pub struct Measured {
    /// The command.
    pub subject: Subject,
    /// Times of its runs.
    pub samples: Samples,
    /// Its largest resident memory in bytes, where it could be measured.
    pub peak: Option<u64>,
}

/// What each command takes, one a line.
#[must_use]
pub fn absolute(measured: &[Measured]) -> String {
    let mut rows = vec![
        ["command", "median ms", "p95 ms", "cpu ms", "peak MB"]
            .map(str::to_owned)
            .to_vec(),
    ];
    for one in measured {
        rows.push(vec![
            one.subject.name.clone(),
            millis(median(&one.samples.wall)),
            millis(p95(&one.samples.wall)),
            millis(median(&one.samples.cpu)),
            one.peak
                .map_or_else(|| "-".to_owned(), |bytes| format!("{:.1}", as_f64(bytes) / 1e6)),
        ]);
    }
    columns(&rows)
}

/// Our commands as multiples of each peer, by time, CPU and memory; none without a peer.
#[must_use]
pub fn ratios(measured: &[Measured]) -> Option<String> {
    let peers: Vec<(&str, &Measured)> = measured
        .iter()
        .filter_map(|one| match one.subject.owner {
            Owner::Peer(short) => Some((short, one)),
            Owner::Ours => None,
        })
        .collect();
    if peers.is_empty() {
        return None;
    }
    let mut rows = Vec::new();
    for ours in measured.iter().filter(|one| one.subject.owner == Owner::Ours) {
        for (quantity, of) in QUANTITIES {
            let mut row = vec![ours.subject.name.clone(), quantity.to_owned()];
            row.extend(peers.iter().map(|(short, peer)| {
                let ratio = ratio(of(ours), of(peer));
                format!("{ratio} x {short}")
            }));
            rows.push(row);
        }
    }
    Some(columns(&rows))
}

type Quantity = fn(&Measured) -> Option<f64>;

const QUANTITIES: [(&str, Quantity); 3] = [
    ("median", |one| Some(median(&one.samples.wall).as_secs_f64())),
    ("cpu", |one| Some(median(&one.samples.cpu).as_secs_f64())),
    ("peak", |one| one.peak.map(as_f64)),
];

pub(super) fn ratio(ours: Option<f64>, peer: Option<f64>) -> String {
    match (ours, peer) {
        // A peer below the clock's grain says nothing about how much larger ours is.
        (Some(ours), Some(peer)) if peer > 0.0 => format!("{:.2}", ours / peer),
        _ => "-".to_owned(),
    }
}

/// What each command's looks took, one command a line.
#[must_use]
pub fn looks(seen: &[Seen]) -> String {
    let titles = [
        "command",
        "looks",
        "looks/s",
        "cpu us/look",
        "% of a core",
        "peak MB",
    ];
    let mut rows = vec![titles.map(str::to_owned).to_vec()];
    for one in seen {
        let (wall, cpu) = (one.wall.as_secs_f64(), one.cpu.as_secs_f64());
        let each = cpu_of_a_look(one).map_or_else(|| "-".to_owned(), |each| format!("{:.1}", each * 1e6));
        rows.push(vec![
            one.subject.name.clone(),
            size::grouped(one.looks),
            format!("{:.0}", as_f64(one.looks) / wall),
            each,
            format!("{:.1}", 100.0 * cpu / wall),
            format!("{:.1}", as_f64(one.peak) / 1e6),
        ]);
    }
    columns(&rows)
}

/// Our looks as multiples of each peer's, by CPU time and memory; none without a peer.
#[must_use]
pub fn look_ratios(seen: &[Seen]) -> Option<String> {
    let mut rows = Vec::new();
    for ours in seen.iter().filter(|one| one.subject.owner == Owner::Ours) {
        for peer in seen {
            let Owner::Peer(short) = peer.subject.owner else {
                continue;
            };
            let cpu = ratio(cpu_of_a_look(ours), cpu_of_a_look(peer));
            let peak = ratio(Some(as_f64(ours.peak)), Some(as_f64(peer.peak)));
            let row = |quantity: &str, ratio: String| {
                vec![
                    ours.subject.name.clone(),
                    quantity.to_owned(),
                    format!("{ratio} x {short}"),
                ]
            };
            rows.extend([row("cpu/look", cpu), row("peak", peak)]);
        }
    }
    (!rows.is_empty()).then(|| columns(&rows))
}

/// In seconds, the start of the command included.
fn cpu_of_a_look(seen: &Seen) -> Option<f64> {
    (seen.looks > 0).then(|| seen.cpu.as_secs_f64() / as_f64(seen.looks))
}

/// The file and the download of each tool, with their sums.
#[must_use]
pub fn sizes(built: &[Built]) -> String {
    let mut rows = vec![["tool", "bytes", "gzip -9"].map(str::to_owned).to_vec()];
    let row = |name: &str, raw, gzip| vec![name.to_owned(), size::grouped(raw), size::grouped(gzip)];
    for one in built {
        rows.push(row(&one.tool, one.raw, one.gzip));
    }
    let raw = built.iter().map(|one| one.raw).sum();
    rows.push(row("sum", raw, gzip_sum(built)));
    columns(&rows)
}

/// The part of the budget that a release tree takes, if every target is as large as this one.
#[must_use]
pub fn budget(built: &[Built]) -> String {
    let all = gzip_sum(built) * RELEASED.len() as u64;
    format!(
        "{} targets as large as this one: {} bytes gzip, {:.1} % of the release tree's {}",
        RELEASED.len(),
        size::grouped(all),
        100.0 * as_f64(all) / as_f64(size::TREE_BUDGET),
        size::grouped(size::TREE_BUDGET)
    )
}

fn gzip_sum(built: &[Built]) -> u64 {
    built.iter().map(|one| one.gzip).sum()
}

#[expect(
    clippy::cast_precision_loss,
    reason = "sizes of programs are far below 2^52, and shown with two digits"
)]
pub(super) fn as_f64(number: u64) -> f64 {
    number as f64
}

fn millis(time: Duration) -> String {
    format!("{:.2}", time.as_secs_f64() * 1e3)
}

/// Rows with their columns under each other: the first to the left, the others to the right.
pub(super) fn columns(rows: &[Vec<String>]) -> String {
    let count = rows.iter().map(Vec::len).max().unwrap_or_default();
    let width = |column: usize| {
        let cells = rows.iter().filter_map(|row| row.get(column));
        cells.map(|cell| cell.chars().count()).max().unwrap_or_default()
    };
    let widths: Vec<usize> = (0..count).map(width).collect();
    let line = |row: &Vec<String>| {
        let cells = row
            .iter()
            .zip(&widths)
            .enumerate()
            .map(|(column, (cell, &width))| match column {
                0 => format!("{cell:<width$}"),
                _ => format!("{cell:>width$}"),
            });
        cells.collect::<Vec<_>>().join("  ").trim_end().to_owned()
    };
    rows.iter().map(line).collect::<Vec<_>>().join("\n")
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;
    use crate::target::Target;

    fn measured(subject: Subject, wall: &[u64], cpu: u64, peak: Option<u64>) -> Measured {
        Measured {
            subject,
            samples: Samples {
                wall: wall.iter().map(|&time| Duration::from_micros(time)).collect(),
                cpu: vec![Duration::from_micros(cpu)],
            },
            peak,
        }
    }

    fn some() -> Vec<Measured> {
        let program = Path::new("/bin/true");
        vec![
            measured(
                Subject::ours("notify --help", program, &[]),
                &[1_500, 2_500, 9_000],
                1_000,
                Some(3_000_000),
            ),
            measured(
                Subject::peer("sh", "sh -c :", program, &[]),
                &[1_000],
                0,
                Some(1_500_000),
            ),
            measured(
                Subject::peer("node", "node -e 0", program, &[]),
                &[50_000],
                40_000,
                None,
            ),
        ]
    }

    #[test]
    fn every_command_has_its_line() {
        assert_eq!(
            absolute(&some()),
            "command        median ms  p95 ms  cpu ms  peak MB\n\
             notify --help       2.50    9.00    1.00      3.0\n\
             sh -c :             1.00    1.00    0.00      1.5\n\
             node -e 0          50.00   50.00   40.00        -"
        );
    }

    #[test]
    fn every_ratio_names_its_peer_and_what_is_unknown_is_no_number() {
        assert_eq!(
            ratios(&some()).unwrap(),
            "notify --help  median  2.50 x sh  0.05 x node\n\
             notify --help     cpu     - x sh  0.03 x node\n\
             notify --help    peak  2.00 x sh     - x node"
        );
        assert_eq!(ratios(&some()[..1]), None);
    }

    #[test]
    fn looks_are_compared_by_what_one_costs() {
        let seen = |subject, looks, cpu, peak| Seen {
            subject,
            looks,
            wall: Duration::from_secs(10),
            cpu: Duration::from_millis(cpu),
            peak,
        };
        let program = Path::new("/bin/true");
        let seen = [
            seen(Subject::ours("watch", program, &[]), 100_000, 5_000, 12_000_000),
            seen(
                Subject::peer("curl", "curl", program, &[]),
                50_000,
                5_000,
                10_000_000,
            ),
            seen(Subject::peer("none", "none", program, &[]), 0, 0, 1_000_000),
        ];
        assert_eq!(
            looks(&seen),
            "command    looks  looks/s  cpu us/look  % of a core  peak MB\n\
             watch    100,000    10000         50.0         50.0     12.0\n\
             curl      50,000     5000        100.0         50.0     10.0\n\
             none           0        0            -          0.0      1.0"
        );
        assert_eq!(
            look_ratios(&seen).unwrap(),
            "watch  cpu/look   0.50 x curl\n\
             watch      peak   1.20 x curl\n\
             watch  cpu/look      - x none\n\
             watch      peak  12.00 x none"
        );
        assert_eq!(look_ratios(&seen[..1]), None);
    }

    #[test]
    fn sizes_have_a_sum_and_the_budget() {
        let built = |tool: &str, raw, gzip| Built {
            target: Target::X86_64Musl,
            tool: tool.to_owned(),
            raw,
            gzip,
        };
        let built = [
            built("image-tag", 1_000_000, 500_000),
            built("notify", 2_000_000, 1_500_000),
        ];
        assert_eq!(
            sizes(&built),
            "tool           bytes    gzip -9\n\
             image-tag  1,000,000    500,000\n\
             notify     2,000,000  1,500,000\n\
             sum        3,000,000  2,000,000"
        );
        assert_eq!(
            budget(&built),
            "2 targets as large as this one: 4,000,000 bytes gzip, 10.0 % of the release tree's 40,000,000"
        );
    }
}
