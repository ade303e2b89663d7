//! A canary beside its baseline (`compare`), as one Prometheus scrapes an exporter of each.
//!
//! An interval of two seconds stands for a minute, and each watch has a few of them. Whoever watches sends the traffic
//! meanwhile, in rounds that Prometheus has seen before the next begins: that paces it.

use std::time::Duration;

use sandbox::peers::{Exporter, Place, Prometheus};

use crate::gate::{Finished, Running, run};

/// Between two scrapes.
const SCRAPES: Duration = Duration::from_millis(200);
const FAST: Duration = Duration::from_millis(20);

/// Both arms and who scrapes them.
struct Arms {
    canary: Exporter,
    baseline: Exporter,
    prometheus: Prometheus,
    _places: [Place; 3],
}

/// What an arm answers in one round: so many of status 200, and so many of 500.
type Round = (u32, u32);

impl Arms {
    fn new() -> Self {
        let places = [(); 3].map(|()| Place::new().unwrap());
        let canary = Exporter::start(&places[0]).unwrap();
        let baseline = Exporter::start(&places[1]).unwrap();
        let targets = [canary.address(), baseline.address()];
        let prometheus = Prometheus::start(&places[2], &targets, SCRAPES).unwrap();
        let arms = Self {
            canary,
            baseline,
            prometheus,
            _places: places,
        };
        arms.becomes("sum(up)", Some(2.0));
        arms
    }

    #[track_caller]
    fn becomes(&self, expression: &str, value: Option<f64>) {
        self.prometheus
            .wait_for(expression, |found| found == value)
            .unwrap();
    }

    /// An arm has both of its series from here on, so that none of its errors is the first point of a series, which
    /// `increase` can't see.
    #[track_caller]
    fn appears(&self, arm: &Exporter) {
        for code in [200, 500] {
            arm.serve(code, 0, FAST).unwrap();
        }
        self.becomes(&format!("count({})", series(arm, "")), Some(2.0));
    }

    /// Traffic of one arm, as Prometheus sees it too.
    #[track_caller]
    fn serves(&self, arm: &Exporter, (good, bad): Round) {
        let all = format!("sum({})", series(arm, ""));
        let before = self.prometheus.value(&all).unwrap().unwrap_or_default();
        arm.serve(500, bad, FAST).unwrap();
        arm.serve(200, good, FAST).unwrap();
        self.becomes(&all, Some(before + f64::from(good + bad)));
    }

    /// A watch of this length that compares them.
    fn compared(&self, duration: &str) -> Running {
        let arm = |exporter: &Exporter| {
            let count = |codes: &str| format!("sum(increase({}[{{{{window}}}}]))", series(exporter, codes));
            let (bad, total) = (count(r#"code=~"5..""#), count(""));
            format!("{{ source: prom, bad: '{bad}', total: '{total}' }}")
        };
        let (canary, baseline) = (arm(&self.canary), arm(&self.baseline));
        run(&format!(
            "version: 1
sources:
  prom: {{ type: prometheus, url: \"http://{}\", timeout: 2s }}
watch: {{ duration: {duration}, interval: 500ms }}
compare:
  - {{ name: errors, canary: {canary}, baseline: {baseline}, interval: 2s, min_intervals: 3 }}
",
            self.prometheus.address()
        ))
        .start()
    }
}

/// The counters of an arm.
fn series(arm: &Exporter, labels: &str) -> String {
    let instance = arm.address();
    format!(r#"http_requests_total{{instance="{instance}",{labels}}}"#)
}

/// What the comparison came to.
#[track_caller]
fn number(seen: &Finished, name: &str) -> f64 {
    let comparison = seen.comparison("errors");
    let number = comparison["numbers"][name].as_f64();
    number.unwrap_or_else(|| panic!("no `{name}` in\n{comparison:#}"))
}

#[test]
fn one_as_good_passes_and_one_ten_times_as_bad_fails() {
    let arms = Arms::new();
    arms.appears(&arms.canary);
    arms.appears(&arms.baseline);

    let rounds = |mut watching: Running, canary: Round, baseline: Round| {
        while !watching.is_over() {
            arms.serves(&arms.canary, canary);
            arms.serves(&arms.baseline, baseline);
        }
        watching
    };
    // A fifth of the baseline's traffic, and the same share of errors.
    let seen = rounds(arms.compared("6s"), (190, 10), (950, 50)).ends(0);
    assert_eq!(seen.comparison("errors")["verdict"], "pass", "{:#}", seen.report);
    assert!(number(&seen, "ratio_upper") < 2.0, "{:#}", seen.report);

    // As good too, and too few to know.
    let seen = rounds(arms.compared("6s"), (9, 0), (990, 10))
        .ends(4)
        .says(&["needs 5 to fail"]);
    assert_eq!(seen.comparison("errors")["verdict"], "inconclusive");

    // That is known before the end.
    let seen = rounds(arms.compared("30s"), (90, 10), (990, 10)).ends(3);
    assert_eq!(seen.comparison("errors")["verdict"], "fail");
    let reason = seen.comparison("errors")["reason"].as_str().unwrap();
    for part in [
        "canary 10 % (",
        "baseline 1 % (",
        " of ",
        "times the rate, surely more than 1 (p = ",
    ] {
        assert!(reason.contains(part), "{reason}");
    }
    let ratio = number(&seen, "ratio");
    assert!((9.0..11.0).contains(&ratio), "{ratio}");
    assert!(number(&seen, "look") < 5.0, "{:#}", seen.report);
}

#[test]
fn one_that_nobody_sees_never_passes() {
    let arms = Arms::new();
    arms.appears(&arms.baseline);

    // A canary that has not counted anything has no series at all.
    let mut watching = arms.compared("6s");
    while !watching.is_over() {
        arms.serves(&arms.baseline, (990, 10));
    }
    watching.ends(4).says(&["canary had no traffic"]);
    arms.becomes(&format!("count({})", series(&arms.canary, "")), None);

    // Both are well, until the old version's series are exposed no more.
    arms.appears(&arms.canary);
    let now = || arms.prometheus.value("vector(time())").unwrap().unwrap();
    let end = now() + 9.0;
    let mut watching = arms.compared("16s");
    while now() < end {
        arms.serves(&arms.canary, (990, 10));
        arms.serves(&arms.baseline, (990, 10));
    }
    for code in [200, 500] {
        arms.baseline.forget(code).unwrap();
    }
    arms.becomes(&format!("count({})", series(&arms.baseline, "")), None);
    while !watching.is_over() {
        arms.serves(&arms.canary, (990, 10));
    }
    let seen = watching
        .ends(4)
        .says(&["baseline had no traffic in the last 2 intervals"]);
    // What it counted before would do for a pass.
    assert!(number(&seen, "intervals") >= 3.0, "{:#}", seen.report);
    assert!(number(&seen, "ratio_upper") < 2.0, "{:#}", seen.report);
}
