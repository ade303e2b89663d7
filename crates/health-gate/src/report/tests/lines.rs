//! What a log and a terminal get while a run goes on.

use super::super::live;
use super::*;
use gate::observe::Told;
use gha::edge::live::Tone;

#[test]
fn the_log_says_only_what_is_new() {
    let down = || bad(503, "");
    let (_, lines) = record(&[("api", &[down(), down(), good(), down(), refused()])]);
    assert_eq!(
        lines,
        [
            "try 1: answered 503, expected 2xx",
            "try 3: good (200), 1 in a row",
            "try 4: answered 503, expected 2xx",
            "try 5: connection refused",
        ]
    );
    let (_, lines) = record(&[
        ("api", &[good(), good(), good()]),
        ("db", &[refused(), refused(), good()]),
    ]);
    assert_eq!(
        lines,
        [
            "api: try 1: good (200), 1 in a row",
            "db: try 1: connection refused",
            "db: try 3: good (200), 1 in a row",
        ],
        "one that is ready and waits for others tells nothing new"
    );
}

#[test]
fn a_long_row_of_good_tries_has_two_lines() {
    let mut record = Record::new(
        vec![Named {
            wanted: 20,
            ..named("api")
        }],
        Vec::new(),
    );
    let mut lines = Vec::new();
    let mut streak = 0;
    // Twelve good ones, one that is bad, and thirty good ones, of which the last ten wait for another target.
    for number in 1..=43 {
        let look = if number == 13 { refused() } else { good() };
        streak = if number == 13 { 0 } else { streak + 1 };
        lines.extend(record.attempt(&Attempt {
            target: 0,
            number,
            started: secs(number.into()),
            took: Duration::from_millis(12),
            look,
            streak,
        }));
        if number == 12 {
            assert_eq!(
                live::heartbeat(&record, false, secs(61)),
                "good, 12 of 20 in a row; 1m1s left"
            );
        }
    }
    assert_eq!(
        lines,
        [
            "try 1: good (200), 1 in a row",
            "try 13: connection refused",
            "try 14: good (200), 1 in a row",
            "try 33: good (200), 20 in a row",
        ]
    );
}

#[test]
fn each_probe_has_a_line_with_its_samples() {
    let unmeasured = Look::without_answer(Finding::Unmeasured(Trouble::passing("no room")));
    let interval = |name: &str, millis| Looked {
        interval: Duration::from_millis(millis),
        ..looked(name)
    };
    let probes = vec![
        interval("api", 1000),
        interval("database", 143),
        interval("old", 90_000),
        looked("new"),
    ];
    let mut record = Record::new(Vec::new(), probes);
    let seen = [
        (0, good()),
        (0, good()),
        (0, good()),
        (0, bad(503, "")),
        (1, good()),
        (2, good()),
        (2, unmeasured),
    ];
    for (probe, look) in &seen {
        let (probe, look) = (*probe, look);
        let due = secs(0);
        record.told(&Told::Look { probe, due, look });
    }
    let shown = live::lines(&record, true, secs(90));
    let text: Vec<&str> = shown.iter().map(|line| line.text.as_str()).collect();
    assert_eq!(
        text,
        [
            "✗ api       http://api/health       1/s  4 samples, 1 bad (25%)  answered 503, expected 2xx",
            "✓ database  http://database/health  6.99/s  1 sample, 0 bad (0%)  good",
            "! old       http://old/health       40/h  1 sample, 0 bad (0%), 1 not measured  no room",
            "· new       http://new/health       1/s  0 samples, 0 bad (0%)  nothing seen yet",
            "  6 samples, 1 bad, 1m30s left",
        ]
    );
    let tones: Vec<Tone> = shown.iter().map(|line| line.tone).collect();
    assert_eq!(
        tones,
        [Tone::Bad, Tone::Good, Tone::Unsure, Tone::Faint, Tone::Faint]
    );
}

#[test]
fn of_many_probes_the_bad_ones_are_shown() {
    let probes = (0..50).map(|n| looked(&format!("p{n}"))).collect();
    let mut record = Record::new(Vec::new(), probes);
    for probe in 0..50 {
        let look = if probe == 49 { refused() } else { good() };
        let due = secs(0);
        record.told(&Told::Look {
            probe,
            due,
            look: &look,
        });
    }
    let shown = live::lines(&record, true, secs(90));
    assert_eq!(shown.len(), 12);
    assert!(shown[0].text.starts_with("✗ p49"), "{shown:?}");
    assert_eq!(shown[10].text, "  … and 40 more probes");
}

fn observing() -> Record {
    Record::new(Vec::new(), vec![looked("probe")])
}

fn look(record: &mut Record, second: u64, look: &Look) -> Vec<String> {
    record.told(&Told::Look {
        probe: 0,
        due: secs(second),
        look,
    })
}

#[test]
fn a_probe_that_is_up_and_down_does_not_fill_the_log() {
    let mut record = observing();
    let lines: Vec<String> = (0..1000)
        .flat_map(|second| {
            look(
                &mut record,
                second,
                &if second % 2 == 0 { good() } else { refused() },
            )
        })
        .collect();
    assert_eq!(lines.len(), 101, "at most one in ten seconds: {lines:?}");
    assert_eq!(lines[0], "probe: good");
    assert_eq!(lines[1], "probe: connection refused");
    assert_eq!(lines[2], "probe: connection refused (and 9 changes before)");
    assert_eq!(record.probes()[0].looks, (1000, 500));
}

#[test]
fn a_change_is_told_and_what_stays_is_not() {
    let mut record = observing();
    let mut lines = Vec::new();
    for second in 0..100 {
        let seen = if (30..60).contains(&second) {
            refused()
        } else {
            good()
        };
        lines.extend(look(&mut record, second, &seen));
    }
    assert_eq!(
        lines,
        [
            "probe: good",
            "probe: connection refused",
            "probe: good again, 30 of 61 looks were bad"
        ]
    );
}

#[test]
fn a_rule_is_told_of_when_it_stands_otherwise() {
    let rule = rule(
        "error-rate",
        ratio(),
        Some(clause("< 1%", &ratio())),
        Some(Clause {
            window: Some(secs(60)),
            consecutive: 2,
            ..clause("> 2%", &ratio())
        }),
    );
    let mut observation = judged_by(vec![rule], 1, Duration::ZERO);
    let mut record = observing();
    let mut lines = Vec::new();
    for (minute, bad) in (1..).zip([
        Some(0.0),
        Some(0.0),
        Some(19.0),
        None,
        Some(0.0),
        Some(19.0),
        Some(19.0),
    ]) {
        judge(&mut observation, 60 * minute, |query| match (query, bad) {
            (_, None) => Err(Trouble::passing("prometheus answered 503")),
            ("bad", Some(bad)) => Ok(Reading::number(bad)),
            _ => Ok(Reading::number(600.0)),
        });
        let at = secs(60 * minute);
        let observation = &observation;
        lines.extend(record.told(&Told::Judged { at, observation }));
    }
    assert_eq!(
        lines,
        [
            "error-rate: 0% (0 of 600), limit < 1%; abort > 2% in 2 windows in a row of 60s",
            "error-rate: bad so far, 3.2% (19 of 600) and not < 1% in the whole 3m",
            "error-rate: not measured: prometheus answered 503",
            "error-rate: well again, 0% (0 of 600)",
            "error-rate: bad so far, 3.2% (19 of 600) and not < 1% in the whole 6m",
            "error-rate: failed, 3.2% (19 of 600) > 2% in 2 windows in a row of 60s",
        ]
    );
    let shown = live::lines(&record, true, secs(90));
    assert_eq!(
        shown[0].text,
        "✗ error-rate  ▁▁█·▁██  3.2% (19 of 600) > 2% in 2 windows in a row of 60s  (limit < 1%; abort > 2% in 2 windows \
         in a row of 60s)"
    );
    assert_eq!(
        (shown[0].tone, shown[1].text.as_str(), shown[2].text.as_str()),
        (
            Tone::Bad,
            "· probe  http://probe/health  1/s  0 samples, 0 bad (0%)  nothing seen yet",
            "  0 samples, 0 bad, 1m30s left"
        )
    );
    assert_eq!(
        live::heartbeat(&record, true, secs(90)),
        "0 samples, 0 bad; error-rate: 3.2% (19 of 600) > 2% in 2 windows in a row of 60s, limit < 1%; abort > 2% in 2 \
         windows in a row of 60s; 1m30s left"
    );
}

#[test]
fn targets_are_shown_while_they_are_waited_for() {
    let (record, _) = record(&[("api", &[good()]), ("database", &[good(), refused()])]);
    let shown: Vec<String> = live::lines(&record, false, Duration::from_millis(61_900))
        .into_iter()
        .map(|line| line.text)
        .collect();
    assert_eq!(
        shown,
        [
            "✓ api       1/1 in a row, try 1  good",
            "✗ database  0/1 in a row, try 2  connection refused",
            "  1m1s left"
        ]
    );
    assert_eq!(
        live::heartbeat(&record, false, secs(61)),
        "1 of 2 targets ready; database: connection refused; 1m1s left"
    );
}

#[test]
fn six_hundred_thousand_looks_take_no_room() {
    let mut record = observing();
    let (good, bad) = (good(), refused());
    let lines: usize = (0..600_000_u64)
        .map(|index| {
            record
                .told(&Told::Look {
                    probe: 0,
                    due: Duration::from_micros(100 * index),
                    look: if index % 3 == 0 { &bad } else { &good },
                })
                .len()
        })
        .sum();
    assert_eq!((record.probes()[0].looks, lines), ((600_000, 200_000), 6));
}
